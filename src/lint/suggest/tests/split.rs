//! Files that are cut into several.

use super::{Case, RUNNER, fixed, fixed_in};
use crate::model::session::TransactionMode;
use insta::assert_snapshot;

const THREE: &str = "SET lock_timeout = '2s';\nALTER TABLE orders ADD a int;\n\n-- about users\nALTER TABLE users ADD b int;\n\nALTER TABLE orders ADD c int;\n";

fn second(fix: &str, case: &Case<'_>) -> String {
    let op = "add_unique";
    let sql = case.sql.replace("ADD b int", "ADD UNIQUE (id)");
    fixed_in(op, fix, &Case { sql: &sql, ..*case })
}

#[test]
fn a_file_that_its_runner_wraps_is_cut_into_migrations() {
    let case = Case { file: "0001_orders.sql", sql: THREE, mode: RUNNER };
    assert_snapshot!(second("edit: { split: before }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;
== 0002_add_unique_users_id_key.sql
SET lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
"#);
    assert_snapshot!(second("edit: { split: after }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id);
== 0002_orders_rest.sql
SET lock_timeout = '2s';
ALTER TABLE orders ADD c int;
"#);
    assert_snapshot!(second("edit: { split: around }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;
== 0002_add_unique_users_id_key.sql
SET lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);
== 0003_orders_rest.sql
SET lock_timeout = '2s';
ALTER TABLE orders ADD c int;
"#);
    assert_snapshot!(second("edit: { split: alone }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;
== 0002_add_unique_users_id_key.sql
-- lockkeeper: transaction none
-- about users
ALTER TABLE users ADD UNIQUE (id);
== 0003_orders_rest.sql
SET lock_timeout = '2s';
ALTER TABLE orders ADD c int;
"#);
    assert_snapshot!(second("edit: { later: SELECT 1, name: \"look at {table}\" }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
== 0002_look_at_users.sql
SET LOCAL lock_timeout = '2s';
SELECT 1;
"#);
    assert_snapshot!(second("edit: { earlier: SELECT 1, name: \"look at {table}\", run: alone }", &case), @r#"
review
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;
== 0002_look_at_users.sql
-- lockkeeper: transaction none
SELECT 1;
== 0003_add_unique_users_id_key.sql
SET lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
"#);
}

#[test]
fn a_file_with_its_own_transaction_is_cut_by_commit_and_begin() {
    let sql = format!("BEGIN;\n{}COMMIT;\n", THREE.replace("SET lock", "SET LOCAL lock"));
    let case = Case { file: "0001_orders.sql", sql: &sql, mode: None };
    assert_snapshot!(second("edit: { split: before }", &case), @r#"
review
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;
COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
COMMIT;
"#);
    assert_snapshot!(second("edit: { split: after }", &case), @r#"
review
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id);
COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD c int;
COMMIT;
"#);
    assert_snapshot!(second("edit: { split: around }", &case), @r#"
review
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;
COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);
COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD c int;
COMMIT;
"#);
    assert_snapshot!(second("edit: { split: alone }", &case), @r#"
review
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;
COMMIT;

-- about users
ALTER TABLE users ADD UNIQUE (id);

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD c int;
COMMIT;
"#);
    assert_snapshot!(second("edit: { later: SELECT 1, name: \"look at {table}\" }", &case), @r#"
safe
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
COMMIT;

BEGIN;
SET LOCAL lock_timeout = '2s';
SELECT 1;
COMMIT;
"#);
    assert_snapshot!(second("edit: { earlier: SELECT 1, name: \"look at {table}\", run: alone }", &case), @r#"
review
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD a int;
COMMIT;

SELECT 1;

BEGIN;
SET LOCAL lock_timeout = '2s';
-- about users
ALTER TABLE users ADD UNIQUE (id);

ALTER TABLE orders ADD c int;
COMMIT;
"#);
    let lone = Case { sql: "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE users ADD b int;\nCOMMIT;\n", ..case };
    assert_snapshot!(second("edit: { split: alone }", &lone), @r#"
safe
ALTER TABLE users ADD UNIQUE (id);
"#);
    assert_snapshot!(second("edit: { split: before }", &lone), @"not offered: there is nothing to change in this file");
    assert_snapshot!(second("edit: { earlier: SELECT 1, name: look }", &lone), @r#"
safe
SELECT 1;

BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE users ADD UNIQUE (id);
COMMIT;
"#);
}

#[test]
fn where_each_statement_commits_for_itself_nothing_is_cut() {
    let case = Case { file: "0001_orders.sql", sql: THREE, mode: Some(TransactionMode::None) };
    assert_snapshot!(second("edit: [{ append: NULLS DISTINCT }, { split: alone }]", &case), @r#"
safe
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;

ALTER TABLE orders ADD c int;
"#);
    assert_snapshot!(second("edit: { later: SELECT 1, name: look }", &case), @r#"
safe
SET lock_timeout = '2s';
ALTER TABLE orders ADD a int;

-- about users
ALTER TABLE users ADD UNIQUE (id);
SELECT 1;

ALTER TABLE orders ADD c int;
"#);
}

#[test]
fn a_lone_statement_needs_no_other_file_but_its_runner_has_to_know() {
    let alone = "edit: [{ append: NULLS DISTINCT }, { split: alone }]";
    let case = |file: &str, sql: &str| fixed_in("add_unique", alone, &Case { file, sql, mode: None });
    let sql = "ALTER TABLE users ADD UNIQUE (id);\n";
    assert_snapshot!(case("0001_orders.up.sql", sql), @r#"
safe
-- no-transaction
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;
"#);
    assert_snapshot!(case("0001_orders.sql", sql), @r#"
review
-- lockkeeper: transaction none
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;
"#);
    assert_snapshot!(case("V1__orders.sql", sql), @r#"
review
-- lockkeeper: transaction none
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;
== V1__orders.sql.conf
executeInTransaction=false
"#);
    assert_snapshot!(case("0001_orders.sql", &format!("-- +goose Up\n{sql}\n-- +goose Down\nSELECT 1;\n")), @r#"
safe
-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;

-- +goose Down
SELECT 1;
"#);
    assert_snapshot!(case("0001_orders.sql", &format!("-- migrate:up\n{sql}\n-- migrate:down\nSELECT 1;\n")), @r#"
safe
-- migrate:up transaction:false
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;

-- migrate:down
SELECT 1;
"#);
    assert_snapshot!(case("0001_orders.up.sql", &format!("SET lock_timeout = '2s';\n{sql}")), @r#"
safe
-- no-transaction
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;
"#);
    assert_snapshot!(case("0001_orders.up.sql", &format!("SET search_path = shop, public;\n{sql}")), @"not offered: alone in its file it would run without `SET search_path = shop, public`");
    assert_snapshot!(case("orders.sql", sql), @r#"
review
-- lockkeeper: transaction none
ALTER TABLE users ADD UNIQUE (id) NULLS DISTINCT;
"#);
}

#[test]
fn what_would_be_wrong_is_not_offered() {
    let alone = "edit: { split: alone }";
    assert_snapshot!(fixed("add_unique", alone, "LOCK TABLE users;\nALTER TABLE users ADD UNIQUE (id);\n"), @"not offered: what would be moved may rest on LOCK TABLE before it");
    assert_snapshot!(fixed("add_unique", alone, "DO $$ BEGIN ALTER TABLE users ADD UNIQUE (id); END $$;\n"), @"not offered: it stands in a body, and what stands in a string is not edited");
    let hasura = Case { file: "1700000000123_orders/up.sql", sql: "SELECT 1;\nALTER TABLE users ADD UNIQUE (id);\n", mode: None };
    assert_snapshot!(fixed_in("add_unique", alone, &hasura), @"not offered: Hasura sends every file as a transaction; run it by hand, with psql, and say so in the next file");
    let unnumbered = Case { file: "orders.sql", ..hasura };
    assert_snapshot!(fixed_in("add_unique", alone, &unnumbered), @"not offered: the name of this file says no version; write the next file by hand, behind this one");
    let only = "edit: { remove: CASCADE }\n  where: { table: new }\n  otherwise: \"`{column}` has to be there\"";
    assert_snapshot!(fixed("drop_column", only, "ALTER TABLE orders DROP note CASCADE;"), @"not offered: `note` has to be there");
}

#[test]
fn new_lines_are_as_the_file_has_them() {
    let sql = "SELECT 1;\r\n\r\n-- größer\r\nALTER TABLE users ADD UNIQUE (id);\r\nSELECT 'a\nb\r\nc';\r\n";
    assert_snapshot!(fixed("add_unique", "edit: [{ before: statement, insert: SELECT 0 }, { split: around }]", sql), @r#"
review
SELECT 1;^M
== 0002_add_unique_users_id_key.sql
SELECT 0;^M
-- größer^M
ALTER TABLE users ADD UNIQUE (id);^M
== 0003_orders_rest.sql
SELECT 'a
b^M
c';^M
"#);
}
