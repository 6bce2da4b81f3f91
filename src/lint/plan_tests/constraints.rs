//! Recipes that add constraints.

use super::{planned, planned_on};
use insta::assert_snapshot;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text, city text DEFAULT 'Bern');
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, amount numeric, code text);
    CREATE INDEX orders_buyer_idx ON orders (buyer);
    CREATE TABLE events (id bigint, day date NOT NULL, buyer bigint) PARTITION BY RANGE (day);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY RANGE (day);
    CREATE TABLE events_2027_a PARTITION OF events_2027 FOR VALUES FROM ('2027-01-01') TO ('2027-07-01');
    CREATE INDEX events_buyer_idx ON events (buyer);
";

#[test]
fn not_null_is_proven_by_a_check() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL;"));
}

#[test]
fn not_null_is_a_constraint_that_is_validated_from_18_on() {
    assert_snapshot!(planned_on(18, SHOP, "ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL;"));
    assert_snapshot!(planned_on(18, SHOP, "ALTER TABLE orders ADD CONSTRAINT orders_buyer_known NOT NULL buyer;"));
}

#[test]
fn rows_without_a_value_get_the_default_where_one_is_known() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE users ALTER COLUMN city SET NOT NULL;"));
}

#[test]
fn a_check_is_validated_later() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ADD CHECK (amount > 0 AND id > 0);"));
}

#[test]
fn constraints_of_a_new_column_are_added_behind_it() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE orders ADD COLUMN \"Fee\" numeric NOT NULL DEFAULT 1 CONSTRAINT fee_known CHECK (\"Fee\" >= 0) NO INHERIT, ADD COLUMN clerk bigint DEFAULT 1 REFERENCES users ON DELETE CASCADE DEFERRABLE;"
    ));
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ADD COLUMN slug text UNIQUE;"));
}

#[test]
fn a_foreign_key_is_validated_later() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ADD FOREIGN KEY (buyer) REFERENCES users (id) ON DELETE SET NULL;"));
}

#[test]
fn a_foreign_key_without_an_index_gets_one_first() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE orders ADD COLUMN seller bigint; ALTER TABLE orders ADD FOREIGN KEY (seller) REFERENCES users;"
    ));
}

#[test]
fn a_foreign_key_of_a_partitioned_table_begins_with_the_partitions() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE events ADD FOREIGN KEY (buyer) REFERENCES users;"));
    assert_snapshot!(planned_on(18, SHOP, "ALTER TABLE events ADD FOREIGN KEY (buyer) REFERENCES users;"));
}

#[test]
fn a_unique_constraint_stands_over_an_index_that_is_built_before() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE orders ADD UNIQUE NULLS NOT DISTINCT (code, amount) INCLUDE (buyer) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;"
    ));
}

#[test]
fn a_primary_key_needs_its_columns_first() {
    assert_snapshot!(planned(
        "CREATE TABLE shop.codes (a bigint, b bigint NOT NULL, c bigint);",
        "ALTER TABLE shop.codes ADD PRIMARY KEY (a, b, c);"
    ));
}

#[test]
fn a_unique_constraint_of_a_partitioned_table_stands_over_the_partitions_own() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE events ADD UNIQUE (id, day);"));
}

#[test]
fn what_takes_a_window_says_so() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ADD EXCLUDE USING btree (code WITH =);"));
    assert_snapshot!(planned(
        "CREATE DOMAIN price AS numeric; CREATE TABLE payments (id bigint PRIMARY KEY, amount price);",
        "ALTER DOMAIN price ADD CONSTRAINT price_positive CHECK (VALUE >= 0);"
    ));
}

#[test]
fn what_the_history_does_not_tell_is_not_guessed() {
    assert_snapshot!(planned("", "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES users;"));
    assert_snapshot!(planned(SHOP, "ALTER TABLE orders ADD COLUMN slug text DEFAULT 'x' UNIQUE;"));
}
