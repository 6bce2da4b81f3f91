//! `render:` of lockkeeper.yaml: the programs that print the SQL of migrations which are no SQL files.

use super::{Globs, schema};
use crate::model::session::Timeout;
use crate::rule::node::{Fault, Node};
use crate::rule::shape::{Key, Object, Shape, words};
use std::path::PathBuf;
use std::time::Duration;

/// One program, and the migrations that it prints.
#[derive(Debug)]
pub struct Render {
    /// Which tool's migrations they are.
    pub tool: Tool,
    /// The program and its arguments; no shell sees them.
    pub command: Vec<String>,
    /// Where it runs, from the directory of the config. The other paths start there.
    pub directory: PathBuf,
    /// The files of the migrations.
    pub source: Globs,
    /// The comment that stands before the SQL of each migration.
    pub cut: Cut,
    /// After this it is given up.
    pub timeout: Duration,
}

/// A tool whose migrations are programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Alembic.
    Alembic,
    /// Django.
    Django,
    /// Any other.
    Other,
}

/// What is said of a tool that is known.
struct Preset {
    command: &'static [&'static str],
    source: &'static str,
    cut: &'static str,
}

impl Tool {
    fn preset(self) -> Option<Preset> {
        match self {
            Self::Alembic => Some(Preset {
                command: &["alembic", "upgrade", "heads", "--sql"],
                source: "**/versions/**/*.py",
                cut: "-- Running upgrade {any} -> {revision}",
            }),
            Self::Django => Some(Preset { command: &["python", "manage.py", "shell"], source: "**/migrations/*.py", cut: Cut::OWN }),
            Self::Other => None,
        }
    }
}

/// The form of a comment: pieces of text, with a hole behind each but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pieces: Vec<String>,
    holes: Vec<Hole>,
}

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    File,
    Revision,
    Any,
}

const HOLES: &[(&str, Hole)] = &[("{file}", Hole::File), ("{revision}", Hole::Revision), ("{any}", Hole::Any)];

/// Which migration begins behind a comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// That of this file.
    File(String),
    /// That of the file which is called so, or says so.
    Revision(String),
}

impl Cut {
    /// What a program prints that was written for lockkeeper.
    const OWN: &'static str = "-- lockkeeper: file {file}";

    /// Reads `-- Running upgrade {any} -> {revision}`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn new(written: &str) -> Result<Self, String> {
        if !written.starts_with("--") {
            return Err("a cut is a comment of SQL, which begins with `--`".to_owned());
        }
        let (mut pieces, mut holes, mut rest) = (Vec::new(), Vec::new(), written.trim());
        while let Some(start) = rest.find('{') {
            let end = rest[start..].find('}').map_or(rest.len(), |length| start + length + 1);
            let word = &rest[start..end];
            let hole = HOLES.iter().find(|(known, _)| *known == word).ok_or_else(|| format!("there is no `{word}` in a cut"))?;
            pieces.push(rest[..start].to_owned());
            holes.push(hole.1);
            rest = &rest[end..];
        }
        pieces.push(rest.to_owned());
        let telling = holes.iter().filter(|hole| **hole != Hole::Any).count();
        match telling {
            1 => Ok(Self { pieces, holes }),
            _ => Err("a cut has one `{file}` or one `{revision}`".to_owned()),
        }
    }

    /// Which migration begins behind a comment, if one does.
    pub fn names(&self, comment: &str) -> Option<Named> {
        let (first, others) = self.pieces.split_first()?;
        let mut rest = comment.trim().strip_prefix(first.as_str())?;
        let mut named = None;
        for (at, (hole, piece)) in self.holes.iter().zip(others).enumerate() {
            // What is behind the last hole ends the comment.
            let is_last = at + 1 == self.holes.len();
            let end = if is_last { rest.strip_suffix(piece.as_str()).map(str::len) } else { rest.find(piece.as_str()) }?;
            let text = rest[..end].trim();
            named = match hole {
                Hole::File => Some(Named::File(text.to_owned())),
                Hole::Revision => Some(Named::Revision(text.to_owned())),
                Hole::Any => named,
            };
            rest = &rest[end + piece.len()..];
        }
        named.filter(|named| !matches!(named, Named::File(text) | Named::Revision(text) if text.is_empty()))
    }
}

const TOOLS: &[(&str, Tool)] = &[("alembic", Tool::Alembic), ("django", Tool::Django)];

const LIST: Shape = Shape::Items(&Shape::Text);

/// The keys of one program.
pub(super) const RENDER: Object = Object::of(&[
    Key::new("tool", Shape::Words(|| words(TOOLS)), "whose migrations they are; the rest is known then"),
    Key::new(
        "command",
        Shape::Schema(schema::command),
        "the program that prints the SQL of all migrations, and its arguments; no shell sees them",
    ),
    Key::new("directory", Shape::Text, "where it runs, from the directory of lockkeeper.yaml; `source` starts there, too"),
    Key::new("source", LIST, "patterns of the files that are migrations: `*` stops at a slash, `**` does not"),
    Key::new(
        "cut",
        Shape::Schema(schema::cut),
        "the comment that it prints before each migration: `-- == {revision}`, or with {file}; {any} is anything",
    ),
    Key::new("timeout", Shape::Schema(schema::positive_time), "after this it is given up (default: 2min)"),
]);

/// Reads `[{ tool: alembic }]`.
pub(super) fn read(node: &Node) -> Result<Vec<Render>, Fault> {
    node.items().iter().map(render).collect()
}

const TIMEOUT: Duration = Duration::from_secs(120);

fn render(node: &Node) -> Result<Render, Fault> {
    let fields = RENDER.fields(node)?;
    let tool = fields.get("tool").map_or(Ok(Tool::Other), |tool| tool.one_of(TOOLS))?;
    let preset = tool.preset();
    let needed =
        |key: &str| node.fault(format!("`{key}` is missing")).help("or say `tool: alembic` or `tool: django`, of which it is known");
    let command = match (fields.get("command"), &preset) {
        (Some(command), _) => words_of(command)?,
        (None, Some(preset)) => preset.command.iter().map(|word| (*word).to_owned()).collect(),
        (None, None) => return Err(needed("command")),
    };
    let source = match (fields.get("source"), &preset) {
        (Some(source), _) => super::read::globs(source)?,
        (None, Some(preset)) => Globs::new(vec![preset.source.to_owned()]).map_err(|why| node.fault(why))?,
        (None, None) => return Err(needed("source")),
    };
    let cut = match fields.get("cut") {
        Some(cut) => {
            Cut::new(cut.text()?).map_err(|why| cut.fault(why).help("as in `-- == {revision}` or `-- lockkeeper: file {file}`"))?
        }
        None => Cut::new(preset.map_or(Cut::OWN, |preset| preset.cut)).map_err(|why| node.fault(why))?,
    };
    let directory = fields.get("directory").map(Node::text).transpose()?.map(PathBuf::from).unwrap_or_default();
    let timeout = fields.get("timeout").map_or(Ok(TIMEOUT), timeout)?;
    Ok(Render { tool, command, directory, source, cut, timeout })
}

fn words_of(command: &Node) -> Result<Vec<String>, Fault> {
    let whole = || command.fault("a command is a list of words, as no shell takes it apart").help("[alembic, upgrade, heads, --sql]");
    let list = command.list().map_err(|_| whole())?;
    let words: Vec<_> = list.iter().map(|word| word.text().map(str::to_owned)).collect::<Result<_, _>>()?;
    if words.first().is_none_or(String::is_empty) { Err(whole()) } else { Ok(words) }
}

fn timeout(node: &Node) -> Result<Duration, Fault> {
    match super::read::milliseconds(node.text()?) {
        Some(Timeout::After(time)) => Ok(time),
        _ => Err(node.fault("this is no time").help("write it with its unit: 90s, 2min")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests;
    use super::*;
    use insta::assert_snapshot;

    fn config(text: &str) -> Result<Vec<Render>, String> {
        tests::config(text).map(|config| config.render)
    }

    fn fault(text: &str) -> String {
        config(text).expect_err("there is a fault in it")
    }

    #[test]
    fn of_a_tool_that_is_known_everything_is_known() {
        let all = config("render: { tool: alembic }").unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(all[0].command, ["alembic", "upgrade", "heads", "--sql"]);
        assert!(all[0].source.matching("migrations/versions/0a1b_orders.py".as_ref()).is_some());
        let all = config("render:\n  - tool: django\n    command: [uv, run, manage.py, shell]\n    timeout: 5min\n")
            .unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((all[0].command.len(), all[0].timeout), (4, Duration::from_secs(300)));
    }

    #[test]
    fn a_comment_tells_which_migration_begins() {
        let cut = |written| Cut::new(written).unwrap_or_else(|why| panic!("{why}"));
        let alembic = cut("-- Running upgrade {any} -> {revision}");
        let revision = |text: &str| Some(Named::Revision(text.to_owned()));
        assert_eq!(alembic.names("-- Running upgrade  -> 0a1b"), revision("0a1b"));
        assert_eq!(alembic.names("-- Running upgrade 0a1b, 0c2d -> 0e3f"), revision("0e3f"));
        assert_eq!(alembic.names("-- Running downgrade 0a1b -> "), None);
        assert_eq!(cut("-- == {revision}: up").names("-- == 0042_note: up"), revision("0042_note"));
        assert_eq!(cut(Cut::OWN).names("-- lockkeeper: file db/0042.rb"), Some(Named::File("db/0042.rb".into())));
    }

    #[test]
    fn what_is_missing_or_misspelt_is_said_at_its_place() {
        assert_snapshot!(fault("render: { tool: alembik }"), @"render.tool: there is no `alembik` here, did you mean `alembic`? <- alembik (one of: alembic, django)");
        assert_snapshot!(fault("render: { comand: [bin/print-sql] }"), @"render: there is no key `comand` here, did you mean `command`? <- comand (known keys: tool, command, directory, source, cut, timeout)");
        assert_snapshot!(fault("render: { command: bin/print-sql, source: db/*.rb }"), @"render.command: a command is a list of words, as no shell takes it apart <- bin/print-sql ([alembic, upgrade, heads, --sql])");
        assert_snapshot!(fault("render: { command: [bin/print-sql] }"), @"render: `source` is missing <- { (or say `tool: alembic` or `tool: django`, of which it is known)");
        assert_snapshot!(fault("render: { command: [bin/print-sql], source: db/*.rb, cut: '-- {name}' }"), @"render.cut: there is no `{name}` in a cut <- '-- {name}' (as in `-- == {revision}` or `-- lockkeeper: file {file}`)");
        assert_snapshot!(fault("render: { tool: django, timeout: soon }"), @"render.timeout: this is no time <- soon (write it with its unit: 90s, 2min)");
    }
}
