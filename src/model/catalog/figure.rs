//! The name that the server gives to an expression among the columns of an index (parse_target.c, FigureColname).

use crate::model::name::{Ident, Name};

/// Longer expressions are taken as nameless: looking for a name costs time and stack that grow with the nesting.
const LONGEST: usize = 4096;

/// The name for the text of an expression as [`Expression::text`](crate::model::expression::Expression) holds it; `None` where the server
/// says `expr`.
pub(super) fn column_name(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let tokens: Vec<&str> = tokens(text);
    named(&tokens).map(|(name, _)| name)
}

/// Whether an expression is a column by itself, but for parentheses and COLLATE.
pub(super) fn is_column(text: &str) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    let tokens: Vec<&str> = tokens(text);
    let mut tokens = &tokens[..];
    loop {
        if tokens.first() == Some(&"(") && closing(tokens, 0) == Some(tokens.len() - 1) {
            tokens = &tokens[1..tokens.len() - 1];
        } else if let Some(inner) = without_collate(tokens) {
            tokens = inner;
        } else {
            return matches!(tokens, [word] if is_word(word));
        }
    }
}

/// The collation that COLLATE gives a column by itself.
pub(super) fn collation(text: &str) -> Option<Name> {
    let tokens = tokens(text);
    let place = tokens.iter().position(|token| *token == "collate")?;
    let mut parts = tokens[place + 1..].iter().take_while(|token| is_word(token) || **token == ".").filter(|token| **token != ".");
    let first = Ident::quoted(&unquoted(parts.next()?));
    Some(match parts.next() {
        Some(second) => Name { schema: Some(first), name: Ident::quoted(&unquoted(second)) },
        None => Name::bare(first),
    })
}

/// How sure a name is: that of a cast or of CASE gives way to one from inside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Weak,
    Strong,
}

/// The expression's tokens; a string that holds blanks is one token again.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let bytes = rest.as_bytes();
        let mut quote = None;
        let end = (0..bytes.len()).find(|&at| match (quote, bytes[at]) {
            (None, b' ') => true,
            (None, byte @ (b'\'' | b'"')) => {
                quote = Some(byte);
                false
            }
            (Some(open), byte) if open == byte => {
                quote = None;
                false
            }
            _ => false,
        });
        let end = end.unwrap_or(bytes.len());
        if end > 0 {
            tokens.push(&rest[..end]);
        }
        rest = rest.get(end + 1..).unwrap_or("");
    }
    tokens
}

/// Peels casts, COLLATE and parentheses from outside, then looks at what is left.
fn named(tokens: &[&str]) -> Option<(String, Strength)> {
    let mut tokens = tokens;
    let mut cast = None;
    loop {
        if tokens.first() == Some(&"(") && closing(tokens, 0) == Some(tokens.len() - 1) {
            tokens = &tokens[1..tokens.len() - 1];
        } else if let Some((inner, target)) = outer_cast(tokens) {
            cast = cast.or(type_name(target));
            tokens = inner;
        } else if let Some(inner) = without_collate(tokens) {
            tokens = inner;
        } else {
            break;
        }
    }
    match (core(tokens), cast) {
        (Some((name, Strength::Strong)), _) => Some((name, Strength::Strong)),
        (_, Some(cast)) => Some((cast, Strength::Weak)),
        (weak, None) => weak,
    }
}

/// The place of the parenthesis or bracket that closes the one at `open`.
fn closing(tokens: &[&str], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" => depth += 1,
            ")" | "]" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

/// `operand :: type` and `cast ( operand as type )`, where the operand is all that stands before the last `::`.
fn outer_cast<'a>(tokens: &'a [&'a str]) -> Option<(&'a [&'a str], &'a [&'a str])> {
    if tokens.first() == Some(&"cast") && tokens.get(1) == Some(&"(") && closing(tokens, 1) == Some(tokens.len() - 1) {
        let inside = &tokens[2..tokens.len() - 1];
        let word = outside_parentheses(inside).filter(|place| inside[*place] == "as").last()?;
        return Some((&inside[..word], &inside[word + 1..]));
    }
    let place = outside_parentheses(tokens).filter(|place| tokens[*place] == "::").last()?;
    let (operand, target) = (&tokens[..place], &tokens[place + 1..]);
    // `a || b :: text` casts `b` alone, and `a :: int + 1` is a sum.
    (is_one_value(operand) && is_type(target)).then_some((operand, target))
}

fn without_collate<'a>(tokens: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let place = outside_parentheses(tokens).filter(|place| tokens[*place] == "collate").last()?;
    let (operand, collation) = (&tokens[..place], &tokens[place + 1..]);
    (is_one_value(operand) && collation.iter().all(|token| is_word(token) || *token == ".")).then_some(operand)
}

fn outside_parentheses<'a>(tokens: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter_map(move |(place, token)| {
        match *token {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0).then_some(place)
    })
}

/// No operator stands at the top level: a name, a call, a constant, a value in parentheses, CASE, with subscripts and casts.
fn is_one_value(tokens: &[&str]) -> bool {
    if tokens.first() == Some(&"case") {
        return case_end(tokens) == Some(tokens.len() - 1);
    }
    let mut after_value = false;
    let mut depth = 0_usize;
    for token in tokens {
        match *token {
            "(" | "[" => depth += 1,
            ")" | "]" => {
                depth = depth.saturating_sub(1);
                after_value = true;
            }
            _ if depth > 0 => {}
            "." | "::" => after_value = false,
            _ if is_word(token) || is_constant(token) => {
                if after_value {
                    return false;
                }
                after_value = true;
            }
            _ => return false,
        }
    }
    after_value
}

fn case_end(tokens: &[&str]) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match *token {
            "case" => depth += 1,
            "end" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '"' || !c.is_ascii())
}

fn is_constant(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit() || c == '\'')
}

fn is_type(tokens: &[&str]) -> bool {
    let continues = |token: &&str| is_word(token) || is_constant(token) || matches!(*token, "." | "(" | ")" | "[" | "]" | ",");
    !tokens.is_empty() && is_word(tokens[0]) && tokens.iter().all(continues)
}

/// The name of what is neither a cast nor in parentheses.
fn core(tokens: &[&str]) -> Option<(String, Strength)> {
    let strong = |name: &str| Some((unquoted(name), Strength::Strong));
    match tokens {
        ["case", ..] if case_end(tokens) == Some(tokens.len() - 1) => {
            let otherwise = else_branch(tokens).and_then(core).filter(|(_, strength)| *strength == Strength::Strong);
            return otherwise.or(Some(("case".to_owned(), Strength::Weak)));
        }
        ["array", "[", ..] => return strong("array"),
        ["row", "(", ..] if closing(tokens, 1) == Some(tokens.len() - 1) => return strong("row"),
        [word] if is_word(word) && !matches!(*word, "true" | "false" | "null") => return strong(word),
        _ => {}
    }
    if !is_one_value(tokens) || !is_word(tokens.first()?) {
        return None;
    }
    // `name`, `schema.name`, `name[1]`: the last word before any subscript or argument.
    let open = tokens.iter().position(|token| matches!(*token, "(" | "[")).unwrap_or(tokens.len());
    let name = tokens[..open].last().filter(|token| is_word(token))?;
    let closes = tokens.get(open) == Some(&"(") && closing(tokens, open) != Some(tokens.len() - 1);
    if closes {
        return None;
    }
    strong(if *name == "trim" { trim_name(&tokens[open..]) } else { name })
}

/// TRIM (LEADING ...), TRIM (TRAILING ...) and plain TRIM are three functions.
fn trim_name(tokens: &[&str]) -> &'static str {
    match tokens.get(1) {
        Some(&"leading") => "ltrim",
        Some(&"trailing") => "rtrim",
        _ => "btrim",
    }
}

fn else_branch<'a>(tokens: &'a [&'a str]) -> Option<&'a [&'a str]> {
    let mut depth = 0_usize;
    let place = tokens.iter().position(|token| {
        match *token {
            "case" | "(" => depth += 1,
            "end" | ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 1 && *token == "else"
    })?;
    Some(&tokens[place + 1..tokens.len() - 1])
}

/// The name under which the catalog knows a type: `int4` for `integer`.
fn type_name(tokens: &[&str]) -> Option<String> {
    let words: Vec<&str> = tokens.iter().copied().take_while(|token| is_word(token) || *token == ".").collect();
    let zoned = tokens.windows(3).any(|words| words == ["with", "time", "zone"]);
    let name = match words.first().copied()? {
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "real" => "float4",
        "float" | "double" => "float8",
        "decimal" | "dec" => "numeric",
        "boolean" => "bool",
        "character" | "char" | "nchar" if words.get(1) == Some(&"varying") => "varchar",
        "character" | "char" | "nchar" => "bpchar",
        "timestamp" if zoned => "timestamptz",
        "time" if zoned => "timetz",
        "timestamp" => "timestamp",
        "time" => "time",
        "bit" if words.get(1) == Some(&"varying") => "varbit",
        first => {
            if words.get(1) == Some(&".") {
                words.last().copied()?
            } else {
                first
            }
        }
    };
    Some(unquoted(name))
}

fn unquoted(word: &str) -> String {
    match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::column_name;

    /// Each line was measured on PostgreSQL 15: `CREATE INDEX ON orders ((expression))`.
    #[test]
    fn an_expression_is_named_as_the_server_names_it() {
        for (text, name) in [
            ("lower ( note )", Some("lower")),
            ("pg_catalog . upper ( note )", Some("upper")),
            ("( data ->> 'x' )", None),
            ("( data ->> 'a b' ) :: int", Some("int4")),
            ("( data ->> 'x' ) :: varchar ( 4 )", Some("varchar")),
            ("note || 'x'", None),
            ("coalesce ( note , '' )", Some("coalesce")),
            ("created :: date", Some("created")),
            ("note :: text :: varchar", Some("note")),
            ("lower ( note ) :: varchar", Some("lower")),
            ("cast ( note as varchar ( 3 ) )", Some("note")),
            ("date ( created at time zone 'utc' )", Some("date")),
            ("case when amount > 0 then 1 end", Some("case")),
            ("amount is null", None),
            ("( ( amount ) )", Some("amount")),
            ("data -> 'a' -> 'b'", None),
            ("nullif ( note , '' )", Some("nullif")),
            ("note collate \"C\"", Some("note")),
            ("greatest ( buyer , id )", Some("greatest")),
            ("array [ buyer ]", Some("array")),
            ("data [ 0 ]", Some("data")),
            ("- buyer", None),
            ("trim ( note )", Some("btrim")),
            ("substring ( note from 1 for 2 )", Some("substring")),
            ("position ( 'a' in note )", Some("position")),
            ("note like 'a%'", None),
            ("lower ( note ) || lower ( ref )", None),
        ] {
            assert_eq!(column_name(text).as_deref(), name, "{text}");
        }
    }
}
