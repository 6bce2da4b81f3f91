//! What to do instead of a statement: the fix of a rule, put into the words and bytes of the file at hand.
//!
//! All edits of a fix are offered or none. One that would be wrong is not, and the suggestion says why in a line.

mod blocks;
mod layout;
mod lines;
mod tokens;
#[cfg(test)]
mod tests;

use super::finding::{Advice, Edit, NewFile, Safety, Suggestion};
use crate::config::Config;
use crate::discover::{History, Migration, place};
use crate::rule::edit::{Change, Place, Side, Split};
use crate::rule::fix::{Fix, Phase};
use crate::rule::moment::Moment;
use crate::text::{Origin, Span};
use lines::Lines;

/// The file that a fix is for, among the others.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    /// Its history.
    pub history: &'a History,
    /// The file.
    pub migration: &'a Migration,
    /// What the project says about itself.
    pub config: &'a Config,
}

/// What the edits of a fix come to.
#[derive(Debug, Default)]
struct Offer {
    edits: Vec<Edit>,
    files: Vec<NewFile>,
    /// Somebody has to think of something beside it: of a runner that nobody knows, of a transaction that becomes two.
    needs_thought: bool,
}

/// The suggestion of a fix at a moment.
pub(super) fn suggestion(fix: &Fix, moment: &Moment<'_>, site: Site<'_>) -> Suggestion {
    let mut steps: Vec<_> =
        fix.steps.iter().map(|step| Advice { phase: step.phase.word().to_owned(), text: step.text.sql(moment) }).collect();
    let (offer, not_offered) = match (fix.edits.is_empty(), moment.source.origin()) {
        (true, _) => (Offer::default(), None),
        // What is said of the file, or of a comment in it, is about the program itself.
        (false, Some(_)) if moment.index.is_none() => (Offer::default(), None),
        (false, Some(origin)) => {
            steps.splice(0..0, edited(fix, moment, site).map(|text| Advice { phase: Phase::Run.word().to_owned(), text }));
            (Offer::default(), Some(in_the_program(fix, origin)))
        }
        (false, None) => match offered(fix, moment, site) {
            Ok(offer) => (offer, None),
            Err(why) => (Offer::default(), Some(why)),
        },
    };
    let is_small = offer.files.is_empty() && !offer.needs_thought && !offer.edits.is_empty();
    let safe = is_small && !fix.review && !fix.ends_elsewhere;
    Suggestion {
        class: fix.class,
        safety: if safe { Safety::Safe } else { Safety::Review },
        ends_elsewhere: fix.ends_elsewhere,
        title: title(fix, moment),
        edits: offer.edits,
        not_offered,
        steps,
        files: offer.files,
        recipe: fix.recipe.filter(|_| moment.nesting().is_none()),
    }
}

/// SQL that a program has printed is not edited: what is to be done there, in words.
fn in_the_program(fix: &Fix, origin: &Origin) -> String {
    let alone = fix.edits.iter().any(|change| matches!(change, Change::Split(Split::Alone | Split::Body)));
    let how = if alone { format!("; {}", origin.alone) } else { String::new() };
    format!("{} has printed this SQL, so the change belongs into the migration that makes it{how}", origin.by)
}

/// The lines of a fix as they would read, if it changes any.
fn edited(fix: &Fix, moment: &Moment<'_>, site: Site<'_>) -> Option<String> {
    let edits = in_order(token_edits(fix, moment, &Lines::of(moment, site.migration)).ok()?).ok()?;
    let (first, last) = (edits.first()?.span.start, edits.last()?.span.end);
    let line = |offset| moment.source.line(moment.source.text_place(offset).line);
    let lines = line(first).to(line(last));
    let (mut text, mut at) = (String::new(), lines.start);
    for edit in &edits {
        text.push_str(&moment.source.text(Span::new(at, edit.span.start)));
        text.push_str(&edit.text);
        at = edit.span.end;
    }
    Some(text + &moment.source.text(Span::new(at, lines.end)))
}

/// The edits of a fix that are of tokens.
fn token_edits(fix: &Fix, moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    for change in &fix.edits {
        match change {
            Change::Insert { place, side, text } => edits.extend(tokens::insert(place, *side, &sql(text, moment)?, moment, lines)?),
            Change::Replace { place, text } => edits.extend(tokens::replace(place, &sql(text, moment)?, moment, lines)?),
            Change::Split(_) | Change::NewFile(_) | Change::WayBack(_) => {}
        }
    }
    Ok(edits)
}

fn offered(fix: &Fix, moment: &Moment<'_>, site: Site<'_>) -> Result<Offer, String> {
    let cuts_around_body = matches!(&fix.edits[..], [Change::Split(Split::Body)]);
    if moment.nesting().is_some() != cuts_around_body {
        let why = if cuts_around_body { "it stands in no body" } else { "it stands in a body, and what stands in a string is not edited" };
        return Err(why.to_owned());
    }
    if let Some(Err((fact, unknown))) = fix.only.as_ref().map(|only| only.holds(moment)) {
        return Err(match &fix.otherwise {
            Some(why) if !unknown => why.words(moment),
            _ if unknown => format!("the history does not tell `{fact}`, on which it depends"),
            _ => format!("it depends on `{fact}`"),
        });
    }
    let lines = Lines::of(moment, site.migration);
    let edits = token_edits(fix, moment, &lines)?;
    let mut offer = layout::laid_out(&fix.edits, in_order(edits)?, (moment, site), &lines)?;
    for change in &fix.edits {
        if let Change::WayBack(text) = change {
            way_back(&sql(text, moment)?, site, &lines, &mut offer)?;
        }
    }
    offer.edits.retain(|edit| !(edit.span.is_empty() && edit.text.is_empty()));
    offer.edits = in_order(offer.edits)?;
    match offer.edits.is_empty() && offer.files.is_empty() {
        true => Err("there is nothing to change in this file".to_owned()),
        false => Ok(offer),
    }
}

/// What undoes the file, in it or beside it.
fn way_back(sql: &str, site: Site<'_>, lines: &Lines<'_>, offer: &mut Offer) -> Result<(), String> {
    let statements = layout::statements(sql);
    let written = place::undo(site.history, site.migration, site.config, &statements).map_err(|none| none.to_string())?;
    offer.needs_thought = true;
    offer.edits.extend(written.edits.into_iter().map(|(span, text)| Edit { span, text: lines.with_line_ends(&text) }));
    offer.files.extend(written.files.into_iter().map(|(path, text)| NewFile { path, text }));
    Ok(())
}

/// Edits by their place, if none reaches into another.
fn in_order(mut edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    edits.sort_by_key(|edit| edit.span);
    match edits.windows(2).any(|pair| pair[0].span.end > pair[1].span.start) {
        true => Err("two of its edits are about the same place".to_owned()),
        false => Ok(edits),
    }
}

/// The SQL of a template, if everything in it is known.
fn sql(text: &crate::rule::template::Template, moment: &Moment<'_>) -> Result<String, String> {
    match text.unknown(moment) {
        Some(fact) => Err(format!("the history does not tell `{fact}`, which it would write")),
        None => Ok(text.sql(moment).trim().to_owned()),
    }
}

fn title(fix: &Fix, moment: &Moment<'_>) -> String {
    match (&fix.title, fix.edits.first()) {
        (Some(title), _) => title.words(moment),
        (None, Some(change)) => title_of(change, moment),
        (None, None) => format!("take {} steps", fix.steps.len()),
    }
}

fn title_of(change: &Change, moment: &Moment<'_>) -> String {
    match change {
        Change::Insert { place, side, text } => {
            let text = text.sql(moment);
            match (place, side) {
                (Place::Operation, Side::After) => format!("add {}", text.trim()),
                (_, Side::Before) => format!("write {} before {}", text.trim(), noun(place)),
                (_, Side::After) => format!("write {} after {}", text.trim(), noun(place)),
            }
        }
        Change::Replace { place, text } => match (place, text.sql(moment).trim()) {
            (_, "") => format!("leave out {}", noun(place)),
            (Place::Operation, text) => format!("write {text}"),
            (_, text) => format!("write {text} instead of {}", noun(place)),
        },
        Change::Split(Split::Alone | Split::Body) => "run it by itself, outside of a transaction".to_owned(),
        Change::Split(_) => "put it into a migration of its own".to_owned(),
        Change::WayBack(_) => "write what undoes it".to_owned(),
        Change::NewFile(file) => format!("add a migration: {}", file.name.words(moment)),
    }
}

fn noun(place: &Place) -> String {
    match place {
        Place::Words(words) | Place::Operator(words) => words.clone(),
        Place::Part(part, _) => format!("its {}", part.name.replace('_', " ")),
        Place::Name(_) => "the name".to_owned(),
        Place::Operation => "it".to_owned(),
        Place::Statement => "the statement".to_owned(),
        Place::Transaction => "the transaction".to_owned(),
        Place::File => "the file".to_owned(),
    }
}
