//! A backfill as a file: a DO block that walks through a table by key, changes a batch and commits.
//!
//! It runs as it stands under any runner that sends the file outside a transaction block, alone: COMMIT in a DO block needs that (11). It may
//! be stopped and run again at any time, since a batch changes only rows that still need it.

use super::statement::dollar_quoted;
use super::{Ask, Batches, Phase, Refusal, Runs, Stage};
use crate::model::catalog::{Catalog, Relation};
use crate::model::name::{Ident, Name};
use crate::model::operation::{ConstraintKind, IndexKeyKind};

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

/// The columns by which a table can be walked through: its primary key, else a unique key without NULLs.
pub fn key(catalog: &Catalog, table: &Relation) -> Option<Vec<Ident>> {
    let primary = table.primary_key().and_then(|key| match &key.kind {
        ConstraintKind::PrimaryKey(key) if key.columns.is_empty() => None,
        ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
        _ => None,
    });
    let never_null = |column: &Ident| table.column(column).is_some_and(|column| column.not_null);
    let unique = || {
        catalog.indexes_of(table).filter(|(_, index)| index.unique && index.valid && index.predicate.is_none()).find_map(|(_, index)| {
            let column = |key: &crate::model::operation::IndexKey| match &key.what {
                IndexKeyKind::Column(column) if never_null(column) => Some(column.clone()),
                IndexKeyKind::Column(_) | IndexKeyKind::Expression(_) => None,
            };
            index.keys.iter().map(column).collect::<Option<Vec<_>>>()
        })
    };
    primary.or_else(unique)
}

impl Backfill {
    /// The phase that does it, by the key of the table.
    ///
    /// # Errors
    /// The table has no key to walk by.
    pub fn phase(&self, ask: &Ask<'_>, name: &Name, title: impl Into<String>) -> Result<Phase, Refusal> {
        let relation = ask.table(name)?;
        let key = key(ask.before, relation).ok_or_else(|| {
            Refusal::Unknown(format!(
                "no primary key and no unique key without NULLs of `{}` is known, and a backfill walks by one",
                name.sql()
            ))
        })?;
        let columns: Vec<_> = key.iter().map(Ident::sql).collect();
        let mut phase =
            Phase::new(Stage::Backfill, title).run_accepting(self.block(relation, &key, ask.batch), &["update-without-batches"]);
        phase.runs = Runs::Alone;
        // Another batch size is as good.
        phase.up.iter_mut().for_each(|line| line.needed = false);
        phase.batches = Some(Batches { key: columns, size: ask.batch });
        Ok(phase)
    }

    /// The DO block.
    fn block(&self, relation: &Relation, key: &[Ident], size: u32) -> String {
        let columns: Vec<_> = key.iter().map(Ident::sql).collect();
        let variables = |stem: &str| -> Vec<String> {
            let numbered = |at: usize| if key.len() == 1 { stem.to_owned() } else { format!("{stem}_{}", at + 1) };
            (0..key.len()).map(|at| free(relation, numbered(at))).collect()
        };
        let (first, last) = (variables("batch_first"), variables("batch_last"));
        let row = |names: &[String]| if names.len() == 1 { names[0].clone() } else { format!("({})", names.join(", ")) };
        let (table, list, rows) = (&self.table, columns.join(", "), &self.rows);
        let declare = |(name, column): (&String, &String)| format!("  {name} {table}.{column}%TYPE;\n");
        let declared: String = first.iter().zip(&columns).chain(last.iter().zip(&columns)).map(declare).collect();
        let backwards = columns.iter().map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ");
        let (at, from, to) = (row(&columns), row(&first), row(&last));
        let (firsts, lasts, any) = (first.join(", "), last.join(", "), &first[0]);
        let change = match &self.set {
            Some(set) => format!("UPDATE {table} SET {set}"),
            None => format!("DELETE FROM {table}"),
        };
        let body = format!(
            "\nDECLARE\n{declared}BEGIN\n  \
               SELECT {list} INTO {firsts} FROM {table} ORDER BY {list} LIMIT 1;\n  \
               WHILE {any} IS NOT NULL LOOP\n    \
                 SELECT {list} INTO {lasts} FROM (\n      \
                   SELECT {list} FROM {table} WHERE {at} >= {from} ORDER BY {list} LIMIT {size}\n    \
                 ) batch ORDER BY {backwards} LIMIT 1;\n    \
                 {change}\n      WHERE {at} >= {from} AND {at} <= {to} AND ({rows});\n    \
                 COMMIT;\n    \
                 SELECT {list} INTO {firsts} FROM {table} WHERE {at} > {to} ORDER BY {list} LIMIT 1;\n  \
               END LOOP;\nEND\n"
        );
        format!("DO {}", dollar_quoted("backfill", &body))
    }
}

/// A name for a variable that no column of the table has.
fn free(relation: &Relation, mut name: String) -> String {
    while relation.column(&Ident::quoted(&name)).is_some() {
        name.push('_');
    }
    name
}
