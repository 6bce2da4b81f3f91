//! A new column beside an old one: the ground that the recipes with two columns stand on.
//!
//! Two ends are built on it. A rename keeps the old column, since both hold the same: when nothing knows the old name any more, the copy goes
//! and the old column takes its name, with everything that hangs on it (see `recipe::rename_column`). A change of type needs the new column
//! itself: it gets all that the old one has, and the two change their names ([`swap`]).

mod constraint;
pub mod index;
pub mod reader;
pub mod retype;
pub mod swap;
pub mod sync;
pub mod trigger;
mod turnover;
mod value;

use super::definition::{Definitions, Gap};
use super::{Ask, Refusal};
use crate::model::catalog::{Catalog, Column, Grant, Lookup, Relation};
use crate::model::name::{Ident, LONGEST_IDENT, Name};
use crate::model::operation::ObjectKind;
use crate::model::types::{self, TypeName, UserType};

/// Of two that wait for each other, after a second (`deadlock_timeout`) PostgreSQL stops either. Where a phase locks two tables, which code
/// locks in any order, it gives up before that and can be run again.
pub const GIVE_WAY: &str = "SET LOCAL lock_timeout = '500ms'";

/// What the first use of a prepared statement says behind a change of a table's columns.
pub const PREPARED: &str = "It waits for a moment. The first run of a prepared SELECT * fails with \"cached plan must not change result \
                            type\": name the columns, or let the pool open new connections.";

/// A column that exists and the one that a plan puts beside it.
#[derive(Clone, Debug)]
pub struct Twin<'a> {
    /// The table, as the statement writes it.
    pub name: &'a Name,
    /// The table.
    pub table: &'a Relation,
    /// All tables that hold its rows: itself and its partitions or children, parents first.
    pub family: Vec<&'a Relation>,
    /// The column that is there.
    pub old: &'a Column,
    /// The name of the other one.
    pub new: Ident,
    before: &'a Catalog,
}

impl<'a> Twin<'a> {
    /// For a column of the table that a statement names.
    ///
    /// # Errors
    /// The table or the column is not known, or no trigger can keep the two equal.
    pub fn new(ask: &Ask<'a>, name: &'a Name, old: &Ident, new: &Ident) -> Result<Self, Refusal> {
        let table = ask.table(name)?;
        let column = ask.column(table, old)?;
        let family: Vec<_> =
            std::iter::once(&table.name).chain(&ask.before.descendants(&table.name)).filter_map(|member| ask.before.get(member)).collect();
        let twin = Self { name, table, family, old: column, new: new.clone(), before: ask.before };
        twin.refusal(ask).map_or(Ok(twin), Err)
    }

    fn refusal(&self, ask: &Ask<'_>) -> Option<Refusal> {
        let (table, old) = (self.sql(), self.old.name.sql());
        let window = |reason: String| Some(Refusal::Window(reason));
        if self.table.kind != ObjectKind::Table {
            return window(format!("`{table}` is no table of this database: no trigger can keep a second column of it equal"));
        }
        if let Some(parent) = self.table.partition_of.as_ref().map(|(parent, _)| parent).or(self.table.inherits.first()) {
            return window(format!("`{table}` has its columns from `{parent}`: change them there"));
        }
        if let Some(of_type) = &self.table.of_type {
            return window(format!("`{table}` has its columns from the type `{of_type}`, and takes no others"));
        }
        let in_key = |relation: &&Relation| {
            let key = relation.partition_by.as_ref();
            key.is_some_and(|key| key.columns.iter().any(|part| part.as_ref().is_none_or(|part| *part == self.old.name)))
        };
        if self.family.iter().any(in_key) {
            return window(format!(
                "`{old}` decides in which partition of `{table}` a row lies: a trigger comes too late to tell, so it takes a new table"
            ));
        }
        if self.is_partitioned() && ask.server.0 < 13 {
            return window(format!(
                "`{table}` is partitioned, and before PostgreSQL 13 such a table has no triggers that could set a column"
            ));
        }
        self.table.column(&self.new).map(|_| Refusal::Unknown(format!("`{table}` has a column `{}` already", self.new.sql())))
    }

    /// The table, as SQL.
    pub fn sql(&self) -> String {
        self.name.sql()
    }

    /// Whether it is a partitioned table.
    pub fn is_partitioned(&self) -> bool {
        self.table.partition_by.is_some()
    }

    /// Definitions in which the new column stands for the old one, on every table of the family.
    pub fn definitions(&self) -> Definitions<'a> {
        let plain = Definitions::new(self.before).written(&self.table.name, self.name);
        self.family.iter().fold(plain, |definitions, member| definitions.renaming(&member.name, &self.old.name, &self.new))
    }

    /// Definitions as they are.
    pub fn as_they_are(&self) -> Definitions<'a> {
        Definitions::new(self.before).written(&self.table.name, self.name)
    }

    /// The type below all domains, with COLLATE: a domain's default and conditions would get in the way of a column that is filled later.
    ///
    /// # Errors
    /// It is not known.
    pub fn plain_type(&self, ask: &Ask<'a>) -> Result<String, Gap> {
        let unknown = || Gap::new("the history does not tell its type");
        let data_type = self.old.data_type.as_ref().ok_or_else(unknown)?;
        match ask.before.user_type(&data_type.name) {
            Lookup::Known(UserType::Domain { .. }) if data_type.dimensions == 0 => {
                let base = types::base_of(data_type, ask.before).ok_or_else(unknown)?;
                self.as_they_are().type_name(base)
            }
            Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => self.as_they_are().data_type(self.old),
        }
    }

    /// The rights on the old column for the new one. Those on the table hold for it anyway.
    pub fn grants(&self) -> Vec<String> {
        let (table, new) = (self.sql(), self.new.sql());
        let grant = |grant: &Grant| {
            let to = if grant.grantee == "public" { "PUBLIC".to_owned() } else { grant.grantee.sql() };
            let option = if grant.option { " WITH GRANT OPTION" } else { "" };
            format!("GRANT {} ({new}) ON {table} TO {to}{option}", grant.privilege.to_uppercase())
        };
        self.old.details().grants.iter().map(grant).collect()
    }

    /// The tables that need triggers of their own: those of a partitioned table reach its partitions, those of a parent do not reach its
    /// children.
    pub fn triggered(&self) -> Vec<&'a Relation> {
        if self.is_partitioned() { vec![self.table] } else { self.family.clone() }
    }

    /// The two columns of a row hold different values, as a condition.
    pub fn differ(&self) -> String {
        differ(&self.exactness(), &self.new.sql(), &self.old.name.sql())
    }

    /// How values of the old column are compared.
    pub fn exactness(&self) -> Compared {
        let collated = self.old.collation.is_some();
        self.old.data_type.as_ref().map_or(Compared::ByBytes, |data_type| exactness(data_type, collated, self.before))
    }

    /// A name for another column: that of the old one with an ending.
    pub fn free_name(table: &Relation, catalog: &Catalog, column: &Ident, ending: &str) -> Ident {
        let below = catalog.descendants(&table.name);
        let is_taken = |name: &Ident| {
            table.column(name).is_some() || below.iter().filter_map(|below| catalog.get(below)).any(|below| below.column(name).is_some())
        };
        (0..u32::MAX)
            .map(|number| {
                let ending = if number == 0 { ending.to_owned() } else { format!("{ending}{number}") };
                let stem = column.as_str();
                Ident::quoted(&format!("{}{ending}", &stem[..stem.floor_char_boundary(LONGEST_IDENT - ending.len())]))
            })
            .find(|name| !is_taken(name))
            .unwrap_or_else(|| column.clone())
    }
}

/// How values of a type are compared.
pub fn exactness(data_type: &TypeName, collated: bool, catalog: &Catalog) -> Compared {
    let plain = |name: &str| EXACT.binary_search(&name).is_ok();
    let base = types::base_of(data_type, catalog);
    let is_enum = |base: &TypeName| matches!(catalog.user_type(&base.name), Lookup::Known(UserType::Enum(_)));
    let exact = base.is_some_and(|base| base.dimensions == 0 && (base.built_in().is_some_and(plain) || is_enum(base)));
    if exact && !collated { Compared::ByEquality } else { Compared::ByBytes }
}

/// How two values are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// By `=` of their type, which takes no two values for one.
    ByEquality,
    /// By what is stored: the type has no `=`, or one that takes 1.0 for 1.00 or 'a' for 'A'.
    ByBytes,
}

/// Whether two values differ, nulls like any other value, as a condition.
pub fn differ(compared: &Compared, left: &str, right: &str) -> String {
    match compared {
        Compared::ByEquality => format!("{left} IS DISTINCT FROM {right}"),
        Compared::ByBytes => format!("ROW({left})::record *<> ROW({right})::record"),
    }
}

/// Types whose `=` tells all values apart. Sorted.
const EXACT: &[&str] = &[
    "bigint",
    "boolean",
    "bytea",
    "character varying",
    "cidr",
    "date",
    "inet",
    "integer",
    "macaddr",
    "macaddr8",
    "oid",
    "smallint",
    "text",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "uuid",
];
