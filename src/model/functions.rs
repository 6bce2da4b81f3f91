//! What is known of PostgreSQL's own functions: their volatility, as data for each major version.

#[path = "generated/volatility.rs"]
mod generated;

use super::catalog::Catalog;
use super::effects::Version;
use super::expression::{Constant, Expression};
use super::name::Name;
use super::operation::Volatility;
use generated::VOLATILITY;

/// Forms that look like calls and stand in no pg_proc, or that the grammar turns into a call of another name.
const SYNTAX: &[(&str, Volatility)] = &[
    ("array", Volatility::Immutable),
    ("cast", Volatility::Immutable),
    ("coalesce", Volatility::Immutable),
    ("collation for", Volatility::Stable),
    ("current_catalog", Volatility::Stable),
    ("current_date", Volatility::Stable),
    ("current_role", Volatility::Stable),
    ("current_time", Volatility::Stable),
    ("current_timestamp", Volatility::Stable),
    ("extract", Volatility::Stable),
    ("greatest", Volatility::Immutable),
    ("json_array", Volatility::Stable),
    ("json_exists", Volatility::Stable),
    ("json_object", Volatility::Stable),
    ("json_query", Volatility::Stable),
    ("json_scalar", Volatility::Stable),
    ("json_serialize", Volatility::Stable),
    ("json_value", Volatility::Stable),
    ("least", Volatility::Immutable),
    ("localtime", Volatility::Stable),
    ("localtimestamp", Volatility::Stable),
    ("nullif", Volatility::Immutable),
    ("row", Volatility::Immutable),
    ("trim", Volatility::Immutable),
    ("user", Volatility::Stable),
    ("xmlconcat", Volatility::Immutable),
    ("xmlelement", Volatility::Stable),
    ("xmlforest", Volatility::Stable),
    ("xmlparse", Volatility::Stable),
    ("xmlpi", Volatility::Immutable),
    ("xmlroot", Volatility::Immutable),
    ("xmlserialize", Volatility::Immutable),
    // Up to 14 its overload for timetz is volatile. What a default asks of it, timestamp and timestamptz, never is.
    ("timezone", Volatility::Immutable),
];

/// The volatility of a built-in or contrib function by its name without schema: the most volatile of its overloads, `None` if no such
/// function is known in that version.
pub fn volatility(name: &str, server: Version) -> Option<Volatility> {
    if let Some((_, known)) = SYNTAX.iter().find(|(word, _)| *word == name) {
        return Some(*known);
    }
    in_pg_proc(name, server)
}

/// The names that `pg_proc` of some version has, contrib included.
pub fn names_in_pg_proc() -> impl Iterator<Item = &'static str> {
    VOLATILITY.iter().map(|(name, _)| *name)
}

/// What `pg_proc` of that version says of a name: the most volatile of its overloads.
pub fn in_pg_proc(name: &str, server: Version) -> Option<Volatility> {
    let row = VOLATILITY.binary_search_by(|(function, _)| function.cmp(&name)).ok()?;
    let letters = VOLATILITY[row].1.as_bytes();
    let column = if letters.len() == 1 { 0 } else { usize::from(server.0.clamp(Version::OLDEST.0, Version::NEWEST.0) - Version::OLDEST.0) };
    match letters.get(column)? {
        b'i' => Some(Volatility::Immutable),
        b's' => Some(Volatility::Stable),
        b'v' => Some(Volatility::Volatile),
        _ => None,
    }
}

/// The most volatile thing in an expression; `None` if something in it is not known, and nothing is known to be volatile.
///
/// A function of the project counts by what its CREATE FUNCTION says, VOLATILE if that says nothing.
pub fn volatility_of(expression: &Expression, catalog: &Catalog, server: Version) -> Option<Volatility> {
    if expression.constant == Some(Constant::Null) {
        return Some(Volatility::Immutable);
    }
    let mut worst = expression.understood.then_some(Volatility::Immutable);
    for call in &expression.calls {
        match of_call(call, catalog, server) {
            Some(Volatility::Volatile) => return Some(Volatility::Volatile),
            Some(known) => worst = worst.map(|worst| worst.max(known)),
            None => worst = None,
        }
    }
    worst
}

fn of_call(call: &Name, catalog: &Catalog, server: Version) -> Option<Volatility> {
    let own = catalog.functions(call).iter().map(|function| function.volatility).max();
    let shipped = volatility(call.name.as_str(), server);
    match &call.schema {
        None => own.max(shipped),
        Some(schema) if *schema == "pg_catalog" => shipped,
        // Another schema holds functions of the project or of an extension. A name that is volatile elsewhere is not trusted to be better.
        Some(_) => own.or(shipped.filter(|known| *known == Volatility::Volatile)),
    }
}

/// Aggregates and window functions of any version, which no default can call: sorted.
const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "cume_dist",
    "dense_rank",
    "every",
    "first_value",
    "json_agg",
    "json_agg_strict",
    "json_arrayagg",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "lag",
    "last_value",
    "lead",
    "max",
    "min",
    "mode",
    "nth_value",
    "ntile",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "rank",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "row_number",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
];

/// Whether the server brings an aggregate or window function of this name.
pub fn is_aggregate(name: &str) -> bool {
    AGGREGATES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(name: &str, server: u8) -> Option<Volatility> {
        volatility(name, Version(server))
    }

    #[test]
    fn the_table_is_sorted_and_each_row_has_one_letter_or_eight() {
        assert!(VOLATILITY.is_sorted_by(|a, b| a.0 < b.0));
        for (name, letters) in VOLATILITY {
            assert!(matches!(letters.len(), 1 | 8) && letters.bytes().all(|letter| b"isv-".contains(&letter)), "{name} {letters}");
        }
    }

    /// Counted in `pg_proc` of each version, contrib included: one letter that is another changes the sums of its version.
    #[test]
    fn each_version_has_as_many_functions_as_its_server() {
        let count =
            |server: u8, wanted: Option<Volatility>| names_in_pg_proc().filter(|name| in_pg_proc(name, Version(server)) == wanted).count();
        let sums: Vec<[usize; 4]> = (Version::OLDEST.0..=Version::NEWEST.0)
            .map(|server| {
                [Some(Volatility::Immutable), Some(Volatility::Stable), Some(Volatility::Volatile), None].map(|of| count(server, of))
            })
            .collect();
        let counted = [
            [1620, 365, 267, 312],
            [1657, 380, 270, 257],
            [1720, 401, 288, 155],
            [1721, 405, 306, 132],
            [1725, 415, 314, 110],
            [1731, 421, 315, 97],
            [1758, 433, 337, 36],
            [1758, 433, 337, 36],
        ];
        assert_eq!(sums, counted);
    }

    #[test]
    fn a_clock_that_ticks_inside_a_transaction_is_volatile_and_now_is_not() {
        assert_eq!(on("now", 15), Some(Volatility::Stable));
        assert_eq!(on("current_timestamp", 15), Some(Volatility::Stable));
        assert_eq!(on("clock_timestamp", 15), Some(Volatility::Volatile));
        assert_eq!(on("gen_random_uuid", 15), Some(Volatility::Volatile));
        assert_eq!(on("uuid_generate_v4", 15), Some(Volatility::Volatile));
        assert_eq!(on("lower", 15), Some(Volatility::Immutable));
    }

    #[test]
    fn a_function_is_unknown_before_the_version_that_brings_it() {
        assert_eq!(on("uuidv7", 17), None);
        assert_eq!(on("uuidv7", 18), Some(Volatility::Volatile));
        assert_eq!(on("order_number", 18), None);
    }
}
