//! What expressions and queries need: a walk over their tokens names it, and sqlparser says what an expression's conditions are.

mod cast;
mod once;
mod output;
mod plain;
mod survey;
mod tree;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use super::lex::{Token, TokenKind};
use super::recognise::cursor::span_of;
use crate::model::expression::{Answers, Expression};
use crate::model::name::{Ident, Name};
use crate::model::operation::Persistence;
use crate::text::{SourceFile, Span};
pub(crate) use once::Once;
pub(crate) use survey::{Clause, Survey, survey};
use tree::Tree;
pub(crate) use words::is_niladic;

/// Reads an expression from its tokens. Never fails: what cannot be read clears [`Expression::understood`], and what its tokens tell of
/// functions, columns and relations is there nonetheless.
pub(crate) fn expression(source: &SourceFile, tokens: &[Token]) -> Expression {
    expression_over(source, tokens, &[])
}

/// The same for an expression over relations in `bounded`, of which LIMIT leaves a few rows: what is equal to a column of theirs is one of
/// a few values.
pub(crate) fn expression_over(source: &SourceFile, tokens: &[Token], bounded: &[Ident]) -> Expression {
    let survey = survey(source, tokens, bounded);
    let Tree { understood, constant, conjuncts } = tree::shape(source, tokens, &survey, bounded);
    let columns = survey.mentions();
    let (text, places) = normalised_with(source, tokens, if survey.complete { &survey.places } else { &[] });
    let Survey { calls, operators, casts, reads, complete, .. } = survey;
    let answers = Answers {
        span: span_of(tokens).unwrap_or_default(),
        text,
        places,
        understood: understood && complete,
        constant,
        calls: calls.into_vec(),
        operators: operators.into_vec(),
        columns,
        casts: casts.into_vec(),
        reads: reads.into_vec(),
        conjuncts,
    };
    answers.into()
}

/// What is asked of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct QuerySummary {
    /// Relations that it reads, each once; no CTEs, no functions.
    pub reads: Vec<Name>,
    /// Functions that it calls, each once.
    pub calls: Vec<Name>,
    /// Names that may be columns of what it reads.
    pub mentions: Vec<Ident>,
    /// The names of its own columns, if its words tell them all.
    pub columns: Option<Vec<Ident>>,
    /// `*` stands for columns of its own, with a table before it or not.
    pub star: bool,
    /// LIMIT or FETCH FIRST bounds it.
    pub limited: bool,
    /// The WHERE of each of its branches; empty if one of them has none.
    pub filters: Vec<Expression>,
    /// FOR UPDATE and its kin.
    pub locks_rows: bool,
    /// SELECT INTO: the table that it makes.
    pub into: Option<(Name, Persistence)>,
    /// The first token that cannot stand where it stands.
    pub stray: Option<Token>,
    /// False if some part could not be read: every list may then lack something.
    pub understood: bool,
}

/// Reads a query from its tokens: SELECT, VALUES, TABLE, WITH, in brackets or not.
pub(crate) fn query(source: &SourceFile, tokens: &[Token]) -> QuerySummary {
    query_over(source, tokens, &[])
}

/// The same for a query over relations in `bounded`, of which LIMIT leaves a few rows.
pub(crate) fn query_over(source: &SourceFile, tokens: &[Token], bounded: &[Ident]) -> QuerySummary {
    let brackets = brackets_around(source, tokens);
    let tokens = &tokens[brackets..tokens.len() - brackets];
    let survey = survey(source, tokens, bounded);
    QuerySummary {
        columns: targets(source, tokens, &survey).and_then(|targets| output::names(source, targets)),
        star: targets(source, tokens, &survey).is_some_and(|targets| output::has_star(source, targets)),
        filters: filters(source, tokens, &survey),
        mentions: survey.mentions(),
        limited: survey.limited || gives_one_row(source, tokens, &survey),
        locks_rows: survey.locks_rows,
        stray: survey.stray,
        understood: survey.complete && !survey.clauses.is_empty(),
        reads: survey.reads.into_vec(),
        calls: survey.calls.into_vec(),
        into: survey.into,
    }
}

/// How many pairs of brackets hold everything.
pub(crate) fn brackets_around(source: &SourceFile, tokens: &[Token]) -> usize {
    let leading = tokens.iter().take_while(|token| token.is_mark(source, "(")).count();
    if leading == 0 {
        return 0;
    }
    // Where each of the leading brackets closes, in one pass.
    let mut closes = vec![0; leading];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_mark(source, "(") {
            open.push(at);
        } else if token.is_mark(source, ")") {
            match open.pop() {
                Some(opened) if opened < leading => closes[opened] = at,
                Some(_) => {}
                None => return 0,
            }
        }
    }
    closes.iter().enumerate().take_while(|(at, close)| **close + at + 1 == tokens.len()).count()
}

/// What stands between SELECT and FROM of the first branch: its columns are those of all.
fn targets<'a>(source: &SourceFile, tokens: &'a [Token], survey: &Survey) -> Option<&'a [Token]> {
    let first = survey.clauses.iter().position(|(clause, _)| matches!(clause, Clause::Targets | Clause::Values))?;
    let mut targets = survey.part(first, tokens);
    if survey.clauses[first].0 == Clause::Values {
        return None;
    }
    if let [word, rest @ ..] = targets
        && word.is_word(source, "all")
    {
        targets = rest;
    }
    if let [word, rest @ ..] = targets
        && word.is_word(source, "distinct")
    {
        let on = rest.first().is_some_and(|word| word.is_word(source, "on"));
        targets = if on { behind_group(source, &rest[1..]) } else { rest };
    }
    Some(targets)
}

/// What stands behind the brackets that come first.
fn behind_group<'a>(source: &SourceFile, tokens: &'a [Token]) -> &'a [Token] {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        if token.is_mark(source, "(") {
            depth += 1;
        } else if token.is_mark(source, ")") {
            depth = depth.saturating_sub(1);
        }
        if depth == 0 {
            return &tokens[at + 1..];
        }
    }
    &[]
}

/// Aggregates without GROUP BY make one row of all that they read.
fn gives_one_row(source: &SourceFile, tokens: &[Token], survey: &Survey) -> bool {
    let clauses = || survey.clauses.iter().enumerate();
    let one_branch = clauses().filter(|(_, (clause, _))| *clause == Clause::Targets).count() == 1;
    let grouped = clauses().any(|(_, (clause, at))| *clause == Clause::Tail && tokens[*at].is_word(source, "group"));
    let targets = clauses().find(|(_, (clause, _))| *clause == Clause::Targets).map_or(&[][..], |(index, _)| survey.part(index, tokens));
    let says = |word: &str| targets.iter().any(|token| token.is_word(source, word));
    let is_aggregate = |pair: &[Token]| pair[1].is_mark(source, "(") && AGGREGATES.iter().any(|word| pair[0].is_word(source, word));
    one_branch && !grouped && !says("over") && !says("select") && targets.windows(2).any(is_aggregate)
}

/// The aggregates that stand for a table in one row.
const AGGREGATES: &[&str] = &["avg", "bool_and", "bool_or", "count", "every", "max", "min", "sum"];

fn filters(source: &SourceFile, tokens: &[Token], survey: &Survey) -> Vec<Expression> {
    let branches = survey.clauses.iter().filter(|(clause, _)| *clause == Clause::Targets).count();
    let wheres = survey.clauses.iter().enumerate().filter(|(_, (clause, _))| *clause == Clause::Where);
    let filters: Vec<_> = wheres.map(|(index, _)| expression_over(source, survey.part(index, tokens), &survey.bounded)).collect();
    if filters.len() == branches { filters } else { Vec::new() }
}

/// The tokens with one space between them, words in lower case.
pub(crate) fn normalised(source: &SourceFile, tokens: &[Token]) -> String {
    normalised_with(source, tokens, &[]).0
}

/// The same, and where in it the tokens with these indexes are, which come in order.
fn normalised_with(source: &SourceFile, tokens: &[Token], wanted: &[usize]) -> (String, Box<[Span]>) {
    let mut places = Vec::with_capacity(wanted.len());
    let length = span_of(tokens).map_or(0, |span| span.len() as usize);
    let mut text = String::with_capacity(length + 8);
    for (index, token) in tokens.iter().enumerate() {
        if !text.is_empty() {
            text.push(' ');
        }
        let from = text.len();
        match (token.kind, source.slice(token.span)) {
            // With its escapes undone it can be read without knowing the character that escapes.
            (TokenKind::QuotedIdent, [b'u' | b'U', ..]) => {
                let name = token.name(source).unwrap_or_default();
                text.push('"');
                text.push_str(&name.replace('"', "\"\""));
                text.push('"');
            }
            _ => text.push_str(&source.text(token.span)),
        }
        if token.kind == TokenKind::Word {
            text[from..].make_ascii_lowercase();
        }
        if wanted.get(places.len()) == Some(&index) {
            places.push(Span::new(from as u32, text.len() as u32));
        }
    }
    (text, places.into())
}
