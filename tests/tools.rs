//! Each migration tool's project is read as that tool runs it: in which order, which part of which file, in which transaction. The projects
//! lie in fixtures/tools, made after the tools' manuals; docs/tools.md names those.

use insta::assert_snapshot;
use lockkeeper::config::{Config, FILE_NAME};
use lockkeeper::discover::{Discovered, Down, Migration, Request, discover};
use lockkeeper::lint::{self, Settings};
use lockkeeper::model::effects::Version;
use lockkeeper::rule::set::RuleSet;
use std::path::{Path, PathBuf};

/// A project of fixtures/tools: its directory, and its config if it has one.
fn project(name: &str) -> (PathBuf, Config) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tools").join(name);
    let config = directory.join(FILE_NAME);
    let config = if config.is_file() { Config::read(&config).expect("a config") } else { Config::default() };
    (directory, config)
}

fn found(paths: Vec<PathBuf>, config: &Config) -> Discovered {
    let found = discover(&Request { paths, ..Request::default() }, config);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    found
}

/// How the files of a project are run: in their order, by whom, in which transaction, and what undoes them.
fn words(name: &str) -> String {
    let (directory, config) = project(name);
    let found = found(vec![directory.clone()], &config);
    let rules = RuleSet::embedded();
    let undone: Vec<String> = found.histories.iter().flat_map(|history| &history.migrations).map(|one| undoing(one, &directory)).collect();
    let report = lint::run(found, &Settings { rules: &rules, config: &config, server: Version(15) });
    assert_eq!(report.migrations.len(), undone.len(), "{name}");
    let line = |(migration, undone): (&lint::finding::Assessed, String)| {
        let tool = migration.tool.map_or("nobody known", |tool| tool.word());
        let shared = if migration.shared_transaction { " with all others" } else { "" };
        format!("{}: {tool}, {:?}{shared}{undone}", shown(migration.source.path(), &directory), migration.transaction)
    };
    report.migrations.iter().zip(undone).map(line).collect::<Vec<_>>().join("\n")
}

fn undoing(migration: &Migration, directory: &Path) -> String {
    match &migration.down {
        None => String::new(),
        Some(Down::File(path)) => format!(", undone by {}", shown(path, directory)),
        Some(Down::Part(part)) => format!(", undone from line {} on", migration.source.place(part.start).line),
    }
}

fn shown(path: &Path, directory: &Path) -> String {
    path.strip_prefix(directory).unwrap_or(path).display().to_string()
}

#[test]
fn golang_migrate_orders_by_number_and_sends_each_file_as_one_message() {
    assert_snapshot!(words("golang-migrate"), @r#"
migrations/1_users.up.sql: golang-migrate, OneMessage, undone by migrations/1_users.down.sql
migrations/2_orders.up.sql: golang-migrate, OneMessage, undone by migrations/2_orders.down.sql
migrations/9_drafts.up.sql: golang-migrate, OneMessage, undone by migrations/9_drafts.down.sql
migrations/10_note.up.sql: golang-migrate, OneMessage, undone by migrations/10_note.down.sql
migrations/11_find_drafts.up.sql: golang-migrate, OneMessage, undone by migrations/11_find_drafts.down.sql
migrations/12_payments.up.sql: golang-migrate, OneMessage, undone by migrations/12_payments.down.sql
"#);
}

#[test]
fn goose_wraps_each_file_that_does_not_say_no_transaction() {
    assert_snapshot!(words("goose"), @r#"
migrations/1_users.sql: goose, Runner, undone from line 7 on
migrations/2_orders.sql: goose, Runner, undone from line 9 on
migrations/9_drafts.sql: goose, Runner, undone from line 7 on
migrations/10_note.sql: goose, Runner, undone from line 6 on
migrations/11_find_drafts.sql: goose, None, undone from line 5 on
migrations/12_basket.sql: goose, None, undone from line 6 on
migrations/13_no_note.sql: goose, Runner, undone from line 12 on
migrations/20240101090000_payments.sql: goose, Runner, undone from line 10 on
"#);
}

#[test]
fn flyway_orders_by_the_parts_of_versions_and_sees_what_runs_in_no_transaction() {
    assert_snapshot!(words("flyway"), @r#"
sql/V1__users.sql: flyway, Runner
sql/V1.1__user_names.sql: flyway, Runner
sql/V2__orders.sql: flyway, Runner, undone by sql/U2__orders.sql
sql/V9__payments.sql: flyway, Runner
sql/V10__drafts.sql: flyway, Runner
sql/V11__find_drafts.sql: flyway, None
sql/V12__basket.sql: flyway, None
sql/V13_1__note.sql: flyway, Runner
sql/R__unpaid.sql: flyway, Runner
"#);
}

#[test]
fn prisma_sends_each_folder_as_one_message() {
    assert_snapshot!(words("prisma"), @r#"
prisma/migrations/0_users/migration.sql: prisma, OneMessage
prisma/migrations/20240102090000_orders/migration.sql: prisma, OneMessage
prisma/migrations/20240103090000_note/migration.sql: prisma, OneMessage
prisma/migrations/20240104090000_drafts/migration.sql: prisma, OneMessage
prisma/migrations/20240105090000_find_drafts/migration.sql: prisma, OneMessage
prisma/migrations/9_payments/migration.sql: prisma, OneMessage
"#);
}

#[test]
fn hasura_wraps_each_folder() {
    assert_snapshot!(words("hasura"), @r#"
migrations/default/1704103200000_users/up.sql: hasura, Runner, undone by migrations/default/1704103200000_users/down.sql
migrations/default/1704189600000_orders/up.sql: hasura, Runner, undone by migrations/default/1704189600000_orders/down.sql
migrations/default/1704276000000_note/up.sql: hasura, Runner, undone by migrations/default/1704276000000_note/down.sql
migrations/default/1704362400000_drafts/up.sql: hasura, Runner, undone by migrations/default/1704362400000_drafts/down.sql
migrations/default/1704448800000_payments/up.sql: hasura, Runner, undone by migrations/default/1704448800000_payments/down.sql
migrations/default/1704535200000_find_drafts/up.sql: hasura, OneMessage, undone by migrations/default/1704535200000_find_drafts/down.sql
"#);
}

#[test]
fn psql_commits_each_statement_unless_the_file_says_begin() {
    assert_snapshot!(words("psql"), @r#"
changes/001_users.sql: psql, None
changes/002_orders.sql: psql, Explicit
changes/003_find_orders.sql: psql, None
"#);
}

#[test]
fn of_plain_numbered_files_nobody_knows_who_runs_them() {
    assert_snapshot!(words("plain"), @r#"
migrations/001_users.sql: nobody known, Assumed(true)
migrations/002_orders.sql: nobody known, Assumed(true)
migrations/003_note.sql: nobody known, Assumed(true)
migrations/009_drafts.sql: nobody known, Assumed(true)
migrations/010_payments.sql: nobody known, Assumed(true)
"#);
}

#[test]
fn supabase_sends_each_file_as_one_pipeline() {
    assert_snapshot!(words("supabase"), @r#"
supabase/migrations/20240101090000_users.sql: supabase, OneMessage
supabase/migrations/20240102090000_orders.sql: supabase, OneMessage
supabase/migrations/20240103090000_note.sql: supabase, OneMessage
supabase/migrations/20240104090000_drafts.sql: supabase, OneMessage
supabase/migrations/20240105090000_payments.sql: supabase, OneMessage
supabase/migrations/9_unpaid.sql: supabase, OneMessage
supabase/migrations/91_find_drafts.sql: supabase, None
"#);
}

#[test]
fn atlas_wraps_each_file_unless_a_line_above_a_blank_one_says_otherwise() {
    assert_snapshot!(words("atlas"), @r#"
migrations/20240101090000_users.sql: atlas, Runner
migrations/20240102090000_orders.sql: atlas, Runner
migrations/20240103090000_note.sql: atlas, Runner
migrations/20240104090000_drafts.sql: atlas, Runner
migrations/20240105090000_find_drafts.sql: atlas, None
migrations/20240106090000_basket.sql: atlas, None
migrations/9_payments.sql: atlas, Runner
"#);
}

#[test]
fn sqitch_runs_what_the_plan_lists_and_leaves_transactions_to_the_scripts() {
    assert_snapshot!(words("sqitch"), @r#"
deploy/users.sql: sqitch, Explicit, undone by revert/users.sql
deploy/orders.sql: sqitch, Explicit, undone by revert/orders.sql
deploy/note@v1.1.0.sql: sqitch, Explicit, undone by revert/note@v1.1.0.sql
deploy/drafts.sql: sqitch, Explicit, undone by revert/drafts.sql
deploy/find_drafts.sql: sqitch, None, undone by revert/find_drafts.sql
deploy/basket.sql: sqitch, None, undone by revert/basket.sql
deploy/note.sql: sqitch, Explicit, undone by revert/note.sql
"#);
}

#[test]
fn liquibase_runs_what_the_changelog_includes_and_wraps_each_changeset() {
    assert_snapshot!(words("liquibase"), @r#"
base/users.sql: liquibase, Runner
changes/10_payments.sql: liquibase, Runner
changes/2_drafts.sql: liquibase, Runner
changes/3_find_drafts.sql: liquibase, None
changes/4_placed.sql: liquibase, None
"#);
}

#[test]
fn sqlx_orders_by_number_and_wraps_each_file_that_does_not_begin_with_its_line() {
    assert_snapshot!(words("sqlx"), @r#"
migrations/1_users.up.sql: sqlx, Runner, undone by migrations/1_users.down.sql
migrations/2_orders.up.sql: sqlx, Runner, undone by migrations/2_orders.down.sql
migrations/9_drafts.up.sql: sqlx, Runner, undone by migrations/9_drafts.down.sql
migrations/10_note.up.sql: sqlx, Runner, undone by migrations/10_note.down.sql
migrations/11_find_drafts.up.sql: sqlx, OneMessage, undone by migrations/11_find_drafts.down.sql
migrations/12_basket.up.sql: sqlx, OneMessage, undone by migrations/12_basket.down.sql
migrations/13_placed.up.sql: sqlx, Runner, undone by migrations/13_placed.down.sql
"#);
}

#[test]
fn dbmate_orders_by_the_text_of_names_and_sends_what_it_does_not_wrap_as_one_message() {
    assert_snapshot!(words("dbmate"), @r#"
db/migrations/20240101090000_users.sql: dbmate, Runner, undone from line 7 on
db/migrations/20240102090000_orders.sql: dbmate, Runner, undone from line 9 on
db/migrations/20240103090000_note.sql: dbmate, Runner, undone from line 5 on
db/migrations/3_drafts.sql: dbmate, Runner, undone from line 8 on
db/migrations/4_find_drafts.sql: dbmate, OneMessage, undone from line 4 on
db/migrations/5_basket.sql: dbmate, OneMessage, undone from line 5 on
db/migrations/6_payments.sql: dbmate, Runner, undone from line 9 on
"#);
}

#[test]
fn refinery_wraps_each_file() {
    assert_snapshot!(words("refinery"), @r#"
migrations/V1__users.sql: refinery, Runner
migrations/V2__orders.sql: refinery, Runner
migrations/V9__drafts.sql: refinery, Runner
migrations/V10__note.sql: refinery, Runner
migrations/U11__basket.sql: refinery, Runner
migrations/V12/V12__payments.sql: refinery, Runner
"#);
}

#[test]
fn diesel_orders_by_the_digits_of_versions_and_is_told_by_a_file_in_the_folder() {
    assert_snapshot!(words("diesel"), @r#"
migrations/00000000000000_users/up.sql: diesel, Runner, undone by migrations/00000000000000_users/down.sql
migrations/20240215120000_drafts/up.sql: diesel, Runner, undone by migrations/20240215120000_drafts/down.sql
migrations/2024-03-01-090000_orders/up.sql: diesel, Runner, undone by migrations/2024-03-01-090000_orders/down.sql
migrations/2024-03-02-100000_note/up.sql: diesel, Runner, undone by migrations/2024-03-02-100000_note/down.sql
migrations/2024-03-03-100000_find_drafts/up.sql: diesel, OneMessage, undone by migrations/2024-03-03-100000_find_drafts/down.sql
migrations/2024-03-04-100000_basket/up.sql: diesel, OneMessage, undone by migrations/2024-03-04-100000_basket/down.sql
migrations/2024-03-05-100000_payments/up.sql: diesel, OneMessage, undone by migrations/2024-03-05-100000_payments/down.sql
migrations/2024-03-06-100000_placed/up.sql: diesel, Runner, undone by migrations/2024-03-06-100000_placed/down.sql
"#);
}

#[test]
fn drizzle_runs_what_its_journal_lists_in_one_transaction() {
    assert_snapshot!(words("drizzle"), @r#"
drizzle/0000_users.sql: drizzle, Runner with all others
drizzle/0001_orders.sql: drizzle, Runner with all others
drizzle/0003_drafts.sql: drizzle, Runner with all others
drizzle/0002_note.sql: drizzle, Runner with all others
drizzle/0004_basket.sql: drizzle, Runner with all others
"#);
}

#[test]
fn node_pg_migrate_orders_by_time_and_runs_all_new_files_in_one_transaction() {
    assert_snapshot!(words("node-pg-migrate"), @r#"
migrations/1704103200000_users.sql: node-pg-migrate, Runner with all others, undone from line 7 on
migrations/1704189600000_orders.sql: node-pg-migrate, Runner with all others, undone from line 9 on
migrations/20240103090000000_note.sql: node-pg-migrate, Runner with all others, undone from line 6 on
migrations/1704362400000_drafts.sql: node-pg-migrate, Runner with all others, undone from line 7 on
migrations/1704448800000_basket.sql: node-pg-migrate, Runner with all others, undone from line 1 on
migrations/1704535200000_payments.sql: node-pg-migrate, Runner with all others
"#);
}

#[test]
fn postgres_migrations_wraps_each_file_that_does_not_begin_with_its_line() {
    assert_snapshot!(words("postgres-migrations"), @r#"
migrations/1_users.sql: postgres-migrations, Runner
migrations/2_orders.sql: postgres-migrations, Runner
migrations/3_note.sql: postgres-migrations, Runner
migrations/4_payments.sql: postgres-migrations, Runner
migrations/5_drafts.sql: postgres-migrations, Runner
migrations/6_find_drafts.sql: postgres-migrations, OneMessage
migrations/7_basket.sql: postgres-migrations, OneMessage
migrations/8_placed.sql: postgres-migrations, Runner
migrations/9_unpaid.sql: postgres-migrations, Runner
migrations/10_unpaid_since.sql: postgres-migrations, Runner
"#);
}

#[test]
fn sql_migrate_wraps_each_file_that_does_not_say_notransaction() {
    assert_snapshot!(words("sql-migrate"), @r#"
migrations/1-users.sql: sql-migrate, Runner, undone from line 7 on
migrations/2-orders.sql: sql-migrate, Runner, undone from line 9 on
migrations/9-drafts.sql: sql-migrate, Runner, undone from line 7 on
migrations/10-note.sql: sql-migrate, Runner, undone from line 5 on
migrations/11-find_drafts.sql: sql-migrate, None, undone from line 4 on
migrations/12-basket.sql: sql-migrate, None, undone from line 5 on
migrations/13-paid.sql: sql-migrate, Runner, undone from line 7 on
"#);
}

#[test]
fn graphile_migrate_wraps_each_file_whose_body_does_not_begin_with_its_line() {
    assert_snapshot!(words("graphile-migrate"), @r#"
migrations/current.sql: nobody known, Assumed(true)
migrations/committed/000001-users.sql: graphile-migrate, Runner
migrations/committed/000002-orders.sql: graphile-migrate, Runner
migrations/committed/000003-note.sql: graphile-migrate, Runner
migrations/committed/000004-drafts.sql: graphile-migrate, Runner
migrations/committed/000005-find_drafts.sql: graphile-migrate, OneMessage
migrations/committed/000006-basket.sql: graphile-migrate, Runner
"#);
}

/// What `lockkeeper lint` finds in the ways back of some files.
fn undone(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        std::fs::write(folder.path().join(path), text).expect("the file is written");
    }
    let config = Config::default();
    let found = found(vec![folder.path().to_owned()], &config);
    let rules = RuleSet::embedded();
    let settings = Settings { rules: &rules, config: &config, server: Version(15) };
    let report = lint::run_for(found, &settings, lint::Suggest::Nothing);
    let downs = report.migrations.iter().filter(|migration| migration.part == lint::finding::Part::Down);
    let line = |migration: &lint::finding::Assessed| {
        let name = shown(migration.source.path(), folder.path());
        let findings = migration
            .findings
            .iter()
            .map(|one| format!("{name}:{}: {} {}: {}", migration.source.place(one.span.start).line, one.severity, one.rule, one.message));
        findings.collect::<Vec<_>>().join("\n")
    };
    downs.map(line).collect::<Vec<_>>().join("\n")
}

const SHOP: (&str, &str) = ("0001_shop.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, cents bigint, note text);\n");

#[test]
fn a_way_back_is_judged_on_what_it_undoes_and_is_never_more_than_a_warning() {
    let up = "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN cents TYPE numeric;\n";
    let down = "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN cents TYPE bigint;\n";
    assert_snapshot!(undone(&[SHOP, ("0002_cents.up.sql", up), ("0002_cents.down.sql", down)]), @"0002_cents.down.sql:2: warning narrow-column-type: undoing it: values of `cents` that do not fit into bigint are rounded or cut without a word, while every row of `orders` is rewritten");
}

#[test]
fn that_a_way_back_takes_away_what_the_way_there_has_brought_is_no_finding() {
    let up =
        "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN paid_at timestamptz;\nCREATE TABLE payments (id bigint PRIMARY KEY);\n";
    let down = "SET lock_timeout = '2s';\nDROP TABLE payments;\nALTER TABLE orders DROP COLUMN paid_at;\n";
    assert_snapshot!(undone(&[SHOP, ("0002_paid.up.sql", up), ("0002_paid.down.sql", down)]), @"");
}

#[test]
fn the_second_part_of_a_file_is_judged_in_its_own_transaction() {
    let text = "-- migrate:up transaction:false\nDROP INDEX CONCURRENTLY IF EXISTS orders_buyer_idx;\n\n-- migrate:down\nCREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);\n";
    let alone = text.replace("-- migrate:down", "-- migrate:down transaction:false");
    let first = ("0001_shop.sql", "-- migrate:up\nCREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n");
    assert_snapshot!(undone(&[first, ("0002_buyer.sql", text)]), @"0002_buyer.sql:5: warning concurrently-in-transaction: undoing it: the server refuses CONCURRENTLY here: the runner wraps this file in a transaction");
    assert_snapshot!(undone(&[first, ("0002_buyer.sql", &alone)]), @"");
}
