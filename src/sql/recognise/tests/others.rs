//! GRANT, COMMENT, and what touches no table.

use super::words;
use insta::assert_snapshot;

#[test]
fn privileges_name_their_objects() {
    assert_snapshot!(words("GRANT SELECT (id, note), UPDATE ON TABLE orders, shop.users TO app, PUBLIC WITH GRANT OPTION GRANTED BY CURRENT_USER"), @"grant what=select,update on=orders,shop.users roles=app,public option");
    assert_snapshot!(words("GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA shop TO app; GRANT USAGE ON SCHEMA shop TO GROUP app"), @"
    grant what=all all_in_schema roles=app
    grant what=usage on=shop roles=app
    ");
    assert_snapshot!(words("GRANT EXECUTE ON FUNCTION f(int), g(text) TO app; GRANT SET ON PARAMETER work_mem TO app; GRANT SELECT ON LARGE OBJECT 1, 2 TO app"), @"
    grant what=execute on=f,g roles=app
    grant what=set roles=app
    grant what=select roles=app
    ");
    assert_snapshot!(words("GRANT app, web TO bob WITH ADMIN OPTION; GRANT app TO bob WITH INHERIT TRUE, SET FALSE"), @"
    grant what=app,web roles=bob option
    grant what=app roles=bob
    ");
    assert_snapshot!(words("REVOKE GRANT OPTION FOR SELECT ON orders FROM bob CASCADE; REVOKE ALL ON schema FROM bob"), @"
    revoke what=select on=orders roles=bob option
    revoke what=all on=schema roles=bob
    ");
    assert_snapshot!(words("GRANT SELECT ON orders FOR app"), @"unreadable syntax error at `FOR`, expected TO (unreadable)");
}

#[test]
fn comments_name_any_kind_of_object() {
    assert_snapshot!(words("COMMENT ON COLUMN shop.orders.note IS 'it''s'; COMMENT ON TABLE orders IS $$x$$; COMMENT ON CONSTRAINT c ON orders IS NULL"), @"
    comment note on=shop.orders
    comment orders
    comment c on=orders
    ");
    assert_snapshot!(words("COMMENT ON CONSTRAINT c ON DOMAIN money IS 'x'; COMMENT ON FUNCTION f(int, text) IS 'x'; COMMENT ON TYPE shop.mood IS 'x'"), @"
    comment c
    comment f
    comment shop.mood
    ");
    assert_snapshot!(words("COMMENT ON OPERATOR + (int, int) IS 'x'; COMMENT ON CAST (a AS b) IS 'x'; COMMENT ON OPERATOR CLASS c USING btree IS 'x'; COMMENT ON TRANSFORM FOR hstore LANGUAGE plperl IS 'x'"), @"
    comment
    comment
    comment c
    comment
    ");
    assert_snapshot!(words("SECURITY LABEL FOR 'selinux' ON TABLE orders IS 'x'; SECURITY LABEL ON ROLE bob IS NULL"), @"
    comment orders
    comment bob
    ");
    assert_snapshot!(words("COMMENT ON COLUMN note IS 'x'"), @"unreadable syntax error at `IS`, expected the table of the column (unreadable)");
    assert_snapshot!(words("COMMENT ON TABLE orders IS 5"), @"unreadable syntax error at `5`, expected a string (unreadable)");
}

#[test]
fn what_touches_no_table_has_a_name_and_no_more() {
    assert_snapshot!(words("CREATE ROLE app LOGIN PASSWORD 'x'; CREATE PUBLICATION p FOR TABLE orders (id, note) WHERE (id > 1), ONLY shop.users, TABLES IN SCHEMA logs, CURRENT_SCHEMA WITH (publish = 'insert'); ALTER PUBLICATION p DROP TABLE orders, TABLE users; CREATE PUBLICATION q FOR ALL TABLES; CREATE USER MAPPING FOR bob SERVER s; CREATE SERVER IF NOT EXISTS s FOREIGN DATA WRAPPER w"), @"
    other [create role] app
    other [create publication] p tables=orders,shop.users
    other [alter publication] p tables=orders,users
    other [create publication] q
    other [create user mapping]
    other [create server] s
    ");
    assert_snapshot!(words("CREATE OPERATOR shop.=== (LEFTARG = int, PROCEDURE = f); CREATE AGGREGATE shop.agg(int) (SFUNC = f, STYPE = int); CREATE CAST (a AS b) WITHOUT FUNCTION; CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)"), @"
    other [create operator]
    other [create aggregate] shop.agg
    other [create cast]
    other [create text search configuration] c
    ");
    assert_snapshot!(words("CREATE OR REPLACE TRUSTED PROCEDURAL LANGUAGE plx HANDLER h; CREATE TRANSFORM FOR hstore LANGUAGE plperl (FROM SQL WITH FUNCTION f(internal))"), @"
    other [create language] plx
    other [create transform]
    ");
    assert_snapshot!(words("LISTEN x; NOTIFY x, 'y'; UNLISTEN *; LOAD 'auto_explain'; CHECKPOINT; SHOW ALL; MOVE 5 FROM c; REASSIGN OWNED BY a TO b"), @"
    other [listen] x
    other [notify] x
    other [unlisten]
    other [load]
    other [checkpoint]
    other [show]
    other [move]
    other [reassign owned]
    ");
    assert_snapshot!(words("IMPORT FOREIGN SCHEMA remote FROM SERVER s INTO shop"), @"other [import foreign schema] (partial)");
}

#[test]
fn some_kinds_refuse_a_transaction_block() {
    assert_snapshot!(words("CREATE DATABASE shop OWNER bob; CREATE TABLESPACE fast LOCATION '/x'"), @"
    other [create database] shop outside_transactions
    other [create tablespace] fast outside_transactions
    ");
    assert_snapshot!(words("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p; CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (enabled = false, create_slot = false); CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = 'off')"), @"
    other [create subscription] s outside_transactions
    other [create subscription] s
    other [create subscription] s
    ");
}

#[test]
fn a_kind_that_postgresql_does_not_have_is_a_fault() {
    assert_snapshot!(words("CREATE WHATEVER x; SELEC 1"), @"
    unreadable syntax error at `WHATEVER`, expected a kind of object (unreadable)
    unreadable syntax error at `SELEC`, expected a statement of PostgreSQL (unreadable)
    ");
}
