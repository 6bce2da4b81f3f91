//! Facts about a change of a column's type: what it costs, why, and what it does to values.

use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::{Constraint, Lookup, Relation};
use crate::model::expression::Expression;
use crate::model::kind::OpKind;
use crate::model::operation::{AlterAction, ConstraintKind};
use crate::model::types::{Change, Conversion, Narrowing, TypeName, computes, conversion, kept_from, narrowing};
use crate::rule::moment::Moment;

const OF: &[OpKind] = &[OpKind::ChangeColumnType];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "type", kind: Kind::Text, of: OF, read: |m| change(m).map(|change| change.to.to_string()).into(),
           doc: "the new type" },
    Fact { name: "type_stays", kind: Kind::Bool, of: OF, read: |m| known_change(m, true).map(|change| change.from.to_string() == change.to.to_string()).into(),
           doc: "the new type is the one that the column has already, modifier and all" },
    Fact { name: "conversion", kind: Kind::Words(&["free", "rebuilds_indexes", "rewrites"]), of: OF, read: cost,
           doc: "what the change of type costs: the catalog alone, indexes built anew, or table and indexes written anew" },
    Fact { name: "may_rewrite", kind: Kind::Bool, of: OF, read: |m| (!m.effects.rewrites.is_empty()).into(),
           doc: "at worst, the change of type writes the table anew" },
    Fact { name: "cost_untold_by", kind: Kind::Words(&["nothing", "old_type", "time_zone"]), of: OF, read: cost_untold_by,
           doc: "what the cost hangs on and the history does not tell" },
    Fact { name: "kept_from", kind: Kind::Words(&["none", "some"]), of: OF, read: rows_kept_from,
           doc: "the types from which a column can become the new type and its rows stay as they are" },
    Fact { name: "needless_using", kind: Kind::Bool, of: OF, read: needless_using,
           doc: "USING computes something, and only for that the rows are written anew" },
    Fact { name: "narrows", kind: Kind::Words(&["nothing", "fails", "loses"]), of: OF, read: narrows,
           doc: "values that do not fit into the new type make it fail, or are rounded or cut; `nothing` also if the old type is not known" },
    Fact { name: "rechecked", kind: Kind::Words(&["check", "foreign_key"]), of: OF, read: rechecked,
           doc: "the first constraint whose rows are looked at again" },
    Fact { name: "rechecked_definition", kind: Kind::Text, of: OF, read: rechecked_definition,
           doc: "that constraint, if it is a CHECK" },
    Fact { name: "sequence", kind: Kind::Words(&["none", "as_wide", "lags", "untold"]), of: OF, read: sequence,
           doc: "the sequence that the column's default asks: `lags` if it still ends where the old type did at the end of the history" },
];

/// The change, if the column's old type is known; without its USING unless that is asked for.
fn known_change<'a>(m: &Moment<'a>, with_using: bool) -> Option<Change<'a>> {
    let new = change(m)?;
    let known = column::known(m)?;
    Some(Change {
        column: column::name(m)?,
        from: known.data_type.as_ref()?,
        from_collation: known.collation.as_ref(),
        to: new.to,
        to_collation: new.collation,
        using: new.using.filter(|_| with_using),
        time_zone: m.session.time_zone(),
    })
}

/// What the statement says.
struct New<'a> {
    to: &'a TypeName,
    collation: Option<&'a crate::model::types::Collation>,
    using: Option<&'a Expression>,
}

fn change<'a>(m: &Moment<'a>) -> Option<New<'a>> {
    match column::alter(m)? {
        AlterAction::ChangeType { data_type, collation, using, .. } => {
            Some(New { to: data_type, collation: collation.as_ref(), using: using.as_ref() })
        }
        _ => None,
    }
}

/// As the effects have it; what rests on an assumption is unknown.
fn cost<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.effects.rewrites.is_empty(), m.effects.rebuilds.is_empty()) {
        (true, true) => Value::Word("free"),
        _ if !m.effects.assumed.is_empty() => Value::Unknown,
        (true, false) => Value::Word("rebuilds_indexes"),
        (false, _) => Value::Word("rewrites"),
    }
}

fn cost_untold_by<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.effects.assumed.as_slice() {
        [] => "nothing",
        ["time_zone"] => "time_zone",
        _ => "old_type",
    })
}

fn rows_kept_from<'a>(m: &Moment<'a>) -> Value<'a> {
    match change(m).map(|change| kept_from(change.to, m.before)) {
        None => Value::Unknown,
        Some(None) => Value::Word("none"),
        Some(Some(words)) => Value::Named("some", words.into()),
    }
}

fn needless_using<'a>(m: &Moment<'a>) -> Value<'a> {
    let computed = change(m).zip(column::name(m)).is_some_and(|(change, column)| change.using.is_some_and(|using| computes(column, using)));
    let kept = || known_change(m, false).map(|change| conversion(&change, m.before));
    (computed && matches!(kept(), Some(Conversion::Free | Conversion::RebuildsIndexes))).into()
}

/// What USING computes is its author's own care.
fn narrows<'a>(m: &Moment<'a>) -> Value<'a> {
    let found = known_change(m, true).and_then(|change| match change.using {
        Some(using) if computes(change.column, using) => None,
        using => narrowing(change.from, change.to, using.is_some_and(|using| !using.casts.is_empty())),
    });
    Value::Word(match found {
        None => "nothing",
        Some(Narrowing::Fails) => "fails",
        Some(Narrowing::Loses) => "loses",
    })
}

/// The constraint of the table itself whose rows are looked at: a CHECK before a foreign key.
fn looked_at<'a>(m: &Moment<'a>) -> Option<&'a Constraint> {
    let relation: &'a Relation = table::relation(m)?;
    let column = column::name(m)?;
    let proven = || relation.constraints.iter().filter(|known| known.validated && known.enforced);
    // As the effects have it: a CHECK that could not be read may be about any column.
    let check = proven().find(|known| match &known.kind {
        ConstraintKind::Check { expression } => expression.columns.contains(column) || !expression.understood,
        _ => false,
    });
    check.or_else(|| proven().find(|known| matches!(known.kind, ConstraintKind::ForeignKey(_)) && known.mentions(column)))
}

fn rechecked<'a>(m: &Moment<'a>) -> Value<'a> {
    match looked_at(m) {
        None => Value::Unknown,
        Some(constraint) if matches!(constraint.kind, ConstraintKind::Check { .. }) => Value::Named("check", constraint.name.sql().into()),
        Some(constraint) => Value::Named("foreign_key", constraint.name.sql().into()),
    }
}

fn rechecked_definition<'a>(m: &Moment<'a>) -> Value<'a> {
    match looked_at(m).map(|constraint| &constraint.kind) {
        Some(ConstraintKind::Check { expression }) => format!("CHECK ({})", expression.text).into(),
        _ => Value::Unknown,
    }
}

/// Looked up at the end, since a later statement may widen it, or have another sequence number the column.
fn sequence<'a>(m: &Moment<'a>) -> Value<'a> {
    const WIDTHS: [&str; 3] = ["smallint", "integer", "bigint"];
    let width = |name: &str| WIDTHS.iter().position(|known| *known == name);
    let owned = table::relation(m).zip(column::name(m)).and_then(|(table, column)| m.before.owned_sequence(table, column));
    let asks = |sequence: &Relation| match column::in_the_end(m) {
        Lookup::Known((_, column)) => {
            let asked = |default: &Expression| default.calls.iter().any(|call| call.name == "nextval");
            let names = |default: &Expression| default.text.contains(sequence.name.name.as_str());
            column.default.as_ref().is_some_and(|default| asked(default) && names(default))
        }
        Lookup::Absent | Lookup::Unknown => false,
    };
    let Some(sequence) = owned.filter(|sequence| asks(sequence)) else { return Value::Word("none") };
    let last = m.end.get(&sequence.name).and_then(|sequence| sequence.numbers.as_deref());
    let wanted = change(m).and_then(|change| width(change.to.built_in()?));
    let word = match (last.and_then(width), wanted) {
        (Some(last), Some(wanted)) if last < wanted => "lags",
        (Some(_), _) => "as_wide",
        (None, _) => "untold",
    };
    Value::Named(word, shown(&sequence.name))
}

/// `public` is left out, as most files do.
fn shown<'a>(name: &crate::model::name::QualifiedName) -> std::borrow::Cow<'a, str> {
    let schema = (name.schema != "public").then(|| name.schema.clone());
    crate::model::name::Name { schema, name: name.name.clone() }.sql().into()
}
