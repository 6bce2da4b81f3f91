//! The way through a table: by a key that an index is in order of, else page by page.

use super::splice::Change;
use crate::apply::ledger::text;
use crate::db::{Connection, Refusal};
use crate::model::name::Ident;
use sqlx::Row;

/// How a table is gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The table, as SQL writes it, its schema included.
    table: String,
    /// The columns of the key, in order; none: by pages.
    pub key: Vec<Column>,
    /// How many rows it has, as the server last estimated; 0: it does not know.
    pub rows: u64,
    /// How many pages its file has.
    pages: u64,
}

/// A column of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type, as SQL writes it.
    type_name: String,
    nullable: bool,
    /// The schema of the operators that its index is in order of.
    operators: String,
}

/// What stands for a key in the ledger where there is none.
pub const PAGES: &str = "ctid";

/// Finds the way. `declared` are the columns that the file names, as SQL writes them; none: the table's own key. `path` is the `search_path`
/// of the session that runs the statement.
///
/// # Errors
/// There is no way, or what the server says.
pub async fn find(watch: &mut Connection, change: &Change<'_>, oid: i64, declared: &[Ident]) -> Result<Way, Refusal> {
    let about = watch.rows(&ABOUT.replace("$oid", &oid.to_string())).await?;
    let about = about.first().ok_or(sqlx::Error::RowNotFound)?;
    let (kind, has_children): (String, bool) = (about.try_get(1)?, about.try_get(4)?);
    let count = |at: usize| about.try_get::<i64, _>(at).map(|count| u64::try_from(count).unwrap_or_default());
    let mut way = Way { table: about.try_get(0)?, key: Vec::new(), rows: count(2)?, pages: count(3)? };
    if !matches!(kind.as_str(), "r" | "p") {
        return Err(refusal(format!("{} is no table: only a table is gone through in batches", way.table)));
    }
    let indexes = indexes(watch, oid).await?;
    let by_pages = declared == [Ident::quoted(PAGES)];
    way.key = match (by_pages, declared) {
        (true, _) => Vec::new(),
        (false, []) => own(&indexes, change).unwrap_or_default(),
        (false, declared) => named(&indexes, change, declared).map_err(|why| refusal(format!("{}: {why}", way.table)))?,
    };
    if way.key.is_empty() {
        has_pages(change, &kind, has_children && !change.only, watch.version()).map_err(|why| refusal(format!("{}: {why}", way.table)))?;
    }
    Ok(way)
}

/// The table's own key, of which nothing may be NULL and which the statement leaves alone.
fn own(indexes: &[Index], change: &Change<'_>) -> Option<Vec<Column>> {
    let is_key = |index: &&Index| {
        index.unique
            && index.columns.len() == index.width
            && index.columns.iter().all(|column| !column.nullable && !change.sets.contains(&column.name))
    };
    indexes.iter().find(is_key).map(|index| index.columns.clone())
}

/// The key that the file names: any index that begins with it serves.
fn named(indexes: &[Index], change: &Change<'_>, declared: &[Ident]) -> Result<Vec<Column>, String> {
    if let Some(moved) = declared.iter().find(|column| change.sets.contains(column)) {
        return Err(format!("the statement sets `{moved}`, so that a batch by it would find its own rows again"));
    }
    let begins = |index: &&Index| {
        index.columns.len() >= declared.len() && index.columns.iter().zip(declared).all(|(column, name)| column.name == *name)
    };
    let names: Vec<_> = declared.iter().map(Ident::as_str).collect();
    let index = indexes.iter().find(begins).ok_or_else(|| {
        format!(
            "no index is in the order of ({}), so that each batch would read the whole table: make one, or name another key",
            names.join(", ")
        )
    })?;
    Ok(index.columns[..declared.len()].to_vec())
}

fn has_pages(change: &Change<'_>, kind: &str, has_children: bool, version: u8) -> Result<(), String> {
    let no = |why: &str| {
        Err(format!(
            "it has no key that could be walked through (no primary key and no unique key without NULLs that the statement leaves alone), and {why}"
        ))
    };
    match () {
        () if version < 14 => no("before PostgreSQL 14 no part of a table can be found by its place"),
        () if kind != "r" || has_children => no("its rows lie in more than one place: do it table by table, with ONLY"),
        () if change.predicate.is_none() => no("without WHERE nobody could tell rows that have been changed from those that have not"),
        () => Ok(()),
    }
}

impl Way {
    /// The names of the key's columns, as the ledger keeps them.
    pub fn names(&self) -> Vec<String> {
        if self.by_pages() { vec![PAGES.to_owned()] } else { self.key.iter().map(|column| column.name.as_str().to_owned()).collect() }
    }

    /// Whether it goes page by page.
    pub fn by_pages(&self) -> bool {
        self.key.is_empty()
    }

    /// The query for the end of the way as it is now; no row, or NULL: there is nothing to walk through.
    pub fn last(&self, only: bool) -> String {
        if self.by_pages() {
            let pages = format!(
                "pg_catalog.pg_relation_size({}::pg_catalog.regclass) / pg_catalog.current_setting('block_size')::pg_catalog.int8",
                text(&self.table)
            );
            return format!("SELECT pg_catalog.to_json(ARRAY[({pages})::pg_catalog.text])::pg_catalog.text");
        }
        format!(
            "SELECT {} FROM {} k{} ORDER BY {} LIMIT 1",
            self.as_json("k"),
            self.relation(only),
            self.known("WHERE", "k"),
            self.order("k", " DESC")
        )
    }

    /// The query for the place behind the next `rows` rows, and how many rows there are up to it; no row: the end has been reached.
    pub fn next(&self, only: bool, cursor: Option<&[String]>, last: &[String], rows: u32) -> String {
        if self.by_pages() {
            let at: u64 = page(cursor);
            let next = (at + self.pages_of(rows)).min(page(Some(last)));
            let json = "pg_catalog.to_json(ARRAY['$next'])::pg_catalog.text".replace("$next", &next.to_string());
            let seen = (next.saturating_sub(at) as f64 * self.rows_of_a_page()) as u64;
            return format!("SELECT {json}, {seen}::pg_catalog.int8 WHERE {at} < {next}");
        }
        let columns: Vec<_> = self.key.iter().map(|column| column.name.sql()).collect();
        format!(
            "SELECT {}, b.lockkeeper_count FROM (SELECT {}, pg_catalog.count(*) OVER () AS lockkeeper_count FROM \
             (SELECT {} FROM {} k WHERE {} ORDER BY {} LIMIT {rows}) k) b ORDER BY {} LIMIT 1",
            self.as_json("b"),
            columns.join(", "),
            columns.iter().map(|column| format!("k.{column}")).collect::<Vec<_>>().join(", "),
            self.relation(only),
            self.within("k", cursor, last),
            self.order("k", ""),
            self.order("b", " DESC"),
        )
    }

    /// What holds for the rows behind `cursor` up to `to`.
    pub fn within(&self, qualifier: &str, cursor: Option<&[String]>, to: &[String]) -> String {
        if self.by_pages() {
            let (from, to) = (page(cursor), page(Some(to)));
            return format!("{qualifier}.ctid >= '({from},0)'::pg_catalog.tid AND {qualifier}.ctid < '({to},0)'::pg_catalog.tid");
        }
        let row = self.list(|column| format!("{qualifier}.{}", column.name.sql()));
        let compared = |sign: &str, values: &[String]| format!("{row} OPERATOR({}.{sign}) {}", self.operators(), self.values(values));
        let behind = cursor.map_or(String::new(), |cursor| format!("{} AND ", compared(">", cursor)));
        format!("{behind}{}{}", compared("<=", to), self.known(" AND", qualifier))
    }

    /// What holds for the rows that the key does not lead to; `None`: there are none.
    pub fn unknown(&self, qualifier: &str) -> Option<String> {
        let parts: Vec<_> =
            self.key.iter().filter(|column| column.nullable).map(|column| format!("{qualifier}.{} IS NULL", column.name.sql())).collect();
        (!parts.is_empty()).then(|| parts.join(" OR "))
    }

    fn known(&self, word: &str, qualifier: &str) -> String {
        let parts = self.key.iter().filter(|column| column.nullable).map(|column| format!("{qualifier}.{} IS NOT NULL", column.name.sql()));
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() { String::new() } else { format!(" {word} {}", parts.join(" AND ")) }
    }

    fn relation(&self, only: bool) -> String {
        if only { format!("ONLY {}", self.table) } else { self.table.clone() }
    }

    fn order(&self, qualifier: &str, direction: &str) -> String {
        self.key.iter().map(|column| format!("{qualifier}.{}{direction}", column.name.sql())).collect::<Vec<_>>().join(", ")
    }

    fn as_json(&self, qualifier: &str) -> String {
        let texts: Vec<_> = self.key.iter().map(|column| format!("{qualifier}.{}::pg_catalog.text", column.name.sql())).collect();
        format!("pg_catalog.to_json(ARRAY[{}])::pg_catalog.text", texts.join(", "))
    }

    fn values(&self, values: &[String]) -> String {
        let mut values = values.iter();
        self.list(|column| format!("{}::{}", text(values.next().map_or("", String::as_str)), column.type_name))
    }

    fn list(&self, each: impl FnMut(&Column) -> String) -> String {
        let parts: Vec<_> = self.key.iter().map(each).collect();
        if let [one] = &parts[..] { one.clone() } else { format!("ROW({})", parts.join(", ")) }
    }

    fn operators(&self) -> &str {
        self.key.first().map_or("pg_catalog", |column| &column.operators)
    }

    fn rows_of_a_page(&self) -> f64 {
        if self.rows == 0 || self.pages == 0 { ROWS_OF_A_PAGE } else { (self.rows as f64 / self.pages as f64).max(1.0) }
    }

    fn pages_of(&self, rows: u32) -> u64 {
        ((f64::from(rows) / self.rows_of_a_page()) as u64).max(1)
    }
}

/// A page of usual rows.
const ROWS_OF_A_PAGE: f64 = 50.0;

fn page(place: Option<&[String]>) -> u64 {
    place.and_then(|place| place.first()?.parse().ok()).unwrap_or(0)
}

/// An index that rows can be walked through by.
struct Index {
    unique: bool,
    /// How many columns it is in order of, those included that are none but expressions.
    width: usize,
    /// Its first columns, as far as they can be walked through: all in the same direction and by operators of the same schema.
    columns: Vec<Column>,
}

async fn indexes(watch: &mut Connection, oid: i64) -> Result<Vec<Index>, Refusal> {
    let mut indexes: Vec<(i64, bool, Index)> = Vec::new();
    for row in watch.rows(&INDEXES.replace("$oid", &oid.to_string())).await? {
        let (id, width, place, descending): (i64, i32, i64, bool) = (row.try_get(0)?, row.try_get(2)?, row.try_get(3)?, row.try_get(8)?);
        let column = Column {
            name: Ident::quoted(row.try_get(4)?),
            type_name: row.try_get(5)?,
            nullable: row.try_get(6)?,
            operators: Ident::quoted(row.try_get(7)?).sql(),
        };
        if indexes.last().is_none_or(|(last, ..)| *last != id) {
            indexes.push((
                id,
                descending,
                Index { unique: row.try_get(1)?, width: usize::try_from(width).unwrap_or(usize::MAX), columns: Vec::new() },
            ));
        }
        let Some((_, first_descends, index)) = indexes.last_mut() else { continue };
        let follows = index.columns.len() as i64 + 1 == place && *first_descends == descending;
        if follows && index.columns.first().is_none_or(|first| first.operators == column.operators) {
            index.columns.push(column);
        }
    }
    Ok(indexes.into_iter().map(|(_, _, index)| index).collect())
}

/// Ours: there is no way through the table.
const NO_WAY: &str = "LK005";

fn refusal(message: String) -> Refusal {
    Refusal { code: NO_WAY.to_owned(), message }
}

const ABOUT: &str = "
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relkind::text,
           (SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)::int8 FROM pg_class l
            WHERE l.oid = c.oid OR l.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf) AND c.relkind = 'p'),
           pg_relation_size(c.oid) / current_setting('block_size')::int8,
           EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $oid";

/// The columns of B-tree indexes over all rows, each with the operators by which the index is in order; the primary key first.
const INDEXES: &str = "
    SELECT i.indexrelid::int8, i.indisunique, i.indnkeyatts::int4, k.place, a.attname::text, format_type(a.atttypid, a.atttypmod),
           NOT a.attnotnull, o.nspname::text, k.option & 1 = 1
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
    CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[])
        WITH ORDINALITY AS k (number, class, collated, option, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND a.attcollation = k.collated
    JOIN pg_opclass p ON p.oid = k.class AND p.opcdefault
    JOIN pg_amop s ON s.amopfamily = p.opcfamily AND s.amopstrategy = 5 AND s.amoplefttype = p.opcintype AND s.amoprighttype = p.opcintype
    JOIN pg_operator r ON r.oid = s.amopopr AND r.oprname = '>'
    JOIN pg_namespace o ON o.oid = r.oprnamespace
    WHERE i.indrelid = $oid AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts
    ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid, k.place";
