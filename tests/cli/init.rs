//! `init`: what it finds, what it translates, and what it sets up.

use super::{Answer, ORDERS, Shop};
use std::fs;
use std::process::Command;

/// The lines of the written config that say something.
fn config(shop: &Shop) -> Vec<String> {
    let text = fs::read_to_string(shop.0.path().join("lockkeeper.yaml")).expect("it is written");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// What the config says that was translated, and what was not; the run has to be clean, and `lint` to read the config.
fn translated(file: &str, text: &str, linter: &str) -> (Vec<String>, Vec<String>) {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS), (file, text)]);
    let answer = shop.run(&["init", "--from", linter]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let read = shop.run(&["lint", "--format", "short"]);
    assert!(read.code != Some(2), "{}{}", read.out, read.err);
    let written = fs::read_to_string(shop.0.path().join("lockkeeper.yaml")).expect("it is written");
    let notes = untold(&answer);
    for note in &notes {
        assert!(written.contains(&format!("#   - {note}\n")), "{note}\n{written}");
    }
    (config(&shop), notes)
}

fn untold(answer: &Answer) -> Vec<String> {
    answer.err.lines().filter_map(|line| line.strip_prefix("note: not translated: ")).map(str::to_owned).collect()
}

#[test]
fn init_writes_a_config_that_lint_reads_and_does_not_overwrite_it() {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS)]);
    let answer = shop.run(&["init"]);
    assert_eq!((answer.code, &*answer.out), (Some(0), "wrote lockkeeper.yaml\nnext: lockkeeper lint\n"));
    assert_eq!(config(&shop), ["migrations:", "  - db/migrations  # 1 file"]);
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0), "{}", answer.out);
    assert!(answer.out.contains("1 migration, "), "{}", answer.out);
    assert_eq!(shop.run(&["init"]).code, Some(2));
}

#[test]
fn what_the_project_tells_stands_in_the_config_with_the_place_that_tells_it() {
    let up = format!("-- +goose Up\n{ORDERS}-- +goose Down\nDROP TABLE orders;\n");
    let shop = Shop::with(&[
        ("services/orders/migrations/00001_orders.sql", &up),
        ("services/orders/migrations/00002_note.sql", "-- +goose Up\nALTER TABLE orders ADD COLUMN note text;\n"),
        ("services/users/migrations/00001_users.sql", "-- +goose Up\nCREATE TABLE users (id bigint PRIMARY KEY);\n"),
        ("tests/migrations/00001_drafts.sql", &up),
        ("reports/monthly.sql", "SELECT 1;\n"),
        ("compose.yaml", "services:\n  db:\n    # image: postgres:13\n    image: \"postgres:16-alpine\"\n"),
        (".github/workflows/test.yml", "jobs:\n  test:\n    services:\n      db: { image: postgres:17 }\n"),
    ]);
    assert_eq!(shop.run(&["init"]).code, Some(0));
    assert_eq!(
        config(&shop),
        [
            "migrations:",
            "  - services/orders/migrations  # 2 files, goose",
            "  - services/users/migrations  # 1 file, goose",
            "postgres: 16  # compose.yaml:4 has postgres:16-alpine",
            "tool: goose  # as the files, or what lies beside them, tell",
        ]
    );
    assert!(shop.run(&["lint"]).code != Some(2));
}

#[test]
fn where_nothing_is_found_it_says_so() {
    let shop = Shop::with(&[("readme.txt", "a shop")]);
    let answer = shop.run(&["init"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.err.contains("no migrations were found"), "{}", answer.err);
}

#[test]
fn a_config_of_squawk_means_the_same_here() {
    let text = "pg_version = \"11.0\"\nexcluded_rules = [\"ban-drop-column\", \"constraint-missing-not-valid\", \"prefer-text-field\",\n  \
                \"prefer-bigint-over-int\", \"prefer-bigint-over-smallint\", \"prefer-identity\", \"prefer-timestamptz\",\n  \
                \"require-timeout-settings\", \"require-enum-value-ordering\"]\nincluded_rules = [\"require-table-schema\"]\nassume_in_transaction = true\nexcluded_paths = [\"db/migrations/0001*.sql\", \
                \"*users.sql\"]\n[upload_to_github]\nfail_on_violations = true\n";
    let (config, untold) = translated(".squawk.toml", text, "squawk");
    let config: Vec<_> = config.iter().map(|line| line.split("  # ").next().unwrap_or_default()).collect();
    assert_eq!(
        config,
        [
            "migrations:",
            "  - db/migrations",
            "postgres: 12",
            "transaction: runner",
            "rules:",
            "  drop-column: off",
            "  add-check: off",
            "  add-integer-column: off",
            "  add-integer-key: off",
            "  add-serial-column: off",
            "  add-varchar-column: off",
            "  add-timestamp-column: off",
            "  add-enum-value-unplaced: off",
            "  lock-without-timeout: off",
            "  statement-without-timeout: off",
            "  create-domain-with-constraint: advice",
            "  name-without-schema: advice",
            "exclude:",
            "  - \"db/migrations/0001*.sql\"",
            "  - \"**/*users.sql\"",
        ]
    );
    assert_eq!(
        untold,
        [
            "PostgreSQL 11: 12 is judged for, since lockkeeper knows 12 to 19",
            "a file that says `squawk-disable-assume-in-transaction` has to say `lockkeeper: transaction none` here",
            "exclude db/migrations/0001*.sql: there `*` crosses slashes, here only `**` does",
            "upload_to_github: `lockkeeper init --workflow` writes a workflow that comments",
            "squawk fails on whatever it finds; lockkeeper on errors (`fail_on: advice` is nearest to squawk)",
            "constraint-missing-not-valid is off: `add-foreign-key` says the same, and says what adding-foreign-key-constraint says too, so it stays on",
        ]
    );
}

#[test]
fn what_squawk_says_of_its_own_accord_is_turned_on() {
    let (config, _) = translated(".squawk.toml", "", "squawk");
    assert!(config.contains(&"  add-varchar-column: advice  # prefer-text-field is on in squawk".to_owned()), "{config:?}");
    assert!(!config.iter().any(|line| line.contains("name-without-schema")), "{config:?}");
}

#[test]
fn a_config_of_pg_migration_lint_means_the_same_here() {
    let text = "[migrations]\npaths = [\"db/migrations\"]\nstrategy = \"filename_lexicographic\"\ndefault_schema = \"shop\"\nrun_in_transaction = false\n\
                exclude = [\"**/seeds/*\"]\n[output]\nformats = [\"sarif\"]\n[cli]\nfail_on = \"major\"\n[rules]\ndisabled = [\"PGM201\", \"PGM301\", \"PGM401\"]\n";
    let (config, untold) = translated("pg-migration-lint.toml", text, "pg-migration-lint");
    for line in [
        "  - db/migrations  # pg-migration-lint: migrations.paths",
        "transaction: none  # pg-migration-lint: run_in_transaction = false",
        "fail_on: warning  # pg-migration-lint: fail_on = major",
        "  drop-table: off  # pg-migration-lint: PGM201",
        "  - \"**/seeds/**/*\"  # pg-migration-lint: **/seeds/*",
    ] {
        assert!(config.iter().any(|written| written.starts_with(line)), "{line}\n{config:#?}");
    }
    assert_eq!(untold.len(), 4, "{untold:#?}");
    assert!(
        untold[3].starts_with("PGM401 is off: `statement-cannot-run-again` says the same, and says what PGM402 says too"),
        "{untold:#?}"
    );
}

#[test]
fn what_eugene_is_told_on_command_lines_is_translated() {
    let text = "jobs:\n  lint:\n    steps:\n      - run: |\n          eugene lint --git-diff origin/main \\\n            -i E3 --ignore=W12 -f md db/migrations\n";
    let (config, untold) = translated(".github/workflows/lint.yml", text, "eugene");
    for line in [
        "  - db/migrations  # eugene: on its command line",
        "  add-json-column: off  # eugene: E3",
        "  alter-table-twice: off  # eugene: W12",
    ] {
        assert!(config.contains(&line.to_owned()), "{line}\n{config:#?}");
    }
    assert_eq!(untold, ["--git-diff: `lockkeeper lint --since` takes it", "--format: `lockkeeper lint --format` says it"]);
    let shop = Shop::new();
    assert!(shop.run(&["init", "--from", "eugene"]).err.contains("nothing here starts eugene"));
}

#[test]
fn configs_of_pgfence_and_migration_pilot_are_translated_and_no_secret_of_theirs_is_repeated() {
    let fence = "{ \"min-pg-version\": 14, \"db-url\": \"postgres://shop:hunter2@db/shop\", \"require-statement-timeout\": false, \"disable-rules\": [\"drop-table\"] }";
    let (config, untold) = translated(".pgfence.json", fence, "pgfence");
    assert!(
        config.contains(&"postgres: 14  # pgfence: 14".to_owned()) && config.iter().any(|line| line.starts_with("  drop-table: off")),
        "{config:#?}"
    );
    assert!(config.iter().any(|line| line.starts_with("  statement-without-timeout: off")), "{config:#?}");
    assert!(!format!("{config:?}{untold:?}").contains("hunter2"));
    assert_eq!(untold, ["db-url: `lockkeeper stats` asks a server once how large its tables are"]);
    let pilot = "extends: migrationpilot:ci\npgVersion: 16\nfailOn: warning\nmigrationPath: ./db/migrations/*.sql\nrules:\n  MP026: false\n  MP004: { severity: warning }\n  MP013: { threshold: 5 }\n";
    let (config, untold) = translated(".migrationpilotrc.yml", pilot, "migrationpilot");
    for line in ["postgres: 16", "fail_on: warning", "  - db/migrations", "  drop-table: off", "  lock-without-timeout: warning"] {
        assert!(config.iter().any(|written| written.starts_with(line)), "{line}\n{config:#?}");
    }
    assert_eq!(untold.len(), 2, "{untold:#?}");
}

#[test]
fn what_is_wrong_with_the_config_of_another_linter_is_shown_at_its_place() {
    let wrong = |text: &str| {
        let shop = Shop::with(&[(".squawk.toml", text)]);
        let answer = shop.run(&["init", "--from", "squawk"]);
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(!shop.0.path().join("lockkeeper.yaml").exists());
        answer.err
    };
    let unknown = wrong("excluded_rules = [\n  \"ban-drop-colum\",\n]\n");
    assert!(unknown.contains("squawk has no rule `ban-drop-colum`, did you mean `ban-drop-column`?"), "{unknown}");
    assert!(unknown.contains(".squawk.toml:2:3"), "{unknown}");
    assert!(wrong("excluded_rules = [\n").contains(".squawk.toml:"));
    assert!(wrong("assume_in_transaction = \"yes\"\n").contains("text stands where `true` or `false` is expected"));
    let shop = Shop::new();
    assert!(shop.run(&["init", "--from", "squawk"]).err.contains("looked for .squawk.toml"));
    assert!(shop.run(&["init", "--from", "sqauwk"]).err.contains("squawk"));
}

#[test]
fn a_config_of_another_linter_that_lies_there_is_pointed_at() {
    let shop = Shop::with(&[(".squawk.toml", "pg_version = \"16\"\n")]);
    assert!(shop.run(&["init"]).err.contains("`lockkeeper init --from squawk` says in lockkeeper.yaml what it says"));
}

#[test]
fn hook_workflow_and_editor_are_set_up_and_nothing_that_exists_is_changed() {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS)]);
    let git = Command::new("git").args(["init", "-q"]).current_dir(shop.0.path()).status().expect("git is there");
    assert!(git.success());
    let all = ["init", "--hook", "--workflow=shop/lockkeeper@v1", "--editor", "helix", "--editor", "zed", "--editor", "vscode"];
    let answer = shop.run(&all);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for file in
        ["lockkeeper.yaml", ".git/hooks/pre-commit", ".github/workflows/lockkeeper.yml", ".helix/languages.toml", ".zed/settings.json"]
    {
        assert!(answer.out.contains(&format!("wrote {file}\n")), "{file}: {}", answer.out);
    }
    assert!(answer.out.contains("editors/vscode"), "{}", answer.out);
    let read = |path: &str| fs::read_to_string(shop.0.path().join(path)).expect("it is written");
    let workflow: serde_yaml::Value = serde_yaml::from_str(&read(".github/workflows/lockkeeper.yml")).expect("it is YAML");
    assert_eq!(workflow["permissions"]["contents"], "read");
    assert_eq!(workflow["jobs"]["lint"]["steps"][1]["uses"], "shop/lockkeeper@v1");
    let zed: serde_json::Value = serde_json::from_str(&read(".zed/settings.json")).expect("it is JSON");
    assert_eq!(zed["lsp"]["sql-language-server"]["binary"]["path"], "lockkeeper");
    assert!(read(".git/hooks/pre-commit").contains("exec lockkeeper lint --staged"));
    // Again: all of it stays, and what belongs into it is said.
    shop.write(".helix/languages.toml", "mine");
    let again = shop.run(&all);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(read(".helix/languages.toml"), "mine");
    assert!(again.err.contains(".helix/languages.toml is there already, and stays as it is"), "{}", again.err);
    assert!(again.out.contains("[language-server.lockkeeper]"), "{}", again.out);
}

#[cfg(unix)]
#[test]
fn the_hook_is_a_program() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::new();
    assert!(Command::new("git").args(["init", "-q"]).current_dir(shop.0.path()).status().expect("git is there").success());
    assert_eq!(shop.run(&["init", "--hook"]).code, Some(0));
    let mode = fs::metadata(shop.0.path().join(".git/hooks/pre-commit")).expect("it is written").permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
}

#[test]
fn where_the_pre_commit_framework_is_in_use_its_config_stays_and_the_hook_is_said() {
    let shop = Shop::with(&[(".pre-commit-config.yaml", "repos: []\n")]);
    let answer = shop.run(&["init", "--hook"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("entry: lockkeeper lint --staged"), "{}", answer.out);
    assert_eq!(fs::read_to_string(shop.0.path().join(".pre-commit-config.yaml")).expect("it is there"), "repos: []\n");
}

#[test]
fn a_dry_run_prints_and_writes_nothing() {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS)]);
    let answer = shop.run(&["init", "--dry-run", "--workflow=shop/lockkeeper@v1"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.starts_with("# would write lockkeeper.yaml\n"), "{}", answer.out);
    assert!(answer.out.contains("# would write .github/workflows/lockkeeper.yml\n"), "{}", answer.out);
    assert_eq!(fs::read_dir(shop.0.path()).expect("a folder").count(), 1);
}

#[cfg(unix)]
#[test]
fn on_a_terminal_it_asks_and_does_what_is_agreed_to() {
    use std::io::{Read, Write};
    let shop = Shop::with(&[(".squawk.toml", "pg_version = \"16\"\n"), ("db/migrations/0001_orders.sql", ORDERS)]);
    assert!(Command::new("git").args(["init", "-q"]).current_dir(shop.0.path()).status().expect("git is there").success());
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let handle = || std::process::Stdio::from(terminal.slave.try_clone().expect("a handle"));
    let mut command = shop.command(&["init"]);
    let mut child = command.stdin(handle()).stdout(handle()).spawn().expect("the program runs");
    drop((command, terminal.slave));
    let mut screen = fs::File::from(terminal.master);
    // Each question is answered when it is asked: the config is translated, there is a hook, no workflow, and an editor.
    let mut answers = ["translate it? [y/N] ", "by a hook? [y/N] ", "(empty: no) ", "(empty: none) "]
        .into_iter()
        .zip(["y", "yes", "", "helix"])
        .peekable();
    let (mut said, mut bytes) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        said.extend_from_slice(&bytes[..count]);
        if let Some((_, answer)) = answers.next_if(|(question, _)| String::from_utf8_lossy(&said).ends_with(question)) {
            screen.write_all(format!("{answer}\n").as_bytes()).expect("somebody types");
        }
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{said}");
    assert!(answers.peek().is_none(), "{said}");
    assert!(config(&shop).contains(&"postgres: 16  # squawk: 16".to_owned()), "{said}");
    for (file, is_there) in [(".git/hooks/pre-commit", true), (".helix/languages.toml", true), (".github", false)] {
        assert_eq!(shop.0.path().join(file).exists(), is_there, "{file}: {said}");
    }
}

#[test]
fn migrations_that_are_programs_are_rendered_by_their_own_tool() {
    let shop = Shop::with(&[("backend/alembic.ini", "[alembic]\n"), ("backend/uv.lock", ""), ("tests/alembic.ini", "[alembic]\n")]);
    let answer = shop.run(&["init"]);
    assert!(answer.out.ends_with("next: lockkeeper lint --render\n"), "{}", answer.out);
    let command = "[uv, run, alembic, upgrade, heads, --sql]";
    assert_eq!(
        config(&shop),
        [format!("render: {{ tool: alembic, command: {command}, directory: backend }}  # backend/alembic.ini is there")]
    );
    assert!(!shop.run(&["lint"]).err.contains("lockkeeper.yaml:"));
    let shop = Shop::with(&[("manage.py", ""), ("orders/alembic.ini", ""), ("db/migrations/0001_orders.sql", ORDERS)]);
    assert_eq!(shop.run(&["init"]).code, Some(0));
    assert_eq!(
        config(&shop),
        [
            "migrations:",
            "  - db/migrations  # 1 file",
            "render: [{ tool: django }, { tool: alembic, directory: orders }]  # manage.py, orders/alembic.ini are there",
        ]
    );
    assert!(!shop.run(&["lint"]).err.contains("lockkeeper.yaml:"));
}

#[test]
fn migrations_for_another_database_are_passed_over() {
    let shop = Shop::with(&[
        ("db/migrations/0001_orders.sql", ORDERS),
        ("clickhouse/migrations/0001_events.sql", ORDERS),
        ("site/drizzle/0000_orders.sql", ORDERS),
        ("site/drizzle/meta/_journal.json", "{\n  \"version\": \"7\",\n  \"dialect\": \"sqlite\"\n}\n"),
    ]);
    let answer = shop.run(&["init"]);
    assert_eq!(config(&shop), ["migrations:", "  - db/migrations  # 1 file"]);
    assert!(answer.err.contains("clickhouse/migrations was passed over: `clickhouse` is another database"), "{}", answer.err);
    assert!(answer.err.contains("site/drizzle was passed over: meta/_journal.json says sqlite"), "{}", answer.err);
}

#[test]
fn an_action_is_named_whole_or_not_taken() {
    let shop = Shop::new();
    let answer = shop.run(&["init", "--workflow=shop/lockkeeper"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("OWNER/NAME@REF"), "{}", answer.err);
    // This build does not know where its own action is, and writes nothing then.
    let answer = shop.run(&["init", "--workflow"]);
    assert_eq!(answer.code, Some(if env!("CARGO_PKG_REPOSITORY").is_empty() { 2 } else { 0 }), "{}", answer.err);
    assert_eq!(shop.0.path().join("lockkeeper.yaml").exists(), answer.code == Some(0));
}
