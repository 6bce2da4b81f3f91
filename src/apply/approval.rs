//! `lockkeeper.approvals.yaml`: which migrations somebody has agreed to, as they were then. It lies beside the config and in version control.

use super::draft::Work;
use crate::problem::{Problem, io_words};
use crate::rule::node::{self, Fault, Node};
use crate::rule::{CLASSES, Class, Severity};
use crate::text::SourceFile;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The name of the file.
pub const FILE_NAME: &str = "lockkeeper.approvals.yaml";

const CODE: &str = "apply::approvals";

/// That a migration may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The migration's key.
    pub migration: String,
    /// Of its SQL and the SQL that undoes it, see [`super::draft::Draft::approved_hash`].
    pub hash: String,
    /// What it was said to ask of those who deploy it.
    pub class: Class,
    /// The rules that had something to say, and that were overruled.
    pub findings: Vec<String>,
    /// Who agreed.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds: `2026-12-31`.
    pub expires: Option<String>,
    /// The environment that it is for; `None`: all.
    pub environment: Option<String>,
}

/// The rules that have something to say of a migration that weighs, and that no comment in the file allows; each once, sorted.
pub fn open_findings(work: &Work) -> Vec<String> {
    let open = work.assessed.findings.iter().filter(|finding| finding.allowed.is_none() && finding.severity > Severity::Advice);
    let mut rules: Vec<_> = open.map(|finding| finding.rule.clone()).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// Reads the approvals at a path. Without a file there are none.
///
/// # Errors
/// That it cannot be read, or the first thing in it that is no approval.
pub fn read(path: &Path) -> Result<Vec<Approval>, Problem> {
    match SourceFile::read(path) {
        Ok(source) if source.bytes().trim_ascii().is_empty() => Ok(Vec::new()),
        Ok(source) => node::read(&source, CODE, |node| {
            let fields = node.fields(&["approvals"])?;
            fields.need("approvals")?.items().iter().map(approval).collect()
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Problem::new(CODE, io_words(&error)).about(path)),
    }
}

fn approval(node: &Node) -> Result<Approval, Fault> {
    let fields = node.fields(&["migration", "hash", "class", "findings", "by", "reason", "expires", "environment"])?;
    let text = |key: &str| fields.need(key)?.text().map(str::to_owned);
    let optional = |key: &str| fields.get(key).map(|node| node.text().map(str::to_owned)).transpose();
    let expires = fields.get("expires").map(|node| {
        let day = node.text()?;
        is_day(day).then(|| day.to_owned()).ok_or_else(|| node.fault(format!("`{day}` is no day")).help("write it as 2026-12-31"))
    });
    Ok(Approval {
        migration: text("migration")?,
        hash: text("hash")?,
        class: fields.need("class")?.one_of(CLASSES)?,
        findings: fields
            .get("findings")
            .map_or(&[][..], Node::items)
            .iter()
            .map(|item| item.text().map(str::to_owned))
            .collect::<Result<_, _>>()?,
        by: text("by")?,
        reason: text("reason")?,
        expires: expires.transpose()?,
        environment: optional("environment")?,
    })
}

/// Whether a text is a day: `2026-12-31`.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let number =
        |part: &str, digits: usize, most: u32| part.len() == digits && part.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
    matches!(parts[..], [year, month, day] if number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31))
}

/// Adds approvals to the file at a path; those that it has for the same migrations and environment go.
///
/// # Errors
/// That it cannot be read or written.
pub fn add(path: &Path, new: Vec<Approval>) -> Result<(), Problem> {
    let mut all = read(path)?;
    all.retain(|old| !new.iter().any(|new| new.migration == old.migration && new.environment == old.environment));
    all.extend(new);
    let cannot = |error: io::Error| Problem::new(CODE, io_words(&error)).about(path);
    let folder = crate::config::non_empty(path.parent().unwrap_or(Path::new("")));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    io::Write::write_all(&mut file, written(&all).as_bytes()).map_err(cannot)?;
    let kept = fs::metadata(path).map(|metadata| metadata.permissions());
    let file = file.persist(path).map_err(|error| cannot(error.error))?;
    // A file like any other in the repository, not one that only its author may read.
    #[cfg(unix)]
    let kept = kept.or_else(|_| io::Result::Ok(std::os::unix::fs::PermissionsExt::from_mode(0o644)));
    kept.map_or(Ok(()), |permissions| file.set_permissions(permissions)).map_err(cannot)
}

fn written(approvals: &[Approval]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = String::from(
        "# Migrations that somebody has agreed to, as they were then. `lockkeeper approve` writes it; keep it in version control, and review it.\n\
         approvals:\n",
    );
    for approval in approvals {
        let _ = writeln!(text, "  - migration: {}", quoted(&approval.migration));
        let _ = writeln!(text, "    hash: {}", approval.hash);
        let _ = writeln!(text, "    class: {}", approval.class);
        if !approval.findings.is_empty() {
            let _ = writeln!(text, "    findings: [{}]", approval.findings.join(", "));
        }
        let _ = writeln!(text, "    by: {}", quoted(&approval.by));
        let _ = writeln!(text, "    reason: {}", quoted(&approval.reason));
        for (key, value) in [("expires", &approval.expires), ("environment", &approval.environment)] {
            if let Some(value) = value {
                let _ = writeln!(text, "    {key}: {}", quoted(value));
            }
        }
    }
    text
}
