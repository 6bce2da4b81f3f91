//! INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE and queries.

use super::{spans, words};
use crate::model::expression::Predicate;
use crate::model::operation::Operation;
use crate::sql::read;
use crate::text::{SourceFile, Span};
use insta::assert_snapshot;

#[test]
fn insert_counts_its_rows_and_keeps_its_literals() {
    assert_snapshot!(words("INSERT INTO orders (id, note) VALUES (1, 'new'), (2, 'paid') ON CONFLICT (id) DO UPDATE SET note = excluded.note"), @"insert orders (id, note) rows=2 on_conflict");
    assert_snapshot!(words("INSERT INTO orders OVERRIDING SYSTEM VALUE VALUES ((SELECT max(id) FROM drafts), now())"), @"insert orders () rows=1 reads=drafts calls=max,now");
    assert_snapshot!(words("INSERT INTO orders DEFAULT VALUES"), @"insert orders () default_values");
}

#[test]
fn insert_says_what_bounds_its_query() {
    assert_snapshot!(words("INSERT INTO archive SELECT * FROM orders"), @"insert archive () query reads=orders");
    assert_snapshot!(words("INSERT INTO archive (SELECT * FROM orders LIMIT 500)"), @"insert archive () query limited reads=orders");
    assert_snapshot!(words("INSERT INTO archive SELECT * FROM orders WHERE id > 500 AND id <= 1000 ON CONFLICT DO NOTHING"), @"insert archive () query where [id > 500 and id <= 1000] on_conflict reads=orders");
    assert_snapshot!(words("WITH batch AS (SELECT * FROM orders LIMIT 500) INSERT INTO archive SELECT * FROM batch"), @"insert archive () query limited reads=orders");
}

#[test]
fn update_names_its_columns_and_its_condition() {
    assert_snapshot!(words("UPDATE orders o SET note = lower(u.name), (paid, total[1]) = (true, 'x') FROM users u WHERE u.id = o.buyer"), @"update orders (note, paid, total) where [u . id = o . buyer] reads=users calls=lower");
    assert_snapshot!(words("UPDATE ONLY shop.orders SET a = b IS DISTINCT FROM c"), @"update shop.orders only (a)");
    assert_snapshot!(words("UPDATE orders SET paid = true WHERE CURRENT OF c"), @"update orders (paid) where [current of c] current_of");
    assert_snapshot!(words("UPDATE orders FOR PORTION OF valid FROM '2024-01-01' TO '2025-01-01' SET paid = true"), @"update orders (paid)");
}

#[test]
fn a_batch_is_seen_however_it_is_joined() {
    for sql in [
        "UPDATE orders SET paid = true WHERE id IN (SELECT id FROM orders WHERE NOT paid LIMIT 1000)",
        "WITH batch AS (SELECT id FROM orders LIMIT 1000 FOR UPDATE SKIP LOCKED) UPDATE orders SET paid = true FROM batch WHERE orders.id = batch.id",
        "WITH batch AS (SELECT id FROM orders LIMIT 1000) UPDATE orders o SET paid = true FROM batch b WHERE b.id = o.id",
        "UPDATE orders o SET paid = true FROM (SELECT id FROM orders LIMIT 1000) AS batch WHERE o.id = batch.id",
        "WITH batch AS (SELECT id FROM orders LIMIT 1000) UPDATE orders SET paid = true WHERE id IN (SELECT id FROM batch)",
    ] {
        assert!(picks_a_few(sql), "{sql}");
    }
    // A join can bring more rows than the batch has.
    assert!(!picks_a_few(
        "WITH batch AS (SELECT id FROM orders LIMIT 9) DELETE FROM orders WHERE id IN (SELECT o.id FROM orders o, batch)"
    ));
    assert!(!picks_a_few("WITH batch AS (SELECT id FROM orders) DELETE FROM orders USING batch WHERE orders.id = batch.id"));
}

/// Whether the last operation changes rows that a LIMIT has picked.
fn picks_a_few(sql: &str) -> bool {
    let source = SourceFile::new("orders.sql", sql);
    let mut statements = read(&source, Span::new(0, sql.len() as u32)).statements;
    let last = statements.pop().and_then(|mut statement| statement.operations.pop());
    let filter = match last.map(|operation| operation.what) {
        Some(Operation::Update(update)) => update.filter,
        Some(Operation::Delete(delete)) => delete.filter,
        _ => None,
    };
    filter.is_some_and(|filter| filter.conjuncts.iter().any(|part| matches!(part, Predicate::InQuery { limited: true, .. })))
}

#[test]
fn a_change_in_a_cte_is_an_operation_of_its_own() {
    let sql = "WITH gone AS (DELETE FROM orders WHERE total = 0 RETURNING *), kept AS (SELECT 1) INSERT INTO archive SELECT * FROM gone";
    assert_snapshot!(words(sql), @"
    delete orders where [total = 0]
    insert archive () query
    ");
    assert_snapshot!(spans(sql), @"
    DELETE FROM orders WHERE total = 0 RETURNING *
    INSERT INTO archive SELECT * FROM gone
    ");
    assert_snapshot!(words("WITH orders AS (SELECT * FROM orders) SELECT * FROM orders"), @"select reads=orders");
}

#[test]
fn delete_and_merge_name_what_they_read() {
    assert_snapshot!(words("DELETE FROM ONLY orders USING users u, drafts WHERE u.id = orders.buyer"), @"delete orders only where [u . id = orders . buyer] reads=users,drafts");
    assert_snapshot!(words("MERGE INTO orders o USING (SELECT * FROM drafts) d ON d.id = o.id WHEN MATCHED AND d.total > 1 THEN UPDATE SET note = lower(d.note) WHEN NOT MATCHED THEN INSERT (id) VALUES (d.id) WHEN NOT MATCHED BY SOURCE THEN DELETE"), @"merge orders reads=drafts calls=lower");
}

#[test]
fn select_says_what_it_reads_calls_and_makes() {
    assert_snapshot!(words("SELECT count(*) FROM orders JOIN users USING (id) FOR NO KEY UPDATE OF orders"), @"select reads=orders,users calls=count locks_rows");
    assert_snapshot!(words("SELECT * INTO UNLOGGED drafts_copy FROM drafts"), @"create_table_as drafts_copy unlogged reads=drafts");
    assert_snapshot!(words("(TABLE orders) UNION (VALUES (1))"), @"select reads=orders");
}

#[test]
fn set_config_with_literals_is_set() {
    assert_snapshot!(words("SELECT pg_catalog.set_config('search_path', '', false)"), @"set search_path to=''");
    assert_snapshot!(words("SELECT set_config('Lock_Timeout', '2s', true), set_config('work_mem', NULL, false) AS memory"), @"
    set local lock_timeout to='2s'
    set work_mem
    ");
    assert_snapshot!(words("SELECT set_config(name, '2s', true) FROM settings"), @"select reads=settings calls=set_config");
}

#[test]
fn explain_runs_its_statement_only_with_analyze() {
    assert_snapshot!(words("EXPLAIN (ANALYZE, BUFFERS off) DELETE FROM orders"), @"delete orders");
    assert_snapshot!(words("EXPLAIN (ANALYZE false) DELETE FROM orders WHERE total = random()"), @"select reads=orders");
    assert_snapshot!(words("EXPLAIN EXPLAIN SELECT 1"), @"unreadable syntax error at `EXPLAIN`, expected a statement that has a plan (unreadable)");
}

#[test]
fn cursors_and_prepared_statements_are_what_they_run() {
    assert_snapshot!(words("DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT * FROM orders; FETCH NEXT FROM c; CLOSE c"), @"
    select reads=orders
    other [fetch]
    other [close]
    ");
    assert_snapshot!(words("PREPARE pay (bigint) AS UPDATE orders SET paid = true WHERE id = $1; EXECUTE pay(1); DEALLOCATE pay"), @"
    update orders (paid) where [id = $1]
    other [execute] pay
    other [deallocate]
    ");
}

#[test]
fn copy_tells_files_from_programs_and_tables_from_queries() {
    assert_snapshot!(words("COPY orders (id, note) FROM '/tmp/orders' WITH (FORMAT csv, HEADER true) WHERE id > (SELECT max(id) FROM drafts)"), @"copy orders from reads=drafts");
    assert_snapshot!(words("COPY (DELETE FROM drafts RETURNING *) TO PROGRAM 'gzip' CSV HEADER FORCE QUOTE id, note"), @"
    delete drafts
    copy to program
    ");
    assert_snapshot!(words("COPY orders FROM stdin DELIMITER AS '|' NULL AS '';\n1|x\n\\.\n"), @"copy orders from stdin data=4");
}

#[test]
fn truncate_is_an_operation_for_each_table() {
    assert_snapshot!(words("TRUNCATE TABLE ONLY orders, users * RESTART IDENTITY CASCADE"), @"
    truncate orders only cascade restart_identity
    truncate users cascade restart_identity
    ");
}

#[test]
fn what_stands_too_much_is_a_fault_at_its_place() {
    assert_snapshot!(words("SELECT id total note FROM orders"), @"unreadable syntax error at `note` (unreadable)");
    assert_snapshot!(words("INSERT INTO orders VALUES (1) twice"), @"unreadable syntax error at `twice` (unreadable)");
    assert_snapshot!(words("UPDATE orders SET paid = true WHERE id = 1 2"), @"unreadable syntax error at `2` (unreadable)");
    assert_snapshot!(words("SELECT id, FROM orders"), @"unreadable syntax error at `FROM` (unreadable)");
    assert_snapshot!(words("SELECT id FROM orders, WHERE paid"), @"unreadable syntax error at `WHERE` (unreadable)");
    assert_snapshot!(words("SELECT id FROM orders WHERE"), @"unreadable syntax error at `WHERE` (unreadable)");
    assert_snapshot!(words("SELECT id FROM orders WHERE id IN (SELECT buyer FROM)"), @"unreadable syntax error at `)` (unreadable)");
    assert_snapshot!(words("INSERT INTO orders VALUES (1, 2, )"), @"unreadable syntax error at `)` (unreadable)");
    assert_snapshot!(words("DELETE FROM orders WHERE paid AND RETURNING id"), @"unreadable syntax error at `RETURNING` (unreadable)");
    assert_snapshot!(words("DELETE orders"), @"unreadable syntax error at `orders`, expected FROM (unreadable)");
    assert_snapshot!(words("SELECT (1"), @"unreadable syntax error at `(` (unreadable)");
}

#[test]
fn rows_beyond_those_that_are_kept_are_counted_all_the_same() {
    let rows = 250_000;
    let sql = format!("INSERT INTO orders (id) VALUES {}(0) ON CONFLICT DO NOTHING; SELECT 1", "(1), ".repeat(rows));
    assert_snapshot!(words(&sql), @"
    insert orders (id) rows=250001 on_conflict (partial)
    select
    ");
}
