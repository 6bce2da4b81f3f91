//! A plan for people: a timeline of what to run, who waits for it, what to deploy in between, and how to go back.

use super::Paint;
use crate::lint::finding::{Assessed, Judged};
use crate::lint::planner::{FilePlan, Piece};
use crate::model::lock::{Blocked, LockMode};
use crate::model::name::QualifiedName;
use crate::plan::{Down, Phase, Plan, Refusal};
use crate::rule::Class;
use std::io::{self, Write};

/// What has to be decided and done where there is no online way.
pub(super) const WINDOW: [&str; 6] = [
    "agree on a time, on when to give up, and on who says so",
    "take a backup that has been restored once, or note a point in time to go back to",
    "stop the writers, and see in pg_stat_activity that they have stopped",
    "SET lock_timeout = '10s', run the statement, and give up at the agreed time",
    "verify: read and write through the application, look at pg_index.indisvalid and pg_constraint.convalidated",
    "start the writers; to go back, restore or run the way back that was written before",
];

/// Writes the plan of a file.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(plan: &FilePlan, colour: bool, out: &mut impl Write) -> io::Result<()> {
    let mut timeline = Timeline { paint: Paint::new(colour), out };
    let mut files = plan.judged.migrations.iter();
    for piece in &plan.pieces {
        match piece {
            Piece::Kept(statements, _) => timeline.kept(statements, files.next())?,
            Piece::Planned(plan) => timeline.plan(plan, &mut files)?,
            Piece::Refused { sql, class, refusal } => timeline.refused(sql, *class, refusal, files.next())?,
        }
    }
    timeline.end(plan)
}

struct Timeline<'o, W> {
    paint: Paint,
    out: &'o mut W,
}

impl<W: Write> Timeline<'_, W> {
    fn plan<'a>(&mut self, plan: &Plan, files: &mut impl Iterator<Item = &'a Assessed>) -> io::Result<()> {
        let phases = plan.phases.len();
        writeln!(self.out, "{}: {phases} phases instead of", self.paint.bold(&plan.name))?;
        writeln!(self.out, "  {}\n", plan.instead_of)?;
        for (at, phase) in plan.phases.iter().enumerate() {
            self.before(phase)?;
            let head = format!("{}/{phases}  {:<9} {}", at + 1, phase.stage.word(), phase.title);
            writeln!(self.out, "{}", self.paint.bold(head))?;
            self.phase(phase, files.next())?;
        }
        for manual in &plan.manual {
            self.row("by hand", &format!("{}: {}", manual.thing, manual.what))?;
        }
        for difference in &plan.differs {
            self.row("differs", difference)?;
        }
        writeln!(self.out)
    }

    /// What has to be true before a phase.
    fn before(&mut self, phase: &Phase) -> io::Result<()> {
        let mut words: Vec<String> = phase.deploy.iter().map(|what| format!("deploy {what}")).collect();
        words.extend(phase.wait_hours.map(|hours| format!("wait {hours} hours")));
        words.extend(phase.assert.iter().map(|query| format!("go on when this is true: {query}")));
        for word in &words {
            writeln!(self.out, "     {} {}", self.paint.hint("▸"), self.paint.hint(word))?;
        }
        if !words.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn phase(&mut self, phase: &Phase, file: Option<&Assessed>) -> io::Result<()> {
        self.row("why", &phase.why)?;
        if let Some(file) = file {
            self.row("file", &file.source.path().display().to_string())?;
            self.row("waits", &waits(&file.statements))?;
        }
        self.row("code", &phase.meanwhile)?;
        for query in &phase.verify {
            self.row("verify", query)?;
        }
        match &phase.down {
            Down::Sql(statements) if statements.is_empty() => self.row("back", "nothing to undo")?,
            Down::Sql(statements) => {
                self.row("back", &statements.iter().map(|sql| format!("{};", brief(sql))).collect::<Vec<_>>().join(" "))?
            }
            Down::Nothing(why) => self.row("back", &format!("no way: {why}"))?,
        }
        for line in &phase.up {
            self.sql(&line.sql)?;
        }
        writeln!(self.out)
    }

    fn kept(&mut self, statements: &[String], file: Option<&Assessed>) -> io::Result<()> {
        let what = if statements.len() == 1 { "this statement runs as it is" } else { "these statements run as they are" };
        writeln!(self.out, "{}", self.paint.bold(what))?;
        if let Some(file) = file {
            self.row("file", &file.source.path().display().to_string())?;
            self.row("waits", &waits(&file.statements))?;
        }
        statements.iter().try_for_each(|sql| self.sql(sql))?;
        writeln!(self.out)
    }

    fn refused(&mut self, sql: &str, class: Class, refusal: &Refusal, file: Option<&Assessed>) -> io::Result<()> {
        writeln!(self.out, "{} ({})", self.paint.bold("no plan for this statement"), self.paint.class(class))?;
        if let Some(file) = file {
            self.row("file", &file.source.path().display().to_string())?;
            self.row("waits", &waits(&file.statements))?;
        }
        self.row("why", refusal.reason())?;
        match refusal {
            Refusal::Unknown(_) => self.row("next", "tell what the history does not: `--schema dump.sql` from pg_dump --schema-only")?,
            Refusal::Release(_) => {}
            Refusal::Window(_) => {
                for (at, step) in WINDOW.iter().enumerate() {
                    self.row(if at == 0 { "window" } else { "" }, &format!("[ ] {step}"))?;
                }
            }
        }
        self.sql(sql)?;
        writeln!(self.out)
    }

    /// What was found in the files of the plan: they are linted like any other.
    fn end(&mut self, plan: &FilePlan) -> io::Result<()> {
        for migration in &plan.judged.migrations {
            for finding in migration.findings.iter().filter(|finding| finding.allowed.is_none()) {
                let mark = self.paint.severity(finding.severity, format_args!("{}[{}]", finding.severity, finding.rule));
                writeln!(self.out, "{mark} {}: {}", migration.source.path().display(), finding.message)?;
            }
        }
        if let Some(none) = &plan.no_room {
            writeln!(self.out, "{} the files have no names yet: {none}", self.paint.hint("note:"))?;
        }
        Ok(())
    }

    fn row(&mut self, name: &str, text: &str) -> io::Result<()> {
        if text.is_empty() { Ok(()) } else { writeln!(self.out, "     {} {text}", self.paint.hint(format_args!("{name:<9}"))) }
    }

    fn sql(&mut self, sql: &str) -> io::Result<()> {
        let statement = format!("{};", sql.trim_end());
        statement.lines().try_for_each(|line| writeln!(self.out, "     {} {}", self.paint.dim("|"), self.paint.good(line)))
    }
}

/// A statement of several lines by its first one.
fn brief(sql: &str) -> String {
    let mut lines = sql.lines();
    let first = lines.next().unwrap_or_default();
    if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }
}

/// The strongest lock on each relation, and who waits for how long.
pub(super) fn waits(statements: &[Judged]) -> String {
    let mut locks: Vec<(&QualifiedName, LockMode)> = Vec::new();
    for lock in statements.iter().flat_map(|statement| &statement.effects.locks) {
        match locks.iter_mut().find(|(relation, _)| *relation == &lock.relation) {
            Some((_, mode)) => *mode = (*mode).max(lock.mode),
            None => locks.push((&lock.relation, lock.mode)),
        }
    }
    let worst = |of: fn(&Judged) -> Blocked| statements.iter().map(of).max().unwrap_or(Blocked::No);
    let (reads, writes) = (worst(|statement| statement.blocks.reads), worst(|statement| statement.blocks.writes));
    let who = match (reads, writes) {
        (Blocked::No, Blocked::No) => "nobody waits".to_owned(),
        (Blocked::No, writes) => format!("writes wait {}", how_long(writes)),
        (reads, writes) if reads == writes => format!("reads and writes wait {}", how_long(reads)),
        (reads, writes) => format!("reads wait {}, writes {}", how_long(reads), how_long(writes)),
    };
    let estimate = statements.iter().filter_map(|statement| statement.estimate).map(|estimate| estimate.seconds).max();
    let about = estimate.map(|seconds| format!(", about {seconds} s")).unwrap_or_default();
    let named: Vec<_> = locks.iter().map(|(relation, mode)| format!("{mode} on {relation}")).collect();
    if named.is_empty() { who } else { format!("{who}{about}: {}", named.join(", ")) }
}

/// For how long others wait, in words.
pub(super) fn how_long(blocked: Blocked) -> &'static str {
    match blocked {
        Blocked::No => "not at all",
        Blocked::Brief => "for a moment",
        Blocked::Long => "as long as it takes",
        Blocked::Unknown => "nobody knows how long",
    }
}
