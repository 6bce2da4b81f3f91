//! Which statements Flyway and Supabase run without a transaction, though nothing tells them to.

use crate::sql::lex::Lexer;
use crate::sql::split::{self, split};
use crate::text::{SourceFile, Span};

/// What Flyway makes of the statements of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of them run in a transaction.
    Transactional,
    /// None of them does.
    Alone,
    /// Some do and some do not: an error, unless `mixed` is set, and then none does.
    Mixed,
}

/// How the statements begin that Flyway runs without a transaction (PostgreSQLParser.java: detectCanExecuteInTransaction). It overlooks
/// others that PostgreSQL refuses in one, such as REINDEX TABLE CONCURRENTLY. Words of which one stands there are parted by `|`; one that
/// begins with `?` may be missing.
const ALONE: &[&[&str]] = &[
    &["CREATE|DROP", "DATABASE|TABLESPACE|SUBSCRIPTION"],
    &["ALTER", "SYSTEM"],
    &["CREATE|DROP", "?UNIQUE", "INDEX", "CONCURRENTLY"],
    &["REINDEX", "?VERBOSE", "SCHEMA|DATABASE|SYSTEM"],
    &["VACUUM"],
    &["DISCARD", "ALL"],
];

/// How many words tell.
const WORDS: usize = 4;

/// Looks at the statements of a part of a file.
pub(super) fn look(source: &SourceFile, part: Span) -> Seen {
    let alone: Vec<_> = split(source, part).pieces.iter().map(|piece| runs_alone(source, piece.span())).collect();
    match (alone.contains(&true), alone.contains(&false)) {
        (false, _) => Seen::Transactional,
        (true, false) => Seen::Alone,
        (true, true) => Seen::Mixed,
    }
}

/// The pieces that Supabase sends as one pipeline each: a statement that must run alone ends the one before it. `None`: the file says BEGIN,
/// and each statement is sent alone.
pub(super) fn pipelines(source: &SourceFile, part: Span) -> Option<Vec<Span>> {
    let statements: Vec<_> = split(source, part).pieces.iter().map(split::Piece::span).collect();
    if statements.iter().any(|statement| begins_with(&words(source, *statement), &["BEGIN|START"])) {
        return None;
    }
    let runs = statements.split(|statement| runs_alone(source, *statement));
    Some(runs.filter_map(|run| Some(Span::new(run.first()?.start, run.last()?.end))).collect())
}

fn runs_alone(source: &SourceFile, statement: Span) -> bool {
    let words = words(source, statement);
    ALONE.iter().any(|pattern| begins_with(&words, pattern))
}

fn words(source: &SourceFile, statement: Span) -> Vec<String> {
    Lexer::new(source, statement).take(WORDS).map(|token| source.text(token.span).to_uppercase()).collect()
}

fn begins_with(words: &[String], pattern: &[&str]) -> bool {
    let mut words = words.iter().peekable();
    pattern.iter().all(|wanted| match wanted.strip_prefix('?') {
        Some(optional) => {
            words.next_if(|word| *word == optional);
            true
        }
        None => words.next().is_some_and(|word| wanted.split('|').any(|wanted| word == wanted)),
    })
}
