//! Recipes that put a new column beside an old one.

use super::{planned, planned_on};
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

#[test]
fn a_key_of_another_type_takes_its_foreign_keys_along() {
    assert_snapshot!(planned(
        "CREATE TABLE users (id serial PRIMARY KEY, name text);
         CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer NOT NULL REFERENCES users ON DELETE CASCADE);
         CREATE INDEX orders_buyer_idx ON orders (buyer);",
        "ALTER TABLE users ALTER COLUMN id TYPE bigint;"
    ));
}

#[test]
fn what_guards_a_column_guards_it_under_its_new_type() {
    assert_snapshot!(planned(
        "CREATE TABLE payments (id bigint PRIMARY KEY, amount integer NOT NULL DEFAULT 0 CHECK (amount >= 0), UNIQUE (amount, id));
         CREATE INDEX payments_amount_idx ON payments (amount) WHERE amount > 100;
         CREATE STATISTICS payments_kinds (mcv) ON amount, id FROM payments;
         COMMENT ON COLUMN payments.amount IS 'in cents';",
        "ALTER TABLE payments ALTER COLUMN amount TYPE numeric(12, 2) USING amount / 100.0;"
    ));
}

#[test]
fn a_value_that_is_no_number_stops_no_code_that_writes_it() {
    assert_snapshot!(planned(
        "CREATE TABLE payments (id bigint PRIMARY KEY, amount text);",
        "ALTER TABLE payments ALTER COLUMN amount TYPE bigint USING amount::bigint;"
    ));
}

#[test]
fn values_without_room_are_kept_out_before_a_column_becomes_narrower() {
    assert_snapshot!(planned(
        "CREATE TABLE payments (id bigint PRIMARY KEY, ref varchar(40));",
        "ALTER TABLE payments ALTER COLUMN ref TYPE varchar(20);"
    ));
}

#[test]
fn what_a_change_of_type_cannot_be_planned_for_is_said() {
    let given = "CREATE TABLE payments (id bigint PRIMARY KEY, amount integer, paid timestamp, ref text, twice int GENERATED ALWAYS AS (id * 2) STORED);
                 CREATE MATERIALIZED VIEW amounts AS SELECT amount FROM payments;";
    let said = ["amount TYPE bigint", "paid TYPE timestamptz", "id TYPE numeric", "twice TYPE bigint"]
        .map(|change| planned(given, &format!("ALTER TABLE payments ALTER COLUMN {change};")));
    assert_snapshot!(said.join(""));
}

#[test]
fn rows_move_to_an_enum_value_that_stands_beside_the_old_one() {
    assert_snapshot!(planned(
        "CREATE TYPE state AS ENUM ('open', 'paid');
         CREATE TABLE orders (id bigint PRIMARY KEY, state state NOT NULL DEFAULT 'open', past state[], CHECK (state <> 'open' OR past IS NULL));
         CREATE INDEX orders_open_idx ON orders (id) WHERE state = 'open';",
        "ALTER TYPE state RENAME VALUE 'open' TO 'won''t wait';"
    ));
}

#[test]
fn what_is_made_of_a_column_goes_for_a_moment_and_comes_back() {
    assert_snapshot!(planned(
        "CREATE TABLE orders (id bigint PRIMARY KEY, amount integer);
         CREATE VIEW amounts WITH (security_barrier = true) AS SELECT id, amount FROM orders WHERE amount > 0;
         GRANT SELECT ON amounts TO clerk; COMMENT ON VIEW amounts IS 'paid';
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER seen AFTER INSERT OR UPDATE OF amount ON orders FOR EACH ROW WHEN (NEW.amount > 0) EXECUTE FUNCTION see('it');
         ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
         CREATE POLICY small ON orders FOR SELECT TO clerk USING (amount < 100);",
        "ALTER TABLE orders ALTER COLUMN amount TYPE bigint;"
    ));
}

#[test]
fn a_free_change_under_a_view_is_one_phase() {
    assert_snapshot!(planned(
        "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(20)); CREATE VIEW notes AS SELECT id, note FROM orders;",
        "ALTER TABLE orders ALTER COLUMN note TYPE text;"
    ));
}

#[test]
fn three_statements_that_split_a_column_are_one_plan() {
    assert_snapshot!(planned(
        "CREATE TABLE users (id bigint PRIMARY KEY, full_name text NOT NULL);",
        "ALTER TABLE users ADD first_name text, ADD last_name text;
         UPDATE users SET first_name = split_part(full_name, ' ', 1), last_name = split_part(full_name, ' ', 2);
         ALTER TABLE users DROP COLUMN full_name;"
    ));
}

#[test]
fn two_columns_that_become_one_are_one_plan() {
    assert_snapshot!(planned(
        "CREATE TABLE users (id bigint PRIMARY KEY, street text, town text);",
        "ALTER TABLE users ADD COLUMN address text; UPDATE users SET address = concat_ws(', ', street, town);
         ALTER TABLE users DROP COLUMN street, DROP COLUMN town; CREATE TABLE towns (id bigint PRIMARY KEY);"
    ));
}

#[test]
fn the_files_lint_clean_on_every_major() {
    let given = "CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email varchar(80) NOT NULL UNIQUE);
                 CREATE INDEX users_email_idx ON users (lower(email));
                 CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer REFERENCES users, mail varchar(80) REFERENCES users (email));
                 CREATE INDEX orders_buyer_idx ON orders (buyer); CREATE INDEX orders_mail_idx ON orders (mail);";
    let changes =
        ["RENAME COLUMN email TO mail", "ALTER COLUMN id TYPE bigint", "ALTER COLUMN email TYPE varchar(40)", "RENAME COLUMN id TO number"];
    for server in 12..=19 {
        for change in changes {
            let said = planned_on(server, given, &format!("ALTER TABLE users {change};"));
            assert!(said.contains("phase 1/") && !said.contains("\n! "), "{server}: {said}");
        }
    }
}

#[test]
fn what_the_copy_shares_with_other_columns_goes_with_it() {
    let given = "CREATE TABLE users (id bigint PRIMARY KEY, shop bigint, email text, UNIQUE (shop, email));";
    let said = planned(given, "ALTER TABLE users RENAME COLUMN email TO mail;");
    assert!(said.contains("CREATE UNIQUE INDEX CONCURRENTLY") && !said.contains("\n! "), "{said}");
}
