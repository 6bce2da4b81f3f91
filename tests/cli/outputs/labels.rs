//! `--format github-labels`, and the class as a gate.

use super::Shop;

const SHOP: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n";
const TIMEOUT: &str = "SET lock_timeout = '2s';\n";

/// The labels of a migration behind the one that makes the shop.
fn labels(sql: &str) -> Vec<String> {
    let shop = Shop::with(&[("m/0001_shop.sql", SHOP), ("m/0002_change.sql", &format!("{TIMEOUT}{sql}\n"))]);
    shop.run(&["lint", "m/0002_change.sql", "--format", "github-labels"]).out.lines().map(str::to_owned).collect()
}

#[test]
fn the_class_is_a_label() {
    assert_eq!(labels("ALTER TABLE orders ADD COLUMN paid boolean;"), ["migration: additive"]);
    assert_eq!(labels("ALTER TABLE orders RENAME COLUMN note TO remark;"), ["migration: three-phase"]);
    assert_eq!(labels("CREATE INDEX ON orders (buyer);"), ["migration: maintenance-window"]);
}

#[test]
fn what_destroys_data_and_what_cannot_be_read_have_labels_of_their_own() {
    let destructive = ["migration: three-phase", "migration: destructive"];
    assert_eq!(labels("ALTER TABLE orders DROP COLUMN note;"), destructive);
    assert_eq!(labels("DO $$ BEGIN DROP TABLE orders; END $$;"), destructive);
    // That somebody allows it does not bring it back.
    assert_eq!(labels("-- lockkeeper: allow drop-column because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), destructive);
    assert_eq!(labels("CREATE TABLE drafts (id bigint); DROP TABLE drafts;"), ["migration: additive"]);
    assert_eq!(labels("ALTER TABL orders;"), ["migration: maintenance-window", "migration: unreadable"]);
}

#[test]
fn no_migration_has_no_label_and_a_path_that_cannot_be_read_has() {
    let shop = Shop::committed(&[("m/0001_shop.sql", SHOP)]);
    assert_eq!(shop.run(&["lint", "m", "--since", "HEAD", "--format", "github-labels"]).out, "");
    assert_eq!(shop.run(&["lint", "nowhere", "--format", "github-labels"]).out, "migration: unreadable\n");
}

#[test]
fn the_class_is_a_gate() {
    let shop = Shop::with(&[
        ("m/0001_shop.sql", SHOP),
        ("m/0002_additive.sql", &format!("{TIMEOUT}ALTER TABLE orders ADD COLUMN paid boolean;\n")),
        ("m/0003_three_phase.sql", &format!("{TIMEOUT}ALTER TABLE orders RENAME COLUMN note TO remark;\n")),
        ("m/0004_window.sql", &format!("{TIMEOUT}CREATE INDEX ON orders (buyer);\n")),
    ]);
    let codes = |threshold| {
        let code = |path| shop.run(&["lint", path, "--fail-on", threshold, "--format", "github-labels"]).code;
        ["m/0002_additive.sql", "m/0003_three_phase.sql", "m/0004_window.sql"].map(code)
    };
    assert_eq!(codes("three-phase"), [Some(0), Some(1), Some(1)]);
    assert_eq!(codes("maintenance-window"), [Some(0), Some(0), Some(1)]);
    assert_eq!(codes("never"), [Some(0); 3]);
}
