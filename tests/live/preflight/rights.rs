//! Roles that may, and roles that may not.

use super::{Limits, Touched, check, on_each, run, says, touched};

#[test]
fn a_role_has_to_own_what_it_alters_and_to_write_where_it_makes() {
    on_each(&[], async |_, options| {
        let alter = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let key = touched(options, "CREATE TABLE payments (id bigint PRIMARY KEY, buyer bigint REFERENCES users)").await;
        let update = touched(options, "UPDATE users SET email = lower(email) WHERE id = 7").await;
        says(&check(options, "rights", &alter, &Limits::default()).await, &["pass: `postgres` is a superuser"]);

        run(
            options,
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE shop; CREATE ROLE deployer LOGIN; ALTER TABLE orders OWNER TO shop",
        )
        .await;
        let deployer = options.clone().username("deployer");
        let rights = async |touched: &Touched| check(&deployer, "rights", touched, &Limits::default()).await;
        let line = rights(&alter).await;
        says(
            &line,
            &[
                "fail: `deployer` may not make the schema `lockkeeper` in database `postgres`",
                "`deployer` does not own public.orders, which belongs to `shop`",
            ],
        );
        says(&line, &[" -> GRANT CREATE ON DATABASE \"postgres\" TO \"deployer\""]);
        run(options, "GRANT CREATE ON DATABASE postgres TO deployer").await;
        says(
            &rights(&alter).await,
            &["fail: `deployer` does not own public.orders, which belongs to `shop` -> run as `shop`, or GRANT \"shop\" TO \"deployer\""],
        );
        run(options, "GRANT shop TO deployer").await;
        assert_eq!(rights(&alter).await, "pass: `deployer` owns all that is changed, and may make what is made");

        // A foreign key needs no more than REFERENCES on the other table, and a place for its own.
        let line = rights(&key).await;
        says(&line, &["`deployer` does not own public.users", "`deployer` may not make anything in schema `public`"]);
        run(options, "GRANT CREATE ON SCHEMA public TO deployer; GRANT REFERENCES ON users TO deployer").await;
        says(&rights(&key).await, &["pass: "]);

        says(&rights(&update).await, &["fail: `deployer` may not write to public.users"]);
        run(options, "GRANT UPDATE ON users TO deployer").await;
        says(&rights(&update).await, &["pass: "]);
    });
}

#[test]
fn the_role_that_is_configured_has_to_be_there_and_open_to_the_one_that_logs_in() {
    on_each(&[], async |_, options| {
        let alter = touched(options, "ALTER TABLE orders ADD COLUMN state text").await;
        let role = |name: &str| Limits { role: Some(name.to_owned()), ..Limits::default() };
        run(
            options,
            "CREATE ROLE deployer LOGIN; CREATE ROLE shop; GRANT CREATE ON DATABASE postgres TO deployer; ALTER TABLE orders OWNER TO shop",
        )
        .await;
        let deployer = options.clone().username("deployer");
        says(&check(&deployer, "rights", &alter, &role("store")).await, &["fail: there is no role `store` -> CREATE ROLE \"store\""]);
        says(
            &check(&deployer, "rights", &alter, &role("shop")).await,
            &["fail: `deployer` may not become `shop` -> GRANT \"shop\" TO \"deployer\""],
        );
        run(options, "GRANT shop TO deployer").await;
        says(&check(&deployer, "rights", &alter, &role("shop")).await, &["pass: `shop` owns all that is changed"]);

        // The ledger is there, and belongs to somebody else.
        run(options, "CREATE SCHEMA lockkeeper").await;
        let line = check(&deployer, "rights", &alter, &role("shop")).await;
        says(&line, &["fail: `shop` may not write to the ledger in schema `lockkeeper` -> GRANT USAGE ON SCHEMA lockkeeper TO \"shop\""]);
    });
}
