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
        let mut carried = Carried { build: self.build(index, name)?, ..Carried::default() };
        if let Some(comment) = index.details().comment.as_deref() {
            let sql = format!("COMMENT ON INDEX {} IS {}", self.beside(&self.to.table.name, name), literal(comment)?);
            carried.build.push(Step::new(format!("comment on {name}"), sql, Vec::new()));
        }
        carried.after_drop = self.renames(index, name);
        Ok(carried)
    }

    /// The statements that build an index, on each partition if there are some.
    fn build(&mut self, index: &Relation, name: &Ident) -> Result<Vec<Step>, Gap> {
        let (table, top) = (self.to.table, self.beside(&self.to.table.name, name));
        if table.partition_by.is_none() {
            let sql = self.definitions.index(index, name, true)?;
            return Ok(vec![Step::alone(format!("build {name}"), sql, vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {top}")])]);
        }
        let drop = vec![format!("DROP INDEX IF EXISTS {top}")];
        let mut steps = vec![Step::new(format!("begin {name}"), self.definitions.index_on(index, table, name, Build::Only)?, drop)];
        // Each table below with the name of the index above it, top down.
        let mut todo: Vec<(QualifiedName, String)> = table.children.iter().map(|child| (child.clone(), top.clone())).collect();
        while let Some((child, above)) = todo.pop() {
            let Some(below) = self.to.catalog.get(&child) else {
                return Err(Gap::new(format!("the history does not tell of its partition {child}")));
            };
            let copy = self.names.free(&child.schema, &format!("{}_{}", child.name, self.to.to), "_idx");
            let copied = self.beside_other(&child, &copy);
            if below.partition_by.is_some() {
                steps.push(Step::new(format!("begin {copy}"), self.definitions.index_on(index, below, &copy, Build::Only)?, Vec::new()));
                todo.extend(below.children.iter().map(|next| (next.clone(), copied.clone())));
            } else {
                let sql = self.definitions.index_on(index, below, &copy, Build::Concurrently)?;
                steps.push(Step::alone(format!("build {copy}"), sql, vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {copied}")]));
            }
            // One that is attached goes with its parent alone.
            let drop = vec![format!("DROP INDEX IF EXISTS {top}")];
            steps.push(Step::new(format!("attach {copy}"), format!("ALTER INDEX {above} ATTACH PARTITION {copied}"), drop));
        }
        Ok(steps)
    }

    fn beside_other(&self, table: &QualifiedName, name: &Ident) -> String {
        crate::plan::definition::qualified(&QualifiedName { schema: table.schema.clone(), name: name.clone() })
    }

    /// The old name is free again as soon as the old column is gone. Partitions keep the names of their copies.
    fn renames(&self, index: &Relation, name: &Ident) -> Vec<String> {
        vec![format!("ALTER INDEX {} RENAME TO {}", self.beside(&self.to.table.name, name), index.name.name.sql())]
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
        let mut carried = Carried { build: self.build(index, name)?, ..Carried::default() };
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
        let (catalog, table) = (self.to.catalog, self.to.table);
        if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
            return Err(Gap::new("the primary key of a partitioned table is changed in a window"));
        }
        let mut carried = Carried::default();
        for child in catalog.descendants(&table.name) {
            let Some(below) = catalog.get(&child) else {
                return Err(Gap::new(format!("the history does not tell of its partition {child}")));
            };
            if below.partition_by.is_some() {
                continue;
            }
            let copy = self.names.free(&child.schema, &format!("{}_{}", child.name, self.to.to), "_key");
            let written = self.definitions.table(&child);
            let drop = vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {}", self.beside_other(&child, &copy))];
            let sql = self.definitions.index_on(index, below, &copy, Build::Concurrently)?;
            carried.build.push(Step::alone(format!("build {copy}"), sql, drop));
            let add = self.definitions.constraint(below, constraint, &copy, Add::UsingIndex(&copy))?;
            let drop = vec![format!("ALTER TABLE {written} DROP CONSTRAINT IF EXISTS {}", copy.sql())];
            carried.build.push(Step::new(format!("add {copy}"), format!("ALTER TABLE {written} ADD {add}"), drop));
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
