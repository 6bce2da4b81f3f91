//! `rules`, `explain`, `rule new` and `rule test`.

use super::Shop;
use std::fs;

#[test]
fn rules_are_listed_for_people_and_for_programs() {
    let shop = Shop::with(&[("lockkeeper.yaml", "rules: { drop-column: off }\n")]);
    let rules = shop.run(&["rules", "--json"]).json();
    let row = |id: &str| rules.as_array().into_iter().flatten().find(|rule| rule["id"] == id).cloned().unwrap_or_default();
    assert_eq!(row("drop-table")["severity"], "error");
    assert!(row("drop-column")["severity"].is_null());
    assert!(shop.run(&["rules"]).out.contains("create-index-without-concurrently"));
}

#[test]
fn a_rule_is_explained_under_each_of_its_names() {
    let shop = Shop::new();
    let [own, alias] = ["drop-column", "ban-drop-column"].map(|name| shop.run(&["explain", name]));
    assert_eq!((own.code, &own.out), (Some(0), &alias.out));
    assert!(own.out.contains("why: ") && own.out.contains("good"), "{}", own.out);
    let unknown = shop.run(&["explain", "drop-colum"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `drop-column`?"), "{}", unknown.err);
}

#[test]
fn a_rule_of_ones_own_is_begun_filled_and_tested() {
    let shop = Shop::with(&[("lockkeeper.yaml", "rule_folders: [own]\n"), ("own/.keep", "")]);
    fs::remove_file(shop.0.path().join("own/.keep")).expect("it was there");
    shop.write("lockkeeper.yaml", "");
    assert_eq!(shop.run(&["rule", "new", "create-statistics-of-ours", "--folder", "own"]).code, Some(0));
    shop.write("lockkeeper.yaml", "rule_folders: [own]\n");
    let path = shop.0.path().join("own/create-statistics-of-ours.yaml");
    let begun = fs::read_to_string(&path).expect("it is written");
    assert!(begun.contains("op: create_statistics\n"), "{begun}");
    assert_eq!(shop.run(&["rule", "test", "create-statistics-of-ours"]).code, Some(1), "its examples are none yet");
    let filled = begun
        .replace("The SQL on which this rule speaks, once.", "CREATE STATISTICS orders_state ON state, day FROM orders;")
        .replace("SQL on which no rule speaks.", "SELECT 1;");
    fs::write(&path, filled).expect("it is filled");
    let tested = shop.run(&["rule", "test", "create-statistics-of-ours"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    assert!(shop.run(&["rule", "new", "create_statistics"]).err.contains("lower-case words with hyphens"));
}

#[test]
fn a_rule_that_no_config_names_is_said_to_be_unread() {
    let answer = Shop::new().run(&["rule", "new", "drop-view-of-ours"]);
    assert!(answer.out.contains("once lockkeeper.yaml says: rule_folders: [rules]"), "{}", answer.out);
}
