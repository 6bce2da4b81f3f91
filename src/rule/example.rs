//! The examples of a rule file: SQL on which it speaks, SQL on which it is silent, and what is claimed about both.

use super::matcher::read_range;
use super::node::{Fault, Fields, Node, What};
use crate::model::lock::LockMode;
use crate::problem::did_you_mean;

/// The examples of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Examples {
    /// SQL on which the rule speaks, once.
    pub bad: Vec<Example>,
    /// SQL on which no rule speaks.
    pub good: Vec<Example>,
}

/// One example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it shows, in words.
    pub name: Option<String>,
    /// The schema that is there before.
    pub given: String,
    /// The migration that is judged; `None`: all of `files` are.
    pub sql: Option<String>,
    /// The name of its file.
    pub file: String,
    /// Files of the same directory, in any order: the names order them.
    pub files: Vec<OtherFile>,
    /// Those of all files, by name, that are deployed together; they are judged, and the others are history.
    pub release: Option<Vec<String>>,
    /// The server versions it is about, from the first up to and without the second.
    pub server: (Option<u8>, Option<u8>),
    /// The transaction mode: `runner`, `none`, `one-message`; nothing lets the file tell.
    pub transaction: Option<Mode>,
    /// `role_lock_timeout: none`: the role that migrates has no lock_timeout. In all other examples it has one.
    pub without_lock_timeout: bool,
    /// `live: false`: a server cannot be asked about it.
    pub live: bool,
    /// What the server says when it refuses it.
    pub fails: Option<String>,
    /// The locks of its last statement, by relation as the example writes it.
    pub locks: Option<Vec<(String, LockMode)>>,
    /// Relations that the last statement writes anew.
    pub rewrites: Option<Vec<String>>,
    /// Relations that the last statement reads as a whole.
    pub scans: Option<Vec<String>>,
    /// The file with the suggested edits applied.
    pub fixed: Option<String>,
    /// The facts that the finding says it assumed.
    pub assumed: Option<Vec<String>>,
    /// Other rules that speak on it.
    pub also: Vec<String>,
}

/// Another file of the directory.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherFile {
    /// Its name.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// How the runner puts the example into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The runner opens a transaction around the file.
    Runner,
    /// Each statement commits for itself.
    None,
    /// The file is sent as one message.
    OneMessage,
}

const MODES: &[(&str, Mode)] = &[("runner", Mode::Runner), ("none", Mode::None), ("one-message", Mode::OneMessage)];

/// The name of an example's file if it says none.
const FILE: &str = "0005_example.sql";

impl Examples {
    /// Reads `{ given, bad, good }`.
    ///
    /// # Errors
    /// A key or value that does not exist, or no bad example.
    pub fn read(node: &Node) -> Result<Self, Fault> {
        let fields = node.fields(&["given", "role_lock_timeout", "bad", "good"])?;
        let examples = |key| {
            let items = fields.get(key).map_or(Ok(&[][..]), Node::list)?;
            items.iter().map(|item| Example::read(item, &fields)).collect::<Result<Vec<_>, _>>()
        };
        let read = Self { bad: examples("bad")?, good: examples("good")? };
        if read.bad.is_empty() {
            return Err(node.fault("a rule needs at least one bad example"));
        }
        Ok(read)
    }
}

impl Example {
    /// Reads one; what it does not say itself, `common` says for all.
    fn read(node: &Node, common: &Fields<'_>) -> Result<Self, Fault> {
        let fields = node.fields(&[
            "name",
            "given",
            "sql",
            "file",
            "files",
            "release",
            "server",
            "transaction",
            "role_lock_timeout",
            "live",
            "fails",
            "locks",
            "rewrites",
            "scans",
            "fixed",
            "assumed",
            "also",
        ])?;
        let words = |key| fields.get(key).map(words_of).transpose();
        let say = |key| fields.get(key).or(common.get(key));
        let sql = text_of(&fields, "sql")?.map(|sql| sql.trim_end().to_owned());
        if sql.is_none() && fields.get("files").is_none() {
            return Err(node.fault("an example needs `sql` or `files`"));
        }
        Ok(Self {
            name: text_of(&fields, "name")?,
            given: say("given").map_or(Ok(""), Node::text)?.to_owned(),
            sql,
            file: text_of(&fields, "file")?.unwrap_or_else(|| FILE.to_owned()),
            files: fields.get("files").map_or(Ok(Vec::new()), |node| node.list()?.iter().map(OtherFile::read).collect())?,
            release: words("release")?,
            server: fields.get("server").map_or(Ok((None, None)), read_server)?,
            transaction: fields.get("transaction").map(|node| node.one_of(MODES)).transpose()?,
            without_lock_timeout: say("role_lock_timeout").map_or(Ok(false), |node| node.one_of(&[("none", true)]))?,
            live: fields.get("live").map_or(Ok(true), Node::bool)?,
            fails: text_of(&fields, "fails")?,
            locks: fields.get("locks").map(read_locks).transpose()?,
            rewrites: words("rewrites")?,
            scans: words("scans")?,
            fixed: text_of(&fields, "fixed")?.map(|sql| sql.trim_end().to_owned()),
            assumed: words("assumed")?,
            also: words("also")?.unwrap_or_default(),
        })
    }

    /// Whether it is about this major version.
    pub fn is_about(&self, version: u8) -> bool {
        self.server.0.is_none_or(|least| version >= least) && self.server.1.is_none_or(|below| version < below)
    }
}

impl OtherFile {
    fn read(node: &Node) -> Result<Self, Fault> {
        let fields = node.fields(&["name", "sql"])?;
        Ok(Self { name: fields.need("name")?.text()?.to_owned(), sql: fields.need("sql")?.text()?.to_owned() })
    }
}

fn text_of(fields: &Fields<'_>, key: &str) -> Result<Option<String>, Fault> {
    fields.get(key).map(|node| node.text().map(str::to_owned)).transpose()
}

fn words_of(node: &Node) -> Result<Vec<String>, Fault> {
    node.list()?.iter().map(|word| word.text().map(str::to_owned)).collect()
}

/// A version alone means exactly that one.
fn read_server(node: &Node) -> Result<(Option<u8>, Option<u8>), Fault> {
    let major = |number: i64| u8::try_from(number).map_err(|_| node.fault("that is no major version of PostgreSQL"));
    if let What::Number(number) = node.what {
        return Ok((Some(major(number)?), Some(major(number + 1)?)));
    }
    let (at_least, below) = read_range(node)?;
    Ok((at_least.map(major).transpose()?, below.map(major).transpose()?))
}

fn read_locks(node: &Node) -> Result<Vec<(String, LockMode)>, Fault> {
    let read_mode = |mode: &Node| {
        let word = mode.text()?;
        LockMode::ALL.into_iter().find(|known| known.id() == word).ok_or_else(|| {
            let near = did_you_mean(word, LockMode::ALL.map(LockMode::id));
            mode.fault(format!("there is no mode `{word}`{near}")).help(LockMode::ALL.map(LockMode::id).join(", "))
        })
    };
    node.map()?.iter().map(|(relation, mode)| Ok((relation.text()?.to_owned(), read_mode(mode)?))).collect()
}
