//! Migrations of a made-up shop, the same at every run: what the benchmarks read.

use std::fmt::Write;

/// What the shop keeps; each table is one of these with a number.
const THINGS: &[&str] = &["orders", "payments", "drafts", "users", "carts", "refunds", "invoices", "parcels", "reviews", "vouchers"];

/// Columns that tables begin with or get later.
const COLUMNS: &[(&str, &str)] = &[
    ("note", "text"),
    ("buyer", "bigint"),
    ("total", "numeric(10, 2)"),
    ("placed", "timestamptz"),
    ("state", "varchar(20)"),
    ("paid", "boolean"),
    ("tags", "text[]"),
    ("address", "jsonb"),
    ("weight", "double precision"),
    ("token", "uuid"),
];

/// Numbers that look random and are always the same (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }
}

/// A history of that many files, each with its name. The first files of a longer history are those of a shorter one.
pub fn history(files: usize) -> impl Iterator<Item = (String, String)> {
    let mut shop = Shop { dice: Dice(42), tables: Vec::new() };
    (1..=files).map(move |number| {
        let mut sql = format!("-- Migration {number} of the shop.\n\n");
        for _ in 0..=shop.dice.roll(5) {
            shop.statement(&mut sql);
        }
        (format!("{number:06}_shop.sql"), sql)
    })
}

/// One file of that many statements that define and alter tables.
pub fn definitions(statements: usize) -> String {
    let mut shop = Shop { dice: Dice(42), tables: Vec::new() };
    let mut sql = String::new();
    (0..statements).for_each(|_| shop.statement(&mut sql));
    sql
}

/// One file of about that many bytes: INSERTs with many rows.
pub fn inserts(bytes: usize) -> String {
    let mut dice = Dice(42);
    let mut sql = String::with_capacity(bytes + 1000);
    sql.push_str("CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(10, 2), placed timestamptz);\n");
    let mut id = 0;
    while sql.len() < bytes {
        sql.push_str("INSERT INTO orders (id, note, total, placed) VALUES\n");
        for row in 0..500 {
            id += 1;
            let (note, cents) = (dice.roll(1_000_000), dice.roll(100_000));
            let end = if row == 499 { ";\n" } else { ",\n" };
            write!(sql, "    ({id}, 'it''s parcel {note}; leave it', {cents}.99, '2024-01-{:02} 10:00:00+00'){end}", 1 + id % 28)
                .expect("strings take all");
        }
    }
    sql
}

struct Shop {
    dice: Dice,
    /// Each with the number of columns that it got later.
    tables: Vec<(String, usize)>,
}

impl Shop {
    fn statement(&mut self, sql: &mut String) {
        let kind = if self.tables.is_empty() { 0 } else { self.dice.roll(20) };
        if kind < 4 {
            return self.create(sql);
        }
        let at = self.dice.roll(self.tables.len());
        let (column, data_type) = self.dice.pick(COLUMNS);
        let other = self.dice.pick(&self.tables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()[..]).to_owned();
        let (table, columns) = &mut self.tables[at];
        let written = match kind {
            4..=7 => {
                *columns += 1;
                let default = if self.dice.roll(2) == 0 { "" } else { " DEFAULT NULL" };
                write!(sql, "ALTER TABLE {table} ADD COLUMN {column}_{columns} {data_type}{default};\n\n")
            }
            8 => {
                write!(sql, "ALTER TABLE \"{table}\"\n    ALTER COLUMN note SET NOT NULL,\n    ALTER COLUMN total TYPE numeric(14, 2);\n\n")
            }
            9 => write!(
                sql,
                "ALTER TABLE {table} ADD CONSTRAINT {table}_buyer_fk FOREIGN KEY (buyer) REFERENCES {other} (id) NOT VALID;\n\n"
            ),
            10 => write!(sql, "ALTER TABLE {table} ADD CONSTRAINT {table}_total CHECK (total >= 0 AND total < 1000000);\n\n"),
            11 | 12 => write!(sql, "CREATE INDEX IF NOT EXISTS {table}_placed ON {table} (placed DESC, lower(note)) WHERE total > 0;\n\n"),
            13 => write!(sql, "CREATE INDEX CONCURRENTLY {table}_buyer ON {table} USING btree (buyer);\n\n"),
            14 => write!(
                sql,
                "UPDATE {table} SET note = coalesce(note, 'none') WHERE note IS NULL AND placed < now() - interval '30 days';\n\n"
            ),
            15 => write!(
                sql,
                "INSERT INTO {table} (id, note, total)\nSELECT id, note, total * 1.1 FROM {other} WHERE placed IS NOT NULL\nON CONFLICT (id) DO NOTHING;\n\n"
            ),
            16 => write!(
                sql,
                "CREATE OR REPLACE FUNCTION touch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    NEW.placed := now();\n    RETURN NEW;\nEND;\n$$;\n\n"
            ),
            17 => write!(sql, "COMMENT ON TABLE {table} IS 'What the shop''s buyers see; kept for 10 years';\n\n"),
            18 => write!(sql, "SET lock_timeout = '2s';\n\n"),
            _ => write!(sql, "-- No one reads it any more; see {other}.\nDROP INDEX CONCURRENTLY IF EXISTS {table}_placed;\n\n"),
        };
        written.expect("strings take all");
    }

    fn create(&mut self, sql: &mut String) {
        let name = format!("{}_{}", self.dice.pick(THINGS), self.tables.len());
        let buyer = match self.tables.last() {
            Some((last, _)) => format!("bigint REFERENCES {last} (id) ON DELETE CASCADE"),
            None => "bigint".to_owned(),
        };
        write!(
            sql,
            "CREATE TABLE {name} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    buyer {buyer},\n    note text,\n    \
             total numeric(10, 2) DEFAULT 0 NOT NULL CHECK (total >= 0),\n    placed timestamptz DEFAULT now(),\n    \
             state varchar(20) NOT NULL DEFAULT 'new', -- new, paid, sent\n    UNIQUE (buyer, placed)\n);\n\n"
        )
        .expect("strings take all");
        self.tables.push((name, 0));
    }
}
