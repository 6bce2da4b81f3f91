//! What statements that were broken off, or never brought to an end, have left in a database: asked of the catalog, changed nowhere.

use crate::db::{Connection, Refusal};
use crate::model::name::{Ident, QualifiedName};
use sqlx::Row;
use std::fmt;

/// What kind of thing was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// An index that no query uses: its build or its drop was broken off.
    InvalidIndex,
    /// An index that REINDEX CONCURRENTLY has built beside another one, or put out of use.
    ReindexCopy,
    /// An index of a partitioned table that lacks the index of a partition.
    IncompleteIndex,
    /// A partition between the two transactions of DETACH PARTITION CONCURRENTLY.
    DetachPending,
    /// A constraint of a table that holds for new rows only.
    NotValidConstraint,
    /// A constraint of a domain that holds for new values only.
    NotValidDomain,
    /// A trigger that does not fire.
    DisabledTrigger,
    /// A foreign key whose triggers do not fire, so that nothing is checked.
    UncheckedForeignKey,
}

impl LeftoverKind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::InvalidIndex => "invalid index",
            Self::ReindexCopy => "leftover of REINDEX CONCURRENTLY,",
            Self::IncompleteIndex => "incomplete partitioned index",
            Self::DetachPending => "half detached partition",
            Self::NotValidConstraint | Self::NotValidDomain => "constraint NOT VALID",
            Self::DisabledTrigger => "disabled trigger",
            Self::UncheckedForeignKey => "unchecked foreign key",
        }
    }
}

/// One thing that was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// The index, constraint, trigger or partition. The schema of a constraint or trigger is that of what it belongs to.
    pub name: QualifiedName,
    /// What it belongs to: a table, the parent of a partition, a domain.
    pub of: QualifiedName,
    /// The statement that removes it or brings it to an end, to be run outside of transactions; `None` where somebody has to choose.
    /// Whether a session is still at work on it was not looked at.
    pub remedy: Option<String>,
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` of `{}`", self.kind.words(), self.name.name.sql(), self.of.sql())
    }
}

/// All leftovers of the database, by kind and name. System schemas and temporary tables are left out.
///
/// # Errors
/// What the server says.
pub async fn leftovers(connection: &mut Connection) -> Result<Vec<Leftover>, Refusal> {
    let mut found = Vec::new();
    for (kind, what, condition) in QUERIES {
        for row in connection.rows(&format!("{what} {condition}")).await? {
            let name = qualified(row.try_get(0)?, row.try_get(1)?);
            let of = qualified(row.try_get(2)?, row.try_get(3)?);
            found.push(Leftover { kind, remedy: remedy(kind, &name, &of), name, of });
        }
    }
    found.sort_by(|a, b| (a.kind, &a.of, &a.name).cmp(&(b.kind, &b.of, &b.name)));
    Ok(found)
}

fn remedy(kind: LeftoverKind, name: &QualifiedName, of: &QualifiedName) -> Option<String> {
    let (own, of) = (name.name.sql(), of.sql());
    Some(match kind {
        LeftoverKind::InvalidIndex | LeftoverKind::ReindexCopy => format!("DROP INDEX CONCURRENTLY {}", name.sql()),
        LeftoverKind::DetachPending => format!("ALTER TABLE {of} DETACH PARTITION {} FINALIZE", name.sql()),
        LeftoverKind::NotValidConstraint => format!("ALTER TABLE {of} VALIDATE CONSTRAINT {own}"),
        LeftoverKind::NotValidDomain => format!("ALTER DOMAIN {of} VALIDATE CONSTRAINT {own}"),
        LeftoverKind::DisabledTrigger => format!("ALTER TABLE {of} ENABLE TRIGGER {own}"),
        // The index of each partition is missing or invalid by itself. ENABLE TRIGGER ALL would enable triggers of users as well.
        LeftoverKind::IncompleteIndex | LeftoverKind::UncheckedForeignKey => return None,
    })
}

fn qualified(schema: String, name: String) -> QualifiedName {
    QualifiedName { schema: Ident::quoted(&schema), name: Ident::quoted(&name) }
}

const QUERIES: [(LeftoverKind, &str, &str); 8] = [
    (LeftoverKind::InvalidIndex, INDEX, "AND x.relkind = 'i' AND x.relname !~ '_cc(new|old)[0-9]*$'"),
    (LeftoverKind::ReindexCopy, INDEX, "AND x.relkind = 'i' AND x.relname ~ '_cc(new|old)[0-9]*$'"),
    (LeftoverKind::IncompleteIndex, INDEX, "AND x.relkind = 'I'"),
    (LeftoverKind::DetachPending, PARTITION, ""),
    (LeftoverKind::NotValidConstraint, CONSTRAINT, ""),
    (LeftoverKind::NotValidDomain, DOMAIN, ""),
    (LeftoverKind::DisabledTrigger, TRIGGER, ""),
    (LeftoverKind::UncheckedForeignKey, FOREIGN_KEY, ""),
];

const INDEX: &str = "
    SELECT n.nspname::text, x.relname::text, s.nspname::text, t.relname::text
    FROM pg_catalog.pg_index i
         JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
         JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
    WHERE NOT i.indisvalid AND t.relpersistence <> 't'";

/// The column is there from 14 on, as is CONCURRENTLY.
const PARTITION: &str = "
    SELECT n.nspname::text, p.relname::text, s.nspname::text, t.relname::text
    FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
         JOIN pg_catalog.pg_class t ON t.oid = i.inhparent JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
    WHERE pg_catalog.to_jsonb(i) ->> 'inhdetachpending' = 'true'";

/// Those that a table has from its parent are validated with the parent's. NOT ENFORCED (18) is nothing that was forgotten.
const CONSTRAINT: &str = "
    SELECT s.nspname::text, c.conname::text, s.nspname::text, t.relname::text
    FROM pg_catalog.pg_constraint c
         JOIN pg_catalog.pg_class t ON t.oid = c.conrelid JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
    WHERE NOT c.convalidated AND (c.conislocal OR c.coninhcount = 0) AND c.conparentid = 0 AND t.relpersistence <> 't'
      AND (pg_catalog.to_jsonb(c) ->> 'conenforced') IS DISTINCT FROM 'false'";

const DOMAIN: &str = "
    SELECT s.nspname::text, c.conname::text, s.nspname::text, t.typname::text
    FROM pg_catalog.pg_constraint c
         JOIN pg_catalog.pg_type t ON t.oid = c.contypid JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
    WHERE NOT c.convalidated";

const TRIGGER: &str = "
    SELECT s.nspname::text, g.tgname::text, s.nspname::text, t.relname::text
    FROM pg_catalog.pg_trigger g
         JOIN pg_catalog.pg_class t ON t.oid = g.tgrelid JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
    WHERE g.tgenabled = 'D' AND NOT g.tgisinternal AND t.relpersistence <> 't'";

/// Its triggers are on both of its tables; it is told of each table on which one is disabled.
const FOREIGN_KEY: &str = "
    SELECT DISTINCT s.nspname::text, c.conname::text, s.nspname::text, t.relname::text
    FROM pg_catalog.pg_trigger g
         JOIN pg_catalog.pg_constraint c ON c.oid = g.tgconstraint AND c.contype = 'f'
         JOIN pg_catalog.pg_class t ON t.oid = g.tgrelid JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
    WHERE g.tgenabled = 'D' AND g.tgisinternal AND t.relpersistence <> 't'";
