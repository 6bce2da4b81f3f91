//! The examples of a rule file: SQL on which it speaks, SQL on which it is silent, and what is claimed about both.

use super::matcher::{RANGE, read_range};
use super::node::{Fault, Fields, Node, What};
use super::shape::{Key, Object, Shape, words};
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
    /// The files that the suggestion changes or adds, as it leaves them; that of the example has its own name.
    pub fixed: Vec<OtherFile>,
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

const LOCK_TIMEOUTS: &[(&str, bool)] = &[("none", true)];

const GIVEN: Key = Key::new("given", Shape::Text, "the schema that is there before, as SQL");
const ROLE: Key = Key::new(
    "role_lock_timeout",
    Shape::Words(|| words(LOCK_TIMEOUTS)),
    "none: the role that migrates has no lock_timeout; else it has one",
);

/// The keys of `examples:`. What an example does not say itself of the first two, this says for all.
pub(super) const EXAMPLES: Object = Object::of(&[
    GIVEN,
    ROLE,
    Key::needed("bad", Shape::List(&Shape::Keys(&EXAMPLE)), "SQL on which the rule speaks, once; at least one"),
    Key::new("good", Shape::List(&Shape::Keys(&EXAMPLE)), "SQL on which no rule speaks"),
]);

/// The keys of one example.
#[rustfmt::skip]
const EXAMPLE: Object = Object {
    keys: &[
        Key::new("name", Shape::Text, "what it shows, in words"),
        GIVEN,
        Key::new("sql", Shape::Text, "the migration that is judged"),
        Key::new("file", Shape::Text, "the name of its file"),
        Key::new("files", Shape::List(&Shape::Keys(&FILE_OF_EXAMPLE)), "files of the same directory, in any order: the names order them"),
        Key::new("release", Shape::List(&Shape::Text), "the files, by name, that are deployed together"),
        Key::new("server", Shape::Either(&[Shape::Number, Shape::Keys(&RANGE)]), "the major versions it is about"),
        Key::new("transaction", Shape::Words(|| words(MODES)), "how the runner puts it into transactions; else the file tells"),
        ROLE,
        Key::new("live", Shape::Bool, "false: a server cannot be asked about it"),
        Key::new("fails", Shape::Text, "what the server says when it refuses it"),
        Key::new("locks", Shape::Map(&Shape::Words(|| LockMode::ALL.map(LockMode::id).to_vec())), "the locks of its last statement, by relation"),
        Key::new("rewrites", Shape::List(&Shape::Text), "relations that the last statement writes anew"),
        Key::new("scans", Shape::List(&Shape::Text), "relations that the last statement reads as a whole"),
        Key::new("fixed", Shape::Either(&[Shape::Text, Shape::Map(&Shape::Text)]), "the file with the suggestion applied; several: their names and texts"),
        Key::new("assumed", Shape::List(&Shape::Text), "the facts that the finding says it assumed"),
        Key::new("also", Shape::List(&Shape::Text), "other rules that speak on it"),
    ],
    one_of: &["sql", "files"],
};

const FILE_OF_EXAMPLE: Object =
    Object::of(&[Key::needed("name", Shape::Text, "the name of the file"), Key::needed("sql", Shape::Text, "its text")]);

/// The name of an example's file if it says none.
const FILE: &str = "0005_example.sql";

impl Examples {
    /// Reads `{ given, bad, good }`.
    ///
    /// # Errors
    /// A key or value that does not exist, or no bad example.
    pub fn read(node: &Node) -> Result<Self, Fault> {
        let fields = EXAMPLES.fields(node)?;
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
        let fields = EXAMPLE.fields(node)?;
        let words = |key| fields.get(key).map(words_of).transpose();
        let say = |key| fields.get(key).or(common.get(key));
        let sql = text_of(&fields, "sql")?.map(|sql| sql.trim_end().to_owned());
        if sql.is_none() && fields.get("files").is_none() {
            return Err(node.fault("an example needs `sql` or `files`"));
        }
        let file = text_of(&fields, "file")?.unwrap_or_else(|| FILE.to_owned());
        Ok(Self {
            name: text_of(&fields, "name")?,
            given: say("given").map_or(Ok(""), Node::text)?.to_owned(),
            sql,
            file: file.clone(),
            files: fields.get("files").map_or(Ok(Vec::new()), |node| node.list()?.iter().map(OtherFile::read).collect())?,
            release: words("release")?,
            server: fields.get("server").map_or(Ok((None, None)), read_server)?,
            transaction: fields.get("transaction").map(|node| node.one_of(MODES)).transpose()?,
            without_lock_timeout: say("role_lock_timeout").map_or(Ok(false), |node| node.one_of(LOCK_TIMEOUTS))?,
            live: fields.get("live").map_or(Ok(true), Node::bool)?,
            fails: text_of(&fields, "fails")?,
            locks: fields.get("locks").map(read_locks).transpose()?,
            rewrites: words("rewrites")?,
            scans: words("scans")?,
            fixed: fields.get("fixed").map_or(Ok(Vec::new()), |node| read_fixed(node, &file))?,
            assumed: words("assumed")?,
            also: words("also")?.unwrap_or_default(),
        })
    }

    /// Whether it is about this major version.
    pub fn is_about(&self, version: u8) -> bool {
        self.server.0.is_none_or(|least| version >= least) && self.server.1.is_none_or(|below| version < below)
    }
}

/// One text is that of the example's own file.
fn read_fixed(node: &Node, own: &str) -> Result<Vec<OtherFile>, Fault> {
    let file = |name: &str, text: &Node| Ok(OtherFile { name: name.to_owned(), sql: text.text()?.trim_end().to_owned() });
    match &node.what {
        What::Map(_) => node.map()?.iter().map(|(name, text)| file(name.text()?, text)).collect(),
        _ => Ok(vec![file(own, node)?]),
    }
}

impl OtherFile {
    fn read(node: &Node) -> Result<Self, Fault> {
        let fields = FILE_OF_EXAMPLE.fields(node)?;
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
