//! What cannot be read is said, at its place, and hides nothing else.

use super::words;
use insta::assert_snapshot;

#[test]
fn a_subcommand_that_cannot_be_read_does_not_hide_the_others() {
    assert_snapshot!(
        words(
            r#"
        ALTER TABLE orders ADD COLUMN a int, FROBNICATE b, DROP COLUMN c;
        ALTER TABLE orders ALTER COLUMN a SET, ALTER b DROP DEFAULT;
"#
        ),
        @r#"
        add_column orders.a integer (partial)
        alter_unreadable orders syntax error at `FROBNICATE`, expected ALTER, DROP, VALIDATE CONSTRAINT, RENAME, SET, RESET, ENABLE, DISABLE ... (partial)
        drop_column orders.c (partial)
        alter_unreadable orders syntax error at `,`, expected DEFAULT, NOT NULL, EXPRESSION AS, STATISTICS, STORAGE or COMPRESSION (partial)
        drop_default orders.b (partial)
        "#
    );
}

#[test]
fn words_that_nobody_asked_for_are_a_fault() {
    assert_snapshot!(
        words(
            r#"
        DROP TABLE orders payments;
        CREATE TABLE orders (id int NOT NUL, note text);
        CREATE TABLE orders (id int) FOO;
        CREATE INDEX i ON orders (a) WITH (fillfactor = 70) b;
        ALTER TABLE orders RENAME TO shop.purchases;
        REINDEX orders;
        CREATE UNIQUE TABLE orders (id int);
        CREATE OR REPLACE TABLE orders (id int);
"#
        ),
        @r#"
        unreadable syntax error at `payments`, expected the end (unreadable)
        unreadable syntax error at `NOT`, expected the end (unreadable)
        unreadable syntax error at `FOO`, expected the end (unreadable)
        unreadable syntax error at `b`, expected the end (unreadable)
        alter_unreadable orders syntax error at `.`, expected the end (partial)
        unreadable syntax error at `orders`, expected INDEX, TABLE, SCHEMA, DATABASE or SYSTEM (unreadable)
        unreadable syntax error at `UNIQUE`, expected TABLE (unreadable)
        unreadable syntax error at `OR`, expected TABLE (unreadable)
        "#
    );
}

#[test]
fn names_that_need_quotes_are_a_fault() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE user (id int);
        CREATE TABLE orders (order int);
        CREATE TABLE a.b.c.d (id int);
"#
        ),
        @r#"
        unreadable syntax error at `user`, expected a name (unreadable)
        unreadable syntax error at `order`, expected a name (unreadable)
        unreadable syntax error at `.`, expected at most three parts in a name (unreadable)
        "#
    );
}

#[test]
fn what_is_missing_is_said_at_its_place() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (id int,);
        CREATE TABLE orders (id);
        CREATE TABLE orders (id int;
        CREATE TABLE;
        ALTER TABLE orders;
        ALTER TABLE orders ADD COLUMN buyer bigint REFERENCES users NOT VALID;
        ALTER TABLE orders ADD CHECK ();
        CREATE TABLE orders (id int DEFAULT NOT NULL);
        DROP INDEX;
        FROBNICATE orders;
        ALTER TABLE orders ADD COLUMN a int DEFAULT 0 AFTER b;
        ALTER TABLE orders ADD COLUMN a int, RENAME b TO c;
        CREATE TABLE orders (at timestamptz DEFAULT now() AT TIME ZONE 'utc');
"#
        ),
        @r#"
        unreadable syntax error at `)`, expected a name (unreadable)
        unreadable syntax error at `)`, expected a data type (unreadable)
        unreadable syntax error: this bracket is never closed (unreadable)
        unreadable syntax error at the end of the statement, expected a name (unreadable)
        unreadable syntax error at the end of the statement, expected a subcommand (unreadable)
        alter_unreadable orders syntax error at `NOT`, expected the end (partial)
        alter_unreadable orders syntax error at the end of the statement, expected an expression (partial)
        unreadable syntax error at `NOT`, expected an expression (unreadable)
        unreadable syntax error at the end of the statement, expected a name (unreadable)
        unreadable syntax error at `FROBNICATE`, expected a statement of PostgreSQL (unreadable)
        alter_unreadable orders syntax error at `AFTER`, expected the end (partial)
        add_column orders.a integer (partial)
        alter_unreadable orders syntax error at `RENAME`, expected a subcommand that others may stand beside (partial)
        unreadable syntax error at `AT`, expected the end (unreadable)
        "#
    );
}
