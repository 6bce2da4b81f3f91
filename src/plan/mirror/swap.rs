//! The other column takes the place of the old one: it gets all that the old one has, and in one short transaction the two change their
//! names. The old one stays for a while, with its indexes and fed by the trigger in the other direction, as the way back.

use super::index::Copies;
use super::reader::Reader;
use super::retype::Retype;
use super::sync::Sync;
use super::turnover::Turnover;
use super::{GIVE_WAY, PREPARED, Twin, constraint, differ, value};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::ReplicaIdentity;
use crate::plan::backfill::Backfill;
use crate::plan::definition::{list, qualified};
use crate::plan::names::Names;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// Phases, and what they leave undone.
#[derive(Debug)]
pub struct Swapped {
    /// In their order.
    pub phases: Vec<Phase>,
    /// What somebody has to do by hand.
    pub manual: Vec<Manual>,
    /// Where the end differs from that of the statement.
    pub differs: Vec<String>,
}

/// A column in the middle of it.
pub struct Swap<'a> {
    /// The two columns, by the names that they have before they are changed.
    pub twin: Twin<'a>,
    /// The name of the old column afterwards.
    pub aside: Ident,
    /// How a value follows from the other.
    pub retype: Retype,
    /// What is made of the column, and made again when the two have changed their names.
    pub readers: Vec<Reader>,
    /// The statement that the plan is for, and what it meets.
    pub ask: Ask<'a>,
}

impl<'a> Swap<'a> {
    /// All phases.
    ///
    /// # Errors
    /// Something hangs on the column that cannot be carried over while others work.
    pub fn phases(&self, names: &mut Names<'a>) -> Result<Swapped, Refusal> {
        let (twin, ask) = (&self.twin, &self.ask);
        let sync = Sync::one_way(twin, names, &self.retype.forward);
        let copies = Copies::of(twin, ask.before, names);
        if let Some((index, gap)) = copies.left.first() {
            return Err(Refusal::Window(format!("`{}` cannot be built while others write: {gap}", index.name.name.sql())));
        }
        let mut turnover = Turnover::default();
        let mut phases = self.fitting(names);
        phases.push(self.expand(&sync, names, &mut turnover)?);
        phases.push(self.fill()?);
        phases.extend(copies.phases.iter().cloned());
        let constraints = constraint::carry(self, names, &copies, &mut turnover)?;
        phases.extend(constraints.phases);
        let exact = constraint::rename_indexes(names, &copies, self.retype.exact_back, &mut turnover);
        let values = value::carry(self, names, &mut turnover);
        self.chosen_indexes(&mut turnover);
        phases.push(self.turn(&sync, &turnover, constraints.way_back.and(exact)));
        phases.push(self.contract(&sync, &turnover));
        Ok(Swapped { phases, manual: constraints.manual, differs: values })
    }

    /// Values that have no room in the new type are kept out first.
    fn fitting(&self, names: &mut Names<'_>) -> Vec<Phase> {
        let Some(fits) = &self.retype.fits else { return Vec::new() };
        let (table, old) = (self.twin.sql(), self.twin.old.name.sql());
        let name =
            names.free(&self.twin.table.name.schema, &format!("{}_{}", self.twin.table.name.name, self.twin.old.name), "_fits").sql();
        let to = &self.retype.data_type;
        let add = Phase::new(Stage::Expand, format!("keep {} small", self.twin.old.name))
            .why(format!("From now on nobody writes a value that has no room in {to}."))
            .meanwhile("A write of such a value fails.")
            .deploy(format!("code that writes only values of {table}.{old} that have room in {to}"))
            .run(format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({fits}) NOT VALID"))
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
        let validate = Phase::new(Stage::Migrate, format!("prove that {} fits", self.twin.old.name))
            .why("All rows that were there before are looked at. One that has no room stops it: change such rows first.")
            .meanwhile("Reads and writes go on.")
            .assert(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE NOT ({fits}))"))
            .run(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"));
        vec![add, validate]
    }

    fn expand(&self, sync: &Sync, names: &mut Names<'_>, turnover: &mut Turnover) -> Result<Phase, Refusal> {
        let (table, old, new) = (self.twin.sql(), self.twin.old.name.sql(), self.twin.new.sql());
        let mut phase = Phase::new(Stage::Expand, format!("add {}", self.twin.new))
            .why(format!("{new} is {old} as {}; a trigger computes it for every row that is written.", self.retype.data_type))
            .meanwhile(PREPARED)
            .run(format!("ALTER TABLE {table} ADD COLUMN {new} {}", self.retype.data_type));
        if self.retype.may_fail {
            phase = phase.assert(format!("SELECT count({}) >= 0 FROM {table}", self.retype.converted));
        }
        for sql in self.belongings(names, turnover)?.iter().chain(&sync.create()) {
            phase = phase.run(sql);
        }
        for sql in sync.drop() {
            phase = phase.back(sql);
        }
        Ok(phase.back(format!("ALTER TABLE {table} DROP COLUMN {new}")))
    }

    /// What stands beside a column's definition.
    fn belongings(&self, names: &mut Names<'_>, turnover: &mut Turnover) -> Result<Vec<String>, Refusal> {
        let (table, new, details) = (self.twin.sql(), self.twin.new.sql(), self.twin.old.details());
        let alter = |what: String| format!("ALTER TABLE {table} ALTER COLUMN {new} {what}");
        let mut lines = self.twin.grants();
        lines.extend(details.comment.as_ref().map(|text| format!("COMMENT ON COLUMN {table}.{new} IS {text}")));
        lines.extend(details.statistics.as_ref().map(|target| alter(format!("SET STATISTICS {target}"))));
        lines.extend(details.storage.as_ref().map(|storage| alter(format!("SET STORAGE {storage}"))));
        lines.extend(details.compression.as_ref().map(|method| alter(format!("SET COMPRESSION {method}"))));
        for (name, value) in &details.options {
            lines.push(alter(format!("SET ({name}{})", value.as_ref().map_or(String::new(), |value| format!(" = {value}")))));
        }
        let definitions = self.twin.definitions();
        for statistics in self.twin.table.statistics.iter().filter(|statistics| statistics.reads(&self.twin.old.name)) {
            let (schema, name) = (&statistics.name.schema, &statistics.name.name);
            let copy = names.copy_of(schema, name, &self.twin.old.name, &self.twin.new);
            let aside = names.free(schema, name.as_str(), "_old");
            let kinds = if statistics.kinds.is_empty() { String::new() } else { format!(" {}", list(&statistics.kinds)) };
            let mut on: Vec<String> =
                statistics.columns.iter().map(|column| definitions.name(&self.twin.table.name, column).sql()).collect();
            for expression in &statistics.expressions {
                let sql = definitions.expression(self.twin.table, expression);
                on.push(format!("({})", sql.map_err(|gap| Refusal::Unknown(format!("`{}` cannot be copied: {gap}", name.sql())))?));
            }
            let called = |name: &Ident| qualified(&QualifiedName { schema: schema.clone(), name: name.clone() });
            lines.push(format!("CREATE STATISTICS {}{kinds} ON {} FROM {table}", called(&copy), on.join(", ")));
            let rename = |from: &Ident, to: &Ident| format!("ALTER STATISTICS {} RENAME TO {}", called(from), to.sql());
            turnover.away.push(rename(name, &aside), rename(&aside, name));
            turnover.place.push(rename(&copy, name), rename(name, &copy));
        }
        Ok(lines)
    }

    /// What the table says of one of its indexes, by name.
    fn chosen_indexes(&self, turnover: &mut Turnover) {
        let (table, relation) = (self.twin.sql(), self.twin.table);
        let concerned = |name: &Ident| {
            let mut indexes = self.ask.before.indexes_of(relation);
            indexes.any(|(known, index)| known.name.name == *name && index.mentions(&self.twin.old.name))
        };
        if let ReplicaIdentity::UsingIndex(name) = &relation.replica_identity
            && concerned(name)
        {
            turnover.place.up.push(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", name.sql()));
            turnover.repoint.push(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", name.sql()));
        }
        if let Some(name) = relation.clustered_on.as_ref().filter(|name| concerned(name)) {
            turnover.place.up.push(format!("ALTER TABLE {table} CLUSTER ON {}", name.sql()));
            turnover.repoint.push(format!("ALTER TABLE {table} CLUSTER ON {}", name.sql()));
        }
    }

    /// The new column is not what it has to be, as a condition.
    fn wrong(&self) -> String {
        differ(&self.retype.exactness, &self.twin.new.sql(), &self.retype.converted)
    }

    fn fill(&self) -> Result<Phase, Refusal> {
        let (table, old, new) = (self.twin.sql(), self.twin.old.name.sql(), self.twin.new.sql());
        let fill =
            Backfill { table: table.clone(), set: Some(format!("{new} = {new}")), rows: format!("{new} IS NULL AND {old} IS NOT NULL") };
        let phase = fill.phase(&self.ask, self.twin.name, format!("fill {}", self.twin.new))?;
        Ok(phase
            .why("Rows from before the trigger get their value: each batch touches its rows, and the trigger computes them.")
            .meanwhile("Reads and writes go on; a write to one of the rows of a batch waits until the batch is committed.")
            .verify(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {})", self.wrong())))
    }

    fn turn(&self, sync: &Sync, turnover: &Turnover, way_back: Result<(), String>) -> Phase {
        const ACCEPTS: &[&str] = &[
            "rename-column",
            "drop-constraint",
            "drop-primary-key",
            "rename-object",
            "drop-not-null",
            "change-default",
            "drop-trigger",
            "sync-scaffold-left-behind",
            "add-constraint-never-validated",
            "insert-number-by-hand",
            "add-primary-key",
            "add-unique",
            "add-identity-to-column",
            "replacement-parity",
            "alter-table-twice",
            "drop-object",
            "drop-policy",
            "drop-recreate-object",
            "drop-needed-object",
            "create-view-over-row-security",
        ];
        let (table, old, new, aside) = (self.twin.sql(), self.twin.old.name.sql(), self.twin.new.sql(), self.aside.sql());
        let rename = |from: &str, to: &str| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
        let mut up: Vec<String> = turnover.locks_others().then(|| GIVE_WAY.to_owned()).into_iter().collect();
        up.extend(self.readers.iter().map(|reader| reader.drop.clone()));
        up.extend(turnover.unpoint.up.iter().cloned());
        up.extend(turnover.away.up.iter().cloned());
        up.extend([rename(&old, &aside), rename(&new, &old)]);
        up.extend(turnover.values.up.iter().chain(&turnover.place.up).cloned());
        up.extend(self.readers.iter().flat_map(|reader| reader.create.iter().cloned()));
        let turned = self.retype.back(&self.aside, &self.twin.old.name).map(|back| sync.turn(&back));
        match &turned {
            Some(turned) => up.extend(turned.iter().cloned()),
            None => up.extend(sync.drop()),
        }
        let mut phase = Phase::new(Stage::Contract, format!("exchange {}", self.twin.old.name))
            .why(format!(
                "The two columns change their names, and what hangs on {old} goes over to the new one. {aside} stays as the way back{}.",
                if turned.is_some() { ", and the trigger feeds it from now on" } else { "" }
            ))
            .meanwhile(PREPARED)
            .deploy(format!("code that works with {table}.{old} of either type"))
            .assert(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {})", self.wrong()));
        for sql in up {
            phase = phase.run_accepting(sql, ACCEPTS);
        }
        if turned.is_none() {
            return phase.no_way_back(format!("USING computes {old}, and nobody can tell how its old values follow from the new ones"));
        }
        if let Err(why) = way_back {
            return phase.no_way_back(why);
        }
        let mut down: Vec<String> = sync.turn(&self.retype.forward).into_iter().collect();
        down.extend(self.readers.iter().map(|reader| reader.drop.clone()));
        down.extend(turnover.unpoint.down.iter().chain(&turnover.place.down).cloned());
        down.extend([rename(&old, &new), rename(&aside, &old)]);
        down.extend(turnover.values.down.iter().chain(&turnover.away.down).chain(&turnover.repoint).cloned());
        down.extend(self.readers.iter().flat_map(|reader| reader.create.iter().cloned()));
        down.into_iter().fold(phase, Phase::back)
    }

    fn contract(&self, sync: &Sync, turnover: &Turnover) -> Phase {
        let (table, old, aside) = (self.twin.sql(), self.twin.old.name.sql(), self.aside.sql());
        let mut phase = Phase::new(Stage::Contract, format!("drop {}", self.aside))
            .why(format!("Nothing has used {aside} since its name changed, and nobody wants to go back."))
            .meanwhile(PREPARED)
            .wait_hours(48)
            .deploy(format!("code that knows {table}.{old} as {} only", self.retype.data_type));
        if turnover.points_away {
            phase = phase.run(GIVE_WAY);
        }
        if self.retype.back(&self.aside, &self.twin.old.name).is_some() {
            for sql in sync.drop() {
                phase = phase.run_accepting(sql, &["sync-scaffold-left-behind", "drop-trigger"]);
            }
        }
        phase
            .run_accepting(
                format!("ALTER TABLE {table} DROP COLUMN {aside}"),
                &["drop-column", "drop-column-silent-dependents", "replacement-parity"],
            )
            .no_way_back(format!("the values of the old type are gone; the same plan in the other direction computes them from {old}"))
    }
}
