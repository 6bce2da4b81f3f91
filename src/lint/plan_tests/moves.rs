//! Columns that move to another table.

use super::planned;
use insta::assert_snapshot;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, bio text, site text DEFAULT 'none', age integer);
    CREATE TABLE profiles (user_id bigint PRIMARY KEY REFERENCES users, note text);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint REFERENCES users, note text);
    CREATE INDEX orders_buyer_idx ON orders (buyer);
    CREATE TABLE cards (number text PRIMARY KEY, holder bigint UNIQUE);
    CREATE TABLE visits (id bigint PRIMARY KEY, visitor bigint);
";

#[test]
fn a_column_moves_to_the_one_row_that_belongs_to_its_own() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE profiles ADD COLUMN bio text;
         UPDATE profiles SET bio = users.bio FROM users WHERE users.id = profiles.user_id;
         ALTER TABLE users DROP COLUMN bio;"
    ));
}

#[test]
fn two_columns_move_together_and_rows_may_come_in_either_order() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE cards ADD site text, ADD mail text;
         UPDATE cards AS c SET site = u.site, mail = email FROM users u WHERE c.holder = u.id;
         ALTER TABLE users DROP site, DROP email;"
    ));
}

#[test]
fn where_many_rows_take_one_value_nothing_is_carried_back() {
    assert_snapshot!(planned(
        SHOP,
        "ALTER TABLE orders ADD COLUMN age integer;
         UPDATE orders SET age = (SELECT u.age FROM users u WHERE u.id = buyer);
         ALTER TABLE users DROP COLUMN age;"
    ));
}

#[test]
fn what_no_trigger_could_carry_over_is_refused() {
    let moves = [
        ("profiles ADD COLUMN bio varchar(80)", "UPDATE profiles SET bio = users.bio FROM users WHERE users.id = user_id"),
        ("visits ADD COLUMN bio text", "UPDATE visits SET bio = users.bio FROM users WHERE users.id = visitor"),
        ("orders ADD COLUMN bio text", "UPDATE orders SET bio = users.bio FROM users WHERE users.age = orders.buyer"),
        ("orders ADD COLUMN bio text", "UPDATE orders SET bio = users.bio FROM users WHERE users.id = buyer AND note IS NOT NULL"),
    ];
    let said = moves.map(|(add, update)| planned(SHOP, &format!("ALTER TABLE {add}; {update}; ALTER TABLE users DROP COLUMN bio;")));
    assert_snapshot!(said.join(""));
}

#[test]
fn what_is_no_plain_copy_is_no_move() {
    let others = [
        "UPDATE profiles SET bio = upper(users.bio) FROM users WHERE users.id = user_id",
        "UPDATE profiles SET bio = users.bio FROM users WHERE users.id = user_id AND user_id BETWEEN 1 AND 100",
        "UPDATE profiles SET bio = users.bio FROM users, orders WHERE users.id = user_id",
    ];
    for update in others {
        let said = planned(SHOP, &format!("ALTER TABLE profiles ADD COLUMN bio text; {update}; ALTER TABLE users DROP COLUMN bio;"));
        assert!(!said.contains("move-column") && said.contains("the file copies values"), "{update}: {said}");
    }
}
