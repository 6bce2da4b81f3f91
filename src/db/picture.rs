//! A picture of all user relations at one moment: their files, and how often they were read.

use super::{Connection, Refusal};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::ObjectKind;
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};

/// Whose reads are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counters {
    /// Those of this session that the server's statistics do not have yet: all of the open transaction are among them.
    OfTransaction,
    /// Those of all sessions, as far as they have been reported.
    OfServer,
}

/// All user relations that are not temporary, by their object ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture(BTreeMap<i64, Relation>);

/// A relation at that moment.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) name: QualifiedName,
    pub(super) kind: ObjectKind,
    /// Partitioned tables and indexes, and views, have no file.
    file: Option<i64>,
    pages: i64,
    /// As many rows as ANALYZE or VACUUM has counted; negative if neither has.
    rows: f32,
    /// Of an index: its table.
    table: Option<i64>,
    reads: Reads,
}

/// How often a relation was read.
#[derive(Clone, Copy, Debug)]
struct Reads {
    scans: i64,
    rows: i64,
    pages: i64,
}

/// What happened between two pictures.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) rewrites: Vec<QualifiedName>,
    pub(super) rebuilds: Vec<QualifiedName>,
    pub(super) builds: Vec<QualifiedName>,
    pub(super) scans: Vec<QualifiedName>,
}

impl Picture {
    /// Takes a picture. Inside a transaction it shows what that transaction has done so far.
    pub(super) async fn take(connection: &mut Connection, counters: Counters) -> Result<Self, Refusal> {
        let prefix = match counters {
            Counters::OfTransaction => "pg_stat_get_xact",
            Counters::OfServer => "pg_stat_get",
        };
        let rows = connection.rows(&query(prefix)).await?;
        let mut relations = BTreeMap::new();
        for row in rows {
            let kind: String = row.try_get("kind")?;
            let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
            let relation = Relation {
                name: QualifiedName { schema: Ident::quoted(&schema), name: Ident::quoted(&name) },
                kind: read_kind(&kind),
                file: row.try_get("file")?,
                pages: row.try_get::<Option<i64>, _>("pages")?.unwrap_or(0),
                rows: row.try_get("rows")?,
                table: row.try_get("of_table")?,
                reads: Reads { scans: row.try_get("read_scans")?, rows: row.try_get("read_rows")?, pages: row.try_get("read_pages")? },
            };
            relations.insert(row.try_get("id")?, relation);
        }
        Ok(Self(relations))
    }

    pub(super) fn get(&self, id: i64) -> Option<&Relation> {
        self.0.get(&id)
    }

    /// Names of the tables that LOCK TABLE takes.
    pub(super) fn tables(&self) -> impl Iterator<Item = &QualifiedName> {
        self.0.values().filter(|relation| relation.kind == ObjectKind::Table).map(|relation| &relation.name)
    }

    /// Names of the indexes on the named tables.
    pub(super) fn indexes_of(&self, tables: &[QualifiedName]) -> Vec<QualifiedName> {
        let table = |relation: &Relation| relation.table.and_then(|id| self.get(id)).map(|table| &table.name);
        let on_one = |relation: &&Relation| table(relation).is_some_and(|name| tables.contains(name));
        self.0.values().filter(on_one).map(|index| index.name.clone()).collect()
    }

    /// What has happened since `self`, to relations that existed then. `whole_pages` tells that a relation of which as many pages were
    /// read as it has was read as a whole: VACUUM counts no scan.
    pub(super) fn changes(&self, after: &Self, whole_pages: bool) -> Changes {
        let mut changes = Changes::default();
        let heirs = self.heirs(after);
        for (id, now) in &after.0 {
            let before = heirs.get(id).and_then(|id| self.0.get(id));
            let table_holds_rows = now.table.and_then(|table| after.0.get(&table)).is_none_or(|table| table.pages > 0);
            match before {
                None if now.kind == ObjectKind::Index && now.file.is_some() => changes.builds.push(now.name.clone()),
                None => {}
                Some(before) => {
                    let new_file = now.file.is_some() && now.file != before.file && now.pages > 0;
                    match now.kind {
                        ObjectKind::Index if new_file && table_holds_rows => changes.rebuilds.push(before.name.clone()),
                        ObjectKind::Table | ObjectKind::MaterializedView if new_file => changes.rewrites.push(before.name.clone()),
                        _ => {}
                    }
                    let has_rows = matches!(now.kind, ObjectKind::Table | ObjectKind::MaterializedView);
                    if has_rows && (before.was_read(now.reads, whole_pages) || self.was_read_by_index(*id, after)) {
                        changes.scans.push(before.name.clone());
                    }
                }
            }
        }
        for names in [&mut changes.rewrites, &mut changes.rebuilds, &mut changes.builds, &mut changes.scans] {
            names.sort();
        }
        changes
    }

    /// Whether as many entries of one of its indexes were read as a table has rows: the check of a foreign key may go that way.
    fn was_read_by_index(&self, table: i64, after: &Self) -> bool {
        let Some(rows) = self.get(table).map(|table| table.rows).filter(|rows| *rows > 0.0) else { return false };
        let entries = |(id, now): (&i64, &Relation)| now.reads.rows - self.get(*id).map_or(0, |before| before.reads.rows);
        after.0.iter().filter(|(_, now)| now.table == Some(table)).map(entries).any(|entries| entries as f32 >= rows)
    }

    /// Which relation of `self` each relation of `after` is: the one with its id, or the one with its name if that is gone, since REINDEX
    /// CONCURRENTLY puts a new index in the place of the old one.
    fn heirs(&self, after: &Self) -> HashMap<i64, i64> {
        let gone = self.0.iter().filter(|(id, _)| !after.0.contains_key(id));
        let gone_by_name: HashMap<&QualifiedName, i64> = gone.map(|(id, relation)| (&relation.name, *id)).collect();
        let heir = |(id, now): (&i64, &Relation)| match self.0.contains_key(id) {
            true => Some((*id, *id)),
            false => gone_by_name.get(&now.name).map(|old| (*id, *old)),
        };
        after.0.iter().filter_map(heir).collect()
    }
}

impl Relation {
    /// Whether it was read as a whole since then. A table without pages cannot be read at all.
    fn was_read(&self, now: Reads, whole_pages: bool) -> bool {
        let all_pages = now.pages - self.reads.pages >= self.pages;
        let all_rows = self.rows > 0.0 && (now.rows - self.reads.rows) as f32 >= self.rows;
        let scanned = now.scans > self.reads.scans;
        self.pages > 0 && ((scanned && (all_rows || all_pages)) || (whole_pages && all_pages))
    }
}

fn read_kind(relkind: &str) -> ObjectKind {
    match relkind {
        "r" | "p" => ObjectKind::Table,
        "i" | "I" => ObjectKind::Index,
        "v" => ObjectKind::View,
        "m" => ObjectKind::MaterializedView,
        "S" => ObjectKind::Sequence,
        "f" => ObjectKind::ForeignTable,
        _ => ObjectKind::Other,
    }
}

/// Only functions that lock nothing, or ACCESS SHARE: what the picture itself does must not show in it. `MATERIALIZED` (12) keeps the
/// functions away from relations that are filtered out.
fn query(prefix: &str) -> String {
    format!(
        "WITH seen AS MATERIALIZED (
             SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
               AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
         SELECT c.oid::pg_catalog.int8 AS id, c.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name,
                c.relkind::pg_catalog.text AS kind, pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 AS file,
                CASE WHEN c.relkind IN ('r', 'i', 'm') THEN pg_catalog.pg_relation_size(c.oid)
                     / pg_catalog.current_setting('block_size')::pg_catalog.int8 END AS pages,
                c.reltuples AS rows, x.indrelid::pg_catalog.int8 AS of_table,
                pg_catalog.{prefix}_numscans(c.oid) AS read_scans, pg_catalog.{prefix}_tuples_returned(c.oid) AS read_rows,
                pg_catalog.{prefix}_blocks_fetched(c.oid) AS read_pages
         FROM seen c LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid"
    )
}
