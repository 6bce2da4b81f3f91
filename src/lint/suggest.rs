//! What to do instead of a statement: the fix of a rule, put into the words and bytes of the file at hand.

use super::finding::{Advice, Edit, Safety, Suggestion};
use crate::rule::fix::{EditFix, EditPlace, Fix};
use crate::rule::moment::{Moment, Subject};
use crate::sql::lex::{Lexer, Token};
use crate::text::{SourceFile, Span};

/// The suggestion of a fix at a moment.
pub(super) fn suggestion(fix: &Fix, moment: &Moment<'_>) -> Suggestion {
    // What stands in a string is not edited.
    let edit = fix.edit.as_ref().filter(|_| moment.nesting().is_none());
    let edits: Vec<_> = edit.and_then(|edit| edited(edit, moment)).into_iter().collect();
    // A statement that needs to run by itself cannot be moved out of its transaction unseen.
    let needs_moving = fix.outside_transaction && moment.session.in_transaction();
    let safe = !edits.is_empty() && !fix.review && !fix.ends_elsewhere && !needs_moving;
    Suggestion {
        class: fix.class,
        safety: if safe { Safety::Safe } else { Safety::Review },
        ends_elsewhere: fix.ends_elsewhere,
        title: title(fix, moment),
        edits,
        steps: fix.steps.iter().map(|step| Advice { phase: step.phase.word().to_owned(), text: step.text.sql(moment) }).collect(),
        files: Vec::new(),
        recipe: fix.recipe.filter(|_| moment.nesting().is_none()),
    }
}

fn title(fix: &Fix, moment: &Moment<'_>) -> String {
    match (&fix.title, &fix.edit) {
        (Some(title), _) => title.words(moment),
        (None, Some(edit)) => match (&edit.place, edit.text.sql(moment).trim()) {
            (EditPlace::After(words), text) => format!("write {text} after {words}"),
            (EditPlace::Before(words), text) => format!("write {text} before {words}"),
            (EditPlace::Replace(words), "") => format!("leave out {words}"),
            (EditPlace::Replace(words), text) => format!("write {text} instead of {words}"),
            (EditPlace::End, text) => format!("add {text}"),
            (EditPlace::Operation, text) => format!("write {text}"),
        },
        (None, None) => format!("take {} steps", fix.steps.len()),
    }
}

/// The edit of the operation's tokens; `None` if the words it hangs on are not there.
fn edited(edit: &EditFix, moment: &Moment<'_>) -> Option<Edit> {
    let Subject::Operation(operation) = moment.subject else { return None };
    let tokens: Vec<_> = Lexer::new(moment.source, operation.span).collect();
    let places = |words| find(&tokens, words, moment.source);
    let text = edit.text.sql(moment).trim().to_owned();
    match &edit.place {
        EditPlace::After(words) => {
            let last = places(words).first()?.end;
            // The new words take the place where the next token begins, so that what stands between keeps its place.
            match tokens.iter().find(|token| token.span.start >= last) {
                Some(next) => Some(insert(next.span.start, format!("{text} "))),
                None => Some(insert(last, format!(" {text}"))),
            }
        }
        EditPlace::Before(words) => Some(insert(places(words).first()?.start, format!("{text} "))),
        EditPlace::Replace(words) => {
            let span = *places(words).last()?;
            match text.is_empty() {
                true => Some(Edit { span: with_space_before(moment.source, span), text }),
                false => Some(Edit { span, text }),
            }
        }
        EditPlace::End => Some(insert(operation.span.end, format!(" {text}"))),
        EditPlace::Operation => Some(Edit { span: operation.span, text }),
    }
}

fn insert(at: u32, text: String) -> Edit {
    Edit { span: Span::new(at, at), text }
}

/// The places of a sequence of keywords, from left to right.
fn find(tokens: &[Token], words: &str, source: &SourceFile) -> Vec<Span> {
    let words: Vec<_> = words.split(' ').collect();
    let fits = |window: &&[Token]| window.iter().zip(&words).all(|(token, word)| token.is_word(source, word));
    tokens.windows(words.len()).filter(fits).map(|window| window[0].span.to(window[window.len() - 1].span)).collect()
}

/// The span and the white space before it.
fn with_space_before(source: &SourceFile, span: Span) -> Span {
    let before = &source.bytes()[..span.start as usize];
    let space = before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    Span::new(span.start - space as u32, span.end)
}
