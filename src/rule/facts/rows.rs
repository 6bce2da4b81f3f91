//! Facts about rows that a migration writes: where they come from, which keys they bring, what is left to do behind them.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::{Column, Relation};
use crate::model::expression::{Expression, Predicate};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{IndexKeyKind, Insert, InsertSource, Operation, Update};
use crate::rule::moment::Moment;

const COPIES: &[OpKind] = &[OpKind::Insert, OpKind::Merge];
const BULK: &[OpKind] = &[OpKind::Update, OpKind::Delete, OpKind::Insert, OpKind::Merge, OpKind::ChangeColumnType, OpKind::CreateIndex];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "source", kind: Kind::Words(&["values", "query", "default_values"]), of: &[OpKind::Insert], read: source,
           doc: "where the rows come from" },
    Fact { name: "reads_existing", kind: Kind::Bool, of: COPIES, read: |m| read_by(m).is_some().into(),
           doc: "its query reads a table that existed before the migration and is not known to be small" },
    Fact { name: "read_table", kind: Kind::Text, of: COPIES, read: |m| read_by(m).map(Name::sql).into(),
           doc: "that table" },
    Fact { name: "rows", kind: Kind::Number, of: &[OpKind::Insert], read: rows,
           doc: "how many rows VALUES writes out" },
    Fact { name: "direction", kind: Kind::Words(&["in", "out"]), of: &[OpKind::Copy], read: |m| Value::Word(if matches!(m.operation(), Some(Operation::Copy { from: true, .. })) { "in" } else { "out" }),
           doc: "COPY FROM puts rows in, COPY TO takes them out" },
    Fact { name: "columns_named", kind: Kind::Bool, of: &[OpKind::Insert], read: |m| insert(m).map(|insert| !insert.columns.is_empty() || insert.source == InsertSource::DefaultValues).into(),
           doc: "it lists the columns that it fills" },
    Fact { name: "on_conflict", kind: Kind::Bool, of: &[OpKind::Insert], read: |m| insert(m).map(|insert| insert.on_conflict).into(),
           doc: "ON CONFLICT is said" },
    Fact { name: "key_by_hand", kind: Kind::Words(&["no", "literal", "copied"]), of: &[OpKind::Insert], read: key_by_hand,
           doc: "it gives numbers to a key that a sequence counts, and nothing behind it in the file moves the sequence on" },
    Fact { name: "counted_key", kind: Kind::Text, of: &[OpKind::Insert], read: |m| counted_key(m).map(|(_, column, _)| column.name.sql()).into(),
           doc: "that key" },
    Fact { name: "counted_sequence", kind: Kind::Text, of: &[OpKind::Insert], read: |m| counted_sequence(m).into(),
           doc: "the sequence of that column, as a string for regclass" },
    Fact { name: "first_columns", kind: Kind::Text, of: &[OpKind::Insert], read: |m| first_columns(m).into(),
           doc: "the columns that rows which are written out without a list go into, as a list" },
    Fact { name: "one_batch", kind: Kind::Bool, of: &[OpKind::Update, OpKind::Delete], read: |m| is_one_batch(m).into(),
           doc: "LIMIT cuts out some of the rows, and nothing repeats the statement" },
    Fact { name: "passes_over_nulls", kind: Kind::Bool, of: &[OpKind::Update], read: |m| compared_nullable(m).is_some().into(),
           doc: "its WHERE compares by <> a column that it sets and that may be NULL, and says nothing about NULL" },
    Fact { name: "nullable_column", kind: Kind::Text, of: &[OpKind::Update], read: |m| compared_nullable(m).map(Ident::sql).into(),
           doc: "that column" },
    Fact { name: "analysed_later", kind: Kind::Bool, of: BULK, read: analysed_later,
           doc: "a later statement of the file, or a later file, gathers statistics of the table" },
    Fact { name: "computed", kind: Kind::Bool, of: &[OpKind::CreateIndex], read: computed,
           doc: "a key of the index is an expression" },
    Fact { name: "of_runner", kind: Kind::Bool, of: table::ON_ONE_RELATION, read: |m| table::name(m).is_some_and(|name| is_of_runner(&name)).into(),
           doc: "the table is one in which a runner keeps its books: alembic_version, flyway_schema_history, schema_migrations and their kin" },
    Fact { name: "stamped_by_script", kind: Kind::Bool, of: &[OpKind::Insert, OpKind::Update], read: |m| is_stamped_by_script(m).into(),
           doc: "the statement is one that `alembic upgrade --sql` and `dotnet ef migrations script` write themselves" },
];

fn insert<'a>(m: &Moment<'a>) -> Option<&'a Insert> {
    match m.operation()? {
        Operation::Insert(insert) => Some(insert),
        _ => None,
    }
}

fn source<'a>(m: &Moment<'a>) -> Value<'a> {
    match insert(m).map(|insert| &insert.source) {
        Some(InsertSource::Values { .. }) => Value::Word("values"),
        Some(InsertSource::Query { .. }) => Value::Word("query"),
        Some(InsertSource::DefaultValues) => Value::Word("default_values"),
        None => Value::Unknown,
    }
}

fn rows<'a>(m: &Moment<'a>) -> Value<'a> {
    match insert(m).map(|insert| &insert.source) {
        Some(InsertSource::Values { rows, .. }) => i64::from(*rows).into(),
        Some(InsertSource::DefaultValues) => Value::Number(1),
        Some(InsertSource::Query { .. }) | None => Value::Number(0),
    }
}

/// The first table behind the query that may be large. What the server keeps about itself is not.
fn read_by<'a>(m: &Moment<'a>) -> Option<&'a Name> {
    let reads = match m.operation()? {
        Operation::Insert(insert) => match insert.source {
            InsertSource::Query { .. } => &insert.reads,
            InsertSource::Values { .. } | InsertSource::DefaultValues => return None,
        },
        Operation::Merge { reads, .. } => reads,
        _ => return None,
    };
    reads.iter().find(|name| {
        let place = m.before.resolve(name);
        let own = matches!(place.schema.as_str(), "pg_catalog" | "information_schema");
        !own && table::state(m, name) == "existing" && !m.migration.sizes.is_small(&place)
    })
}

fn counted_sequence(m: &Moment<'_>) -> Option<String> {
    let (table, column, _) = counted_key(m)?;
    let sequence = &m.before.owned_sequence(table, &column.name)?.name;
    let schema = (sequence.schema != "public").then(|| sequence.schema.clone());
    Some(Name { schema, name: sequence.name.clone() }.sql().replace('\'', "''"))
}

/// Generated columns would be among them, and nothing may be written to those.
fn first_columns(m: &Moment<'_>) -> Option<String> {
    let insert = insert(m)?;
    let InsertSource::Values { numbers, .. } = &insert.source else { return None };
    let table = table::relation_named(m.before, &insert.table).filter(|table| table.complete)?;
    let filled = table.columns.get(..numbers.len())?;
    let names: Vec<String> = filled.iter().filter(|column| column.generated.is_none()).map(|column| column.name.sql()).collect();
    (names.len() == numbers.len() && !names.is_empty()).then(|| names.join(", "))
}

/// The key of the table that a sequence counts and for which the statement brings numbers of its own, and how.
fn counted_key<'a>(m: &Moment<'a>) -> Option<(&'a Relation, &'a Column, &'static str)> {
    let insert = insert(m)?;
    let relation = table::relation_named(m.before, &insert.table)?;
    let is_counted = |column: &&Column| column.is_numbered() && m.before.is_key(&relation.name, &column.name) == Some(true);
    let key = relation.columns.iter().find(is_counted)?;
    let place = match insert.columns.is_empty() {
        true => relation.columns.iter().position(|column| column.name == key.name)?,
        false => insert.columns.iter().position(|column| *column == key.name)?,
    };
    let how = match &insert.source {
        InsertSource::Values { numbers, .. } => numbers.get(place).copied().flatten().filter(|number| *number > 0).map(|_| "literal")?,
        // Without a list the query may have fewer columns, and then its first ones only.
        InsertSource::Query { .. } if insert.columns.is_empty() => return None,
        InsertSource::Query { .. } if insert.reads.is_empty() || insert.calls.iter().any(|call| call.name == "nextval") => return None,
        InsertSource::Query { .. } => "copied",
        InsertSource::DefaultValues => return None,
    };
    Some((relation, key, how))
}

fn key_by_hand<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some((relation, key, how)) = counted_key(m) else { return Value::Word("no") };
    let own = m.before.owned_sequence(relation, &key.name).map(|sequence| sequence.name.name.as_str().to_lowercase());
    let table = relation.name.name.as_str().to_lowercase();
    let moves = m.outline().sequence_words(m.file, m.source);
    let moved = [Some(table), own].into_iter().flatten().any(|name| moves.get(&*name).is_some_and(|last| Some(*last) > m.index));
    Value::Word(if moved { "no" } else { how })
}

fn filter<'a>(m: &Moment<'a>) -> Option<&'a Expression> {
    match m.operation()? {
        Operation::Update(update) => update.filter.as_ref(),
        Operation::Delete(delete) => delete.filter.as_ref(),
        _ => None,
    }
}

/// Who takes one row means one.
fn is_one_batch(m: &Moment<'_>) -> bool {
    let Some(filter) = filter(m) else { return false };
    let limited = filter.conjuncts.iter().any(|part| matches!(part, Predicate::InQuery { limited: true, .. }));
    let one = filter.text.contains("limit 1 )") || filter.text.contains("fetch first row") || filter.text.contains("fetch first 1 row");
    // What stands under a condition of a body may stand in a loop.
    let in_loop = m.nesting().is_some_and(|nesting| nesting.repeats || nesting.conditional);
    let repeated = in_loop || m.index.is_some_and(|here| m.outline().aftermath.is_watched(here + 1));
    limited && !one && !repeated
}

/// The column that is set to what it is compared with, as far as the history knows that it may be NULL.
fn compared_nullable<'a>(m: &Moment<'a>) -> Option<&'a Ident> {
    let Some(Operation::Update(update)) = m.operation() else { return None };
    let filter = update.filter.as_ref()?;
    let differs = filter.operators.iter().any(|operator| matches!(&**operator, "<>" | "!="));
    let minds_null = ["is", "is null", "is not null", "isnull", "notnull", "is distinct from", "is not distinct from"];
    let minds = filter.operators.iter().any(|operator| minds_null.contains(&&**operator) || operator.starts_with("is "));
    let guarded = filter.calls.iter().any(|call| matches!(call.name.as_str(), "coalesce" | "nullif"));
    let tested = filter.conjuncts.iter().any(|part| matches!(part, Predicate::IsNull(_) | Predicate::IsNotNull(_)));
    if !differs || minds || guarded || tested {
        return None;
    }
    let relation = table::relation(m)?;
    let is_compared = |name: &Ident| compares(update, filter, name);
    let nullable = |name: &Ident| relation.column(name).is_some_and(|column| !column.not_null);
    update.columns.iter().find(|name| is_compared(name) && nullable(name))
}

/// Whether `<>` stands beside a column of the table that is changed. Where the statement reads others, too, the column has to say whose it is.
fn compares(update: &Update, filter: &Expression, column: &Ident) -> bool {
    let words: Vec<&str> = filter.text.split(' ').collect();
    let (column, table) = (column.sql(), update.table.name.sql());
    let is_own = |qualifier: Option<&str>| update.reads.is_empty() || qualifier == Some(&*table);
    let is_it = |operand: &[&str]| match operand {
        [.., qualifier, ".", name] => *name == column && is_own(Some(qualifier)),
        [name] => *name == column && is_own(None),
        _ => false,
    };
    let differs = words.iter().enumerate().filter(|(_, word)| matches!(**word, "<>" | "!="));
    differs.map(|(at, _)| words.split_at(at)).any(|(left, right)| {
        let before = longest_chain(left.iter().rev());
        let behind = longest_chain(right[1..].iter());
        is_it(&left[left.len() - before..]) || is_it(&right[1..1 + behind])
    })
}

/// How many words from the first on are names with dots between.
fn longest_chain<'w>(words: impl Iterator<Item = &'w &'w str>) -> usize {
    let count = words.enumerate().take_while(|(at, word)| (**word == ".") == (at % 2 == 1)).count();
    // A chain does not end in a dot.
    if count % 2 == 0 { count.saturating_sub(1) } else { count }
}

fn analysed_later<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(name), Some(here)) = (table::name(m), m.index) else { return Value::Unknown };
    (m.outline().aftermath.is_analysed_from(&name.name, here + 1) || m.ahead.analysed_in(&name.name) > m.story.file()).into()
}

fn computed<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateIndex(index)) => index.keys.iter().any(|key| matches!(key.what, IndexKeyKind::Expression(_))).into(),
        _ => Value::Unknown,
    }
}

/// Where runners keep which migrations have run.
#[rustfmt::skip]
const BOOKS: &[&str] = &[
    "__EFMigrationsHistory", "__diesel_schema_migrations", "__drizzle_migrations", "_prisma_migrations", "_sqlx_migrations",
    "alembic_version", "ar_internal_metadata", "databasechangelog", "databasechangeloglock", "django_migrations",
    "flyway_schema_history", "goose_db_version", "gorp_migrations", "knex_migrations", "knex_migrations_lock", "pgmigrations",
    "refinery_schema_history", "schema_migrations", "seaql_migrations",
];

fn is_of_runner(name: &Name) -> bool {
    BOOKS.binary_search(&name.name.as_str()).is_ok()
}

/// A script that a runner writes keeps the runner's books itself.
fn is_stamped_by_script(m: &Moment<'_>) -> bool {
    let Some(name) = table::name(m).filter(is_of_runner) else { return false };
    let scripted = matches!(name.name.as_str(), "alembic_version" | "__EFMigrationsHistory");
    let one_row = match m.operation() {
        Some(Operation::Insert(insert)) => matches!(insert.source, InsertSource::Values { rows: 1, .. }),
        Some(Operation::Update(update)) => update.filter.as_ref().is_some_and(|filter| {
            filter.conjuncts.iter().any(|part| matches!(part, Predicate::Compare { column, operator, .. } if &**operator == "=" && column.as_str() == "version_num"))
        }),
        _ => false,
    };
    scripted && one_row
}
