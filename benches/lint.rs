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

/// What each start costs before any file is read: the rules that come with it.
#[divan::bench]
fn loads_the_rules() -> RuleSet {
    RuleSet::embedded()
}
