//! Alembic's revisions: which file is which, what stands before what, and which call of `op` is behind which statement.

use super::python::{Call, Python};
use crate::text::SourceFile;
use std::collections::{HashMap, HashSet};

/// What a file of `versions/` says about itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Revision {
    pub id: String,
    /// The revisions that have to run before it.
    pub needs: Vec<String>,
}

impl Revision {
    /// Reads a file; `None`: it is no revision.
    pub fn read(source: &SourceFile) -> Option<Self> {
        let python = Python::read(source);
        let id = python.assigned("revision")?.into_iter().next()?;
        let needs = ["down_revision", "depends_on"].iter().filter_map(|name| python.assigned(name)).flatten().collect();
        Some(Self { id, needs })
    }
}

/// Those of the revisions that have to run before others which have been printed: whoever prints from the middle on has run them.
pub(super) fn before<'r>(revisions: &[&'r Revision], printed: &HashSet<&'r str>) -> HashSet<&'r str> {
    let needs: HashMap<_, _> = revisions.iter().map(|revision| (revision.id.as_str(), &revision.needs)).collect();
    let (mut before, mut next): (HashSet<&str>, Vec<&str>) = (HashSet::new(), printed.iter().copied().collect());
    while let Some(id) = next.pop() {
        let needs = needs.get(id).into_iter().flat_map(|needs| needs.iter());
        next.extend(needs.map(String::as_str).filter(|id| before.insert(id)));
    }
    before
}

/// Whether a statement is one of those by which Alembic remembers which revision has run.
pub(super) fn is_bookkeeping(statement: &str) -> bool {
    statement.contains("version_num") && ["INSERT INTO ", "UPDATE ", "DELETE FROM "].iter().any(|verb| statement.starts_with(verb))
}

/// Where the upgrade of a file begins, and its calls.
pub(super) struct Upgrade {
    line: u32,
    calls: Vec<Call>,
    /// The call that the last statement came from.
    at: usize,
}

/// The words that the SQL of a method begins with, and how many of its first strings are names in it.
const METHODS: &[(&str, &str, usize)] = &[
    ("create_table", "CREATE TABLE", 1),
    ("drop_table", "DROP TABLE", 1),
    ("rename_table", "ALTER TABLE", 2),
    ("add_column", "ALTER TABLE", 2),
    ("drop_column", "ALTER TABLE", 2),
    ("alter_column", "ALTER TABLE", 2),
    ("create_index", "CREATE ", 2),
    ("drop_index", "DROP INDEX", 1),
    ("create_foreign_key", "ALTER TABLE", 2),
    ("create_check_constraint", "ALTER TABLE", 2),
    ("create_unique_constraint", "ALTER TABLE", 2),
    ("create_exclude_constraint", "ALTER TABLE", 2),
    ("create_primary_key", "ALTER TABLE", 2),
    ("drop_constraint", "ALTER TABLE", 2),
    ("create_table_comment", "COMMENT ON TABLE", 1),
    ("drop_table_comment", "COMMENT ON TABLE", 1),
    ("bulk_insert", "INSERT INTO", 1),
];

impl Upgrade {
    /// Reads a file; one without `def upgrade` at its margin has nothing to tell.
    pub fn read(source: &SourceFile) -> Self {
        let (line, calls) = Python::read(source).function("upgrade").unwrap_or((1, Vec::new()));
        Self { line, calls, at: 0 }
    }

    /// The line behind the next statement, in the order in which they were printed: that of the call whose names are in it, else that of
    /// `def upgrade`.
    pub fn line_of(&mut self, statement: &str) -> u32 {
        let words: HashSet<&str> = words(statement).collect();
        if let Some(further) = self.calls[self.at..].iter().position(|call| prints(call, statement, &words)) {
            self.at += further;
            return self.calls[self.at].line;
        }
        // One call may print several statements, which all name the table.
        let same = self.calls.get(self.at).filter(|call| is_known(call) && call.texts.first().is_some_and(|name| is_in(name, &words)));
        same.map_or(self.line, |call| call.line)
    }
}

fn is_known(call: &Call) -> bool {
    METHODS.iter().any(|(method, ..)| *method == call.method)
}

fn prints(call: &Call, statement: &str, words: &HashSet<&str>) -> bool {
    if call.method == "execute" {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        return squeezed(&call.texts.concat()).contains(&squeezed(statement));
    }
    let Some((_, begins, names)) = METHODS.iter().find(|(method, ..)| *method == call.method) else { return false };
    let names = &call.texts[..(*names).min(call.texts.len())];
    statement.starts_with(begins) && !names.is_empty() && names.iter().all(|name| is_in(name, words))
}

fn is_in(name: &str, statement: &HashSet<&str>) -> bool {
    words(name).all(|word| statement.contains(word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_comes_from_the_call_whose_names_are_in_it() {
        let file = SourceFile::new(
            "0a1b.py",
            r#"
def upgrade():
    op.create_table("orders", sa.Column("note", sa.Text, index=True))
    op.add_column("users", sa.Column("note", sa.Text))
    op.add_column("users", sa.Column("state", sa.Text))
    for table in tables():
        op.drop_table(table)
    op.drop_index(op.f("ix_users_note"), table_name="users")
    op.execute("""
        UPDATE users
           SET state = 'new'
    """)
"#,
        );
        let mut upgrade = Upgrade::read(&file);
        let lines = [
            "CREATE TYPE kind AS ENUM ('a')",
            "CREATE TABLE orders (note text)",
            "CREATE INDEX ix_orders_note ON orders (note)",
            "ALTER TABLE users ADD COLUMN note TEXT",
            "ALTER TABLE users ADD COLUMN state TEXT",
            "DROP TABLE drafts",
            "DROP INDEX ix_users_note",
            "UPDATE users SET state = 'new'",
        ]
        .map(|statement| upgrade.line_of(statement));
        assert_eq!(lines, [2, 3, 3, 4, 5, 2, 8, 9]);
    }

    #[test]
    fn what_has_to_run_before_something_is_followed_through_merges_and_needs() {
        let revision = |id: &str, needs: &[&str]| Revision { id: id.into(), needs: needs.iter().map(|id| (*id).to_owned()).collect() };
        let all = [revision("a", &[]), revision("b", &["a"]), revision("c", &["a"]), revision("d", &["b", "c"]), revision("e", &[])];
        assert_eq!(before(&all.iter().collect::<Vec<_>>(), &HashSet::from(["d"])), HashSet::from(["a", "b", "c"]));
    }

    #[test]
    fn the_statements_that_remember_revisions_are_known() {
        assert!(is_bookkeeping("UPDATE shop_version SET version_num='b' WHERE shop_version.version_num = 'a'"));
        assert!(!is_bookkeeping("UPDATE orders SET note = ''"));
    }
}
