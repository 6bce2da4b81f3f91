//! How large tables are: from the config, or from a live server by `lockkeeper stats`; and how long work on them takes.

use super::catalog::Catalog;
use super::effects::Effects;
use super::name::QualifiedName;
use std::collections::{BTreeMap, HashMap};

/// A table with more than this on disk is not small, however few its rows are: some hold documents.
const SMALL_BYTES: u64 = 64 << 20;

/// What is known of the sizes of tables. What is not known is large.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Tables that the project calls small.
    pub small: Vec<QualifiedName>,
    /// A table of fewer rows is small.
    pub small_rows: u64,
    /// What a server tells, by table; for a partitioned table the sum of its partitions.
    pub tables: HashMap<QualifiedName, TableSize>,
    /// How fast the server works.
    pub speed: Speed,
}

/// The size of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableSize {
    /// How many rows it has, as the server estimates it; `None` if it was never analysed.
    pub rows: Option<u64>,
    /// What it has on disk, TOAST included, its indexes not.
    pub bytes: u64,
    /// INSERTs, UPDATEs and DELETEs a second, on an average since the server's statistics began.
    pub writes_per_second: Option<f64>,
    /// Its indexes with their bytes.
    pub indexes: BTreeMap<String, u64>,
}

/// How many bytes a second a server moves while it changes a table: an assumption, as disks and loads differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed {
    /// Reading a table from its beginning to its end.
    pub reads: u64,
    /// Writing a table or an index anew, with its log.
    pub writes: u64,
}

/// How long the work of a statement takes, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Rounded up.
    pub seconds: u64,
    /// Bytes of the tables that are read.
    pub reads: u64,
    /// Bytes of the tables and indexes that are written.
    pub writes: u64,
    /// What was assumed of the server.
    pub speed: Speed,
}

impl Default for Speed {
    /// What the smaller volumes of cloud providers give: 100 MB a second to read, 50 MB to write.
    fn default() -> Self {
        Self { reads: 100_000_000, writes: 50_000_000 }
    }
}

impl Default for Sizes {
    fn default() -> Self {
        Self { small: Vec::new(), small_rows: 10_000, tables: HashMap::new(), speed: Speed::default() }
    }
}

impl Sizes {
    /// Whether work on all rows of a table takes no time worth a word.
    pub fn is_small(&self, table: &QualifiedName) -> bool {
        let few = |size: &TableSize| size.rows.is_some_and(|rows| rows < self.small_rows) && size.bytes < SMALL_BYTES;
        self.small.contains(table) || self.tables.get(table).is_some_and(few)
    }

    /// How long a statement reads and writes. `None` if the size of anything that it works on is not known, or if a number of rows that
    /// nothing bounds is changed.
    pub fn estimate(&self, effects: &Effects, catalog: &Catalog) -> Option<Estimate> {
        if effects.unbounded || effects.opaque || self.tables.is_empty() {
            return None;
        }
        let (mut reads, mut writes) = (0, 0);
        for table in leaves(effects.scans.iter().chain(&effects.rewrites).collect(), catalog) {
            reads += self.tables.get(table)?.bytes;
        }
        for table in leaves(effects.rewrites.iter().collect(), catalog) {
            writes += self.tables.get(table)?.bytes;
        }
        for index in &effects.rebuilds {
            writes += self.index_bytes(index, catalog)?;
        }
        if !effects.builds.is_empty() {
            // Nobody knows the size of an index before it is there: as large as the largest of its table, else a fifth of the table.
            let of_table = |table: &QualifiedName| {
                let size = self.tables.get(table)?;
                Some(size.indexes.values().max().copied().unwrap_or(size.bytes / 5))
            };
            let tables = leaves(effects.scans.iter().collect(), catalog);
            writes += tables.into_iter().map(of_table).sum::<Option<u64>>()?;
        }
        let speed = self.speed;
        let seconds = (reads.div_ceil(speed.reads.max(1))) + writes.div_ceil(speed.writes.max(1));
        (reads + writes > 0).then_some(Estimate { seconds, reads, writes, speed })
    }

    fn index_bytes(&self, index: &QualifiedName, catalog: &Catalog) -> Option<u64> {
        let table = &catalog.get(index)?.index.as_ref()?.table;
        self.tables.get(table)?.indexes.get(index.name.as_str()).copied()
    }
}

/// The relations, each once, without those whose partitions are among them: they have no rows of their own.
fn leaves<'a>(mut relations: Vec<&'a QualifiedName>, catalog: &Catalog) -> Vec<&'a QualifiedName> {
    relations.sort();
    relations.dedup();
    let all = relations.clone();
    relations.retain(|relation| !catalog.descendants(relation).iter().any(|child| all.contains(&child)));
    relations
}
