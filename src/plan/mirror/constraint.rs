//! What guards a column guards the new one as well, before that takes the old one's place.

use super::GIVE_WAY;
use super::index::Copies;
use super::swap::Swap;
use super::turnover::Turnover;
use crate::model::catalog::{Constraint, Relation};
use crate::model::name::Ident;
use crate::model::operation::ConstraintKind;
use crate::model::types::{self, KeyTypes};
use crate::plan::definition::{Add, Definitions, Gap};
use crate::plan::names::Names;
use crate::plan::{Manual, Phase, Refusal, Stage};

/// The phases that bring the guards, and what they leave open.
#[derive(Debug)]
pub struct Carried {
    /// In their order.
    pub phases: Vec<Phase>,
    /// What somebody has to do by hand.
    pub manual: Vec<Manual>,
    /// Why there is no way back behind the exchange, if there is none.
    pub way_back: Result<(), String>,
}

/// Brings constraints, NOT NULL and foreign keys over.
///
/// # Errors
/// One of them cannot be brought over while others work.
pub fn carry<'a>(swap: &Swap<'a>, names: &mut Names<'a>, copies: &Copies<'_>, turnover: &mut Turnover) -> Result<Carried, Refusal> {
    let dependents = swap.ask.before.dependents(&swap.twin.table.name, &swap.twin.old.name);
    let mut guard = Guard::new(swap, names, copies, turnover);
    let points_here = |constraint: &Constraint| {
        constraint.referenced.as_ref() == Some(&swap.twin.table.name) && constraint.points_to(&swap.twin.old.name)
    };
    for constraint in &dependents.constraints {
        match &constraint.kind {
            ConstraintKind::Check { .. } => guard.check(constraint)?,
            ConstraintKind::NotNull { .. } => {}
            ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => guard.key(constraint)?,
            ConstraintKind::Exclude { .. } => {
                let name = constraint.name.sql();
                return Err(Refusal::Window(format!("PostgreSQL builds no EXCLUDE constraint while others write, and `{name}` is one")));
            }
            ConstraintKind::ForeignKey(_) if points_here(constraint) => guard.foreign_key_in(swap.twin.table, constraint)?,
            ConstraintKind::ForeignKey(_) => guard.foreign_key_out(constraint)?,
        }
    }
    for (other, constraint) in dependents.incoming {
        let is_own = other.name == swap.twin.table.name && constraint.mentions(&swap.twin.old.name);
        if !is_own && constraint.parent.is_none() {
            guard.foreign_key_in(other, constraint)?;
        }
    }
    guard.not_null();
    Ok(guard.done())
}

/// The copies of indexes that no constraint owns take the names of the old ones. Gives why there is no way back, if there is none.
pub fn rename_indexes(names: &mut Names<'_>, copies: &Copies<'_>, exact: bool, turnover: &mut Turnover) -> Result<(), String> {
    let mut way_back = Ok(());
    for copy in &copies.made {
        let Some(index) = copy.of.index.as_ref().filter(|index| index.constraint.is_none()) else { continue };
        let (schema, name) = (&copy.of.name.schema, &copy.of.name.name);
        let rename = |from: &Ident, to: &Ident| format!("ALTER INDEX {} RENAME TO {}", copy.called(from), to.sql());
        if index.unique && !exact {
            turnover.away.up.push(format!("DROP INDEX {}", copy.called(name)));
            way_back = Err(merged(&name.sql()));
        } else {
            let aside = names.free(schema, name.as_str(), "_old");
            turnover.away.push(rename(name, &aside), rename(&aside, name));
        }
        turnover.place.push(rename(&copy.name, name), rename(name, &copy.name));
    }
    way_back
}

fn merged(name: &str) -> String {
    format!("two values of the new type may be one of the old type, so that `{name}` does not hold for them")
}

struct Guard<'g, 'a> {
    swap: &'g Swap<'a>,
    names: &'g mut Names<'a>,
    copies: &'g Copies<'g>,
    turnover: &'g mut Turnover,
    definitions: Definitions<'a>,
    /// Added together, since each takes a moment.
    added: Phase,
    proven: Phase,
    required: Phase,
    spare: Vec<Phase>,
    foreign: Vec<Phase>,
    manual: Vec<Manual>,
    way_back: Result<(), String>,
}

impl<'g, 'a> Guard<'g, 'a> {
    fn new(swap: &'g Swap<'a>, names: &'g mut Names<'a>, copies: &'g Copies<'g>, turnover: &'g mut Turnover) -> Self {
        let new = &swap.twin.new;
        Self {
            definitions: swap.twin.definitions(),
            swap,
            names,
            copies,
            turnover,
            added: Phase::new(Stage::Migrate, format!("guard {new}"))
                .why(format!(
                    "What holds for {} has to hold for {}: new rows are checked from now on.",
                    swap.twin.old.name.sql(),
                    new.sql()
                ))
                .meanwhile("It waits for a moment."),
            proven: Phase::new(Stage::Migrate, format!("prove {new}"))
                .why("The rows that were there before are checked.")
                .meanwhile("Reads and writes go on."),
            required: Phase::new(Stage::Migrate, format!("require {new}"))
                .why("The proof is there, so that no row is read again.")
                .meanwhile("It waits for a moment."),
            spare: Vec::new(),
            foreign: Vec::new(),
            manual: Vec::new(),
            way_back: Ok(()),
        }
    }

    fn done(self) -> Carried {
        let mut phases = self.spare;
        phases.extend([self.added, self.proven, self.required].into_iter().filter(|phase| !phase.up.is_empty()));
        phases.extend(self.foreign);
        Carried { phases, manual: self.manual, way_back: self.way_back }
    }

    fn table(&self) -> String {
        self.swap.twin.sql()
    }

    fn copy_name(&mut self, name: &Ident) -> Ident {
        let twin = &self.swap.twin;
        self.names.copy_of(&twin.table.name.schema, name, &twin.old.name, &twin.new)
    }

    fn aside(&mut self, name: &Ident) -> Ident {
        self.names.free(&self.swap.twin.table.name.schema, name.as_str(), "_old")
    }

    fn gap(constraint: &Constraint) -> impl Fn(Gap) -> Refusal {
        let name = constraint.name.sql();
        move |gap| Refusal::Window(format!("`{name}` cannot be brought over to another column: {gap}"))
    }

    /// The old one gives up its name, and the copy takes it.
    fn exchange(&mut self, constraint: &Constraint, copy: &Ident) {
        let (table, aside) = (self.table(), self.aside(&constraint.name));
        let rename = |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {}", from.sql(), to.sql());
        self.turnover.away.push(rename(&constraint.name, &aside), rename(&aside, &constraint.name));
        self.turnover.place.push(rename(copy, &constraint.name), rename(&constraint.name, copy));
    }

    fn check(&mut self, constraint: &Constraint) -> Result<(), Refusal> {
        let (table, copy) = (self.table(), self.copy_name(&constraint.name));
        let definition =
            self.definitions.constraint(self.swap.twin.table, constraint, &copy, Add::NotValid).map_err(Self::gap(constraint))?;
        self.added = std::mem::replace(&mut self.added, Phase::new(Stage::Migrate, ""))
            .run(format!("ALTER TABLE {table} ADD {definition}"))
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {}", copy.sql()));
        if constraint.validated && constraint.enforced {
            self.prove(&copy);
        }
        self.exchange(constraint, &copy);
        Ok(())
    }

    fn prove(&mut self, name: &Ident) {
        let sql = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", self.table(), name.sql());
        self.proven = std::mem::replace(&mut self.proven, Phase::new(Stage::Migrate, "")).run(sql);
    }

    /// UNIQUE and PRIMARY KEY: the copy of its index becomes the constraint's.
    fn key(&mut self, constraint: &Constraint) -> Result<(), Refusal> {
        let (table, name) = (self.table(), constraint.name.sql());
        if self.swap.twin.is_partitioned() {
            return Err(Refusal::Window(format!(
                "`{name}` is a key of a partitioned table, and PostgreSQL gives such a key no index that was built before"
            )));
        }
        let index = constraint.index.as_ref();
        let copy = self.copies.made.iter().find(|copy| Some(&copy.of.name) == index);
        let copy = copy.ok_or_else(|| Refusal::Unknown(format!("the history does not tell of the index behind `{name}`")))?;
        let (of, copied) = (copy.of, copy.name.clone());
        let definition = self.definitions.constraint(self.swap.twin.table, constraint, &constraint.name, Add::UsingIndex(&copied));
        let definition = definition.map_err(Self::gap(constraint))?;
        self.turnover.place.push(format!("ALTER TABLE {table} ADD {definition}"), format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
        let is_primary = matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
        match (is_primary, self.swap.retype.exact_back) {
            (false, true) => {
                let aside = self.aside(&constraint.name).sql();
                let rename = |from: &str, to: &str| format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}");
                self.turnover.away.push(rename(&name, &aside), rename(&aside, &name));
            }
            (_, false) => {
                self.turnover.away.up.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"));
                self.way_back = Err(merged(&name));
            }
            (true, true) => self.spare(constraint, of, &name)?,
        }
        Ok(())
    }

    /// A table has one primary key, and its index goes with it: another one stands by for the way back.
    fn spare(&mut self, constraint: &Constraint, index: &Relation, name: &str) -> Result<(), Refusal> {
        let (table, spare) = (self.table(), self.aside(&index.name.name));
        let definitions = self.swap.twin.as_they_are();
        let build = definitions.index(index, &spare, true).map_err(Self::gap(constraint))?;
        let again = definitions.constraint(self.swap.twin.table, constraint, &constraint.name, Add::UsingIndex(&spare));
        let again = again.map_err(Self::gap(constraint))?;
        self.turnover.away.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"), format!("ALTER TABLE {table} ADD {again}"));
        let dropped = crate::model::name::Name { schema: self.swap.twin.name.schema.clone(), name: spare.clone() }.sql();
        let phase = Phase::new(Stage::Migrate, format!("spare index {spare}"))
            .why(format!("The index of {name} goes when the key moves; with this one the way back needs no build."))
            .meanwhile("Reads and writes go on while it is built.")
            .alone()
            .run_accepting(build, &["create-index-redundant"])
            .back(format!("DROP INDEX CONCURRENTLY IF EXISTS {dropped}"));
        self.spare.push(phase);
        Ok(())
    }

    /// NOT NULL: by a CHECK that is validated first; from 18 on by NOT NULL itself, which takes NOT VALID then.
    fn not_null(&mut self) {
        let twin = &self.swap.twin;
        if !twin.old.not_null {
            return;
        }
        let (table, new) = (self.table(), twin.new.sql());
        let stem = format!("{}_{}", twin.table.name.name, twin.new);
        let name = self.names.free(&twin.table.name.schema, &stem, "_not_null");
        let by_itself = self.swap.ask.server.0 >= 18;
        let demand = if by_itself { format!("NOT NULL {new}") } else { format!("CHECK ({new} IS NOT NULL)") };
        self.added = std::mem::replace(&mut self.added, Phase::new(Stage::Migrate, ""))
            .run(format!("ALTER TABLE {table} ADD CONSTRAINT {} {demand} NOT VALID", name.sql()))
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {}", name.sql()));
        self.prove(&name);
        if by_itself {
            let kind = ConstraintKind::NotNull { column: twin.old.name.clone() };
            let known = twin
                .table
                .constraints
                .iter()
                .find(|known| matches!(&known.kind, ConstraintKind::NotNull { column } if *column == twin.old.name));
            let old = known.map_or_else(|| self.swap.ask.before.constraint_name(&twin.table.name, None, &kind), |known| known.name.clone());
            let rename = |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {}", from.sql(), to.sql());
            self.turnover.place.push(rename(&name, &old), rename(&old, &name));
            return;
        }
        self.required = std::mem::replace(&mut self.required, Phase::new(Stage::Migrate, ""))
            .run(format!("ALTER TABLE {table} ALTER COLUMN {new} SET NOT NULL"))
            .run_accepting(format!("ALTER TABLE {table} DROP CONSTRAINT {}", name.sql()), &["drop-constraint"])
            .back(format!("ALTER TABLE {table} ALTER COLUMN {new} DROP NOT NULL"));
    }

    /// The type of the column on the other side of a foreign key has to be one that the new type is compared with.
    fn comparable(&self, constraint: &Constraint, other: &Relation, other_column: Option<&Ident>) -> Result<Option<KeyTypes>, Refusal> {
        let there = other_column.and_then(|column| other.column(column)).and_then(|column| column.data_type.as_ref());
        let Some(found) = there.and_then(|there| types::key_types(there, &self.swap.retype.to)) else { return Ok(None) };
        match found {
            KeyTypes::Incomparable => Err(Refusal::Window(format!(
                "foreign key `{}` compares the column with one of another type, which has to change first",
                constraint.name.sql()
            ))),
            KeyTypes::Alike | KeyTypes::Narrower | KeyTypes::Cast => Ok(Some(found)),
        }
    }

    fn foreign_key_out(&mut self, constraint: &Constraint) -> Result<(), Refusal> {
        let twin = &self.swap.twin;
        self.refuse_not_valid(twin.table, constraint)?;
        if let (ConstraintKind::ForeignKey(key), Some(referenced)) = (&constraint.kind, &constraint.referenced)
            && let Some(there) = self.swap.ask.before.get(referenced)
        {
            let at = key.columns.iter().position(|column| *column == twin.old.name);
            self.comparable(constraint, there, at.and_then(|at| key.referenced_columns.get(at)))?;
        }
        let (table, copy) = (self.table(), self.copy_name(&constraint.name));
        self.add_foreign_key(&table, twin.table, constraint, &copy, None)?;
        self.exchange(constraint, &copy);
        self.turnover.points_away = true;
        Ok(())
    }

    fn foreign_key_in(&mut self, other: &Relation, constraint: &Constraint) -> Result<(), Refusal> {
        self.refuse_not_valid(other, constraint)?;
        let twin = &self.swap.twin;
        if let ConstraintKind::ForeignKey(key) = &constraint.kind {
            let at = key.referenced_columns.iter().position(|column| *column == twin.old.name);
            let there = at.and_then(|at| key.columns.get(at));
            if let (Some(KeyTypes::Narrower), Some(there)) = (self.comparable(constraint, other, there)?, there) {
                self.manual.push(Manual {
                    thing: format!("column {}.{}", other.name.name.sql(), there.sql()),
                    what: format!(
                        "it refers to {}.{} and stays narrower than that: give it the type {} by a plan of its own",
                        twin.sql(),
                        twin.old.name.sql(),
                        self.swap.retype.data_type
                    ),
                });
            }
        }
        let (table, name) = (self.definitions.table(&other.name), constraint.name.sql());
        let copy = self.names.copy_of(&other.name.schema, &constraint.name, &twin.old.name, &twin.new);
        let again = twin.as_they_are().constraint(other, constraint, &constraint.name, Add::NotValid).map_err(Self::gap(constraint))?;
        self.add_foreign_key(&table, other, constraint, &copy, Some(&name))?;
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
        self.turnover.unpoint.push(drop.clone(), drop);
        self.turnover.place.up.push(format!("ALTER TABLE {table} RENAME CONSTRAINT {} TO {name}", copy.sql()));
        self.turnover.repoint.push(format!("ALTER TABLE {table} ADD {again}"));
        Ok(())
    }

    /// `proven_again`: on the way back from the exchange this one is there, and not proven.
    fn add_foreign_key(
        &mut self,
        table: &str,
        of: &Relation,
        constraint: &Constraint,
        copy: &Ident,
        proven_again: Option<&str>,
    ) -> Result<(), Refusal> {
        let definition = self.definitions.constraint(of, constraint, copy, Add::NotValid).map_err(Self::gap(constraint))?;
        let add = Phase::new(Stage::Migrate, format!("add {copy}"))
            .why(format!("What {} demands is demanded of the new column as well.", constraint.name.sql()))
            .meanwhile("Writes to both tables wait for a moment.")
            .run(GIVE_WAY)
            .run_accepting(
                format!("ALTER TABLE {table} ADD {definition}"),
                &["add-foreign-key-without-index", "add-foreign-key-cascade", "add-foreign-key-type-mismatch"],
            )
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {}", copy.sql()));
        self.foreign.push(add);
        if constraint.validated && constraint.enforced {
            let mut prove = Phase::new(Stage::Migrate, format!("prove {copy}"))
                .why("The rows that were there before are looked up.")
                .meanwhile("Reads and writes go on.")
                .run(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", copy.sql()));
            if let Some(name) = proven_again {
                prove = prove.back(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"));
            }
            self.foreign.push(prove);
        }
        Ok(())
    }

    fn refuse_not_valid(&self, of: &Relation, constraint: &Constraint) -> Result<(), Refusal> {
        if of.partition_by.is_none() || self.swap.ask.server.0 >= 18 {
            return Ok(());
        }
        Err(Refusal::Window(format!(
            "foreign key `{}` is that of a partitioned table, and before PostgreSQL 18 such a key is added only by looking up all rows under lock",
            constraint.name.sql()
        )))
    }
}
