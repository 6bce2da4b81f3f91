//! Facts about a migration as a file: its place in the order, its bytes, its suppression comments.

use super::{Fact, Kind, Value};
use crate::model::kind::OpKind;
use crate::rule::facts::BETWEEN_NAMES;
use crate::rule::moment::{Allowed, ComesTo, ForeignAllowed, Moment, Order, Planned, Subject};
use crate::sql::broken_text::{BrokenKind, BrokenText};

const MIGRATION: &[OpKind] = &[OpKind::Migration];
const TEXT: &[OpKind] = &[OpKind::BrokenText];
const ALLOWANCE: &[OpKind] = &[OpKind::Allowance];
const FOREIGN: &[OpKind] = &[OpKind::ForeignAllowance];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "order", kind: Kind::Words(&["fine", "duplicate", "mixed_width", "gap", "future", "behind", "edited", "gone"]), of: MIGRATION, read: order,
           doc: "what is wrong with its place among its neighbours, or in the eyes of the base branch (`--since`)" },
    Fact { name: "dated", kind: Kind::Bool, of: MIGRATION, read: |m| m.migration.version.as_deref().map(is_date).into(),
           doc: "its version is a date or a time" },
    Fact { name: "base_version", kind: Kind::Text, of: MIGRATION, read: |m| m.migration.base_version.as_deref().into(),
           doc: "the newest version of the base branch, where this one is behind it" },
    Fact { name: "version", kind: Kind::Text, of: MIGRATION, read: |m| m.migration.version.as_deref().into(),
           doc: "the version that its name says" },
    Fact { name: "plan", kind: Kind::Words(&["none", "kept", "changed", "early", "unmade"]), of: MIGRATION, read: plan,
           doc: "whether it is the phase of a plan that its header says" },
    Fact { name: "encoding", kind: Kind::Words(&["not_utf8", "nul", "byte_order_mark", "hidden", "misread"]), of: TEXT, read: encoding,
           doc: "what is wrong with the bytes at this place" },
    Fact { name: "bad_byte", kind: Kind::Number, of: TEXT, read: |m| broken(m).map(|broken| i64::from(broken.span.start)).into(),
           doc: "the place, in bytes from the beginning of the file" },
    Fact { name: "word", kind: Kind::Text, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.word.0).into(),
           doc: "the word behind `lockkeeper:`" },
    Fact { name: "word_known", kind: Kind::Bool, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.word.1.is_ok()).into(),
           doc: "that word is understood" },
    Fact { name: "near_word", kind: Kind::Text, of: ALLOWANCE, read: |m| allowed(m).and_then(|a| a.word.1.err().flatten()).into(),
           doc: "the word that is meant, if one is much like it" },
    Fact { name: "used", kind: Kind::Bool, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.covers > 0).into(),
           doc: "a finding is covered by the comment" },
    Fact { name: "known", kind: Kind::Bool, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.known.is_ok()).into(),
           doc: "a rule has this id or alias" },
    Fact { name: "near", kind: Kind::Text, of: ALLOWANCE, read: near,
           doc: "the rule that is meant, if one has a name much like it" },
    Fact { name: "reason_given", kind: Kind::Bool, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.reason.is_some()).into(),
           doc: "`because ...` is said" },
    Fact { name: "rule", kind: Kind::Text, of: ALLOWANCE, read: |m| allowed(m).map(|a| a.rule).into(),
           doc: "the rule, as the comment writes it" },
    Fact { name: "linter", kind: Kind::Text, of: FOREIGN, read: |m| foreign(m).map(|f| f.linter).into(),
           doc: "the linter that the comment speaks to" },
    Fact { name: "their_comment", kind: Kind::Text, of: FOREIGN, read: |m| foreign(m).map(|f| f.comment).into(),
           doc: "the comment, without its dashes" },
    Fact { name: "comes_to", kind: Kind::Words(&["allowed", "no_counterpart", "unknown", "nothing"]), of: FOREIGN, read: comes_to,
           doc: "what becomes of the comment here: it allows findings, its rule has no counterpart, its linter has no such rule, or it names none" },
    Fact { name: "our_comment", kind: Kind::Text, of: FOREIGN, read: our_comment,
           doc: "the comment in our words" },
    Fact { name: "their_rule", kind: Kind::Text, of: FOREIGN, read: their_rule,
           doc: "the rules that have no counterpart here, or that its linter does not have" },
    Fact { name: "why_none", kind: Kind::Text, of: FOREIGN, read: why_none,
           doc: "why the first of these rules has no counterpart here" },
    Fact { name: "near", kind: Kind::Text, of: FOREIGN, read: near_theirs,
           doc: "the rule of its linter that is meant, if one has a name much like it" },
];

fn order<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.migration.order {
        Order::Fine => "fine",
        Order::Duplicate => "duplicate",
        Order::MixedWidth => "mixed_width",
        Order::Gap => "gap",
        Order::Future => "future",
        Order::Behind => "behind",
        Order::Edited => "edited",
        Order::Gone => "gone",
    })
}

fn plan<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.planned {
        Planned::No => "none",
        Planned::Kept => "kept",
        Planned::Changed => "changed",
        Planned::Early => "early",
        Planned::Unmade => "unmade",
    })
}

/// Eight digits or more that begin with a year: nobody counts so far.
fn is_date(version: &str) -> bool {
    version.starts_with(['1', '2']) && version.bytes().filter(u8::is_ascii_digit).count() >= 8
}

fn encoding<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(broken) = broken(m) else { return Value::Unknown };
    Value::Word(match broken.kind {
        BrokenKind::NotUtf8 => "not_utf8",
        BrokenKind::Nul => "nul",
        BrokenKind::ByteOrderMark => "byte_order_mark",
        BrokenKind::Hidden => "hidden",
        BrokenKind::Misread => "misread",
    })
}

fn broken(m: &Moment<'_>) -> Option<BrokenText> {
    if let Subject::BrokenText(broken) = m.subject { Some(broken) } else { None }
}

fn allowed<'a>(m: &Moment<'a>) -> Option<&'a Allowed<'a>> {
    if let Subject::Allowance(allowed) = m.subject { Some(allowed) } else { None }
}

fn foreign<'a>(m: &Moment<'a>) -> Option<&'a ForeignAllowed<'a>> {
    if let Subject::ForeignAllowance(foreign) = m.subject { Some(foreign) } else { None }
}

fn comes_to<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(foreign) = foreign(m) else { return Value::Unknown };
    Value::Word(match foreign.comes_to {
        ComesTo::Allows { .. } => "allowed",
        ComesTo::NoCounterpart { .. } => "no_counterpart",
        ComesTo::Unknown { .. } => "unknown",
        ComesTo::Nothing => "nothing",
    })
}

fn our_comment<'a>(m: &Moment<'a>) -> Value<'a> {
    match foreign(m).map(|foreign| &foreign.comes_to) {
        Some(ComesTo::Allows { words }) => words.as_str().into(),
        Some(ComesTo::NoCounterpart { .. } | ComesTo::Unknown { .. } | ComesTo::Nothing) | None => Value::Unknown,
    }
}

fn their_rule<'a>(m: &Moment<'a>) -> Value<'a> {
    match foreign(m).map(|foreign| &foreign.comes_to) {
        Some(ComesTo::NoCounterpart { rules, .. }) => Value::Text(rules.join(BETWEEN_NAMES).into()),
        Some(ComesTo::Unknown { rule, .. }) => (*rule).into(),
        Some(ComesTo::Allows { .. } | ComesTo::Nothing) | None => Value::Unknown,
    }
}

fn why_none<'a>(m: &Moment<'a>) -> Value<'a> {
    match foreign(m).map(|foreign| &foreign.comes_to) {
        Some(ComesTo::NoCounterpart { why, .. }) => (*why).into(),
        Some(ComesTo::Unknown { .. } | ComesTo::Allows { .. } | ComesTo::Nothing) | None => Value::Unknown,
    }
}

fn near_theirs<'a>(m: &Moment<'a>) -> Value<'a> {
    match foreign(m).map(|foreign| &foreign.comes_to) {
        Some(ComesTo::Unknown { near: Some(near), .. }) => (*near).into(),
        Some(_) | None => Value::Unknown,
    }
}

fn near<'a>(m: &Moment<'a>) -> Value<'a> {
    match allowed(m).map(|allowed| allowed.known) {
        Some(Err(Some(near))) => near.into(),
        Some(_) | None => Value::Unknown,
    }
}
