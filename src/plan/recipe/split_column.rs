//! Columns whose values are computed from others that go: a name that is split in two, two that become one.
//!
//! Naively these are three statements, ADD COLUMN, UPDATE and DROP COLUMN. While old code still writes the old columns, a trigger computes the
//! new ones; where the way back can be told (`split_part`), it goes on feeding the old one from what new code writes.

use super::Cooked;
use super::trio::Trio;
use crate::model::name::Ident;
use crate::plan::backfill::Backfill;
use crate::plan::mirror::PREPARED;
use crate::plan::mirror::Twin;
use crate::plan::mirror::sync::{Sync, Turn};
use crate::plan::names::Names;
use crate::plan::{Ask, Phase, Refusal, Stage};
use crate::sql::Statement;
use crate::sql::lex::{Lexer, Token};
use crate::text::SourceFile;

/// What the statements say.
struct Split<'s> {
    trio: Trio<'s>,
    /// The new columns in the order of the UPDATE, and what each becomes.
    set: Vec<(Ident, String)>,
}

/// How many statements from the first on are such a change together; `None` if they are none.
pub(super) fn found(source: &SourceFile, statements: &[Statement]) -> Option<usize> {
    Some(Split::read(source, statements)?.trio.count())
}

impl<'s> Split<'s> {
    fn read(source: &SourceFile, statements: &'s [Statement]) -> Option<Self> {
        let trio = Trio::read(statements)?;
        // It sets all rows from their own columns.
        let of_itself = trio.dropped_from == trio.added_to && trio.update.reads.iter().all(|read| read == trio.added_to);
        if !of_itself || trio.update.filter.is_some() {
            return None;
        }
        let set = assignments(source, trio.fill)?;
        Some(Self { trio, set })
    }
}

/// `a = x, b = y` behind SET, which is the last clause.
fn assignments(source: &SourceFile, statement: &Statement) -> Option<Vec<(Ident, String)>> {
    let tokens: Vec<Token> = Lexer::new(source, statement.span).filter(|token| !token.is_mark(source, ";")).collect();
    let start = tokens.iter().position(|token| token.is_word(source, "set"))? + 1;
    let mut depth = 0_i32;
    let mut parts: Vec<&[Token]> = Vec::new();
    let mut from = start;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        depth += i32::from(token.is_mark(source, "(")) - i32::from(token.is_mark(source, ")"));
        if depth == 0 && token.is_mark(source, ",") {
            parts.push(&tokens[from..at]);
            from = at + 1;
        }
        if depth == 0 && ["from", "where", "returning"].iter().any(|word| token.is_word(source, word)) {
            return None;
        }
    }
    parts.push(&tokens[from..]);
    let part = |part: &&[Token]| match part {
        [name, equals, first, rest @ ..] if source.slice(equals.span) == b"=" => {
            let span = rest.last().map_or(first.span, |last| first.span.to(last.span));
            Some((name.ident(source)?, source.text(span).into_owned()))
        }
        _ => None,
    };
    parts.iter().map(part).collect()
}

/// ADD COLUMN, UPDATE, DROP COLUMN.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let split = Split::read(ask.source, ask.statements);
    let split = split
        .ok_or_else(|| Refusal::Unknown("this is no split of a column: ADD COLUMN, UPDATE and DROP COLUMN of one table".to_owned()))?;
    let trio = &split.trio;
    let (Some(column), Some(old)) = (trio.added.first(), trio.dropped.first()) else {
        return Err(Refusal::Unknown("this drops no column".to_owned()));
    };
    // What stands in the way of one such column stands in the way of all.
    let twin = Twin::new(ask, trio.added_to, old, &column.name)?;
    for other in &trio.dropped[1..] {
        Twin::new(ask, trio.added_to, other, &column.name)?;
    }
    let mut names = Names::new(ask.before);
    let sync = Sync::by(&twin, &mut names, Turn::Last, "_split", split.body(&twin));
    let phases = vec![split.expand(ask, &sync), split.fill(ask)?, split.contract(ask, &sync)];
    let name = format!("split-{}-{}", trio.added_to.name, old);
    Ok(Cooked { name, phases, manual: Vec::new(), differs: Vec::new() })
}

impl Split<'_> {
    fn new_names(&self) -> Vec<String> {
        self.set.iter().map(|(name, _)| name.sql()).collect()
    }

    fn old_names(&self) -> Vec<String> {
        self.trio.dropped.iter().map(|name| name.sql()).collect()
    }

    /// What old code sees of what new code writes, for `split_part(old, ' ', 1), split_part(old, ' ', 2)`.
    fn way_back(&self) -> Option<String> {
        let [old] = self.trio.dropped[..] else { return None };
        let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
        // The separator is a literal, in which white space counts: it is what stands between the two commas.
        let separator_of = |text: &str| Some(text.split_once(',')?.1.rsplit_once(',')?.0.trim().to_owned());
        let separator = separator_of(&self.set.first()?.1)?;
        let is_literal =
            separator.len() >= 2 && separator.starts_with('\'') && separator.ends_with('\'') && separator.matches('\'').count() == 2;
        let expected = |at: usize| plain(&format!("split_part({},{separator},{})", old.sql(), at + 1));
        let all = self
            .set
            .iter()
            .enumerate()
            .all(|(at, (_, text))| plain(text) == expected(at) && separator_of(text).as_ref() == Some(&separator));
        let values: Vec<_> = self.new_names().iter().map(|name| format!("NEW.{name}")).collect();
        (is_literal && all).then(|| format!("NEW.{} := concat_ws({separator}, {});", old.sql(), values.join(", ")))
    }

    fn body(&self, twin: &Twin<'_>) -> String {
        let (new, old) = (self.new_names(), self.old_names());
        let list = |row: &str, names: &[String]| names.iter().map(|name| format!("{row}.{name}")).collect::<Vec<_>>().join(", ");
        let expressions = self.set.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(", ");
        let fill = format!("SELECT {expressions} INTO {} FROM (SELECT NEW.*) AS {};", list("NEW", &new), twin.table.name.name.sql());
        let changed = |names: &[String]| format!("ROW({})::record *<> ROW({})::record", list("NEW", names), list("OLD", names));
        let none = format!("num_nonnulls({}) = 0", list("NEW", &new));
        let (old_changed, new_changed) = (changed(&old), changed(&new));
        // With a way back the older column leads; without one, what code writes into the new ones stands.
        let (given, rewritten, returned) = match self.way_back() {
            Some(back) => (format!("    ELSE\n      {back}\n"), old_changed, format!("  ELSIF {new_changed} THEN\n    {back}\n")),
            None => (String::new(), format!("{old_changed} AND NOT {new_changed}"), String::new()),
        };
        format!(
            "  IF TG_OP = 'INSERT' THEN\n    IF {none} THEN\n      {fill}\n{given}    END IF;\n  \
               ELSIF {rewritten} THEN\n    {fill}\n{returned}  ELSIF {none} THEN\n    {fill}\n  END IF;\n"
        )
    }

    /// Rows whose new columns are empty and should not be.
    fn unfilled(&self) -> String {
        let expressions = self.set.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(", ");
        format!("num_nonnulls({}) = 0 AND num_nonnulls({expressions}) > 0", self.new_names().join(", "))
    }

    fn verified(&self) -> String {
        format!("SELECT NOT EXISTS (SELECT FROM {} WHERE {})", self.trio.added_to.sql(), self.unfilled())
    }

    fn expand(&self, ask: &Ask<'_>, sync: &Sync) -> Phase {
        let (table, new) = (self.trio.added_to.sql(), self.new_names());
        let mut phase = Phase::new(Stage::Expand, format!("add {}", new.join(" ")))
            .why(format!(
                "The new columns stand beside {}, and a trigger computes them for every row that is written.",
                self.old_names().join(", ")
            ))
            .meanwhile(PREPARED);
        for statement in self.trio.adds {
            phase = phase.run(ask.text(statement.span));
        }
        for sql in sync.create() {
            phase = phase.run(sql);
        }
        phase = sync.drop().into_iter().fold(phase, Phase::back);
        new.iter().map(|name| format!("ALTER TABLE {table} DROP COLUMN {name}")).fold(phase, Phase::back)
    }

    fn fill(&self, ask: &Ask<'_>) -> Result<Phase, Refusal> {
        let touched = self.new_names().first().cloned().unwrap_or_default();
        let fill = Backfill { table: self.trio.added_to.sql(), set: Some(format!("{touched} = {touched}")), rows: self.unfilled() };
        Ok(fill
            .phase(ask, self.trio.added_to, format!("fill {}", self.new_names().join(" ")))?
            .why("Rows from before the trigger get their values: each batch touches its rows, and the trigger computes them.")
            .meanwhile("Reads and writes go on; a write to one of the rows of a batch waits until the batch is committed.")
            .verify(self.verified()))
    }

    fn contract(&self, ask: &Ask<'_>, sync: &Sync) -> Phase {
        let (new, old) = (self.new_names().join(", "), self.old_names().join(", "));
        let deploy = match self.way_back() {
            Some(_) => format!("code that reads and writes only {new}"),
            None => format!("code that reads {new} and writes {old} as well, and when it runs everywhere, code that knows only {new}"),
        };
        let mut phase = Phase::new(Stage::Contract, format!("drop {}", self.old_names().join(" ")))
            .why(format!("Nothing reads or writes {old} any more."))
            .meanwhile(PREPARED)
            .deploy(deploy)
            .wait_hours(48)
            .assert(self.verified());
        for sql in sync.drop() {
            phase = phase.run_accepting(sql, &["sync-scaffold-left-behind", "drop-trigger"]);
        }
        for statement in self.trio.drops {
            phase = phase.run_accepting(ask.text(statement.span), &["drop-column", "drop-column-silent-dependents", "replacement-parity"]);
        }
        phase.no_way_back(format!("the values of {old} are gone"))
    }
}
