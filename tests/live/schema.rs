//! The schema of a live server as text: replayed it is the catalog of that server, and run it makes another such server.

use crate::catalog::{known_alike, replay};
use crate::random_ddl::{difference, histories};
use crate::servers::{new_database, oldest_and_newest, remove_database, servers};
use insta::assert_snapshot;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on, dump, schema};
use lockkeeper::rule::set::RuleSet;
use lockkeeper::sql::{Reading, read};
use lockkeeper::text::{SourceFile, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What no reader can know of a text: that the build of an index has failed.
const FAILED: &str = "-- invalid on the server: its build has failed or is going on\n";

#[test]
fn the_stories_of_the_fixtures_are_told_as_they_are() {
    let mut faults = Vec::new();
    for folder in ["fixtures/catalog", "fixtures/definitions", "fixtures/belongings", "fixtures/schema"] {
        for (name, sql) in stories(folder) {
            for server in oldest_and_newest().filter(|server| is_for(&name, server)) {
                let compared = block_on(async { compare(server, &[sql.as_str()], true).await }).expect("an event queue");
                faults.extend(compared.map(|fault| format!("{name} on {}:\n{fault}", server.installation().release)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn what_the_examples_of_the_rules_begin_with_is_told_as_it_is() {
    let rules = RuleSet::embedded();
    let mut given = BTreeMap::new();
    for entry in rules.all() {
        let examples = entry.examples().unwrap_or_else(|problem| panic!("{}", problem.message));
        for example in examples.bad.iter().chain(&examples.good).filter(|example| example.live && !example.given.is_empty()) {
            given.entry(example.given.clone()).or_insert((entry.id.clone(), example.clone()));
        }
    }
    assert!(given.len() > 100);
    let mut faults = Vec::new();
    let newest = servers().last().expect("there is a server").installation().version;
    for server in oldest_and_newest() {
        let version = server.installation().version;
        // A database or two for each take their time: all of them on the newest server, the others here and there.
        let step = if version == newest { 1 } else { 4 };
        let fitting = given.iter().filter(|(_, (_, example))| example.is_about(version.0));
        for (number, (sql, (rule, _))) in fitting.enumerate().step_by(step) {
            let compared = block_on(async { compare(server, &[sql.as_str()], number % 20 == 0).await }).expect("an event queue");
            faults.extend(compared.map(|fault| format!("{rule} on {}:\n{fault}", server.installation().release)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn random_histories_are_told_as_they_are() {
    let mut faults = Vec::new();
    for server in servers() {
        for (number, statements) in histories(8).into_iter().enumerate() {
            let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
            let compared = block_on(async { compare(server, &statements, true).await }).expect("an event queue");
            faults.extend(compared.map(|fault| format!("history {number} on {}:\n{fault}", server.installation().release)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn what_belongs_to_us_or_to_an_extension_is_left_out_and_what_is_not_told_is_named() {
    let setup = "
        CREATE SCHEMA lockkeeper;
        CREATE TABLE lockkeeper.run (id bigint);
        CREATE TABLE \"Orders\" (id bigint PRIMARY KEY, \"from\" text DEFAULT 'a;b');
        CREATE AGGREGATE longest (text) (sfunc = textcat, stype = text);
        CREATE FUNCTION is_open(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT state = 'open' $$;
        CREATE DOMAIN state AS text CHECK (is_open(VALUE))";
    let on_each: BTreeSet<String> = servers().iter().map(|server| block_on(told(server, setup)).expect("an event queue")).collect();
    let on_each: Vec<String> = on_each.into_iter().collect();
    assert_snapshot!(on_each.join("-- another server:\n"), @r#"
-- The schema of a live server, as its catalogs tell it. What belongs to an extension comes with the extension.
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
-- not told: function public.longest(text)

CREATE SCHEMA IF NOT EXISTS public;

CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;

CREATE OR REPLACE FUNCTION public.is_open(state text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT state = 'open' $function$;

CREATE DOMAIN public.state AS text CONSTRAINT state_check CHECK (public.is_open(VALUE));

CREATE TABLE public."Orders" (
    id bigint NOT NULL,
    "from" text
);

ALTER TABLE ONLY public."Orders" ALTER COLUMN "from" SET DEFAULT 'a;b'::text;

ALTER TABLE ONLY public."Orders" ADD CONSTRAINT "Orders_pkey" PRIMARY KEY (id);
"#);
}

#[test]
fn an_index_whose_build_has_failed_is_told_with_a_note() {
    let setup = "CREATE TABLE users (email text); INSERT INTO users VALUES ('a'), ('a')";
    for server in oldest_and_newest() {
        let text = block_on(async {
            let options = new_database(server).await;
            let mut connection = Connection::open(&options).await.expect("the server answers");
            connection.run(setup).await.expect("the setup is fine");
            connection.run("CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)").await.expect_err("there are duplicates");
            schema::sql(&mut connection).await.expect("the schema can be read")
        })
        .expect("an event queue");
        assert!(text.contains(&format!("{FAILED}CREATE UNIQUE INDEX users_email ON public.users USING btree (email);")), "{text}");
    }
}

#[test]
fn a_view_over_a_table_that_somebody_holds_is_waited_for_but_not_for_long() {
    let server = &servers()[0];
    let refusal = block_on(async {
        let options = new_database(server).await;
        let mut connection = Connection::open(&options).await.expect("the server answers");
        connection
            .run("CREATE TABLE orders (id bigint); CREATE VIEW open_orders AS SELECT * FROM orders")
            .await
            .expect("the setup is fine");
        let mut holder = Connection::open(&options).await.expect("the server answers");
        holder.run("BEGIN; LOCK TABLE orders").await.expect("nobody is in the way");
        let refusal = schema::sql(&mut connection).await.expect_err("the table is held");
        holder.run("ROLLBACK").await.expect("a transaction is open");
        // The connection is as it was.
        schema::sql(&mut connection).await.expect("nobody is in the way");
        refusal
    })
    .expect("an event queue");
    assert_eq!(refusal.code, "55P03");
}

/// The text of a schema.
async fn told(server: &Server, setup: &str) -> String {
    let options = new_database(server).await;
    let mut connection = Connection::open(&options).await.expect("the server answers");
    connection.run(setup).await.expect("the setup is fine");
    schema::sql(&mut connection).await.expect("the schema can be read")
}

/// The server quotes names of types and no others.
fn unquoted(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| line.replace('"', "")).collect()
}

/// Files of SQL by name.
fn stories(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = folder.read_dir().expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let mut stories: Vec<(String, String)> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("it was listed")))
        .collect();
    stories.sort();
    assert!(!stories.is_empty());
    stories
}

/// `from-15.sql` is for 15 and later.
fn is_for(name: &str, server: &Server) -> bool {
    let since = name.rsplit("from-").next().and_then(|rest| rest.strip_suffix(".sql")).and_then(|since| since.parse().ok()).unwrap_or(13);
    server.installation().version.0 >= since
}

/// In what the text of a schema differs from it: replayed, and, with `and_run`, run in an empty database.
async fn compare(server: &Server, scripts: &[&str], and_run: bool) -> Option<String> {
    let options = new_database(server).await;
    let mut connection = Connection::open(&options).await.expect("the server answers");
    for script in scripts {
        let source = SourceFile::new("given.sql", *script);
        for statement in read(&source, Span::new(0, script.len() as u32)).statements {
            // What the server refuses has not happened.
            let _ = connection.run(&source.text(statement.span)).await;
        }
    }
    let live = dump::lines(&mut connection).await.expect("the schema can be read");
    let text = schema::sql(&mut connection).await.expect("the schema can be read");
    connection.close().await;
    let mut faults = Vec::new();
    let source = SourceFile::new("schema.sql", text.as_str());
    let script = read(&source, Span::new(0, text.len() as u32));
    let unread = script.statements.iter().filter(|statement| statement.reading == Reading::Unreadable);
    faults.extend(unread.map(|statement| format!("{:?}: {}", statement.reading, source.text(statement.span))));
    let replayed = replay(&script);
    faults.extend(difference(&unquoted(&known_alike(&live)), &unquoted(&replayed)).map(|lines| format!("replayed:\n{lines}")));
    if and_run {
        let copy = new_database(server).await;
        let mut connection = Connection::open(&copy).await.expect("the server answers");
        match connection.run(&text).await {
            Ok(()) => {
                let made = dump::lines(&mut connection).await.expect("the schema can be read");
                faults.extend(difference(&live, &made).map(|lines| format!("run:\n{lines}")));
                let again = schema::sql(&mut connection).await.expect("the schema can be read");
                faults.extend((again != text).then(|| format!("told again:\n{again}\n-- before:\n{text}")));
            }
            Err(refusal) => faults.push(format!("refused: {refusal}\n{text}")),
        }
        connection.close().await;
        remove_database(server, &copy).await;
    }
    remove_database(server, &options).await;
    (!faults.is_empty()).then(|| faults.join("\n"))
}
