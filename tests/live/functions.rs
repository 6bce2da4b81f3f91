//! The volatility of every function of every server, as lockkeeper has it as data.

use crate::servers::{new_database, remove_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::effects::Version;
use lockkeeper::model::functions::{in_pg_proc, names_in_pg_proc};
use lockkeeper::model::operation::Volatility;
use std::collections::BTreeMap;

/// What comes with the server's own contrib; other extensions are not spoken of.
const CONTRIB: &str = "adminpack amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw \
    fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime old_snapshot pageinspect pg_buffercache pg_freespacemap \
    pg_logicalinspect pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple \
    postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2";

/// The most volatile overload of each function that an expression can call.
const FUNCTIONS: &str = r#"
    SELECT proname || ' ' || max(provolatile::text COLLATE "C") FROM pg_proc
    WHERE prokind IN ('f', 'w') AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[]
      AND prorettype <> ALL (ARRAY['trigger', 'event_trigger', 'internal', 'language_handler']::regtype[]) GROUP BY proname"#;

#[test]
fn each_function_is_as_volatile_as_its_server_says() {
    let mut faults = Vec::new();
    for server in servers() {
        let (release, version) = (&server.installation().release, server.installation().version);
        let said = block_on(functions(server)).expect("an event queue");
        // Minor releases bring new ones of these (15.20), which the server refuses to everybody but pg_upgrade.
        let is_asked = |name: &str| !name.starts_with("binary_upgrade_");
        let whole = said.keys().any(|name| name == "pgp_sym_encrypt");
        for (name, letter) in said.iter().filter(|(name, _)| is_asked(name)) {
            let told = in_pg_proc(name, version).map(word);
            if told != Some(letter.as_str()) {
                faults.push(format!("{name} on {release}: {letter}, told is {told:?}"));
            }
        }
        // A server without contrib lacks what contrib brings.
        let gone =
            names_in_pg_proc().filter(|name| whole && is_asked(name) && in_pg_proc(name, version).is_some() && !said.contains_key(*name));
        faults.extend(gone.map(|name| format!("{name} on {release}: there is none")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn word(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Immutable => "i",
        Volatility::Stable => "s",
        Volatility::Volatile => "v",
    }
}

/// By name: the letter.
async fn functions(server: &Server) -> BTreeMap<String, String> {
    let database = new_database(server).await;
    let mut connection = Connection::open(&database).await.expect("the server answers");
    let available = connection.texts("SELECT name::text FROM pg_available_extensions").await.expect("the catalog can be read");
    for name in available.iter().filter(|name| CONTRIB.split_ascii_whitespace().any(|known| known == **name)) {
        connection.run(&format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE")).await.expect("a superuser may");
    }
    let lines = connection.texts(FUNCTIONS).await.expect("the catalog can be read");
    connection.close().await;
    remove_database(server, &database).await;
    lines.iter().filter_map(|line| line.split_once(' ')).map(|(name, letter)| (name.to_owned(), letter.to_owned())).collect()
}

#[test]
fn what_no_installed_server_says_is_what_its_neighbours_say() {
    let letters = |name: &str| -> Vec<Option<&str>> { (12..=19).map(|major| in_pg_proc(name, Version(major)).map(word)).collect() };
    for name in names_in_pg_proc() {
        let row = letters(name);
        // A function comes, changes, and goes, and none of it twice.
        let mut runs = row.clone();
        runs.dedup();
        let known: Vec<_> = runs.iter().flatten().collect();
        assert!(known.len() <= 2 && known.first() != known.get(1), "{name} is {row:?}");
        let middle = runs.get(1..runs.len().saturating_sub(1)).unwrap_or_default();
        assert!(!middle.contains(&None), "{name} is {row:?}");
        // Nothing of 19 has been measured yet.
        assert_eq!(row[6], row[7], "{name}");
    }
}
