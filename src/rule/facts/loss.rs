//! Facts about what goes with a constraint, an index or a column: what is no longer kept true of the rows, and what takes its place.

use super::{Fact, Kind, Value, column, remade, table};
use crate::model::catalog::{Constraint, Index, Relation};
use crate::model::expression::Predicate;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, CreateIndex, IndexKey, IndexKeyKind, Operation, Realm, ReplicaIdentity};
use crate::rule::moment::Moment;

const KINDS: &[&str] = &["primary_key", "unique", "check", "not_null", "exclusion", "foreign_key", "untold", "absent"];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "constraint_kind", kind: Kind::Words(KINDS), of: &[OpKind::DropConstraint], read: |m| Value::Word(kind(m)),
           doc: "what it demands; of a constraint that the history does not know, what a name of the server's own choice says, else `untold`" },
    Fact { name: "constraint_made_here", kind: Kind::Bool, of: &[OpKind::DropConstraint], read: |m| dropped(m).is_some_and(|known| known.added_in == m.step).into(),
           doc: "this migration has added the constraint" },
    Fact { name: "referenced", kind: Kind::Text, of: &[OpKind::DropConstraint], read: |m| dropped(m).and_then(|known| known.referenced.as_ref()).map(|table| shown(m, table)).into(),
           doc: "the table that the foreign key leads to" },
    Fact { name: "columns", kind: Kind::Text, of: &[OpKind::DropConstraint, OpKind::DropIndex], read: |m| keys_in_words(m).into(),
           doc: "its columns, separated by commas; of an expression, the columns that it is over" },
    Fact { name: "unique", kind: Kind::Bool, of: &[OpKind::DropIndex], read: |m| index(m).is_some_and(|index| index.unique && index.constraint.is_none()).into(),
           doc: "the index is known to be unique, and no constraint owns it" },
    Fact { name: "replaced", kind: Kind::Bool, of: &[OpKind::DropConstraint], read: |m| is_constraint_replaced(m).into(),
           doc: "another constraint demands as much of the same columns: it is there, or the same transaction adds it" },
    Fact { name: "replaced", kind: Kind::Bool, of: &[OpKind::DropIndex], read: |m| columns(m).is_some_and(|columns| is_key_kept(m, &columns, &name_of_index(m))).into(),
           doc: "another unique index is over the same columns: it is there, or the same transaction makes it" },
    Fact { name: "part_goes", kind: Kind::Bool, of: &[OpKind::DropConstraint, OpKind::DropIndex], read: |m| part_goes(m).into(),
           doc: "the file drops a column of it too, or its table, or the table that a foreign key references" },
    Fact { name: "scaffold", kind: Kind::Bool, of: &[OpKind::DropConstraint], read: |m| dropped(m).is_some_and(|known| is_scaffold(m, known)).into(),
           doc: "a CHECK that was there to prove something, and what it proved is kept by other means: NOT NULL, the bound of a partition" },
    Fact { name: "replica_identity", kind: Kind::Words(&["primary_key", "other"]), of: &[OpKind::DropConstraint, OpKind::DropColumn], read: replica_identity,
           doc: "what logical replication knows the table's rows by" },
    Fact { name: "in_primary_key", kind: Kind::Bool, of: &[OpKind::DropColumn], read: |m| key_with_column(m).is_some().into(),
           doc: "the column is known to be part of the primary key" },
    Fact { name: "primary_key_replaced", kind: Kind::Bool, of: &[OpKind::DropColumn], read: |m| adds_primary_key(m).into(),
           doc: "the same transaction makes another primary key" },
    Fact { name: "goes_too", kind: Kind::Text, of: &[OpKind::DropColumn], read: |m| { let all = goes_too(m); (!all.is_empty()).then(|| all.join(", ")).into() },
           doc: "constraints and indexes that serve other columns too and go with this one" },
    Fact { name: "loses_more", kind: Kind::Bool, of: &[OpKind::DropColumn], read: |m| (!goes_too(m).is_empty()).into(),
           doc: "there are such constraints or indexes, and nothing takes their place" },
    Fact { name: "locked_beside", kind: Kind::Number, of: &[OpKind::DropTable], read: |m| referenced_tables(m).len().into(),
           doc: "how many other tables that existed before are known to be locked with it, since its foreign keys lead there" },
    Fact { name: "locked_beside_names", kind: Kind::Text, of: &[OpKind::DropTable], read: |m| referenced_tables(m).join(", ").into(),
           doc: "those tables" },
];

/// The constraint that DROP CONSTRAINT names, if the history knows it.
fn dropped<'a>(m: &Moment<'a>) -> Option<&'a Constraint> {
    table::relation(m)?.constraint(dropped_name(m)?)
}

fn dropped_name<'a>(m: &Moment<'a>) -> Option<&'a Ident> {
    match column::alter(m)? {
        AlterAction::DropConstraint { name, .. } => Some(name),
        _ => None,
    }
}

/// The index that DROP INDEX names, if the history knows it.
fn index<'a>(m: &Moment<'a>) -> Option<&'a Index> {
    match m.operation()? {
        Operation::Drop(drop) => table::relation_named(m.before, &drop.name)?.index.as_ref(),
        _ => None,
    }
}

fn name_of_index(m: &Moment<'_>) -> Option<QualifiedName> {
    match m.operation()? {
        Operation::Drop(drop) => Some(m.before.resolve(&drop.name)),
        _ => None,
    }
}

fn kind(m: &Moment<'_>) -> &'static str {
    match (dropped(m), dropped_name(m)) {
        (Some(known), _) => match &known.kind {
            ConstraintKind::Check { .. } => "check",
            ConstraintKind::NotNull { .. } => "not_null",
            ConstraintKind::Unique(_) => "unique",
            ConstraintKind::PrimaryKey(_) => "primary_key",
            ConstraintKind::Exclude { .. } => "exclusion",
            ConstraintKind::ForeignKey(_) => "foreign_key",
        },
        (None, _) if table::relation(m).is_some_and(|table| table.complete) => "absent",
        (None, Some(name)) => named_by_server(name),
        (None, None) => "untold",
    }
}

/// The endings that the server gives to names that it chooses (ChooseIndexName, ChooseConstraintName).
fn named_by_server(name: &Ident) -> &'static str {
    const ENDINGS: [(&str, &str); 6] = [
        ("_pkey", "primary_key"),
        ("_fkey", "foreign_key"),
        ("_key", "unique"),
        ("_check", "check"),
        ("_not_null", "not_null"),
        ("_excl", "exclusion"),
    ];
    let name = name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
    ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map_or("untold", |(_, kind)| kind)
}

/// The columns of the constraint or index; `None` if they are not known, or expressions are among them.
fn columns(m: &Moment<'_>) -> Option<Vec<Ident>> {
    match index(m) {
        Some(index) => plain_keys(&index.keys),
        None => dropped(m).map(|known| known.columns().to_vec()),
    }
}

fn keys_in_words(m: &Moment<'_>) -> Option<String> {
    let words = |key: &IndexKey| match &key.what {
        IndexKeyKind::Column(column) => column.sql(),
        IndexKeyKind::Expression(expression) if expression.columns.is_empty() => "an expression".to_owned(),
        IndexKeyKind::Expression(expression) => format!("an expression over {}", list(&expression.columns)),
    };
    match index(m) {
        Some(index) => Some(index.keys.iter().map(words).collect::<Vec<_>>().join(", ")),
        None => columns(m).map(|columns| list(&columns)),
    }
}

fn plain(key: &IndexKey) -> Option<&Ident> {
    match &key.what {
        IndexKeyKind::Column(column) => Some(column),
        IndexKeyKind::Expression(_) => None,
    }
}

/// The columns that keys are; `None` if expressions are among them.
fn plain_keys(keys: &[IndexKey]) -> Option<Vec<Ident>> {
    keys.iter().map(|key| plain(key).cloned()).collect()
}

fn list(columns: &[Ident]) -> String {
    columns.iter().map(Ident::sql).collect::<Vec<_>>().join(", ")
}

/// A name as the file would write it: without its schema if the search path leads there.
pub(super) fn shown(m: &Moment<'_>, relation: &QualifiedName) -> String {
    let bare = Name::bare(relation.name.clone());
    if m.before.resolve(&bare) == *relation { bare.sql() } else { format!("{}.{}", relation.schema.sql(), relation.name.sql()) }
}

/// What the file does to the table at the same time or later in the same transaction.
fn beside<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Operation> {
    let moment = *m;
    let with_it = move |by: usize| Some(by) == moment.index || Some(by) > moment.index && remade::shares_transaction(&moment, by);
    remade::on_same_table(m).filter(move |(by, _)| with_it(*by)).map(|(_, operation)| operation)
}

/// What the file does to the table at the same time or later, in whatever transaction.
fn beside_or_later<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Operation> {
    let here = m.index;
    remade::on_same_table(m).filter(move |(by, _)| Some(*by) >= here).map(|(_, operation)| operation)
}

fn is_constraint_replaced(m: &Moment<'_>) -> bool {
    let same_name = |operation: &Operation| matches!(operation, Operation::AddConstraint(added) if added.name.is_some() && added.name.as_ref() == dropped_name(m));
    if beside(m).any(same_name) {
        return true;
    }
    let Some(known) = dropped(m) else { return kind(m) == "primary_key" && adds_primary_key(m) };
    match &known.kind {
        ConstraintKind::PrimaryKey(_) => adds_primary_key(m),
        ConstraintKind::Unique(key) => is_key_kept(m, &key.columns, &known.index),
        ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => {
            let others = table::relation(m).into_iter().flat_map(|table| &table.constraints).filter(|other| other.name != known.name);
            let added = beside(m).filter_map(|operation| match operation {
                Operation::AddConstraint(added) => Some(&added.kind),
                _ => None,
            });
            others.map(|other| &other.kind).chain(added).any(|other| demands_the_like(&known.kind, other))
        }
    }
}

fn adds_primary_key(m: &Moment<'_>) -> bool {
    beside(m).any(|operation| matches!(operation, Operation::AddConstraint(added) if matches!(added.kind, ConstraintKind::PrimaryKey(_))))
}

/// Whether one constraint does for the columns of the other what that did: the same kind, over the same columns; of checks, over one of
/// them.
fn demands_the_like(old: &ConstraintKind, new: &ConstraintKind) -> bool {
    match (old, new) {
        (ConstraintKind::Check { expression: old }, ConstraintKind::Check { expression: new }) => {
            old.columns.iter().any(|column| new.columns.contains(column))
        }
        (ConstraintKind::ForeignKey(old), ConstraintKind::ForeignKey(new)) => old.columns == new.columns,
        (ConstraintKind::Exclude { columns: old, .. }, ConstraintKind::Exclude { columns: new, .. }) => old == new,
        (ConstraintKind::NotNull { column: old }, ConstraintKind::NotNull { column: new }) => old == new,
        _ => false,
    }
}

/// Whether a unique index without a predicate is over these columns, or over some of them, besides the one that goes.
fn is_key_kept(m: &Moment<'_>, columns: &[Ident], going: &Option<QualifiedName>) -> bool {
    let same = |keys: &[Ident]| !keys.is_empty() && keys.iter().all(|key| columns.contains(key));
    let over = |keys: &[IndexKey]| plain_keys(keys).is_some_and(|keys| same(&keys));
    let known = table::relation(m).into_iter().flat_map(|table| m.before.indexes_of(table));
    let mut others = known.filter(|(relation, index)| Some(&relation.name) != going.as_ref() && index.unique && index.predicate.is_none());
    let added = |operation: &Operation| match operation {
        Operation::CreateIndex(index) => index.unique && index.predicate.is_none() && over(&index.keys),
        Operation::AddConstraint(added) => match &added.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => same(&key.columns),
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey(_) => false,
        },
        _ => false,
    };
    others.any(|(_, index)| over(&index.keys)) || beside(m).any(added)
}

fn part_goes(m: &Moment<'_>) -> bool {
    let Some(here) = m.index else { return false };
    let table_goes = |table: &QualifiedName| {
        let is_it = |name: &Name| m.before.resolve(name) == *table;
        m.turnover().taken_after(here, Realm::Relation, &table.name, is_it)
    };
    let known = dropped(m);
    let referenced = known.and_then(|known| known.referenced.as_ref());
    let own = table::relation(m).map(|table| &table.name);
    own.into_iter().chain(referenced).any(table_goes)
        || known.is_some_and(|known| known.columns().iter().any(|column| column_goes(m, column)))
}

fn is_scaffold(m: &Moment<'_>, constraint: &Constraint) -> bool {
    let Some(table) = table::relation(m) else { return false };
    let ConstraintKind::Check { expression } = &constraint.kind else { return false };
    let proven = |part: &Predicate| match part {
        Predicate::IsNotNull(name) => table.column(name).is_some_and(|column| column.not_null) || table.partition_of.is_some(),
        Predicate::Compare { .. } | Predicate::InList { .. } => table.partition_of.is_some(),
        Predicate::IsNull(_) | Predicate::InQuery { .. } | Predicate::True | Predicate::Other => false,
    };
    expression.conjuncts.iter().all(proven)
}

fn replica_identity<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match table::relation(m).map(|table| &table.replica_identity) {
        None | Some(ReplicaIdentity::Default) => "primary_key",
        Some(ReplicaIdentity::Full | ReplicaIdentity::Nothing | ReplicaIdentity::UsingIndex(_)) => "other",
    })
}

/// The primary key that the dropped column is part of.
fn key_with_column<'a>(m: &Moment<'a>) -> Option<&'a Constraint> {
    let column = column::name(m)?;
    table::relation(m)?.primary_key().filter(|key| key.columns().contains(column))
}

/// What goes with a column although it is about others too. The primary key is told by a rule of its own.
fn goes_too(m: &Moment<'_>) -> Vec<String> {
    let (Some(table), Some(column)) = (table::relation(m), column::name(m)) else { return Vec::new() };
    let dependents = m.before.dependents(&table.name, column);
    let constraints = dependents.constraints.iter().filter(|constraint| {
        let counts = matches!(constraint.kind, ConstraintKind::Unique(_) | ConstraintKind::Check { .. } | ConstraintKind::Exclude { .. });
        counts && stays_wanted(m, constraint.columns(), column) && !is_served(m, table, constraint, column)
    });
    let indexes = dependents.indexes.iter().filter(|relation| {
        relation.index.as_ref().is_some_and(|index| index.constraint.is_none() && is_missed(m, table, relation, index, column))
    });
    let constraint_words = |constraint: &&Constraint| {
        let kind = match constraint.kind {
            ConstraintKind::Unique(_) => "unique constraint",
            ConstraintKind::Check { .. } => "check",
            _ => "exclusion constraint",
        };
        format!("{kind} `{}` ({})", constraint.name.sql(), list(constraint.columns()))
    };
    let index_words = |relation: &&Relation| {
        let unique = relation.index.as_ref().is_some_and(|index| index.unique);
        format!("{} `{}`", if unique { "unique index" } else { "index" }, relation.name.name.sql())
    };
    // From 15 on the server refuses.
    let generated = dependents.generated.iter().filter(|other| m.server.0 < 15 && !column_goes(m, &other.name));
    let generated = generated.map(|other| format!("generated column `{}`", other.name.sql()));
    generated.chain(constraints.map(constraint_words)).chain(indexes.map(index_words)).collect()
}

/// Whether other columns are left that the file does not drop as well.
fn stays_wanted(m: &Moment<'_>, columns: &[Ident], going: &Ident) -> bool {
    columns.iter().any(|column| column != going && !column_goes(m, column))
}

/// Whether the statement, or a later one of the file, drops a column of the table.
fn column_goes(m: &Moment<'_>, column: &Ident) -> bool {
    beside_or_later(m).any(|operation| match operation {
        Operation::Alter(_, action) => matches!(&**action, AlterAction::DropColumn { column: gone, .. } if gone == column),
        _ => false,
    })
}

/// Whether another constraint is about the columns that are left: it is there, or the file adds it.
fn is_served(m: &Moment<'_>, table: &Relation, going: &Constraint, column: &Ident) -> bool {
    let left: Vec<&Ident> = going.columns().iter().filter(|other| *other != column).collect();
    let about = |kind: &ConstraintKind| match (kind, &going.kind) {
        (ConstraintKind::Check { expression }, ConstraintKind::Check { .. }) => {
            left.iter().any(|column| expression.columns.contains(column)) && !expression.columns.contains(column)
        }
        (ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key), ConstraintKind::Unique(_)) => {
            !key.columns.is_empty() && key.columns.iter().all(|column| left.contains(&column))
        }
        (ConstraintKind::Exclude { columns, .. }, ConstraintKind::Exclude { .. }) => columns.iter().all(|column| left.contains(&column)),
        _ => false,
    };
    let unique_index = |keys: &[IndexKey]| {
        matches!(going.kind, ConstraintKind::Unique(_)) && keys.iter().all(|key| plain(key).is_some_and(|column| left.contains(&column)))
    };
    let known = table.constraints.iter().filter(|other| other.name != going.name).any(|other| about(&other.kind));
    let indexed = m.before.indexes_of(table).any(|(_, index)| index.unique && unique_index(&index.keys));
    let added = |operation: &Operation| match operation {
        Operation::AddConstraint(added) => about(&added.kind),
        Operation::CreateIndex(index) => index.unique && unique_index(&index.keys),
        _ => false,
    };
    known || indexed || beside_or_later(m).any(added)
}

/// Whether an index serves queries that do not ask for the column that goes, and no other index does.
fn is_missed(m: &Moment<'_>, table: &Relation, relation: &Relation, index: &Index, column: &Ident) -> bool {
    let left: Vec<&Ident> = index.keys.iter().filter_map(|key| plain(key)).filter(|key| *key != column).collect();
    let leads = index.keys.first().is_some_and(|key| plain(key) == Some(column));
    // What begins with the column was made to look it up; only what a unique one keeps out is still wanted.
    let Some(first) = left.first().filter(|_| index.unique || !leads) else { return false };
    let owned: Vec<Ident> = index.keys.iter().filter_map(|key| plain(key)).cloned().collect();
    let begins = |keys: &[IndexKey]| keys.first().is_some_and(|key| plain(key) == Some(first));
    let serves = |unique: bool, keys: &[IndexKey]| {
        if index.unique { unique && keys.iter().all(|key| plain(key).is_some_and(|column| left.contains(&column))) } else { begins(keys) }
    };
    let mut others = m.before.indexes_of(table).filter(|(other, index)| other.name != relation.name && !index.mentions(column));
    // Over all its columns it can only be made again if the one that goes is added anew.
    let again = |made: &CreateIndex| {
        let same_rows = made.predicate.as_ref().map(|it| &it.text) == index.predicate.as_ref().map(|it| &it.text);
        (made.unique || !index.unique) && same_rows && plain_keys(&made.keys).is_some_and(|keys| keys == owned)
    };
    let added = |operation: &Operation| match operation {
        Operation::CreateIndex(made) => serves(made.unique, &made.keys) || again(made),
        _ => false,
    };
    stays_wanted(m, &owned, column) && !others.any(|(_, index)| serves(index.unique, &index.keys)) && !beside_or_later(m).any(added)
}

/// Other tables that existed before and to which the foreign keys of a dropped table lead.
fn referenced_tables(m: &Moment<'_>) -> Vec<String> {
    let Some(table) = table::relation(m) else { return Vec::new() };
    let goes_as_well = |referenced: &QualifiedName| {
        let is_it = |name: &Name| m.before.resolve(name) == *referenced;
        m.index.is_some_and(|here| m.turnover().taken_after(here, Realm::Relation, &referenced.name, is_it))
    };
    let mut found = Vec::new();
    for referenced in table.constraints.iter().filter_map(|constraint| constraint.referenced.as_ref()) {
        let is_other = *referenced != table.name
            && !goes_as_well(referenced)
            && m.before.get(referenced).is_none_or(|other| !other.is_made_in(m.step));
        let name = format!("`{}`", shown(m, referenced));
        if is_other && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
