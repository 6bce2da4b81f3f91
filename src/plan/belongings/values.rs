//! What a column's values are: where they come from, whether there has to be one, who may read them, and how they are kept.

use super::{Carried, Carrier, Fate, Step, What};
use crate::model::catalog::{Column, Constraint, Grant};
use crate::model::name::Ident;
use crate::model::operation::ConstraintKind;
use crate::plan::definition::{Gap, generated_as_identity};

impl Carrier<'_> {
    pub(super) fn values(&mut self) {
        self.prevented();
        self.settings();
        self.comment();
        self.grants();
        self.not_null();
        self.numbers();
        self.computed();
    }

    /// What no copy of a column can take over.
    fn prevented(&mut self) {
        let (table, from) = (self.to.table, self.to.from);
        let name = from.sql();
        if table.partition_by.as_ref().is_some_and(|key| key.columns.iter().any(|part| part.as_ref() == Some(from))) {
            let reason = format!("{name} is part of the partition key, and no other column can take its place there");
            self.push(What::PartitionKey, "partition key", Fate::Prevents(reason));
        } else if table.partition_by.as_ref().is_some_and(|key| key.columns.contains(&None)) {
            let reason = format!("an expression of the partition key may read {name}, and no other column can take its place there");
            self.push(What::PartitionKey, "partition key", Fate::Prevents(reason));
        }
        let parents = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
        if let Some(parent) =
            parents.into_iter().find(|parent| self.to.catalog.get(parent).is_none_or(|parent| parent.column(from).is_some()))
        {
            let parent = self.definitions.table(parent);
            self.push(
                What::Inheritance,
                format!("parent {parent}"),
                Fate::Prevents(format!("{name} comes from {parent}; make the plan for that table")),
            );
        }
        if let Some(of_type) = &table.of_type {
            self.push(What::Inheritance, format!("type {of_type}"), Fate::Prevents(format!("{name} comes from the type {of_type}")));
        }
    }

    fn alter(&self, what: &str) -> String {
        format!("ALTER TABLE {} ALTER COLUMN {} {what}", self.table(), self.to.to.sql())
    }

    fn settings(&mut self) {
        let details = self.column.details();
        let options = details.options.iter().map(|(name, value)| match value {
            Some(value) => format!("{name} = {value}"),
            None => name.to_string(),
        });
        let options = options.collect::<Vec<_>>().join(", ");
        let settings = [
            details.storage.as_ref().map(|storage| format!("SET STORAGE {}", storage.to_uppercase())),
            details.compression.as_ref().map(|method| format!("SET COMPRESSION {method}")),
            details.statistics.as_ref().map(|target| format!("SET STATISTICS {target}")),
            (!options.is_empty()).then(|| format!("SET ({options})")),
        ];
        for setting in settings.into_iter().flatten() {
            let carried = Carried::with(vec![self.alter(&setting)]);
            self.push(What::Setting, setting, Fate::Carried(carried));
        }
    }

    fn comment(&mut self) {
        let Some(text) = self.column.details().comment.as_deref() else { return };
        let carried =
            literal(text).map(|text| Carried::with(vec![format!("COMMENT ON COLUMN {}.{} IS {text}", self.table(), self.to.to.sql())]));
        self.carry(What::Comment, "comment", carried);
    }

    fn grants(&mut self) {
        for Grant { privilege, grantee, option } in &self.column.details().grants {
            let option = if *option { " WITH GRANT OPTION" } else { "" };
            let privilege = privilege.to_uppercase();
            let sql = format!("GRANT {privilege} ({}) ON {} TO {}{option}", self.to.to.sql(), self.table(), role(grantee));
            self.push(What::Grant, format!("{privilege} for {}", role(grantee)), Fate::Carried(Carried::with(vec![sql])));
        }
    }

    /// A check that has been validated spares SET NOT NULL its own look at the rows. From 18 on NOT NULL itself is a constraint that can be
    /// validated.
    fn not_null(&mut self) {
        if !self.column.not_null {
            return;
        }
        let (table, to, name) = (self.table(), self.to.to.sql(), self.to.table.name.clone());
        let stem = format!("{}_{}", name.name, self.to.to);
        let constraint = self.names.free(&name.schema, &stem, "_not_null");
        let drop = vec![format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {}", constraint.sql())];
        let demand = if self.to.server.0 >= 18 { format!("NOT NULL {to}") } else { format!("CHECK ({to} IS NOT NULL)") };
        let add = format!("ALTER TABLE {table} ADD CONSTRAINT {} {demand} NOT VALID", constraint.sql());
        let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", constraint.sql());
        let mut carried = Carried {
            build: vec![
                Step::new(format!("require {}", self.to.to), add, drop.clone()),
                Step::new(format!("validate {constraint}"), validate, Vec::new()),
            ],
            ..Carried::default()
        };
        if self.to.server.0 >= 18 {
            // RENAME COLUMN leaves the constraint the name that it has from the old column.
            let is_it = |known: &&Constraint| matches!(&known.kind, ConstraintKind::NotNull { column } if column == self.to.from);
            let known = self.to.table.constraints.iter().find(is_it).map(|known| known.name.to_string());
            let usual = known.unwrap_or_else(|| format!("{}_{}_not_null", name.name, self.to.from));
            if usual.len() <= crate::model::name::LONGEST_IDENT && usual != constraint.as_str() {
                let usual = Ident::quoted(&usual).sql();
                carried.after_drop.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {usual}", constraint.sql()));
            }
        } else {
            let mut step = Step::new(format!("set {} not null", self.to.to), self.alter("SET NOT NULL"), vec![self.alter("DROP NOT NULL")]);
            step.sql.push(format!("ALTER TABLE {table} DROP CONSTRAINT {}", constraint.sql()));
            carried.build.push(step);
        }
        self.push(What::NotNull, "NOT NULL", Fate::Carried(carried));
    }

    /// Identity, a sequence of its own, a default. None of them is put on the new column before the old one goes: it would hide which of the
    /// two an INSERT has given.
    fn numbers(&mut self) {
        let catalog = self.to.catalog;
        let sequence = catalog.owned_sequence(self.to.table, self.to.from);
        if let Some(identity) = self.column.identity {
            let Some(sequence) = sequence else {
                let reason = "the history does not tell the sequence behind it".to_owned();
                return self.push(What::Identity, "identity", Fate::Manual(reason));
            };
            let schema = &sequence.name.schema;
            let copy = self.names.copy_of(schema, &sequence.name.name, self.to.from, self.to.to);
            let copied = self.beside(&self.to.table.name, &copy);
            let told = sequence.details().sequence.sql();
            let options = if told.is_empty() { format!("SEQUENCE NAME {copied}") } else { format!("SEQUENCE NAME {copied} {told}") };
            let old = self.beside(&self.to.table.name, &sequence.name.name);
            let literal = copied.replace('\'', "''");
            let carried = Carried {
                before_drop: vec![
                    self.alter(&format!("ADD {} ({options})", generated_as_identity(identity))),
                    format!("SELECT setval('{literal}', last_value, is_called) FROM {old}"),
                ],
                after_drop: vec![format!("ALTER SEQUENCE {copied} RENAME TO {}", sequence.name.name.sql())],
                ..Carried::default()
            };
            return self.push(What::Identity, "identity", Fate::Carried(carried));
        }
        if let Some(sequence) = sequence {
            let owned = self.definitions.table(&sequence.name);
            let owner = format!("ALTER SEQUENCE {owned} OWNED BY {}.{}", self.table(), self.to.to.sql());
            self.push(What::Sequence, format!("sequence {owned}"), Fate::Carried(Carried::before(vec![owner])));
        }
        match self.definitions.default(self.to.table, self.column) {
            Ok(None) => {}
            Ok(Some(default)) => {
                let carried = Carried::before(vec![self.alter(&format!("SET DEFAULT {default}"))]);
                self.push(What::Default, "default", Fate::Carried(carried));
            }
            Err(gap) => self.push(What::Default, "default", Fate::Manual(gap.reason().to_owned())),
        }
    }

    fn computed(&mut self) {
        let name = self.to.from.sql();
        if self.column.generated.is_some() {
            let reason = format!("{name} is computed from other columns: one that is computed as well is added by writing the table anew");
            self.push(What::Generated, "expression", Fate::Prevents(reason));
        }
        let table = self.to.table;
        let reads = |other: &&Column| other.generated.as_ref().is_some_and(|generated| generated.expression.columns.contains(self.to.from));
        for other in table.columns.iter().filter(reads) {
            let Some(generated) = &other.generated else { continue };
            let thing = format!("column {}", other.name.sql());
            if generated.stored {
                let reason =
                    format!("{} is computed from it, and gets another expression only by writing the table anew", other.name.sql());
                self.push(What::ComputedFrom, thing, Fate::Prevents(reason));
                continue;
            }
            let carried = self.definitions.expression(table, &generated.expression).map(|expression| {
                let set = format!("ALTER TABLE {} ALTER COLUMN {} SET EXPRESSION AS ({expression})", self.table(), other.name.sql());
                Carried::before(vec![set])
            });
            self.carry(What::ComputedFrom, thing, carried);
        }
    }
}

/// The literal of a comment, which psql may put in.
pub(super) fn literal(text: &str) -> Result<&str, Gap> {
    match text.starts_with(':') {
        true => Err(Gap::new("its text is not known before psql has put it in")),
        false => Ok(text),
    }
}

/// A role; the words that mean one are no names.
pub(super) fn role(name: &Ident) -> String {
    match name.as_str() {
        word @ ("public" | "current_user" | "current_role" | "session_user") => word.to_uppercase(),
        _ => name.sql(),
    }
}
