//! Transactions that are in the way, and those that are not.

use super::{Limits, Touched, check, on_each, run, says, touched};
use lockkeeper::db::Connection;
use lockkeeper::db::server::Server;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;

/// Every transaction is long, and idle.
fn at_once() -> Limits {
    Limits { long_transaction: Duration::ZERO, idle: Duration::ZERO, ..Limits::default() }
}

#[test]
fn a_transaction_fails_where_it_holds_what_is_needed_and_is_a_warning_elsewhere() {
    on_each(&[], async |_, options| {
        let orders = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let users = touched(options, "ALTER TABLE users ADD COLUMN name text").await;
        let line = check(options, "transactions", &orders, &at_once()).await;
        says(&line, &["pass: no transaction is older than 0 s"]);

        let reader = run(&options.clone().application_name("report"), "BEGIN; SELECT count(*) FROM orders").await;
        let line = check(options, "transactions", &orders, &Limits::default()).await;
        says(&line, &["pass: no transaction is older than 5 min, none has been idle for 60 s"]);
        let pid = reader.pid();
        let line = check(options, "transactions", &orders, &at_once()).await;
        says(&line, &[&format!("fail: `report` (pid {pid}) has been idle in a transaction for ")]);
        says(
            &line,
            &[
                "holds ACCESS SHARE on public.orders, where ACCESS EXCLUSIVE is needed",
                &format!(" -> let it end, or SELECT pg_terminate_backend({pid})"),
            ],
        );
        says(&check(options, "transactions", &users, &at_once()).await, &["warn: `report`", "idle in a transaction"]);

        // Readers do not stop a build, but one that is concurrent waits for all that are older.
        let build = touched(options, "CREATE INDEX CONCURRENTLY users_email ON users (email)").await;
        let _older = run(options, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await;
        says(&check(options, "transactions", &build, &at_once()).await, &["fail: ", "what runs CONCURRENTLY waits for"]);
    });
}

#[test]
fn a_query_that_has_been_running_for_long_is_told_with_its_age() {
    on_each(&[], async |_, options| {
        let orders = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let mut sleeper = run(&options.clone().application_name("export"), "BEGIN; SELECT 1 FROM orders LIMIT 1").await;
        let pid = sleeper.pid();
        let limits = Limits { idle: Duration::from_secs(60), long_transaction: Duration::ZERO, ..Limits::default() };
        let sleeping = async { sleeper.run("SELECT pg_sleep(600)").await };
        let looking = async {
            let mut watch = Connection::open(options).await.expect("the server answers");
            let active = format!("SELECT 1::text FROM pg_stat_activity WHERE pid = {pid} AND query LIKE '%pg_sleep%' AND state = 'active'");
            while watch.texts(&active).await.expect("it can be seen").is_empty() {}
            let line = check(options, "transactions", &orders, &limits).await;
            says(&line, &[&format!("fail: `export` (pid {pid}) has been in a transaction for "), "holds ACCESS SHARE on public.orders"]);
            watch.run(&format!("SELECT pg_terminate_backend({pid})")).await.expect("it is there");
        };
        let (slept, ()) = tokio::join!(sleeping, looking);
        slept.expect_err("it was ended");
    });
}

#[test]
fn a_prepared_transaction_fails_where_it_holds_what_is_needed_and_is_a_warning_elsewhere() {
    on_each(&[], async |_, options| {
        let orders = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let users = touched(options, "ALTER TABLE users ADD COLUMN name text").await;
        run(options, "BEGIN; UPDATE orders SET note = 'paid' WHERE id = 7")
            .await
            .run("PREPARE TRANSACTION 'pay 7'")
            .await
            .expect("it may be prepared");
        let line = check(options, "transactions", &orders, &Limits::default()).await;
        says(
            &line,
            &[
                "fail: the prepared transaction `pay 7` has waited for ",
                "holds ROW EXCLUSIVE on public.orders, where ACCESS EXCLUSIVE is needed",
            ],
        );
        says(&line, &[" -> COMMIT PREPARED 'pay 7' or ROLLBACK PREPARED 'pay 7', in database `postgres`"]);
        says(&check(options, "transactions", &users, &Limits::default()).await, &["warn: the prepared transaction `pay 7`"]);
        let build = touched(options, "CREATE INDEX CONCURRENTLY users_email ON users (email)").await;
        says(&check(options, "transactions", &build, &Limits::default()).await, &["fail: the prepared transaction `pay 7`"]);
    });
}

#[test]
fn what_a_role_may_not_see_is_a_warning_that_says_so() {
    on_each(&[], async |_, options| {
        run(options, "CREATE ROLE deployer LOGIN").await.close().await;
        let orders = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let deployer = options.clone().username("deployer");
        let _reader = run(options, "BEGIN; SELECT count(*) FROM orders").await;
        let line = check(&deployer, "transactions", &orders, &Limits::default()).await;
        says(&line, &["warn: how long 1 session has been in a transaction is hidden from this role -> GRANT pg_monitor"]);
        run(options, "GRANT pg_monitor TO deployer").await.close().await;
        says(&check(&deployer, "transactions", &orders, &Limits::default()).await, &["pass: no transaction is older"]);
    });
}

#[test]
fn a_vacuum_to_prevent_wraparound_fails_where_it_works_on_what_is_touched() {
    let settings = [
        ("autovacuum", "on"),
        ("autovacuum_naptime", "1s"),
        ("autovacuum_freeze_max_age", "100000"),
        ("autovacuum_vacuum_cost_delay", "0"),
        ("vacuum_freeze_min_age", "0"),
    ];
    on_each(&settings, async |server: &Server, options| {
        let orders = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let users = touched(options, "ALTER TABLE users ADD COLUMN name text").await;
        // No other vacuum comes first, and a page takes this one a tenth of a second, so that it does not end before it is seen.
        let slowly =
            "ALTER TABLE orders SET (autovacuum_enabled = off, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)";
        run(options, slowly).await.close().await;
        grow_old(options).await;
        let mut watch = Connection::open(options).await.expect("the server answers");
        let at_work = "SELECT 1::text FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.relation = 'orders'::regclass
                       WHERE a.query LIKE '%(to prevent wraparound)'";
        while watch.texts(at_work).await.unwrap_or_else(|refusal| panic!("{refusal}\n{}", server.log())).is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let line = check(options, "transactions", &orders, &Limits::default()).await;
        says(
            &line,
            &[
                "fail: a vacuum to prevent wraparound (pid ",
                "holds SHARE UPDATE EXCLUSIVE on public.orders",
                "gives way to nobody",
                " -> wait",
            ],
        );
        let line = check(options, "transactions", &Touched { locks: users.locks, ..Touched::default() }, &Limits::default()).await;
        assert!(!line.contains("public.orders"), "{line}");
    });
}

/// Spends so many transactions that vacuums are due. A block with EXCEPTION has one of its own.
async fn grow_old(options: &PgConnectOptions) {
    let spend = "DO $$ BEGIN FOR i IN 1..60000 LOOP
                     BEGIN INSERT INTO spent VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END;
                 END LOOP; END $$";
    let mut spender = run(options, "CREATE TEMP TABLE spent (n int)").await;
    for _ in 0..2 {
        spender.run(spend).await.expect("it may be spent");
    }
}
