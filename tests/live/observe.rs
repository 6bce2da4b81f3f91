//! The observer itself, on statements whose effects are measured and known (all versions alike).

use crate::servers::{new_database, remove_database, servers};
use insta::assert_snapshot;
use lockkeeper::db::block_on;
use lockkeeper::db::observe::{Observed, Observer};
use lockkeeper::model::effects::{InTransaction, Lock};
use std::fmt::Display;

/// A thousand orders of a hundred users.
const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, state text, placed timestamp);
    CREATE INDEX orders_buyer ON orders (buyer);
    INSERT INTO users SELECT n, 'user' || n FROM generate_series(1, 100) n;
    INSERT INTO orders SELECT n, 1 + n % 100, 'open', now() FROM generate_series(1, 1000) n;
    ANALYZE";

/// What the statements were seen to do, a line for each; the same on every server that is installed.
fn observed(given: &str, statements: &[&str]) -> String {
    observed_from(12, given, statements)
}

/// The same for what is new in a version.
fn observed_from(oldest: u8, given: &str, statements: &[&str]) -> String {
    let on_each: Vec<String> = servers()
        .iter()
        .filter(|server| server.installation().version.0 >= oldest)
        .map(|server| {
            let lines = async {
                let database = new_database(server).await;
                let mut observer = Observer::open(&database).await.expect("the server answers");
                observer.runner().run(given).await.expect("the setup is fine");
                let mut lines = Vec::new();
                for sql in statements {
                    if ["BEGIN", "COMMIT", "ROLLBACK"].contains(sql) {
                        observer.runner().run(sql).await.expect("a transaction can be opened and ended");
                        continue;
                    }
                    let observed = observer.observe(sql, &[]).await.expect("the witness stays connected");
                    lines.push(in_words(&observed));
                }
                observer.close().await;
                remove_database(server, &database).await;
                lines.join("\n")
            };
            block_on(lines).expect("an event queue")
        })
        .collect();
    assert!(on_each.iter().all(|words| *words == on_each[0]), "servers differ:\n{}", on_each.join("\n---\n"));
    on_each.into_iter().next().expect("at least one server of that version")
}

fn in_words(observed: &Observed) -> String {
    if let Some(refusal) = &observed.refused {
        return format!("refused: {}", refusal.message);
    }
    let locks: Vec<String> = observed.locks.iter().chain(&observed.index_locks).map(lock_in_words).collect();
    let mut words = vec![if locks.is_empty() { "no lock".to_owned() } else { locks.join(", ") }];
    let lists =
        [("rewrites", &observed.rewrites), ("rebuilds", &observed.rebuilds), ("builds", &observed.builds), ("scans", &observed.scans)];
    words.extend(lists.iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| format!("{what} {}", list(names))));
    if observed.transaction == InTransaction::Forbidden {
        words.push("not in a transaction".to_owned());
    }
    words.join("; ")
}

fn lock_in_words(lock: &Lock) -> String {
    format!("{} {}", lock.relation.name, lock.mode)
}

fn list(names: &[impl Display]) -> String {
    names.iter().map(|name| name.to_string().replace("public.", "")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_catalog_change_locks_and_does_nothing_else() {
    assert_snapshot!(observed(SHOP, &["ALTER TABLE orders ADD COLUMN note text"]), @"orders ACCESS EXCLUSIVE");
    assert_snapshot!(observed(SHOP, &["ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'new'"]), @"orders ACCESS EXCLUSIVE");
}

#[test]
fn a_changed_type_rewrites_the_table_and_its_indexes() {
    assert_snapshot!(observed(SHOP, &["ALTER TABLE orders ALTER COLUMN buyer TYPE numeric"]), @"orders ACCESS EXCLUSIVE, orders_buyer ACCESS EXCLUSIVE, orders_pkey ACCESS EXCLUSIVE; rewrites orders; rebuilds orders_buyer, orders_pkey; scans orders");
}

#[test]
fn an_index_is_built_from_a_scan() {
    assert_snapshot!(observed(SHOP, &["CREATE INDEX orders_state ON orders (state)"]), @"orders SHARE; builds orders_state; scans orders");
}

#[test]
fn an_index_built_concurrently_is_caught_while_it_waits() {
    assert_snapshot!(observed(SHOP, &["CREATE INDEX CONCURRENTLY orders_state ON orders (state)"]), @"orders SHARE UPDATE EXCLUSIVE; builds orders_state; scans orders; not in a transaction");
    assert_snapshot!(observed(SHOP, &["DROP INDEX CONCURRENTLY orders_buyer"]), @"orders SHARE UPDATE EXCLUSIVE, orders_buyer SHARE UPDATE EXCLUSIVE; not in a transaction");
    assert_snapshot!(observed(SHOP, &["REINDEX TABLE CONCURRENTLY orders"]), @"orders SHARE UPDATE EXCLUSIVE, orders_buyer SHARE UPDATE EXCLUSIVE, orders_pkey SHARE UPDATE EXCLUSIVE; rebuilds orders_buyer, orders_pkey; scans orders; not in a transaction");
}

#[test]
fn maintenance_is_caught_while_it_waits() {
    assert_snapshot!(observed(SHOP, &["VACUUM orders"]), @"orders SHARE UPDATE EXCLUSIVE; scans orders; not in a transaction");
    assert_snapshot!(observed(SHOP, &["VACUUM FULL orders"]), @"orders ACCESS EXCLUSIVE, orders_buyer ACCESS EXCLUSIVE, orders_pkey ACCESS EXCLUSIVE; rewrites orders; rebuilds orders_buyer, orders_pkey; scans orders; not in a transaction");
}

#[test]
fn a_detached_partition_is_locked_at_the_end() {
    let given = "
        CREATE TABLE payments (id bigint, paid date NOT NULL) PARTITION BY RANGE (paid);
        CREATE TABLE payments_2025 PARTITION OF payments FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO payments SELECT n, '2025-06-01' FROM generate_series(1, 1000) n; ANALYZE";
    assert_snapshot!(observed_from(14, given, &["ALTER TABLE payments DETACH PARTITION payments_2025 CONCURRENTLY"]), @"payments SHARE UPDATE EXCLUSIVE, payments_2025 ACCESS EXCLUSIVE; not in a transaction");
}

#[test]
fn a_foreign_key_locks_both_tables_and_reads_them_unless_it_is_not_valid() {
    let add = "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fk FOREIGN KEY (buyer) REFERENCES users (id)";
    assert_snapshot!(observed(SHOP, &[add]), @"orders SHARE ROW EXCLUSIVE, users SHARE ROW EXCLUSIVE; scans orders, users");
    assert_snapshot!(observed(SHOP, &[&format!("{add} NOT VALID"), "ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_fk"]), @r#"
orders SHARE ROW EXCLUSIVE, users SHARE ROW EXCLUSIVE
orders SHARE UPDATE EXCLUSIVE, users ROW SHARE; scans orders, users
"#);
}

#[test]
fn a_not_null_is_read_from_a_validated_check_if_there_is_one() {
    assert_snapshot!(observed(SHOP, &["ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL"]), @"orders ACCESS EXCLUSIVE; scans orders");
    let steps = [
        "ALTER TABLE orders ADD CONSTRAINT buyer_is_set CHECK (buyer IS NOT NULL) NOT VALID",
        "ALTER TABLE orders VALIDATE CONSTRAINT buyer_is_set",
        "ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL",
    ];
    assert_snapshot!(observed(SHOP, &steps), @r#"
orders ACCESS EXCLUSIVE
orders SHARE UPDATE EXCLUSIVE; scans orders
orders ACCESS EXCLUSIVE
"#);
}

#[test]
fn truncate_rewrites_nothing() {
    assert_snapshot!(observed(SHOP, &["TRUNCATE orders"]), @"orders ACCESS EXCLUSIVE, orders_buyer ACCESS EXCLUSIVE, orders_pkey ACCESS EXCLUSIVE");
}

#[test]
fn locks_of_an_open_transaction_add_up() {
    let steps = ["BEGIN", "LOCK TABLE users IN SHARE MODE", "UPDATE orders SET state = 'paid' WHERE id = 7", "COMMIT"];
    assert_snapshot!(observed(SHOP, &steps), @r#"
users SHARE
orders ROW EXCLUSIVE, users SHARE, orders_buyer ROW EXCLUSIVE, orders_pkey ROW EXCLUSIVE
"#);
}

#[test]
fn an_update_of_all_rows_is_a_scan_and_one_by_key_is_none() {
    assert_snapshot!(observed(SHOP, &["UPDATE orders SET state = 'paid'"]), @"orders ROW EXCLUSIVE, orders_buyer ROW EXCLUSIVE, orders_pkey ROW EXCLUSIVE; scans orders");
    assert_snapshot!(observed(SHOP, &["DELETE FROM orders WHERE id = 7"]), @"orders ROW EXCLUSIVE, orders_buyer ROW EXCLUSIVE, orders_pkey ROW EXCLUSIVE");
}

#[test]
fn what_the_server_refuses_is_told_in_its_words() {
    assert_snapshot!(observed(SHOP, &["ALTER TABLE drafts ADD COLUMN note text"]), @r#"refused: relation "drafts" does not exist"#);
    assert_snapshot!(observed(SHOP, &["BEGIN", "VACUUM orders", "SELECT 1", "ROLLBACK"]), @r#"
refused: VACUUM cannot run inside a transaction block
refused: current transaction is aborted, commands ignored until end of transaction block
"#);
}
