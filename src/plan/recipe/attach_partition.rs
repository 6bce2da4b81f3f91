//! A table that becomes a partition without anybody waiting until its rows have been read.

use super::{Cooked, is_known};
use crate::model::catalog::{Constraint, Relation, Step};
use crate::model::effects::bound as known_bound;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, Bound, ConstraintKind, Operation};
use crate::plan::bound;
use crate::plan::clauses::Clauses;
use crate::plan::definition::{Add, Definitions};
use crate::plan::names::Names;
use crate::plan::{Ask, Phase, Refusal, Stage, index};

/// What the rules say of an ATTACH that has been made ready.
pub(super) const ATTACH: &[&str] = &["attach-partition", "add-partition-beside-default", "statement-blocks-for-long", "alter-table-twice"];

/// Proofs first, then ATTACH PARTITION.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    if matches!(ask.operation(), Some(Operation::CreateTable(_))) {
        return super::create_partition::cook(ask);
    }
    let not_it = || Refusal::Unknown("this attaches no partition".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(not_it()) };
    let AlterAction::AttachPartition { partition, bound } = &**action else { return Err(not_it()) };
    let (parent, table) = (ask.table(&target.name)?, ask.table(partition)?);
    let child = Child { ask, parent, parent_name: &target.name, table, name: partition };
    child.can_be_seen()?;
    let mut names = Names::new(ask.before);
    let (mut phases, mut checks) = (Vec::new(), Vec::new());
    if !known_bound::fits(parent, table, bound) && *bound != Bound::Default {
        let condition = bound::condition(parent, &target.name, bound)?;
        let check = Check { table: partition.clone(), name: names.free(&table.name.schema, table.name.name.as_str(), "_bound"), condition };
        phases.extend(check.phases("Its rows are read as a whole while nobody waits, so that ATTACH PARTITION need not do it."));
        checks.push(check);
    }
    if let Some(check) = beside_default(ask, parent, &target.name, bound, &mut names)? {
        phases.extend(check.phases(BESIDE));
        checks.push(check);
    }
    phases.extend(child.indexes(bound)?);
    phases.extend(child.foreign_keys()?);
    phases.push(child.attach(&checks));
    Ok(Cooked { name: format!("attach-{}", table.name.name), phases, manual: Vec::new(), differs: Vec::new() })
}

pub(super) const BESIDE: &str = "From here on the default partition takes no rows of the new one, and writes that would put one there fail \
                                 until the plan is at its end; it must hold none already, or the new partition cannot come.";

/// A CHECK that stands until the partition is attached.
pub(super) struct Check {
    pub table: Name,
    pub name: Ident,
    pub condition: String,
}

impl Check {
    pub fn phases(&self, why: &str) -> [Phase; 2] {
        let (table, name) = (self.table.sql(), self.name.sql());
        let add = Phase::new(Stage::Expand, format!("check {}", self.table.name))
            .why(format!("A CHECK of new rows alone, which reads none. {why}"))
            .meanwhile(format!("reads and writes as before; writes to {table} wait for a moment"))
            .run(format!("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({}) NOT VALID", self.condition))
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
        let validate = Phase::new(Stage::Migrate, format!("validate {}", self.name))
            .why("Reads all rows under SHARE UPDATE EXCLUSIVE, which stops neither reads nor writes. If a row lies elsewhere, it fails and says so.")
            .meanwhile("reads and writes as before")
            .run(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
            .verify(is_validated(&self.table, &self.name));
        [add, validate]
    }

    pub fn drop(&self) -> String {
        format!("ALTER TABLE {} DROP CONSTRAINT {}", self.table.sql(), self.name.sql())
    }
}

fn is_validated(table: &Name, constraint: &Ident) -> String {
    let name = constraint.as_str().replace('\'', "''");
    format!("SELECT convalidated FROM pg_constraint WHERE conrelid = {} AND conname = '{name}'", index::regclass(table))
}

/// The CHECK that keeps the default partition free of the new one's rows, if there is one and nothing says so already.
pub(super) fn beside_default(
    ask: &Ask<'_>,
    parent: &Relation,
    parent_name: &Name,
    bound: &Bound,
    names: &mut Names<'_>,
) -> Result<Option<Check>, Refusal> {
    let default = parent.children.iter().filter_map(|child| ask.before.get(child));
    let Some(default) = default.into_iter().find(|child| matches!(child.partition_of, Some((_, Bound::Default)))) else { return Ok(None) };
    if known_bound::excludes(parent, default, bound) {
        return Ok(None);
    }
    let condition = format!("NOT ({})", bound::condition(parent, parent_name, bound)?);
    let name = names.free(&default.name.schema, default.name.name.as_str(), "_without");
    Ok(Some(Check { table: beside(parent_name, parent, &default.name), name, condition }))
}

/// How statements call another relation: with its schema where that of the parent is written, or where it is another one.
pub(super) fn beside(written: &Name, relation: &Relation, other: &QualifiedName) -> Name {
    let says = written.schema.is_some() || other.schema != relation.name.schema;
    Name { schema: says.then(|| other.schema.clone()), name: other.name.clone() }
}

struct Child<'a> {
    ask: &'a Ask<'a>,
    parent: &'a Relation,
    parent_name: &'a Name,
    table: &'a Relation,
    name: &'a Name,
}

impl Child<'_> {
    fn can_be_seen(&self) -> Result<(), Refusal> {
        match [self.parent, self.table].into_iter().find(|relation| !relation.complete) {
            Some(relation) => Err(Refusal::Unknown(format!("the history does not tell all of `{}`", relation.name.name))),
            None => Ok(()),
        }
    }

    /// Indexes like those of the parent, and the constraints that stand on them, by the names that ATTACH PARTITION would give them.
    fn indexes(&self, bound: &Bound) -> Result<Vec<Phase>, Refusal> {
        let mut after = self.ask.before.clone();
        let action = AlterAction::AttachPartition { partition: self.name.clone(), bound: bound.clone() };
        let target = crate::model::operation::Target {
            name: self.parent_name.clone(),
            only: false,
            if_exists: false,
            written: crate::model::operation::ObjectKind::Table,
        };
        after.replay(&Operation::Alter(target, Box::new(action)), Step::BASE);
        let mut phases = Vec::new();
        for relation in self.parent.indexes.iter().filter_map(|name| after.get(name)) {
            let of_child = |name: &&QualifiedName| {
                after.get(name).and_then(|index| index.index.as_ref()).is_some_and(|index| index.table == self.table.name)
            };
            let Some(made) = relation.children.iter().find(of_child).filter(|name| !is_known(self.ask.before, name)) else { continue };
            phases.extend(self.index(relation, made)?);
        }
        Ok(phases)
    }

    fn index(&self, of_parent: &Relation, made: &QualifiedName) -> Result<Vec<Phase>, Refusal> {
        let lost = |reason: &str| Refusal::Unknown(format!("an index like `{}` is needed first: {reason}", of_parent.name.name));
        if self.table.partition_by.is_some() {
            return Err(lost("make it by a plan of its own, since it is partitioned"));
        }
        let index = of_parent.index.as_ref().ok_or_else(|| lost("it is not known"))?;
        let behind = index.constraint.as_ref().and_then(|name| self.parent.constraint(name));
        if behind.is_some_and(|constraint| matches!(constraint.kind, ConstraintKind::Exclude { .. })) {
            return Err(Refusal::Window(format!(
                "no index for the exclusion constraint `{}` can be built beside writers",
                of_parent.name.name
            )));
        }
        let called = beside(self.name, self.table, made);
        // The definition is the parent's, and nothing else in it names a table.
        let definitions = Definitions::new(self.ask.before).written(&self.parent.name, self.name);
        let plain = Relation { index: Some(crate::model::catalog::Index { constraint: None, ..index.clone() }), ..of_parent.clone() };
        let create = definitions.index(&plain, &made.name, false).map_err(|gap| lost(gap.reason()))?;
        let create = create.replacen("INDEX ", "INDEX CONCURRENTLY ", 1);
        let mut phases = vec![index::build(Stage::Migrate, create, &called)];
        if let Some(constraint) = behind {
            let text = definitions
                .constraint(self.parent, constraint, &made.name, Add::UsingIndex(&made.name))
                .map_err(|gap| lost(gap.reason()))?;
            phases.push(
                Phase::new(Stage::Migrate, format!("constraint {}", made.name))
                    .why("ATTACH PARTITION takes the index for the parent's constraint only where a constraint of the partition stands on it.")
                    .meanwhile(format!("reads and writes as before; those of {} wait for a moment", self.name.sql()))
                    .run_accepting(format!("ALTER TABLE {} ADD {text}", self.name.sql()), &["add-primary-key", "add-unique"])
                    .back(format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}", self.name.sql(), made.name.sql())),
            );
        }
        Ok(phases)
    }

    /// Foreign keys like those of the parent.
    fn foreign_keys(&self) -> Result<Vec<Phase>, Refusal> {
        let mut phases = Vec::new();
        for key in self.parent.constraints.iter().filter(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_))) {
            if !self.has(key) {
                phases.extend(self.foreign_key(key)?);
            }
        }
        Ok(phases)
    }

    fn has(&self, key: &Constraint) -> bool {
        let ConstraintKind::ForeignKey(wanted) = &key.kind else { return false };
        self.table.constraints.iter().any(|own| match &own.kind {
            ConstraintKind::ForeignKey(known) => {
                own.validated
                    && own.referenced == key.referenced
                    && known.columns == wanted.columns
                    && known.referenced_columns == wanted.referenced_columns
                    && known.on_delete == wanted.on_delete
                    && known.on_update == wanted.on_update
            }
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Exclude { .. } => false,
        })
    }

    fn foreign_key(&self, key: &Constraint) -> Result<[Phase; 2], Refusal> {
        let lost = |reason: &str| Refusal::Unknown(format!("a foreign key like `{}` is needed first: {reason}", key.name));
        if self.table.partition_by.is_some() {
            return Err(lost("PostgreSQL has no NOT VALID for one of a partitioned table before 18"));
        }
        if self.table.constraint(&key.name).is_some() {
            return Err(lost("its name belongs to something else there"));
        }
        let definitions = Definitions::new(self.ask.before);
        let text = definitions.constraint(self.parent, key, &key.name, Add::NotValid).map_err(|gap| lost(gap.reason()))?;
        let (table, name) = (self.name.sql(), key.name.sql());
        let add = Phase::new(Stage::Migrate, format!("add {}", key.name))
            .why("The parent's foreign key, for new rows alone: no row is looked up yet.")
            .meanwhile("reads go on; writes to both tables wait for a moment")
            // Like the parent it has no index for the key if that has none.
            .run_accepting(format!("ALTER TABLE {table} ADD {text}"), &["add-foreign-key-without-index"])
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"));
        let validate = Phase::new(Stage::Migrate, format!("validate {}", key.name))
            .why("Looks all rows up while reads and writes go on.")
            .meanwhile("reads and writes as before")
            .run(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
            .verify(is_validated(self.name, &key.name));
        Ok([add, validate])
    }

    fn attach(&self, checks: &[Check]) -> Phase {
        let parent = self.parent_name.sql();
        let written = self.ask.statements.first().map_or(String::new(), |statement| {
            let clauses = Clauses::of(self.ask.source, statement.span);
            clauses.text(0, clauses.len())
        });
        let mut phase = Phase::new(Stage::Contract, "attach")
            .why(format!("All is proven, so ATTACH PARTITION reads no row. {parent} stays open to reads and writes."))
            .meanwhile(format!("reads and writes of {parent} as before; those of {} wait for a moment", self.name.sql()))
            .run_accepting(written, ATTACH)
            .back(format!("ALTER TABLE {parent} DETACH PARTITION {}", self.name.sql()))
            .verify(is_partition(self.name));
        for check in checks {
            phase = phase.run_accepting(check.drop(), &["drop-constraint", "alter-table-twice"]);
        }
        phase
    }
}

pub(super) fn is_partition(name: &Name) -> String {
    format!("SELECT relispartition FROM pg_class WHERE oid = {}", index::regclass(name))
}
