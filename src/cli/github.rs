//! `lockkeeper github`: tells a pull request what `lint` has found. The GitHub Action runs it behind `lint`.

use super::{Console, Exit};
use crate::github::api::{Api, Refusal};
use crate::github::comment::{self, Kept};
use crate::github::event::Event;
use crate::github::{labels, step, suggestions};
use crate::problem::{Problem, io_words};
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Tells GitHub what `lint` has found: the summary and the outputs of the workflow's step, one comment of the pull request that is kept up to
/// date, changes to apply at a click beside the lines, and labels.
///
/// What GitHub sets for each step says where to: GITHUB_EVENT_PATH, GITHUB_REPOSITORY, GITHUB_API_URL, GITHUB_STEP_SUMMARY, GITHUB_OUTPUT. The
/// token is in GITHUB_TOKEN. A token that may only read, as for pull requests from forks, is no failure.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper lint --since \"$BASE\" --format github --output json=report.json --output markdown=comment.md
  lockkeeper github --report report.json --comment comment.md

The action does both: uses: OWNER/lockkeeper@VERSION")]
pub(super) struct Github {
    /// What `lint --output json=FILE` has written
    #[arg(long, value_name = "FILE")]
    report: PathBuf,
    /// What `lint --output markdown=FILE` has written: it becomes the summary of the step, and the comment
    #[arg(long, value_name = "FILE")]
    comment: Option<PathBuf>,
    /// What `lint --output github-labels=FILE` has written: the pull request gets these labels
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What `lint --output github-review=FILE` has written: changes to apply at a click, beside the lines
    #[arg(long, value_name = "FILE")]
    suggestions: Option<PathBuf>,
    /// Write no comment: the summary is enough
    #[arg(long)]
    no_comment: bool,
}

impl Github {
    pub fn run(self, console: Console) -> Exit {
        match self.tell() {
            Ok(said) => console.print(Exit::Clean, |out| said.iter().try_for_each(|line| writeln!(out, "{line}"))),
            Err(problem) => console.failed(&problem),
        }
    }

    /// Gives what was done, in lines for the log.
    fn tell(&self) -> Result<Vec<String>, Problem> {
        let report = read_report(&self.report)?;
        let comment = self.comment.as_deref().map(read).transpose()?;
        let labels = self.labels.as_deref().map(read).transpose()?;
        let suggestions = self.suggestions.as_deref().map(read_suggestions).transpose()?;
        if let Some((file, comment)) = path("GITHUB_STEP_SUMMARY").zip(comment.as_deref()) {
            step::summarize(&file, comment)?;
        }
        if let Some(file) = path("GITHUB_OUTPUT") {
            step::set_outputs(&file, &outputs(&report, &self.report))?;
        }
        let event = path("GITHUB_EVENT_PATH").map_or_else(|| Ok(Event::default()), |path| Event::read(&path))?;
        let Some(pull_request) = event.pull_request else { return Ok(vec!["lockkeeper: this is no pull request".to_owned()]) };
        let api = match api()? {
            Some(api) => api,
            None => return Ok(vec!["lockkeeper: GITHUB_TOKEN is not set, and nothing is written into the pull request".to_owned()]),
        };
        let mut said = Vec::new();
        if let Some(comment) = comment.filter(|_| !self.no_comment) {
            said.push(in_words("comment", comment::keep(&api, pull_request.number, &comment, is_news(&report)).map(kept)));
        }
        if let Some(suggestions) = suggestions {
            said.push(in_words("suggestions", suggestions::keep(&api, &pull_request, &suggestions).map(in_numbers)));
        }
        if let Some(labels) = labels {
            let wanted: Vec<_> = labels.lines().map(str::to_owned).collect();
            let changed = labels::keep(&api, pull_request.number, &wanted);
            said.push(in_words(
                "labels",
                changed.map(|changed| if changed == 0 { "are as they were".to_owned() } else { "are set".to_owned() }),
            ));
        }
        Ok(said)
    }
}

fn kept(kept: Kept) -> String {
    let words = match kept {
        Kept::Created => "is written",
        Kept::Updated => "is brought up to date",
        Kept::Same => "says the same already",
        Kept::NotNeeded => "is not needed: no migration is added or changed",
    };
    words.to_owned()
}

fn in_numbers(kept: suggestions::Kept) -> String {
    let suggestions::Kept { written, removed, elsewhere } = kept;
    format!("are up to date: {written} written, {removed} removed, {elsewhere} on lines that the pull request does not show")
}

/// A line of the log; what did not work is a warning beside the run, for the findings do not depend on it.
fn in_words(what: &str, done: Result<String, Refusal>) -> String {
    match done {
        Ok(done) => format!("lockkeeper: the {what} {done}"),
        Err(Refusal::Forbidden(words)) => format!(
            "::notice title=lockkeeper::the {what} could not be written, since this token may not: {}. It needs `pull-requests: write`; for \
             pull requests from forks it has no such right, and the annotations and the summary of the run say the same",
            line(&words)
        ),
        Err(Refusal::Failed(words) | Refusal::Unprocessable(words)) => {
            format!("::warning title=lockkeeper::the {what} could not be written: {}", line(&words))
        }
    }
}

/// Words of somebody else inside a workflow command.
fn line(words: &str) -> String {
    words.replace('%', "%25").replace(['\r', '\n'], " ")
}

/// Whether a pull request without a comment has to hear of it.
fn is_news(report: &Value) -> bool {
    report["summary"]["migrations"] != 0 || report["problems"].as_array().is_some_and(|problems| !problems.is_empty())
}

fn outputs(report: &Value, file: &Path) -> Vec<(&'static str, String)> {
    let class = if report["summary"]["migrations"] == 0 { "none" } else { report["class"].as_str().unwrap_or("none") };
    vec![("class", class.to_owned()), ("errors", report["summary"]["errors"].to_string()), ("report", file.display().to_string())]
}

/// Where to write, if a token is there.
fn api() -> Result<Option<Api>, Problem> {
    let Some(token) = variable("GITHUB_TOKEN") else { return Ok(None) };
    let Some(repository) = variable("GITHUB_REPOSITORY") else {
        return Err(Problem::new("github::repository", "GITHUB_REPOSITORY is not set").help("GitHub sets it for every step: OWNER/NAME"));
    };
    let url = variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
    Ok(Some(Api::new(&url, &repository, &token)))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn path(name: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from)
}

fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| Problem::new("github::file", io_words(&error)).about(path))
}

fn read_suggestions(path: &Path) -> Result<Vec<Value>, Problem> {
    let not_ours = |_| Problem::new("github::suggestions", "this is no list of comments").help(REVIEW).about(path);
    serde_json::from_str(&read(path)?).map_err(not_ours)
}

const REVIEW: &str = "`lockkeeper lint --output github-review=FILE` writes it";

fn read_report(path: &Path) -> Result<Value, Problem> {
    let not_ours =
        || Problem::new("github::report", "this is no report").help("`lockkeeper lint --output json=FILE` writes it").about(path);
    let report: Value = serde_json::from_str(&read(path)?).map_err(|_| not_ours())?;
    if report["schema"] == 1 && report["summary"].is_object() { Ok(report) } else { Err(not_ours()) }
}
