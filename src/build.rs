//! Writes the table of embedded rules out of `rules/*.yaml`, and one test for each of them.
//!
//! The table holds what is needed to find a rule: its id, its other names, and the operations it is filed under. The rule itself is read
//! when an operation asks for it, so a run reads only the rules that it needs.

use serde_yaml::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=rules");
    let mut table = String::from("&[\n");
    let mut tests = String::new();
    for path in rule_files(&root.join("rules"))? {
        println!("cargo::rerun-if-changed={}", path.display());
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        // A rule that is no YAML is filed under nothing; its test says what is wrong with it.
        let head: Value = serde_yaml::from_str(text.split("\nexamples:").next().unwrap_or_default()).unwrap_or_default();
        let ops = texts(&head, "match").into_iter().flat_map(|case| texts(case, "op"));
        let aliases = texts(&head, "aliases");
        let _ = writeln!(
            table,
            "    Embedded {{ id: {id:?}, aliases: &{:?}, ops: &{:?}, text: include_str!({:?}) }},",
            aliases.iter().filter_map(|alias| alias.as_str()).collect::<Vec<_>>(),
            ops.filter_map(Value::as_str).collect::<Vec<_>>(),
            path.display().to_string(),
        );
        let _ = writeln!(tests, "#[test]\nfn {}() {{\n    speaks_for_itself({id:?});\n}}\n", id.replace('-', "_"));
    }
    table.push(']');
    fs::write(out.join("rules.rs"), table)?;
    fs::write(out.join("rule_tests.rs"), tests)
}

fn rule_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The value of a key as a list; what is no list counts as one of one.
fn texts<'v>(node: &'v Value, key: &str) -> Vec<&'v Value> {
    match node.get(key) {
        None => Vec::new(),
        Some(Value::Sequence(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}
