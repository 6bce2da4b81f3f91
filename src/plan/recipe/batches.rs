//! A change of many rows, batch by batch, each in a transaction of its own.

use super::Cooked;
use crate::model::catalog::Relation;
use crate::model::expression::{Expression, Predicate};
use crate::model::name::{Ident, Name};
use crate::model::operation::{ConstraintKind, IndexKeyKind, Insert, InsertSource, Operation, Update};
use crate::plan::backfill::Walk;
use crate::plan::clauses::Clauses;
use crate::plan::{Ask, Phase, Refusal};

/// UPDATE, DELETE, TRUNCATE and INSERT ... SELECT in batches.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let unread = || Refusal::Unknown("this statement cannot be read well enough to be cut into batches".to_owned());
    let clauses = Clauses::of(ask.source, ask.statements.first().ok_or_else(unread)?.span);
    if clauses.is(0, "with") {
        return Err(Refusal::Unknown("what stands behind WITH would be worked out anew for each batch: write it as a subquery".to_owned()));
    }
    let (verb, table, phase, differs) = match ask.operation() {
        Some(Operation::Update(update)) => ("update", &update.table, self::update(ask, update, &clauses)?, times(&update.calls)),
        Some(Operation::Delete(delete)) => {
            is_apart(&delete.reads, &delete.table)?;
            ("delete-from", &delete.table, self::delete(ask, &delete.table, delete.filter.as_ref(), &clauses)?, Vec::new())
        }
        Some(Operation::Truncate { table, cascade: false, restart_identity: false, .. }) => {
            let walk = Walk { table, qualifier: None, changed: &[] };
            let name = table.sql();
            let phase = walk.phase(ask, "in batches", &|batch| format!("DELETE FROM {name}\n        WHERE {batch}"))?;
            let phase = phase
                .why(format!("TRUNCATE would hold ACCESS EXCLUSIVE on {name}. VACUUM frees the space afterwards."))
                .verify(format!("SELECT NOT EXISTS (SELECT FROM {name})"));
            let differs = vec![format!("rows of {name} that come while it is emptied may stay, and triggers for each deleted row run")];
            ("empty", table, phase, differs)
        }
        Some(Operation::Truncate { .. }) => {
            return Err(Refusal::Window("CASCADE and RESTART IDENTITY have no form that works batch by batch".to_owned()));
        }
        Some(Operation::Insert(insert)) => {
            let conflicts = (!insert.on_conflict).then(|| {
                format!(
                    "a row that {} does not take because of a unique key is passed over, and does not stop the others",
                    insert.table.sql()
                )
            });
            let differs = times(&insert.calls).into_iter().chain(conflicts).collect();
            ("fill", &insert.table, self::insert(ask, insert, &clauses)?, differs)
        }
        _ => return Err(unread()),
    };
    let phase = phase
        .meanwhile("reads and writes go on; some rows are changed before others, and a writer waits for one batch at most")
        .no_way_back("what the rows were before is not kept");
    Ok(Cooked { name: format!("{verb}-{}", table.name), phases: vec![phase], manual: Vec::new(), differs })
}

/// What it is to be told that a batch has a time of its own.
fn times(calls: &[Name]) -> Vec<String> {
    const NOW: [&str; 4] = ["now", "current_timestamp", "transaction_timestamp", "statement_timestamp"];
    let called = calls.iter().find(|call| NOW.contains(&call.name.as_str()));
    called.map(|call| format!("{} is the time of each batch, not one for all rows", call.name)).into_iter().collect()
}

/// The statement does not read the table that it changes: batches would see what those before them have done.
fn is_apart(reads: &[Name], table: &Name) -> Result<(), Refusal> {
    match reads.iter().any(|read| read.name == table.name) {
        true => Err(Refusal::Unknown(format!(
            "it reads `{}` while it changes it: later batches would see what earlier ones have done",
            table.sql()
        ))),
        false => Ok(()),
    }
}

/// The table of UPDATE or DELETE in its clauses: what its columns may be qualified by, and what stands behind it.
struct Target {
    alias: Option<Ident>,
    /// The first place behind table and alias.
    behind: usize,
}

fn target(clauses: &Clauses<'_>, at: usize, ends: &[&str]) -> Target {
    let at = if clauses.is(at, "only") { at + 1 } else { at };
    let mut behind = clauses.behind_name(at);
    if clauses.is(behind, "as") {
        behind += 1;
    } else if behind >= clauses.len() || ends.iter().any(|word| clauses.is(behind, word)) {
        return Target { alias: None, behind };
    }
    Target { alias: clauses.ident(behind), behind: behind + 1 }
}

fn update(ask: &Ask<'_>, update: &Update, clauses: &Clauses<'_>) -> Result<Phase, Refusal> {
    is_apart(&update.reads, &update.table)?;
    can_run_again(update, clauses)?;
    let Target { alias, behind } = target(clauses, 1, &["set"]);
    let end = clauses.find(behind, &["returning"]).unwrap_or(clauses.len());
    let filter = clauses.find(behind, &["where"]).unwrap_or(end);
    let joins = clauses.find(behind, &["from"]).is_some_and(|from| from < filter);
    let qualifier = alias.or_else(|| joins.then(|| update.table.name.clone()));
    let walk = Walk { table: &update.table, qualifier: qualifier.as_ref(), changed: &update.columns };
    let (head, condition) = (clauses.text(0, filter), condition(clauses, filter, end));
    let change = |batch: &str| format!("{head}\n        WHERE {batch}{condition}");
    let phase = walk.phase(ask, "in batches", &change)?;
    if phase.batches.as_ref().is_some_and(|batches| batches.key == ["ctid"]) {
        return Err(Refusal::Unknown(format!(
            "`{}` has no key, and rows that others change meanwhile could not be told from those that are done",
            update.table.sql()
        )));
    }
    Ok(phase.why("Each batch is a transaction of its own: it holds few rows for a moment. It may be stopped and run again."))
}

/// ` AND (...)` of the statement's own WHERE.
fn condition(clauses: &Clauses<'_>, filter: usize, end: usize) -> String {
    if filter < end { format!(" AND ({})", clauses.text(filter + 1, end)) } else { String::new() }
}

fn delete(ask: &Ask<'_>, table: &Name, filter: Option<&Expression>, clauses: &Clauses<'_>) -> Result<Phase, Refusal> {
    let Target { alias, behind } = target(clauses, 2, &["using", "where", "returning"]);
    let end = clauses.find(behind, &["returning"]).unwrap_or(clauses.len());
    let at = clauses.find(behind, &["where"]).unwrap_or(end);
    let joins = clauses.is(behind, "using");
    let qualifier = alias.or_else(|| joins.then(|| table.name.clone()));
    let walk = Walk { table, qualifier: qualifier.as_ref(), changed: &[] };
    let (head, condition) = (clauses.text(0, at), condition(clauses, at, end));
    let phase = walk.phase(ask, "in batches", &|batch| format!("{head}\n        WHERE {batch}{condition}"))?;
    let phase = phase.why("Each batch is a transaction of its own: it holds few rows for a moment. It may be stopped and run again.");
    let whole = match filter {
        _ if joins || qualifier.is_some() => None,
        Some(_) => Some(format!(" WHERE {}", clauses.text(at + 1, end))),
        None => Some(String::new()),
    };
    Ok(match whole {
        Some(rest) => phase.verify(format!("SELECT NOT EXISTS (SELECT FROM {}{rest})", table.sql())),
        None => phase,
    })
}

/// A run that was stopped is begun again from the first row: what is done already must not be done twice.
fn can_run_again(update: &Update, clauses: &Clauses<'_>) -> Result<(), Refusal> {
    let fills = |part: &Predicate| matches!(part, Predicate::IsNull(column) if update.columns.contains(column));
    if update.filter.as_ref().is_some_and(|filter| filter.conjuncts.iter().any(fills)) {
        return Ok(());
    }
    const EACH_TIME_ANOTHER: [&str; 7] =
        ["random", "nextval", "gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "clock_timestamp"];
    if let Some(call) = update.calls.iter().find(|call| EACH_TIME_ANOTHER.contains(&call.name.as_str())) {
        return Err(Refusal::Unknown(format!(
            "{}() gives another value each time, and a run that was stopped begins again: add WHERE ... IS NULL of the column that it fills",
            call.name
        )));
    }
    let set = clauses.find(0, &["set"]).unwrap_or_default();
    let end = clauses.find(set, &["from", "where", "returning"]).unwrap_or(clauses.len());
    let filter = clauses.find(end, &["where"]).map_or(String::new(), |at| clauses.text(at + 1, clauses.len()));
    for (column, value, text) in assignments(clauses, set + 1, end) {
        let reads =
            value.clone().any(|at| clauses.ident(at).is_some_and(|name| update.columns.contains(&name)) && !clauses.is_mark(at + 1, "("));
        let tells_done = [" <> ", " != ", " IS DISTINCT FROM "].iter().any(|differs| filter.contains(&format!("{column}{differs}{text}")));
        if reads && !tells_done {
            return Err(Refusal::Unknown(format!(
                "`{text}` reads what the statement changes, and a run that was stopped begins again: add WHERE {column} IS DISTINCT FROM {text}, \
                 if that tells rows that are done from the others"
            )));
        }
    }
    Ok(())
}

/// `column = value`, one after the other: the column, the places of the value and its text.
fn assignments(clauses: &Clauses<'_>, start: usize, end: usize) -> Vec<(String, std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut begin = start;
    for at in start..=end {
        if at == end || (clauses.depth(at) == 0 && clauses.is_mark(at, ",")) {
            if let Some(sign) = (begin..at).find(|place| clauses.depth(*place) == 0 && clauses.text(*place, *place + 1) == "=") {
                found.push((clauses.text(begin, sign), sign + 1..at, clauses.text(sign + 1, at)));
            }
            begin = at + 1;
        }
    }
    found
}

/// Words behind which one row of the source is no longer one row of the result.
const TOGETHER: [&str; 13] =
    ["group", "having", "union", "intersect", "except", "limit", "offset", "fetch", "distinct", "window", "over", "right", "full"];

const AGGREGATES: [&str; 14] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "bool_and",
    "bool_or",
    "every",
];

fn insert(ask: &Ask<'_>, insert: &Insert, clauses: &Clauses<'_>) -> Result<Phase, Refusal> {
    let no = |why: &str| Refusal::Unknown(why.to_owned());
    if !matches!(insert.source, InsertSource::Query { .. }) {
        return Err(no("rows that are written out are a job for COPY, or for several statements"));
    }
    let select = clauses.find(0, &["select"]).ok_or_else(|| no("only INSERT ... SELECT ... FROM can be cut into batches"))?;
    if let Some(at) = clauses.find(select, &TOGETHER) {
        return Err(no(&format!("{} puts rows together that may lie in two batches", clauses.text(at, at + 1).to_uppercase())));
    }
    if let Some(call) = insert.calls.iter().find(|call| AGGREGATES.contains(&call.name.as_str())) {
        return Err(no(&format!("{}() puts rows together that may lie in two batches", call.name)));
    }
    is_apart(&insert.reads, &insert.table)?;
    let from = clauses.find(select, &["from"]).ok_or_else(|| no("it reads no table"))?;
    let source = source_name(clauses, from + 1).ok_or_else(|| no("it does not read a table first"))?;
    let ends = ["where", "join", "inner", "left", "cross", "natural", "order", "on", "returning", "as"];
    let Target { alias, .. } = target(clauses, from + 1, &ends);
    let end = clauses.find(from, &["order", "returning"]).unwrap_or(clauses.len());
    let conflict = (from..clauses.len()).find(|at| clauses.is(*at, "on") && clauses.is(at + 1, "conflict"));
    let end = end.min(conflict.unwrap_or(end));
    let filter = clauses.find(from, &["where"]).unwrap_or(end);
    let does_nothing_twice = match conflict {
        Some(at) => format!("\n      {}", clauses.text(at, clauses.find(at, &["returning"]).unwrap_or(clauses.len()))),
        None => {
            tells_rows_apart(ask, insert)?;
            "\n        ON CONFLICT DO NOTHING".to_owned()
        }
    };
    let qualifier = alias.unwrap_or_else(|| source.name.clone());
    let walk = Walk { table: &source, qualifier: Some(&qualifier), changed: &[] };
    let (head, condition) = (clauses.text(0, filter), condition(clauses, filter, end));
    let change = |batch: &str| format!("{head}\n        WHERE {batch}{condition}{does_nothing_twice}");
    let phase = walk.phase(ask, "in batches", &change)?;
    Ok(phase.why(format!(
        "Goes through {} batch by batch. It may be stopped and run again: a row that is there already is passed over.",
        source.sql()
    )))
}

fn source_name(clauses: &Clauses<'_>, at: usize) -> Option<Name> {
    let at = if clauses.is(at, "only") { at + 1 } else { at };
    let first = clauses.ident(at)?;
    match clauses.is_mark(at + 1, ".") {
        true => Some(Name { schema: Some(first), name: clauses.ident(at + 2)? }),
        false if clauses.is_mark(at + 1, "(") => None,
        false => Some(Name::bare(first)),
    }
}

/// A unique key among the columns that are filled keeps a batch that runs twice from doing so twice.
fn tells_rows_apart(ask: &Ask<'_>, insert: &Insert) -> Result<(), Refusal> {
    let table = ask.table(&insert.table)?;
    let is_given = |column: &Ident| insert.columns.is_empty() || insert.columns.contains(column);
    let by_key = |table: &Relation| {
        table.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => !key.columns.is_empty() && key.columns.iter().all(is_given),
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey(_) => false,
        })
    };
    let by_index = ask.before.indexes_of(table).any(|(_, index)| {
        let given = |column: &IndexKeyKind| matches!(column, IndexKeyKind::Column(column) if is_given(column));
        index.unique && index.predicate.is_none() && index.keys.iter().all(|key| given(&key.what))
    });
    match by_key(table) || by_index {
        true => Ok(()),
        false => Err(Refusal::Unknown(format!(
            "no unique key of `{}` is known among the columns that are filled, so a batch that runs twice would put its rows in twice",
            insert.table.sql()
        ))),
    }
}
