//! The command line as its users meet it: exit codes, formats, and the answers to bad input.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A directory of its own, and the program run in it.
struct Shop(TempDir);

/// What a run gave.
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shop {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory for the test"))
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let shop = Self::new();
        for (path, text) in files {
            shop.write(path, text);
        }
        shop
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the directory is made");
        fs::write(path, bytes).expect("the file is written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        command.args(arguments).current_dir(self.0.path()).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        answer(&self.command(arguments).output().expect("the program runs"))
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Answer {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
        answer(&child.wait_with_output().expect("it ends"))
    }

    /// The lines of the short format: `path:line:column: severity[rule]`, without the messages.
    fn short(&self, arguments: &[&str]) -> Vec<String> {
        let answer = self.run(&[&["lint", "--format", "short"], arguments].concat());
        let until_rule = |line: &str| line.split_inclusive(']').next().unwrap_or_default().to_owned();
        answer.out.lines().map(until_rule).collect()
    }
}

fn answer(output: &Output) -> Answer {
    Answer {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n";
const PLAIN_INDEX: &str = "SET lock_timeout = '2s';\nCREATE INDEX orders_buyer_idx ON orders (buyer);\n";

// Exit codes and usage.

#[test]
fn a_harmless_migration_ends_with_0_and_a_harmful_one_with_1() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    assert_eq!(shop.run(&["lint", "m/0001_orders.sql"]).code, Some(0));
    assert_eq!(shop.run(&["lint", "m/0002_index.sql"]).code, Some(1));
}

#[test]
fn fail_on_says_from_where_on_a_run_fails() {
    let shop = Shop::with(&[
        ("m/0001_orders.sql", ORDERS),
        ("m/0002_drop.sql", "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN buyer;\n"),
    ]);
    let code = |threshold| shop.run(&["lint", "m", "--fail-on", threshold]).code;
    assert_eq!((code("error"), code("three-phase"), code("maintenance-window"), code("never")), (Some(1), Some(1), Some(0), Some(0)));
}

#[test]
fn the_threshold_of_the_config_counts_unless_the_command_line_says_another() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX), ("lockkeeper.yaml", "fail_on: never\n")]);
    assert_eq!(shop.run(&["lint", "m"]).code, Some(0));
    assert_eq!(shop.run(&["lint", "m", "--fail-on", "error"]).code, Some(1));
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let shop = Shop::new();
    for wrong in [&["lint", "--frmat", "json"][..], &["lint", "--postgres", "9"], &["lint", "--format", "paper"], &["lnit"], &[]] {
        assert_eq!(shop.run(wrong).code, Some(2), "{wrong:?}");
    }
    let help = shop.run(&["lint", "--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Examples:") && help.out.contains("lockkeeper: allow"), "{}", help.out);
    assert!(shop.run(&["lint", "--postgres", "9"]).err.contains("12 to 19"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many: String = (0..3000).map(|at| format!("CREATE INDEX orders_{at} ON orders (buyer);\n")).collect();
    let shop = Shop::with(&[("0001_index.sql", &many)]);
    let mut child =
        shop.command(&["lint", "--format", "json", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let answer = answer(&child.wait_with_output().expect("it ends"));
    assert_eq!((answer.code, answer.err.as_str()), (Some(1), ""));
}

// Which files, and on which schema.

#[test]
fn a_file_named_alone_is_judged_on_what_the_files_before_it_made() {
    let later = "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN note TYPE text;\n";
    let shop = Shop::with(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint, note varchar(20));\n"), ("m/0002_note.sql", later)]);
    assert_eq!(shop.short(&["m/0002_note.sql"]), Vec::<String>::new());
    assert_eq!(shop.short(&["--no-history", "m/0002_note.sql"]), ["m/0002_note.sql:2:20: error[change-column-type]"]);
    shop.write("dump.sql", "CREATE TABLE public.orders (id bigint, note character varying(20));\n");
    assert_eq!(shop.short(&["--no-history", "--schema", "dump.sql", "m/0002_note.sql"]), Vec::<String>::new());
}

#[test]
fn standard_input_takes_the_place_of_the_file_that_it_stands_for() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", "SELECT 1;\n")]);
    let answer = shop.run_with_input(&["lint", "-", "--stdin-path", "m/0002_index.sql", "--format", "short"], PLAIN_INDEX);
    assert!(answer.out.starts_with("m/0002_index.sql:2:1: error[create-index-without-concurrently]"), "{}", answer.out);
    let answer = shop.run_with_input(&["lint", "-", "--format", "short"], "DROP TABLE orders;\n");
    assert!(answer.out.contains("<stdin>:1:"), "{}{}", answer.out, answer.err);
}

#[test]
fn without_a_path_the_directories_of_the_nearest_config_are_judged() {
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "migrations: [db/one, db/two]\nexclude: [\"**/0001_*\"]\n"),
        ("db/one/0001_orders.sql", ORDERS),
        ("db/one/0002_index.sql", PLAIN_INDEX),
        ("db/two/0002_index.sql", "SELECT 1;\n"),
        ("elsewhere/0001_drop.sql", "DROP TABLE orders;\n"),
    ]);
    let report = shop.run(&["lint", "--format", "json"]).json();
    let paths: Vec<_> = report["migrations"].as_array().into_iter().flatten().map(|migration| migration["path"].clone()).collect();
    assert_eq!(paths, ["db/one/0002_index.sql", "db/two/0002_index.sql"]);
}

#[test]
fn what_the_config_says_for_nothing_is_noted() {
    let config = "migrations: m\nexclude: [\"m/old/*\"]\nrules: { drop-column: error, drop-table: warning }\n";
    let shop = Shop::with(&[("lockkeeper.yaml", config), ("m/0001_orders.sql", ORDERS)]);
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0));
    let notes: Vec<_> = answer.err.lines().collect();
    assert_eq!(
        notes,
        [
            "note: nothing matches `m/old/*` under `exclude:`",
            "note: `drop-column` weighs that much anyway: the line under `rules:` changes nothing"
        ]
    );
}

#[test]
fn two_directories_are_two_histories() {
    let shop = Shop::with(&[
        ("a/0001_orders.sql", ORDERS),
        ("b/0001_index.sql", "CREATE TABLE orders (id bigint);\nCREATE INDEX ON orders (id);\n"),
    ]);
    assert_eq!(shop.run(&["lint", "a", "b"]).code, Some(0), "the second directory makes a table of its own");
}

#[test]
fn files_that_undo_a_migration_are_counted_not_judged() {
    let shop = Shop::with(&[("m/0001_orders.up.sql", ORDERS), ("m/0001_orders.down.sql", "DROP TABLE orders;\n")]);
    let answer = shop.run(&["lint", "m"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.out.contains("files passed over: 1 that undo a migration"), "{}", answer.out);
}

// Bad input: whatever it is, the rest is judged.

#[test]
fn a_syntax_error_in_statement_3_of_9_hides_none_of_the_others() {
    let good = |at: usize| format!("CREATE INDEX orders_{at} ON orders (buyer);\n");
    let text: String = (1..=9).map(|at| if at == 3 { "CREATE TABEL drafts (id bigint);\n".to_owned() } else { good(at) }).collect();
    let shop = Shop::with(&[("0001_orders.sql", &format!("-- lockkeeper: transaction none\nSET lock_timeout = '2s';\n{text}"))]);
    let lines = shop.short(&["0001_orders.sql"]);
    assert_eq!(lines.iter().filter(|line| line.ends_with("error[unreadable-statement]")).count(), 1, "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("0001_orders.sql:5:") && line.ends_with("error[unreadable-statement]")), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.ends_with("[create-index-without-concurrently]")).count(), 8, "{lines:#?}");
    assert_eq!(shop.run(&["lint", "0001_orders.sql"]).code, Some(1));
}

#[test]
fn psql_commands_and_copy_data_are_reported_and_the_rest_is_judged() {
    let text = "\\set ON_ERROR_STOP on\nCOPY users (id, name) FROM stdin;\n1\tDROP TABLE orders;\n\\.\nDROP TABLE orders;\n";
    let shop = Shop::with(&[("0001_load.sql", text)]);
    let lines = shop.short(&["0001_load.sql"]);
    let has = |start: &str, rule: &str| lines.iter().any(|line| line.starts_with(start) && line.ends_with(rule));
    assert!(has("0001_load.sql:1:1:", "[psql-command]"), "{lines:#?}");
    assert!(has("0001_load.sql:2:1:", "[copy-data]"), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.ends_with("[drop-table]")).count(), 1, "{lines:#?}");
    shop.write("lockkeeper.yaml", "psql: refused\n");
    assert!(shop.short(&["0001_load.sql"]).contains(&"0001_load.sql:1:1: error[psql-command]".to_owned()));
    shop.write("lockkeeper.yaml", "psql: allowed\n");
    let lines = shop.short(&["0001_load.sql"]);
    assert!(!lines.iter().any(|line| line.ends_with("[psql-command]") || line.ends_with("[copy-data]")), "{lines:#?}");
}

#[test]
fn bytes_that_are_no_text_are_findings_and_the_rest_is_judged() {
    for (name, bytes, column) in [("nul", &b"SELECT 1;\nSELECT \0 2;\n"[..], "2:8"), ("latin", b"SELECT 1;\nSELECT 'caf\xE9';\n", "2:12")] {
        let shop = Shop::new();
        shop.write("0001_x.sql", [bytes, b"DROP TABLE orders;\n"].concat());
        for format in ["human", "short", "json"] {
            let answer = shop.run(&["lint", "0001_x.sql", "--format", format]);
            assert_eq!(answer.code, Some(1), "{name} {format}: {}", answer.err);
            assert!(answer.out.contains("drop-table"), "{name} {format}: {}", answer.out);
        }
        let lines = shop.short(&["0001_x.sql"]);
        assert!(
            lines.iter().any(|line| line.starts_with(&format!("0001_x.sql:{column}: ")) && line.ends_with("[file-encoding]")),
            "{name}: {lines:#?}"
        );
    }
    let shop = Shop::with(&[("0001_x.sql", "\u{FEFF}DROP TABLE orders;\n")]);
    let lines = shop.short(&["0001_x.sql"]);
    assert!(
        lines.iter().any(|line| line.ends_with("[drop-table]")) && lines.iter().any(|line| line.ends_with("[file-encoding]")),
        "{lines:#?}"
    );
}

#[test]
fn paths_that_cannot_be_judged_are_named_and_the_others_are_judged() {
    let shop = Shop::with(&[("m/0001_drop.sql", "DROP TABLE orders;\n"), ("docs/readme.md", "# Orders\n")]);
    let answer = shop.run(&["lint", "m", "nowhere", "docs", "--format", "json"]);
    assert_eq!(answer.code, Some(2));
    let report = answer.json();
    assert_eq!(report["summary"]["errors"], 1);
    let named: Vec<_> = report["problems"].as_array().into_iter().flatten().map(|problem| problem["path"].clone()).collect();
    assert_eq!(named, ["nowhere", "docs"]);
    let human = shop.run(&["lint", "m", "nowhere", "docs"]);
    assert!(human.out.contains("looked for a file, or a directory with files that end in .sql"), "{}", human.out);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_and_a_link_in_a_circle_are_problems() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let shop = Shop::with(&[("m/0001_drop.sql", "DROP TABLE orders;\n"), ("m/0002_secret.sql", ORDERS)]);
    symlink("0003_circle.sql", shop.0.path().join("m/0003_circle.sql")).expect("a link to itself");
    let secret = shop.0.path().join("m/0002_secret.sql");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("permissions are taken");
    let may_read_everything = fs::read(&secret).is_ok();
    let report = shop.run(&["lint", "m", "--format", "json"]);
    assert_eq!(report.code, Some(2));
    let report = report.json();
    let problems = report["problems"].to_string();
    assert!(problems.contains("0003_circle.sql"), "{problems}");
    // The superuser reads it all the same.
    assert!(may_read_everything || problems.contains("no permission to read it"), "{problems}");
    assert_eq!(report["migrations"][0]["path"], "m/0001_drop.sql");
}

#[test]
fn what_the_config_does_not_know_is_shown_at_its_place() {
    for (config, place, guess) in [
        ("migratons: m\n", "lockkeeper.yaml:1:1", "did you mean `migrations`?"),
        ("rules:\n  drop-colum: off\n", "lockkeeper.yaml:2:3", "did you mean `drop-column`?"),
        ("rules:\n  drop-column: of\n", "lockkeeper.yaml:2:16", "did you mean `off`?"),
        ("transaction: runer\n", "lockkeeper.yaml:1:14", "did you mean `runner`?"),
        ("postgres: 11\n", "lockkeeper.yaml:1:11", "12 to 19"),
    ] {
        let shop = Shop::with(&[("lockkeeper.yaml", config), ("m/0001_drop.sql", "DROP TABLE orders;\n")]);
        let answer = shop.run(&["lint", "m"]);
        assert_eq!(answer.code, Some(2), "{config}");
        assert!(answer.out.contains(place) && answer.out.contains(guess), "{config}: {}", answer.out);
        assert!(answer.out.contains("drop-table"), "the rest is judged: {}", answer.out);
    }
}

#[test]
fn what_a_rule_file_does_not_know_is_shown_at_its_place() {
    let rule = "title: Views\nseverity: warning\nclass: three-phase\nmatch:\n  op: drop_veiw\nmessage: gone\nwhy: gone\n";
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "rule_folders: [own]\n"),
        ("own/drop-view-of-ours.yaml", rule),
        ("m/0001_drop.sql", "DROP TABLE orders;\n"),
    ]);
    let answer = shop.run(&["lint", "m"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.out.contains("own/drop-view-of-ours.yaml:5:7") && answer.out.contains("did you mean `drop_view`?"), "{}", answer.out);
    assert!(answer.out.contains("drop-table"), "the rest is judged: {}", answer.out);
}

#[test]
fn an_allowance_for_a_rule_that_nobody_knows_is_a_finding() {
    let shop = Shop::with(&[("0001_drop.sql", "-- lockkeeper: allow drop-tabel because it is empty\nDROP TABLE orders;\n")]);
    let answer = shop.run(&["lint", "--format", "short", "0001_drop.sql"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.out.lines().any(|line| line.contains("[allowance]") && line.contains("`drop-table`")), "{}", answer.out);
    assert!(answer.out.contains("error[drop-table]"), "{}", answer.out);
}

#[test]
fn a_transaction_mode_that_nobody_knows_is_a_problem_and_the_file_is_judged() {
    let shop = Shop::with(&[("0001_drop.sql", "-- lockkeeper: transaction nonne\nDROP TABLE orders;\n")]);
    let answer = shop.run(&["lint", "0001_drop.sql"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.out.contains("did you mean `none`?") && answer.out.contains("error[drop-table]"), "{}", answer.out);
}

#[test]
fn inputs_of_great_depth_and_width_are_judged_in_time() {
    let terms = format!("UPDATE orders SET buyer = {} WHERE id = 1;\n", vec!["buyer"; 130_000].join(" + "));
    let parens = format!("SELECT {}1{};\n", "(".repeat(10_000), ")".repeat(10_000));
    let columns: Vec<_> = (0..10_000).map(|at| format!("c{at} bigint")).collect();
    let columns = format!("CREATE TABLE wide ({});\n", columns.join(", "));
    for (name, text) in [("terms", terms), ("parens", parens), ("columns", columns)] {
        let shop = Shop::with(&[("0001_x.sql", &format!("{text}DROP TABLE payments;\n"))]);
        let start = Instant::now();
        for format in ["human", "json"] {
            let answer = shop.run(&["lint", "0001_x.sql", "--format", format]);
            assert_eq!(answer.code, Some(1), "{name}: {}", answer.err);
            assert!(answer.out.contains("drop-table"), "{name}");
            assert!(answer.out.len() < 8_000_000, "{name}: the report is as long as {}", answer.out.len());
        }
        // Ten times what it may take: tests are built without optimisation and run beside each other.
        assert!(start.elapsed() < Duration::from_secs(20), "{name} took {:?}", start.elapsed());
    }
}

// Formats.

#[test]
fn the_json_report_follows_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../docs/report.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let shop = Shop::with(&[("lockkeeper.yaml", "rules: { drop-colum: off }\n")]);
    let root = root.to_str().expect("a path of letters");
    for paths in [&[root][..], &["nowhere"], &["--config", "lockkeeper.yaml", root]] {
        let answer = shop.run(&[&["lint", "--format", "json"], paths].concat());
        let report = answer.json();
        let errors: Vec<_> = validator.iter_errors(&report).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{paths:?}: {errors:#?}");
    }
}

#[test]
fn the_keys_of_the_json_report_stand_in_the_order_of_the_contract() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let out = shop.run(&["lint", "m/0002_index.sql", "nowhere", "--format", "json"]).out;
    let mut rest = out.as_str();
    for key in [
        "schema",
        "tool",
        "name",
        "version",
        "postgres",
        "class",
        "summary",
        "migrations",
        "statements",
        "unreadable",
        "errors",
        "warnings",
        "advice",
        "allowed",
        "migrations",
        "path",
        "version",
        "transaction",
        "class",
        "class_with_fixes",
        "statements",
        "span",
        "start",
        "end",
        "line",
        "column",
        "end_line",
        "end_column",
        "reading",
        "operations",
        "effects",
        "locks",
        "blocks",
        "reads",
        "writes",
        "rewrites",
        "scans",
        "builds",
        "transaction",
        "class",
        "class_with_fixes",
        "findings",
        "rule",
        "severity",
        "class",
        "statement",
        "span",
        "message",
        "why",
        "assumed",
        "allowed",
        "fingerprint",
        "suggestion",
        "class",
        "safety",
        "title",
        "edits",
        "start",
        "end",
        "text",
        "files",
        "problems",
        "path",
        "message",
        "span",
    ] {
        let quoted = format!("\"{key}\":");
        let at = rest.find(&quoted).unwrap_or_else(|| panic!("no {quoted} in {rest}"));
        rest = &rest[at + quoted.len()..];
    }
}

#[test]
fn places_in_the_json_report_count_characters_from_1_and_bytes_from_0() {
    let shop = Shop::with(&[("0001_x.sql", "SELECT 1; /* ä */ DROP TABLE orders;\n")]);
    let report = shop.run(&["lint", "0001_x.sql", "--format", "json"]).json();
    let span = &report["migrations"][0]["statements"][1]["span"];
    let [start, column, end, end_column] = ["start", "column", "end", "end_column"].map(|key| span[key].as_u64().unwrap_or_default());
    assert_eq!((start, column, end, end_column), (19, 19, 36, 36));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let shop = Shop::with(&[("0001_x.sql", "DROP TABLE orders;\n")]);
    assert!(!shop.run(&["lint", "0001_x.sql"]).out.contains('\x1b'));
    assert!(shop.run(&["lint", "0001_x.sql", "--color", "always"]).out.contains("\x1b[31m"));
}

#[test]
fn the_human_report_says_what_to_do_with_each_migration() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let out = shop.run(&["lint", "m"]).out;
    for part in [
        "error[create-index-without-concurrently]",
        "[m/0002_index.sql:2:1]",
        "SHARE on orders",
        "maintenance-window → additive: take the fixes, then run it any time",
        "additive: run it any time",
        "2 migrations, 3 statements for PostgreSQL 15: 1 error, 0 warnings, 0 advice",
    ] {
        assert!(out.contains(part), "`{part}` is not in:\n{out}");
    }
}

#[test]
fn a_terminal_is_not_steered_by_what_it_is_shown() {
    let shop = Shop::with(&[("0001_x.sql", "DROP TABLE \"or\u{1b}[2Jders\"; -- \u{202e}\n")]);
    for format in ["human", "short"] {
        let out = shop.run(&["lint", "0001_x.sql", "--format", format]).out;
        assert!(out.contains("drop-table") && !out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
    }
}

// The other commands.

#[test]
fn init_writes_a_config_that_lint_reads_and_does_not_overwrite_it() {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS)]);
    assert_eq!(shop.run(&["init"]).code, Some(0));
    let written = fs::read_to_string(shop.0.path().join("lockkeeper.yaml")).expect("it is written");
    assert!(written.contains("- db/migrations"), "{written}");
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0), "{}", answer.out);
    assert!(answer.out.contains("1 migration, "), "{}", answer.out);
    assert_eq!(shop.run(&["init"]).code, Some(2));
}

#[test]
fn rules_are_listed_for_people_and_for_programs() {
    let shop = Shop::with(&[("lockkeeper.yaml", "rules: { drop-column: off }\n")]);
    let rules = shop.run(&["rules", "--json"]).json();
    let row = |id: &str| rules.as_array().into_iter().flatten().find(|rule| rule["id"] == id).cloned().unwrap_or_default();
    assert_eq!(row("drop-table")["severity"], "error");
    assert!(row("drop-column")["severity"].is_null());
    assert!(shop.run(&["rules"]).out.contains("create-index-without-concurrently"));
}

#[test]
fn a_rule_is_explained_under_each_of_its_names() {
    let shop = Shop::new();
    let [own, alias] = ["drop-column", "ban-drop-column"].map(|name| shop.run(&["explain", name]));
    assert_eq!((own.code, &own.out), (Some(0), &alias.out));
    assert!(own.out.contains("why: ") && own.out.contains("good"), "{}", own.out);
    let unknown = shop.run(&["explain", "drop-colum"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `drop-column`?"), "{}", unknown.err);
}

#[test]
fn show_tells_the_facts_and_which_rules_spoke() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let answer = shop.run(&["show", "m/0002_index.sql"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("create_index") && answer.out.contains("SHARE on public.orders"), "{}", answer.out);
    assert_eq!(shop.run(&["show", "nowhere.sql"]).code, Some(2));
    let words = shop.run(&["rules", "--vocabulary", "create_index"]);
    assert!(words.out.contains("concurrently"), "{}", words.out);
    assert!(shop.run(&["rules", "--vocabulary", "create_indx"]).err.contains("did you mean `create_index`?"));
}

#[test]
fn a_rule_of_ones_own_is_begun_filled_and_tested() {
    let shop = Shop::with(&[("lockkeeper.yaml", "rule_folders: [own]\n"), ("own/.keep", "")]);
    fs::remove_file(shop.0.path().join("own/.keep")).expect("it was there");
    shop.write("lockkeeper.yaml", "");
    assert_eq!(shop.run(&["rule", "new", "drop-view-of-ours", "--folder", "own"]).code, Some(0));
    shop.write("lockkeeper.yaml", "rule_folders: [own]\n");
    let path = shop.0.path().join("own/drop-view-of-ours.yaml");
    let begun = fs::read_to_string(&path).expect("it is written");
    assert!(begun.contains("op: drop_view\n"), "{begun}");
    assert_eq!(shop.run(&["rule", "test", "drop-view-of-ours"]).code, Some(1), "its examples are none yet");
    let filled =
        begun.replace("The SQL on which this rule speaks, once.", "DROP VIEW sales;").replace("SQL on which no rule speaks.", "SELECT 1;");
    fs::write(&path, filled).expect("it is filled");
    let tested = shop.run(&["rule", "test", "drop-view-of-ours"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    assert!(shop.run(&["rule", "new", "drop_view"]).err.contains("lower-case words with hyphens"));
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_migrations_is_named_and_not_waited_for() {
    let shop = Shop::with(&[("migrations/0001_orders.sql", "DROP TABLE orders;\n")]);
    let pipe = shop.0.path().join("migrations/0002_pipe.sql");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
    let answer = shop.run(&["lint", "--format", "short", "migrations"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.out.contains("0002_pipe.sql: error[discover::unreadable] this is no file"), "{}", answer.out);
    assert!(answer.out.contains("drop-table"), "{}", answer.out);
}

#[cfg(unix)]
#[test]
fn what_lies_beside_a_device_is_no_history() {
    let answer = Shop::new().run(&["lint", "--format", "short", "/dev/null"]);
    assert_eq!((answer.code, &*answer.err), (Some(0), ""));
}

#[test]
fn a_rule_that_no_config_names_is_said_to_be_unread() {
    let answer = Shop::new().run(&["rule", "new", "drop-view-of-ours"]);
    assert!(answer.out.contains("once lockkeeper.yaml says: rule_folders: [rules]"), "{}", answer.out);
}

#[test]
fn an_index_of_very_many_expressions_is_named_at_once() {
    let keys = vec!["lower(note)"; 20_000].join(", ");
    let shop = Shop::with(&[("0001_index.sql", &*format!("CREATE INDEX ON orders ({keys});\n"))]);
    let started = std::time::Instant::now();
    assert_eq!(shop.run(&["lint", "--format", "short", "0001_index.sql"]).code, Some(1));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
