//! The file in which GitHub says why a workflow runs.

use crate::problem::{Problem, io_words};
use serde::Deserialize;
use std::path::Path;

/// As much of the event as is needed here.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub struct Event {
    /// The pull request, if it is about one.
    pub pull_request: Option<PullRequest>,
}

/// A pull request.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its newest commit.
    pub head: Head,
}

/// The newest commit of a pull request.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Head {
    /// Its id.
    pub sha: String,
}

impl Event {
    /// Reads the file at `GITHUB_EVENT_PATH`.
    ///
    /// # Errors
    /// It is not there, or is no event.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| Problem::new("github::event", io_words(&error)).about(path))?;
        serde_json::from_str(&text)
            .map_err(|error| Problem::new("github::event", format!("this is no event of GitHub: {error}")).about(path))
    }
}
