//! `lockkeeper.baseline.yaml`: the findings that were there before anybody looked. It lies beside the config and in version control.

use super::{non_empty, resolved, without_dots};
use crate::problem::{Problem, io_words};
use crate::rule::node::{self, Fault, Node};
use crate::rule::{CLASSES, Class};
use crate::text::SourceFile;
use foldhash::HashMap;
use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The name of the file, where the config names no other.
pub const FILE_NAME: &str = "lockkeeper.baseline.yaml";

const CODE: &str = "baseline::wrong";

/// What was there, by file.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// Where it is read from and written to.
    pub path: PathBuf,
    /// In the order of the file.
    pub files: Vec<Known>,
    /// Where a file stands among them, by absolute path.
    places: HashMap<PathBuf, usize>,
}

/// A file of which something was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// From the directory of the baseline, with slashes.
    pub path: String,
    /// The class that it had.
    pub class: Class,
    /// Of its SQL: with other statements, its class is news.
    pub hash: String,
    /// Its findings, sorted.
    pub findings: Vec<Entry>,
}

/// A finding that was there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The rule's id.
    pub rule: String,
    /// How its statement begins, for readers.
    pub about: String,
    /// By what it is known again.
    pub fingerprint: String,
}

impl Baseline {
    /// Reads the file at a path. Without a file, nothing was known.
    ///
    /// # Errors
    /// That it cannot be read, or the first thing in it that is no such entry.
    pub fn read(path: PathBuf) -> Result<Self, Problem> {
        let files = match SourceFile::read(&path) {
            Ok(source) if source.bytes().trim_ascii().is_empty() => Vec::new(),
            Ok(source) => node::read(&source, CODE, |node| {
                node.fields(&["files"])?.need("files")?.items().iter().map(known).collect::<Result<Vec<_>, _>>()
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Problem::new(CODE, io_words(&error)).about(path)),
        };
        Ok(Self { path, ..Self::default() }.with(files))
    }

    /// The same place with other files.
    #[must_use]
    pub fn with(&self, files: Vec<Known>) -> Self {
        let directory = resolved(self.path.parent().unwrap_or(Path::new("")));
        let places = files.iter().enumerate().map(|(at, known)| (without_dots(&directory.join(&known.path)), at)).collect();
        Self { path: self.path.clone(), files, places }
    }

    /// What was known of a file.
    pub fn of(&self, path: &Path) -> Option<&Known> {
        if self.files.is_empty() {
            return None;
        }
        self.places.get(&located(path)).map(|at| &self.files[*at])
    }

    /// A path as the baseline writes it.
    pub fn written(&self, path: &Path) -> String {
        let (directory, path) = (resolved(self.path.parent().unwrap_or(Path::new(""))), located(path));
        let shared = directory.components().zip(path.components()).take_while(|(a, b)| a == b).count();
        let up = directory.components().skip(shared).map(|_| "..".to_owned());
        let down = path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
        up.chain(down).collect::<Vec<_>>().join("/")
    }

    /// The file that an entry speaks of.
    pub fn place(&self, known: &Known) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(&known.path)
    }

    /// Writes it, in one step.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn write(&self) -> Result<(), Problem> {
        let cannot = |error: io::Error| Problem::new("baseline::unwritable", io_words(&error)).about(&self.path);
        // A link stays one.
        let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = non_empty(path.parent().unwrap_or(Path::new("")));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
        io::Write::write_all(&mut file, self.text().as_bytes()).map_err(cannot)?;
        let kept = std::fs::metadata(&path).map(|metadata| metadata.permissions());
        let file = file.persist(&path).map_err(|error| cannot(error.error))?;
        // A file like any other in the repository, not one that only its author may read.
        #[cfg(unix)]
        let kept = kept.or_else(|_| io::Result::Ok(std::os::unix::fs::PermissionsExt::from_mode(0o644)));
        kept.map_or(Ok(()), |permissions| file.set_permissions(permissions)).map_err(cannot)
    }

    /// A line for each finding, so that a change of one is a change of one line.
    fn text(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text = String::from(
            "# Findings that were there before anybody looked: `lockkeeper lint` does not count them. `lockkeeper baseline findings` writes this\n\
             # file; keep it in version control, and review it.\n\
             files:\n",
        );
        for known in &self.files {
            let _ = writeln!(text, "  - path: {}\n    class: {}\n    hash: {}", quoted(&known.path), known.class, quoted(&known.hash));
            let _ = writeln!(text, "    findings:{}", if known.findings.is_empty() { " []" } else { "" });
            for Entry { rule, about, fingerprint } in &known.findings {
                let _ = writeln!(text, "      - {{ rule: {rule}, fingerprint: {}, about: {} }}", quoted(fingerprint), quoted(about));
            }
        }
        if self.files.is_empty() {
            text.truncate(text.len() - 1);
            text.push_str(" []\n");
        }
        text
    }
}

/// From the root of the file system. Links above a file are resolved; one that it is itself is another file of another name.
fn located(path: &Path) -> PathBuf {
    resolved(path.parent().unwrap_or(Path::new(""))).join(path.file_name().unwrap_or_default())
}

fn known(node: &Node) -> Result<Known, Fault> {
    let fields = node.fields(&["path", "class", "hash", "findings"])?;
    let text = |key: &str| fields.need(key)?.text().map(str::to_owned);
    let findings = fields.need("findings")?.items().iter().map(entry).collect::<Result<_, _>>()?;
    Ok(Known { path: text("path")?, class: fields.need("class")?.one_of(CLASSES)?, hash: text("hash")?, findings })
}

fn entry(node: &Node) -> Result<Entry, Fault> {
    let fields = node.fields(&["rule", "fingerprint", "about"])?;
    let text = |key: &str| fields.need(key)?.text().map(str::to_owned);
    Ok(Entry { rule: text("rule")?, about: text("about")?, fingerprint: text("fingerprint")? })
}
