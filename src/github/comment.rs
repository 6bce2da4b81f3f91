//! The one comment of a pull request that is ours.

use super::api::{Api, Refusal};
use crate::report::MARK;
use serde_json::{Value, json};

/// What became of the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There was none, and now there is.
    Created,
    /// It says something else now.
    Updated,
    /// It says the same already.
    Same,
    /// There is none, and nothing has to be said.
    NotNeeded,
}

/// Makes our comment of a pull request say `body`. Where there is none, one is made if `is_news`.
///
/// # Errors
/// The token may not, or GitHub does not answer.
pub fn keep(api: &Api, pull_request: u64, body: &str, is_news: bool) -> Result<Kept, Refusal> {
    let path = format!("issues/{pull_request}/comments");
    match own(api, &path)? {
        None if !is_news => Ok(Kept::NotNeeded),
        None => api.send("POST", &path, Some(&json!({ "body": body }))).map(|_| Kept::Created),
        // GitHub keeps line breaks in its own way.
        Some(comment) if comment["body"].as_str().is_some_and(|known| known.trim().replace("\r\n", "\n") == body.trim()) => Ok(Kept::Same),
        Some(comment) => {
            let path = format!("issues/comments/{}", comment["id"]);
            api.send("PATCH", &path, Some(&json!({ "body": body }))).map(|_| Kept::Updated)
        }
    }
}

/// Our comment. Anybody can write our mark into theirs, and change what stands there later: it has to be that of a program, or of the token's
/// own user.
fn own(api: &Api, path: &str) -> Result<Option<Value>, Refusal> {
    let is_marked = |comment: &Value| comment["body"].as_str().is_some_and(|body| body.starts_with(MARK));
    let by_program = api.find(path, |comment| is_marked(comment) && comment["user"]["type"] == "Bot")?;
    if by_program.is_some() {
        return Ok(by_program);
    }
    match api.login() {
        Some(login) => api.find(path, |comment| is_marked(comment) && comment["user"]["login"] == login.as_str()),
        None => Ok(None),
    }
}
