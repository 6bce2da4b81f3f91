//! Rules that are off by default: what turns them on, alone and together.

use super::Shop;

/// A rule that is part of a preset.
const OFF: &str = "title: Views\npreset: style\nseverity: advice\nclass: additive\nmatch:\n  op: create_view\nmessage: a view is made\nwhy: It is.\n\
                   examples:\n  bad:\n    - sql: CREATE VIEW sales AS SELECT 1 AS id;\n";

/// A shop with that rule, a view, and a config.
fn shop(config: &str) -> Shop {
    Shop::with(&[
        ("own/create-view-of-ours.yaml", OFF),
        ("lockkeeper.yaml", &format!("rule_folders: [own]\n{config}")),
        ("m/0001_sales.sql", "CREATE VIEW sales AS SELECT 1 AS id;\n"),
    ])
}

const HEARD: &str = "m/0001_sales.sql:1:1: advice[create-view-of-ours]";

#[test]
fn a_rule_of_a_preset_is_silent_until_the_preset_turns_it_on() {
    assert_eq!(shop("").short(&["m"]), Vec::<String>::new());
    assert_eq!(shop("presets: [style]\n").short(&["m"]), [HEARD]);
    assert_eq!(shop("presets: style\n").short(&["m"]), [HEARD]);
}

#[test]
fn a_rule_alone_is_turned_on_by_its_weight() {
    assert_eq!(shop("rules: { create-view-of-ours: warning }\n").short(&["m"]), [HEARD.replace("advice", "warning")]);
}

#[test]
fn what_is_said_of_one_rule_counts_for_more_than_its_preset() {
    assert_eq!(shop("presets: [style]\nrules: { create-view-of-ours: off }\n").short(&["m"]), Vec::<String>::new());
    assert_eq!(shop("presets: [style]\nrules: { create-view-of-ours: error }\n").short(&["m"]), [HEARD.replace("advice", "error")]);
}

#[test]
fn a_rule_that_is_off_says_so_and_shows_its_example_all_the_same() {
    let out = shop("").run(&["explain", "create-view-of-ours"]).out;
    assert!(out.contains("create-view-of-ours  off, additive") && out.contains("a view is made"), "{out}");
    assert!(out.contains("turned on by `presets: [style]` or `rules: { create-view-of-ours: advice }` in lockkeeper.yaml"), "{out}");
    let out = shop("presets: [style]\n").run(&["explain", "create-view-of-ours"]).out;
    assert!(out.contains("create-view-of-ours  advice, additive") && !out.contains("turned on by"), "{out}");
}

#[test]
fn the_examples_of_a_rule_that_is_off_are_tested_all_the_same() {
    let tested = shop("").run(&["rule", "test", "create-view-of-ours"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    assert!(tested.out.contains("1 rule, 1 example, 0 of them wrong"), "{}", tested.out);
}

#[test]
fn the_list_of_rules_tells_which_are_off() {
    let weight = |config: &str| {
        let rules = shop(config).run(&["rules", "--json"]).json();
        let own = rules.as_array().into_iter().flatten().find(|rule| rule["id"] == "create-view-of-ours").cloned();
        own.unwrap_or_default()["severity"].clone()
    };
    assert!(weight("").is_null());
    assert_eq!(weight("presets: [style]\n"), "advice");
}

#[test]
fn a_preset_that_nobody_knows_is_shown_at_its_place_with_those_that_are_known() {
    let answer = shop("presets: [stlye]\n").run(&["lint", "m"]);
    assert_eq!(answer.code, Some(2));
    for part in ["lockkeeper.yaml:2:11", "there is no `stlye` here, did you mean `style`?", "one of: style"] {
        assert!(answer.out.contains(part), "`{part}` is not in:\n{}", answer.out);
    }
}

#[test]
fn names_are_held_against_what_the_project_has_agreed_on() {
    let sql = "CREATE TABLE orders (id bigint PRIMARY KEY, \"buyerId\" bigint);\n\
               ALTER TABLE orders ADD CONSTRAINT buyer UNIQUE (\"buyerId\");\nCREATE INDEX orders_by_buyer ON orders (\"buyerId\");\n";
    let names = |naming: &str| {
        let shop = Shop::with(&[("m/0001_orders.sql", sql), ("lockkeeper.yaml", &format!("presets: [style]\n{naming}"))]);
        let out = shop.run(&["lint", "m", "--format", "short"]).out;
        let own = out.lines().filter_map(|line| line.split_once("advice[name-against-agreement] "));
        own.map(|(_, message)| message.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["column `buyerId` has upper-case letters, so every query has to quote it"]);
    assert_eq!(
        names("naming: { column: any, unique: [\"{table}_*_key\", \"uq_*\"], index: \"*_idx\" }\n"),
        ["unique constraint `buyer` is not called `orders_*_key` or `uq_*`", "index `orders_by_buyer` is not called `*_idx`"]
    );
    assert_eq!(names("naming: { column: any, longest: 10 }\n"), ["index `orders_by_buyer` has more than 10 characters"]);
}

#[test]
fn an_agreement_that_is_none_is_shown_at_its_place() {
    for (naming, place, words) in [
        ("naming: { colum: any }\n", "lockkeeper.yaml:1:11", "did you mean `column`?"),
        ("naming: { column: snake-case }\n", "lockkeeper.yaml:1:19", "did you mean `snake_case`?"),
        ("naming: { table: \"{table}_*\" }\n", "lockkeeper.yaml:1:18", "a table belongs to no table"),
        ("naming: { longest: 64 }\n", "lockkeeper.yaml:1:20", "from 1 to 63"),
    ] {
        let shop = Shop::with(&[("m/0001_orders.sql", super::ORDERS), ("lockkeeper.yaml", naming)]);
        let answer = shop.run(&["lint", "m"]);
        assert_eq!(answer.code, Some(2), "{naming}");
        assert!(answer.out.contains(place) && answer.out.contains(words), "{naming}: {}", answer.out);
    }
}
