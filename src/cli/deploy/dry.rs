//! `--dry-run`: the SQL that would be sent, and nothing else.

use super::ended;
use crate::apply::agenda::Agenda;
use crate::apply::ledger::text;
use crate::apply::pipeline::Pipeline;
use crate::apply::session;
use crate::apply::step::Kind;
use crate::apply::wish::Wish;
use crate::cli::{Console, Exit};
use crate::config::apply::Apply;
use crate::db::block_on;
use std::io::{self, Write};

/// Prints what would be sent. What the ledger gets beside it is left out.
pub(super) fn run(pipeline: &Pipeline<'_>, wish: Wish<'_>, console: Console) -> Exit {
    let agenda = match block_on(pipeline.look(wish)) {
        Ok(Ok(agenda)) => agenda,
        Ok(Err(verdict)) => return ended(&verdict, console),
        Err(problem) => return console.failed(&problem),
    };
    let exit = console.print(Exit::Clean, |out| write(&agenda, &pipeline.settings.config.apply, out));
    match agenda.works.is_empty() {
        true => console.note("nothing to do"),
        false => console.note(&format!("nothing was changed; the hash of this is {}", agenda.hash())),
    }
    if let Some(why) = &agenda.stops {
        console.note(&format!("what comes behind it has to wait: {why}"));
    }
    exit
}

/// A script that psql could send, too.
fn write(agenda: &Agenda, limits: &Apply, out: &mut dyn Write) -> io::Result<()> {
    if agenda.works.is_empty() {
        return Ok(());
    }
    for (name, value) in session::settings(limits) {
        writeln!(out, "SELECT pg_catalog.set_config({}, {}, false);", text(&name), text(&value))?;
    }
    limits.role.iter().try_for_each(|role| writeln!(out, "SET ROLE {};", text(role)))?;
    for work in &agenda.works {
        writeln!(out, "\n-- {} {}: {}", work.draft.key, work.draft.name, work.assessed.class)?;
        for step in &work.steps {
            let (begin, end, how) = match step.kind {
                Kind::Transaction => ("BEGIN;\n", "COMMIT;\n", "in a transaction"),
                Kind::Alone => ("", "", "alone"),
                Kind::Backfill => ("", "", "in batches: this, for some rows at a time, each time in a transaction of its own"),
            };
            writeln!(out, "-- step {} of {}, {how}", step.number, work.steps.len())?;
            write!(out, "{begin}")?;
            work.texts(step).try_for_each(|(_, sql)| writeln!(out, "{sql};"))?;
            write!(out, "{end}")?;
        }
    }
    Ok(())
}
