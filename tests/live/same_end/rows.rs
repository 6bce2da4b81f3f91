//! What is in the tables of a database: how many rows, and a number for what they say that does not depend on their order.

use super::compare::Declared;
use lockkeeper::db::{Connection, Refusal};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// The rows of all user tables and materialized views, by `schema.table`, and how far each sequence is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    tables: BTreeMap<String, Table>,
    sequences: BTreeMap<String, String>,
}

/// One table. A partitioned one has the rows of its partitions, an inherited one only its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    count: i64,
    /// The sum over all rows of a hash of their columns' names and texts, the columns sorted by name and those that are declared left out.
    rows: String,
    /// The same of each column by itself, to tell which one differs.
    columns: BTreeMap<String, String>,
}

impl Rows {
    /// Reads all tables, but for what is declared to differ.
    pub async fn read(connection: &mut Connection, declared: &Declared) -> Result<Self, Refusal> {
        let path = connection.texts("SELECT current_setting('search_path')").await?.concat();
        // The same value has one text only under the same settings, whatever the database and its roles were told.
        connection
            .run(
                "SELECT set_config('search_path', '', false); SET DateStyle = ISO; SET IntervalStyle = postgres; SET bytea_output = hex;
                  SET extra_float_digits = 1; SET TimeZone = UTC; SET row_security = off",
            )
            .await?;
        let mut rows = Self::default();
        for table in connection.rows(TABLES).await? {
            let (name, columns): (String, Vec<String>) = (table.try_get(0)?, table.try_get(1)?);
            let columns = columns.into_iter().filter(|column| !declared.covers(&format!("column {name}.{column}"))).collect();
            let read = Table::read(connection, &name, columns).await?;
            rows.tables.insert(name, read);
        }
        for sequence in connection.rows(SEQUENCES).await? {
            let (name, owner): (String, Option<Vec<String>>) = (sequence.try_get(0)?, sequence.try_get(1)?);
            if declared.covers(&format!("sequence {name}")) {
                continue;
            }
            let sql = how_far(&name, owner.as_deref());
            rows.sequences.insert(name, connection.texts(&sql).await?.concat());
        }
        connection.run(&format!("SELECT set_config('search_path', '{}', false)", path.replace('\'', "''"))).await?;
        Ok(rows)
    }

    /// From here on sequences do not differ.
    pub fn forget_numbers(&mut self) {
        self.sequences.clear();
    }

    /// Where two databases hold different rows, in words.
    pub fn differences(&self, naive: &Self) -> Vec<String> {
        let mut words = Vec::new();
        for name in self.tables.keys().chain(naive.tables.keys()).collect::<BTreeSet<_>>() {
            // That one of them is not there is told by the pictures.
            let (Some(ours), Some(theirs)) = (self.tables.get(name), naive.tables.get(name)) else { continue };
            if ours.count != theirs.count {
                words.push(format!("{name} has {} rows, not {}", ours.count, theirs.count));
            } else if ours.rows != theirs.rows {
                let differ = |column: &&String| ours.columns.get(*column) != theirs.columns.get(*column);
                let columns: BTreeSet<_> = ours.columns.keys().chain(theirs.columns.keys()).filter(differ).map(String::as_str).collect();
                words.push(format!("the rows of {name} differ in {}", Vec::from_iter(columns).join(", ")));
            }
        }
        for (name, ours) in &self.sequences {
            if let Some(theirs) = naive.sequences.get(name).filter(|theirs| *theirs != ours) {
                words.push(format!("the sequence {name} {ours}, and not: {theirs}"));
            }
        }
        words
    }

    /// Tables of which rows are missing that were there after the naive statement.
    pub fn lost(&self, naive: &Self) -> Vec<String> {
        let lost = |(name, theirs): (&String, &Table)| {
            let count = self.tables.get(name).map_or(0, |ours| ours.count);
            (count < theirs.count).then(|| format!("{name} has {count} rows, not {}", theirs.count))
        };
        naive.tables.iter().filter_map(lost).collect()
    }
}

impl Table {
    async fn read(connection: &mut Connection, name: &str, columns: Vec<String>) -> Result<Self, Refusal> {
        let texts = |column: &String| format!("{}, quote_nullable({column}::text)", literal(&format!("{column}=")));
        let hash = |texts: &str| format!("coalesce(sum(hashtextextended(concat({texts}), 0)::numeric), 0)::text");
        let whole = columns.iter().map(texts).collect::<Vec<_>>().join(", ' ', ");
        let mut sums = vec![hash(if whole.is_empty() { "''" } else { &whole })];
        sums.extend(columns.iter().map(|column| hash(&texts(column))));
        // A parent that is no partitioned table has tables below it that are read by themselves.
        let only = "CASE WHEN relkind = 'p' THEN '' ELSE 'ONLY ' END";
        let only = connection.texts(&format!("SELECT {only} FROM pg_class WHERE oid = {}::regclass", literal(name))).await?.concat();
        let sql = format!("SELECT count(*), ARRAY[{}] FROM {only}{name}", sums.join(", "));
        let rows = connection.rows(&sql).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let mut sums: Vec<String> = row.try_get(1)?;
        let rows = sums.remove(0);
        Ok(Self { count: row.try_get(0)?, rows, columns: columns.into_iter().zip(sums).collect() })
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a sequence was used, and whether its next number is free in the column that it belongs to.
fn how_far(name: &str, owner: Option<&[String]>) -> String {
    let Some([table, column]) = owner else {
        return format!("SELECT CASE WHEN is_called THEN 'has given ' || last_value ELSE 'begins with ' || last_value END FROM {name}");
    };
    format!(
        "SELECT CASE WHEN {column} IS NULL THEN 'belongs to a column without values'
                     WHEN is_called AND last_value >= {column} THEN 'is past its column' ELSE 'is behind its column' END
         FROM {name}, (SELECT max({column}) AS {column} FROM {table}) held"
    )
}

const TABLES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname),
           ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (c.relkind IN ('r', 'p') OR (c.relkind = 'm' AND c.relispopulated)) AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// Each with the column that it gives numbers to.
const SEQUENCES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname), CASE WHEN d.refobjid IS NOT NULL THEN ARRAY[d.refobjid::regclass::text, quote_ident(a.attname)] END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
         LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE c.relkind = 'S' AND c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')";
