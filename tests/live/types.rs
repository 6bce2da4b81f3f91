//! What a change of a column's type costs, for every pair of types that a server has, and in every time zone that it knows.

use crate::servers::{new_database, remove_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::catalog::{Catalog, Step};
use lockkeeper::model::effects::{Effects, Version, assess, union};
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::model::types::{KeyTypes, key_types};
use lockkeeper::sql;
use lockkeeper::text::{SourceFile, Span};

/// Types of the server alone, modifiers beside them, and what a project makes of them.
const SPELLED: &[&str] = &[
    "varchar(10)",
    "varchar(20)",
    "char(10)",
    "char(20)",
    "bpchar",
    "numeric(10,2)",
    "numeric(12,2)",
    "numeric(12,4)",
    "numeric(10)",
    "timestamp(3)",
    "timestamp(6)",
    "timestamptz(3)",
    "timestamptz(6)",
    "time(3)",
    "timetz(3)",
    "interval(3)",
    "interval year to month",
    "interval day to second",
    "interval day to second(3)",
    "interval hour to minute",
    "interval minute",
    "interval second",
    "bit(4)",
    "bit(8)",
    "varbit(4)",
    "varbit(8)",
    "text[]",
    "varchar(10)[]",
    "varchar(20)[]",
    "integer[]",
    "bigint[]",
    "numeric(10,2)[]",
    "note",
    "short_note",
    "long_note",
    "nested_note",
    "checked_note",
    "nested_checked_note",
    "some_note",
    "number",
    "exact",
    "state",
    "other_state",
    "state[]",
    "place",
    "any_state",
    "citext",
];

const PROJECT: &str = "
    CREATE DOMAIN note AS text;
    CREATE DOMAIN short_note AS varchar(10);
    CREATE DOMAIN long_note AS varchar(20);
    CREATE DOMAIN nested_note AS note;
    CREATE DOMAIN checked_note AS text CHECK (length(VALUE) < 50);
    CREATE DOMAIN nested_checked_note AS checked_note;
    CREATE DOMAIN some_note AS text NOT NULL;
    CREATE DOMAIN number AS integer;
    CREATE DOMAIN exact AS numeric(10, 2);
    CREATE TYPE state AS ENUM ('open', 'paid');
    CREATE TYPE other_state AS ENUM ('open', 'paid');
    CREATE TYPE place AS (street text, town text);
    CREATE DOMAIN any_state AS state;";

/// The server's own types that nobody gives a column. `name` is one, but then nothing about a change of its type is told.
const INTERNAL: &str = "'aclitem', 'gtsvector', 'refcursor', 'regdatabase'";

/// Does the change without USING if the server can, else with a plain cast; with an index over the column if there can be one.
const MEASURE: &str = r#"
    CREATE FUNCTION measure(before text, after text, indexed boolean) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE change text := 'ALTER TABLE t ALTER COLUMN c TYPE ' || after; rows oid; keys oid;
    BEGIN
        -- Most pairs have no cast, and this says so soonest.
        EXECUTE 'EXPLAIN SELECT NULL::' || before || '::' || after;
        EXECUTE 'CREATE TABLE t (c ' || before || ')';
        IF indexed THEN CREATE INDEX i ON t (c); END IF;
        rows := pg_relation_filenode('t');
        keys := CASE WHEN indexed THEN pg_relation_filenode(to_regclass('i')) END;
        BEGIN
            EXECUTE change;
        EXCEPTION WHEN datatype_mismatch THEN
            change := change || ' USING c::' || after;
            EXECUTE change;
        END;
        RAISE EXCEPTION USING ERRCODE = 'LK000', MESSAGE = change || '; ' ||
            CASE WHEN rows <> pg_relation_filenode('t') THEN 'rewrites' WHEN keys <> pg_relation_filenode(to_regclass('i')) THEN 'rebuilds' ELSE 'free' END;
    EXCEPTION WHEN SQLSTATE 'LK000' THEN RETURN SQLERRM; WHEN OTHERS THEN RETURN NULL;
    END $$;
    CREATE FUNCTION measure_all(names text[]) RETURNS SETOF text LANGUAGE sql AS $$
        SELECT before || '; ' || measured FROM unnest(names) before, unnest(names) after,
               coalesce('true; ' || measure(before, after, true), 'false; ' || measure(before, after, false)) measured
        WHERE before <> after AND measured IS NOT NULL $$;"#;

#[test]
fn each_pair_of_types_costs_what_is_told() {
    for server in servers() {
        block_on(walk(server, "Europe/Berlin", |_| true, 1000)).expect("an event queue");
        // The zone decides about times alone.
        block_on(walk(server, "UTC", |name| name.contains("time") || name == "date", 20)).expect("an event queue");
    }
}

async fn walk(server: &Server, zone: &str, wanted: fn(&str) -> bool, least: usize) {
    let database = new_database(server).await;
    let mut connection = Connection::open(&database).await.expect("the server answers");
    let with_citext = connection.run("CREATE EXTENSION citext").await.is_ok();
    connection.run(&format!("{PROJECT} {MEASURE} SET TimeZone = '{zone}'")).await.expect("the setup is fine");
    let own = format!(
        "SELECT format_type(oid, NULL) FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm')
           AND typcategory <> 'A' AND typrelid = 0 AND typname !~ '^pg_(n|d|m|b|t)' AND typname NOT IN ({INTERNAL}) ORDER BY typname"
    );
    let own = connection.texts(&own).await.expect("the catalog can be read");
    let names: Vec<&str> =
        own.iter().map(String::as_str).chain(SPELLED.iter().copied().filter(|name| with_citext || *name != "citext")).collect();
    let list = names.iter().filter(|name| wanted(name)).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let measured = connection.texts(&format!("SELECT measure_all(ARRAY[{list}])")).await.expect("each pair is tried by itself");
    connection.close().await;
    remove_database(server, &database).await;
    assert!(measured.len() > least, "only {} pairs could be tried", measured.len());
    let history = after(Catalog::new(true), &format!("CREATE EXTENSION citext; {PROJECT}"), zone).0;
    let version = server.installation().version;
    let faults: Vec<String> = measured.iter().filter_map(|line| differs(&history, line, zone, version)).collect();
    let release = &server.installation().release;
    assert!(faults.is_empty(), "{} of {} pairs on {release}, {zone}:\n{}", faults.len(), measured.len(), faults.join("\n"));
}

/// `integer; true; ALTER TABLE ...; rewrites`: what is told otherwise, if anything.
fn differs(history: &Catalog, measured: &str, zone: &str, version: Version) -> Option<String> {
    let [before, indexed, change, seen] = measured.split("; ").collect::<Vec<_>>()[..] else { return Some(measured.to_owned()) };
    let index = if indexed == "true" { "CREATE INDEX i ON t (c);" } else { "" };
    let given = after(history.clone(), &format!("CREATE TABLE t (c {before}); {index}"), zone).0;
    let told = word(&effects(&given, change, zone, version));
    (told != seen).then(|| format!("{before}, index {indexed}: {change}: {seen}, told is {told}"))
}

fn word(effects: &Effects) -> &'static str {
    match effects {
        Effects { assumed, .. } if !assumed.is_empty() => "unknown",
        Effects { rewrites, .. } if !rewrites.is_empty() => "rewrites",
        Effects { rebuilds, .. } if !rebuilds.is_empty() => "rebuilds",
        Effects { .. } => "free",
    }
}

/// The catalog behind some statements, and the session.
fn after(mut catalog: Catalog, text: &str, zone: &str) -> (Catalog, Session) {
    let text = format!("SET TimeZone = '{zone}'; {text}");
    let source = SourceFile::new("orders.sql", text.as_str());
    let mut session = Session::new(TransactionMode::None, Step(1));
    for statement in sql::read(&source, Span::new(0, text.len() as u32)).statements {
        for operation in &statement.operations {
            catalog.replay(&operation.what, Step(1));
            session.advance(&operation.what, &Effects::default(), 0);
        }
    }
    (catalog, session)
}

fn effects(catalog: &Catalog, change: &str, zone: &str, version: Version) -> Effects {
    let session = after(Catalog::new(true), "", zone).1;
    let source = SourceFile::new("orders.sql", change);
    let statements = sql::read(&source, Span::new(0, change.len() as u32)).statements;
    union(&assess(&statements[0].operations, catalog, &session, version))
}

#[test]
fn a_time_zone_is_told_to_be_utc_if_the_server_keeps_the_rows_in_it() {
    for server in servers() {
        block_on(walk_zones(server)).expect("an event queue");
    }
}

async fn walk_zones(server: &Server) {
    let database = new_database(server).await;
    let mut connection = Connection::open(&database).await.expect("the server answers");
    let zones = "
        CREATE FUNCTION measure_zone(zone text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
            PERFORM set_config('TimeZone', zone, false);
            RETURN zone || '; ' || right(measure('timestamp', 'timestamptz', true), 8);
        EXCEPTION WHEN OTHERS THEN RETURN zone || '; refused'; END $$;";
    connection.run(&format!("{MEASURE} {zones}")).await.expect("the setup is fine");
    let names = "SELECT name FROM pg_timezone_names WHERE name !~ '^posix' AND name <> 'localtime' UNION ALL SELECT unnest(ARRAY['0', '00', '+0', 'utc', 'Utc', 'Z', 'UTC0', '<+00>0', '1'])";
    let measured =
        connection.texts(&format!("SELECT measure_zone(name) FROM ({names}) zones")).await.expect("each zone is tried by itself");
    connection.close().await;
    remove_database(server, &database).await;
    assert!(measured.len() > 10, "{measured:?}");
    let given = after(Catalog::new(true), "CREATE TABLE t (c timestamp); CREATE INDEX i ON t (c);", "UTC").0;
    let change = "ALTER TABLE t ALTER COLUMN c TYPE timestamptz";
    let version = server.installation().version;
    let mut faults = Vec::new();
    let mut kept = 0;
    for line in measured.iter().filter(|line| !line.ends_with("refused")) {
        let (zone, seen) = line.split_once("; ").expect("two words");
        let told = word(&effects(&given, change, zone, version));
        kept += u32::from(told == "rebuilds");
        // One that nobody calls UTC may be told to rewrite; what is told to keep the rows has to.
        let is_odd = ["UTC0", "<+00>0", "00", "+0", "Z"].contains(&zone);
        if told != seen && !(is_odd && told == "rewrites") {
            faults.push(format!("{zone}: {seen}, told is {told}"));
        }
    }
    assert!(faults.is_empty() && kept > 5, "on {}: {}", server.installation().release, faults.join("\n"));
}

#[test]
fn a_foreign_key_is_refused_between_the_types_that_are_told_to_be_incomparable() {
    for server in servers() {
        block_on(walk_keys(server)).expect("an event queue");
    }
}

async fn walk_keys(server: &Server) {
    const KEYS: &str =
        "'smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision', 'text', 'varchar', 'name', 'char(4)', 'bpchar',
        'date', 'timestamp', 'timestamptz', 'time', 'timetz', 'uuid', 'boolean', 'bytea', 'inet', 'cidr', 'interval', 'money', 'bit(4)',
        'varbit', 'macaddr', 'oid', 'jsonb', 'citext'";
    let database = new_database(server).await;
    let mut connection = Connection::open(&database).await.expect("the server answers");
    let with_citext = connection.run("CREATE EXTENSION citext").await.is_ok();
    let measure = "
        CREATE FUNCTION takes(own text, other text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            EXECUTE format('CREATE TABLE b (c %s PRIMARY KEY); CREATE TABLE a (c %s REFERENCES b); DROP TABLE a, b', other, own);
            RETURN true;
        EXCEPTION WHEN datatype_mismatch THEN RETURN false; END $$;";
    connection.run(measure).await.expect("the setup is fine");
    let names = if with_citext { KEYS.to_owned() } else { KEYS.replace(", 'citext'", "") };
    let pairs =
        format!("SELECT own || '; ' || other || '; ' || takes(own, other) FROM unnest(ARRAY[{names}]) own, unnest(ARRAY[{names}]) other");
    let measured = connection.texts(&pairs).await.expect("each pair is tried by itself");
    connection.close().await;
    remove_database(server, &database).await;
    let mut faults = Vec::new();
    for line in &measured {
        let [own, other, takes] = line.split("; ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        let catalog = after(Catalog::new(true), &format!("CREATE TABLE a (own {own}, other {other})"), "UTC").0;
        let table = catalog.relations().find(|relation| relation.is_table()).expect("it was made");
        let [own, other] = [0, 1].map(|at| table.columns[at].data_type.as_ref().expect("it was written"));
        let told = key_types(own, other).expect("all of them are known") != KeyTypes::Incomparable;
        if told.to_string() != takes {
            faults.push(line.as_str());
        }
    }
    assert!(faults.is_empty(), "on {}:\n{}", server.installation().release, faults.join("\n"));
}
