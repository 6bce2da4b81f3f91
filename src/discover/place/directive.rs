//! What is written into a file that exists, and beside it, so that its runner runs it outside of any transaction.

use super::{Directive, NoRoom, head};
use crate::config::Config;
use crate::discover::tool::{CONF, METADATA, Told, with_more};
use crate::discover::{History, Migration};
use crate::model::session::TransactionMode;
use crate::text::{SourceFile, Span};
use std::path::PathBuf;
use std::sync::Arc;

/// Ours, where the runner is told in a way that the file does not show, or nobody knows how.
const OWN: &str = "-- lockkeeper: transaction none\n";

pub(super) fn of(told: Told, history: &History, migration: &Migration, config: &Config) -> Result<Directive, NoRoom> {
    let source = &migration.source;
    let mode = |text: &Arc<SourceFile>| {
        let own = head::read(text, config.tool).transaction();
        own.or(config.transaction).or_else(|| super::lone_message(migration.tool))
    };
    let is_told = |text: &Arc<SourceFile>| matches!(mode(text), Some(TransactionMode::None | TransactionMode::OneMessage));
    if is_told(source) {
        return Ok(Directive { edits: Vec::new(), files: Vec::new(), sure: true });
    }
    let start = text_start(source);
    let at_top = |line: &str| (Span::new(start, start), format!("{line}\n"));
    let path = source.path();
    let (edits, files, sure) = match told {
        Told::Never(why) => return Err(NoRoom::new(why, "run it by hand, with psql, and say so in the next file")),
        Told::FirstLine(line) => (vec![at_top(line)], Vec::new(), true),
        Told::Goose => (vec![before_line(source, start, "+goose Up", "-- +goose NO TRANSACTION\n")?], Vec::new(), true),
        Told::Dbmate => (vec![behind_line(source, "migrate:up", " transaction:false")?], Vec::new(), true),
        Told::Changeset if !migration.units.is_empty() => {
            return Err(NoRoom::new(
                "this file has several changesets",
                "put the statement into one of its own, with `runInTransaction:false`",
            ));
        }
        Told::Changeset => (vec![behind_line(source, "changeset", " runInTransaction:false")?], Vec::new(), true),
        Told::Conf => (Vec::new(), vec![beside(history, with_more(path, CONF), "executeInTransaction=false\n")?], true),
        Told::Metadata => (Vec::new(), vec![beside(history, path.with_file_name(METADATA), "run_in_transaction = false\n")?], true),
        Told::Nothing => (Vec::new(), Vec::new(), true),
        Told::Unknown => (Vec::new(), Vec::new(), false),
    };
    let mut directive = Directive { edits, files, sure };
    if !is_told(&edited(source, &directive)) {
        directive.edits.push((Span::new(start, start), OWN.to_owned()));
    }
    match is_told(&edited(source, &directive)) {
        true => Ok(directive),
        false => Err(NoRoom::new("the file says at its top that it runs in a transaction", "take that line out")),
    }
}

/// Behind a byte order mark.
fn text_start(source: &SourceFile) -> u32 {
    if source.bytes().starts_with("\u{FEFF}".as_bytes()) { 3 } else { 0 }
}

fn edited(source: &SourceFile, directive: &Directive) -> Arc<SourceFile> {
    let mut text = source.bytes().to_vec();
    for (span, line) in directive.edits.iter().rev() {
        text.splice(span.range(), line.bytes());
    }
    SourceFile::new(source.path(), text)
}

/// The comment line with these words.
fn line_of(source: &SourceFile, words: &str) -> Result<Span, NoRoom> {
    let is_it = |span: &Span| source.text(*span).trim_start_matches('-').trim().to_lowercase().starts_with(&words.to_lowercase());
    head::comments(source.bytes())
        .find(is_it)
        .ok_or_else(|| NoRoom::new(format!("there is no line `-- {words}`"), "tell the runner by hand"))
}

fn before_line(source: &SourceFile, otherwise: u32, words: &str, text: &str) -> Result<(Span, String), NoRoom> {
    let at = line_of(source, words).map_or(otherwise, |line| line.start);
    Ok((Span::new(at, at), text.to_owned()))
}

fn behind_line(source: &SourceFile, words: &str, text: &str) -> Result<(Span, String), NoRoom> {
    let at = line_of(source, words)?.end;
    Ok((Span::new(at, at), text.to_owned()))
}

/// A file that is not there yet.
fn beside(history: &History, path: PathBuf, text: &str) -> Result<(PathBuf, String), NoRoom> {
    match history.project.beside.contains(&path) {
        true => Err(NoRoom::new(format!("`{}` is there already", path.display()), "say in it that the file runs in no transaction")),
        false => Ok((path, text.to_owned())),
    }
}
