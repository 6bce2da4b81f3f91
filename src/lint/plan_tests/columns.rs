//! Recipes that put a new column beside an old one.

use super::planned;
use insta::assert_snapshot;

#[test]
fn a_renamed_column_becomes_two_that_are_kept_equal() {
    assert_snapshot!(planned(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text);",
        "ALTER TABLE users RENAME COLUMN email TO email_address;"
    ));
}

#[test]
fn what_hangs_on_a_renamed_column_stays_with_it() {
    assert_snapshot!(planned(
        r#"CREATE TABLE users (id bigint PRIMARY KEY, "Mail" citext NOT NULL UNIQUE, shout text GENERATED ALWAYS AS (upper("Mail")) STORED);
           CREATE INDEX "users_Mail_idx" ON users (lower("Mail")) WHERE "Mail" <> '';
           CREATE TABLE letters (id bigint PRIMARY KEY, mail citext REFERENCES users ("Mail"));
           GRANT SELECT ("Mail") ON users TO clerk;
           CREATE FUNCTION trim_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."Mail" := trim(NEW."Mail"); RETURN NEW; END $$;
           CREATE TRIGGER tidy BEFORE INSERT OR UPDATE OF "Mail" ON users FOR EACH ROW WHEN (NEW."Mail" <> '') EXECUTE FUNCTION trim_it('x');
           CREATE VIEW mails AS SELECT "Mail" FROM users;"#,
        r#"ALTER TABLE users RENAME COLUMN "Mail" TO "user";"#
    ));
}

#[test]
fn the_indexes_of_a_partitioned_table_are_built_on_its_partitions() {
    assert_snapshot!(planned(
        "CREATE TABLE orders (id bigint, day date, buyer int, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
         CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
         CREATE INDEX orders_buyer_idx ON orders (buyer);",
        "ALTER TABLE orders RENAME COLUMN buyer TO customer;"
    ));
}
