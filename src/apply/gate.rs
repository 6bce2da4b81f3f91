//! Whether migrations may run: what was found about them, held against what somebody has agreed to; and whether it is a phase's time.

use super::approval::{Approval, open_findings};
use super::draft::Work;
use super::ledger::{Entry, State};
use crate::config::environments::Environment;
use crate::model::effects::Version;
use crate::problem::Problem;
use crate::rule::Severity;

/// For whom, and when.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// Where they are to run.
    pub environment: &'a Environment,
    /// The day, by the server's clock: `2026-11-20`.
    pub today: &'a str,
    /// The server's major version, if approvals are given for another one unless it is said.
    pub server: Option<Version>,
}

/// What is in the way of migrations: each needs an approval that is for exactly this SQL, for its class, and for everything that is found
/// about it. An additive migration about which nothing is found needs none, unless the environment wants it.
pub fn refusals(works: &[Work], approvals: &[Approval], here: Circumstances<'_>) -> Vec<Problem> {
    works.iter().filter_map(|work| refusal(work, approvals, here)).collect()
}

fn refusal(work: &Work, approvals: &[Approval], here: Circumstances<'_>) -> Option<Problem> {
    let (class, findings) = (work.assessed.class, open_findings(work));
    let weighs = work.assessed.findings.iter().any(|finding| finding.allowed.is_none() && finding.severity == Severity::Error);
    if !weighs && !here.environment.needs_approval(class) {
        return None;
    }
    let path = work.source().path();
    let server = here.server.map_or(String::new(), |version| format!(" --postgres {}", version.0));
    let command = format!("lockkeeper approve {} --by NAME --reason WHY{server}", path.display());
    let refuse = |why: String, help: String| Some(Problem::new("apply::not-approved", why).help(help).about(path));
    let is_for = |approval: &&Approval| {
        approval.migration == work.draft.key
            && approval.environment.as_ref().is_none_or(|environment| *environment == here.environment.name)
    };
    let mut own = approvals.iter().filter(is_for).peekable();
    if own.peek().is_none() {
        let said = if findings.is_empty() { String::new() } else { format!(", and says {}", findings.join(", ")) };
        return refuse(
            format!("nobody has approved it: it is {class}{said}"),
            format!("`lockkeeper lint {}` says why; then `{command}`", path.display()),
        );
    }
    let hash = work.draft.approved_hash();
    let Some(approval) = own.find(|approval| approval.hash == hash) else {
        return refuse(
            "its SQL, or the SQL that undoes it, has changed since it was approved".to_owned(),
            format!("review it again: `{command}`"),
        );
    };
    if let Some(day) = approval.expires.as_ref().filter(|day| day.as_str() < here.today) {
        return refuse(format!("its approval by {} has expired on {day}", approval.by), format!("`{command}`"));
    }
    if class > approval.class {
        return refuse(format!("it was approved as {}, and here it is {class}", approval.class), format!("review it again: `{command}`"));
    }
    let new: Vec<_> = findings.into_iter().filter(|finding| !approval.findings.contains(finding)).collect();
    if !new.is_empty() {
        return refuse(format!("{} was not there when it was approved", new.join(", ")), format!("review it again: `{command}`"));
    }
    None
}

/// Whether it is the time of a phase of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// It is, or it is no phase.
    Now,
    /// The phase before it is among those that are due, and something has to happen between them.
    NotInOneRun(String),
    /// It is too early, or something is missing.
    NotYet(String),
}

/// Whether it is time for a migration, given what has run and which others are to run before it.
pub fn time(work: &Work, entries: &[Entry], before: &[Work]) -> Time {
    let Some(header) = work.header().filter(|header| header.phase > 1) else { return Time::Now };
    let (plan, previous) = (header.plan, header.phase - 1);
    let is_previous = |other: &&Work| other.header().is_some_and(|other| other.plan == plan && other.phase == previous);
    let asks = |what: &str| format!("phase {} of {plan} comes after phase {previous}, and {what}", header.phase);
    let wait = header.wait_hours.unwrap_or(0);
    if before.iter().any(|other| is_previous(&other)) {
        return match (header.wait_hours, header.deploy) {
            (None, None) => Time::Now,
            (Some(hours), _) => Time::NotInOneRun(asks(&format!("{hours} hours lie between them"))),
            (None, Some(deploy)) => Time::NotInOneRun(asks(&format!("before it is deployed {deploy}"))),
        };
    }
    let done =
        entries.iter().find(|entry| entry.phase.as_ref().is_some_and(|(of, phase)| of == plan && i64::from(*phase) == previous as i64));
    match done {
        Some(entry) if matches!(entry.state, State::Applied | State::Baselined) => {
            let left = (wait as i64 * 3600).saturating_sub(entry.age);
            if left <= 0 { Time::Now } else { Time::NotYet(asks(&format!("{} of the {wait} between them are left", hours(left)))) }
        }
        Some(_) | None => Time::NotYet(asks("that has not run here")),
    }
}

fn hours(seconds: i64) -> String {
    let minutes = (seconds + 59) / 60;
    format!("{}:{:02} hours", minutes / 60, minutes % 60)
}
