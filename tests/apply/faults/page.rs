//! docs/faults.md: a row for each case, written by the case itself.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

const HEAD: &str = "# Faults

What was done to `lockkeeper apply` on a real server, and how it ended. Every row is written by the test that plays it:

    UPDATE_DOCS=1 cargo test --test apply faults

Without `UPDATE_DOCS` each test fails if its row is another one. **Runs** are the commands in their order, each with its exit code, or `killed`
if the process was ended by `kill -9`. After every case, whatever it was, the test holds that

- each statement of each migration ran exactly once: rows are counted up and words are logged by the migrations themselves;
- the last `apply` and `validate` end with 0, and one more `apply` has nothing to do;
- no invalid index, no advisory lock and no session of lockkeeper is left, and no step without an end stands in the ledger.

| subject | what was done | runs | found besides |
|---|---|---|---|
";

/// Holds a row of the page, or writes it.
pub fn hold(subject: &str, done: &str, runs: &[String], found: &[String]) {
    static PAGE: Mutex<()> = Mutex::new(());
    let row = format!("| {subject} | {done} | {} | {} |", in_short(runs), found.join("; "));
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let _alone = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE_DOCS").is_none() {
        assert!(page.lines().any(|line| line == row), "docs/faults.md does not have this row; UPDATE_DOCS=1 writes it:\n{row}");
        return;
    }
    let own = format!("| {subject} | {done} |");
    let mut rows: Vec<_> = page.lines().filter(|line| is_row(line) && !line.starts_with(&own)).chain([&*row]).collect();
    rows.sort_unstable();
    fs::write(&path, format!("{HEAD}{}\n", rows.join("\n"))).expect("docs/faults.md is written");
}

fn is_row(line: &str) -> bool {
    line.starts_with("| ") && !line.starts_with("| subject |")
}

/// `apply: killed (3 times), apply: 0`
fn in_short(runs: &[String]) -> String {
    let mut short = Vec::new();
    for same in runs.chunk_by(|a, b| a == b) {
        short.push(if same.len() == 1 { same[0].clone() } else { format!("{} ({} times)", same[0], same.len()) });
    }
    short.join(", ")
}

/// A row whose test is gone stays nobody's.
#[test]
fn every_row_of_the_page_is_that_of_a_test() {
    let page = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md")).expect("docs/faults.md is there");
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/apply/faults");
    let files = fs::read_dir(folder).expect("the tests are there").flatten();
    let tests: String = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
    for row in page.lines().filter(|line| is_row(line)) {
        let done = row.split(" | ").nth(1).unwrap_or_default();
        assert!(tests.contains(done), "no test plays this: {row}");
    }
    assert!(page.starts_with(HEAD), "UPDATE_DOCS=1 cargo test --test apply writes the head of docs/faults.md");
}
