//! What a statement does beyond what `tests/lock_truth.rs` measures: what is lost, which code breaks, and what is assumed where the
//! history does not tell.

use insta::assert_snapshot;
use lockkeeper::model::catalog::{Catalog, Step};
use lockkeeper::model::effects::{Effects, InTransaction, Loss, Version, assess, union};
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::sql;
use lockkeeper::text::{SourceFile, Span};
use std::fmt::Write;

/// The effects of the last statement of `text` in words; those before it are history. The history is whole: it began with an empty database.
fn effects(text: &str) -> String {
    after(Catalog::new(true), text)
}

/// The same of a history that begins somewhere in the middle.
fn effects_in_the_middle(text: &str) -> String {
    after(Catalog::new(false), text)
}

fn after(mut catalog: Catalog, text: &str) -> String {
    let source = SourceFile::new("orders.sql", text);
    let statements = sql::read(&source, Span::new(0, text.len() as u32)).statements;
    let mut session = Session::new(TransactionMode::None, Step(1));
    let mut last = Effects::default();
    for statement in &statements {
        let effects = assess(&statement.operations, &catalog, &session, Version::DEFAULT);
        for (operation, effects) in statement.operations.iter().zip(&effects) {
            catalog.replay(&operation.what, Step(1));
            session.advance(&operation.what, effects, 0);
        }
        last = union(&effects);
    }
    words(&last)
}

fn words(effects: &Effects) -> String {
    let mut words = String::new();
    let mut say = |word: &str, what: Vec<String>| {
        if !what.is_empty() {
            let _ = write!(words, "{}{word} {}", if words.is_empty() { "" } else { "; " }, what.join(", "));
        }
    };
    let names = |names: &[lockkeeper::model::name::QualifiedName]| names.iter().map(|name| name.name.to_string()).collect();
    say("locks", effects.locks.iter().map(|lock| format!("{} {}", lock.relation.name, lock.mode)).collect());
    say("rewrites", names(&effects.rewrites));
    say("scans", names(&effects.scans));
    say("builds", names(&effects.builds));
    say("rebuilds", names(&effects.rebuilds));
    let lost = |loss: &Loss| match loss {
        Loss::Relation(relation) => relation.name.to_string(),
        Loss::Column(relation, column) => format!("{}.{column}", relation.name),
        Loss::Rows(relation) => format!("rows of {}", relation.name),
        Loss::Schema(schema) => format!("schema {schema}"),
        Loss::Database => "database".to_owned(),
    };
    say("loses", effects.destroys.iter().map(lost).collect());
    let broken = effects.breaks.iter().map(|broken| {
        let column = broken.column.as_ref().map_or(String::new(), |column| format!(".{column}"));
        format!("{}{column} {:?}", broken.relation.name, broken.kind).to_lowercase()
    });
    say("breaks", broken.collect());
    say("assumes", effects.assumed.iter().map(|fact| (*fact).to_owned()).collect());
    let flags =
        [("unbounded", effects.unbounded), ("opaque", effects.opaque), ("no transaction", effects.transaction == InTransaction::Forbidden)];
    say("is", flags.iter().filter(|(_, set)| *set).map(|(word, _)| (*word).to_owned()).collect());
    words
}

#[test]
fn a_dropped_column_is_lost_and_missed() {
    assert_snapshot!(effects("CREATE TABLE orders (id bigint, note text); ALTER TABLE orders DROP COLUMN note"), @"locks orders ACCESS EXCLUSIVE; loses orders.note; breaks orders.note removed");
}

#[test]
fn a_dropped_table_takes_its_views_along_if_it_may() {
    assert_snapshot!(
        effects("CREATE TABLE orders (id bigint); CREATE VIEW open_orders AS SELECT id FROM orders; DROP TABLE orders CASCADE"), @"locks orders ACCESS EXCLUSIVE, open_orders ACCESS EXCLUSIVE; loses orders; breaks orders removed, open_orders removed");
}

#[test]
fn a_table_that_was_never_there_is_not_missed() {
    assert_snapshot!(effects("DROP TABLE IF EXISTS orders"), @"");
    assert_snapshot!(effects_in_the_middle("DROP TABLE IF EXISTS orders"), @"locks orders ACCESS EXCLUSIVE; loses orders; breaks orders removed; assumes foreign_keys");
}

#[test]
fn a_longer_limit_breaks_nothing_and_another_type_does() {
    let given = "CREATE TABLE users (id bigint, email varchar(50), age int); ";
    assert_snapshot!(effects(&format!("{given} ALTER TABLE users ALTER email TYPE varchar(100)")), @"locks users ACCESS EXCLUSIVE");
    assert_snapshot!(effects(&format!("{given} ALTER TABLE users ALTER age TYPE bigint")), @"locks users ACCESS EXCLUSIVE; rewrites users; scans users; breaks users.age retyped");
}

#[test]
fn what_has_to_be_given_from_now_on_breaks_those_who_leave_it_out() {
    let given = "CREATE TABLE orders (id bigint, buyer bigint); ";
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ADD COLUMN currency text NOT NULL")), @"locks orders ACCESS EXCLUSIVE; breaks orders.currency required");
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR'")), @"locks orders ACCESS EXCLUSIVE");
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ALTER buyer SET NOT NULL")), @"locks orders ACCESS EXCLUSIVE; scans orders; breaks orders.buyer required");
}

#[test]
fn a_check_that_refuses_null_already_asks_nothing_new() {
    let given = "CREATE TABLE orders (id bigint, buyer bigint); ALTER TABLE orders ADD CONSTRAINT buyer_is_set CHECK (buyer IS NOT NULL) NOT VALID; ";
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ALTER buyer SET NOT NULL")), @"locks orders ACCESS EXCLUSIVE; scans orders");
    assert_snapshot!(
        effects(&format!("{given} ALTER TABLE orders VALIDATE CONSTRAINT buyer_is_set; ALTER TABLE orders ALTER buyer SET NOT NULL")), @"locks orders ACCESS EXCLUSIVE");
}

#[test]
fn what_the_history_does_not_tell_is_taken_at_its_worst_and_named() {
    assert_snapshot!(effects_in_the_middle("ALTER TABLE orders ALTER total TYPE numeric(12, 2)"), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders; breaks orders.total retyped; assumes column_type");
    assert_snapshot!(effects_in_the_middle("ALTER TABLE orders ALTER buyer SET NOT NULL"), @"locks orders ACCESS EXCLUSIVE; scans orders; breaks orders.buyer required; assumes constraints");
    assert_snapshot!(effects_in_the_middle("ALTER TABLE orders ADD COLUMN code text DEFAULT order_code()"), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders; assumes default");
    assert_snapshot!(effects_in_the_middle("ALTER TABLE orders ADD COLUMN state order_state"), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders; assumes column_type");
    assert_snapshot!(effects_in_the_middle("DROP INDEX orders_buyer"), @"locks orders_buyer ACCESS EXCLUSIVE; assumes table");
    assert_snapshot!(effects_in_the_middle("ALTER TABLE orders DROP CONSTRAINT orders_buyer_fkey"), @"locks orders ACCESS EXCLUSIVE; assumes constraint");
}

#[test]
fn the_time_zone_decides_and_may_be_unknown() {
    let given = "CREATE TABLE orders (id bigint, paid timestamp); ";
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ALTER paid TYPE timestamptz")), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders; breaks orders.paid retyped; assumes time_zone");
    assert_snapshot!(effects(&format!("{given} SET timezone = 'UTC'; ALTER TABLE orders ALTER paid TYPE timestamptz")), @"locks orders ACCESS EXCLUSIVE; breaks orders.paid retyped");
}

#[test]
fn a_function_is_as_volatile_as_the_history_says() {
    let given = "CREATE TABLE orders (id bigint); CREATE FUNCTION order_code() RETURNS text LANGUAGE sql";
    assert_snapshot!(effects(&format!("{given} STABLE AS 'SELECT 1::text'; ALTER TABLE orders ADD COLUMN code text DEFAULT order_code()")), @"locks orders ACCESS EXCLUSIVE");
    assert_snapshot!(effects(&format!("{given} AS 'SELECT 1::text'; ALTER TABLE orders ADD COLUMN code text DEFAULT order_code()")), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders");
}

#[test]
fn a_name_in_another_schema_is_not_taken_for_the_servers_own() {
    let given = "CREATE TABLE orders (id bigint); ";
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT pg_catalog.now()")), @"locks orders ACCESS EXCLUSIVE");
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT shop.now()")), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders; assumes default");
    assert_snapshot!(effects(&format!("{given} ALTER TABLE orders ADD COLUMN key uuid DEFAULT extensions.uuid_generate_v4()")), @"locks orders ACCESS EXCLUSIVE; rewrites orders; scans orders");
}

#[test]
fn changes_of_rows_are_bounded_by_an_indexed_condition_or_not_at_all() {
    let given = "CREATE TABLE orders (id bigint PRIMARY KEY, note text); ";
    assert_snapshot!(effects(&format!("{given} UPDATE orders SET note = '' WHERE id > 5 AND id <= 5000")), @"locks orders ROW EXCLUSIVE");
    assert_snapshot!(effects(&format!("{given} UPDATE orders SET note = '' WHERE note IS NULL")), @"locks orders ROW EXCLUSIVE; scans orders; is unbounded");
    assert_snapshot!(effects(&format!("{given} DELETE FROM orders")), @"locks orders ROW EXCLUSIVE; scans orders; loses rows of orders; is unbounded");
    assert_snapshot!(effects(&format!("{given} TRUNCATE orders")), @"locks orders ACCESS EXCLUSIVE, orders_pkey ACCESS EXCLUSIVE; loses rows of orders");
}

#[test]
fn a_block_and_a_call_do_what_their_bodies_do() {
    assert_snapshot!(effects("DO $$ BEGIN PERFORM 1; END $$"), @"");
    assert_snapshot!(effects("CALL settle_payments()"), @"");
}

#[test]
fn what_only_the_server_knows_is_taken_at_its_worst() {
    let opaque = |text: &str, whole: bool| {
        let source = SourceFile::new("orders.sql", text);
        let statements = sql::read(&source, Span::new(0, text.len() as u32)).statements;
        let session = Session::new(TransactionMode::None, Step(1));
        union(&assess(&statements[0].operations, &Catalog::new(whole), &session, Version::DEFAULT)).opaque
    };
    for text in ["REINDEX DATABASE shop", "REINDEX SCHEMA public", "REINDEX SYSTEM shop", "DROP OWNED BY clerk CASCADE"] {
        assert!(opaque(text, false), "{text}");
    }
    assert!(opaque("REINDEX SYSTEM shop", true), "the system catalogs are never part of the history");
    for text in ["REINDEX DATABASE CONCURRENTLY shop", "REINDEX TABLE orders", "REASSIGN OWNED BY clerk TO boss"] {
        assert!(!opaque(text, false), "{text}");
    }
    assert!(!opaque("REINDEX DATABASE shop", true));
}
