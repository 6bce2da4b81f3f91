//! `lint --fix` and `lint --diff`: what fixes come to, written to disk or shown.

use super::Console;
use crate::lint::finding::Report;
use crate::lint::fix::{Fixed, FixedFile, How};
use crate::problem::{Problem, io_words};
use crate::report::{self, diff};
use crate::text::SourceFile;
use clap::{Args, ValueEnum};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// What becomes of fixes.
#[derive(Debug, Args)]
pub(super) struct FixArgs {
    /// Show each edit as a small diff under its finding
    #[arg(long)]
    fix_suggestions: bool,
    /// Write the fixes as a diff that `git apply` takes, and change nothing; with --fix, only those of that kind
    #[arg(long)]
    diff: bool,
    /// Apply fixes, judge again, and report what is left. Standard input is written to standard output, fixed. Files that git says are
    /// history, and findings that are allowed, are left alone
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    fix: Option<Which>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// those that lead to the same end, and that nobody has to look at
    Safe,
    /// the others, too: read the diff
    Review,
}

impl FixArgs {
    /// Which fixes are to be made; `None`: none.
    pub fn how(&self, to_stdout: bool) -> Option<How> {
        let which = self.fix.or(self.diff.then_some(Which::Review))?;
        Some(How { review: which == Which::Review, new_files: !to_stdout || self.diff })
    }

    /// Whether suggestions are shown as diffs.
    pub fn shows_suggestions(&self) -> bool {
        self.fix_suggestions
    }

    /// Writes or shows what fixes came to. `given` is standard input. Gives what is left, and what goes to standard output.
    pub fn carried_out(&self, mut fixed: Fixed, given: Option<&SourceFile>, console: Console) -> (Report, Output) {
        let left = Report { server: fixed.left.server, migrations: Vec::new(), problems: Vec::new() };
        let mut left = std::mem::replace(&mut fixed.left, left);
        let mut bytes = Vec::new();
        let output = match given {
            _ if self.diff => {
                left.problems.extend(diff::write(&fixed.files, &mut bytes).err().map(|error| Problem::new("fix::diff", error.to_string())));
                Output::Bytes(bytes)
            }
            Some(given) => {
                let own = fixed.files.iter().find(|file| file.path == given.path());
                bytes.extend_from_slice(own.map_or(given.bytes(), |file| &file.new));
                Output::Bytes(bytes)
            }
            None => {
                left.problems.extend(write(&fixed.files).err());
                Output::Report
            }
        };
        tell(console, &fixed, !self.diff);
        told_beside(left, output)
    }

    /// The same where nothing is to be changed: whoever waits for a text gets it back, and no report instead of it.
    pub fn left_alone(&self, report: Report, given: Option<&SourceFile>) -> (Report, Output) {
        let output = match given {
            _ if self.diff => Output::Bytes(Vec::new()),
            Some(given) => Output::Bytes(given.bytes().to_vec()),
            None => Output::Report,
        };
        told_beside(report, output)
    }
}

/// Where standard output is taken, standard error gets the report.
fn told_beside(report: Report, output: Output) -> (Report, Output) {
    if matches!(output, Output::Bytes(_)) {
        let _ = report::write_short(&report, &mut io::stderr().lock());
    }
    (report, output)
}

/// What goes to standard output.
pub(super) enum Output {
    /// What is left to say.
    Report,
    /// A diff, or the fixed text.
    Bytes(Vec<u8>),
}

/// Writes files, the new ones first: if something goes wrong, no statement is in none of them.
///
/// # Errors
/// The first one that could not be written.
fn write(files: &[FixedFile]) -> Result<(), Problem> {
    let (new, changed): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.old.is_none());
    new.into_iter()
        .chain(changed)
        .try_for_each(|file| write_one(file).map_err(|why| Problem::new("fix::unwritable", why).about(&file.path)))
}

/// In one step: whoever reads the file meanwhile sees the old text or the new one.
fn write_one(file: &FixedFile) -> Result<(), String> {
    let words = |error: io::Error| io_words(&error);
    // A link stays one.
    let path = if file.old.is_some() { fs::canonicalize(&file.path).map_err(words)? } else { file.path.clone() };
    let directory = crate::config::non_empty(path.parent().unwrap_or(Path::new("")));
    fs::create_dir_all(&directory).map_err(words)?;
    let mut temporary = beside(&directory).map_err(words)?;
    temporary.write_all(&file.new).map_err(words)?;
    match &file.old {
        Some(old) => {
            if fs::read(&path).map_err(words)? != *old {
                return Err("somebody has changed it meanwhile; it is left alone".to_owned());
            }
            let permissions = fs::metadata(&path).map_err(words)?.permissions();
            temporary.as_file().set_permissions(permissions).map_err(words)?;
            temporary.as_file().sync_all().map_err(words)?;
            temporary.persist(&path).map(drop).map_err(|error| words(error.error))
        }
        None => {
            temporary.as_file().sync_all().map_err(words)?;
            temporary.persist_noclobber(&path).map(drop).map_err(|error| words(error.error))
        }
    }
}

/// A temporary file that everybody may read whom the umask lets: it is to become a file like others.
pub(super) fn beside(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lockkeeper-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// Says on standard error what was done, or would be, and what was not.
fn tell(console: Console, fixed: &Fixed, is_done: bool) {
    let (verb, many) = if is_done { ("fixed", "fixed") } else { ("fixes", "would be fixed") };
    for applied in &fixed.applied {
        console.note(&format!("{verb} {} at {}:{}: {}", applied.rule, applied.path.display(), applied.line, applied.title));
    }
    for dropped in &fixed.dropped {
        let fix = &dropped.fix;
        console.note(&format!("not fixed: {} at {}:{}, because {}", fix.rule, fix.path.display(), fix.line, dropped.why));
    }
    let new = fixed.files.iter().filter(|file| file.old.is_none()).count();
    let count = crate::report::count;
    let (findings, changed) = (count(fixed.applied.len(), "finding"), count(fixed.files.len() - new, "file"));
    console.note(&format!("{findings} {many}; {changed} changed, {new} new"));
}
