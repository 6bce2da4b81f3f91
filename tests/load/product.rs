//! The files that `lockkeeper plan` writes, read back as an operator finds them.

use super::case::Case;
use super::phase::Phase;
use super::servers::server;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The phases of the plan for a case, out of the files that the program writes.
///
/// # Errors
/// What it says if it has no plan for all of it.
pub fn phases(case: &Case) -> Result<Vec<Phase>, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (history, out) = (folder.path().join("migrations"), folder.path().join("out"));
    fs::create_dir(&history).expect("the folder is new");
    // Where the files before it say BEGIN themselves, those of the plan do as well: then psql runs them as they are.
    write(&history.join("0001_shop.sql"), &format!("BEGIN;\n{}\nCOMMIT;\n", case.schema));
    let change = history.join("0002_change.sql");
    write(&change, case.naive);
    let version = server().installation().version.0.to_string();
    let mut plan = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    plan.arg("plan").arg(&change).args(["--postgres", &version]).arg("--write").arg(&out).current_dir(folder.path());
    let answer = plan.output().expect("the program runs");
    if !answer.status.success() {
        let (out, err) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
        return Err(format!("{} {}{}", answer.status, out, err));
    }
    let mut files: Vec<_> = fs::read_dir(&out).expect("files were written").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Phase::read(&name, &fs::read_to_string(path).expect("the file was listed"))
    };
    Ok(files.iter().map(read).collect())
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("a temporary folder takes files");
}
