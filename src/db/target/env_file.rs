//! `.env.production`: `NAME=value` lines that an environment of lockkeeper.yaml asks to be read.

use crate::problem::Problem;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The variables of a file; none if there is no such file, which is the usual thing where the process's environment says it all.
///
/// # Errors
/// It cannot be read, or a line of it cannot be understood. What stands in the line is not told: it may be a password.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>, Problem> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(Problem::new("target::env-file", crate::problem::io_words(&error)).about(path)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut variables = BTreeMap::new();
    for (at, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let fault = |why| {
            Problem::new("target::env-file", format!("line {}: {why}", at + 1)).about(path).help("a line is NAME=value, or NAME='value'")
        };
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or_else(|| fault("there is no `=`"))?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.trim().is_empty() || !name.trim().bytes().all(is_name) {
            return Err(fault("what stands before the `=` is no name"));
        }
        variables.insert(name.trim().to_owned(), value_of(value.trim()).map_err(fault)?);
    }
    Ok(variables)
}

/// The value without its quotes, and without a comment behind it. Shells and tools do not agree on what else there is, so it is refused.
fn value_of(written: &str) -> Result<String, &'static str> {
    const BEHIND: &str = "something stands behind the quotes";
    let behind = |rest: &str| if rest.trim().is_empty() || rest.trim().starts_with('#') { Ok(()) } else { Err(BEHIND) };
    if let Some(quoted) = written.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or("the quotes are not closed")?;
        return behind(rest).map(|()| value.to_owned());
    }
    let (value, rest) = match written.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').ok_or("the quotes are not closed")?,
        None => (written.split(" #").next().unwrap_or(written).trim_end(), ""),
    };
    behind(rest)?;
    match value.contains("${") || value.contains("$(") || (written.starts_with('"') && value.contains('\\')) {
        true => Err("a `$` or `\\` that some would replace: write the value in single quotes"),
        false => Ok(value.to_owned()),
    }
}
