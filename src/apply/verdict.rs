//! How a run ended: what state the database is in, and what to do next.

use super::draft::Work;
use super::execute::{Broken, Trouble};
use super::ledger::Direction;
use crate::problem::Problem;

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everything that was to be done is done.
    Done {
        /// What was run.
        migrations: Vec<String>,
        /// Why what comes behind that has to wait.
        stopped: Option<String>,
    },
    /// Not approved, or not its time, or not to be run at all. Nothing was changed.
    Refused(Vec<Problem>),
    /// The server, or what the ledger says of it, is not ready. Nothing was changed.
    NotReady(Vec<Problem>),
    /// Somebody else was in the way until patience ended. Nothing was changed.
    Locked(Problem),
    /// The server refused a statement; what the migration had done so far was rolled back.
    RolledBack(Problem),
    /// Somebody has to look.
    Operator(Problem),
    /// It has run, and what it should have made true is not.
    Invalid(Problem),
    /// Some of it has run, and the rest can be run from there.
    Partial(Problem),
    /// Somebody has stopped it, and it can go on from there.
    Interrupted(Problem),
}

impl Verdict {
    /// The word for it in the ledger.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Done { .. } => "succeeded",
            Self::Refused(_) | Self::NotReady(_) => "refused",
            Self::Locked(_) => "locked",
            Self::RolledBack(_) => "failed",
            Self::Operator(_) => "needs operator",
            Self::Invalid(_) => "invalid",
            Self::Partial(_) => "partial",
            Self::Interrupted(_) => "interrupted",
        }
    }

    /// The exit code of the process.
    pub fn code(&self) -> u8 {
        match self {
            Self::Done { .. } => 0,
            Self::Refused(_) => 1,
            Self::NotReady(_) => 3,
            Self::RolledBack(_) => 6,
            Self::Operator(_) => 7,
            Self::Invalid(_) => 8,
            Self::Locked(_) => 9,
            Self::Partial(_) => 10,
            Self::Interrupted(_) => 130,
        }
    }

    /// What went wrong.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Done { .. } => &[],
            Self::Refused(problems) | Self::NotReady(problems) => problems,
            Self::Locked(problem)
            | Self::RolledBack(problem)
            | Self::Operator(problem)
            | Self::Invalid(problem)
            | Self::Partial(problem)
            | Self::Interrupted(problem) => std::slice::from_ref(problem),
        }
    }

    /// The same in one line.
    pub fn said(&self) -> Option<String> {
        let said: Vec<_> = self.problems().iter().map(|problem| problem.message.as_str()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// What it means that a migration broke off, after others have `done`.
pub fn verdict_of(done: &[String], work: Option<&Work>, broken: &Broken, direction: Direction) -> Verdict {
    // Batches that have committed stay, as steps do.
    let (trouble, batches) = match &broken.trouble {
        Trouble::Partway { batches, rows, why } => (&**why, Some((batches, rows))),
        other => (other, None),
    };
    let partly = broken.committed > 0 || batches.is_some();
    let step = broken.step.map_or(String::new(), |step| format!("step {step}: "));
    let before = match (batches, broken.committed, done.len()) {
        (Some((batches, rows)), ..) => format!("{rows} rows were changed in {batches} batches, which have committed and stay"),
        (None, 0, 0) => "nothing of it has happened".to_owned(),
        (None, 0, before) => format!("nothing of this one has happened; {before} before it have run"),
        (None, steps, _) => format!("its first {steps} steps have committed and stay"),
    };
    let problem = |code: &'static str, help: String| {
        let problem = Problem::new(code, format!("{step}{}", broken.trouble)).help(help);
        match work {
            Some(work) => problem.about(work.source().path()),
            None => problem,
        }
    };
    let command = match (work.filter(|work| work.is_job), direction) {
        (Some(work), _) => format!("lockkeeper backfill {}", work.draft.path()),
        (None, Direction::Up) => "lockkeeper apply".to_owned(),
        (None, Direction::Down) => "lockkeeper rollback".to_owned(),
    };
    let again = format!("`{command}` goes on from there");
    match trouble {
        Trouble::Premature(_) => {
            let problem = problem("apply::assert", "what is missing stands in the header of the file; then run it again".to_owned());
            if done.is_empty() { Verdict::Refused(vec![problem]) } else { Verdict::Partial(problem) }
        }
        Trouble::Closed => {
            let problem = problem("apply::window", format!("{before}; {again} when the next window is open"));
            if partly || !done.is_empty() { Verdict::Partial(problem) } else { Verdict::Refused(vec![problem]) }
        }
        Trouble::Unproven(_) => {
            Verdict::Invalid(problem("apply::verify", format!("look at it; when it is true, `{command}` ends the migration")))
        }
        Trouble::Interrupted => Verdict::Interrupted(problem("apply::interrupted", format!("{before}; {again}"))),
        Trouble::Spent { .. } | Trouble::Busy(_) if !partly && done.is_empty() => {
            Verdict::Locked(problem("apply::busy", format!("{before}; {again}, better when who is in the way has ended")))
        }
        Trouble::Unclear(_) | Trouble::Contradiction(_) if !partly => {
            Verdict::Operator(problem("apply::unclear", "`lockkeeper history` shows what the ledger knows of it".to_owned()))
        }
        Trouble::Unclear(_) | Trouble::Contradiction(_) | Trouble::Partway { .. } => Verdict::Operator(problem("apply::unclear", before)),
        Trouble::Lost(_) => Verdict::Operator(problem(
            "apply::lost",
            format!(
                "what has happened stands in the ledger; `lockkeeper status` shows it when the server is back, and `{command}` goes on"
            ),
        )),
        Trouble::Spent { .. } | Trouble::Busy(_) => Verdict::Partial(problem("apply::busy", format!("{before}; {again}"))),
        Trouble::Failed(_) if batches.is_some() => Verdict::Partial(problem("apply::failed", format!("{before}; {again}"))),
        Trouble::Failed(_) if partly => {
            Verdict::Partial(problem("apply::failed", format!("{before}; mend the rest of the file, and {again}")))
        }
        // insufficient_resources: the file is right, the server is too small.
        Trouble::Failed(refusal) if refusal.code.starts_with("53") => {
            Verdict::RolledBack(problem("apply::failed", format!("{before}; make room on the server, and `{command}` runs it")))
        }
        Trouble::Failed(_) => Verdict::RolledBack(problem("apply::failed", format!("{before}; mend the file, and `{command}` runs it"))),
    }
}
