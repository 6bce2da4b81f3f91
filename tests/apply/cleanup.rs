//! What is left in a database, each kind of it made by a real statement.

use crate::interrupted::{OLD_SNAPSHOT, broken_off, run, session};
use crate::servers::{new_database, on_each, servers};
use insta::assert_snapshot;
use lockkeeper::apply::cleanup::leftovers;
use lockkeeper::db::block_on;
use lockkeeper::model::effects::Version;
use sqlx::postgres::PgConnectOptions;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, \"Note\" text);
    CREATE INDEX orders_id ON orders (id, buyer);
    CREATE SCHEMA app;
    CREATE TABLE app.payments (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE payments_1 PARTITION OF app.payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE payments_2 PARTITION OF app.payments FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')";

async fn found(database: &PgConnectOptions) -> Vec<(String, Option<String>)> {
    let mut connection = session(database).await;
    let found = leftovers(&mut connection).await.expect("the server answers");
    connection.close().await;
    found.into_iter().map(|one| (one.to_string(), one.remedy)).collect()
}

#[test]
fn a_shop_that_is_in_order_has_no_leftovers() {
    let said = on_each(14, async |database| {
        let fine = "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES users, ADD CHECK (id > 0)";
        run(&database, &[SHOP, fine]).await;
        found(&database).await.len().to_string()
    });
    assert_eq!(said, "0");
}

#[test]
fn each_leftover_is_found_and_its_remedy_takes_it_away() {
    let said = on_each(14, async |database| {
        run(&database, &[SHOP]).await;
        let left = "CREATE INDEX payments_day ON ONLY app.payments (day);
                    CREATE DOMAIN email AS text; ALTER DOMAIN email ADD CONSTRAINT has_at CHECK (VALUE LIKE '%@%') NOT VALID;
                    ALTER TABLE orders ADD CONSTRAINT \"Buyer\" FOREIGN KEY (buyer) REFERENCES users NOT VALID, ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
                    ALTER TABLE app.payments ADD CONSTRAINT recent CHECK (day > '2020-01-01') NOT VALID;
                    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                    CREATE TRIGGER \"Sync\" BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION nothing();
                    ALTER TABLE orders DISABLE TRIGGER ALL";
        run(&database, &[left]).await;
        broken_off(&database, OLD_SNAPSHOT, "CREATE INDEX CONCURRENTLY \"Orders_note\" ON orders (\"Note\")").await;
        broken_off(&database, OLD_SNAPSHOT, "REINDEX INDEX CONCURRENTLY orders_id").await;
        let reader = "BEGIN; SELECT count(*) FROM app.payments";
        broken_off(&database, reader, "ALTER TABLE app.payments DETACH PARTITION payments_1 CONCURRENTLY").await;
        let before = found(&database).await;
        for remedy in before.iter().filter_map(|(_, remedy)| remedy.as_ref()) {
            run(&database, &[remedy]).await;
        }
        let show = |(what, remedy): &(String, Option<String>)| format!("{what}: {}", remedy.as_deref().unwrap_or("-"));
        let after = found(&database).await;
        [before.iter().map(show).collect(), vec!["then".to_owned()], after.iter().map(show).collect()].concat().join("\n")
    });
    assert_snapshot!(said, @r#"
invalid index `"Orders_note"` of `public.orders`: DROP INDEX CONCURRENTLY public."Orders_note"
leftover of REINDEX CONCURRENTLY, `orders_id_ccnew` of `public.orders`: DROP INDEX CONCURRENTLY public.orders_id_ccnew
incomplete partitioned index `payments_day` of `app.payments`: -
half detached partition `payments_1` of `app.payments`: ALTER TABLE app.payments DETACH PARTITION public.payments_1 FINALIZE
constraint NOT VALID `recent` of `app.payments`: ALTER TABLE app.payments VALIDATE CONSTRAINT recent
constraint NOT VALID `"Buyer"` of `public.orders`: ALTER TABLE public.orders VALIDATE CONSTRAINT "Buyer"
constraint NOT VALID `positive` of `public.orders`: ALTER TABLE public.orders VALIDATE CONSTRAINT positive
constraint NOT VALID `has_at` of `public.email`: ALTER DOMAIN public.email VALIDATE CONSTRAINT has_at
disabled trigger `"Sync"` of `public.orders`: ALTER TABLE public.orders ENABLE TRIGGER "Sync"
unchecked foreign key `"Buyer"` of `public.orders`: -
then
incomplete partitioned index `payments_day` of `app.payments`: -
constraint NOT VALID `recent` of `public.payments_1`: ALTER TABLE public.payments_1 VALIDATE CONSTRAINT recent
unchecked foreign key `"Buyer"` of `public.orders`: -
"#);
}

#[test]
fn a_constraint_that_is_not_enforced_was_not_forgotten() {
    for server in servers() {
        let said = async {
            let database = new_database(server).await;
            run(&database, &[SHOP]).await;
            let mut session = session(&database).await;
            let made = session.run("ALTER TABLE orders ADD CONSTRAINT positive CHECK (id > 0) NOT ENFORCED").await;
            session.close().await;
            let Err(refusal) = made else {
                run(&database, &["ALTER TABLE orders ADD CONSTRAINT has_buyer NOT NULL buyer NOT VALID"]).await;
                return format!("{:?}", found(&database).await);
            };
            refusal.to_string()
        };
        let said = block_on(said).expect("an event queue");
        if server.installation().version >= ENFORCED {
            assert_snapshot!(said, @r#"[("constraint NOT VALID `has_buyer` of `public.orders`", Some("ALTER TABLE public.orders VALIDATE CONSTRAINT has_buyer"))]"#);
        } else {
            assert!(said.contains("syntax error"), "{said}");
        }
    }
}

/// PostgreSQL 18 brought NOT ENFORCED for checks, and NOT NULL that is not valid yet.
const ENFORCED: Version = Version(18);
