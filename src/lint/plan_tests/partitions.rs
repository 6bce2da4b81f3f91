//! Recipes for indexes and partitions.

use super::{planned, planned_on};
use insta::assert_snapshot;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text, state text);
    CREATE INDEX users_state_idx ON users (state) WHERE state <> 'gone';
    CREATE TABLE events (id bigint, day date NOT NULL, buyer bigint REFERENCES users, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE INDEX events_buyer_idx ON events (buyer);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY LIST (buyer);
    CREATE TABLE events_2027_a PARTITION OF events_2027 FOR VALUES IN (1, 2);
    CREATE TABLE events_2028 (id bigint NOT NULL, day date NOT NULL, buyer bigint);
    CREATE TABLE logs (at timestamptz NOT NULL, line text) PARTITION BY RANGE (at);
    CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
    CREATE TABLE parts (id bigint, code text) PARTITION BY HASH (id);
    CREATE TABLE parts_0 (id bigint, code text);
";

#[test]
fn an_index_is_built_concurrently_under_the_name_that_the_server_would_choose() {
    assert_snapshot!(planned(SHOP, "CREATE UNIQUE INDEX ON users (lower(email));"));
}

#[test]
fn an_index_of_a_partitioned_table_is_built_partition_by_partition() {
    assert_snapshot!(planned(SHOP, "CREATE INDEX events_day_idx ON events (day);"));
}

#[test]
fn each_of_two_indexes_goes_by_itself() {
    assert_snapshot!(planned(SHOP, "DROP INDEX users_state_idx;"));
    assert_snapshot!(planned(SHOP, "DROP INDEX IF EXISTS users_state_idx, users_email_idx;"));
}

#[test]
fn an_index_is_built_anew_concurrently() {
    assert_snapshot!(planned(SHOP, "REINDEX (VERBOSE) TABLE users;"));
}

#[test]
fn a_table_is_proven_to_belong_to_its_place_before_it_is_attached() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE events ATTACH PARTITION events_2028 FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');"));
    assert_snapshot!(planned(SHOP, "ALTER TABLE parts ATTACH PARTITION parts_0 FOR VALUES WITH (MODULUS 4, REMAINDER 0);"));
}

#[test]
fn the_default_partition_is_proven_to_hold_none_of_the_new_rows() {
    assert_snapshot!(planned(SHOP, "CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"));
}

#[test]
fn a_new_partition_is_attached() {
    assert_snapshot!(planned(
        SHOP,
        "CREATE TABLE events_2030 PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') WITH (fillfactor = 70);"
    ));
}

#[test]
fn a_partition_is_detached_concurrently_and_keeps_no_check() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE events DETACH PARTITION events_2026;"));
    assert_snapshot!(planned_on(13, SHOP, "ALTER TABLE events DETACH PARTITION events_2026;"));
}
