//! What the catalog says of statements that run outside of transactions, in each situation that a run can leave them in.

mod index;

use crate::interrupted::{OLD_SNAPSHOT, broken_off, interrupted, run, session};
use crate::servers::on_each;
use insta::assert_snapshot;
use lockkeeper::apply::predicate::{Evidence, look};
use lockkeeper::sql;
use lockkeeper::text::{SourceFile, Span};
use sqlx::postgres::PgConnectOptions;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, state varchar(20), note text, placed timestamp);
    INSERT INTO users SELECT n, 'same@shop' FROM generate_series(1, 100) n;
    INSERT INTO orders SELECT n, 1 + n % 100, 'open', 'n', now() FROM generate_series(1, 1000) n";

const PATH: &str = "\"$user\", public";

/// The oldest major that the tests know.
const ANY: u8 = 12;

/// What the catalog says of one statement.
async fn evidence_on(database: &PgConnectOptions, path: &str, text: &str) -> Evidence {
    let source = SourceFile::new("0001_orders.sql", text);
    let script = sql::read(&source, Span::new(0, text.len() as u32));
    let [statement] = script.statements.as_slice() else { panic!("one statement: {text}") };
    let mut connection = session(database).await;
    let evidence = look(&mut connection, statement, &source, path).await.unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    let open = connection.texts("SELECT (now() = statement_timestamp())::text").await.expect("it answers");
    assert_eq!(open, ["true"], "no transaction stays open: {text}");
    connection.close().await;
    evidence
}

async fn evidence(database: &PgConnectOptions, text: &str) -> String {
    in_words(evidence_on(database, PATH, text).await)
}

fn in_words(evidence: Evidence) -> String {
    match evidence {
        Evidence::NotYet => "not yet".to_owned(),
        Evidence::Done => "done".to_owned(),
        Evidence::Leftover { what, drop } => format!("leftover: {what}; {drop}"),
        Evidence::Busy { what, pid } => format!("busy: {}", what.replace(&pid.to_string(), "N")),
        Evidence::Differs { why } => format!("differs: {why}"),
        Evidence::Repeat => "repeat".to_owned(),
        Evidence::Unknown { why } => format!("unknown: {why}"),
    }
}

/// What is said of each statement before it runs, and behind it.
async fn before_and_after(database: &PgConnectOptions, statements: &[&str]) -> String {
    let mut lines = Vec::new();
    for sql in statements {
        let before = evidence(database, sql).await;
        run(database, &[sql]).await;
        lines.push(format!("{sql}: {before}, {}", evidence(database, sql).await));
    }
    lines.join("\n")
}

/// What is said of each statement.
async fn each(database: &PgConnectOptions, statements: &[&str]) -> String {
    let mut lines = Vec::new();
    for sql in statements {
        lines.push(format!("{sql}: {}", evidence(database, sql).await));
    }
    lines.join("\n")
}

#[test]
fn a_drop_is_done_when_the_index_is_gone_and_only_then() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE INDEX orders_buyer ON orders (buyer)"]).await;
        let sql = "DROP INDEX CONCURRENTLY orders_buyer";
        let mut lines = vec![evidence(&database, sql).await];
        // A reader of the table, whom the second transaction of the drop waits for.
        let reader = "BEGIN; SELECT count(*) FROM orders";
        lines.push(interrupted(&database, reader, sql, async |_| evidence(&database, sql).await).await);
        let mut session = session(&database).await;
        lines.extend(
            session
                .texts("SELECT 'valid: ' || indisvalid FROM pg_index WHERE indexrelid = 'orders_buyer'::regclass")
                .await
                .expect("it is there"),
        );
        lines.push(before_and_after(&database, &[sql, "DROP INDEX CONCURRENTLY IF EXISTS orders_buyer"]).await);
        lines.push(evidence(&database, "DROP INDEX CONCURRENTLY orders").await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
not yet
busy: index `public.orders_buyer` is there, and process N may be dropping it
valid: false
DROP INDEX CONCURRENTLY orders_buyer: not yet, done
DROP INDEX CONCURRENTLY IF EXISTS orders_buyer: done, done
differs: there is `public.orders`, which is no index
"#);
}

#[test]
fn what_a_reindex_leaves_is_dropped_and_the_reindex_repeated() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP, "CREATE INDEX orders_buyer ON orders (buyer); CREATE INDEX orders_buyer2 ON orders (buyer)"]).await;
        let sql = "REINDEX INDEX CONCURRENTLY orders_buyer";
        let others =
            ["REINDEX TABLE CONCURRENTLY orders", "REINDEX SCHEMA CONCURRENTLY public", "REINDEX INDEX CONCURRENTLY orders_buyer2"];
        let mut lines = vec![evidence(&database, sql).await];
        lines.push(interrupted(&database, OLD_SNAPSHOT, sql, async |_| evidence(&database, sql).await).await);
        lines.push(each(&database, &[sql, others[0], others[1], others[2]]).await);
        // Behind the swap, when only a reader of the table is in the way of the old index.
        broken_off(&database, "BEGIN; SELECT count(*) FROM orders", sql).await;
        while let Evidence::Leftover { what, drop } = evidence_on(&database, PATH, sql).await {
            run(&database, &[&drop]).await;
            lines.push(format!("{what}; {drop}"));
        }
        lines.push(each(&database, &[sql, "REINDEX TABLE CONCURRENTLY nothing", "REINDEX SCHEMA public"]).await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
repeat
busy: index `public.orders_buyer_ccnew` is not valid, and process N may be building it
REINDEX INDEX CONCURRENTLY orders_buyer: leftover: index `public.orders_buyer_ccnew` is what a REINDEX CONCURRENTLY that was broken off has left; DROP INDEX CONCURRENTLY public.orders_buyer_ccnew
REINDEX TABLE CONCURRENTLY orders: leftover: index `public.orders_buyer_ccnew` is what a REINDEX CONCURRENTLY that was broken off has left; DROP INDEX CONCURRENTLY public.orders_buyer_ccnew
REINDEX SCHEMA CONCURRENTLY public: leftover: index `public.orders_buyer_ccnew` is what a REINDEX CONCURRENTLY that was broken off has left; DROP INDEX CONCURRENTLY public.orders_buyer_ccnew
REINDEX INDEX CONCURRENTLY orders_buyer2: repeat
index `public.orders_buyer_ccold` is what a REINDEX CONCURRENTLY that was broken off has left; DROP INDEX CONCURRENTLY public.orders_buyer_ccold
index `public.orders_buyer_ccnew` is what a REINDEX CONCURRENTLY that was broken off has left; DROP INDEX CONCURRENTLY public.orders_buyer_ccnew
REINDEX INDEX CONCURRENTLY orders_buyer: repeat
REINDEX TABLE CONCURRENTLY nothing: repeat
REINDEX SCHEMA public: repeat
"#);
}

#[test]
fn the_leftover_of_a_toast_table_can_be_dropped_too() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP]).await;
        let sql = "REINDEX TABLE CONCURRENTLY users";
        broken_off(&database, OLD_SNAPSHOT, sql).await;
        let mut names = Vec::new();
        while let Evidence::Leftover { drop, .. } = evidence_on(&database, PATH, sql).await {
            run(&database, &[&drop]).await;
            names.push(drop.replace(|c: char| c.is_ascii_digit(), ""));
        }
        names.join("\n")
    });
    assert_snapshot!(said, @r#"
DROP INDEX CONCURRENTLY public.users_pkey_ccnew
DROP INDEX CONCURRENTLY pg_toast.pg_toast__index_ccnew
"#);
}

#[test]
fn a_partition_is_detached_in_two_transactions() {
    let said = on_each(14, async |database| {
        let parts = "CREATE TABLE payments (id bigint, day date) PARTITION BY RANGE (day);
                     CREATE TABLE payments_1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
                     CREATE TABLE payments_2 PARTITION OF payments FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
                     CREATE TABLE drafts (id bigint, day date) PARTITION BY RANGE (day)";
        run(&database, &[parts]).await;
        let sql = "ALTER TABLE payments DETACH PARTITION payments_1 CONCURRENTLY";
        let mut lines = vec![evidence(&database, sql).await];
        broken_off(&database, "BEGIN; SELECT count(*) FROM payments", sql).await;
        let Evidence::Leftover { what, drop } = evidence_on(&database, PATH, sql).await else { panic!("it is half detached") };
        run(&database, &[&drop]).await;
        lines.push(format!("{what}; {drop}"));
        lines.push(evidence(&database, sql).await);
        lines.push(before_and_after(&database, &["ALTER TABLE payments DETACH PARTITION payments_2 CONCURRENTLY"]).await);
        run(&database, &["ALTER TABLE payments ATTACH PARTITION payments_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"]).await;
        lines.push(evidence(&database, "ALTER TABLE drafts DETACH PARTITION payments_2 CONCURRENTLY").await);
        lines.push(evidence(&database, "ALTER TABLE payments DETACH PARTITION payments_3 CONCURRENTLY").await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
not yet
the detaching of `public.payments_1` from `public.payments` was broken off between its two transactions; ALTER TABLE public.payments DETACH PARTITION public.payments_1 FINALIZE
done
ALTER TABLE payments DETACH PARTITION payments_2 CONCURRENTLY: not yet, done
differs: `public.payments_2` is a partition of another table than `public.drafts`
unknown: there is no table `payments_3`
"#);
}

#[test]
fn objects_of_the_server_are_there_or_not() {
    let said = on_each(ANY, async |database| {
        let name = database.get_database().expect("it was made with a name").to_owned();
        run(&database, &["CREATE TYPE state AS ENUM ('open')", "CREATE SCHEMA app"]).await;
        let mut lines = vec![
            before_and_after(
                &database,
                &["ALTER TYPE state ADD VALUE 'it''s paid'", "ALTER TYPE public.state ADD VALUE IF NOT EXISTS 'sent' BEFORE 'open'"],
            )
            .await,
        ];
        let (create, drop) = (format!("CREATE DATABASE {name}_copy"), format!("DROP DATABASE {name}_copy"));
        lines.push(before_and_after(&database, &[&create, &drop]).await.replace(&name, "shop"));
        // A folder inside of the server's own: for tests only, and so there is no other.
        let mut session = session(&database).await;
        session.run("SET allow_in_place_tablespaces = on").await.expect("a superuser may");
        let (create, drop) = (format!("CREATE TABLESPACE {name}_disk LOCATION ''"), format!("DROP TABLESPACE {name}_disk"));
        for sql in [&create, &drop] {
            let before = evidence(&database, sql).await;
            session.run(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
            lines.push(format!("{}: {before}, {}", sql.replace(&name, "shop"), evidence(&database, sql).await));
        }
        let subscribe =
            "CREATE SUBSCRIPTION orders CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (connect = false, slot_name = NONE)";
        lines.push(before_and_after(&database, &[subscribe, "DROP SUBSCRIPTION orders"]).await);
        lines.join("\n")
    });
    assert_snapshot!(said, @r#"
ALTER TYPE state ADD VALUE 'it''s paid': not yet, done
ALTER TYPE public.state ADD VALUE IF NOT EXISTS 'sent' BEFORE 'open': not yet, done
CREATE DATABASE shop_copy: not yet, done
DROP DATABASE shop_copy: not yet, done
CREATE TABLESPACE shop_disk LOCATION '': not yet, done
DROP TABLESPACE shop_disk: not yet, done
CREATE SUBSCRIPTION orders CONNECTION 'dbname=nowhere' PUBLICATION orders WITH (connect = false, slot_name = NONE): not yet, done
DROP SUBSCRIPTION orders: not yet, done
"#);
}

#[test]
fn what_may_be_repeated_and_what_nobody_can_tell() {
    let said = on_each(ANY, async |database| {
        run(&database, &[SHOP]).await;
        each(
            &database,
            &[
                "VACUUM (ANALYZE) orders, users",
                "ANALYZE",
                "CLUSTER",
                "REINDEX TABLE orders",
                "REFRESH MATERIALIZED VIEW CONCURRENTLY nothing",
                "CHECKPOINT",
                "ALTER SYSTEM SET work_mem = '8MB'",
                "ALTER DATABASE shop SET TABLESPACE pg_default",
                "DISCARD ALL",
                "DO $$ BEGIN COMMIT; END $$",
                "CALL fill()",
                "COMMIT PREPARED 'shop'",
                "UPDATE orders SET note = ''",
                "ALTER TABLE orders ADD COLUMN total numeric",
                "CREATE INDEX orders_note ON orders (note)",
            ],
        )
        .await
    });
    assert_snapshot!(said, @r#"
VACUUM (ANALYZE) orders, users: repeat
ANALYZE: repeat
CLUSTER: repeat
REINDEX TABLE orders: repeat
REFRESH MATERIALIZED VIEW CONCURRENTLY nothing: repeat
CHECKPOINT: repeat
ALTER SYSTEM SET work_mem = '8MB': repeat
ALTER DATABASE shop SET TABLESPACE pg_default: repeat
DISCARD ALL: repeat
DO $$ BEGIN COMMIT; END $$: unknown: what its code has committed before it was broken off, the catalog does not tell
CALL fill(): unknown: what its code has committed before it was broken off, the catalog does not tell
COMMIT PREPARED 'shop': unknown: a prepared transaction that is gone may have been committed or rolled back
UPDATE orders SET note = '': unknown: it runs in transactions, and the catalog is not asked about such a statement
ALTER TABLE orders ADD COLUMN total numeric: unknown: it runs in transactions, and the catalog is not asked about such a statement
CREATE INDEX orders_note ON orders (note): not yet
"#);
}
