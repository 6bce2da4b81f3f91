//! Finds the PostgreSQL servers that are installed on this machine.

use super::server::problem;
use crate::model::effects::Version;
use crate::problem::Problem;
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that names folders with `postgres` and `initdb`, several separated by `:`.
pub const VARIABLE: &str = "LOCKKEEPER_PG_BIN";

/// Where Debian and its kin install servers, one folder per major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A folder with `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The folder.
    pub bin: PathBuf,
    /// The major version.
    pub version: Version,
    /// The version as the server says it: `15.18`, `19rc1`.
    pub release: String,
}

/// All servers that can be started, one for each major version, oldest first.
///
/// `named` (the option `--pg-bin`) and else the variable `LOCKKEEPER_PG_BIN` say where to look, and nothing else is looked at then; else
/// it is `PATH` and `/usr/lib/postgresql/*/bin`.
///
/// # Errors
/// If there is none, or a folder that was named has none: the message says where it was looked for and what to install.
pub fn installations(named: Option<&OsStr>) -> Result<Vec<Installation>, Problem> {
    let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let Some(list) = named.map(OsStr::to_owned).or(variable) else {
        return one_for_each_version(usual_folders().iter().filter_map(|bin| look_into(bin)).collect());
    };
    let mut found = Vec::new();
    for bin in env::split_paths(&list) {
        let Some(installation) = look_into(&bin) else {
            return Err(none(format!("there is no PostgreSQL server in `{}`", bin.display())));
        };
        found.push(installation);
    }
    one_for_each_version(found)
}

/// Two folders of one major version are one choice too many; the first one found stays.
fn one_for_each_version(found: Vec<Installation>) -> Result<Vec<Installation>, Problem> {
    let mut by_version = BTreeMap::new();
    for installation in found {
        by_version.entry(installation.version).or_insert(installation);
    }
    if by_version.is_empty() {
        return Err(none(format!("found no PostgreSQL server in PATH or {DEBIAN}/*/bin")));
    }
    Ok(by_version.into_values().collect())
}

fn none(message: String) -> Problem {
    let help = format!(
        "install one (Debian: `apt-get install postgresql`), or name a folder that holds `postgres` and `initdb` in {VARIABLE} or --pg-bin"
    );
    problem("db::no-server", message, Some(help))
}

fn usual_folders() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let by_version = fs::read_dir(DEBIAN).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    folders.extend(by_version);
    folders
}

/// The installation in a folder, if both programs are there and `postgres` tells its version.
fn look_into(bin: &Path) -> Option<Installation> {
    if !bin.join("initdb").is_file() || !bin.join("postgres").is_file() {
        return None;
    }
    let output = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (version, release) = read_version(&text)?;
    // Links (/usr/bin/postgres) would hide the folder that the server looks for its own files from.
    let bin = fs::canonicalize(bin.join("postgres")).ok()?.parent()?.to_owned();
    Some(Installation { bin, version, release })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn read_version(text: &str) -> Option<(Version, String)> {
    let release = text.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let digits: String = release.chars().take_while(char::is_ascii_digit).collect();
    Some((Version(digits.parse().ok()?), release.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_server_says() {
        let read = |text| read_version(text).map(|(version, release)| format!("{} {release}", version.0));
        assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(), Some("15 15.18"));
        assert_eq!(read("postgres (PostgreSQL) 19rc1").as_deref(), Some("19 19rc1"));
        assert_eq!(read("sh: command not found"), None);
    }

    #[test]
    fn a_folder_that_was_named_and_has_no_server_is_a_problem() {
        let empty = tempfile::tempdir().expect("a temporary folder");
        let answer = installations(Some(empty.path().as_os_str())).expect_err("there is no server in it");
        assert!(answer.message.starts_with("there is no PostgreSQL server in"), "{}", answer.message);
    }
}
