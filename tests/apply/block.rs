//! Which statements a server refuses in a transaction block. Such a one is a step of its own; one that is not known to be fails halfway.

use crate::interrupted::session;
use crate::servers::{new_database, servers};
use insta::assert_snapshot;
use lockkeeper::config::Config;
use lockkeeper::db::server::Server;
use lockkeeper::db::{block_on, code};
use lockkeeper::discover::{Discovered, Role, in_memory};
use lockkeeper::lint::{self, Settings};
use lockkeeper::model::effects::{InTransaction, Version};
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;
use std::collections::BTreeSet;

const GIVEN: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, state text);
    CREATE INDEX orders_buyer ON orders (buyer);
    CREATE TABLE payments (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE payments_1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE INDEX payments_day ON payments (day);
    CREATE MATERIALIZED VIEW buyers AS SELECT DISTINCT buyer FROM orders;
    CREATE UNIQUE INDEX buyers_buyer ON buyers (buyer);
    CREATE TYPE state AS ENUM ('open');
    CREATE PUBLICATION orders FOR TABLE orders;
    CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
    CREATE PROCEDURE calls_it() LANGUAGE plpgsql AS 'BEGIN CALL commits(); END';
    CREATE PROCEDURE inserts() LANGUAGE plpgsql AS 'BEGIN INSERT INTO orders VALUES (7); END';
    CREATE SUBSCRIPTION with_slot CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (connect = false);
    CREATE SUBSCRIPTION at_work CONNECTION 'dbname=nowhere' PUBLICATION orders, drafts WITH (connect = false);
    ALTER SUBSCRIPTION at_work ENABLE;
    CREATE SUBSCRIPTION without_slot CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (connect = false, slot_name = NONE)";

/// With the major version that they are new in.
const STATEMENTS: &[(u8, &str)] = &[
    (12, "CREATE INDEX CONCURRENTLY orders_state ON orders (state)"),
    (12, "CREATE INDEX CONCURRENTLY nothing_state ON nothing (state)"),
    (12, "CREATE INDEX orders_state ON orders (state)"),
    (12, "DROP INDEX CONCURRENTLY orders_buyer"),
    (12, "DROP INDEX CONCURRENTLY IF EXISTS nothing"),
    (12, "DROP INDEX orders_buyer"),
    (12, "REINDEX TABLE CONCURRENTLY orders"),
    (14, "REINDEX (CONCURRENTLY) INDEX orders_buyer"),
    (14, "REINDEX (CONCURRENTLY FALSE) INDEX orders_buyer"),
    (12, "REINDEX TABLE orders"),
    (12, "REINDEX SCHEMA public"),
    (16, "REINDEX DATABASE"),
    (16, "REINDEX SYSTEM"),
    (14, "REINDEX TABLE payments"),
    (14, "REINDEX INDEX payments_day"),
    (12, "REINDEX TABLE payments_1"),
    (12, "VACUUM"),
    (12, "VACUUM FULL orders"),
    (12, "VACUUM (ANALYZE, FREEZE) orders (id), payments"),
    (16, "VACUUM (ONLY_DATABASE_STATS)"),
    (12, "ANALYZE"),
    (12, "ANALYZE orders, payments"),
    (12, "CLUSTER"),
    (12, "CLUSTER VERBOSE"),
    (12, "CLUSTER orders USING orders_buyer"),
    (15, "CLUSTER payments USING payments_day"),
    (14, "ALTER TABLE payments DETACH PARTITION payments_1 CONCURRENTLY"),
    (14, "ALTER TABLE IF EXISTS nothing DETACH PARTITION payments_1 CONCURRENTLY"),
    (12, "ALTER TABLE payments DETACH PARTITION payments_1"),
    (12, "CREATE DATABASE copy"),
    (12, "DROP DATABASE IF EXISTS nothing"),
    (13, "DROP DATABASE nothing WITH (FORCE)"),
    (12, "ALTER DATABASE template1 SET TABLESPACE pg_default"),
    (12, "ALTER DATABASE template1 TABLESPACE pg_default"),
    (12, "ALTER DATABASE template1 WITH TABLESPACE = pg_default"),
    (12, "ALTER DATABASE template1 RENAME TO template2"),
    (12, "ALTER DATABASE template1 SET work_mem = '8MB'"),
    (12, "ALTER DATABASE template1 WITH CONNECTION LIMIT 7"),
    (15, "ALTER DATABASE template1 REFRESH COLLATION VERSION"),
    (12, "CREATE TABLESPACE disk LOCATION '/nowhere'"),
    (12, "DROP TABLESPACE IF EXISTS nothing"),
    (12, "ALTER TABLESPACE pg_default SET (seq_page_cost = 1)"),
    (12, "ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default"),
    (12, "ALTER SYSTEM SET work_mem = '8MB'"),
    (12, "ALTER SYSTEM RESET ALL"),
    (12, "DISCARD ALL"),
    (12, "DISCARD PLANS"),
    (12, "DISCARD TEMP"),
    (12, "DISCARD SEQUENCES"),
    (12, "CREATE SUBSCRIPTION new CONNECTION 'dbname=nowhere' PUBLICATION orders"),
    (12, "CREATE SUBSCRIPTION new CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (create_slot)"),
    (12, "CREATE SUBSCRIPTION new CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (connect = false)"),
    (12, "CREATE SUBSCRIPTION new CONNECTION 'host=/nowhere' PUBLICATION orders WITH (create_slot = off)"),
    (12, "CREATE SUBSCRIPTION new CONNECTION 'host=/nowhere' PUBLICATION orders WITH (slot_name = NONE, enabled = false, create_slot = 0)"),
    (12, "DROP SUBSCRIPTION with_slot"),
    (12, "DROP SUBSCRIPTION without_slot"),
    (12, "DROP SUBSCRIPTION IF EXISTS nothing"),
    (12, "ALTER SUBSCRIPTION at_work REFRESH PUBLICATION"),
    (12, "ALTER SUBSCRIPTION at_work SET PUBLICATION payments"),
    (12, "ALTER SUBSCRIPTION at_work SET PUBLICATION payments WITH (refresh = true, copy_data = false)"),
    (12, "ALTER SUBSCRIPTION at_work SET PUBLICATION payments WITH (refresh = false)"),
    (14, "ALTER SUBSCRIPTION at_work ADD PUBLICATION payments"),
    (14, "ALTER SUBSCRIPTION at_work ADD PUBLICATION payments WITH (refresh = off)"),
    (14, "ALTER SUBSCRIPTION at_work DROP PUBLICATION orders"),
    (14, "ALTER SUBSCRIPTION at_work DROP PUBLICATION orders WITH (copy_data, refresh = '0')"),
    (12, "ALTER SUBSCRIPTION at_work SET PUBLICATION refresh"),
    (12, "ALTER SUBSCRIPTION at_work SET (synchronous_commit = off)"),
    (12, "ALTER SUBSCRIPTION with_slot SET (slot_name = other)"),
    (17, "ALTER SUBSCRIPTION with_slot SET (failover = true)"),
    (17, "ALTER SUBSCRIPTION with_slot SET (streaming = on, failover)"),
    (18, "ALTER SUBSCRIPTION with_slot SET (two_phase = true)"),
    (18, "ALTER SUBSCRIPTION with_slot SET (two_phase = false)"),
    (12, "ALTER SUBSCRIPTION at_work DISABLE"),
    (12, "ALTER SUBSCRIPTION with_slot ENABLE"),
    (12, "ALTER SUBSCRIPTION at_work RENAME TO other"),
    (12, "ALTER SUBSCRIPTION at_work CONNECTION 'dbname=elsewhere'"),
    (12, "COMMIT PREPARED 'shop'"),
    (12, "ROLLBACK PREPARED 'shop'"),
    (12, "DO $$ BEGIN COMMIT; END $$"),
    (12, "DO $$ BEGIN IF true THEN ROLLBACK; END IF; END $$"),
    (12, "DO $$ BEGIN INSERT INTO orders VALUES (7); END $$"),
    (12, "CALL commits()"),
    (12, "CALL calls_it()"),
    (12, "CALL inserts()"),
    (12, "ALTER TYPE state ADD VALUE 'paid'"),
    (12, "REFRESH MATERIALIZED VIEW CONCURRENTLY buyers"),
    (12, "TRUNCATE orders"),
    (12, "CHECKPOINT"),
    (12, "ALTER PUBLICATION orders ADD TABLE payments_1"),
    (12, "LISTEN orders"),
    (12, "LOCK TABLE orders"),
    (12, "IMPORT FOREIGN SCHEMA public FROM SERVER nowhere INTO public"),
    (12, "LOAD 'plpgsql'"),
];

/// Whether the lint says that it cannot run in a block, on a history that begins with `given`.
fn claimed(rules: &RuleSet, server: Version, given: Option<&str>, sql: &str) -> bool {
    let config = Config::default();
    let file = |name: &str, text: &str, role| (SourceFile::new(name, text.trim()), role);
    let mut files: Vec<_> = given.map(|given| file("0001_given.sql", given, Role::History)).into_iter().collect();
    files.push(file("0002_orders.sql", sql, Role::Subject));
    let discovered = Discovered { histories: vec![in_memory(None, &files, &config)], ..Discovered::default() };
    let report = lint::run(discovered, &Settings { rules, config: &config, server });
    let [migration] = report.migrations.as_slice() else { panic!("one file is judged") };
    migration.statements[0].effects.transaction == InTransaction::Forbidden
}

/// Whether a server refuses each statement that it knows, in a block.
async fn refused(server: &Server) -> Vec<(&'static str, bool)> {
    let mut connection = session(&new_database(server).await).await;
    for sql in GIVEN.split(";\n") {
        connection.run(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    }
    let mut answers = Vec::new();
    for (_, sql) in STATEMENTS.iter().filter(|(oldest, _)| *oldest <= server.installation().version.0) {
        connection.run("BEGIN").await.expect("no transaction is open");
        let said = connection.run(sql).await.err().map(|refusal| refusal.code).unwrap_or_default();
        connection.run("ROLLBACK").await.expect("a transaction is open");
        answers.push((*sql, [code::ACTIVE_TRANSACTION, code::INVALID_TERMINATION].contains(&said.as_str())));
    }
    connection.close().await;
    answers
}

/// Where the lint says something else than a server, on a history that begins with `given`.
fn differences(given: Option<&str>) -> String {
    let rules = RuleSet::embedded();
    let mut differences = BTreeSet::new();
    for server in servers() {
        for (sql, refused) in block_on(refused(server)).expect("an event queue") {
            let claimed = claimed(&rules, server.installation().version, given, sql);
            if refused != claimed {
                let words = |refused| if refused { "refused" } else { "allowed" };
                differences.insert(format!("{sql}: {}, we say {}", words(refused), words(claimed)));
            }
        }
    }
    differences.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn a_statement_that_a_server_refuses_in_a_block_is_known_for_it() {
    // Whether a subscription is there, and has a slot, is not to be seen where it is dropped. To run alone does no harm.
    assert_snapshot!(differences(Some(GIVEN)), @r#"
DROP SUBSCRIPTION IF EXISTS nothing: allowed, we say refused
DROP SUBSCRIPTION without_slot: allowed, we say refused
"#);
}

#[test]
fn without_a_history_nobody_knows_what_is_partitioned_and_what_a_procedure_does() {
    assert_snapshot!(differences(None), @r#"
CALL calls_it(): refused, we say allowed
CALL commits(): refused, we say allowed
CLUSTER payments USING payments_day: refused, we say allowed
DROP SUBSCRIPTION IF EXISTS nothing: allowed, we say refused
DROP SUBSCRIPTION without_slot: allowed, we say refused
REINDEX INDEX payments_day: refused, we say allowed
REINDEX TABLE payments: refused, we say allowed
"#);
}
