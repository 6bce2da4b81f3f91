//! A long history: what has been read and replayed is not read and replayed for each letter.
//!
//! `LOCKKEEPER_BIN=target/release/lockkeeper cargo test --test lsp speed -- --nocapture` measures another build.

use crate::editor::{Editor, modern};
use crate::{project, write};
use serde_json::json;
use std::time::{Duration, Instant};

const FILES: usize = 2000;

/// Each file makes a table of its own or changes an earlier one.
fn migration(number: usize) -> String {
    let table = number / 4;
    match number % 4 {
        0 => format!(
            "CREATE TABLE orders_{table} (id bigint PRIMARY KEY, buyer bigint NOT NULL, note text, paid_at timestamptz, amount numeric(12, 2));\n"
        ),
        1 => format!("ALTER TABLE orders_{table} ADD COLUMN sent_at timestamptz;\nCOMMENT ON TABLE orders_{table} IS 'of shop {table}';\n"),
        2 => format!("CREATE INDEX CONCURRENTLY orders_{table}_buyer_idx ON orders_{table} (buyer);\n"),
        _ => format!("ALTER TABLE orders_{table} ADD CONSTRAINT orders_{table}_paid CHECK (amount > 0) NOT VALID;\n"),
    }
}

/// From one letter to what is said of it, without the quiet that the server waits for.
fn letter(editor: &mut Editor, file: &str, at: u32) -> Duration {
    const QUIET: Duration = Duration::from_millis(150);
    let place = json!({ "line": 0, "character": at });
    let begun = Instant::now();
    editor.change(file, json!([{ "range": { "start": place, "end": place }, "text": " " }]));
    editor.diagnostics(file);
    begun.elapsed().saturating_sub(QUIET)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn a_letter_in_a_long_history_takes_a_part_of_the_time_that_the_history_takes() {
    let folder = project(&[("lockkeeper.yaml", "lock_timeout: 2s\n")]);
    for number in 0..FILES {
        write(folder.path(), &format!("m/{:06}_step.sql", number + 1), &migration(number));
    }
    let last = format!("m/{:06}_step.sql", FILES + 1);
    let middle = format!("m/{:06}_step.sql", FILES / 2 + 1);
    write(folder.path(), &last, "ALTER TABLE orders_7 DROP COLUMN note;\n");
    let mut editor = Editor::start(folder.path(), modern());
    let begun = Instant::now();
    editor.open(&last);
    assert!(editor.words(&last).iter().any(|word| word.starts_with("drop-column ")));
    let first = begun.elapsed();
    let at_end = median((0..9).map(|at| letter(&mut editor, &last, 5 + at)).collect());
    editor.close(&last);
    editor.open(&middle);
    editor.diagnostics(&middle);
    let in_middle = median((0..9).map(|at| letter(&mut editor, &middle, 6 + at)).collect());
    println!("{FILES} files: the first time {first:?}, a letter in the last file {at_end:?}, in the middle one {in_middle:?}");
    assert!(at_end * 3 < first, "{at_end:?} for a letter, {first:?} for all");
    assert!(in_middle < first, "{in_middle:?} for a letter in the middle, {first:?} for all");
}
