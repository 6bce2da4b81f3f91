//! The five classic changes on tables with awkward names and shapes: each passes every proof, or is refused with its reason.

mod moves;
mod order;
mod shapes;

use super::ends::File;
use super::journey::Journey;
use super::phases::{declared, steps};
use super::table::{Table, Tally};
use crate::servers::oldest_and_newest;
use lockkeeper::config::Config;
use lockkeeper::db::block_on;
use lockkeeper::db::server::Server;
use lockkeeper::discover::{Discovered, Role, in_memory};
use lockkeeper::lint::Settings;
use lockkeeper::lint::planner::{FilePlan, Piece, plan_file};
use lockkeeper::model::session::{Timeout, TransactionMode};
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;
use shapes::{SHAPES, Shape};
use std::collections::BTreeMap;
use std::sync::Mutex;

static TABLE: Table = Table { title: "awkward tables", without: "refused", sums: Mutex::new(BTreeMap::new()) };

/// Backfills take many batches then.
const MANY_ROWS: u32 = 100_000;

/// More than two batches: enough to go there and back again.
const ROWS: u32 = 2500;

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    RenameColumn,
    Retype,
    NotNull,
    ForeignKey,
    UniqueIndex,
}

impl Change {
    /// The naive statement.
    fn sql(self, shape: &Shape) -> String {
        let Shape { table, column, renamed, parent, key, index, .. } = shape;
        match self {
            Self::RenameColumn => format!("ALTER TABLE {table} RENAME COLUMN {column} TO {renamed};"),
            Self::Retype => format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint;"),
            Self::NotNull => format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"),
            Self::ForeignKey => format!("ALTER TABLE {table} ADD CONSTRAINT {key} FOREIGN KEY ({column}) REFERENCES {parent};"),
            Self::UniqueIndex => format!("CREATE {}INDEX {index} ON {table} ({column});", if shape.partitioned { "" } else { "UNIQUE " }),
        }
    }

    fn hold_on_all_shapes(self) {
        let rules = RuleSet::embedded();
        let mut complaints = Vec::new();
        for server in oldest_and_newest() {
            let mut tally = Tally::default();
            for shape in SHAPES {
                Case { change: self, shape, server, rules: &rules }.hold(&mut tally);
            }
            complaints.append(&mut tally.complaints);
            TABLE.add(&server.installation().release, &mut tally, 5);
        }
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    }
}

#[test]
fn a_column_is_renamed() {
    Change::RenameColumn.hold_on_all_shapes();
}

#[test]
fn a_type_is_changed() {
    Change::Retype.hold_on_all_shapes();
}

#[test]
fn a_column_becomes_not_null() {
    Change::NotNull.hold_on_all_shapes();
}

#[test]
fn a_foreign_key_is_added() {
    Change::ForeignKey.hold_on_all_shapes();
}

#[test]
fn a_unique_index_is_built() {
    Change::UniqueIndex.hold_on_all_shapes();
}

/// A change of a shape on a server.
struct Case<'a> {
    change: Change,
    shape: &'a Shape,
    server: &'a Server,
    rules: &'a RuleSet,
}

impl Case<'_> {
    fn hold(&self, tally: &mut Tally) {
        let who = format!("{:?}, {}, on {}", self.change, self.shape.name, self.server.installation().release);
        let naive = self.change.sql(self.shape);
        let planned = plan(self.server, self.rules, self.shape.tables, &naive);
        let refused =
            planned.pieces.iter().find_map(|piece| if let Piece::Refused { refusal, .. } = piece { Some(refusal.reason()) } else { None });
        let expected = self.shape.refused.iter().find(|(change, _)| *change == self.change).map(|(_, reason)| *reason);
        match (refused, expected) {
            (Some(reason), Some(expected)) if reason.contains(expected) => {
                tally.left_out.insert(format!("{:?}, {}: {reason}", self.change, self.shape.name));
                tally.count("refused with its reason", &who, Vec::new());
            }
            (refused, Some(expected)) => {
                tally.count("refused with its reason", &who, vec![format!("{refused:?}, not {expected:?}")]);
            }
            (Some(reason), None) => tally.count("planned", &who, vec![reason.to_owned()]),
            (None, None) => {
                self.prove(&who, &naive, &planned, tally);
            }
        }
    }

    fn prove(&self, who: &str, naive: &str, planned: &FilePlan, tally: &mut Tally) {
        let on = |rows: u32| journey(who, self.server, (self.shape.tables, &self.rows(rows)), naive, planned);
        on(ROWS).lints_clean(tally);
        let proofs = block_on(async {
            if self.shape.large {
                on(MANY_ROWS).same_end(0, tally).await?;
            }
            on(ROWS).prove(0, tally).await
        });
        proofs.expect("an event queue").unwrap_or_else(|refusal| panic!("{who}: {refusal}"));
    }

    /// The rows of the shape. Every tenth value is NULL, unless that is what the statement does not allow.
    fn rows(&self, rows: u32) -> String {
        let value = if self.change == Change::NotNull { "n" } else { "CASE WHEN n % 10 > 0 THEN n END" };
        self.shape.rows.replace("$VALUE", value).replace("$ROWS", &rows.to_string())
    }
}

/// The plan for statements, in the history of these tables.
fn plan(server: &Server, rules: &RuleSet, tables: &str, naive: &str) -> FilePlan {
    let mut config = Config::default();
    config.role.lock_timeout = Timeout::Unknown;
    let given = SourceFile::new("given.sql", tables);
    let subject = (SourceFile::new("0005_change.sql", naive), Role::Subject);
    let histories = vec![in_memory(Some(given), &[subject], &config)];
    let settings = Settings { rules, config: &config, server: server.installation().version };
    plan_file(Discovered { histories, ..Discovered::default() }, &settings)
}

/// From the tables with their rows to both ends.
fn journey<'s>(who: &str, server: &'s Server, (tables, rows): (&str, &str), naive: &str, planned: &FilePlan) -> Journey<'s> {
    let mode = planned.naive.migrations.first().map_or(TransactionMode::None, |migration| migration.transaction);
    Journey {
        who: who.to_owned(),
        server,
        before: vec![
            File { source: SourceFile::new("given.sql", tables), mode: TransactionMode::None },
            File { source: SourceFile::new("rows.sql", rows), mode: TransactionMode::None },
        ],
        naive: vec![File { source: SourceFile::new("0005_change.sql", naive), mode }],
        steps: steps(planned),
        declared: declared(&planned.pieces),
    }
}
