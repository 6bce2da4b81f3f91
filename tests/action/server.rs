//! As much of GitHub as the action asks for: comments and labels of pull request 7, page by page, and the files of a release.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub const TOKEN: &str = "ghs_of_the_test";

/// What is there.
#[derive(Default)]
pub struct State {
    pub comments: Vec<Value>,
    pub labels: Vec<String>,
    /// Comments beside lines.
    pub review: Vec<Value>,
    /// Lines behind this one are not part of the pull request.
    pub last_line: u64,
    /// The token may only read, as for pull requests from forks.
    pub read_only: bool,
    /// How many answers are 502 from here on.
    pub busy: usize,
    /// Files of releases, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Every question: `POST /repos/...`.
    pub asked: Vec<String>,
}

/// It lives as long as the process.
#[derive(Clone)]
pub struct Server {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

struct Question {
    method: String,
    /// With what stands behind the `?`.
    path: String,
    token: String,
    body: Value,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Self { port: listener.local_addr().expect("it is bound").port(), state: Arc::default() };
        let answering = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(question) = read(&stream) else { continue };
                let (status, body) = answering.with(|state| state.answer(&question));
                let head = format!("HTTP/1.1 {status} so\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = (&stream).write_all(&[head.as_bytes(), &body].concat());
            }
        });
        server
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The questions since the last time somebody looked.
    pub fn asked(&self) -> Vec<String> {
        self.with(|state| std::mem::take(&mut state.asked))
    }

    /// The bodies of all comments by programs.
    pub fn comments(&self) -> Vec<String> {
        let by_program = |comment: &&Value| comment["user"]["type"] == "Bot";
        self.with(|state| {
            state.comments.iter().filter(by_program).filter_map(|comment| comment["body"].as_str().map(str::to_owned)).collect()
        })
    }
}

impl State {
    pub fn add_comment(&mut self, by: &str, kind: &str, body: &str) {
        let id = 1000 + self.comments.len();
        self.comments.push(json!({ "id": id, "body": body, "user": { "login": by, "type": kind } }));
    }

    fn answer(&mut self, question: &Question) -> (u16, Vec<u8>) {
        let (path, query) = question.path.split_once('?').unwrap_or((&question.path, ""));
        self.asked.push(format!("{} {path}", question.method));
        if let Some(file) = self.files.get(path) {
            return (200, file.clone());
        }
        let Some(path) = path.strip_prefix("/repos/shop/shop/") else { return (404, Vec::new()) };
        if self.busy > 0 {
            self.busy -= 1;
            return (502, Vec::new());
        }
        if question.token != format!("Bearer {TOKEN}") {
            return (401, json!({ "message": "Bad credentials" }).to_string().into_bytes());
        }
        if self.read_only && question.method != "GET" {
            return (403, json!({ "message": "Resource not accessible by integration" }).to_string().into_bytes());
        }
        let (status, value) = self.of_pull_request(&question.method, path, query, &question.body);
        (status, value.to_string().into_bytes())
    }

    fn of_pull_request(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let text = || body["body"].as_str().unwrap_or_default().to_owned();
        match (method, path) {
            ("GET", "issues/7/comments") => (200, json!(page(&self.comments, query))),
            ("POST", "issues/7/comments") => {
                self.add_comment("github-actions[bot]", "Bot", &text());
                (201, json!({}))
            }
            ("GET", "pulls/7/comments") => (200, json!(page(&self.review, query))),
            ("POST", "pulls/7/comments") if body["line"].as_u64() > Some(self.last_line) || body["commit_id"] != "feed" => {
                (422, json!({ "message": "Validation Failed" }))
            }
            ("POST", "pulls/7/comments") => {
                let mut comment = body.clone();
                comment["id"] = json!(2000 + self.review.len());
                comment["user"] = json!({ "login": "github-actions[bot]", "type": "Bot" });
                self.review.push(comment);
                (201, json!({}))
            }
            ("GET", "issues/7/labels") => (200, self.labels.iter().map(|name| json!({ "name": name })).collect()),
            ("POST", "issues/7/labels") => {
                let new = body["labels"].as_array().into_iter().flatten().filter_map(|label| label.as_str().map(str::to_owned));
                self.labels.extend(new);
                (200, json!([]))
            }
            ("PATCH", path) => {
                let id = path.strip_prefix("issues/comments/").and_then(|id| id.parse::<u64>().ok());
                match self.comments.iter_mut().find(|comment| comment["id"].as_u64() == id) {
                    Some(comment) => {
                        comment["body"] = json!(text());
                        (200, json!({}))
                    }
                    None => (404, json!({ "message": "Not Found" })),
                }
            }
            ("DELETE", path) if path.starts_with("pulls/comments/") => {
                let id = path.trim_start_matches("pulls/comments/").parse::<u64>().ok();
                self.review.retain(|comment| comment["id"].as_u64() != id);
                (204, Value::Null)
            }
            ("DELETE", path) => {
                let name = path.trim_start_matches("issues/7/labels/").replace("%20", " ").replace("%3A", ":");
                self.labels.retain(|label| *label != name);
                (200, json!([]))
            }
            _ => (404, json!({ "message": "Not Found" })),
        }
    }
}

fn page<'a>(entries: &'a [Value], query: &str) -> &'a [Value] {
    let number = |name: &str, default: usize| {
        let value = query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse().ok());
        value.unwrap_or(default)
    };
    let (size, page) = (number("per_page", 30), number("page", 1));
    entries.chunks(size).nth(page - 1).unwrap_or_default()
}

fn read(stream: &TcpStream) -> Option<Question> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut token) = (0, String::new());
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(": ") else { break };
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => token = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Question { method, path, token, body: serde_json::from_slice(&body).unwrap_or_default() })
}
