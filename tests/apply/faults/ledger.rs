//! What is done to the ledger by others.

use super::project::{LOGGED, Scene};

#[test]
fn a_table_of_the_ledger_is_gone() {
    let mut scene = Scene::new("ledger", "a table of the ledger is renamed by somebody").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.sql(&["ALTER TABLE lockkeeper.migration RENAME TO migration_old"]);
    for command in ["apply", "status", "validate"] {
        let answer = scene.ends_with(&[command], 3);
        assert!(answer.err.contains("somebody has changed the tables of the ledger"), "{}", answer.err);
    }
    scene.saw("all of them say so, and nothing is run", true, "");
    scene.sql(&["ALTER TABLE lockkeeper.migration_old RENAME TO migration"]);
    scene.settles(LOGGED);
}

#[test]
fn the_ledger_says_what_it_cannot_say() {
    let mut scene = Scene::new("ledger", "somebody writes into the ledger by hand").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.sql(&[
        "CREATE TABLE before AS SELECT * FROM lockkeeper.migration",
        "UPDATE lockkeeper.migration SET state = 'finished' WHERE key = '002'",
    ]);
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("a state that does not exist is told", answer.err.contains("`finished` is no state"), &answer.err);
    scene.sql(&["UPDATE lockkeeper.migration SET state = 'applied', hash = 'x', checksum = 'x' WHERE key = '002'"]);
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("another hash is a changed file", answer.err.contains("its SQL has changed"), &answer.err);
    scene.sql(&["DELETE FROM lockkeeper.migration WHERE key = '002'"]);
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("a row that is gone is a file that comes late, and is not run again", answer.err.contains("newer ones have"), &answer.err);
    scene.sql(&["INSERT INTO lockkeeper.migration OVERRIDING SYSTEM VALUE SELECT * FROM before WHERE key = '002'"]);
    scene.settles(LOGGED);
}

#[test]
fn the_ledger_is_newer_than_we_are() {
    let mut scene = Scene::new("ledger", "a newer lockkeeper has written the ledger").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.sql(&["UPDATE lockkeeper.ledger SET format = 99"]);
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("it says which one to use", answer.err.contains("use the lockkeeper that has written it"), &answer.err);
    scene.sql(&["UPDATE lockkeeper.ledger SET format = 1"]);
    scene.settles(LOGGED);
}

#[test]
fn the_whole_ledger_is_gone() {
    let mut scene = Scene::new("ledger", "the schema lockkeeper is dropped after migrations have run").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.sql(&["ALTER SCHEMA lockkeeper RENAME TO away"]);
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("the server refuses what is there already, and that is rolled back", answer.err.contains("already exists"), &answer.err);
    scene.sql(&["DROP SCHEMA lockkeeper CASCADE", "ALTER SCHEMA away RENAME TO lockkeeper"]);
    scene.settles(LOGGED);
}
