//! What stands under the cursor.

use crate::editor::{Editor, modern};
use crate::project;

#[test]
fn a_statement_says_what_it_does_and_what_was_found_about_it() {
    let folder = project(&[
        ("0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n"),
        ("0002_index.sql", "SELECT 1;\n\nCREATE INDEX orders_buyer_idx\n  ON orders (buyer);\n"),
    ]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0002_index.sql");
    let text = editor.hover("0002_index.sql", 3, 6);
    for words in [
        "`create_index`: **maintenance-window**, additive with what is suggested",
        "- locks: SHARE on `public.orders`",
        "- scans: `public.orders`",
        "- writes wait: for a time that grows with the table",
        "**error** `create-index-without-concurrently`: writes to `orders` wait",
        "Instead, additive: build it concurrently",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("reads wait"), "{text}");
    assert_eq!(editor.hover("0002_index.sql", 1, 0), "");
    assert!(editor.hover("0002_index.sql", 0, 2).starts_with("`select`: **additive**"));
    editor.set_text("0002_index.sql", "DO $$ BEGIN\n  IF now() > '2026-01-01' THEN\n    DROP TABLE orders;\n  END IF;\nEND $$;\n");
    let text = editor.hover("0002_index.sql", 2, 9);
    assert!(text.contains("`drop_table`") && text.contains("under a condition") && text.contains("ACCESS EXCLUSIVE"), "{text}");
}

#[test]
fn the_name_of_a_rule_shows_its_page() {
    let folder = project(&[
        ("lockkeeper.yaml", "rules:\n  drop-column: warning\n  name-against-agreement: advice\n"),
        (
            "0001_orders.sql",
            "-- lockkeeper: allow drop-column, no-rule because nobody reads it\n-- drop-column\nALTER TABLE orders DROP COLUMN note;\n",
        ),
    ]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0001_orders.sql");
    editor.open("lockkeeper.yaml");
    let page = editor.hover("0001_orders.sql", 0, 25);
    assert!(page.starts_with("## drop-column") && page.contains("```sql") && page.contains("DROP COLUMN"), "{page}");
    assert_eq!(editor.hover("lockkeeper.yaml", 1, 4), page, "the config says something else of its weight, but the page is of the rule");
    assert!(editor.hover("lockkeeper.yaml", 2, 9).starts_with("## name-against-agreement"), "what is off has a page, too");
    assert!(editor.hover("0001_orders.sql", 0, 38).contains("no rule is called `no-rule`"), "which is a finding");
    assert_eq!(editor.hover("0001_orders.sql", 1, 6), "", "a comment that does not speak to lockkeeper");
    assert_eq!(editor.hover("lockkeeper.yaml", 0, 2), "");
}
