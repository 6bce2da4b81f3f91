//! Columns that every row gets a value of its own in.

use super::{planned, planned_on};
use insta::assert_snapshot;

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, net numeric NOT NULL);";

#[test]
fn a_default_that_differs_from_row_to_row_is_set_first_and_filled_in_batches() {
    assert_snapshot!(planned(ORDERS, "ALTER TABLE orders ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();"));
}

#[test]
fn a_default_of_a_column_that_may_be_null_is_filled_in_all_the_same() {
    assert_snapshot!(planned(ORDERS, "ALTER TABLE orders ADD COLUMN lot double precision DEFAULT random() UNIQUE;"));
}

#[test]
fn a_serial_column_gets_its_sequence_before_its_rows_get_numbers() {
    assert_snapshot!(planned(ORDERS, "ALTER TABLE orders ADD COLUMN number serial;"));
}

#[test]
fn an_identity_column_goes_on_where_a_sequence_before_it_ends() {
    assert_snapshot!(planned_on(18, ORDERS, "ALTER TABLE orders ADD COLUMN \"Number\" bigint GENERATED ALWAYS AS IDENTITY;"));
}

#[test]
fn a_required_column_without_a_value_waits_for_one() {
    assert_snapshot!(planned(ORDERS, "ALTER TABLE orders ADD COLUMN buyer bigint NOT NULL;"));
}

#[test]
fn a_stored_generated_column_becomes_one_that_a_trigger_keeps() {
    assert_snapshot!(planned(ORDERS, "ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.19) STORED NOT NULL;"));
}
