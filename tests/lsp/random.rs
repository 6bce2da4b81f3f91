//! After any edits, the editor shows what `lint` finds in the same texts.

use crate::editor::{Editor, modern, offset};
use crate::{project, write};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

const PIECES: &[&str] = &[
    "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n",
    "CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, größe text);\r\n",
    "ALTER TABLE orders ADD COLUMN paid_at timestamptz;\n",
    "ALTER TABLE orders DROP COLUMN note;",
    "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES users NOT VALID;\n",
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_fkey;\n",
    "CREATE INDEX orders_buyer_idx ON orders (buyer);\n",
    "DROP TABLE users;\n",
    "-- lockkeeper: allow drop-table because 😀 nobody knows it\n",
    "-- lockkeeper: transaction none\n",
    "BEGIN;\n",
    "COMMIT;\n",
    "DO $$ BEGIN UPDATE orders SET note = 'ä'; END $$;\n",
    "CREATE FUNCTION ship() RETURNS void LANGUAGE sql AS 'DELETE FROM orders';\n",
    "SELECT ship();\n",
    "ALTER TABLE users RENAME TO buyers;\n",
    "'",
    ";",
    "\n\n",
    "/*",
    "*/ ",
];

#[test]
fn after_any_edits_the_editor_shows_what_lint_finds() {
    for seed in 0..6 {
        let mut chance = Chance(seed);
        let names: Vec<_> = (1..=6).map(|number| format!("m/000{number}_step.sql")).collect();
        let mut texts: Vec<String> = names.iter().map(|_| PIECES[chance.below(9)].to_owned()).collect();
        let folder = project(&[("lockkeeper.yaml", "postgres: 16\n")]);
        names.iter().zip(&texts).for_each(|(name, text)| write(folder.path(), name, text));
        let mut editor = Editor::start(folder.path(), modern());
        let open = [1 + chance.below(2), 3 + chance.below(3)];
        open.iter().for_each(|at| editor.open(&names[*at]));
        for round in 0..12 {
            let at = open[chance.below(2)];
            let changes: Vec<_> = (0..=chance.below(3)).map(|_| edit(&mut texts[at], &mut chance)).collect();
            editor.change(&names[at], json!(changes));
            write(folder.path(), &names[at], &texts[at]);
            editor.diagnostics(&names[at]);
            for at in open {
                // A question settles what is still to be judged, and with it what was said.
                editor.hover(&names[at], 0, 0);
                let shown: Vec<_> = editor.diagnostics(&names[at]).iter().map(seen).collect();
                let found = found(folder.path(), &names[at], &texts[at]);
                assert_eq!(shown, found, "seed {seed}, round {round}, {}:\n{}", names[at], texts[at]);
            }
        }
        assert_eq!(editor.exit(), Some(0));
    }
}

/// Changes a text somewhere, and says how.
fn edit(text: &mut String, chance: &mut Chance) -> Value {
    let mut place = |text: &str| {
        let mut at = chance.below(text.len() + 1);
        // Between the two characters of a line ending there is no place for a cursor.
        while !text.is_char_boundary(at) || text[at..].starts_with('\n') && text[..at].ends_with('\r') {
            at -= 1;
        }
        at
    };
    let (a, b) = (place(text), place(text));
    let (start, end) = (a.min(b), if a.abs_diff(b) > 40 { a.min(b) } else { a.max(b) });
    let new = if chance.below(4) == 0 { "" } else { PIECES[chance.below(PIECES.len())] };
    let range = json!({ "start": position(text, start), "end": position(text, end) });
    assert_eq!(offset(text, &range["start"]), start);
    text.replace_range(start..end, new);
    // What was parted and what was joined may be no line endings any more; the protocol counts a lone one as a line.
    assert!(!text.replace("\r\n", "").contains('\r'), "{text:?}");
    json!({ "range": range, "text": new })
}

fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count();
    json!({ "line": line, "character": column })
}

fn seen(diagnostic: &Value) -> String {
    let range = &diagnostic["range"];
    format!("{} {} {} {}", diagnostic["code"], range["start"], range["end"], diagnostic["message"])
}

/// What `lint --format json` says of a file, as the editor should show it.
fn found(folder: &Path, file: &str, text: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_lockkeeper")).args(["lint", "--format", "json", file]).current_dir(folder).output();
    let report: Value = serde_json::from_slice(&output.expect("it runs").stdout).expect("it is JSON");
    let findings = report["migrations"][0]["findings"].as_array().expect("there are findings, or none");
    let mut found: Vec<_> = findings.iter().map(|finding| expected(finding, text)).collect();
    let problems = report["problems"].as_array().expect("there are problems, or none").iter();
    found.extend(problems.filter(|problem| problem["path"] == file).map(|problem| {
        let help = problem["help"].as_str().map(|help| format!("\n{help}")).unwrap_or_default();
        let message = json!(format!("{}{help}", problem["message"].as_str().unwrap_or_default()));
        format!("{} {} {message}", problem["code"], range(&problem["span"], text))
    }));
    found
}

fn expected(finding: &Value, text: &str) -> String {
    let allowed = if finding["allowed"].is_null() { "" } else { "allowed: " };
    let message = json!(format!("{allowed}{}", finding["message"].as_str().unwrap_or_default()));
    format!("{} {} {message}", finding["rule"], range(&finding["span"], text))
}

fn range(span: &Value, text: &str) -> String {
    let place = |key: &str| position(text, usize::try_from(span[key].as_u64().unwrap_or(0)).unwrap_or(0));
    format!("{} {}", place("start"), place("end"))
}
