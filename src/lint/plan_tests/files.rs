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
