//! `lint`: which files are judged, and on which schema.

use super::{ORDERS, PLAIN_INDEX, Shop};

#[test]
fn a_file_named_alone_is_judged_on_what_the_files_before_it_made() {
    let later = "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN note TYPE text;\n";
    let shop = Shop::with(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint, note varchar(20));\n"), ("m/0002_note.sql", later)]);
    let about_the_rewrite = |arguments: &[&str]| {
        let lines = shop.short(&[arguments, &["m/0002_note.sql"]].concat());
        lines.into_iter().filter(|line| line.ends_with("[change-column-type]")).collect::<Vec<_>>()
    };
    assert_eq!(about_the_rewrite(&[]), Vec::<String>::new());
    assert_eq!(about_the_rewrite(&["--no-history"]), ["m/0002_note.sql:2:20: warning[change-column-type]"]);
    shop.write("dump.sql", "CREATE TABLE public.orders (id bigint, note character varying(20));\n");
    assert_eq!(about_the_rewrite(&["--no-history", "--schema", "dump.sql"]), Vec::<String>::new());
}

#[test]
fn standard_input_takes_the_place_of_the_file_that_it_stands_for() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", "SELECT 1;\n")]);
    let answer = shop.run_with_input(&["lint", "-", "--stdin-path", "m/0002_index.sql", "--format", "short"], PLAIN_INDEX);
    assert!(answer.out.starts_with("m/0002_index.sql:2:1: error[create-index-without-concurrently]"), "{}", answer.out);
    let answer = shop.run_with_input(&["lint", "-", "--format", "short"], "DROP TABLE orders;\n");
    assert!(answer.out.contains("<stdin>:1:"), "{}{}", answer.out, answer.err);
}

#[test]
fn without_a_path_the_directories_of_the_nearest_config_are_judged() {
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "migrations: [db/one, db/two]\nexclude: [\"**/0001_*\"]\n"),
        ("db/one/0001_orders.sql", ORDERS),
        ("db/one/0002_index.sql", PLAIN_INDEX),
        ("db/two/0002_index.sql", "SELECT 1;\n"),
        ("elsewhere/0001_drop.sql", "DROP TABLE orders;\n"),
    ]);
    let report = shop.run(&["lint", "--format", "json"]).json();
    let paths: Vec<_> = report["migrations"].as_array().into_iter().flatten().map(|migration| migration["path"].clone()).collect();
    assert_eq!(paths, ["db/one/0002_index.sql", "db/two/0002_index.sql"]);
}

#[test]
fn what_the_config_says_for_nothing_is_noted() {
    let config = "migrations: m\nexclude: [\"m/old/*\"]\nrules: { drop-column: error, drop-table: warning }\n";
    let shop = Shop::with(&[("lockkeeper.yaml", config), ("m/0001_orders.sql", ORDERS)]);
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0));
    let notes: Vec<_> = answer.err.lines().collect();
    assert_eq!(
        notes,
        [
            "note: nothing matches `m/old/*` under `exclude:`",
            "note: `drop-column` weighs that much anyway: the line under `rules:` changes nothing"
        ]
    );
}

#[test]
fn two_directories_are_two_histories() {
    let shop = Shop::with(&[
        ("a/0001_orders.sql", ORDERS),
        ("b/0001_index.sql", "CREATE TABLE orders (id bigint);\nCREATE INDEX ON orders (id);\n"),
    ]);
    assert_eq!(shop.run(&["lint", "a", "b"]).code, Some(0), "the second directory makes a table of its own");
}

#[test]
fn files_that_undo_a_migration_are_counted_not_judged() {
    let shop = Shop::with(&[("m/0001_orders.up.sql", ORDERS), ("m/0001_orders.down.sql", "DROP TABLE orders;\n")]);
    let answer = shop.run(&["lint", "m"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.out.contains("files passed over: 1 that undo a migration"), "{}", answer.out);
}

#[test]
fn a_file_without_a_way_back_stands_out_where_the_others_have_one() {
    let table = |name: &str| format!("CREATE TABLE {name} (id bigint PRIMARY KEY);\n");
    let (users, orders, payments) = (table("users"), table("orders"), table("payments"));
    let shop = Shop::with(&[
        ("m/0001_users.up.sql", &users),
        ("m/0001_users.down.sql", "DROP TABLE users;\n"),
        ("m/0002_orders.up.sql", &orders),
        ("m/0002_orders.down.sql", "DROP TABLE orders;\n"),
        ("m/0003_payments.up.sql", &payments),
    ]);
    assert_eq!(shop.short(&["m"]), ["m/0003_payments.up.sql:1:1: warning[migration-without-way-back]"]);
    assert_eq!(shop.short(&["m/0003_payments.up.sql"]), ["m/0003_payments.up.sql:1:1: warning[migration-without-way-back]"]);
    shop.write("m/0003_payments.down.sql", "DROP TABLE payments;\n");
    assert_eq!(shop.short(&["m"]), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_link_into_nothing_is_told_unless_its_name_is_one_that_nobody_reads() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS)]);
    std::os::unix::fs::symlink("../gone", shop.0.path().join("m/.env")).expect("a link");
    assert_eq!(shop.run(&["lint", "m"]).code, Some(0));
    std::os::unix::fs::symlink("../gone.sql", shop.0.path().join("m/0002_gone.sql")).expect("a link");
    let answer = shop.run(&["lint", "m"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.out.contains("m/0002_gone.sql"), "{}{}", answer.out, answer.err);
}

#[test]
fn a_list_of_files_that_are_not_there_hides_none_that_are() {
    let journal = r#"{"entries": [{"tag": "0000_gone"}, {"tag": "0009_gone"}]}"#;
    let shop = Shop::with(&[("m/meta/_journal.json", journal), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let answer = shop.run(&["lint", "--format", "short", "m"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.out.contains("m/0002_index.sql:2:1: error[create-index-without-concurrently]"), "{}", answer.out);
    let said = format!("{}{}", answer.out, answer.err);
    assert!(
        said.contains("m/0000_gone.sql") && said.contains("the list of drizzle names this file, which is not there, and 1 more"),
        "{said}"
    );
}

#[test]
fn what_a_list_leaves_out_is_counted_and_its_gaps_are_told() {
    let journal = r#"{"entries": [{"tag": "0001_orders"}, {"tag": "0002_gone"}]}"#;
    let shop = Shop::with(&[("m/meta/_journal.json", journal), ("m/0001_orders.sql", ORDERS), ("m/0003_index.sql", PLAIN_INDEX)]);
    let answer = shop.run(&["lint", "m"]);
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.out.contains("1 that the list of their tool leaves out") && answer.out.contains("m/0002_gone.sql"), "{}", answer.out);
}

#[test]
fn the_tool_of_the_config_overrules_the_list_of_another_one() {
    let journal = r#"{"entries": [{"tag": "001_orders"}]}"#;
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "migrations: m\ntool: plain\n"),
        ("m/meta/_journal.json", journal),
        ("m/001_orders.sql", ORDERS),
        ("m/002_drop.sql", "DROP TABLE orders;\n"),
    ]);
    let answer = shop.run(&["lint", "--format", "short"]);
    assert_eq!(answer.code, Some(1), "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("m/002_drop.sql:1:1: error[drop-table]"), "{}", answer.out);
    shop.write("lockkeeper.yaml", "migrations: m\ntool: drizzle\n");
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.out, answer.err);
    assert!(answer.out.contains("1 that the list of their tool leaves out"), "{}", answer.out);
}

#[test]
fn changes_that_a_changelog_makes_in_its_own_words_are_counted() {
    let changelog = "databaseChangeLog:\n  - include: { file: db/orders.sql }\n  - changeSet: { id: 2, author: anna, changes: [ { sql: DROP TABLE drafts } ] }\n";
    let orders = "--liquibase formatted sql\n--changeset anna:1\nCREATE TABLE orders (id bigint);\n";
    let shop = Shop::with(&[("changelog.yaml", changelog), ("db/orders.sql", orders)]);
    let answer = shop.run(&["lint", "db"]);
    assert!(answer.out.contains("1 changesets that are no SQL"), "{}{}", answer.out, answer.err);
}
