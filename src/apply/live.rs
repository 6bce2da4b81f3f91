//! What is due, held against the server itself: its schema, its sizes, its state.

use super::draft::{self, Draft, Work};
use super::event::{Event, Tell};
use super::ledger::text;
use super::preflight::touched::Touched;
use super::preflight::{self, Check, Limits, pooler};
use super::session::own;
use crate::db::{Connection, Refusal, schema};
use crate::discover::History;
use crate::lint::Settings;
use crate::model::effects::Effects;
use crate::problem::Problem;
use crate::rule::Class;
use crate::text::SourceFile;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;

/// What the schema of the server is called where a finding has to name a file.
const LIVE: &str = "<the server's schema>";

/// Whether sessions stay what they are between two statements: with a pooler in between they may not.
///
/// # Errors
/// Why nothing can be run through this connection, or what the server says.
pub async fn pooler(target: &PgConnectOptions) -> Result<Check, Refusal> {
    pooler::check(target, &Limits::default()).await
}

/// Looks at the server that is about to be changed, and tells what was seen.
///
/// # Errors
/// What is in the way.
pub async fn preflight(target: &PgConnectOptions, works: &[Work], settings: &Settings<'_>, tell: Tell<'_>) -> Result<(), Vec<Problem>> {
    let refused = |refusal: Refusal| vec![Problem::new("apply::server", refusal.to_string()).help("nothing was done; run it again")];
    let limits = Limits { role: settings.config.apply.role.clone(), ..Limits::default() };
    let mut connection = own(target, "lockkeeper preflight").await.map_err(refused)?;
    // What is made lies in the first schema of the session that makes it.
    let path = match &settings.config.apply.search_path {
        Some(path) => format!("SELECT pg_catalog.set_config('search_path', {}, false)", text(path)),
        None => "RESET search_path".to_owned(),
    };
    connection.run(&path).await.map_err(refused)?;
    let checks = preflight::checks(&mut connection, &Touched::by(works.iter().map(|work| &work.assessed)), &limits).await;
    connection.close().await;
    let checks = checks.map_err(refused)?;
    for check in &checks {
        tell(&event(check));
    }
    let failed: Vec<_> = checks.iter().filter(|check| check.verdict == preflight::Verdict::Fail).map(problem).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed) }
}

/// What a check says, for whoever watches.
pub fn event(check: &Check) -> Event {
    let verdict = match check.verdict {
        preflight::Verdict::Pass => "pass",
        preflight::Verdict::Warn => "warn",
        preflight::Verdict::Fail => "fail",
    };
    Event::Check { id: check.id, verdict, evidence: check.evidence.clone() }
}

/// A check that failed.
pub fn problem(check: &Check) -> Problem {
    let problem = Problem::new("apply::preflight", format!("{}: {}", check.id, check.evidence));
    match &check.next {
        Some(next) => problem.help(next.clone()),
        None => problem.help("nothing was done; run it again when that is over"),
    }
}

/// Judges what is due once more, on the schema that the server really has, and finds what does more there than whoever approved it could see.
///
/// A later phase of a plan is left out: what it may do follows from phases that have run, and its header says what has to be true.
///
/// # Errors
/// What the server says.
pub async fn surprises(
    connection: &mut Connection,
    (history, drafts): (&History, &[Draft]),
    works: &[Work],
    settings: &Settings<'_>,
) -> Result<Vec<Problem>, Refusal> {
    // Our own sessions have short limits; a large schema takes its time.
    connection.run(&format!("SET statement_timeout = {}", Duration::from_secs(120).as_millis())).await?;
    let sql = schema::sql(connection).await?;
    let is_due = |path: &std::path::Path| works.iter().any(|work| work.source().path() == path);
    let history = history.clone().on_schema(SourceFile::new(LIVE, sql), |migration| is_due(migration.source.path()));
    let keys: Vec<_> = works.iter().map(|work| work.draft.key.clone()).collect();
    let live = match draft::works(&history, drafts, &keys, settings) {
        Ok(live) => live,
        Err(problems) => return Ok(problems),
    };
    let first_or_none = |work: &&Work| work.header().is_none_or(|header| header.phase == 1);
    let pairs = works.iter().filter(first_or_none).filter_map(|work| {
        let live = live.iter().find(|live| live.draft.key == work.draft.key)?;
        Some((work, live))
    });
    Ok(pairs.filter(|(work, _)| work.assessed.class < Class::MaintenanceWindow).flat_map(|(work, live)| beyond(work, live)).collect())
}

/// The statements of a migration that do more on the server than by the files.
fn beyond(work: &Work, live: &Work) -> Vec<Problem> {
    let pairs = work.assessed.statements.iter().zip(&live.assessed.statements);
    pairs
        .filter_map(|(judged, live)| {
            let more = more(&live.effects, &judged.effects);
            (!more.is_empty()).then(|| {
                Problem::new("apply::differs", format!("on this server it does more than by the files: it {}", more.join(", ")))
                    .help("the server's schema is not what the files make; give `--schema` a dump of it, and approve what lint says then")
                    .at(&work.assessed.source, judged.span, "this")
            })
        })
        .collect()
}

/// What takes long in the one effects and not in the others.
fn more(live: &Effects, judged: &Effects) -> Vec<String> {
    let mut more = Vec::new();
    for (words, live, judged) in [
        ("rewrites", &live.rewrites, &judged.rewrites),
        ("scans", &live.scans, &judged.scans),
        ("rebuilds", &live.rebuilds, &judged.rebuilds),
    ] {
        more.extend(live.iter().filter(|name| !judged.contains(name)).map(|name| format!("{words} {name}")));
    }
    more
}
