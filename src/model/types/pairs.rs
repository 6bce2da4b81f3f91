//! The pairs of types between which a table keeps its rows, as data. `tests/live/types.rs` walks every pair on servers.

use super::Conversion::{self, Free, RebuildsIndexes};

pub(super) const TEXT: &str = "text";
pub(super) const VARCHAR: &str = "character varying";
pub(super) const CHAR: &str = "character";
pub(super) const BPCHAR: &str = "bpchar";
pub(super) const CITEXT: &str = "citext";
pub(super) const TIMESTAMP: &str = "timestamp without time zone";
pub(super) const TIMESTAMPTZ: &str = "timestamp with time zone";

/// What the modifiers of the two types have to be for a row to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// The target has no length.
    Unlimited,
    /// The target has no length, or one that is not below the source's.
    NotShorter,
    /// The target has no precision, or the same scale and a precision that is not below the source's.
    SameScaleNotSmaller,
    /// The target keeps at least as many digits of the second; none written means all six.
    NotCoarser,
    /// The same for intervals, whose fields count as well.
    IntervalNotCoarser,
    /// The target keeps all six digits, and the session's time zone is UTC by definition.
    WholePrecisionInUtc,
}

/// The pairs that keep the table. What is in no row is written anew.
#[rustfmt::skip]
pub(super) const TABLE: &[(&[&str], &[&str], When, Conversion)] = &[
    // from                                 to                                      when                        costs
    (&[VARCHAR],                            &[VARCHAR],                             When::NotShorter,           Free),
    (&[VARCHAR],                            &[TEXT],                                When::Always,               Free),
    (&[TEXT],                               &[VARCHAR],                             When::Unlimited,            Free),
    (&[CHAR],                               &[BPCHAR],                              When::Always,               Free),
    (&[TEXT, VARCHAR],                      &[CITEXT, BPCHAR],                      When::Always,               RebuildsIndexes),
    (&[CITEXT],                             &[TEXT, VARCHAR, BPCHAR],               When::Unlimited,            RebuildsIndexes),
    (&["xml"],                              &[TEXT, VARCHAR, BPCHAR],               When::Unlimited,            Free),
    (&["numeric"],                          &["numeric"],                           When::SameScaleNotSmaller,  Free),
    (&[TIMESTAMP],                          &[TIMESTAMP],                           When::NotCoarser,           Free),
    (&[TIMESTAMPTZ],                        &[TIMESTAMPTZ],                         When::NotCoarser,           Free),
    (&["time without time zone"],           &["time without time zone"],            When::NotCoarser,           Free),
    (&["time with time zone"],              &["time with time zone"],               When::NotCoarser,           Free),
    (&["interval"],                         &["interval"],                          When::IntervalNotCoarser,   Free),
    (&[TIMESTAMP],                          &[TIMESTAMPTZ],                         When::WholePrecisionInUtc,  RebuildsIndexes),
    (&[TIMESTAMPTZ],                        &[TIMESTAMP],                           When::WholePrecisionInUtc,  RebuildsIndexes),
    (&["bit varying"],                      &["bit varying"],                       When::NotShorter,           Free),
    (&["bit"],                              &["bit varying"],                       When::Unlimited,            RebuildsIndexes),
    (&["cidr"],                             &["inet"],                              When::Always,               Free),
    (&["integer"],                          &["oid"],                               When::Always,               RebuildsIndexes),
    (&["oid"],                              &["integer"],                           When::Always,               RebuildsIndexes),
    (&["oid"],                              REGISTERED,                             When::Always,               Free),
    (REGISTERED,                            &["oid"],                               When::Always,               Free),
    (&["integer"],                          REGISTERED,                             When::Always,               RebuildsIndexes),
    (REGISTERED,                            &["integer"],                           When::Always,               RebuildsIndexes),
    (&["regproc"],                          &["regprocedure"],                      When::Always,               Free),
    (&["regprocedure"],                     &["regproc"],                           When::Always,               Free),
    (&["regoper"],                          &["regoperator"],                       When::Always,               Free),
    (&["regoperator"],                      &["regoper"],                           When::Always,               Free),
];

const REGISTERED: &[&str] = &[
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
];

/// The server's own types that stand in no row: a change from or to them writes the table anew.
#[rustfmt::skip]
pub(super) const OTHERS: &[&str] = &[
    "smallint", "bigint", "real", "double precision", "money", "boolean", "bytea", "date", "json", "jsonb", "jsonpath", "uuid", "macaddr",
    "macaddr8", "name", "char", "point", "line", "lseg", "box", "path", "polygon", "circle", "tsvector", "tsquery", "pg_lsn", "pg_snapshot",
    "txid_snapshot", "xid", "xid8", "cid", "tid", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
    "int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange", "oidvector", "int2vector",
];
