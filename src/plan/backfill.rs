//! A backfill as a file: a DO block that walks through a table by key, changes a batch and commits.
//!
//! It runs as it stands under any runner that sends the file outside a transaction block, alone: COMMIT in a DO block needs that (11). It may
//! be stopped and run again at any time, since a batch changes only rows that still need it.

use super::index::regclass;
use super::statement::dollar_quoted;
use super::{Ask, Batches, Phase, Refusal, Runs, Stage};
use crate::model::catalog::{Catalog, Relation};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name};
use crate::model::operation::{ConstraintKind, IndexKey, IndexKeyKind, ObjectKind};

/// A change of all rows of a table that need it.
#[derive(Clone, Debug)]
pub struct Backfill {
    /// The table, as SQL writes it.
    pub table: String,
    /// What SET sets; for a deletion `None`.
    pub set: Option<String>,
    /// Which rows still need it.
    pub rows: String,
}

impl Backfill {
    /// The phase that does it, by the key of the table; without one page by page.
    ///
    /// # Errors
    /// There is no way through the table.
    pub fn phase(&self, ask: &Ask<'_>, name: &Name, title: impl Into<String>) -> Result<Phase, Refusal> {
        let change = match &self.set {
            Some(set) => format!("UPDATE {} SET {set}", self.table),
            None => format!("DELETE FROM {}", self.table),
        };
        let walk = Walk { table: name, qualifier: None, changed: &[] };
        walk.phase(ask, title, &|batch| format!("{change}\n        WHERE {batch} AND ({})", self.rows))
    }
}

/// A way through a table in batches, each in a transaction of its own.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// The table, as SQL writes it.
    pub table: &'a Name,
    /// What stands before its columns where other tables have some of the same name.
    pub qualifier: Option<&'a Ident>,
    /// Columns that the batches change: rows cannot be found by them.
    pub changed: &'a [Ident],
}

/// The columns by which a table can be walked through: its primary key, else a unique key without NULLs.
pub fn key(catalog: &Catalog, table: &Relation) -> Option<Vec<Ident>> {
    keys(catalog, table).into_iter().next()
}

/// All of them, the primary key first.
fn keys(catalog: &Catalog, table: &Relation) -> Vec<Vec<Ident>> {
    let primary = table.primary_key().and_then(|key| match &key.kind {
        ConstraintKind::PrimaryKey(key) if key.columns.is_empty() || key.without_overlaps => None,
        ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
        _ => None,
    });
    let never_null = |column: &Ident| table.column(column).is_some_and(|column| column.not_null);
    let column = |key: &IndexKey| match &key.what {
        IndexKeyKind::Column(column) if never_null(column) => Some(column.clone()),
        IndexKeyKind::Column(_) | IndexKeyKind::Expression(_) => None,
    };
    let sorted = catalog.indexes_of(table).map(|(_, index)| index).filter(|index| index.method == "btree");
    let unique = sorted.filter(|index| index.unique && index.valid && index.predicate.is_none());
    let unique = unique.filter_map(|index| index.keys.iter().map(column).collect::<Option<Vec<_>>>()).filter(|columns| !columns.is_empty());
    primary.into_iter().chain(unique).collect()
}

/// What the rules say of a change of many rows, which a walk makes a few at a time.
pub const IN_BATCHES: &[&str] = &["update-without-batches", "delete-without-where", "insert-without-batches"];

/// Pages that one batch goes through where there is no key; a page of usual rows holds fifty of them.
const ROWS_OF_A_PAGE: u32 = 50;

impl Walk<'_> {
    /// The phase in which `change` makes a statement of the condition that limits it to a batch.
    ///
    /// # Errors
    /// There is no key to walk by, or the change moves it, and the table cannot be gone through page by page either.
    pub fn phase(&self, ask: &Ask<'_>, title: impl Into<String>, change: &dyn Fn(&str) -> String) -> Result<Phase, Refusal> {
        let relation = ask.table(self.table)?;
        let keys = keys(ask.before, relation);
        let stays = |key: &&Vec<Ident>| !key.iter().any(|column| self.changed.contains(column));
        let (body, by) = match keys.iter().find(stays) {
            Some(key) => (self.by_key(relation, key, ask.batch, change), key.iter().map(Ident::sql).collect()),
            None if !keys.is_empty() => {
                return Err(Refusal::Unknown(format!(
                    "the statement changes the key of `{}`, so that a batch would find its own rows again",
                    self.table.sql()
                )));
            }
            None => {
                self.has_pages(ask, relation)?;
                (self.by_page(relation, ask.batch, change), vec!["ctid".to_owned()])
            }
        };
        let mut phase = Phase::new(Stage::Backfill, title).run_accepting(format!("DO {}", dollar_quoted("backfill", &body)), IN_BATCHES);
        phase.runs = Runs::Alone;
        // Another batch size is as good.
        phase.up.iter_mut().for_each(|line| line.needed = false);
        phase.batches = Some(Batches { key: by, size: ask.batch });
        Ok(phase)
    }

    /// What the statements in the body call a column of the table.
    fn column(&self, column: &str) -> String {
        self.qualifier.map_or_else(|| column.to_owned(), |qualifier| format!("{}.{column}", qualifier.sql()))
    }

    fn by_key(&self, relation: &Relation, key: &[Ident], size: u32, change: &dyn Fn(&str) -> String) -> String {
        let columns: Vec<_> = key.iter().map(Ident::sql).collect();
        let variables = |stem: &str| -> Vec<String> {
            let numbered = |at: usize| if key.len() == 1 { stem.to_owned() } else { format!("{stem}_{}", at + 1) };
            (0..key.len()).map(|at| free(relation, numbered(at))).collect()
        };
        let (first, last) = (variables("batch_first"), variables("batch_last"));
        let row = |names: &[String]| if names.len() == 1 { names[0].clone() } else { format!("({})", names.join(", ")) };
        let (table, list) = (self.table.sql(), columns.join(", "));
        let declare = |(name, column): (&String, &String)| format!("  {name} {table}.{column}%TYPE;\n");
        let declared: String = first.iter().zip(&columns).chain(last.iter().zip(&columns)).map(declare).collect();
        let backwards = columns.iter().map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
        let (at, from, to) = (row(&columns), row(&first), row(&last));
        let in_change = row(&columns.iter().map(|column| self.column(column)).collect::<Vec<_>>());
        let (firsts, lasts, any) = (first.join(", "), last.join(", "), &first[0]);
        let change = change(&format!("{in_change} >= {from} AND {in_change} <= {to}"));
        let next = format!("SELECT {list} INTO {firsts} FROM {table} WHERE {at} > {to} ORDER BY {list} LIMIT 1");
        let patient = patient(&change, &next);
        format!(
            "\nDECLARE\n{declared}BEGIN\n  \
               SELECT {list} INTO {firsts} FROM {table} ORDER BY {list} LIMIT 1;\n  \
               WHILE {any} IS NOT NULL LOOP\n    \
                 SELECT {list} INTO {lasts} FROM (\n      \
                   SELECT {list} FROM {table} WHERE {at} >= {from} ORDER BY {list} LIMIT {size}\n    \
                 ) batch ORDER BY {backwards} LIMIT 1;\n    \
                 {patient}    \
                 COMMIT;\n  \
               END LOOP;\nEND\n"
        )
    }

    fn has_pages(&self, ask: &Ask<'_>, relation: &Relation) -> Result<(), Refusal> {
        let no = |why: &str| {
            Err(Refusal::Unknown(format!("no primary key and no unique key without NULLs of `{}` is known, and {why}", self.table.sql())))
        };
        if ask.server < Version(14) {
            return no("before PostgreSQL 14 no part of a table can be found by its place");
        }
        if relation.kind != ObjectKind::Table || relation.partition_by.is_some() || !relation.children.is_empty() {
            return no("its rows lie in more than one place: do it table by table");
        }
        if !relation.complete {
            return no("the history does not tell all of the table");
        }
        Ok(())
    }

    /// Page by page: no index is needed, since the server goes straight to a page (14).
    fn by_page(&self, relation: &Relation, size: u32, change: &dyn Fn(&str) -> String) -> String {
        let variable = |name: &str| free(relation, name.to_owned());
        let (first, behind, pages) = (variable("batch_first"), variable("batch_behind"), variable("batch_pages"));
        let (size, file) = ((size / ROWS_OF_A_PAGE).max(1), regclass(self.table));
        let ctid = self.column("ctid");
        let change = change(&format!("{ctid} >= format('(%s,0)', {first})::tid AND {ctid} < format('(%s,0)', {behind})::tid"));
        let patient = patient(&change, &format!("{first} := {behind}"));
        format!(
            "\nDECLARE\n  {first} bigint := 0;\n  {behind} bigint;\n  \
               {pages} bigint := pg_relation_size({file}) / current_setting('block_size')::bigint;\nBEGIN\n  \
               WHILE {first} < {pages} LOOP\n    \
                 {behind} := {first} + {size};\n    \
                 {patient}    \
                 COMMIT;\n  \
               END LOOP;\nEND\n"
        )
    }
}

/// A batch, and the step to the next one behind it, as a block that gives way: somebody who holds one of its rows may wait for one that the
/// batch has changed already. PostgreSQL would end one of the two after a second (`deadlock_timeout`), and not always the batch.
fn patient(change: &str, next: &str) -> String {
    format!(
        "BEGIN\n      \
           SET LOCAL lock_timeout = '100ms';\n      \
           {change};\n      \
           {next};\n    \
         EXCEPTION WHEN lock_not_available OR deadlock_detected THEN\n      \
           PERFORM pg_sleep(0.1);\n    \
         END;\n"
    )
}

/// A name for a variable that no column of the table has.
fn free(relation: &Relation, mut name: String) -> String {
    while relation.column(&Ident::quoted(&name)).is_some() {
        name.push('_');
    }
    name
}
