//! Rows for any table: a scan or a rewrite of an empty table is not to be seen.

use lockkeeper::db::{Connection, Refusal};
use sqlx::Row;

/// Enough that a look-up by key is cheaper than a scan, and little enough to be made in a moment.
const ROWS: u32 = 1000;

/// A table that could not be filled, and why.
#[derive(Debug)]
pub struct LeftEmpty {
    /// `schema.table`.
    pub table: String,
    /// What the server said to the last attempt.
    pub why: String,
}

/// Puts rows into all tables that have none and counts them (ANALYZE). Tables that others refer to come first, simply by trying again.
pub async fn fill(connection: &mut Connection) -> Result<Vec<LeftEmpty>, Refusal> {
    let left = fill_with(connection, ROWS).await?;
    connection.run("VACUUM (ANALYZE)").await?;
    Ok(left)
}

/// So many rows in all tables that have none.
pub async fn fill_with(connection: &mut Connection, number: u32) -> Result<Vec<LeftEmpty>, Refusal> {
    let mut waiting = tables(connection).await?;
    loop {
        let mut left = Vec::new();
        let before = waiting.len();
        for table in waiting {
            match fill_one(connection, &table, number).await {
                Ok(()) => {}
                Err(refusal) => left.push((table, refusal)),
            }
        }
        if left.is_empty() || left.len() == before {
            return Ok(left.into_iter().map(|(table, refusal)| LeftEmpty { table: table.name, why: refusal.to_string() }).collect());
        }
        waiting = left.into_iter().map(|(table, _)| table).collect();
    }
}

struct Table {
    id: i64,
    name: String,
}

/// Tables that hold rows themselves; a partitioned one holds none. `rolname` is there to leave out what extensions bring along.
async fn tables(connection: &mut Connection) -> Result<Vec<Table>, Refusal> {
    let sql = "SELECT c.oid::int8, c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'
                 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY c.oid";
    let set_path = "SELECT set_config('search_path', '', false)";
    connection.run(set_path).await?;
    let rows = connection.rows(sql).await;
    connection.run("RESET search_path").await?;
    rows?.iter().map(|row| Ok(Table { id: row.try_get(0)?, name: row.try_get(1)? })).collect()
}

/// The ways of making values, from the one that suits most tables to those that suit a partition, a CHECK or a narrow type.
const WAYS: [Way; 7] = [
    Way { number: "n", checked: "n", day: "date '2025-01-01' + n % 365" },
    Way { number: "n", checked: "1 + n % 5", day: "date '2025-01-01' + n % 365" },
    Way { number: "n", checked: "n", day: "date '2026-01-01' + n % 365" },
    Way { number: "n", checked: "n", day: "date '2024-01-01' + n % 365" },
    Way { number: "n", checked: "n", day: "current_date + n % 20" },
    Way { number: "1 + n % 9", checked: "1 + n % 9", day: "date '2025-01-01' + n % 28" },
    Way { number: "n % 2", checked: "n % 2", day: "date '2026-01-01' + n % 28" },
];

struct Way {
    number: &'static str,
    /// The number in a column that a CHECK is about.
    checked: &'static str,
    day: &'static str,
}

async fn fill_one(connection: &mut Connection, table: &Table, number: u32) -> Result<(), Refusal> {
    let held = connection.rows(&format!("SELECT FROM ONLY {} LIMIT 1", table.name)).await?;
    if !held.is_empty() {
        return Ok(());
    }
    let columns = columns(connection, table.id, number).await?;
    if columns.is_empty() {
        return connection.run(&format!("INSERT INTO {} SELECT FROM generate_series(1, {number})", table.name)).await;
    }
    let mut answer = Ok(());
    for way in WAYS {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let values: Vec<String> = columns.iter().map(|column| column.value(&way)).collect();
        let (names, values) = (names.join(", "), values.join(", "));
        let sql = match columns.iter().all(|column| column.by_default) {
            true => format!("DO $$ BEGIN FOR n IN 1..{number} LOOP INSERT INTO {} DEFAULT VALUES; END LOOP; END $$", table.name),
            false => format!("INSERT INTO {} ({names}) SELECT {values} FROM generate_series(1, {number}) AS n", table.name),
        };
        answer = connection.run(&sql).await;
        if answer.is_ok() {
            break;
        }
    }
    answer
}

struct Column {
    name: String,
    /// The type that values are made for: of a domain the one below it, of an array its element.
    base: String,
    full: String,
    category: String,
    array: bool,
    length: Option<i32>,
    /// Its values come from a sequence.
    by_default: bool,
    /// Constants of a CHECK on this column alone, as an SQL array.
    choices: Option<String>,
    /// A CHECK is about it.
    checked: bool,
    /// Keys of the table that it refers to, as an SQL array.
    keys: Option<String>,
}

async fn columns(connection: &mut Connection, table: i64, number: u32) -> Result<Vec<Column>, Refusal> {
    let sql = format!(
        "WITH RECURSIVE below AS (
             SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier FROM pg_attribute a
             WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           UNION ALL
             SELECT b.attnum, t.typbasetype, t.typtypmod FROM below b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
         SELECT quote_ident(a.attname) AS name, e.oid::regtype::text AS base, format_type(a.atttypid, a.atttypmod) AS full,
                CASE WHEN e.typtype = 'r' THEN 'r' ELSE e.typcategory::text END AS category, t.typcategory = 'A' AS array,
                CASE WHEN t.typcategory IN ('S', 'V') AND b.modifier > 0 THEN b.modifier - CASE t.typcategory WHEN 'S' THEN 4 ELSE 0 END END AS length,
                a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) AS by_default,
                (SELECT 'ARRAY[' || string_agg(m[1], ', ') || ']' FROM pg_constraint k,
                        regexp_matches(pg_get_constraintdef(k.oid), '(''[^'']*''::[a-z ]+)', 'g') m
                 WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS choices,
                EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)) AS checked,
                (SELECT format('ARRAY(SELECT %I FROM %I.%I ORDER BY 1 LIMIT {number})', r.attname, n.nspname, f.relname)
                 FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace n ON n.oid = f.relnamespace
                      JOIN pg_attribute r ON r.attrelid = f.oid AND r.attnum = k.confkey[1]
                 WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] AND k.confrelid <> k.conrelid
                 LIMIT 1) AS keys
         FROM below b JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = b.attnum
              JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
              JOIN pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         ORDER BY a.attnum"
    );
    let read = |row: &sqlx::postgres::PgRow| {
        Ok(Column {
            name: row.try_get("name")?,
            base: row.try_get("base")?,
            full: row.try_get("full")?,
            category: row.try_get("category")?,
            array: row.try_get("array")?,
            length: row.try_get("length")?,
            by_default: row.try_get("by_default")?,
            choices: row.try_get("choices")?,
            checked: row.try_get("checked")?,
            keys: row.try_get("keys")?,
        })
    };
    let columns: Vec<Column> = connection.rows(&sql).await?.iter().map(read).collect::<Result<_, Refusal>>()?;
    // A sequence fills its column if the others are written; a table with nothing else has nothing to write.
    match columns.iter().all(|column| column.by_default) {
        true => Ok(columns),
        false => Ok(columns.into_iter().filter(|column| !column.by_default).collect()),
    }
}

impl Column {
    /// The value of row `n`. A text is a number, so that it can be cast.
    fn value(&self, way: &Way) -> String {
        if let Some(choices) = &self.choices {
            return format!("({choices})[1 + n % cardinality({choices})]::{}", self.full);
        }
        if let Some(keys) = &self.keys {
            return format!("({keys})[1 + (n - 1) % cardinality({keys})]");
        }
        let (number, day) = (if self.checked { way.checked } else { way.number }, way.day);
        let one = match (self.base.as_str(), self.category.as_str()) {
            ("uuid", _) => format!("md5(({number})::text)::uuid"),
            ("json" | "jsonb", _) => format!("jsonb_build_object('n', {number})"),
            ("bytea", _) => format!("({number})::text::bytea"),
            ("xml", _) => format!("('<n>' || {number} || '</n>')::xml"),
            ("inet" | "cidr", _) => format!("'10.0.0.0'::inet + {number}"),
            ("money", _) => format!("({number})::numeric::money"),
            ("point", _) => format!("point({number}, n)"),
            ("tsvector", _) => format!("to_tsvector('simple', ({number})::text)"),
            ("bit", _) => format!("repeat('1', {})", self.length.unwrap_or(1)),
            ("interval", _) => format!("({number}) * interval '1 minute'"),
            ("time without time zone" | "time with time zone", _) => format!("time '00:00' + ({number}) * interval '1 minute'"),
            ("timestamp without time zone" | "timestamp with time zone", _) => {
                format!("({day})::timestamp + n * interval '1.123456 second'")
            }
            ("int4range" | "int8range" | "numrange", _) => format!("{}({number}, {number} + 1)", self.base),
            // No two overlap, as an exclusion constraint wants it.
            ("daterange", _) => "daterange(date '2000-01-01' + n, date '2000-01-01' + n + 1)".to_owned(),
            ("tsrange" | "tstzrange", _) => {
                let at = |n: &str| format!("timestamp '2025-01-01' + {n} * interval '1 hour'");
                format!("{}({}, {})", self.base, at("n"), at("(n + 1)"))
            }
            (_, "D") => day.to_owned(),
            (_, "N") => number.to_owned(),
            (_, "B") => "n % 2 = 0".to_owned(),
            (base, "E") => format!("(enum_range(NULL::{base}))[1 + n % array_length(enum_range(NULL::{base}), 1)]"),
            (_, "S") => match self.length {
                Some(length) => format!("right(({number})::text, {length})"),
                None => format!("({number})::text"),
            },
            (_, "U") if self.base.ends_with("citext") => format!("({number})::text"),
            _ => "NULL".to_owned(),
        };
        let one = if self.array { format!("ARRAY[{one}]") } else { one };
        if one == "NULL" { one } else { format!("({one})::{}", self.full) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::{new_database, servers};
    use lockkeeper::db::block_on;

    #[test]
    fn every_table_gets_rows_whatever_its_types_and_keys_are() {
        let schema = "
            CREATE TYPE state AS ENUM ('open', 'paid');
            CREATE DOMAIN price AS numeric(10, 2) CHECK (VALUE >= 0);
            CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(40) UNIQUE, tags text[], seen inet, born date);
            CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer bigint NOT NULL REFERENCES users,
                state state NOT NULL, kind text CHECK (kind IN ('web', 'shop')), total price NOT NULL, code char(3), at timestamptz,
                twice numeric GENERATED ALWAYS AS (id * 2) STORED, during tstzrange, body jsonb, ref uuid, small smallint, flags bit(4));
            CREATE TABLE counters (id serial);
            CREATE TABLE marks ();
            CREATE TABLE payments (id bigint, paid date NOT NULL, amount numeric(3, 2)) PARTITION BY RANGE (paid);
            CREATE TABLE payments_2025 PARTITION OF payments FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
            CREATE TABLE payments_2026 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');";
        for server in servers() {
            let left = async {
                let mut connection = Connection::open(&new_database(server).await).await?;
                connection.run(schema).await?;
                fill(&mut connection).await
            };
            let left = block_on(left).expect("an event queue").expect("the setup is fine");
            assert!(left.is_empty(), "{left:?}");
        }
    }
}
