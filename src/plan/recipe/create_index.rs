//! An index, built while everybody goes on reading and writing; that of a partitioned table, partition by partition.

use super::{Cooked, is_known};
use crate::model::catalog::{Catalog, Relation, Step};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{CreateIndex, ObjectKind, Operation};
use crate::plan::clauses::Clauses;
use crate::plan::{Ask, Phase, Refusal, Stage, index};

/// CREATE INDEX CONCURRENTLY, for a partitioned table on each partition.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::CreateIndex(create)) = ask.operation() else { return Err(Refusal::Unknown("this makes no index".to_owned())) };
    let table = ask.table(&create.table)?;
    let made = ask.before.index_name(create);
    if is_known(ask.before, &made) {
        return Err(Refusal::Unknown(format!("there is something called `{}` already", made.name)));
    }
    if create.only && !(create.concurrently && table.partition_by.is_some()) {
        return Err(Refusal::Unknown("ON ONLY builds nothing, so there is nothing to plan".to_owned()));
    }
    let written = Written::of(ask, create).ok_or_else(|| Refusal::Unknown("this CREATE INDEX cannot be read".to_owned()))?;
    let phases = if table.partition_by.is_some() {
        on_partitions(ask, create, table, &written)?
    } else {
        let index = written.called(&made);
        vec![Phase { title: "concurrently".to_owned(), ..index::build(Stage::Expand, written.concurrently(&index, &create.table), &index) }]
    };
    let name = format!("index-{}", made.name);
    let differs = if create.if_not_exists {
        vec![format!("where {} exists already the plan fails, and does not pass over it: it might be what a failed build left", made.name)]
    } else {
        Vec::new()
    };
    Ok(Cooked { name, phases, manual: Vec::new(), differs })
}

/// What stands around the names in a CREATE INDEX.
struct Written {
    unique: bool,
    /// The schema of the table, which is the index's too.
    home: Ident,
    /// Whether the statement says it.
    with_schema: bool,
    /// What follows the name of the table.
    tail: String,
}

impl Written {
    fn of(ask: &Ask<'_>, create: &CreateIndex) -> Option<Self> {
        let clauses = Clauses::of(ask.source, ask.statements.first()?.span);
        let on = clauses.find(0, &["on"])?;
        let name = if clauses.is(on + 1, "only") { on + 2 } else { on + 1 };
        let tail = clauses.text(clauses.behind_name(name), clauses.len());
        let home = ask.before.resolve(&create.table).schema;
        Some(Self { unique: create.unique, home, with_schema: create.table.schema.is_some(), tail })
    }

    /// How statements call an index or a table: with its schema if the statement does so, or if it is another one.
    fn called(&self, name: &QualifiedName) -> Name {
        let says = self.with_schema || name.schema != self.home;
        Name { schema: says.then(|| name.schema.clone()), name: name.name.clone() }
    }

    fn concurrently(&self, index: &Name, table: &Name) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        format!("CREATE {unique}INDEX CONCURRENTLY {} ON {} {}", index.name.sql(), table.sql(), self.tail)
    }

    fn of_parent_alone(&self, index: &Name, table: &Name) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        format!("CREATE {unique}INDEX {} ON ONLY {} {}", index.name.sql(), table.sql(), self.tail)
    }
}

/// The parent's index alone, then those of the partitions, each built CONCURRENTLY and attached.
fn on_partitions(ask: &Ask<'_>, create: &CreateIndex, table: &Relation, written: &Written) -> Result<Vec<Phase>, Refusal> {
    let family: Vec<_> = [table.name.clone()].into_iter().chain(ask.before.descendants(&table.name)).collect();
    for name in &family {
        match ask.before.get(name) {
            Some(known) if !known.complete => {
                return Err(Refusal::Unknown(format!("the history does not tell all partitions of `{}`", name.name)));
            }
            Some(known) if known.kind == ObjectKind::ForeignTable => {
                return Err(Refusal::Unknown(format!("`{}` is a foreign table, which has no indexes", name.name)));
            }
            Some(_) | None => {}
        }
    }
    // The names of the partitions' indexes are those that the statement would have given them.
    let mut after = ask.before.clone();
    after.replay(&Operation::CreateIndex(Box::new(CreateIndex { concurrently: false, ..create.clone() })), Step::BASE);
    let top = ask.before.index_name(create);
    let whole = written.called(&top);
    // With CONCURRENTLY the server refuses ONLY as well, though the parent's index alone is made in a moment.
    let only = create.only;
    let mut phases = vec![parent_phase(written, &whole, &create.table).back(format!("DROP INDEX IF EXISTS {}", whole.sql()))];
    // Indexes of partitioned tables first: they are made in a moment, and what is built later has its place then.
    let mut leaves = Vec::new();
    let mut todo = if only { Vec::new() } else { vec![top] };
    while let Some(parent) = todo.pop() {
        for child in children(&after, &parent) {
            let table = after.get(&child).and_then(|relation| after.get(&relation.index.as_ref()?.table));
            let Some(table) = table else { continue };
            if table.partition_by.is_some() && !is_known(ask.before, &child) {
                let index = written.called(&child);
                let attach = format!("ALTER INDEX {} ATTACH PARTITION {}", written.called(&parent).sql(), index.sql());
                let phase = parent_phase(written, &index, &written.called(&table.name)).run(attach);
                phases.push(phase.back(format!("DROP INDEX IF EXISTS {}", whole.sql())));
                todo.push(child);
            } else {
                leaves.push((parent.clone(), child, table));
            }
        }
    }
    // What was there before comes last: once it is attached, the way back would take it along.
    leaves.sort_by_key(|(_, child, _)| is_known(ask.before, child));
    for (parent, child, table) in leaves {
        let (parent, index) = (written.called(&parent), written.called(&child));
        let attach = index::attach(&whole, &parent, &index);
        if is_known(ask.before, &child) {
            phases.push(attach.no_way_back(format!("{} was there before, and would go with {}", index.sql(), whole.sql())));
        } else {
            phases.push(index::build(Stage::Migrate, written.concurrently(&index, &written.called(&table.name)), &index));
            phases.push(attach);
        }
    }
    if let Some(phase) = phases.last_mut().filter(|_| !only) {
        phase.verify.push(index::is_valid(&whole));
    }
    Ok(phases)
}

fn children(after: &Catalog, index: &QualifiedName) -> Vec<QualifiedName> {
    after.get(index).map_or(Vec::new(), |relation| relation.children.clone())
}

/// The index of a partitioned table without those of its partitions.
fn parent_phase(written: &Written, index: &Name, table: &Name) -> Phase {
    let name = index.sql();
    Phase::new(Stage::Expand, format!("make {}", index.name))
        .why(format!("Makes {name} for the parent alone, which reads no row. It is not valid, and nothing uses it, until each partition has its part."))
        .meanwhile("reads go on; writes wait for a moment")
        .run(written.of_parent_alone(index, table))
}
