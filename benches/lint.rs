//! How fast files are cut, read and judged: `cargo bench`.

#[allow(dead_code, reason = "the example `corpus` uses the rest of it")]
mod corpus;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use lockkeeper::config::Config;
use lockkeeper::discover::{self, Discovered, Role};
use lockkeeper::lint::{Settings, run};
use lockkeeper::model::effects::Version;
use lockkeeper::rule::set::RuleSet;
use lockkeeper::sql::{lex::Lexer, read, split::split};
use lockkeeper::text::{SourceFile, Span};
use std::sync::Arc;

fn main() {
    divan::main();
}

/// The texts that each stage is measured on.
const TEXTS: [&str; 3] = ["4000 small files", "20000 definitions", "8 MB of INSERTs"];

fn text(name: &str) -> (Arc<SourceFile>, Span) {
    let sql = match name {
        "4000 small files" => corpus::history(4000).map(|(_, sql)| sql).collect(),
        "20000 definitions" => corpus::definitions(20_000),
        _ => corpus::inserts(8_000_000),
    };
    let whole = Span::new(0, sql.len() as u32);
    (SourceFile::new("shop.sql", sql), whole)
}

#[divan::bench(args = TEXTS)]
fn lexes(bencher: Bencher, name: &str) {
    let (source, whole) = text(name);
    bencher.counter(BytesCount::new(whole.len())).bench(|| Lexer::new(black_box(&source), whole).count());
}

#[divan::bench(args = TEXTS)]
fn splits(bencher: Bencher, name: &str) {
    let (source, whole) = text(name);
    bencher.counter(BytesCount::new(whole.len())).bench(|| split(black_box(&source), whole));
}

#[divan::bench(args = TEXTS)]
fn reads(bencher: Bencher, name: &str) {
    let (source, whole) = text(name);
    bencher.counter(BytesCount::new(whole.len())).bench(|| read(black_box(&source), whole));
}

/// From texts in memory to a report, each file judged on the schema that those before it leave behind.
#[divan::bench(args = [1, 1000, 10_000], max_time = 20)]
fn lints(bencher: Bencher, files: usize) {
    let (rules, config) = (RuleSet::embedded(), Config::default());
    let settings = Settings { rules: &rules, config: &config, server: Version::DEFAULT };
    let sources: Vec<_> = corpus::history(files).map(|(name, sql)| (SourceFile::new(name, sql), Role::Subject)).collect();
    bencher
        .counter(divan::counter::ItemsCount::new(files))
        .with_inputs(|| Discovered { histories: vec![discover::in_memory(None, &sources, &config)], ..Discovered::default() })
        .bench_values(|found| run(found, &settings));
}

/// One long file in which each statement makes rules ask about all the others: twice the statements have to take twice the time.
#[divan::bench(args = ["enum values", "allowances"], consts = [10_000, 20_000], max_time = 20)]
fn lints_one_file<const STATEMENTS: usize>(bencher: Bencher, what: &str) {
    let (rules, config) = (RuleSet::embedded(), Config::default());
    let settings = Settings { rules: &rules, config: &config, server: Version::DEFAULT };
    let statement = |at: usize| match what {
        "enum values" => format!("ALTER TYPE state ADD VALUE 's{at}';\n"),
        _ => format!("-- lockkeeper: allow drop-column because nothing reads it\nALTER TABLE orders DROP COLUMN c{at};\n"),
    };
    let sources = [(SourceFile::new("shop.sql", (0..STATEMENTS).map(statement).collect::<String>()), Role::Subject)];
    bencher
        .counter(divan::counter::ItemsCount::new(STATEMENTS))
        .with_inputs(|| Discovered { histories: vec![discover::in_memory(None, &sources, &config)], ..Discovered::default() })
        .bench_values(|found| run(found, &settings));
}

/// What each start costs before any file is read: the rules that come with it.
#[divan::bench]
fn loads_the_rules() -> RuleSet {
    RuleSet::embedded()
}
