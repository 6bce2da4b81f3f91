//! Holds what another tool's table says against our files.

use super::{Row, Table, Tool, checksum};
use crate::apply::draft::Draft;
use crate::problem::Problem;

/// The migrations that have run by what the table says, in the order of the files.
///
/// # Errors
/// What did not end well, what has no file, and what has another file now.
pub fn fit<'a>(table: &Table, rows: &[Row], drafts: &'a [Draft]) -> Result<Vec<&'a Draft>, Vec<Problem>> {
    ended(table, rows)?;
    let ran = match table.tool {
        Tool::GolangMigrate | Tool::Alembic => up_to(table, rows, drafts),
        Tool::Flyway => flyway(table, rows, drafts),
        Tool::Sqlx | Tool::Dbmate | Tool::Goose | Tool::Refinery | Tool::Diesel => each(table, rows, drafts),
    }?;
    // In the order of the files, each once.
    Ok(drafts.iter().enumerate().filter(|(at, _)| ran.contains(at)).map(|(_, draft)| draft).collect())
}

/// That everything in a table has come to its end.
///
/// # Errors
/// What has not.
pub fn ended(table: &Table, rows: &[Row]) -> Result<(), Vec<Problem>> {
    let open: Vec<_> = rows.iter().filter(|row| !row.ended).map(|row| not_ended(table, row)).collect();
    if open.is_empty() { Ok(()) } else { Err(open) }
}

/// Places in the list of files.
type Ran = Result<Vec<usize>, Vec<Problem>>;

/// Tools with a row for each migration.
fn each(table: &Table, rows: &[Row], drafts: &[Draft]) -> Ran {
    let mut ran = Vec::new();
    let mut wrong = Vec::new();
    for row in rows {
        match place(table, row, drafts) {
            Some(at) => {
                wrong.extend(changed(table, row, &drafts[at]));
                ran.push(at);
            }
            None => wrong.push(no_file(table, row)),
        }
    }
    if wrong.is_empty() { Ok(ran) } else { Err(wrong) }
}

/// Tools that only remember how far they have come: golang-migrate, and Alembic unless its revisions have branches.
fn up_to(table: &Table, rows: &[Row], drafts: &[Draft]) -> Ran {
    match rows {
        [] => Ok(Vec::new()),
        [row] => match place(table, row, drafts) {
            Some(last) => Ok((0..=last).filter(|at| !drafts[*at].repeatable).collect()),
            None => Err(vec![no_file(table, row)]),
        },
        several => {
            let heads: Vec<_> = several.iter().filter_map(|row| row.version.as_deref()).collect();
            let problem = Problem::new("apply::adopt", format!("{} has {} heads: {}", table.name, heads.len(), heads.join(", ")));
            Err(vec![problem.help("files are one line and have no branches; merge the heads first (`alembic merge heads`)")])
        }
    }
}

/// Flyway writes down everything that it does: what counts is what stands at the end (CoreMigrationType.java).
fn flyway(table: &Table, rows: &[Row], drafts: &[Draft]) -> Ran {
    let mut ran: Vec<usize> = Vec::new();
    let mut wrong = Vec::new();
    for row in rows {
        let at = place(table, row, drafts);
        match (row.kind.as_str(), at) {
            ("SCHEMA", _) => {}
            // Everything up to there was there before Flyway, whether it has a file or not.
            ("BASELINE", _) => {
                ran.extend((0..drafts.len()).filter(|at| row.version.as_deref().is_some_and(|to| is_up_to(&drafts[*at], to))))
            }
            (kind, Some(at)) if kind == "DELETE" || kind.starts_with("UNDO") => ran.retain(|one| *one != at),
            (kind, None) if kind == "DELETE" || kind.starts_with("UNDO") => {
                wrong.retain(|(version, _): &(&Option<String>, Problem)| **version != row.version);
            }
            (_, Some(at)) if row.version.is_none() => {
                // A repeatable one that has changed since is due again.
                ran.retain(|one| *one != at);
                ran.extend(changed(table, row, &drafts[at]).is_none().then_some(at));
            }
            (_, None) if row.version.is_none() => {}
            (_, Some(at)) => {
                wrong.extend(changed(table, row, &drafts[at]).map(|problem| (&row.version, problem)));
                ran.push(at);
            }
            (_, None) => wrong.push((&row.version, no_file(table, row))),
        }
    }
    if wrong.is_empty() { Ok(ran) } else { Err(wrong.into_iter().map(|(_, problem)| problem).collect()) }
}

/// Which file a row is about.
fn place(table: &Table, row: &Row, drafts: &[Draft]) -> Option<usize> {
    let Some(version) = row.version.as_deref() else {
        return drafts.iter().position(|draft| draft.repeatable && file_name(draft) == row.script);
    };
    let same = |draft: &Draft| {
        let own = draft.version.as_deref().unwrap_or_default();
        match table.tool {
            Tool::Sqlx | Tool::GolangMigrate | Tool::Goose | Tool::Refinery => number(own).is_some_and(|own| Some(own) == number(version)),
            // dbmate, pkg/dbmate/db.go: migrationFileRegexp; the digits count as text
            Tool::Dbmate => own == version,
            // diesel_migrations, migrations_internals/src/lib.rs: version_from_string
            Tool::Diesel => own.replace('-', "") == version,
            Tool::Flyway => !own.is_empty() && parts(own) == parts(version),
            Tool::Alembic => own == version || draft.name == version || draft.name.starts_with(&format!("{version}_")),
        }
    };
    drafts.iter().position(|draft| !draft.repeatable && same(draft))
}

/// A version that is a number, without zeros in front.
fn number(version: &str) -> Option<&str> {
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| version.trim_start_matches('0'))
}

/// The numbers of a version as Flyway compares them: 1.0 is 1 (MigrationVersion.java).
fn parts(version: &str) -> Vec<String> {
    let mut parts: Vec<_> = version.split(['.', '_']).map(|part| part.trim_start_matches('0').to_owned()).collect();
    while parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    parts
}

fn is_up_to(draft: &Draft, to: &str) -> bool {
    // Numbers without zeros in front: the longer one is the larger one.
    let ordered = |version: &str| parts(version).into_iter().map(|part| (part.len(), part)).collect::<Vec<_>>();
    !draft.repeatable && draft.version.as_deref().is_some_and(|own| ordered(own) <= ordered(to))
}

pub(super) fn file_name(draft: &Draft) -> String {
    draft.source.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn shown(row: &Row) -> &str {
    row.version.as_deref().unwrap_or(&row.script)
}

fn not_ended(table: &Table, row: &Row) -> Problem {
    let (tool, version) = (table.tool.word(), shown(row));
    Problem::new("apply::adopt", format!("{version} has not ended well by {}: {tool} did not come to its end", table.name))
        .help(format!("bring it to an end, or undo what it has done, and tell {tool} so; then adopt"))
}

fn no_file(table: &Table, row: &Row) -> Problem {
    let message = format!("{} has run by {}, and no file has that version", shown(row), table.name);
    Problem::new("apply::adopt", message).help("is it the right directory? Bring the file back from version control; then adopt")
}

fn changed(table: &Table, row: &Row, draft: &Draft) -> Option<Problem> {
    let (own, theirs) = (checksum::of(table, draft)?, row.checksum.as_deref()?);
    (own != theirs).then(|| {
        let message = format!("{} is not the file that has run: {} knows another checksum of it", shown(row), table.name);
        let help = format!("put it back as it was (line ends may count, too); {} itself would refuse it as well", table.tool.word());
        Problem::new("apply::adopt", message).help(help).about(draft.source.path())
    })
}
