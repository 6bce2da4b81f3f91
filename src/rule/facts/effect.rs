//! Facts about what the server does for an operation.

use super::{Fact, Kind, Value};
use crate::model::effects::{Effects, InTransaction};
use crate::model::kind::OpKind;
use crate::rule::moment::Moment;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "scans", kind: Kind::Bool, of: OpKind::ALL, read: |m| brings(m, |e| !e.scans.is_empty()),
           doc: "a table is read as a whole while the locks are held" },
    Fact { name: "rewrites", kind: Kind::Bool, of: OpKind::ALL, read: |m| brings(m, |e| !e.rewrites.is_empty()),
           doc: "a table's rows are written anew" },
    Fact { name: "builds", kind: Kind::Bool, of: OpKind::ALL, read: |m| brings(m, |e| !e.builds.is_empty()),
           doc: "an index is built for the first time" },
    Fact { name: "rebuilds", kind: Kind::Bool, of: OpKind::ALL, read: |m| brings(m, |e| !e.rebuilds.is_empty()),
           doc: "an index that was there is built anew" },
    Fact { name: "transaction", kind: Kind::Words(&["allowed", "forbidden"]), of: OpKind::ALL, read: transaction,
           doc: "whether the server runs it inside a transaction block" },
];

/// What rests on an assumption is unknown, so that the finding says so.
fn brings<'a>(m: &Moment<'a>, what: fn(&Effects) -> bool) -> Value<'a> {
    match what(m.effects) {
        true if !m.effects.assumed.is_empty() => Value::Unknown,
        answer => answer.into(),
    }
}

fn transaction<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.effects.transaction {
        InTransaction::Allowed => "allowed",
        InTransaction::Forbidden => "forbidden",
    })
}
