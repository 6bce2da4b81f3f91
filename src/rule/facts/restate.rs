//! Facts by which edits write a constraint in another way: beside the columns, NOT VALID, with an index, or proven by another one.

use super::constraint::{self, added};
use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::{Catalog, Constraint, Relation};
use crate::model::effects::Version;
use crate::model::expression::Predicate;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, ConstraintKind, CreateIndex, IndexKey, IndexKeyKind, Operation, Written};
use crate::rule::guard;
use crate::rule::moment::Moment;
use crate::sql::lex::{Lexer, Token};
use crate::text::{SourceFile, Span};

/// From this version on a partitioned table takes a foreign key that is NOT VALID.
const NOT_VALID_ON_PARTITIONED: Version = Version(18);

/// Changes that rows may stand in the way of.
#[rustfmt::skip]
const GUARDED: &[OpKind] = &[
    OpKind::CreateIndex, OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::SetNotNull, OpKind::AddCheck, OpKind::AddForeignKey,
    OpKind::AddNotNullConstraint, OpKind::ValidateConstraint,
];

/// Operations that may be one of several in their statement, and that an edit moves with it.
#[rustfmt::skip]
const SHARES: &[OpKind] = &[
    OpKind::AddCheck, OpKind::AddNotNullConstraint, OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::AddExclusion, OpKind::AddForeignKey,
    OpKind::SetRowSecurity,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "definition", kind: Kind::Text, of: &[OpKind::AddCheck, OpKind::AddForeignKey], read: definition,
           doc: "the constraint without its name, as it could be written beside the columns" },
    Fact { name: "takes_not_valid", kind: Kind::Bool, of: &[OpKind::AddCheck, OpKind::AddForeignKey], read: takes_not_valid,
           doc: "beside the columns it could be NOT VALID: up to 17 a foreign key of a partitioned table could not" },
    Fact { name: "shares_statement", kind: Kind::Bool, of: SHARES, read: |m| m.statement().map(|statement| statement.operations.len() > 1).into(),
           doc: "the statement does other things as well" },
    Fact { name: "index_name", kind: Kind::Text, of: &[OpKind::AddForeignKey], read: index_name,
           doc: "what an index on the foreign key's columns would be called" },
    Fact { name: "partitioned", kind: Kind::Bool, of: &[OpKind::AddForeignKey], read: |m| is_partitioned(m).into(),
           doc: "the table that has the foreign key is partitioned" },
    Fact { name: "may_be_asked", kind: Kind::Bool, of: GUARDED, read: |m| may_be_asked(m).into(),
           doc: "that query is known, and names nothing that this very statement adds" },
    Fact { name: "asked_before", kind: Kind::Bool, of: GUARDED, read: |m| matches!(guard(m), Value::Text(query) if m.story.has_asked(&query)).into(),
           doc: "a DO block before it, in this file or the one before, asks that query" },
    Fact { name: "guard", kind: Kind::Text, of: GUARDED, read: guard,
           doc: "a query that is true if the rows allow it" },
    Fact { name: "null_proof", kind: Kind::Words(&["none", "validated", "dropped", "not_valid", "constraint"]), of: &[OpKind::SetNotNull], read: null_proof,
           doc: "the CHECK that says the column is not null: `dropped` by the same statement, or `not_valid`; `constraint` if it is NOT NULL itself, NOT VALID (18)" },
];

fn definition<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(add) = added(m) else { return Value::Unknown };
    let tokens: Vec<Token> = Lexer::new(m.source, m.place()).collect();
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(m.source, word));
    let mut at = usize::from(is(0, "ADD"));
    if is(at, "CONSTRAINT") {
        at += 2;
    }
    let Some(first) = tokens.get(at) else { return Value::Unknown };
    let text = m.text(Span::new(first.span.start, m.place().end));
    match &add.kind {
        ConstraintKind::ForeignKey(key) if add.written != Written::AddConstraint && is(at, "REFERENCES") => {
            let columns: Vec<_> = key.columns.iter().map(Ident::sql).collect();
            format!("FOREIGN KEY ({}) {text}", columns.join(", ")).into()
        }
        _ => text.into(),
    }
}

fn takes_not_valid<'a>(m: &Moment<'a>) -> Value<'a> {
    match added(m).map(|add| &add.kind) {
        Some(ConstraintKind::ForeignKey(_)) if m.server < NOT_VALID_ON_PARTITIONED => {
            is_partitioned(m).map(|partitioned| !partitioned).into()
        }
        Some(_) => Value::Bool(true),
        None => Value::Unknown,
    }
}

/// `None`: the history has never made the table, so it may be.
fn is_partitioned(m: &Moment<'_>) -> Option<bool> {
    table::relation(m).filter(|relation| relation.made_in.is_some()).map(|relation| relation.partition_by.is_some())
}

fn index_name<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(add), Some(key)) = (added(m), constraint::foreign_key(m)) else { return Value::Unknown };
    let create = CreateIndex {
        name: None,
        table: add.table.clone(),
        unique: false,
        concurrently: true,
        if_not_exists: false,
        only: false,
        method: Ident::quoted("btree"),
        keys: key.columns.iter().cloned().map(IndexKey::of_column).collect(),
        include: Vec::new(),
        predicate: None,
        nulls_not_distinct: false,
        options: Vec::new(),
        tablespace: None,
        keyword: m.place(),
    };
    // What the history makes later may have the name by then.
    m.end.index_name(&create).name.sql().into()
}

fn guard<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| name.sql()) else { return Value::Unknown };
    let query = match m.operation() {
        Some(Operation::CreateIndex(create)) => {
            let column = |key: &IndexKey| if let IndexKeyKind::Column(column) = &key.what { Some(column.clone()) } else { None };
            let columns: Option<Vec<Ident>> = create.keys.iter().map(column).collect();
            columns.filter(|_| create.predicate.is_none()).map(|columns| guard::distinct(&table, &columns, create.nulls_not_distinct))
        }
        Some(Operation::AddConstraint(add)) => match &add.kind {
            ConstraintKind::Check { expression } => Some(guard::holds(&table, &m.text(expression.span))),
            kind => demanded(m.before, &table, kind),
        },
        Some(Operation::Alter(target, action)) => match &**action {
            AlterAction::SetNotNull { column } => Some(guard::none_missing(&table, std::slice::from_ref(column))),
            AlterAction::ValidateConstraint { name } => {
                let known = table::relation_named(m.before, &target.name).and_then(|relation| relation.constraint(name));
                known.and_then(|known| demanded(m.before, &table, &known.kind))
            }
            _ => None,
        },
        _ => None,
    };
    query.into()
}

/// Right before the statement there is no column yet that it adds.
fn may_be_asked(m: &Moment<'_>) -> bool {
    let Value::Text(query) = guard(m) else { return false };
    let source = SourceFile::new("query.sql", query.as_ref());
    let named: Vec<Ident> = Lexer::new(&source, Span::new(0, query.len() as u32)).filter_map(|token| token.ident(&source)).collect();
    let added = |operation: &Operation| match operation {
        Operation::Alter(_, action) => matches!(&**action, AlterAction::AddColumn { column, .. } if named.contains(&column.name)),
        _ => false,
    };
    m.statement().is_some_and(|statement| !statement.operations.iter().any(|operation| added(&operation.what)))
}

/// The query for what a constraint demands.
fn demanded(catalog: &Catalog, table: &str, kind: &ConstraintKind) -> Option<String> {
    match kind {
        ConstraintKind::Check { expression } => Some(guard::holds(table, &expression.text)),
        ConstraintKind::NotNull { column } => Some(guard::none_missing(table, std::slice::from_ref(column))),
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
            (!key.columns.is_empty()).then(|| guard::distinct(table, &key.columns, key.nulls_not_distinct))
        }
        ConstraintKind::Exclude { .. } => None,
        ConstraintKind::ForeignKey(key) => {
            let mut key = key.clone();
            if key.referenced_columns.is_empty() {
                let primary = table::relation_named(catalog, &key.referenced)?.primary_key()?;
                key.referenced_columns = primary.columns().to_vec();
            }
            let schema = key.referenced.schema.clone().filter(|schema| *schema != "public");
            guard::no_orphans(table, &key, &Name { schema, name: key.referenced.name.clone() }.sql())
        }
    }
}

fn null_proof<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(relation), Some(column)) = (table::relation(m), column::name(m)) else { return Value::Unknown };
    let says = |known: &&Constraint| match &known.kind {
        ConstraintKind::Check { expression } => {
            known.enforced && expression.conjuncts.iter().any(|part| matches!(part, Predicate::IsNotNull(known) if known == column))
        }
        ConstraintKind::NotNull { column: known } => known == column,
        _ => false,
    };
    let proofs = || relation.constraints.iter().filter(says);
    let named = |word, proof: &Constraint| Value::Named(word, proof.name.sql().into());
    let is_dropped = |proof: &&Constraint| drops(m, relation, &proof.name);
    let is_check = |proof: &&Constraint| matches!(proof.kind, ConstraintKind::Check { .. });
    if let Some(proof) = proofs().find(|proof| !is_check(proof) && !proof.validated) {
        return named("constraint", proof);
    }
    let mut checks = proofs().filter(is_check);
    match (checks.clone().find(|proof| proof.validated && !is_dropped(proof)), checks.clone().find(|proof| proof.validated), checks.next())
    {
        (Some(proof), ..) => named("validated", proof),
        (None, Some(proof), _) => named("dropped", proof),
        (None, None, Some(proof)) => named("not_valid", proof),
        (None, None, None) => Value::Word("none"),
    }
}

/// Whether the same statement drops a constraint of this table.
fn drops(m: &Moment<'_>, relation: &Relation, name: &Ident) -> bool {
    let operations = m.statement().map_or(&[][..], |statement| &statement.operations);
    operations.iter().any(|operation| match &operation.what {
        Operation::Alter(target, action) => {
            matches!(&**action, AlterAction::DropConstraint { name: dropped, .. } if dropped == name)
                && m.before.resolve(&target.name) == relation.name
        }
        _ => false,
    })
}
