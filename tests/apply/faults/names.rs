//! Secrets, settings of the database, names and roles that are not the usual ones.

use super::project::{LOGGED, PATIENT, Scene, files_below};
use std::fs;

const SECRET: &str = "geheim-0815";

#[test]
fn a_password_is_nowhere_to_be_read() {
    let mut scene = Scene::new("secrets", "a password in the URL; runs that succeed, that fail and that reach no server").with_shop();
    let socket = scene.database.get_socket().expect("a socket").display().to_string().replace('/', "%2F");
    let name = scene.database.get_database().expect("a name").to_owned();
    let url = |port: u16| format!("postgres://postgres:{SECRET}@/{name}?host={socket}&port={port}&sslmode=disable");
    let usual = scene.place.clone();
    scene.place = vec![("LOCKKEEPER_DATABASE_URL", url(1))];
    scene.ends_with(&["apply"], 3);
    scene.place = vec![("LOCKKEEPER_DATABASE_URL", url(5432))];
    scene.file("005_wrong.sql", "SELECT no_such_column FROM orders;");
    scene.ends_with(&["apply"], 6);
    for command in ["status", "history"] {
        scene.ends_with(&[command], 0);
    }
    scene.ends_with(&["apply", "--dry-run"], 0);
    let mut read = 0;
    for file in files_below(&scene.path("")) {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("it is there")).into_owned();
        assert!(!text.contains(SECRET), "{}: {text}", file.display());
        read += usize::from(file.ends_with("journal.jsonl") || file.extension().is_some_and(|it| it == "err"));
    }
    assert!(read > 5, "what was said and the journal were read");
    scene.saw("not in what is printed, and not in the journal", true, "");
    for table in ["run", "migration", "step", "event"] {
        let rows = scene.ask(&format!("SELECT t::text FROM lockkeeper.{table} t"));
        assert!(!rows.contains(SECRET) && (table == "event" || !rows.is_empty()), "{table}: {rows}");
    }
    scene.saw("not in the ledger", true, "");
    fs::remove_file(scene.path("migrations/005_wrong.sql")).expect("it was written");
    scene.place = usual;
    scene.settles(LOGGED);
}

#[test]
fn a_database_with_settings_of_its_own() {
    let done = "the database sets another time zone, date style, isolation, an empty path, read only, old strings and 1 ms for locks";
    let mut scene = Scene::new("settings", done).with_shop();
    let name = scene.database.get_database().expect("a name").to_owned();
    let set = |setting: &str| scene.sql(&[&format!("ALTER DATABASE {name} SET {setting}")]);
    for setting in [
        "TimeZone = 'Pacific/Auckland'",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off",
        "lock_timeout = '1ms'",
        "bytea_output = 'escape'",
        "search_path = ''",
        "default_transaction_read_only = on",
    ] {
        set(setting);
    }
    scene.configure(&super::project::BRIEF.replace(" }, s", " }, search_path: public, s"));
    scene.ends_with(&["apply"], 0);
    let answer = scene.ends_with(&["history"], 0);
    let today = scene.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD')");
    scene.saw("times are those of the server, in UTC", answer.out.contains(&today), &answer.out);
    scene.sql(&[&format!("BEGIN READ WRITE; ALTER DATABASE {name} RESET ALL; COMMIT")]);
    scene.settled(LOGGED);
}

#[test]
fn names_of_all_kinds() {
    let done = "quoted, non-ASCII and 63-byte names, in a schema that is not public; a file of ten thousand statements";
    let mut scene = Scene::new("names", done).with_shop();
    let long = "i".repeat(63);
    scene.file(
        "005_größe.sql",
        &format!(
            "CREATE SCHEMA \"Läden & Söhne\";
             CREATE TABLE \"Läden & Söhne\".\"Bestell\"\"ungen\" (\"Größe\" int, \"it's\" text);
             CREATE INDEX CONCURRENTLY \"{long}\" ON \"Läden & Söhne\".\"Bestell\"\"ungen\" (\"Größe\", \"it's\");
             INSERT INTO log (word) VALUES ('größe');"
        ),
    );
    let many: String = (0..10_000).map(|at| format!("INSERT INTO orders (id, n) VALUES ({}, 1);\n", 100_000 + at)).collect();
    scene.file("006_many.sql", &format!("{many}DELETE FROM orders WHERE id >= 100000;\nINSERT INTO log (word) VALUES ('many');"));
    scene.killed_at(&["apply"], "alone-ended:2");
    scene.ends_with(&["apply"], 0);
    scene.finds(
        "the index is adopted by its name",
        "SELECT state FROM lockkeeper.step WHERE migration = '005' AND kind = 'alone'",
        "adopted",
    );
    scene.settled(&format!("{LOGGED}, größe, many"));
}

#[test]
fn a_role_that_may_see_little() {
    let mut scene = Scene::new("roles", "a role without pg_monitor, which sees nothing of the sessions of others").with_shop();
    scene.configure(&PATIENT.replace("timeout: 20s, budget", "timeout: 1s, budget"));
    let name = scene.database.get_database().expect("a name").to_owned();
    scene.sql(&[
        "DO $$ BEGIN CREATE ROLE keeper LOGIN; EXCEPTION WHEN duplicate_object THEN END $$",
        &format!("GRANT CREATE ON DATABASE {name} TO keeper"),
        "GRANT ALL ON SCHEMA public TO keeper",
    ]);
    scene.reach_by("PGUSER", "keeper".to_owned());
    scene.ends_with(&["apply", "--to", "003"], 0);
    let mut reader = scene.session();
    reader.run("BEGIN; SELECT count(*) FROM orders");
    let running = scene.start(&["apply"]);
    running.says("try 1 given up");
    scene.saw("it still names the process in its way", running.said().contains(&format!("process {}", reader.pid())), &running.said());
    reader.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.settled(LOGGED);
}

#[test]
fn a_role_that_may_connect_three_times() {
    let mut scene = Scene::new("roles", "a role may have three connections").with_shop();
    let name = scene.database.get_database().expect("a name").to_owned();
    scene.sql(&[
        "DO $$ BEGIN CREATE ROLE lone LOGIN CONNECTION LIMIT 3; EXCEPTION WHEN duplicate_object THEN END $$",
        &format!("GRANT ALL ON DATABASE {name} TO lone"),
        "GRANT ALL ON SCHEMA public TO lone",
    ]);
    scene.reach_by("PGUSER", "lone".to_owned());
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("it says how many it takes", answer.err.contains("it takes four connections"), &answer.err);
    scene.sql(&["ALTER ROLE lone CONNECTION LIMIT 4"]);
    scene.ends_with(&["apply"], 0);
    scene.reach_by("PGUSER", "postgres".to_owned());
    scene.settles(LOGGED);
}
