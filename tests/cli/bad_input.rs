//! `lint`: whatever is wrong with the input, the rest is judged.

use super::{ORDERS, Shop};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

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

#[cfg(unix)]
#[test]
fn a_device_without_an_end_is_refused() {
    let answer = Shop::new().run(&["lint", "--format", "short", "/dev/zero"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.out.contains("this is a device, not a file"), "{}", answer.out);
}

#[cfg(unix)]
#[test]
fn what_comes_through_a_pipe_that_was_named_is_judged() {
    let shop = Shop::new();
    let pipe = shop.0.path().join("drop.sql");
    assert!(Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()));
    let writer = std::thread::spawn(move || fs::write(pipe, "DROP TABLE orders;\n"));
    let answer = shop.run(&["lint", "--format", "short", "drop.sql"]);
    assert!(writer.join().is_ok_and(|written| written.is_ok()));
    assert!(answer.out.contains("drop-table"), "{}{}", answer.out, answer.err);
}

#[test]
fn an_index_of_very_many_expressions_is_named_at_once() {
    let keys = vec!["lower(note)"; 20_000].join(", ");
    let shop = Shop::with(&[("0001_index.sql", &*format!("CREATE INDEX ON orders ({keys});\n"))]);
    let started = std::time::Instant::now();
    assert_eq!(shop.run(&["lint", "--format", "short", "0001_index.sql"]).code, Some(1));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[cfg(unix)]
#[test]
fn a_name_stays_in_its_line_and_steers_no_terminal() {
    let shop = Shop::with(&[("m/0001_\n::error::forged\u{1b}[31m.sql", "DROP TABLE orders;\n")]);
    for format in ["human", "short"] {
        let answer = shop.run(&["lint", "m", "--format", format]);
        assert!(answer.out.contains("m/0001_?::error::forged?[31m.sql"), "{}", answer.out);
        assert!(!answer.out.contains('\u{1b}') && !answer.out.lines().any(|line| line.starts_with("::")), "{}", answer.out);
    }
}
