//! Facts about what an operation drops, renames or adds a value to, and about what its file does to the same thing elsewhere.

use super::{Fact, Kind, Value, column, remade, table};
use crate::model::catalog::Lookup;
use crate::model::expression::{Constant, Expression};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, Detach, InsertSource, ObjectKind, Operation, Realm};
use crate::rule::moment::Moment;

#[rustfmt::skip]
const DROPS: &[OpKind] = &[
    OpKind::DropTable, OpKind::DropIndex, OpKind::DropView, OpKind::DropMaterializedView, OpKind::DropSequence, OpKind::DropType,
    OpKind::DropDomain, OpKind::DropFunction, OpKind::DropTrigger, OpKind::DropRule, OpKind::DropPolicy, OpKind::DropStatistics,
    OpKind::DropSchema, OpKind::DropExtension, OpKind::DropDatabase, OpKind::DropTablespace, OpKind::DropPublication,
    OpKind::DropSubscription, OpKind::DropObject,
];

const CASCADES: &[OpKind] = &[OpKind::Truncate, OpKind::DropColumn, OpKind::DropConstraint];

#[rustfmt::skip]
const CONCURRENT: &[OpKind] = &[
    OpKind::CreateIndex, OpKind::DropIndex, OpKind::Reindex, OpKind::DetachPartition, OpKind::RefreshMaterializedView, OpKind::Repack,
    OpKind::Cluster, OpKind::Vacuum, OpKind::Other, OpKind::Reset,
];

const REPLACEABLE: &[OpKind] = &[OpKind::DropColumn, OpKind::RenameColumn, OpKind::DropTable, OpKind::RenameTable];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "object", kind: Kind::Words(STATES), of: DROPS, read: object,
           doc: "what is dropped: `new` if this migration made it, or gave it its name, `absent` if the history is sure of it" },
    Fact { name: "object", kind: Kind::Text, of: CASCADES, read: |m| column::name(m).map(|c| c.sql()).or_else(|| table::name(m).map(|t| t.sql())).into(),
           doc: "what is dropped or emptied" },
    Fact { name: "object_kind", kind: Kind::Words(&["table", "foreign_table", "other"]), of: DROPS, read: object_kind,
           doc: "whether a table or a foreign table is dropped" },
    Fact { name: "cascade", kind: Kind::Bool, of: DROPS, read: cascade, doc: "CASCADE is said" },
    Fact { name: "cascade", kind: Kind::Bool, of: CASCADES, read: cascade, doc: "CASCADE is said" },
    Fact { name: "concurrently", kind: Kind::Bool, of: CONCURRENT, read: concurrently, doc: "CONCURRENTLY is said" },
    Fact { name: "only", kind: Kind::Bool, of: &[OpKind::CreateIndex], read: only,
           doc: "ON ONLY a partitioned table: the parent's index alone, which has no rows" },
    Fact { name: "full", kind: Kind::Bool, of: &[OpKind::Vacuum], read: |m| matches!(m.operation(), Some(Operation::Vacuum { full: true, .. })).into(),
           doc: "VACUUM FULL" },
    Fact { name: "index", kind: Kind::Text, of: &[OpKind::CreateIndex, OpKind::DropIndex], read: index,
           doc: "the index's name, as written or as the server chooses it" },
    Fact { name: "partitioned", kind: Kind::Bool, of: &[OpKind::DropIndex], read: partitioned,
           doc: "an index on a partitioned table, for which there is no CONCURRENTLY" },
    Fact { name: "procedure", kind: Kind::Text, of: &[OpKind::Call, OpKind::Select], read: |m| called(m).map(Name::sql).into(),
           doc: "the procedure that is called, or the first function of which nothing tells that it runs no DDL" },
    Fact { name: "calls_unseen", kind: Kind::Bool, of: &[OpKind::Select], read: |m| called(m).is_some().into(),
           doc: "a function is called that the server did not bring and that nobody declared STABLE or IMMUTABLE" },
    Fact { name: "replaced_here", kind: Kind::Bool, of: REPLACEABLE, read: replaced_here,
           doc: "the same file adds a column or table and copies rows into it from this one" },
    Fact { name: "emptied", kind: Kind::Bool, of: &[OpKind::AddColumn], read: emptied,
           doc: "the transaction has deleted all rows of the table, and has put none into it since" },
    Fact { name: "backfilled_before", kind: Kind::Bool, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).is_some().into(),
           doc: "an earlier statement of the file copies rows into a column that the file adds" },
    Fact { name: "backfill_line", kind: Kind::Number, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).map(|by| super::session::line_of(m, by)).into(),
           doc: "the line of that statement" },
    Fact { name: "value", kind: Kind::Text, of: &[OpKind::AddEnumValue], read: |m| match m.operation() { Some(Operation::AddEnumValue { value, .. }) => Value::Text((&**value).into()), _ => Value::Unknown },
           doc: "the enum value that is added" },
    Fact { name: "type", kind: Kind::Text, of: &[OpKind::AddEnumValue], read: |m| match m.operation() { Some(Operation::AddEnumValue { name, .. }) => name.sql().into(), _ => Value::Unknown },
           doc: "the enum type" },
    Fact { name: "used_later_in_transaction", kind: Kind::Bool, of: &[OpKind::AddEnumValue], read: used_later,
           doc: "a later statement of the same transaction holds the value as a literal" },
    Fact { name: "type_made_in_transaction", kind: Kind::Bool, of: &[OpKind::AddEnumValue], read: type_made,
           doc: "the enum type was made in the same transaction" },
    Fact { name: "guarded", kind: Kind::Bool, of: OpKind::ALL, read: |m| m.operation().map(is_guarded).into(),
           doc: "IF EXISTS, IF NOT EXISTS or OR REPLACE is said" },
    Fact { name: "statement_words", kind: Kind::Text, of: &[OpKind::Vacuum, OpKind::Other, OpKind::Reindex, OpKind::Cluster, OpKind::Repack, OpKind::Reset], read: statement_words,
           doc: "the statement's leading words" },
    Fact { name: "reason", kind: Kind::Text, of: &[OpKind::Unreadable, OpKind::AlterUnreadable], read: reason,
           doc: "what stopped the reading" },
];

fn object<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    match drop.object.realm() {
        Some(realm) => state(m, realm, &drop.name),
        None => Value::Named(if is_part_made_here(m, drop.object, &drop.name) { "new" } else { "existing" }, drop.name.sql().into()),
    }
}

/// What [`state`] may be.
pub(super) const STATES: &[&str] = &["existing", "new", "absent"];

/// Whether code can know a thing that has a name of its own. A temporary relation is nobody else's.
pub(super) fn state<'a>(m: &Moment<'a>, realm: Realm, name: &Name) -> Value<'a> {
    let state = match realm {
        _ if remade::is_named_here(m, realm, name) => "new",
        Realm::Relation => match table::state(m, name) {
            "temporary" => "new",
            state => state,
        },
        _ if is_absent(m, realm, name) => "absent",
        Realm::Type | Realm::Function | Realm::Schema | Realm::Extension => "existing",
    };
    Value::Named(state, name.sql().into())
}

fn is_absent(m: &Moment<'_>, realm: Realm, name: &Name) -> bool {
    match realm {
        Realm::Relation => m.before.relation(name) == Lookup::Absent,
        Realm::Type => m.before.user_type(name) == Lookup::Absent,
        Realm::Schema => m.before.schema(&name.name) == Lookup::Absent,
        // Extensions bring functions that no file shows.
        Realm::Function | Realm::Extension => false,
    }
}

/// Whether an earlier statement of the file makes a trigger or policy of this name.
fn is_part_made_here(m: &Moment<'_>, kind: ObjectKind, name: &Name) -> bool {
    earlier(m).any(|(_, operation)| match (kind, operation) {
        (ObjectKind::Trigger, Operation::CreateTrigger(trigger)) => trigger.name == name.name && !trigger.or_replace,
        (ObjectKind::Policy, Operation::Policy(policy)) => policy.create && policy.name == name.name,
        _ => false,
    })
}

/// The operations before this one in its file, with the index of their statement.
pub(super) fn earlier<'a>(m: &Moment<'a>) -> impl Iterator<Item = (usize, &'a Operation)> {
    let here = m.index.unwrap_or(0);
    m.file[..here]
        .iter()
        .enumerate()
        .flat_map(|(index, statement)| statement.operations.iter().map(move |operation| (index, &operation.what)))
}

/// The operations behind this one's statement that run in the same transaction.
fn later_in_transaction<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Operation> {
    let next = m.index.map_or(0, |here| here + 1);
    let rest = if m.session.in_transaction() { &m.file[next.min(m.file.len())..] } else { &[] };
    let all = rest.iter().flat_map(|statement| statement.operations.iter().map(|operation| &operation.what));
    all.take_while(|operation| !matches!(operation, Operation::Commit { .. } | Operation::Rollback { .. }))
}

fn object_kind<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.operation() {
        Some(Operation::Drop(drop)) if drop.object == ObjectKind::Table => "table",
        Some(Operation::Drop(drop)) if drop.object == ObjectKind::ForeignTable => "foreign_table",
        _ => "other",
    })
}

fn cascade<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Drop(drop)), _) => drop.cascade.into(),
        (Some(Operation::Truncate { cascade, .. }), _) => (*cascade).into(),
        (_, Some(AlterAction::DropColumn { cascade, .. } | AlterAction::DropConstraint { cascade, .. })) => (*cascade).into(),
        _ => Value::Unknown,
    }
}

fn concurrently<'a>(m: &Moment<'a>) -> Value<'a> {
    let said = match m.operation() {
        Some(Operation::CreateIndex(index)) => index.concurrently,
        Some(Operation::Drop(drop)) => drop.concurrently,
        Some(Operation::Reindex(reindex)) => reindex.concurrently,
        Some(Operation::RefreshMaterializedView { concurrently, .. } | Operation::Repack { concurrently, .. }) => *concurrently,
        _ => matches!(column::alter(m), Some(AlterAction::DetachPartition { how: Detach::Concurrently, .. })),
    };
    said.into()
}

fn only<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::CreateIndex(index)) = m.operation() else { return Value::Unknown };
    match table::relation(m) {
        // On a plain table ONLY changes nothing.
        Some(relation) => (index.only && relation.partition_by.is_some()).into(),
        None => index.only.into(),
    }
}

fn index<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateIndex(index)) => m.before.index_name(index).name.sql().into(),
        Some(Operation::Drop(drop)) => drop.name.sql().into(),
        _ => Value::Unknown,
    }
}

/// An index that nobody has seen is taken to be a plain one.
fn partitioned<'a>(m: &Moment<'a>) -> Value<'a> {
    table::relation(m).is_some_and(|relation| relation.partition_by.is_some()).into()
}

fn replaced_here<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return Value::Unknown };
    match column::name(m) {
        Some(column) => copies_out_of(m, &table, column).into(),
        None => (earlier(m).any(|(_, operation)| copies_into_another_table(m, operation, &table)) && !comes_back(m, &table)).into(),
    }
}

/// An earlier UPDATE that sets a column which this file adds, reads the table, and names the old column.
fn copies_out_of(m: &Moment<'_>, table: &QualifiedName, column: &Ident) -> bool {
    earlier(m).any(|(index, operation)| {
        let Operation::Update(update) = operation else { return false };
        let target = m.before.resolve(&update.table);
        let reads = target == *table || update.reads.iter().any(|read| m.before.resolve(read) == *table);
        reads && sets_new_column(m, &target, &update.columns) && names(&m.source.text(m.file[index].span), column)
    })
}

/// Whether another table takes the name in the same transaction: code finds what it asks for.
fn comes_back(m: &Moment<'_>, table: &QualifiedName) -> bool {
    later_in_transaction(m).any(|operation| match operation {
        Operation::Alter(target, action) => {
            matches!(&**action, AlterAction::RenameTo { to } if *to == table.name) && m.before.resolve(&target.name) != *table
        }
        _ => false,
    })
}

fn emptied<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return Value::Unknown };
    let is_it = |name: &Name| m.before.resolve(name) == table;
    let start = m.session.transaction_start().unwrap_or(usize::MAX);
    let mut empty = false;
    for (_, operation) in earlier(m).filter(|(index, _)| *index >= start) {
        match operation {
            Operation::Truncate { table, .. } if is_it(table) => empty = true,
            Operation::Delete(delete) if is_it(&delete.table) => empty |= delete.filter.is_none() && !delete.current_of,
            Operation::Insert(insert) if is_it(&insert.table) => empty = false,
            Operation::Copy { table: Some(table), from: true, .. } if is_it(table) => empty = false,
            Operation::Merge { table, .. } if is_it(table) => empty = false,
            _ => {}
        }
    }
    empty.into()
}

/// Whether a column stands anywhere in a text, in whatever role.
fn names(text: &str, column: &Ident) -> bool {
    let name = column.as_str();
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    if name.chars().all(in_word) { text.split(|c| !in_word(c)).any(|word| word.eq_ignore_ascii_case(name)) } else { text.contains(name) }
}

/// Whether one of the columns is one that this file adds to an older table.
fn sets_new_column(m: &Moment<'_>, table: &QualifiedName, columns: &[Ident]) -> bool {
    let Some(relation) = m.before.get(table) else { return false };
    let is_new = |name| relation.column(name).is_some_and(|column| column.added_in == m.step && relation.made_in != Some(m.step));
    columns.iter().any(is_new)
}

/// The index of an earlier UPDATE of the table that sets a column which this file adds.
fn copies_into_new_column(m: &Moment<'_>, table: &QualifiedName) -> Option<usize> {
    earlier(m).find_map(|(index, operation)| match operation {
        Operation::Update(update) if m.before.resolve(&update.table) == *table && sets_new_column(m, table, &update.columns) => Some(index),
        _ => None,
    })
}

/// INSERT INTO another table, SELECT FROM the old one.
fn copies_into_another_table(m: &Moment<'_>, operation: &Operation, old: &QualifiedName) -> bool {
    let reads_old = |reads: &[Name]| reads.iter().any(|read| m.before.resolve(read) == *old);
    match operation {
        Operation::Insert(insert) => {
            let from_query = matches!(insert.source, InsertSource::Query { .. });
            from_query
                && reads_old(&insert.reads)
                && m.before.resolve(&insert.table) != *old
                && table::state(m, &insert.table) != "temporary"
        }
        Operation::CreateTableAs(made) => reads_old(&made.reads),
        _ => false,
    }
}

fn backfill_before(m: &Moment<'_>) -> Option<usize> {
    let Some(Operation::CreateTrigger(trigger)) = m.operation() else { return None };
    let syncs = trigger.for_each_row && trigger.events.iter().any(|event| matches!(&**event, "insert" | "update"));
    syncs.then(|| copies_into_new_column(m, &m.before.resolve(&trigger.table))).flatten()
}

fn used_later<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { value, .. }) = m.operation() else { return Value::Unknown };
    later_in_transaction(m).any(|operation| holds(operation, value)).into()
}

/// Whether an operation holds a text as a literal.
fn holds(operation: &Operation, value: &str) -> bool {
    let listed = |literals: &[Box<str>]| literals.iter().any(|literal| **literal == *value);
    let in_expression = |expression: &Option<Expression>| expression.as_ref().is_some_and(|expression| says(expression, value));
    match operation {
        Operation::Insert(insert) => listed(&insert.literals),
        Operation::Update(update) => listed(&update.literals) || in_expression(&update.filter),
        Operation::Delete(delete) => in_expression(&delete.filter),
        Operation::CreateIndex(index) => in_expression(&index.predicate),
        Operation::CreateTable(table) => table.columns.iter().any(|column| in_expression(&column.what.default)),
        Operation::AddConstraint(constraint) => matches!(&constraint.kind, ConstraintKind::Check { expression } if says(expression, value)),
        Operation::Alter(_, action) => match &**action {
            AlterAction::SetDefault { default, .. } => says(default, value),
            AlterAction::AddColumn { column, .. } => in_expression(&column.default),
            AlterAction::ChangeType { using, .. } => in_expression(using),
            _ => false,
        },
        _ => false,
    }
}

fn says(expression: &Expression, value: &str) -> bool {
    match &expression.constant {
        Some(Constant::Text(text)) => **text == *value,
        _ => expression.text.contains(&format!("'{}'", value.replace('\'', "''"))),
    }
}

fn type_made<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { name, .. }) = m.operation() else { return Value::Unknown };
    let start = m.session.transaction_start().unwrap_or(usize::MAX);
    earlier(m)
        .any(|(index, operation)| index >= start && matches!(operation, Operation::CreateType { name: made, .. } if made == name))
        .into()
}

/// Whether running it twice does no harm, because it says so.
fn is_guarded(operation: &Operation) -> bool {
    match operation {
        Operation::CreateTable(table) => table.if_not_exists,
        Operation::CreateTableAs(table) => table.if_not_exists,
        Operation::CreateIndex(index) => index.if_not_exists,
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => view.or_replace || view.if_not_exists,
        Operation::CreateSequence { if_not_exists, .. }
        | Operation::CreateSchema { if_not_exists, .. }
        | Operation::CreateExtension { if_not_exists, .. }
        | Operation::CreateStatistics { if_not_exists, .. }
        | Operation::AddEnumValue { if_not_exists, .. } => *if_not_exists,
        Operation::CreateFunction(function) => function.or_replace,
        Operation::CreateTrigger(trigger) => trigger.or_replace,
        Operation::Drop(drop) => drop.if_exists,
        // A constraint that comes with its column or table shares the guard of that.
        Operation::AddConstraint(constraint) => constraint.written != crate::model::operation::Written::AddConstraint,
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { if_not_exists, .. } => *if_not_exists,
            AlterAction::DropColumn { if_exists, .. } | AlterAction::DropConstraint { if_exists, .. } => *if_exists,
            _ => false,
        },
        _ => false,
    }
}

/// The routine that may run statements which nobody sees here.
fn called<'a>(m: &Moment<'a>) -> Option<&'a Name> {
    match m.operation()? {
        Operation::Call { procedure } => Some(procedure),
        Operation::Select { calls, .. } => calls.iter().find(|call| m.before.may_change_schema(call)),
        _ => None,
    }
}

fn statement_words<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::Other { words, .. }) => words.to_uppercase().into(),
        Some(operation) => operation.kind().word().replace('_', " ").to_uppercase().into(),
        None => Value::Unknown,
    }
}

fn reason<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Unreadable { why }), _) | (_, Some(AlterAction::Unreadable { why })) => Value::Text((&**why).into()),
        _ => Value::Unknown,
    }
}
