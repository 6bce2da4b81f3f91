//! Review comments with changes that are applied at a click: those of findings that stand, and no others.

use super::api::{Api, Refusal};
use super::event::PullRequest;
use serde_json::{Value, json};

/// What the first line of ours begins with; the finding's fingerprint follows.
const MARK: &str = "<!-- lockkeeper:";

/// More than this at once nobody reads.
const MOST: usize = 20;

/// What became of the suggestions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// How many were written.
    pub written: usize,
    /// How many were taken away, since their finding is gone.
    pub removed: usize,
    /// How many are about lines that the pull request does not show.
    pub elsewhere: usize,
}

/// Makes our review comments those of `wanted`, a list as `lint --output github-review=FILE` writes it. One that stands is left alone, with what
/// was answered to it.
///
/// # Errors
/// The token may not, or GitHub does not answer.
pub fn keep(api: &Api, pull_request: &PullRequest, wanted: &[Value]) -> Result<Kept, Refusal> {
    let path = format!("pulls/{}/comments", pull_request.number);
    let login = api.login();
    let is_ours = |comment: &Value| {
        mark(comment).is_some()
            && (comment["user"]["type"] == "Bot" || login.as_deref().is_some_and(|login| comment["user"]["login"] == login))
    };
    let known: Vec<_> = api.all(&path)?.into_iter().filter(is_ours).collect();
    let mut kept = Kept::default();
    for stale in known.iter().filter(|known| !wanted.iter().any(|comment| mark(comment) == mark(known))) {
        api.send("DELETE", &format!("pulls/comments/{}", stale["id"]), None)?;
        kept.removed += 1;
    }
    for new in wanted.iter().filter(|comment| !known.iter().any(|known| mark(known) == mark(comment))).take(MOST) {
        let mut body = new.clone();
        body["commit_id"] = json!(pull_request.head.sha);
        match api.send("POST", &path, Some(&body)) {
            Ok(_) => kept.written += 1,
            Err(Refusal::Unprocessable(_)) => kept.elsewhere += 1,
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(kept)
}

/// The first line of a comment that is ours.
fn mark(comment: &Value) -> Option<&str> {
    comment["body"].as_str().filter(|body| body.starts_with(MARK))?.lines().next()
}
