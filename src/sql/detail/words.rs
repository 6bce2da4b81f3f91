//! Words that mean something of their own inside an expression.

/// Keywords that are written like a function and are none, or have a syntax of their own inside their parentheses. Sorted.
const CONSTRUCTS: &[&str] = &[
    "coalesce",
    "exists",
    "extract",
    "greatest",
    "grouping",
    "interval",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "least",
    "merge_action",
    "normalize",
    "nullif",
    "operator",
    "overlay",
    "position",
    "row",
    "rows",
    "setof",
    "substring",
    "treat",
    "trim",
    "values",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// Functions that are called by a keyword alone. Sorted.
const NILADIC: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "system_user",
    "user",
];

/// Whether a word in lower case is a construct rather than a function when `(` follows.
pub(super) fn is_construct(word: &str) -> bool {
    CONSTRUCTS.binary_search(&word).is_ok()
}

/// Whether a word in lower case calls a function without parentheses.
pub(crate) fn is_niladic(word: &str) -> bool {
    NILADIC.binary_search(&word).is_ok()
}

/// The function behind a construct; `None` if it is computed without one (COALESCE, ROW ...).
pub(super) fn function_of(construct: &str) -> Option<&'static str> {
    Some(match construct {
        // `extract` itself exists from 14 on only, and is as stable as its elder.
        "extract" => "date_part",
        "normalize" => "normalize",
        "overlay" => "overlay",
        "position" => "position",
        "substring" => "substring",
        "trim" => "btrim",
        _ => return None,
    })
}

/// A word in lower case, in place: words of SQL are short, and most are only compared.
pub(super) struct Lower {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Lower {
    /// No keyword is longer.
    const LONGEST: usize = 24;

    /// Empty if the word is too long for a keyword, or is no ASCII.
    pub fn of(word: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        let length = if word.len() <= Self::LONGEST && word.is_ascii() { word.len() } else { 0 };
        bytes[..length].copy_from_slice(&word[..length]);
        bytes[..length].make_ascii_lowercase();
        Self { bytes, length }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_so_that_they_can_be_searched() {
        assert!(CONSTRUCTS.is_sorted() && NILADIC.is_sorted());
    }
}
