//! Columns that move to another table, while old code writes them where they were and new code where they are.
//!
//! Naively these are three statements: ADD COLUMN, an UPDATE that copies, and DROP COLUMN. What old code writes behind the copy would be lost;
//! here triggers carry it over. Where one row belongs to one, they carry back what new code writes, too.

mod read;
mod sync;

use super::trio::Trio;
use super::{Cooked, drop_column};
use crate::model::catalog::{Column, Relation};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name};
use crate::model::operation::{ConstraintKind, IndexKeyKind, ObjectKind};
use crate::plan::backfill::Backfill;
use crate::plan::mirror::{Compared, GIVE_WAY, PREPARED, exactness};
use crate::plan::names::Names;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};
use crate::sql::Statement;
use crate::text::SourceFile;
use read::{Move, Written};
use sync::Sync;

/// What it costs that there are two places.
const CROSSING: &str = "Until the last phase, old and new code that change the same row at the same moment lock its two places in opposite \
                        order: PostgreSQL stops one of them (deadlock_detected), which is to be tried again.";

/// How many statements from the first on are such a move together; `None` if they are none.
pub(super) fn found(source: &SourceFile, statements: &[Statement]) -> Option<usize> {
    Some(Move::read(source, statements)?.trio.count())
}

/// What moves where.
struct Moving<'a> {
    trio: Trio<'a>,
    /// The table that gets the columns.
    to: &'a Relation,
    /// The table that they leave.
    from: &'a Relation,
    pairs: Vec<Pair<'a>>,
    /// The columns by which rows belong together: of the new table, and of the old one.
    keys: Vec<(Ident, Ident)>,
    /// One row belongs to one, so that what is written to the new table can be written to the old one.
    both_ways: bool,
    /// A foreign key lets no row of the new table come before the one that it belongs to.
    points_back: bool,
}

/// A column, and the one that it becomes.
struct Pair<'a> {
    to: &'a Ident,
    from: &'a Column,
    compared: Compared,
}

/// ADD COLUMN, UPDATE, DROP COLUMN.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let moving = Moving::new(ask)?;
    let (to, from) = (moving.trio.added_to, moving.trio.dropped_from);
    let sync = Sync::new(&moving, &mut Names::new(ask.before));
    let mut phases = vec![moving.expand(ask, &sync), moving.fill(ask)?];
    phases.extend(moving.not_required());
    phases.push(moving.contract(ask, &sync));
    let old = moving.pairs.iter().map(|pair| pair.from.name.as_str()).collect::<Vec<_>>().join("-");
    let name = format!("move-{}-{old}-to-{}", from.name, to.name);
    Ok(Cooked { name, phases, manual: moving.manual(ask), differs: Vec::new() })
}

impl<'a> Moving<'a> {
    fn new(ask: &Ask<'a>) -> Result<Self, Refusal> {
        let said = Move::read(ask.source, ask.statements).ok_or_else(|| {
            Refusal::Unknown("this is no move of a column: ADD COLUMN, UPDATE ... FROM and DROP COLUMN of two tables".to_owned())
        })?;
        let (to, from) = (table(ask, said.trio.added_to)?, table(ask, said.trio.dropped_from)?);
        let sides = Sides { said: &said, to, from };
        let keys = said.joined.iter().map(|pair| sides.key(pair)).collect::<Result<Vec<_>, _>>()?;
        let pairs = said.set.iter().map(|(column, value)| sides.pair(ask, column, value)).collect::<Result<Vec<_>, _>>()?;
        sides.moves_all(&pairs, &keys)?;
        for pair in &pairs {
            drop_column::can_go(from, &pair.from.name, false, &ask.before.dependents(&from.name, &pair.from.name))?;
        }
        let (new_keys, old_keys): (Vec<_>, Vec<_>) = keys.iter().cloned().unzip();
        if !is_unique(ask, from, &old_keys) {
            return Err(Refusal::Unknown(format!(
                "no unique key of `{}` is known by which each row of `{}` belongs to one of its rows",
                said.trio.dropped_from.sql(),
                said.trio.added_to.sql()
            )));
        }
        is_found(ask, to, &new_keys, said.trio.added_to)?;
        let both_ways = is_unique(ask, to, &new_keys);
        let points_back = to.constraints.iter().any(|constraint| {
            let is_immediate = !constraint.deferrable && constraint.referenced.as_ref() == Some(&from.name);
            is_immediate && matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.columns == new_keys)
        });
        Ok(Self { trio: said.trio, to, from, pairs, keys, both_ways, points_back })
    }

    fn new_names(&self) -> String {
        let (table, names) = (self.trio.added_to.sql(), self.pairs.iter().map(|pair| pair.to.sql()));
        names.map(|name| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
    }

    fn old_names(&self) -> String {
        let (table, names) = (self.trio.dropped_from.sql(), self.pairs.iter().map(|pair| pair.from.name.sql()));
        names.map(|name| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
    }

    fn titled(&self, verb: &str) -> String {
        self.pairs.iter().fold(verb.to_owned(), |title, pair| format!("{title} {}", pair.to))
    }

    fn expand(&self, ask: &Ask<'_>, sync: &Sync) -> Phase {
        let (to, from) = (self.trio.added_to.sql(), self.trio.dropped_from.sql());
        let carried = if self.both_ways { "from either table to the other" } else { "from the old place to the new one" };
        let mut phase = Phase::new(Stage::Expand, self.titled("add"))
            .why(format!(
                "The values stand in both tables from now on: triggers carry what is written {carried}. They do so with the rights of whoever \
                 writes, who needs SELECT and UPDATE on {from} and {to}."
            ))
            .meanwhile(if self.both_ways { format!("{PREPARED} {CROSSING}") } else { PREPARED.to_owned() })
            .gives_way();
        phase = self.trio.adds.iter().fold(phase, |phase, statement| phase.run(ask.text(statement.span)));
        phase = sync.create().into_iter().fold(phase, Phase::run);
        phase = std::iter::once(GIVE_WAY.to_owned()).chain(sync.drop()).fold(phase, Phase::back);
        self.pairs.iter().fold(phase, |phase, pair| phase.back(format!("ALTER TABLE {to} DROP COLUMN {}", pair.to.sql())))
    }

    fn fill(&self, ask: &Ask<'_>) -> Result<Phase, Refusal> {
        let touched = self.pairs[0].to.sql();
        let fill = Backfill { table: self.trio.added_to.sql(), set: Some(format!("{touched} = {touched}")), rows: self.unfilled() };
        Ok(fill
            .phase(ask, self.trio.added_to, self.titled("fill"))?
            .why("Rows from before the triggers get their values: each batch touches its rows, and the trigger looks up what they are to hold.")
            .meanwhile("Reads and writes go on; a write to one of the rows of a batch waits until the batch is committed.")
            .verify(self.filled()))
    }

    fn filled(&self) -> String {
        format!("SELECT NOT EXISTS (SELECT FROM {} WHERE {})", self.trio.added_to.sql(), self.unfilled())
    }

    /// Code that does not know the old columns any more leaves them out.
    fn not_required(&self) -> Option<Phase> {
        let table = self.trio.dropped_from.sql();
        let required: Vec<_> = self.pairs.iter().filter(|pair| pair.from.not_null && pair.from.default.is_none()).collect();
        let alter = |what: &str| {
            let parts = required.iter().map(|pair| format!("ALTER COLUMN {} {what}", pair.from.name.sql()));
            format!("ALTER TABLE {table} {}", parts.collect::<Vec<_>>().join(", "))
        };
        (!required.is_empty()).then(|| {
            Phase::new(Stage::Migrate, "not required")
                .why(format!("Code that does not know {} any more could insert no row into {table}.", self.old_names()))
                .meanwhile("reads and writes as before; each of them waits for a moment")
                .run_accepting(alter("DROP NOT NULL"), &["drop-not-null"])
                .back(alter("SET NOT NULL"))
        })
    }

    fn contract(&self, ask: &Ask<'_>, sync: &Sync) -> Phase {
        let (new, old) = (self.new_names(), self.old_names());
        let mut phase =
            Phase::new(Stage::Contract, self.pairs.iter().fold("drop".to_owned(), |title, pair| format!("{title} {}", pair.from.name)))
                .why(format!("Nothing reads or writes {old} any more."))
                .meanwhile(PREPARED)
                .wait_hours(48);
        phase = match self.both_ways {
            true => {
                let (to, from) = (self.trio.added_to.sql(), self.trio.dropped_from.sql());
                let (belong, differ) = (self.belong("moved", "kept"), self.differ("moved", "kept"));
                phase
                    .deploy(format!("code that reads and writes only {new}"))
                    .assert(format!("SELECT NOT EXISTS (SELECT FROM {to} AS moved JOIN {from} AS kept ON {belong} WHERE {differ})"))
            }
            // Each row of the new table may have a value of its own by now.
            false => phase
                .deploy(format!("code that reads {new} and writes {old} as well, and when it runs everywhere, code that knows only {new}")),
        };
        phase = phase.gives_way();
        for sql in sync.drop() {
            phase = phase.run_accepting(sql, &["sync-scaffold-left-behind", "drop-trigger"]);
        }
        for statement in self.trio.drops {
            phase = phase.run_accepting(ask.text(statement.span), &["drop-column", "drop-column-silent-dependents", "replacement-parity"]);
        }
        phase.no_way_back(format!("the values of {old} are gone; before this phase code that uses them can be deployed again"))
    }

    /// What the statements leave behind.
    fn manual(&self, ask: &Ask<'_>) -> Vec<Manual> {
        let (to, from) = (self.trio.added_to.sql(), self.trio.dropped_from.sql());
        let mut manual = vec![Manual {
            thing: format!("the values of rows of {from} that have none in {to}"),
            what: format!("the statements copy them nowhere: insert rows for them into {to} before the last phase if somebody wants them"),
        }];
        for pair in &self.pairs {
            let dependents = ask.before.dependents(&self.from.name, &pair.from.name);
            let of_itself = dependents.indexes.iter().filter(|index| index.index.as_ref().is_some_and(|index| index.constraint.is_none()));
            let indexes = of_itself.map(|index| format!("index {}", index.name.name.sql()));
            let constraints = dependents.constraints.iter().map(|constraint| format!("constraint {}", constraint.name.sql()));
            let default = pair.from.default.is_some().then(|| format!("the default of {}", pair.from.name.sql()));
            let required = pair.from.not_null.then(|| format!("NOT NULL of {}", pair.from.name.sql()));
            let new = pair.to.sql();
            let what = || {
                format!(
                    "it goes with the column, and {to}.{new} has nothing like it: build it there before the last phase if code needs it"
                )
            };
            manual.extend(indexes.chain(constraints).chain(default).chain(required).map(|thing| Manual { thing, what: what() }));
        }
        manual.dedup_by(|one, other| one.thing == other.thing);
        manual
    }
}

/// A table whose rows a trigger sees, all of them.
fn table<'a>(ask: &Ask<'a>, name: &Name) -> Result<&'a Relation, Refusal> {
    let relation = ask.table(name)?;
    let not_alone = relation.partition_of.is_some() || !relation.inherits.is_empty() || relation.of_type.is_some();
    let has_parts = relation.partition_by.is_some();
    let reached = relation.children.is_empty() || has_parts && ask.server >= Version(13);
    if relation.kind != ObjectKind::Table || not_alone || !reached {
        return Err(Refusal::Window(format!(
            "no trigger on `{}` sees all of its rows and those that come: it is no plain table",
            name.sql()
        )));
    }
    Ok(relation)
}

/// The two tables of the statements, and what names mean between them.
struct Sides<'a, 's> {
    said: &'s Move<'a>,
    to: &'a Relation,
    from: &'a Relation,
}

/// A column of one of two tables.
enum Side {
    To,
    From,
}

impl<'a> Sides<'a, '_> {
    fn side(&self, column: &Written) -> Result<Side, Refusal> {
        let unclear = || Refusal::Unknown(format!("it cannot be told which table `{}` in the UPDATE is a column of", column.name));
        let (to, from) = (&self.said.to, &self.said.from);
        match &column.of {
            Some(of) if of == from && of != to => Ok(Side::From),
            Some(of) if of == to && of != from => Ok(Side::To),
            Some(_) => Err(unclear()),
            None if !self.to.complete || !self.from.complete => Err(unclear()),
            None => match (self.to.column(&column.name).is_some(), self.from.column(&column.name).is_some()) {
                (_, true) if self.said.inside => Ok(Side::From),
                (false, true) => Ok(Side::From),
                (true, false) => Ok(Side::To),
                _ => Err(unclear()),
            },
        }
    }

    fn key(&self, (left, right): &(Written, Written)) -> Result<(Ident, Ident), Refusal> {
        match (self.side(left)?, self.side(right)?) {
            (Side::To, Side::From) => Ok((left.name.clone(), right.name.clone())),
            (Side::From, Side::To) => Ok((right.name.clone(), left.name.clone())),
            _ => Err(Refusal::Unknown(
                "the UPDATE says of one table alone which rows it means: such rows would have to be told apart for good".to_owned(),
            )),
        }
    }

    fn pair(&self, ask: &Ask<'a>, column: &Ident, value: &Written) -> Result<Pair<'a>, Refusal> {
        let added = self.said.trio.added.iter().find(|added| added.name == *column);
        let from = self.from.column(&value.name).filter(|_| self.said.trio.dropped.contains(&&value.name));
        let is_theirs = matches!(self.side(value)?, Side::From);
        let (Some(added), Some(from), true) = (added, from, is_theirs) else {
            return Err(Refusal::Unknown(format!("`{}` is not set to a column that goes", column.sql())));
        };
        let data_type = ask.column(self.from, &from.name)?.data_type.as_ref();
        let Some(data_type) = data_type.filter(|data_type| added.data_type.as_ref() == Some(data_type)) else {
            return Err(Refusal::Unknown(format!(
                "`{}` has another type than `{}.{}`: move the column first, then change its type",
                column.sql(),
                self.said.trio.dropped_from.sql(),
                from.name.sql()
            )));
        };
        if from.generated.is_some() || from.identity.is_some() {
            return Err(Refusal::Unknown(format!(
                "`{}` gets its values from the server, and nothing can be written back to it",
                from.name.sql()
            )));
        }
        let collated = from.collation.is_some() || added.collation.is_some();
        Ok(Pair { to: &added.name, from, compared: exactness(data_type, collated, ask.before) })
    }

    /// Every column that goes is copied, and all of its values.
    fn moves_all(&self, pairs: &[Pair<'_>], keys: &[(Ident, Ident)]) -> Result<(), Refusal> {
        let dropped = &self.said.trio.dropped;
        if dropped.len() != pairs.len() || !dropped.iter().all(|name| pairs.iter().any(|pair| pair.from.name == **name)) {
            return Err(Refusal::Unknown("the columns that go are not those that are copied".to_owned()));
        }
        for filled in &self.said.filled {
            let goes_without_saying = match self.side(filled)? {
                Side::From => pairs.len() == 1 && pairs[0].from.name == filled.name || keys.iter().any(|(_, key)| *key == filled.name),
                Side::To => keys.iter().any(|(key, _)| *key == filled.name),
            };
            if !goes_without_saying {
                return Err(Refusal::Unknown(format!(
                    "the UPDATE leaves out rows in which `{}` has no value, and the trigger could not",
                    filled.name
                )));
            }
        }
        Ok(())
    }
}

/// The columns of each unique key of a table.
fn unique_keys<'a>(ask: &Ask<'a>, relation: &'a Relation) -> impl Iterator<Item = Vec<&'a Ident>> {
    let of_constraint = relation.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) if !key.without_overlaps && !key.columns.is_empty() => {
            Some(key.columns.iter().collect())
        }
        _ => None,
    });
    let of_index = ask.before.indexes_of(relation).filter_map(|(_, index)| {
        let column = |what: &'a IndexKeyKind| if let IndexKeyKind::Column(column) = what { Some(column) } else { None };
        let sure = index.unique && index.valid && index.predicate.is_none();
        sure.then(|| index.keys.iter().map(|key| column(&key.what)).collect::<Option<Vec<_>>>())?
    });
    of_constraint.chain(of_index)
}

/// Whether at most one row has these values.
fn is_unique(ask: &Ask<'_>, relation: &Relation, columns: &[Ident]) -> bool {
    unique_keys(ask, relation).any(|key| key.iter().all(|column| columns.contains(column)))
}

/// The rows of a table are found by these columns without reading all of it: each write to the other table looks for them.
fn is_found(ask: &Ask<'_>, relation: &Relation, columns: &[Ident], name: &Name) -> Result<(), Refusal> {
    let begins = |(_, index): (&Relation, &crate::model::catalog::Index)| {
        let first = index.keys.first().map(|key| &key.what);
        index.valid && index.predicate.is_none() && matches!(first, Some(IndexKeyKind::Column(column)) if columns.contains(column))
    };
    if ask.before.indexes_of(relation).any(begins) || is_unique(ask, relation, columns) {
        return Ok(());
    }
    let columns = columns.iter().map(Ident::sql).collect::<Vec<_>>().join(", ");
    Err(Refusal::Unknown(format!(
        "no index finds the rows of `{0}` by {columns}, as a trigger has to for each write: first CREATE INDEX CONCURRENTLY ON {0} ({columns})",
        name.sql()
    )))
}
