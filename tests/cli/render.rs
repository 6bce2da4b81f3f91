//! `render:`: migrations that are programs are judged by the SQL that their tool prints. The tools are the real ones.

use super::{Answer, Shop};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// A project of `fixtures/tools`, with a config.
fn project(name: &str, config: &str) -> Shop {
    let shop = Shop::with(&[("lockkeeper.yaml", config)]);
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tools").join(name)];
    let root = folders[0].clone();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the fixture").flatten() {
            let path = entry.path();
            let below = path.strip_prefix(&root).expect("it was found there").to_owned();
            match path.is_dir() {
                true if path.ends_with("__pycache__") => {}
                true => folders.push(path),
                false => shop.write(&below.to_string_lossy(), fs::read(&path).expect("the file can be read")),
            }
        }
    }
    shop
}

impl Shop {
    fn rendered(&self, arguments: &[&str]) -> Answer {
        super::answer(&self.command(arguments).env("DATABASE_URL", "postgresql://").output().expect("the program runs"))
    }
}

/// A program of this name that does what is asked of it: the one that the variable names, else the first of PATH.
fn program(variable: &str, name: &str, trial: &[&str], package: &str) -> String {
    let folders: Vec<PathBuf> = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let named = env::var_os(variable).map(PathBuf::from);
    let known = named.into_iter().chain(folders.iter().map(|folder| folder.join(name)));
    let works = |path: &PathBuf| {
        let run = Command::new(path).args(trial).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    let found = known.into_iter().find(works);
    let found = found.unwrap_or_else(|| panic!("`{name}` is needed: install {package}, or name it in {variable}"));
    found.to_string_lossy().into_owned()
}

fn alembic() -> String {
    let alembic = program("LOCKKEEPER_ALEMBIC", "alembic", &["--version"], "Debian's alembic");
    format!("migrations: [sql]\nrender:\n  tool: alembic\n  command: ['{alembic}', upgrade, heads, --sql]\n")
}

fn django() -> String {
    let packages = "Debian's python3-django and python3-psycopg2";
    let python = program("LOCKKEEPER_DJANGO_PYTHON", "python3", &["-c", "from django.db.backends.postgresql import base"], packages);
    format!("render:\n  tool: django\n  command: ['{python}', manage.py, shell]\n")
}

/// `path:line rule` of each error and warning.
fn findings(answer: &Answer) -> Vec<String> {
    let word = |line: &str| {
        let (place, rest) = line.split_once(": ")?;
        let rule = rest.split_once('[')?.1.split_once(']')?.0;
        Some(format!("{} {rule}", place.rsplit_once(':')?.0)).filter(|_| !rest.starts_with("advice"))
    };
    answer.out.lines().filter_map(word).collect()
}

/// How each migration is put into transactions, by path.
fn transactions(answer: &Answer) -> BTreeMap<String, String> {
    let report = answer.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let migrations = report["migrations"].as_array().into_iter().flatten();
    migrations.map(|migration| (text(&migration["path"]), text(&migration["transaction"]))).collect()
}

#[test]
fn of_ten_revisions_of_alembic_the_unsafe_one_is_named_by_its_file_and_line() {
    let shop = project("alembic", &alembic());
    shop.write("sql/0001_settings.sql", "CREATE TABLE settings (id bigint PRIMARY KEY);\n");
    let answer = shop.rendered(&["lint", "--render", "--format", "short"]);
    let errors: Vec<_> = answer.out.lines().filter(|line| line.contains(": error[")).collect();
    assert!(
        matches!(errors[..], [line] if line.starts_with("migrations/versions/5d18b3c7f0e2_larger_payments.py:13:5: error[change-column-type]")),
        "{}{}",
        answer.out,
        answer.err
    );
    assert_eq!(answer.code, Some(1));
    let how = transactions(&shop.rendered(&["lint", "--render", "--format", "json"]));
    let not_wrapped: Vec<_> = how.iter().filter(|(_, how)| *how != "runner").map(|(path, how)| format!("{path} {how}")).collect();
    assert_eq!(how.len(), 11);
    assert_eq!(
        not_wrapped,
        [
            "migrations/versions/2f4c7d91b8a5_paid_something_ever.py none",
            "migrations/versions/a7e2d94f5c60_find_drafts.py none",
            "sql/0001_settings.sql assumed"
        ]
    );
}

#[test]
fn a_revision_that_is_named_alone_is_judged_on_what_the_others_made() {
    let shop = project("alembic", &alembic());
    let safe = shop.rendered(&["lint", "--render", "--format", "short", "migrations/versions/a7e2d94f5c60_find_drafts.py"]);
    assert_eq!((safe.code, findings(&safe)), (Some(0), Vec::new()), "{}", safe.out);
    let unsafe_one = "migrations/versions/5d18b3c7f0e2_larger_payments.py";
    let human = shop.rendered(&["lint", "--render", "--color", "never", unsafe_one]);
    for words in ["ALTER TABLE payments ALTER COLUMN cents TYPE BIGINT;", "5d18b3c7f0e2_larger_payments.py:13, in the SQL of alembic:1:1]"]
    {
        assert!(human.out.contains(words), "{}", human.out);
    }
    let report = shop.rendered(&["lint", "--render", "--format", "json", unsafe_one]).json();
    let migration = &report["migrations"][0];
    assert_eq!((&migration["rendered"]["by"], &migration["version"]), (&"alembic".into(), &"5d18b3c7f0e2".into()));
    let finding = &migration["findings"][0];
    assert_eq!((&finding["span"]["line"], &finding["suggestion"]["edits"]), (&13.into(), &serde_json::json!([])));
}

#[test]
fn a_comment_in_a_revision_allows_what_the_call_below_it_does() {
    let shop = project("alembic", &alembic());
    let path = "migrations/versions/5d18b3c7f0e2_larger_payments.py";
    let text = fs::read_to_string(shop.0.path().join(path)).expect("the revision is there");
    let allowed = text.replacen("    op.alter", "    # lockkeeper: allow change-column-type because it is still small\n    op.alter", 1);
    shop.write(path, allowed);
    let answer = shop.rendered(&["lint", "--render", "--format", "short", path]);
    assert_eq!(findings(&answer), [format!("{path}:14 lock-without-timeout")], "{}", answer.out);
}

#[test]
fn a_program_runs_only_if_somebody_wants_it() {
    let shop = project("alembic", &alembic());
    let unasked = shop.rendered(&["lint", "--format", "short"]);
    assert_eq!(unasked.code, Some(2));
    assert!(
        unasked.out.contains("error[render::not-run] 10 migrations are programs") && !unasked.out.contains("versions/"),
        "{}",
        unasked.out
    );
    shop.write("sql/0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n");
    assert_eq!(shop.rendered(&["lint", "sql/0001_orders.sql"]).code, Some(0));
}

#[test]
fn a_program_that_nothing_is_said_of_is_no_sql() {
    let shop = Shop::with(&[("m/versions/0a1b_orders.py", "revision = '0a1b'\n")]);
    for path in ["m", "m/versions/0a1b_orders.py"] {
        let report = shop.run(&["lint", "--format", "json", path]).json();
        assert!(report["problems"][0]["help"].as_str().is_some_and(|help| help.contains("`lockkeeper lint --render`")), "{report}");
    }
}

#[test]
fn what_breaks_in_a_revision_is_told_in_its_own_words_and_the_others_are_judged() {
    let shop = project("alembic", &alembic());
    let path = "migrations/versions/0f0f0f0f0f0f_broken.py";
    shop.write(path, "revision = '0f0f0f0f0f0f'\ndown_revision = '5d18b3c7f0e2'\ndef upgrade():\n    raise KeyError('no such draft')\n");
    let answer = shop.rendered(&["lint", "--render", "--format", "json"]);
    let report = answer.json();
    let problem = report["problems"].as_array().into_iter().flatten().find(|problem| problem["code"] == "render::failed");
    let problem = problem.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(answer.code, Some(2));
    assert!(problem["help"].as_str().is_some_and(|help| help.ends_with("KeyError: 'no such draft'")), "{problem}");
    assert_eq!(report["migrations"].as_array().map(Vec::len), Some(10));
}

#[test]
fn the_migrations_of_two_django_apps_are_judged_in_their_order_without_a_database() {
    let shop = project("django", &django());
    let answer = shop.rendered(&["lint", "--render", "--format", "short"]);
    assert_eq!(
        findings(&answer),
        [
            "sales/migrations/0001_orders.py:9 lock-without-timeout",
            "people/migrations/0002_favourite.py:10 lock-without-timeout",
            "people/migrations/0002_favourite.py:10 create-index-without-concurrently",
            "people/migrations/0002_favourite.py:10 statement-while-holding-access-exclusive",
            "sales/migrations/0002_payments.py:17 lock-without-timeout",
            "sales/migrations/0004_larger_payments.py:13 lock-without-timeout",
            "sales/migrations/0004_larger_payments.py:13 change-column-type",
            "sales/migrations/0004_larger_payments.py:14 dynamic-sql",
        ],
        "{}{}",
        answer.out,
        answer.err
    );
    let how = transactions(&shop.rendered(&["lint", "--render", "--format", "json"]));
    let not_wrapped: Vec<_> = how.iter().filter(|(_, how)| *how != "runner").collect();
    assert_eq!(not_wrapped, [(&"sales/migrations/0003_find_orders_by_day.py".to_owned(), &"none".to_owned())]);
}

#[test]
fn what_django_would_ask_a_database_is_told_by_its_models() {
    let shop = project("django", &django());
    shop.write(
        "sales/migrations/0005_anonymous.py",
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    \
         dependencies = [('sales', '0004_larger_payments')]\n    operations = [migrations.RemoveField('order', 'buyer')]\n",
    );
    let report = shop.rendered(&["lint", "--render", "--format", "json", "sales/migrations/0005_anonymous.py"]).json();
    let sql = report["migrations"][0]["rendered"]["sql"].as_str().unwrap_or_default();
    assert!(sql.contains("DROP CONSTRAINT \"orders_buyer_id_") && sql.contains("DROP COLUMN \"buyer_id\""), "{report}");
    let rules: Vec<_> = report["migrations"][0]["findings"].as_array().into_iter().flatten().map(|finding| &finding["rule"]).collect();
    assert!(rules.iter().any(|rule| **rule == "drop-column") && !rules.iter().any(|rule| **rule == "dynamic-sql"), "{rules:?}");
}

/// A program that prints the files of `db/migrate`, which are SQL under another name.
const PRINTER: &str = "#!/bin/sh\nfor file in db/migrate/*.rb; do\n  echo \"-- == $(basename $file .rb)\"\n  cat $file\ndone\n";

const PRINTED: &str = "render:\n  command: [sh, bin/print-sql]\n  source: db/migrate/*.rb\n  cut: '-- == {revision}'\n  timeout: 1min\n";

fn other(config: &str, printer: &str) -> Shop {
    Shop::with(&[
        ("lockkeeper.yaml", config),
        ("bin/print-sql", printer),
        ("db/migrate/0001_orders.rb", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n"),
        ("db/migrate/0002_note.rb", "SET lock_timeout = '2s';\n\nALTER TABLE orders ALTER COLUMN note SET NOT NULL;\n"),
    ])
}

#[test]
fn any_program_may_print_sql() {
    let shop = other(PRINTED, PRINTER);
    let answer = shop.run(&["lint", "--render", "--format", "short"]);
    assert_eq!(findings(&answer), ["db/migrate/0002_note.rb:1 set-not-null"], "{}{}", answer.out, answer.err);
    let asked = super::answer(&shop.command(&["lint", "--format", "short", "db"]).env("LOCKKEEPER_RENDER", "1").output().expect("it runs"));
    assert_eq!(asked.out, answer.out);
}

#[test]
fn a_program_written_for_lockkeeper_says_files_and_lines() {
    let printer = "echo '-- lockkeeper: file db/migrate/0001_orders.rb'; cat db/migrate/0001_orders.rb\n\
                   echo '-- lockkeeper: file db/migrate/0002_note.rb'; echo '-- lockkeeper: line 3'; tail -n 1 db/migrate/0002_note.rb\n";
    let shop = other("render: { command: [sh, bin/print-sql], source: 'db/migrate/*' }\n", printer);
    let answer = shop.run(&["lint", "--render", "--format", "short"]);
    assert_eq!(
        findings(&answer),
        ["db/migrate/0002_note.rb:3 lock-without-timeout", "db/migrate/0002_note.rb:3 set-not-null"],
        "{}",
        answer.out
    );
}

#[test]
fn a_program_that_fails_or_takes_too_long_or_leaves_something_out_is_a_problem() {
    let problem = |config: &str, printer: &str| {
        let answer = other(config, printer).run(&["lint", "--render", "--format", "json"]);
        let report = answer.json();
        let problem = &report["problems"][0];
        (answer.code, problem["code"].clone(), problem["help"].as_str().unwrap_or_default().to_owned())
    };
    let failed = problem(PRINTED, "echo 'no such table' >&2; exit 3");
    assert_eq!(failed, (Some(2), "render::failed".into(), "no such table".to_owned()));
    let slow = problem(&PRINTED.replace("1min", "50ms"), "exec sleep 60");
    assert_eq!((slow.0, slow.1), (Some(2), "render::timeout".into()));
    let endless = problem(PRINTED, "exec yes 'SELECT 1;'");
    assert_eq!((endless.0, endless.1), (Some(2), "render::too-much".into()));
    let missing = problem(&PRINTED.replace("sh, bin/print-sql", "bin/print-shop"), PRINTER);
    assert_eq!((missing.0, missing.1), (Some(2), "render::not-started".into()));
    let left_out = problem(PRINTED, "echo '-- == 0002'; cat db/migrate/0002_note.rb");
    assert_eq!((left_out.0, left_out.1), (Some(2), "render::left-out".into()));
    let unknown = problem(PRINTED, &format!("{PRINTER}echo '-- == 0042_drafts'"));
    assert_eq!((unknown.0, unknown.1), (Some(2), "render::unknown-revision".into()));
}

#[test]
fn sql_that_belongs_to_no_file_is_a_problem() {
    let own = "render: { command: [sh, bin/print-sql], source: 'db/migrate/*' }\n";
    let all = "for file in db/migrate/*; do echo \"-- lockkeeper: file $file\"; cat $file; done\n";
    let printed = |before: &str, behind: &str| {
        let answer = other(own, &format!("{before}\n{all}{behind}\n")).run(&["lint", "--render", "--format", "json"]);
        let report = answer.json();
        let said: Vec<_> = report["problems"].as_array().into_iter().flatten().map(|problem| problem["code"].to_string()).collect();
        format!("{:?} {}", answer.code, said.join(" "))
    };
    let other_file = "echo '-- lockkeeper: file db/3.rb'";
    assert_eq!(printed("", other_file), "Some(1) ");
    assert_eq!(printed("", &format!("{other_file}; echo 'DROP TABLE orders;'")), "Some(2) \"render::unknown-file\"");
    assert_eq!(printed("echo 'Reading the shop'; echo '-- done'; echo 'BEGIN;'", ""), "Some(1) ");
    for before in ["DROP TABLE orders", "Reading the shop; DROP TABLE orders;", "-- orders\nBEGIN;\nDROP TABLE orders;\n"] {
        assert_eq!(printed(&format!("printf '%b\\n' '{before}'").replace('\n', "\\n"), ""), "Some(2) \"render::before-first\"", "{before}");
    }
}

#[test]
fn git_says_which_of_the_programs_are_new() {
    let shop = other(PRINTED, PRINTER);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(shop.0.path()).args(["-c", "user.name=anna", "-c", "user.email=anna@example.org"]).args(arguments);
        assert!(command.stdout(Stdio::null()).status().expect("git runs").success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "orders"]);
    let since = |shop: &Shop| findings(&shop.run(&["lint", "--render", "--since", "HEAD", "--format", "short"]));
    assert_eq!(since(&shop), Vec::<String>::new());
    shop.write("db/migrate/0003_drop.rb", "SET lock_timeout = '2s';\nDROP TABLE orders;\n");
    assert_eq!(since(&shop), ["db/migrate/0003_drop.rb:1 drop-table"]);
    fs::remove_file(shop.0.path().join("db/migrate/0002_note.rb")).expect("it is there");
    assert_eq!(since(&shop), ["db/migrate/0003_drop.rb:1 drop-table", "db/migrate/0002_note.rb:1 migration-order"]);
}
