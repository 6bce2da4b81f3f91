//! GitHub's REST API, as far as it is used here: <https://docs.github.com/en/rest>.

use crate::http::{Answer, Client};
use serde_json::Value;
use std::thread::sleep;
use std::time::Duration;

/// The version whose answers are read here.
const VERSION: &str = "2022-11-28";

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often a question is asked that the server is too busy for, and how long it is left alone before the second time; twice as long before
/// each time after it.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Entries of a page, as many as GitHub gives.
const PAGE: usize = 100;

/// More pages than this are not looked through.
const MOST_PAGES: usize = 50;

/// The API of one repository.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    /// Where the API is: `https://api.github.com`.
    url: String,
    /// `owner/name`.
    repository: String,
    token: String,
}

/// Why something could not be asked or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token may not: 401, 403, and 404 where something is there that must not be seen.
    Forbidden(String),
    /// What was sent does not fit: 422.
    Unprocessable(String),
    /// Anything else.
    Failed(String),
}

impl Refusal {
    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Self::Forbidden(words) | Self::Unprocessable(words) | Self::Failed(words) => words,
        }
    }
}

impl Api {
    /// Of a repository. `url` is `GITHUB_API_URL`.
    pub fn new(url: &str, repository: &str, token: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { client: Client::new(TIMEOUT), url, repository: repository.to_owned(), token: token.to_owned() }
    }

    /// Does something below the repository: `POST`, `issues/7/comments`.
    ///
    /// # Errors
    /// GitHub's own words, or why there was no answer.
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        self.ask(method, &format!("{}/repos/{}/{path}", self.url, self.repository), body)
    }

    /// The login of whoever the token is; the token of a workflow is nobody.
    pub fn login(&self) -> Option<String> {
        Some(self.ask("GET", &format!("{}/user", self.url), None).ok()?["login"].as_str()?.to_owned())
    }

    /// The first entry of a list, page by page, that is it.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn find(&self, path: &str, is_it: impl Fn(&Value) -> bool) -> Result<Option<Value>, Refusal> {
        for page in 1..=MOST_PAGES {
            let entries = self.page(path, page)?;
            let is_last = entries.len() < PAGE;
            match entries.into_iter().find(|entry| is_it(entry)) {
                None if !is_last => {}
                found => return Ok(found),
            }
        }
        Ok(None)
    }

    /// All entries of a list.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn all(&self, path: &str) -> Result<Vec<Value>, Refusal> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let mut entries = self.page(path, page)?;
            let is_last = entries.len() < PAGE;
            all.append(&mut entries);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    fn page(&self, path: &str, page: usize) -> Result<Vec<Value>, Refusal> {
        match self.send("GET", &format!("{path}?per_page={PAGE}&page={page}"), None)? {
            Value::Array(entries) => Ok(entries),
            _ => Err(Refusal::Failed("this is no list".to_owned())),
        }
    }

    fn ask(&self, method: &str, url: &str, body: Option<&Value>) -> Result<Value, Refusal> {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", &*authorization), ("accept", "application/vnd.github+json"), ("x-github-api-version", VERSION)];
        let text = body.map(Value::to_string);
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let answer = self.client.ask(method, url, &headers, text.as_deref());
            // What was not answered, or not well, may have been done: nothing is posted twice.
            let again = match &answer {
                Ok(answer) => answer.status == 429 || (answer.status >= 500 && method != "POST"),
                Err(_) => method != "POST",
            };
            if !again || tries == TRIES {
                return read(answer);
            }
            sleep(pause);
            (pause, tries) = (2 * pause, tries + 1);
        }
    }
}

fn read(answer: Result<Answer, String>) -> Result<Value, Refusal> {
    let answer = answer.map_err(Refusal::Failed)?;
    let value: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return Ok(value);
    }
    let words = match value["message"].as_str() {
        Some(message) => format!("{} ({message})", answer.status),
        None => answer.status.to_string(),
    };
    Err(match answer.status {
        401 | 403 | 404 => Refusal::Forbidden(words),
        422 => Refusal::Unprocessable(words),
        _ => Refusal::Failed(words),
    })
}
