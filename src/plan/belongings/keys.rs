//! Indexes and constraints: built beside the old ones while rows come and go, and called like them when those are gone.

use super::values::literal;
use super::{Carried, Carrier, Fate, Step, What};
use crate::model::catalog::{Constraint, Relation};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{ConstraintKind, ReplicaIdentity};
use crate::plan::definition::{Add, Build, Gap};

impl<'a> Carrier<'a> {
    pub(super) fn keys(&mut self) {
        let (catalog, table, from) = (self.to.catalog, self.to.table, self.to.from);
        let dependents = catalog.dependents(&table.name, from);
        for index in dependents.indexes.iter().filter(|index| index.index.as_ref().is_some_and(|index| index.constraint.is_none())) {
            let name = self.copy_name(&index.name.name);
            let carried = self.index(index, &name);
            self.copies.push((index.name.clone(), name));
            self.carry(What::Index, format!("index {}", index.name.name.sql()), carried);
        }
        let points_to_itself = |constraint: &Constraint| constraint.referenced.as_ref() == Some(&table.name) && constraint.points_to(from);
        let own = table.constraints.iter().filter(|constraint| constraint.mentions(from));
        // Foreign keys last: they may rest on a key of this table.
        let is_foreign = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_));
        for constraint in own.clone().filter(|constraint| !is_foreign(constraint)) {
            self.constraint(constraint);
        }
        for constraint in own.filter(|constraint| is_foreign(constraint)) {
            self.foreign_key(What::Constraint, table, constraint, points_to_itself(constraint));
        }
        for (other, constraint) in dependents.incoming {
            // One of this table's own columns was met above.
            if other.name != table.name || !constraint.mentions(from) {
                self.foreign_key(What::ForeignKeyIn, other, constraint, true);
            }
        }
        self.chosen_indexes();
    }

    /// Builds a copy, and calls it like the original when that is gone.
    fn index(&mut self, index: &Relation, name: &Ident) -> Result<Carried, Gap> {
        if index.index.as_ref().is_some_and(|index| !index.valid) {
            return Err(Gap::new("it is not valid: finish it or drop it first"));
        }
        let mut carried = self.build(index, name)?;
        if let Some(comment) = index.details().comment.as_deref() {
            let sql = format!("COMMENT ON INDEX {} IS {}", self.beside(&self.to.table.name, name), literal(comment)?);
            carried.build.push(Step::new(format!("comment on {name}"), sql, Vec::new()));
        }
        let old = index.name.name.sql();
        carried.after_drop.push(format!("ALTER INDEX {} RENAME TO {old}", self.beside(&self.to.table.name, name)));
        Ok(carried)
    }

    /// The statements that build an index, on each partition if there are some.
    fn build(&mut self, index: &Relation, name: &Ident) -> Result<Carried, Gap> {
        let (catalog, table, top) = (self.to.catalog, self.to.table, self.beside(&self.to.table.name, name));
        let mut carried = Carried::default();
        if table.partition_by.is_none() {
            let sql = self.definitions.index(index, name, true)?;
            carried.build.push(Step::alone(format!("build {name}"), sql, vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {top}")]));
            return Ok(carried);
        }
        // One that is attached goes with its parent alone.
        let drop = vec![format!("DROP INDEX IF EXISTS {top}")];
        let begin = self.definitions.index_on(index, table, name, Build::Only)?;
        carried.build.push(Step::new(format!("begin {name}"), begin, drop.clone()));
        // Each table below with the name of the index above it, top down.
        let mut todo: Vec<(QualifiedName, String)> = table.children.iter().map(|child| (child.clone(), top.clone())).collect();
        while let Some((child, above)) = todo.pop() {
            let below = self.partition(&child)?;
            let old = catalog
                .descendants(&index.name)
                .into_iter()
                .find(|of| catalog.get(of).and_then(|of| of.index.as_ref()).is_some_and(|of| of.table == child));
            let copy = self.copy_below(&child, old.as_ref().map(|old| &old.name), "_idx");
            let copied = self.beside_other(&child, &copy);
            if below.partition_by.is_some() {
                let begin = self.definitions.index_on(index, below, &copy, Build::Only)?;
                carried.build.push(Step::new(format!("begin {copy}"), begin, Vec::new()));
                todo.extend(below.children.iter().map(|next| (next.clone(), copied.clone())));
            } else {
                let sql = self.definitions.index_on(index, below, &copy, Build::Concurrently)?;
                let drop = vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {copied}")];
                carried.build.push(Step::alone(format!("build {copy}"), sql, drop));
            }
            let attach = format!("ALTER INDEX {above} ATTACH PARTITION {copied}");
            carried.build.push(Step::new(format!("attach {copy}"), attach, drop.clone()));
            carried.after_drop.extend(old.map(|old| format!("ALTER INDEX {copied} RENAME TO {}", old.name.sql())));
        }
        Ok(carried)
    }

    fn partition(&self, name: &QualifiedName) -> Result<&'a Relation, Gap> {
        self.to.catalog.get(name).ok_or_else(|| Gap::new(format!("the history does not tell of its partition {name}")))
    }

    /// A name for the copy of something of a partition.
    fn copy_below(&mut self, partition: &QualifiedName, old: Option<&Ident>, label: &str) -> Ident {
        match old {
            Some(old) => self.names.copy_of(&partition.schema, old, self.to.from, self.to.to),
            None => self.names.free(&partition.schema, &format!("{}_{}", partition.name, self.to.to), label),
        }
    }

    /// What a constraint is called on each table below its own, those above first.
    fn counterparts(&self, table: &Relation, constraint: &Constraint) -> Vec<(QualifiedName, Option<Ident>)> {
        let mut known = vec![(table.name.clone(), Some(constraint.name.clone()))];
        for child in self.to.catalog.descendants(&table.name) {
            let below = self.to.catalog.get(&child);
            let above = below.and_then(|below| below.partition_of.as_ref()).map(|(above, _)| above);
            let above = known.iter().find(|(name, _)| Some(name) == above).and_then(|(_, name)| name.clone());
            let own = below.zip(above).and_then(|(below, above)| below.constraints.iter().find(|own| own.parent.as_ref() == Some(&above)));
            known.push((child, own.map(|own| own.name.clone())));
        }
        known.split_off(1)
    }

    fn beside_other(&self, table: &QualifiedName, name: &Ident) -> String {
        crate::plan::definition::qualified(&QualifiedName { schema: table.schema.clone(), name: name.clone() })
    }

    /// A constraint that is no foreign key.
    fn constraint(&mut self, constraint: &Constraint) {
        let name = self.copy_name(&constraint.name);
        let thing = format!("constraint {}", constraint.name.sql());
        let carried = match &constraint.kind {
            // It is carried over as the column's own.
            ConstraintKind::NotNull { .. } => return,
            ConstraintKind::Check { .. } => self.not_valid_first(self.to.table, constraint, &name),
            ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => self.unique(constraint, &name),
            ConstraintKind::Exclude { .. } => {
                let sql = self.definitions.constraint(self.to.table, constraint, &name, Add::Whole);
                let reason = sql.map(|sql| {
                    Gap::new(format!(
                        "PostgreSQL builds no exclusion constraint while rows are written: in a window, ALTER TABLE {} ADD {sql}",
                        self.table()
                    ))
                });
                Err(reason.unwrap_or_else(|gap| gap))
            }
            ConstraintKind::ForeignKey(_) => return,
        };
        let carried = carried.and_then(|mut carried| {
            self.comment_on(self.to.table, constraint, &name, &mut carried)?;
            let old = constraint.name.sql();
            carried.after_drop.push(format!("ALTER TABLE {} RENAME CONSTRAINT {} TO {old}", self.table(), name.sql()));
            Ok(carried)
        });
        self.carry(What::Constraint, thing, carried);
    }

    fn comment_on(&self, table: &Relation, constraint: &Constraint, name: &Ident, carried: &mut Carried) -> Result<(), Gap> {
        if let Some(comment) = constraint.comment.as_deref() {
            let table = self.definitions.table(&table.name);
            carried.before_drop.push(format!("COMMENT ON CONSTRAINT {} ON {table} IS {}", name.sql(), literal(comment)?));
        }
        Ok(())
    }

    /// NOT VALID, which holds for new rows at once, and then a look at the old ones while others write.
    fn not_valid_first(&self, table: &Relation, constraint: &Constraint, name: &Ident) -> Result<Carried, Gap> {
        let written = self.definitions.table(&table.name);
        // That of a partition may have gone with its parent's.
        let exists = if table.partition_of.is_some() { "IF EXISTS " } else { "" };
        let drop = format!("ALTER TABLE {written} DROP CONSTRAINT {exists}{}", name.sql());
        let add = format!("ALTER TABLE {written} ADD {}", self.definitions.constraint(table, constraint, name, Add::NotValid)?);
        let mut build = vec![Step::new(format!("add {name}"), add, vec![drop])];
        if constraint.validated && constraint.enforced {
            let validate = format!("ALTER TABLE {written} VALIDATE CONSTRAINT {}", name.sql());
            build.push(Step::new(format!("validate {name}"), validate, Vec::new()));
        }
        Ok(Carried { build, ..Carried::default() })
    }

    /// The index first, then the constraint that takes it. There is one primary key at a time.
    fn unique(&mut self, constraint: &Constraint, name: &Ident) -> Result<Carried, Gap> {
        let (catalog, table) = (self.to.catalog, self.to.table);
        let index = constraint.index.as_ref().and_then(|index| catalog.get(index));
        let index = index.ok_or_else(|| Gap::new("the history does not tell the index behind it"))?;
        if table.partition_by.is_some() {
            return self.unique_of_partitions(constraint, name, index);
        }
        let add = self.definitions.constraint(table, constraint, name, Add::UsingIndex(name))?;
        let add = format!("ALTER TABLE {} ADD {add}", self.table());
        let mut carried = self.build(index, name)?;
        self.copies.push((index.name.clone(), name.clone()));
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            carried.before_drop = vec![format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table(), constraint.name.sql()), add];
        } else {
            let drop = format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table(), name.sql());
            carried.build.push(Step::new(format!("add {name}"), add, vec![drop]));
        }
        Ok(carried)
    }

    /// USING INDEX is not for partitioned tables; one that all partitions have already is only put together.
    fn unique_of_partitions(&mut self, constraint: &Constraint, name: &Ident, index: &Relation) -> Result<Carried, Gap> {
        let table = self.to.table;
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            return Err(Gap::new("the primary key of a partitioned table is changed in a window"));
        }
        let mut carried = Carried::default();
        // From below: what is put together has to be there.
        for (child, old) in self.counterparts(table, constraint).into_iter().rev() {
            let below = self.partition(&child)?;
            let copy = self.copy_below(&child, old.as_ref(), "_key");
            let written = self.definitions.table(&child);
            let drop = vec![format!("ALTER TABLE {written} DROP CONSTRAINT IF EXISTS {}", copy.sql())];
            let add = if below.partition_by.is_some() {
                self.definitions.constraint(below, constraint, &copy, Add::Whole)?
            } else {
                let drop = vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {}", self.beside_other(&child, &copy))];
                let sql = self.definitions.index_on(index, below, &copy, Build::Concurrently)?;
                carried.build.push(Step::alone(format!("build {copy}"), sql, drop));
                self.definitions.constraint(below, constraint, &copy, Add::UsingIndex(&copy))?
            };
            carried.build.push(Step::new(format!("add {copy}"), format!("ALTER TABLE {written} ADD {add}"), drop));
            carried.after_drop.extend(old.map(|old| format!("ALTER TABLE {written} RENAME CONSTRAINT {} TO {}", copy.sql(), old.sql())));
        }
        let add = format!("ALTER TABLE {} ADD {}", self.table(), self.definitions.constraint(table, constraint, name, Add::Whole)?);
        let drop = vec![format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table(), name.sql())];
        carried.build.push(Step::new(format!("add {name}"), add, drop));
        Ok(carried)
    }

    /// A foreign key of this table or of another one.
    fn foreign_key(&mut self, what: What, table: &Relation, constraint: &Constraint, points_here: bool) {
        let own = table.name == self.to.table.name;
        let mut thing = format!("constraint {}", constraint.name.sql());
        if !own {
            thing.push_str(&format!(" of {}", self.definitions.table(&table.name)));
        }
        if constraint.parent.is_some() {
            // It comes and goes with that of the parent.
            return;
        }
        let name = self.names.copy_of(&table.name.schema, &constraint.name, self.to.from, self.to.to);
        let written = self.definitions.table(&table.name);
        let carried = self.foreign_key_of(table, constraint, &name).and_then(|mut carried| {
            self.comment_on(table, constraint, &name, &mut carried)?;
            if points_here {
                carried.before_drop.push(format!("ALTER TABLE {written} DROP CONSTRAINT {}", constraint.name.sql()));
            }
            carried.after_drop.push(format!("ALTER TABLE {written} RENAME CONSTRAINT {} TO {}", name.sql(), constraint.name.sql()));
            if table.partition_by.is_some() {
                for (child, old) in self.counterparts(table, constraint) {
                    let child = self.definitions.table(&child);
                    carried
                        .after_drop
                        .extend(old.map(|old| format!("ALTER TABLE {child} RENAME CONSTRAINT {} TO {}", name.sql(), old.sql())));
                }
            }
            Ok(carried)
        });
        self.carry(what, thing, carried);
    }

    /// Up to 17 a partitioned table takes no foreign key that is NOT VALID; one that all partitions have already is only put together.
    fn foreign_key_of(&mut self, table: &Relation, constraint: &Constraint, name: &Ident) -> Result<Carried, Gap> {
        if table.partition_by.is_none() || self.to.server.0 >= 18 {
            return self.not_valid_first(table, constraint, name);
        }
        let mut carried = Carried::default();
        for child in self.to.catalog.descendants(&table.name) {
            let below = self.to.catalog.get(&child).filter(|below| below.partition_by.is_none());
            if let Some(below) = below {
                let mut of_child = self.not_valid_first(below, constraint, name)?;
                carried.build.append(&mut of_child.build);
            }
        }
        let add = self.definitions.constraint(table, constraint, name, Add::Whole)?;
        let written = self.definitions.table(&table.name);
        let drop = vec![format!("ALTER TABLE {written} DROP CONSTRAINT {}", name.sql())];
        carried.build.push(Step::new(format!("add {name}"), format!("ALTER TABLE {written} ADD {add}"), drop));
        Ok(carried)
    }

    /// Indexes that the table is told to use for replication and for CLUSTER.
    fn chosen_indexes(&mut self) {
        let table = self.to.table;
        let copy_of = |copies: &[(QualifiedName, Ident)], index: &Ident| {
            copies.iter().find(|(known, _)| known.name == *index).map(|(_, copy)| copy.sql())
        };
        if let ReplicaIdentity::UsingIndex(index) = &table.replica_identity
            && let Some(copy) = copy_of(&self.copies, index)
        {
            let sql = format!("ALTER TABLE {} REPLICA IDENTITY USING INDEX {copy}", self.table());
            self.push(What::ReplicaIdentity, "replica identity", Fate::Carried(Carried::before(vec![sql])));
        }
        if let Some(copy) = table.clustered_on.as_ref().and_then(|index| copy_of(&self.copies, index)) {
            let sql = format!("ALTER TABLE {} CLUSTER ON {copy}", self.table());
            self.push(What::Cluster, "CLUSTER ON", Fate::Carried(Carried::before(vec![sql])));
        }
    }
}
