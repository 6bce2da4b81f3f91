//! Recipes that take away, rename tables and change rows.

use super::{planned, planned_on};
use insta::assert_snapshot;

const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text, nick text NOT NULL, state text, UNIQUE (email, nick));
    CREATE INDEX users_nick_state_idx ON users (nick, state);
    CREATE TABLE payments (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint REFERENCES users, payment bigint REFERENCES payments, note text);
    CREATE TABLE archive (id bigint PRIMARY KEY, note text);
    CREATE TABLE visits (at timestamptz, page text);
    CREATE TABLE lines (order_id bigint, line int, note text, PRIMARY KEY (order_id, line));
    GRANT SELECT, INSERT ON users TO app;
    GRANT UPDATE (state) ON users TO clerk;
    CREATE TABLE events (id bigint, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
";

#[test]
fn a_column_goes_once_writers_may_leave_it_out() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE users DROP COLUMN nick;"));
}

#[test]
fn a_column_that_a_view_needs_stays() {
    let given = format!("{SHOP} CREATE VIEW nicks AS SELECT nick FROM users;");
    assert_snapshot!(planned(&given, "ALTER TABLE users DROP COLUMN nick;"));
}

#[test]
fn a_table_goes_in_steps() {
    assert_snapshot!(planned(SHOP, "DROP TABLE orders;"));
    assert_snapshot!(planned(SHOP, "DROP TABLE events_2026;"));
}

#[test]
fn a_view_takes_the_old_name_of_a_table_and_its_rights() {
    assert_snapshot!(planned(SHOP, "ALTER TABLE users RENAME TO customers;"));
    let guarded = format!("{SHOP} ALTER TABLE users ENABLE ROW LEVEL SECURITY;");
    assert_snapshot!(planned_on(14, &guarded, "ALTER TABLE users RENAME TO customers;"));
}

#[test]
fn rows_are_changed_in_batches() {
    assert_snapshot!(planned(SHOP, "UPDATE users u SET state = 'known' FROM payments p WHERE p.id = u.id AND u.state IS NULL;"));
    assert_snapshot!(planned(SHOP, "UPDATE lines SET note = NULL;"));
    assert_snapshot!(planned(SHOP, "DELETE FROM visits WHERE at < '2026-01-01';"));
    assert_snapshot!(planned(SHOP, "TRUNCATE orders;"));
    assert_snapshot!(planned(SHOP, "INSERT INTO archive (id, note) SELECT o.id, o.note FROM orders o JOIN users u ON u.id = o.buyer;"));
}

#[test]
fn rows_are_not_changed_in_batches_where_that_would_end_elsewhere() {
    for sql in [
        "UPDATE payments SET id = 7;",
        "UPDATE users SET state = state || '!';",
        "UPDATE users SET state = (SELECT max(state) FROM users);",
        "UPDATE visits SET page = 'home';",
        "INSERT INTO visits (page) SELECT note FROM orders;",
        "INSERT INTO archive (id, note) SELECT buyer, max(note) FROM orders GROUP BY buyer;",
    ] {
        let said = planned(SHOP, sql);
        assert!(said.starts_with("maintenance-window: ") && !said.contains("phase 1/"), "{sql}: {said}");
    }
}

#[test]
fn a_column_that_is_copied_and_dropped_in_one_file_has_no_plan_that_keeps_later_writes() {
    let moved = "ALTER TABLE archive ADD COLUMN state text;
                 INSERT INTO archive (id, state) SELECT id, state FROM users;
                 ALTER TABLE users DROP COLUMN state;";
    assert_snapshot!(planned(SHOP, moved));
    let split = "UPDATE users SET email = split_part(state, ' ', 1);
                 ALTER TABLE users DROP COLUMN state;";
    assert_snapshot!(planned(SHOP, split));
}

#[test]
fn a_column_that_is_only_emptied_before_it_goes_is_moved_nowhere() {
    assert_snapshot!(planned(SHOP, "UPDATE users SET state = NULL; ALTER TABLE users DROP COLUMN state;"));
}
