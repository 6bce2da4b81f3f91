//! Facts about secrets in plain text and about names that the server cuts.

use super::{Fact, Kind, Value};
use crate::model::kind::OpKind;
use crate::rule::moment::{Moment, Subject};
use crate::sql::remark::{LongName, Remark, RemarkKind, SecretKind};

const NAME: &[OpKind] = &[OpKind::LongName];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "secret", kind: Kind::Words(&["password", "connection", "key"]), of: &[OpKind::Secret], read: secret,
           doc: "what it opens: PASSWORD or a setting that is called so, a connection string, a key that its form gives away" },
    Fact { name: "name", kind: Kind::Text, of: NAME, read: |m| name(m).map(|name| &*name.written).into(),
           doc: "the name, all of it" },
    Fact { name: "kept_name", kind: Kind::Text, of: NAME, read: |m| name(m).map(|name| name.kept.sql()).into(),
           doc: "its first 63 bytes, which the server keeps" },
    Fact { name: "bytes", kind: Kind::Number, of: NAME, read: |m| name(m).map(|name| name.written.len()).into(),
           doc: "how long it is" },
    Fact { name: "collides", kind: Kind::Bool, of: NAME, read: |m| name(m).map(|name| name.collides).into(),
           doc: "another name of the file begins with the same 63 bytes" },
    Fact { name: "known_name", kind: Kind::Bool, of: NAME, read: |m| name(m).map(|name| m.before.has_name(&name.kept)).into(),
           doc: "something has this name already, as the server keeps it" },
];

fn remark<'a>(m: &Moment<'a>) -> Option<&'a RemarkKind> {
    match m.subject {
        Subject::Remark(Remark { what, .. }) => Some(what),
        _ => None,
    }
}

fn secret<'a>(m: &Moment<'a>) -> Value<'a> {
    match remark(m) {
        Some(RemarkKind::Secret(SecretKind::Password)) => Value::Word("password"),
        Some(RemarkKind::Secret(SecretKind::Connection)) => Value::Word("connection"),
        Some(RemarkKind::Secret(SecretKind::Key)) => Value::Word("key"),
        Some(RemarkKind::LongName(_)) | None => Value::Unknown,
    }
}

fn name<'a>(m: &Moment<'a>) -> Option<&'a LongName> {
    match remark(m)? {
        RemarkKind::LongName(name) => Some(name),
        RemarkKind::Secret(_) => None,
    }
}
