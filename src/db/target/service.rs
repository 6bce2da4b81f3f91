//! pg_service.conf: parts of connections under a name (manual: libpq-pgservice), which sqlx does not read.

use super::parts::Parts;
use crate::problem::Problem;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The system's folder where PGSYSCONFDIR names no other: Debian's, then that of PostgreSQL's own packages.
const SYSTEM: [&str; 2] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

/// What a service stands for.
///
/// # Errors
/// No file knows it, or the one that does cannot be read or understood.
pub(super) fn parts(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Parts, Problem> {
    let files = files(variable);
    for path in &files {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Problem::new("target::service", crate::problem::io_words(&error)).about(path)),
        };
        if let Some(parts) = section(name, &text, path)? {
            return Ok(parts);
        }
    }
    let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    Err(Problem::new("target::service", format!("there is no service `{name}`")).help(format!("it is looked for in {}", files.join(", "))))
}

/// The user's own file, then the system's.
fn files(variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let home = || variable("HOME").map(|home| Path::new(&home).join(".pg_service.conf"));
    let own = variable("PGSERVICEFILE").map(PathBuf::from).or_else(home);
    let system = variable("PGSYSCONFDIR").map_or_else(|| SYSTEM.map(PathBuf::from).to_vec(), |folder| vec![folder.into()]);
    own.into_iter().chain(system.into_iter().map(|folder| folder.join("pg_service.conf"))).collect()
}

/// The lines below `[name]`.
fn section(name: &str, text: &str, path: &Path) -> Result<Option<Parts>, Problem> {
    let mut found: Option<Parts> = None;
    for (at, line) in text.lines().map(str::trim).enumerate() {
        // What stands in the line may be a password, so only its number is told.
        let fault = |why: &str| Problem::new("target::service", format!("line {}: {why}", at + 1)).about(path);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            found = (header.strip_suffix(']') == Some(name)).then(Parts::default);
            continue;
        }
        let Some(parts) = &mut found else { continue };
        let (key, value) = line.split_once('=').ok_or_else(|| fault("there is no `=`; lockkeeper does not ask LDAP"))?;
        if key.trim() == "service" {
            return Err(fault("a service cannot stand for another one"));
        }
        parts.put(key.trim(), value.trim().to_owned()).map_err(fault)?;
    }
    Ok(found)
}
