//! Whole files: what stays as it is, and what stands around the statements.

use super::planned;
use insta::assert_snapshot;

const ORDERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, note text, buyer bigint);";

/// Without the phases themselves.
fn outline(sql: &str) -> String {
    let is_told = |line: &&str| {
        line.starts_with("kept")
            || line.contains(": phase ")
            || line.starts_with("maintenance-window")
            || line.starts_with("three-phase")
            || line.starts_with('!')
    };
    planned(ORDERS, sql).lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_part_of_an_alter_table_is_a_statement_of_its_own() {
    assert_snapshot!(outline("ALTER TABLE orders ADD COLUMN lot integer, ALTER COLUMN note SET NOT NULL, ADD COLUMN bin integer;"));
}

#[test]
fn what_frames_the_statements_of_the_file_frames_each_file_of_the_plan_anew() {
    assert_snapshot!(outline("BEGIN; SET LOCAL lock_timeout = '5s'; ALTER TABLE orders ALTER COLUMN note SET NOT NULL; COMMIT;"));
}

#[test]
fn what_a_setting_before_it_changes_is_refused() {
    assert_snapshot!(outline("SET search_path = shop; ALTER TABLE public.orders ALTER COLUMN note SET NOT NULL;"));
}

#[test]
fn a_plan_may_follow_another_for_the_same_column() {
    let given = "CREATE TABLE users (id bigint PRIMARY KEY, email text);";
    for second in
        ["RENAME COLUMN mail TO post", "ALTER COLUMN mail TYPE varchar(80) USING left(mail, 80)", "ALTER COLUMN mail SET NOT NULL"]
    {
        let said = planned(given, &format!("ALTER TABLE users RENAME COLUMN email TO mail; ALTER TABLE users {second};"));
        assert!(said.contains("-- lockkeeper: phase 1/") && !said.contains("\n! "), "{second}: {said}");
    }
}

#[test]
fn what_is_over_in_a_moment_asks_for_no_window() {
    let said =
        planned("CREATE TABLE orders (id bigint PRIMARY KEY, note text NOT NULL);", "ALTER TABLE orders ALTER COLUMN note DROP NOT NULL;");
    assert!(said.starts_with("three-phase: ") && said.contains("one statement does it; `lockkeeper explain drop-not-null`"), "{said}");
}

#[test]
fn what_stays_keeps_the_comments_above_it() {
    let sql = "-- lockkeeper: transaction runner\n-- for the labels\nALTER TABLE orders ADD COLUMN lot integer;\n\
               -- lockkeeper: allow drop-table because nobody has any\nDROP TABLE users; -- at last\n\
               ALTER TABLE orders ALTER COLUMN note SET NOT NULL;";
    let kept: Vec<_> = planned(ORDERS, sql).split("-- lockkeeper: phase").next().unwrap_or_default().lines().map(str::to_owned).collect();
    assert_snapshot!(kept.join("\n"));
}

/// The order of the files, each by what it says first.
fn order(given: &str, sql: &str) -> String {
    let said = planned(given, sql);
    let is_told =
        |line: &&str| line.starts_with("kept") || line.contains(": recipe ") || line.contains("-window: ") || line.starts_with("! ");
    said.lines().filter(is_told).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_trigger_that_keeps_columns_equal_is_there_before_the_copy() {
    let given = "CREATE TABLE users (id bigint PRIMARY KEY, email text);";
    let sync = "ALTER TABLE users ADD COLUMN email_address text;
                UPDATE users SET email_address = email WHERE email_address IS NULL;
                CREATE FUNCTION keep_equal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email_address := NEW.email; RETURN NEW; END $$;
                CREATE TRIGGER users_keep_equal BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep_equal();";
    assert_snapshot!(order(given, sync));
    let touch = sync.replace("NEW.email_address := NEW.email;", "NEW.changed := now();");
    let said = order("CREATE TABLE users (id bigint PRIMARY KEY, email text, changed timestamptz);", &touch);
    assert!(said.find("CREATE TRIGGER") > said.find("batches instead of UPDATE"), "another trigger stays where it is: {said}");
}

#[test]
fn a_constraint_comes_behind_the_rows_that_would_break_it() {
    assert_snapshot!(order(
        ORDERS,
        "ALTER TABLE orders ADD COLUMN state text;
         ALTER TABLE orders ADD CONSTRAINT orders_state_known CHECK (state IS NOT NULL) NOT VALID;
         UPDATE orders SET state = 'open' WHERE state IS NULL;
         ALTER TABLE orders VALIDATE CONSTRAINT orders_state_known;"
    ));
}

#[test]
fn an_index_is_built_before_the_one_goes_that_it_replaces() {
    let given = format!(
        "{ORDERS} ALTER TABLE users ADD COLUMN mail text; CREATE INDEX orders_note_idx ON orders (note); CREATE UNIQUE INDEX orders_buyer_key ON orders (buyer);"
    );
    assert_snapshot!(order(
        &given,
        "DROP INDEX orders_note_idx; DROP INDEX orders_buyer_key; CREATE INDEX orders_both_idx ON orders (note, buyer);
         CREATE INDEX users_mail_idx ON users (mail);"
    ));
    let same_name = order(&given, "DROP INDEX orders_note_idx; CREATE INDEX orders_note_idx ON orders (lower(note));");
    assert!(same_name.find("DROP INDEX") < same_name.find("CREATE INDEX"), "{same_name}");
}
