//! Edits of tokens: what a place is in the text at hand, and what is written there.

use super::super::finding::Edit;
use super::lines::Lines;
use crate::rule::edit::{Place, Side};
use crate::rule::facts::BETWEEN_NAMES;
use crate::rule::moment::{Moment, Subject};
use crate::rule::part;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};

/// What is put before a place, or behind it.
pub(super) fn insert(place: &Place, side: Side, text: &str, moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Vec<Edit>, String> {
    if text.is_empty() {
        return Err("there is nothing to write".to_owned());
    }
    let here = || lines.here.ok_or_else(|| "it is about the file as a whole".to_owned());
    let spans = match place {
        Place::Statement => {
            let at = here()?;
            return Ok(vec![if side == Side::Before { lines.before(at, text) } else { lines.behind(at, text) }]);
        }
        Place::Transaction => return Ok(vec![at_start_of_transaction(text, moment, lines)?]),
        Place::File => return Ok(vec![at_edge_of_file(side, text, lines)]),
        Place::Words(words) => vec![first(find(moment, words))?],
        Place::Operator(operator) => vec![only(operators(moment, operator))?],
        Place::Part(part, of) => some(part::places(part, of.as_deref(), moment))?,
        Place::Name(fact) => vec![first(name(moment, fact))?],
        Place::Operation => vec![moment.place()],
    };
    Ok(spans.into_iter().map(|span| beside(span, side, text, place, moment)).collect())
}

fn beside(span: Span, side: Side, text: &str, place: &Place, moment: &Moment<'_>) -> Edit {
    // New words behind a keyword take the place where the next token begins, so that what stands between keeps its place.
    let next = || Lexer::new(moment.source, Span::new(span.end, moment.place().end)).next();
    match side {
        Side::Before => at(span.start, format!("{text} ")),
        Side::After => match next().filter(|_| matches!(place, Place::Words(_))) {
            Some(next) => at(next.span.start, format!("{text} ")),
            None if text.starts_with(',') => at(span.end, text.to_owned()),
            None => at(span.end, format!(" {text}")),
        },
    }
}

/// What stands instead of what is at a place.
pub(super) fn replace(place: &Place, text: &str, moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Vec<Edit>, String> {
    let spans = match place {
        Place::Words(words) => vec![*find(moment, words).last().ok_or_else(|| format!("{words} is not written there"))?],
        Place::Operator(operator) => vec![only(operators(moment, operator))?],
        Place::Part(part, of) => some(part::places(part, of.as_deref(), moment))?,
        Place::Name(fact) => match each_name(moment, fact, text) {
            Some(edits) => return edits,
            None => some(name(moment, fact))?,
        },
        Place::Operation => vec![moment.place()],
        Place::Statement => {
            let at = lines.here.ok_or_else(|| "it is about the file as a whole".to_owned())?;
            return Ok(vec![statement(at, text, lines)]);
        }
        Place::Transaction | Place::File => return Err("only inserts are possible there".to_owned()),
    };
    spans
        .into_iter()
        .map(|span| if text.is_empty() { without(span, place, moment, lines) } else { Ok(Edit { span, text: lines.with_line_ends(text) }) })
        .collect()
}

/// Another statement, or none.
fn statement(at: usize, text: &str, lines: &Lines<'_>) -> Edit {
    let span = lines.statements[at].span;
    match text.is_empty() {
        true => lines.without_statement(at),
        // Its own semicolon stands behind it.
        false => Edit { span, text: lines.with_line_ends(text.trim_end().trim_end_matches(';')) },
    }
}

/// Takes out what stands at a place: of a list the comma with it, of a line all of it.
fn without(span: Span, place: &Place, moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Edit, String> {
    let source = moment.source;
    let is_item = match place {
        Place::Operation => true,
        Place::Part(part, _) if part.name == "opening" => return Ok(Edit { span, text: String::new() }),
        Place::Part(part, _) => matches!(part.name, "definition" | "repetition"),
        _ => false,
    };
    let Some(whole) =
        lines.here.map(|at| lines.statements[at].span).filter(|whole| is_item && whole.start <= span.start && span.end <= whole.end)
    else {
        return Ok(match moment.subject {
            Subject::Allowance(_) | Subject::BrokenText(_) => lines.without(span),
            _ => Edit { span: Span::new(lines.spaces_before(span.start), span.end), text: String::new() },
        });
    };
    let before = Lexer::new(source, Span::new(whole.start, span.start)).last();
    let next = Lexer::new(source, Span::new(span.end, whole.end)).next();
    let is = |token: &Option<Token>, mark| token.is_some_and(|token| token.is_mark(source, mark));
    if span == whole {
        return Ok(lines.here.map_or(lines.without(whole), |at| lines.without_statement(at)));
    }
    if is(&before, ",") {
        let comma = before.map_or(span, |token| token.span);
        return Ok(Edit { span: Span::new(lines.spaces_before(comma.start), span.end), text: String::new() });
    }
    let begins_list = is(&before, "(") || is_first_action(span, moment);
    match next.filter(|_| begins_list) {
        Some(comma) if comma.is_mark(source, ",") => {
            let behind = Lexer::new(source, Span::new(comma.span.end, whole.end)).next().map_or(comma.span.end, |token| token.span.start);
            Ok(Edit { span: Span::new(span.start, behind), text: String::new() })
        }
        _ if begins_list => Err("nothing would be left of the statement".to_owned()),
        _ => Ok(Edit { span: Span::new(lines.spaces_before(span.start), span.end), text: String::new() }),
    }
}

/// Whether a span is the first of the actions of ALTER, rather than a piece of one.
fn is_first_action(span: Span, moment: &Moment<'_>) -> bool {
    let operations = moment.statement().map_or(&[][..], |statement| &statement.operations);
    operations.iter().all(|other| other.span.start >= span.start) && operations.iter().any(|other| other.span == span)
}

/// Behind BEGIN, or before the first statement of the file.
fn at_start_of_transaction(text: &str, moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Edit, String> {
    let start = moment.session.transaction_start().filter(|_| moment.session.in_transaction());
    let start = start.ok_or_else(|| "no transaction is open there".to_owned())?;
    let at = moment.file[..start].iter().filter(|statement| statement.nesting.is_none()).count();
    Ok(if moment.session.in_explicit_transaction() { lines.behind(at, text) } else { lines.before(at, text) })
}

fn at_edge_of_file(side: Side, text: &str, lines: &Lines<'_>) -> Edit {
    match (side, lines.statements.len().checked_sub(1)) {
        (Side::After, Some(last)) => lines.behind(last, text),
        (Side::Before, Some(_)) => {
            let start = lines.start_with_comments(0);
            at(start, format!("{}{}", lines.ended(text), lines.line_end()))
        }
        (_, None) => at(lines.part.end, format!("{}{}", lines.ended(text), lines.line_end())),
    }
}

fn at(place: u32, text: String) -> Edit {
    Edit { span: Span::new(place, place), text }
}

fn first(spans: Vec<Span>) -> Result<Span, String> {
    spans.first().copied().ok_or_else(|| "what it hangs on is not written there".to_owned())
}

fn some(spans: Vec<Span>) -> Result<Vec<Span>, String> {
    if spans.is_empty() { Err("what it would change is not written there".to_owned()) } else { Ok(spans) }
}

fn only(spans: Vec<Span>) -> Result<Span, String> {
    match spans[..] {
        [span] => Ok(span),
        [] => Err("what it would change is not written there".to_owned()),
        _ => Err("it is written more than once there".to_owned()),
    }
}

/// The places of a sequence of keywords, from left to right.
fn find(moment: &Moment<'_>, words: &str) -> Vec<Span> {
    let source = moment.source;
    let tokens: Vec<_> = Lexer::new(source, moment.place()).collect();
    let words: Vec<_> = words.split(' ').collect();
    let fits = |window: &&[Token]| window.iter().zip(&words).all(|(token, word)| token.is_word(source, word));
    tokens.windows(words.len()).filter(fits).map(|window| window[0].span.to(window[window.len() - 1].span)).collect()
}

/// The places of an operator; `!=` is `<>`.
fn operators(moment: &Moment<'_>, operator: &str) -> Vec<Span> {
    let source = moment.source;
    let same: &[&str] = if matches!(operator, "<>" | "!=") { &["<>", "!="] } else { &[operator] };
    let fits = |token: &Token| token.kind == TokenKind::Operator && same.iter().any(|sign| source.slice(token.span) == sign.as_bytes());
    Lexer::new(source, moment.place()).filter(fits).map(|token| token.span).collect()
}

/// Where the statement writes the names that a fact shows; their schemas may be left out on one side.
fn name(moment: &Moment<'_>, fact: &str) -> Vec<Span> {
    let mut places: Vec<_> = part::names(fact, moment).iter().flat_map(|name| written(moment, name)).collect();
    places.sort();
    places
}

/// Of several names each becomes another one, if as many texts are shown; `None` for a single text.
fn each_name(moment: &Moment<'_>, fact: &str, text: &str) -> Option<Result<Vec<Edit>, String>> {
    let (names, texts) = (part::names(fact, moment), text.split(BETWEEN_NAMES).collect::<Vec<_>>());
    let edits = |(name, text): (&String, &&str)| {
        let spans = some(written(moment, name))?;
        Ok(spans.into_iter().map(|span| Edit { span, text: (*text).to_owned() }).collect::<Vec<_>>())
    };
    let each = || names.iter().zip(&texts).map(edits).collect::<Result<Vec<_>, String>>().map(|edits| edits.concat());
    (texts.len() > 1 && texts.len() == names.len()).then(each)
}

/// Where the statement writes a name.
fn written(moment: &Moment<'_>, name: &str) -> Vec<Span> {
    let source = moment.source;
    let tokens: Vec<_> = Lexer::new(source, moment.place()).collect();
    let wanted = SourceFile::new("name", name);
    let parts: Vec<_> = Lexer::new(&wanted, Span::new(0, name.len() as u32)).collect();
    let same = |window: &&[Token]| {
        window.iter().zip(&parts).all(|(token, part)| match (token.ident(source), part.ident(&wanted)) {
            (Some(token), Some(part)) => token == part,
            _ => source.slice(token.span) == wanted.slice(part.span),
        })
    };
    tokens.windows(parts.len().max(1)).filter(same).map(|window| window[0].span.to(window[window.len() - 1].span)).collect()
}
