//! Files cut into several: what stays, what moves behind it, what is new, and how each of them runs.
//!
//! Where the runner or nobody known opens the transaction, a cut is a new migration. Where the file says BEGIN and COMMIT itself, it is a
//! COMMIT and another BEGIN. Where each statement commits for itself, nothing has to be cut.

use super::super::finding::{Edit, NewFile};
use super::lines::Lines;
use super::{Offer, Site};
use crate::discover::place::{self, Piece, PieceTransaction, Room};
use crate::model::kind::OpKind;
use crate::model::operation::{Operation, Persistence};
use crate::model::session::{Opener, TransactionMode};
use crate::rule::edit::{self, Change, Side, Split};
use crate::rule::facts;
use crate::rule::moment::{Moment, WayBack};
use crate::sql::Statement;
use crate::sql::lex::Lexer;
use crate::sql::split::split;
use crate::text::{SourceFile, Span};
use std::ops::Range;

/// How a cut is made.
enum Way {
    /// Nothing has to be cut.
    Uncut,
    /// By COMMIT and BEGIN.
    Blocks(super::blocks::Block),
    /// By migrations.
    Files,
}

/// A further migration, with its SQL filled in.
pub(super) struct Fresh {
    pub side: Side,
    pub name: String,
    pub sql: String,
    pub alone: bool,
    down: Option<String>,
    last: bool,
}

/// What becomes one file.
enum Segment {
    /// These statements of the file.
    Own(Range<usize>, bool),
    /// New SQL, by its place among those.
    New(usize),
}

/// The edits, and what the cuts and new files among the changes make of them. `edits` are those of tokens, by place.
pub(super) fn laid_out(changes: &[Change], edits: Vec<Edit>, at: (&Moment<'_>, Site<'_>), lines: &Lines<'_>) -> Result<Offer, String> {
    let (moment, _) = at;
    let cut = changes.iter().find_map(|change| match change {
        Change::Split(Split::Body) => Some(Split::Alone),
        Change::Split(split) => Some(*split),
        _ => None,
    });
    let new: Vec<_> = changes.iter().filter_map(|change| if let Change::NewFile(file) = change { Some(file) } else { None }).collect();
    if cut.is_none() && new.is_empty() {
        return Ok(Offer { edits, ..Offer::default() });
    }
    if std::str::from_utf8(lines.source.bytes()).is_err() {
        return Err("the file is not UTF-8".to_owned());
    }
    let fresh = new.into_iter().map(|file| fresh(file, moment)).collect::<Result<Vec<_>, _>>()?;
    if fresh.iter().any(|fresh| fresh.last) {
        return at_the_end(&fresh, edits, at, lines);
    }
    if cut == Some(Split::Apart) {
        return apart(&edits, at, lines);
    }
    match way(at, lines)? {
        Way::Uncut => super::blocks::beside(&fresh, edits, lines),
        Way::Blocks(block) => super::blocks::cut(&block, cut, &fresh, edits, lines),
        Way::Files => Files { lines, edits: &edits, fresh: &fresh, at, partings: &[] }.cut(cut),
    }
}

/// Migrations behind all others.
fn at_the_end(fresh: &[Fresh], edits: Vec<Edit>, at: (&Moment<'_>, Site<'_>), lines: &Lines<'_>) -> Result<Offer, String> {
    let (_, site) = at;
    let room = Room::at_end(site.history, site.config).map_err(|none| none.to_string())?;
    let files = Files { lines, edits: &[], fresh, at, partings: &[] };
    let pieces = (0..fresh.len()).map(|new| files.piece(&Segment::New(new), &room)).collect::<Result<Vec<_>, _>>()?;
    let written = room.files(&pieces).map_err(|none| none.to_string())?;
    let files = written.into_iter().map(|(path, text)| NewFile { path, text }).collect();
    Ok(Offer { edits, files, needs_thought: true })
}

/// The file ends where it goes over to tables that have nothing to do with those before, and so do its pieces.
fn apart(edits: &[Edit], at: (&Moment<'_>, Site<'_>), lines: &Lines<'_>) -> Result<Offer, String> {
    let (moment, _) = at;
    if moment.session.mode() == TransactionMode::Explicit || lines.statements.iter().any(|statement| steers_transaction(statement)) {
        return Err("the file opens and ends its transactions itself".to_owned());
    }
    let own = |at: usize| moment.file[..at].iter().filter(|statement| statement.nesting.is_none()).count();
    let partings: Vec<_> = facts::partings(moment).into_iter().map(|parting| (own(parting.at), parting.table)).collect();
    let starts = partings.iter().map(|(at, _)| *at);
    let ends = starts.clone().chain([lines.statements.len()]);
    let segments = std::iter::once(0).chain(starts).zip(ends).map(|(from, to)| Segment::Own(from..to, false)).collect();
    let offer = Files { lines, edits, fresh: &[], at, partings: &partings }.parted(segments)?;
    Ok(Offer { needs_thought: true, ..offer })
}

fn steers_transaction(statement: &Statement) -> bool {
    statement.operations.iter().any(|operation| matches!(operation.what.kind(), OpKind::Begin | OpKind::Commit | OpKind::Rollback))
}

fn fresh(file: &edit::NewFile, moment: &Moment<'_>) -> Result<Fresh, String> {
    Ok(Fresh {
        side: file.side,
        name: file.name.words(moment),
        sql: super::sql(&file.sql, moment)?,
        alone: file.alone,
        last: file.last,
        down: file.down.as_ref().map(|down| super::sql(down, moment)).transpose()?,
    })
}

fn way((moment, site): (&Moment<'_>, Site<'_>), lines: &Lines<'_>) -> Result<Way, String> {
    let session = moment.session;
    match session.opened_by() {
        Some(Opener::File) if session.mode() == TransactionMode::Explicit => super::blocks::Block::around(moment, lines).map(Way::Blocks),
        Some(Opener::File) => Err("the file says BEGIN inside of its runner's transaction".to_owned()),
        Some(Opener::Body) => Err("it stands in a body".to_owned()),
        Some(Opener::Runner | Opener::OneMessage | Opener::Assumed) => Ok(Way::Files),
        // A message with one statement in it is no transaction, and with two of them it is.
        None if site.migration.declared == Some(TransactionMode::OneMessage) => Ok(Way::Files),
        None => match session.mode() {
            TransactionMode::Assumed(_) | TransactionMode::OneMessage | TransactionMode::Runner => Ok(Way::Files),
            TransactionMode::None | TransactionMode::Explicit => Ok(Way::Uncut),
        },
    }
}

/// Whether a statement only steers those that follow.
pub(super) fn only_sets(statement: &Statement) -> bool {
    statement.operations.iter().all(|operation| matches!(operation.what.kind(), OpKind::Set | OpKind::Reset))
}

/// Whether a statement sets timeouts and nothing else: without them the others do the same.
pub(super) fn only_timeouts(statement: &Statement) -> bool {
    statement.operations.iter().all(|operation| match &operation.what {
        Operation::Set { name, .. } => name.ends_with("_timeout"),
        Operation::Reset { name } => name.as_ref().is_some_and(|name| name.ends_with("_timeout")),
        _ => false,
    })
}

/// What a statement leaves behind for others of its connection or its transaction, so that they cannot run elsewhere.
pub(super) fn leaves_behind(statement: &Statement) -> Option<&'static str> {
    statement.operations.iter().find_map(|operation| match &operation.what {
        Operation::LockTable { .. } => Some("LOCK TABLE"),
        Operation::CreateTable(table) if table.persistence == Persistence::Temporary => Some("a temporary table"),
        Operation::CreateTableAs(table) if table.persistence == Persistence::Temporary => Some("a temporary table"),
        other => match other.kind() {
            OpKind::Savepoint | OpKind::ReleaseSavepoint | OpKind::RollbackToSavepoint => Some("a savepoint"),
            OpKind::SetConstraints => Some("SET CONSTRAINTS"),
            OpKind::TwoPhase => Some("PREPARE TRANSACTION"),
            OpKind::PsqlCommand => Some("a command of psql"),
            _ => None,
        },
    })
}

/// SQL as statements without their semicolons.
pub(super) fn statements(sql: &str) -> Vec<String> {
    let source = SourceFile::new("new.sql", sql);
    split(&source, Span::new(0, sql.len() as u32)).pieces.iter().map(|piece| source.text(piece.span()).into_owned()).collect()
}

/// A file that becomes several.
struct Files<'a> {
    lines: &'a Lines<'a>,
    /// Of tokens, by place.
    edits: &'a [Edit],
    fresh: &'a [Fresh],
    at: (&'a Moment<'a>, Site<'a>),
    /// Statements at which other tables begin, by place, with the table.
    partings: &'a [(usize, String)],
}

impl Files<'_> {
    fn cut(&self, cut: Option<Split>) -> Result<Offer, String> {
        self.parted(self.segments(cut)?)
    }

    /// What stays, and files for the rest.
    fn parted(&self, mut segments: Vec<Segment>) -> Result<Offer, String> {
        segments.retain(|segment| match segment {
            Segment::Own(range, _) => !range.clone().all(|at| only_sets(self.lines.statements[at])),
            Segment::New(_) => true,
        });
        self.check(&segments)?;
        let (first, others) = segments.split_first().ok_or_else(|| "there is no statement".to_owned())?;
        let mut offer = self.stays(first)?;
        if others.is_empty() {
            return Ok(offer);
        }
        let (_, site) = self.at;
        let room = Room::behind(site.history, site.migration, site.config).map_err(|none| none.to_string())?;
        offer.needs_thought |= others.iter().any(|segment| self.is_alone(segment)) && !room.tells_runner();
        let pieces = others.iter().map(|segment| self.piece(segment, &room)).collect::<Result<Vec<_>, _>>()?;
        let files = room.files(&pieces).map_err(|none| none.to_string())?;
        offer.files.extend(files.into_iter().map(|(path, text)| NewFile { path, text }));
        Ok(offer)
    }

    /// What becomes a file each, in order; the first one stays where it is.
    fn segments(&self, cut: Option<Split>) -> Result<Vec<Segment>, String> {
        let all = self.lines.statements.len();
        let new = |side| self.fresh.iter().enumerate().filter(move |(_, fresh)| fresh.side == side).map(|(at, _)| Segment::New(at));
        let before_it = new(Side::Before).next().is_some();
        let own = |range: Range<usize>| Segment::Own(range, false);
        let mut segments = Vec::new();
        match (self.lines.here, cut) {
            (None, None) if !before_it => segments.push(own(0..all)),
            (None, _) => return Err("it is about the file as a whole".to_owned()),
            (Some(at), cut) => {
                let cut_before = before_it || matches!(cut, Some(Split::Before | Split::Around | Split::Alone));
                let cut_after = matches!(cut, Some(Split::After | Split::Around | Split::Alone));
                let (from, to) = (if cut_before { at } else { 0 }, if cut_after { at + 1 } else { all });
                segments.push(own(0..from));
                segments.extend(new(Side::Before));
                segments.push(Segment::Own(from..to, cut == Some(Split::Alone)));
                segments.push(own(to..all));
            }
        }
        segments.extend(new(Side::After));
        Ok(segments)
    }

    /// Nothing may move away from what it rests on.
    fn check(&self, segments: &[Segment]) -> Result<(), String> {
        let Some(Segment::Own(last, alone)) = segments.iter().rfind(|segment| matches!(segment, Segment::Own(..))) else { return Ok(()) };
        let alone = *alone || segments.iter().any(|segment| matches!(segment, Segment::Own(_, true)));
        if segments.len() > 1
            && let Some(left) = self.lines.statements[..last.start].iter().find_map(|statement| leaves_behind(statement))
        {
            return Err(format!("what would be moved may rest on {left} before it"));
        }
        let steers = |statement: &&&Statement| only_sets(statement) && !only_timeouts(statement);
        match self.lines.here.filter(|_| alone).and_then(|here| self.lines.statements[..here].iter().find(steers)) {
            Some(set) => Err(format!("alone in its file it would run without `{}`", self.lines.source.text(set.span))),
            None => Ok(()),
        }
    }

    fn is_alone(&self, segment: &Segment) -> bool {
        match segment {
            Segment::Own(_, alone) => *alone,
            Segment::New(at) => self.fresh[*at].alone,
        }
    }

    /// What is left of the file.
    fn stays(&self, first: &Segment) -> Result<Offer, String> {
        let lines = self.lines;
        let mut offer = Offer::default();
        let end = lines.statements.len().checked_sub(1).map_or(lines.part.end, |last| lines.next_line(lines.tail(last).0));
        match first {
            Segment::Own(range, alone) => {
                let kept_to = if range.end < lines.statements.len() { lines.start_with_comments(range.end) } else { end };
                // What is put before the next statement moves with it.
                let stays = |edit: &&Edit| edit.span.end < kept_to || (edit.span.end == kept_to && kept_to == end);
                offer.edits.extend(self.edits.iter().filter(stays).cloned());
                // Settings before a statement that runs alone would make two statements of it.
                let first = range.clone().find(|at| !only_sets(lines.statements[*at])).unwrap_or(range.start);
                if *alone {
                    offer.edits.extend((0..first).map(|at| lines.without_statement(at)));
                }
                if kept_to < end {
                    let from = lines.spaces_before(kept_to);
                    offer.edits.push(Edit { span: Span::new(from, end), text: lines.line_end().to_owned() });
                }
            }
            Segment::New(at) => {
                let fresh = &self.fresh[*at];
                let start = lines.start_with_comments(0);
                let (_, site) = self.at;
                let sql = if fresh.alone {
                    fresh.sql.clone()
                } else {
                    let room = Room::behind(site.history, site.migration, site.config).map_err(|none| none.to_string())?;
                    room.transaction_block(&statements(&fresh.sql))
                };
                offer.edits.push(Edit { span: Span::new(start, end), text: format!("{}{}", lines.ended(&sql), lines.line_end()) });
            }
        }
        if self.is_alone(first) {
            self.tell_runner(&mut offer)?;
        }
        Ok(offer)
    }

    /// Says in the file, or beside it, that it runs in no transaction.
    fn tell_runner(&self, offer: &mut Offer) -> Result<(), String> {
        let (_, site) = self.at;
        let directive = place::run_alone(site.history, site.migration, site.config).map_err(|none| none.to_string())?;
        offer.needs_thought |= !directive.sure;
        offer.edits.extend(directive.edits.into_iter().map(|(span, text)| Edit { span, text: self.lines.with_line_ends(&text) }));
        offer.files.extend(directive.files.into_iter().map(|(path, text)| NewFile { path, text }));
        Ok(())
    }

    /// What moves, or is new, as something to be written as a migration.
    fn piece(&self, segment: &Segment, room: &Room) -> Result<Piece, String> {
        let (_, site) = self.at;
        let file = site.migration.source.path().file_name().unwrap_or_default().to_string_lossy();
        let transaction = if self.is_alone(segment) { PieceTransaction::Alone } else { PieceTransaction::InTransaction };
        Ok(match segment {
            Segment::Own(range, alone) => Piece {
                name: self.name(range),
                header: self.allowances(),
                transaction,
                up: if *alone { self.text(range) } else { room.wrapped(&(self.settings(range.start) + &self.text(range))) },
                down: room
                    .writes_way_back()
                    .then(|| self.own_way_back(range, room))
                    .map(|own| own.unwrap_or_else(|| format!("-- what undoes {file} undoes this as well\n"))),
            },
            Segment::New(at) => {
                let fresh = &self.fresh[*at];
                let sql =
                    |sql: &str| if fresh.alone { format!("{}\n", self.lines.ended(sql)) } else { room.transaction_block(&statements(sql)) };
                let down = fresh.down.as_deref().map(sql);
                Piece { name: fresh.name.clone(), header: Vec::new(), transaction, up: sql(&fresh.sql), down }
            }
        })
    }

    /// What undoes these statements alone, where nothing undoes the file that they come from.
    fn own_way_back(&self, range: &Range<usize>, room: &Room) -> Option<String> {
        let (moment, site) = self.at;
        let statements = self.lines.statements[range.clone()].iter().copied();
        let lacks = !self.partings.is_empty() && site.migration.way_back != WayBack::There;
        lacks.then(|| facts::undo_of(moment, statements)).flatten().map(|undo| room.transaction_block(&undo))
    }

    /// A name for what moves: after the statement at hand, or after the file that it comes from.
    fn name(&self, range: &Range<usize>) -> String {
        let (moment, site) = self.at;
        let operations = &self.lines.statements[range.start].operations;
        if let Some(((_, table), operation)) = self.partings.iter().find(|(at, _)| *at == range.start).zip(operations.first()) {
            return format!("{} {table}", operation.what.kind().word());
        }
        match self.lines.here {
            Some(here) if range.start == here && !self.goes() => {
                let operation = moment.statement().and_then(|statement| statement.operations.first());
                let target = ["index", "constraint", "new_table", "table"].iter().find_map(|fact| known(fact, moment));
                let verb = operation.map_or("rest", |operation| operation.what.kind().word());
                format!("{verb} {}", target.unwrap_or_default())
            }
            _ => format!("{} rest", site.migration.name.trim_end_matches("rest")),
        }
    }

    /// Whether the operation at hand is taken out of its statement.
    fn goes(&self) -> bool {
        let place = self.at.0.place();
        self.edits.iter().any(|edit| edit.text.is_empty() && edit.span.start <= place.start && edit.span.end >= place.end)
    }

    /// The settings that the statements before a place have made.
    fn settings(&self, before: usize) -> String {
        let sets = self.lines.statements[..before].iter().filter(|statement| only_sets(statement));
        sets.map(|statement| format!("{};\n", self.lines.source.text(statement.span))).collect()
    }

    /// Allowances for the whole file go with what moves.
    fn allowances(&self) -> Vec<String> {
        let first = self.lines.statements.first().map_or(self.lines.part.end, |first| first.span.start);
        let mut lexer = Lexer::new(self.lines.source, Span::new(self.lines.part.start, first));
        let comments = std::iter::from_fn(|| lexer.next_lexeme());
        let words = |span: Span| self.lines.source.text(span).trim_start_matches('-').trim().to_owned();
        comments.map(|comment| words(comment.span)).filter(|words| words.starts_with("lockkeeper: allow-file")).collect()
    }

    /// The text of some statements with the edits of tokens in it.
    fn text(&self, range: &Range<usize>) -> String {
        let lines = self.lines;
        // To the start of the next one: a comment in between goes with what it stands behind.
        let end = if range.end < lines.statements.len() { lines.start_with_comments(range.end) } else { lines.tail(range.end - 1).0 };
        let end = lines.spaces_before(end).max(lines.tail(range.end - 1).0);
        let span = Span::new(lines.start_with_comments(range.start), end);
        let mut text = lines.source.text(span).into_owned();
        let inside = self.edits.iter().rev().filter(|edit| edit.span.start >= span.start && edit.span.end <= span.end);
        for edit in inside {
            text.replace_range((edit.span.start - span.start) as usize..(edit.span.end - span.start) as usize, &edit.text);
        }
        if lines.semicolon(range.end - 1).is_none() {
            let ends_in_comment = text.lines().next_back().is_some_and(|line| line.contains("--"));
            text += if ends_in_comment { "\n;" } else { ";" };
        }
        text + "\n"
    }
}

/// What a fact shows, if it is known.
fn known(fact: &str, moment: &Moment<'_>) -> Option<String> {
    crate::rule::part::names(fact, moment).into_iter().next()
}
