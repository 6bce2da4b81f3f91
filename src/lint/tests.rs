//! Whole runs over small files: SQL in, words out.

use super::example::edited;
use super::finding::{Assessed, Finding, Report, Safety};
use super::{Settings, run};
use crate::config::Config;
use crate::discover::{Discovered, History, Role, in_memory};
use crate::model::effects::Version;
use crate::model::session::Timeout;
use crate::rule::Severity;
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use insta::assert_snapshot;

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint NOT NULL, note text, amount numeric);";

fn report(files: &[(&str, &str)]) -> Report {
    report_with(&RuleSet::embedded(), files)
}

fn report_with(rules: &RuleSet, files: &[(&str, &str)]) -> Report {
    let mut config = Config::default();
    config.role.lock_timeout = Timeout::Unknown;
    let files: Vec<_> = files.iter().map(|(name, sql)| (SourceFile::new(name, *sql), Role::Subject)).collect();
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &files, &config);
    run(Discovered { histories: vec![history], ..Discovered::default() }, &Settings { rules, config: &config, server: Version::DEFAULT })
}

fn assessed(sql: &str) -> Assessed {
    report(&[("0001_orders.sql", sql)]).migrations.remove(0)
}

/// The findings of a file, a line each.
fn findings(sql: &str) -> String {
    let assessed = assessed(sql);
    let line = |finding: &Finding| {
        let line = assessed.source.place(finding.span.start).line;
        let allowed = finding.allowed.as_ref().map(|allowance| format!(" (allowed: {})", allowance.reason())).unwrap_or_default();
        format!("{line} {}{allowed}", finding.rule)
    };
    assessed.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The classes of a file and of its statements, as written and with fixes, and who waits.
fn classes(sql: &str) -> String {
    let assessed = assessed(sql);
    let statements = assessed.statements.iter().map(|statement| {
        let blocks = statement.blocks;
        let waits = format!("reads {}, writes {}", blocks.reads.word(), blocks.writes.word());
        format!("{} -> {}; {waits}", statement.class, statement.class_with_fixes)
    });
    let whole = format!("{} -> {}", assessed.class, assessed.class_with_fixes);
    std::iter::once(whole).chain(statements).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_allowance_covers_the_statement_below_it_and_no_other() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow drop-column because nobody reads it\n\n-- a word in between\nALTER TABLE orders DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    4 drop-column (allowed: nobody reads it)
    5 drop-column
    ");
}

#[test]
fn an_allowance_covers_the_statement_that_ends_on_its_line() {
    assert_snapshot!(findings(
        "ALTER TABLE orders\n    DROP COLUMN note; -- lockkeeper: allow drop-column because nobody reads it\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    2 drop-column (allowed: nobody reads it)
    3 drop-column
    ");
}

#[test]
fn an_allowance_inside_a_statement_covers_that_statement() {
    assert_snapshot!(findings(
        "ALTER TABLE orders\n    /* lockkeeper: allow drop-column because nobody reads it */\n    DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    3 drop-column (allowed: nobody reads it)
    4 drop-column
    ");
}

#[test]
fn an_allowance_for_the_file_stands_before_its_first_statement() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow-file drop-column because the shop is closed\nALTER TABLE orders DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    2 drop-column (allowed: the shop is closed)
    3 drop-column (allowed: the shop is closed)
    ");
    assert_snapshot!(findings(
        "ALTER TABLE orders DROP COLUMN note;\n-- lockkeeper: allow-file drop-column because the shop is closed\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    1 drop-column
    2 allowance
    3 drop-column
    ");
}

#[test]
fn an_allowance_needs_a_reason_and_a_rule_that_exists() {
    assert_snapshot!(findings("-- lockkeeper: allow drop-column\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: allow drop-column because \nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: allow drop-colum because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: permit drop-column because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
}

#[test]
fn an_allowance_may_name_several_rules_and_what_other_tools_call_them() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow ban-drop-column, drop-cascade because nobody reads it\nALTER TABLE orders DROP COLUMN note CASCADE;"
    ), @r"
    2 drop-cascade (allowed: nobody reads it)
    2 drop-column (allowed: nobody reads it)
    ");
}

#[test]
fn an_allowance_that_covers_nothing_is_a_finding() {
    assert_snapshot!(findings("-- lockkeeper: allow drop-column because nobody reads it\nSELECT 1;"), @"1 allowance");
    assert_snapshot!(findings("SELECT 1;\n-- lockkeeper: allow drop-column because nobody reads it"), @"2 allowance");
}

#[test]
fn an_allowance_in_a_string_or_a_body_is_none() {
    assert_snapshot!(findings(
        "SELECT '\n-- lockkeeper: allow drop-column because nobody reads it\n'; ALTER TABLE orders DROP COLUMN note;"
    ), @r"
    3 drop-column
    ");
}

#[test]
fn the_class_of_a_file_is_the_worst_of_its_statements() {
    assert_snapshot!(classes("ALTER TABLE orders ADD COLUMN state text; ALTER TABLE orders DROP COLUMN note;"), @r"
    three-phase -> three-phase
    additive -> additive; reads brief, writes brief
    three-phase -> three-phase; reads brief, writes brief
    ");
}

#[test]
fn a_fix_takes_the_class_of_its_statement_down() {
    assert_snapshot!(classes("CREATE INDEX orders_buyer_idx ON orders (buyer);"), @r"
    maintenance-window -> additive
    maintenance-window -> additive; reads no, writes long
    ");
}

#[test]
fn an_allowed_finding_keeps_its_class() {
    assert_snapshot!(classes("-- lockkeeper: allow drop-column because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    three-phase -> three-phase
    three-phase -> three-phase; reads brief, writes brief
    ");
}

#[test]
fn nobody_waits_for_a_table_that_the_file_has_made() {
    assert_snapshot!(classes("CREATE TABLE drafts (id bigint PRIMARY KEY, note text); CREATE INDEX drafts_note_idx ON drafts (note);"), @r"
    additive -> additive
    additive -> additive; reads no, writes no
    additive -> additive; reads no, writes no
    ");
}

#[test]
fn what_a_transaction_holds_is_held_while_a_later_statement_takes_its_time() {
    assert_snapshot!(classes(
        "BEGIN;\nALTER TABLE users ADD COLUMN name text;\nUPDATE orders SET note = '';\nCOMMIT;"
    ), @r"
    maintenance-window -> three-phase
    additive -> additive; reads no, writes no
    additive -> additive; reads brief, writes brief
    maintenance-window -> three-phase; reads long, writes long
    additive -> additive; reads no, writes no
    ");
}

#[test]
fn nothing_is_known_of_what_cannot_be_read() {
    assert_snapshot!(classes("DO $$ BEGIN EXECUTE 'x'; END $$; FROBNICATE orders;"), @r"
    maintenance-window -> maintenance-window
    maintenance-window -> maintenance-window; reads unknown, writes unknown
    maintenance-window -> maintenance-window; reads unknown, writes unknown
    ");
}

#[test]
fn a_fingerprint_stays_when_other_lines_change() {
    let fingerprints = |sql: &str| assessed(sql).findings.iter().map(|finding| finding.fingerprint.clone()).collect::<Vec<_>>();
    let one = fingerprints("ALTER TABLE orders DROP COLUMN note;");
    let moved = fingerprints("-- a new line\nSELECT 1;\n\nALTER TABLE   orders DROP COLUMN\n  note;");
    let twice = fingerprints("ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders DROP COLUMN note;");
    assert_eq!((one.len(), one[0].len()), (1, 16));
    assert_eq!(one, moved);
    assert_eq!((&twice[0], twice.len()), (&one[0], 2));
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn a_table_of_an_earlier_file_is_in_use() {
    let report = report(&[
        ("0001_drafts.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY, note text);"),
        ("0002_note.sql", "ALTER TABLE drafts DROP COLUMN note;"),
    ]);
    let rules = |at: usize| report.migrations[at].findings.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>();
    assert_eq!(rules(0), Vec::<&str>::new());
    assert_eq!(rules(1), ["drop-column"]);
}

#[test]
fn a_broken_statement_leaves_the_others_judged() {
    assert_snapshot!(findings("ALTER TABLE orders DROP COLUMN note;\nALTER TABEL orders DROP COLUMN amount;\nALTER TABLE orders DROP COLUMN buyer;"), @r"
    1 drop-column
    2 unreadable-statement
    3 drop-column
    ");
}

/// A rule of the project's own that speaks on every DROP COLUMN or CREATE INDEX and has this edit as its fix.
fn own_rule(id: &str, edit: &str) -> std::sync::Arc<SourceFile> {
    let text = format!(
        "title: Ours\nseverity: warning\nclass: additive\nmatch:\n  op: [drop_column, create_index]\nmessage: ours\nwhy: ours\n\
         fix:\n  class: additive\n  edit: {edit}\nexamples:\n  bad:\n    - sql: SELECT 1;\n"
    );
    SourceFile::new(format!("lockkeeper/{id}.yaml"), text)
}

/// The file with the edit of a fix applied, and whether it may be applied unseen.
fn fixed(edit: &str, sql: &str) -> String {
    let mut rules = RuleSet::embedded();
    rules.add(own_rule("ours", edit)).expect("the rule is one");
    let report = report_with(&rules, &[("0001_orders.sql", sql)]);
    let own = report.migrations[0].findings.iter().find(|finding| finding.rule == "ours").expect("the rule speaks");
    let suggestion = own.suggestion.as_ref().expect("the rule has a fix");
    let safety = if suggestion.safety == Safety::Safe { "safe" } else { "review" };
    format!("{safety}: {}: {}", suggestion.title, edited(sql, &suggestion.edits))
}

#[test]
fn an_edit_changes_the_tokens_of_its_operation_and_nothing_else() {
    let sql = "ALTER TABLE orders ADD COLUMN state text, DROP /* COLUMN */ COLUMN note  CASCADE, ADD COLUMN place text;";
    assert_snapshot!(fixed("{ after: COLUMN, insert: IF EXISTS }", sql), @"safe: write IF EXISTS after COLUMN: ALTER TABLE orders ADD COLUMN state text, DROP /* COLUMN */ COLUMN IF EXISTS note  CASCADE, ADD COLUMN place text;");
    assert_snapshot!(fixed("{ before: DROP COLUMN, insert: \"/* ours */\" }", sql), @"safe: write /* ours */ before DROP COLUMN: ALTER TABLE orders ADD COLUMN state text, /* ours */ DROP /* COLUMN */ COLUMN note  CASCADE, ADD COLUMN place text;");
    assert_snapshot!(fixed("{ replace: CASCADE, with: RESTRICT }", sql), @"safe: write RESTRICT instead of CASCADE: ALTER TABLE orders ADD COLUMN state text, DROP /* COLUMN */ COLUMN note  RESTRICT, ADD COLUMN place text;");
    assert_snapshot!(fixed("{ remove: CASCADE }", sql), @"safe: leave out CASCADE: ALTER TABLE orders ADD COLUMN state text, DROP /* COLUMN */ COLUMN note, ADD COLUMN place text;");
    assert_snapshot!(fixed("{ append: \"/* ours */\" }", sql), @"safe: add /* ours */: ALTER TABLE orders ADD COLUMN state text, DROP /* COLUMN */ COLUMN note  CASCADE /* ours */, ADD COLUMN place text;");
    assert_snapshot!(fixed("{ rewrite: \"SET (note = {table})\" }", sql), @"safe: write SET (note = orders): ALTER TABLE orders ADD COLUMN state text, SET (note = orders), ADD COLUMN place text;");
}

#[test]
fn an_edit_whose_words_are_not_there_is_left_to_the_reader() {
    assert_snapshot!(fixed("{ remove: CASCADE }", "ALTER TABLE orders DROP COLUMN note;"), @"review: leave out CASCADE: ALTER TABLE orders DROP COLUMN note;");
    assert_snapshot!(fixed("{ after: INDEX, insert: CONCURRENTLY }", "CREATE UNIQUE INDEX ON orders (\"INDEX\") WHERE note = 'INDEX x';"), @r#"safe: write CONCURRENTLY after INDEX: CREATE UNIQUE INDEX CONCURRENTLY ON orders ("INDEX") WHERE note = 'INDEX x';"#);
}

#[test]
fn a_rule_of_the_projects_own_needs_a_name_of_its_own() {
    let mut rules = RuleSet::embedded();
    let problem = rules.add(own_rule("drop-column", "{ remove: CASCADE }")).expect_err("the name is taken");
    assert_snapshot!(problem, @"there is a rule called `drop-column` already");
}

#[test]
fn the_config_decides_what_a_rule_weighs() {
    let drop = [("0001_orders.sql", "ALTER TABLE orders DROP COLUMN note;")];
    let words = |rules: &RuleSet| {
        let report = report_with(rules, &drop);
        report.migrations[0].findings.iter().map(|finding| format!("{} {}", finding.severity, finding.rule)).collect::<Vec<_>>().join(", ")
    };
    let mut rules = RuleSet::embedded();
    assert_snapshot!(words(&rules), @"error drop-column");
    assert!(rules.switch("ban-drop-column", Some(Severity::Advice)));
    assert_snapshot!(words(&rules), @"advice drop-column");
    assert!(rules.switch("drop-column", None));
    assert_snapshot!(words(&rules), @"");
    assert!(!rules.switch("drop-colum", None));
}

#[test]
fn a_rule_that_is_off_by_default_speaks_when_the_config_says_so() {
    let mut rules = RuleSet::embedded();
    let text = "title: Ours\nseverity: advice\nclass: additive\ndefault: off\nmatch:\n  op: drop_column\nmessage: ours\nwhy: ours\n";
    rules.add(SourceFile::new("lockkeeper/ours.yaml", text)).expect("the rule is one");
    let drop = [("0001_orders.sql", "ALTER TABLE orders DROP COLUMN note;")];
    let speaks = |rules: &RuleSet| report_with(rules, &drop).migrations[0].findings.iter().any(|finding| finding.rule == "ours");
    assert!(!speaks(&rules));
    rules.switch("ours", Some(Severity::Warning));
    assert!(speaks(&rules));
}

#[test]
fn a_fact_that_nobody_knows_silences_no_error_but_every_advice() {
    let words = |severity: &str| {
        let text = format!(
            "title: Ours\nseverity: {severity}\nclass: additive\nmatch:\n  op: change_column_type\n  where: {{ rewrites: true }}\n\
             message: ours\nwhy: ours\n"
        );
        let mut rules = RuleSet::embedded();
        rules.add(SourceFile::new("lockkeeper/ours.yaml", text)).expect("the rule is one");
        let report = report_with(&rules, &[("0001_invoices.sql", "ALTER TABLE invoices ALTER COLUMN id TYPE bigint;")]);
        let own = report.migrations[0].findings.iter().find(|finding| finding.rule == "ours");
        own.map_or("silent".to_owned(), |finding| format!("speaks, assumed: {}", finding.assumed.join(", ")))
    };
    assert_snapshot!(words("error"), @"speaks, assumed: rewrites");
    assert_snapshot!(words("warning"), @"speaks, assumed: rewrites");
    assert_snapshot!(words("advice"), @"silent");
}

#[test]
fn a_broken_rule_is_a_problem_of_the_run() {
    let mut rules = RuleSet::embedded();
    let problem = rules.add(SourceFile::new("lockkeeper/ours.yaml", "title: Ours\nseverity: eror\n")).expect_err("it is no rule");
    assert_snapshot!(problem, @"severity: there is no `eror` here, did you mean `error`?");
}

#[test]
fn statements_that_goose_sends_together_are_one_transaction() {
    let file = |first: &str| {
        format!(
            "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\n{first}\n\
             CREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n-- +goose StatementEnd\n\
             -- +goose StatementBegin\nDROP INDEX CONCURRENTLY orders_note_idx;\n-- +goose StatementEnd\n"
        )
    };
    assert_snapshot!(findings(&file("SET statement_timeout = 0;")), @"5 concurrently-in-transaction");
    assert_snapshot!(findings(&file("")), @"");
}

#[test]
fn what_goose_has_sent_before_stays_when_a_later_piece_fails() {
    assert_snapshot!(findings(
        "-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE drafts (id bigint PRIMARY KEY);\nSELECT 1;\n\
         -- +goose StatementEnd\n-- +goose StatementBegin\nCREATE TABLE letters (id bigint PRIMARY KEY);\nSELECT 2;\n\
         -- +goose StatementEnd\n"
    ), @"4 statement-cannot-run-again");
}

#[test]
fn who_drops_an_index_holds_its_table() {
    let assessed = assessed(
        "CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);\nBEGIN;\nDROP INDEX orders_buyer_idx;\n\
         CREATE INDEX users_id_idx ON users (id);\nCOMMIT;",
    );
    let held = assessed.findings.iter().find(|finding| finding.rule == "statement-while-holding-access-exclusive");
    assert_snapshot!(
        held.map_or("", |finding| &finding.message),
        @"nobody can read or write `orders` while this runs: the transaction has held ACCESS EXCLUSIVE on it since line 3"
    );
}

#[test]
fn who_waits_for_a_foreign_key_that_an_earlier_statement_added_is_named() {
    let assessed = assessed(
        "BEGIN;\nCREATE TABLE drafts (id bigint PRIMARY KEY, writer bigint REFERENCES users);\n\
         CREATE TABLE copies AS SELECT d.id FROM drafts d JOIN orders o ON o.id = d.id;\nCOMMIT;",
    );
    let blocks = assessed.findings.iter().find(|finding| finding.rule == "statement-blocks-for-long");
    assert_snapshot!(blocks.map_or("", |finding| &finding.message), @"all of `orders` is read, and writes to `users` wait meanwhile");
}

#[test]
fn a_lock_that_is_held_is_not_the_one_that_is_waited_for() {
    let assessed = assessed(
        "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN state text;\nSET LOCAL lock_timeout = 0;\n\
         ALTER TABLE drafts ENABLE TRIGGER ALL;\nCREATE INDEX users_id_idx ON users (id);\nCOMMIT;",
    );
    let waits = assessed.findings.iter().find(|finding| finding.rule == "lock-without-timeout");
    assert_snapshot!(
        waits.map_or("", |finding| &finding.message),
        @"this waits for SHARE ROW EXCLUSIVE on `drafts` as long as it takes, and every later write to it waits behind"
    );
}

#[test]
fn of_a_rule_that_speaks_once_the_gravest_finding_stands() {
    let assessed =
        assessed("CREATE TABLE letters (id bigint NOT NULL UNIQUE);\nCREATE TABLE lines (id bigint);\nCREATE TABLE words (id bigint);");
    let keyless = assessed.findings.iter().filter(|finding| finding.rule == "create-table-without-primary-key");
    assert_snapshot!(keyless.map(|finding| &*finding.message).collect::<Vec<_>>().join("\n"),
        @"`lines` has no primary key: a replica cannot tell its rows apart, nor can a backfill go through them in batches");
}

#[test]
fn what_comes_back_in_the_same_transaction_or_was_made_here_breaks_nobody() {
    assert_snapshot!(classes(
        "BEGIN; CREATE TYPE size AS ENUM ('s'); ALTER TYPE size RENAME TO sizes; COMMIT;
         CREATE VIEW ids AS SELECT id FROM orders; BEGIN; DROP VIEW ids; CREATE VIEW ids AS SELECT id, note FROM orders; COMMIT;
         BEGIN; DROP FUNCTION vat(numeric); CREATE FUNCTION vat(numeric, int) RETURNS numeric LANGUAGE sql AS 'SELECT $1'; COMMIT;"
    ).lines().next().unwrap_or_default(), @"additive -> additive");
    assert_snapshot!(classes("DROP FUNCTION vat(numeric); COMMIT; CREATE FUNCTION vat(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT $1';")
        .lines().next().unwrap_or_default(), @"three-phase -> additive");
}

#[test]
fn cascade_says_nothing_where_the_whole_history_shows_that_nothing_hangs_on_the_table() {
    let said = |sql: &str| {
        let files = [("0001_drafts.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);"), ("0002_no_drafts.sql", sql)];
        let files: Vec<_> = files.iter().map(|(name, sql)| (SourceFile::new(name, *sql), Role::Subject)).collect();
        let config = Config::default();
        let histories = vec![History { whole: true, ..in_memory(None, &files, &config) }];
        let settings = Settings { rules: &RuleSet::embedded(), config: &config, server: Version::DEFAULT };
        let report = run(Discovered { histories, ..Discovered::default() }, &settings);
        report.migrations.iter().flat_map(|file| &file.findings).any(|finding| finding.rule == "drop-cascade")
    };
    assert!(!said("DROP TABLE drafts CASCADE;"));
    assert!(said("CREATE VIEW ids AS SELECT id FROM drafts; DROP TABLE drafts CASCADE;"));
    assert!(said("DO $$ BEGIN EXECUTE 'CREATE VIEW ids AS SELECT id FROM drafts'; END $$; DROP TABLE drafts CASCADE;"));
}

/// What is found in the last of several files: line, rule, message.
fn messages(files: &[(&str, &str)]) -> String {
    let assessed = report(files).migrations.pop().expect("it was judged");
    let line = |finding: &Finding| {
        let place = assessed.source.place(finding.span.start);
        format!("{}:{} {} {}", place.line, place.column, finding.rule, finding.message)
    };
    assessed.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_finding_in_a_block_stands_at_its_statement_and_counts_for_the_block() {
    let sql = "SELECT 1;\nDO $$ BEGIN\n  IF true THEN\n    ALTER TABLE orders DROP COLUMN note;\n  END IF;\nEND $$;";
    let assessed = assessed(sql);
    let finding = &assessed.findings[0];
    assert_eq!((finding.rule.as_str(), finding.statement), ("drop-column", Some(1)));
    assert_eq!(assessed.source.text(finding.span), "DROP COLUMN note");
    assert_eq!(assessed.statements.len(), 2);
    assert_eq!(assessed.statements[1].class, finding.class);
    assert!(assessed.statements[1].body[0].conditional);
    assert!(finding.suggestion.iter().all(|suggestion| suggestion.edits.is_empty()));
}

#[test]
fn a_call_is_judged_by_the_body_that_an_earlier_file_has_made() {
    let make = "CREATE FUNCTION tidy(wanted text) RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE orders DROP COLUMN note; PERFORM more(); END';
        CREATE FUNCTION more() RETURNS void LANGUAGE sql AS $$ DROP TABLE users $$;";
    assert_snapshot!(messages(&[("0001_make.sql", make), ("0002_call.sql", "SELECT 1;\nSELECT tidy('x');")]), @"
    2:1 drop-column `orders.note` goes away while deployed code may still read or write it, and its data with it (`tidy` does it)
    2:1 drop-table `users` goes away while deployed code may still use it, and all its rows with it (`more` does it)
    ");
    assert_eq!(messages(&[("0001_make.sql", make)]), "");
    assert_snapshot!(messages(&[("0001_make.sql", make), ("0002_again.sql", "CREATE OR REPLACE FUNCTION more() RETURNS void LANGUAGE sql AS $$ SELECT $$; SELECT more()")]), @"");
    assert_snapshot!(messages(&[("0001_make.sql", make), ("0002_gone.sql", "DROP FUNCTION more()"), ("0003_call.sql", "SELECT tidy('x')")]), @"
    1:1 drop-column `orders.note` goes away while deployed code may still read or write it, and its data with it (`tidy` does it)
    1:1 dynamic-sql what this does cannot be judged: no migration before it makes `more` (`tidy` does it)
    ");
}

#[test]
fn functions_that_call_each_other_are_read_once() {
    let sql =
        "CREATE FUNCTION ping() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pong(); ALTER TABLE orders DROP COLUMN note; END $$;
        CREATE FUNCTION pong() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM ping(); END $$;
        SELECT ping();";
    assert_snapshot!(findings(sql), @"3 drop-column");
}

#[test]
fn calls_are_followed_to_a_bound() {
    let functions: Vec<_> = (0..40)
        .map(|n| format!("CREATE FUNCTION f{n}() RETURNS void LANGUAGE sql AS 'SELECT f{m}(), f{m}()';", m = n + 1))
        .chain(["CREATE FUNCTION f40() RETURNS void LANGUAGE sql AS 'SELECT 1';".to_owned()])
        .collect();
    assert_snapshot!(findings(&format!("{}\nSELECT f0();", functions.concat())), @"2 dynamic-sql");
}

#[test]
fn a_comment_in_a_block_may_allow_what_it_does() {
    assert_snapshot!(findings("DO $$ BEGIN\n  -- lockkeeper: allow drop-column because nobody reads it\n  ALTER TABLE orders DROP COLUMN note;\nEND $$;"), @"3 drop-column (allowed: nobody reads it)");
}

#[test]
fn locks_that_a_block_has_taken_are_held_behind_it_if_its_transaction_goes_on() {
    let block = "DO $$ BEGIN ALTER TABLE orders ADD COLUMN state text; END $$;";
    assert_snapshot!(findings(&format!("BEGIN;\n{block}\nUPDATE orders SET state = 'x' WHERE note IS NULL;\nCOMMIT;")), @"3 update-in-ddl-transaction");
    assert_snapshot!(findings(&format!("-- lockkeeper: transaction none\n{block}\nUPDATE orders SET state = 'x' WHERE id = 1;")), @"2 statement-cannot-run-again");
}
