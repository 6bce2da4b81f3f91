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
