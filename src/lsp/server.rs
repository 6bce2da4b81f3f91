//! The server at work: takes messages in their order, and judges what is open whenever the editor has been quiet for a moment.

use super::action;
use super::client::Client;
use super::diagnostics::{self, MOST};
use super::document::{Document, Kind};
use super::hover;
use super::pending::Pending;
use super::project::{Documents, Project};
use super::shelf::Shelf;
use super::wire;
use crate::config::{self, FILE_NAME};
use lsp_server::{ErrorCode, Notification, Request};
use lsp_types::notification::{self as told, Notification as _};
use lsp_types::request::{self as asked, Request as _};
use lsp_types::{
    CodeAction, CodeActionParams, Diagnostic, DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, HoverParams, PublishDiagnosticsParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// A message for the server.
#[derive(Debug)]
pub enum Job {
    /// To be answered.
    Request(Request),
    /// To be taken note of.
    Notification(Notification),
}

/// So long has to be no change before what is open is judged.
const QUIET: Duration = Duration::from_millis(150);

/// So often the disk is looked at, for editors that do not tell what changes there.
const LOOK: Duration = Duration::from_secs(2);

/// The server.
pub struct Server {
    client: Client,
    pending: Pending,
    documents: Documents,
    shelf: Shelf,
    /// By the path of the config.
    projects: BTreeMap<Option<PathBuf>, Project>,
    /// The config of a directory.
    homes: HashMap<PathBuf, Option<PathBuf>>,
    /// What was last said of a file, by its URI.
    published: BTreeMap<String, (Option<i32>, Vec<Diagnostic>)>,
    /// When to judge what has changed.
    due: Option<Instant>,
    /// Documents that wait to be judged, the one that has changed last first.
    waiting: VecDeque<PathBuf>,
    changed: Option<PathBuf>,
    /// Whether the disk has to be looked at, and when it was.
    look: bool,
    looked: Instant,
    /// A config or a rule has changed.
    reload: bool,
    /// How long the last judging of a document took.
    took: Duration,
}

impl Server {
    /// A server for an editor.
    pub fn new(client: Client, pending: Pending) -> Self {
        Self {
            client,
            pending,
            documents: Documents::new(),
            shelf: Shelf::default(),
            projects: BTreeMap::new(),
            homes: HashMap::new(),
            published: BTreeMap::new(),
            due: None,
            waiting: VecDeque::new(),
            changed: None,
            look: true,
            looked: Instant::now(),
            reload: false,
            took: Duration::ZERO,
        }
    }

    /// Works until nobody sends messages any more.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let until_due = self.due.map(|due| due.saturating_duration_since(Instant::now()));
            let wait = if self.waiting.is_empty() { until_due.unwrap_or(LOOK) } else { Duration::ZERO };
            match jobs.recv_timeout(wait) {
                Ok(job) => self.guarded(|server| server.take(job)),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if self.due.is_some_and(|due| due <= Instant::now()) => self.guarded(Self::refresh),
                Err(RecvTimeoutError::Timeout) => match self.waiting.pop_front() {
                    Some(key) => self.guarded(|server| server.judge(&key)),
                    None => self.guarded(Self::look_around),
                },
            }
        }
    }

    /// A fault of ours in one file is no reason to leave the editor alone with all others.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        if result.is_err() {
            self.projects.clear();
            self.waiting.clear();
            (self.due, self.look) = (None, true);
            log("lockkeeper has made a mistake; what it knew of the project is read again at the next change");
        }
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Request(request) => self.request(request),
            Job::Notification(notification) => self.notification(notification),
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        if self.pending.is_cancelled(&id) {
            self.pending.done(&id);
            return wire::refuse(id, ErrorCode::RequestCanceled, "cancelled");
        }
        let result = match request.method.as_str() {
            asked::HoverRequest::METHOD => with(request.params, |params| self.hover(params)),
            asked::CodeActionRequest::METHOD => with(request.params, |params| self.actions(params)),
            asked::CodeActionResolveRequest::METHOD => match with(request.params, |action| self.resolve(action)) {
                Ok(Value::String(why)) => Err((ErrorCode::RequestFailed, why)),
                action => action,
            },
            method => Err((ErrorCode::MethodNotFound, format!("`{method}` is nothing that lockkeeper does"))),
        };
        self.pending.done(&id);
        match result {
            Ok(result) => wire::answer(id, result),
            Err((code, why)) => wire::refuse(id, code, why),
        }
    }

    fn notification(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        let done = match method.as_str() {
            told::DidOpenTextDocument::METHOD => with(params, |params| self.open(params)),
            told::DidChangeTextDocument::METHOD => with(params, |params| self.change(params)),
            told::DidCloseTextDocument::METHOD => with(params, |params| self.close(params)),
            told::DidSaveTextDocument::METHOD => with(params, |_: DidSaveTextDocumentParams| self.disk_has_changed()),
            told::DidChangeWatchedFiles::METHOD => with(params, |_: DidChangeWatchedFilesParams| self.disk_has_changed()),
            told::Initialized::METHOD => {
                self.ask_to_watch();
                Ok(Value::Null)
            }
            // What is not for us may be passed over: the protocol says so.
            _ => Ok(Value::Null),
        };
        if let Err((_, why)) = done {
            log(&format!("`{method}`: {why}"));
        }
    }

    fn ask_to_watch(&self) {
        if self.client.watches {
            let watchers: Vec<_> = ["**/*.{sql,pgsql,psql}", "**/*.{yaml,yml}"].iter().map(|glob| json!({ "globPattern": glob })).collect();
            let watch =
                json!({ "id": "files", "method": told::DidChangeWatchedFiles::METHOD, "registerOptions": { "watchers": watchers } });
            wire::request("watch", asked::RegisterCapability::METHOD, json!({ "registrations": [watch] }));
        }
    }

    fn open(&mut self, params: DidOpenTextDocumentParams) {
        let opened = params.text_document;
        let Some(path) = self.client.path(&opened.uri) else { return };
        let kind = kind(&path, &opened.language_id);
        let key = self.client.key(&path);
        self.reload |= kind != Kind::Sql;
        self.documents.insert(key.clone(), Document::new(opened.uri, opened.version, (path, kind), opened.text));
        self.changed = Some(key);
        self.look = true;
        self.due = Some(Instant::now());
    }

    fn change(&mut self, params: DidChangeTextDocumentParams) {
        let Some(key) = self.key(&params.text_document.uri) else { return };
        let Some(document) = self.documents.get_mut(&key) else { return };
        document.change(params.text_document.version, params.content_changes, self.client.encoding);
        if document.kind != Kind::Sql && self.projects.values().any(|project| project.rests_on(&key, &self.client)) {
            self.reload = true;
        }
        self.changed = Some(key);
        // A file that takes long is not judged for each letter.
        self.due = Some(Instant::now() + QUIET.max(self.took));
    }

    fn close(&mut self, params: DidCloseTextDocumentParams) {
        let Some(key) = self.key(&params.text_document.uri) else { return };
        if let Some(document) = self.documents.remove(&key) {
            self.reload |= document.kind != Kind::Sql;
        }
        self.waiting.retain(|waiting| *waiting != key);
        self.disk_has_changed();
    }

    fn disk_has_changed(&mut self) {
        self.look = true;
        self.due = Some(Instant::now());
    }

    /// Finds out whether a config or a rule has changed, though nobody said so.
    fn look_around(&mut self) {
        if self.projects.values().any(Project::is_outdated) {
            self.disk_has_changed();
        }
    }

    /// Takes everything as it is now, and says what is wrong with configs and rules. The documents wait to be judged afterwards.
    fn refresh(&mut self) {
        self.due = None;
        let look = std::mem::take(&mut self.look) || self.looked.elapsed() > LOOK;
        if look {
            self.looked = Instant::now();
            self.homes.clear();
        }
        let homes = self.group();
        self.projects.retain(|home, _| homes.contains_key(home));
        let reload = std::mem::take(&mut self.reload);
        let mut waiting = Vec::new();
        for (home, keys) in homes {
            let (documents, client) = (&self.documents, &self.client);
            let known = self.projects.contains_key(&home);
            let project = self.projects.entry(home.clone()).or_insert_with(|| Project::new(home, documents, client));
            if known && (reload || (look && project.is_outdated())) {
                project.reload(documents, client);
            }
            let sql: Vec<_> = keys.iter().filter_map(|key| documents.get(key)).filter(|document| document.kind == Kind::Sql).collect();
            waiting.extend(project.refresh(&sql, look, &mut self.shelf, client));
        }
        let changed = self.changed.clone();
        waiting.sort_by_key(|key| changed.as_ref() != Some(key));
        self.waiting = waiting.into();
        self.publish_problems();
    }

    /// The documents by their config.
    fn group(&mut self) -> BTreeMap<Option<PathBuf>, Vec<PathBuf>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (key, document) in self.documents.iter().filter(|(_, document)| document.kind != Kind::Other) {
            let directory = document.path.parent().unwrap_or(Path::new("")).to_owned();
            let home = match document.kind {
                Kind::Config => Some(document.path.clone()),
                Kind::Sql | Kind::Other => self.homes.entry(directory).or_insert_with_key(|directory| config::nearest(directory)).clone(),
            };
            groups.entry(home).or_default().push(key.clone());
        }
        groups
    }

    /// Judges one document, and says what was found.
    fn judge(&mut self, key: &Path) {
        let Some(document) = self.documents.get(key) else { return };
        let begun = Instant::now();
        for project in self.projects.values_mut() {
            project.judge(document, key);
        }
        if self.changed.as_deref() == Some(key) {
            self.took = begun.elapsed();
        }
        if let Some(said) = self.said_of(key) {
            self.publish(&document.uri.clone(), Some(document.version), said);
        }
    }

    /// What there is to say of a document: its findings, if it is judged as it is now, and problems with it.
    fn said_of(&self, key: &Path) -> Option<Vec<Diagnostic>> {
        let document = self.documents.get(key)?;
        let mut said = Vec::new();
        for project in self.projects.values() {
            if let Some(assessed) = project.assessed(document, key) {
                said.extend(diagnostics::findings(document, assessed, &self.client).into_iter().map(|(_, diagnostic)| diagnostic));
                let rest = assessed.findings.len().saturating_sub(MOST);
                said.extend((rest > 0).then(|| diagnostics::and_more(rest)));
            }
            let about = |path: &Path| self.client.key(path) == key;
            for problem in project.problems().filter(|problem| problem.path().is_some_and(about)) {
                let said_again = diagnostics::problem(problem, document.text(), &self.client);
                if !said.contains(&said_again) {
                    said.push(said_again);
                }
            }
        }
        Some(said)
    }

    /// Says what is wrong with files that are no migrations, and no more of those with which nothing is wrong any more.
    fn publish_problems(&mut self) {
        let mut said: BTreeMap<String, (Uri, Option<i32>, Vec<Diagnostic>)> = BTreeMap::new();
        let waits = |key: &PathBuf| self.waiting.contains(key);
        for (key, document) in &self.documents {
            if !waits(key) {
                let diagnostics = self.said_of(key).unwrap_or_default();
                said.insert(document.uri.to_string(), (document.uri.clone(), Some(document.version), diagnostics));
            }
        }
        for problem in self.projects.values().flat_map(Project::problems) {
            let Some((path, uri)) = problem.path().and_then(|path| Some((path, self.client.uri(path)?))) else {
                log(&problem.message);
                continue;
            };
            if !self.documents.contains_key(&self.client.key(path)) {
                let diagnostic = diagnostics::problem(problem, &diagnostics::text_of(problem), &self.client);
                let (_, _, all) = said.entry(uri.to_string()).or_insert_with(|| (uri, None, Vec::new()));
                if !all.contains(&diagnostic) {
                    all.push(diagnostic);
                }
            }
        }
        let open: Vec<_> = self.documents.values().map(|document| document.uri.to_string()).collect();
        let gone = self.published.keys().filter(|uri| !said.contains_key(*uri) && !open.contains(uri));
        let gone: Vec<Uri> = gone.filter_map(|uri| uri.parse().ok()).collect();
        said.into_values().for_each(|(uri, version, diagnostics)| self.publish(&uri, version, diagnostics));
        for uri in gone {
            self.publish(&uri, None, Vec::new());
            self.published.remove(uri.as_str());
        }
    }

    fn publish(&mut self, uri: &Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
        let said = (version, diagnostics);
        if self.published.get(uri.as_str()) != Some(&said) {
            let (version, diagnostics) = said.clone();
            wire::notify(told::PublishDiagnostics::METHOD, PublishDiagnosticsParams { uri: uri.clone(), diagnostics, version });
            self.published.insert(uri.to_string(), said);
        }
    }

    fn key(&self, uri: &Uri) -> Option<PathBuf> {
        Some(self.client.key(&self.client.path(uri)?))
    }

    /// Makes sure that a document is judged as it is now, and gives the key of the project that knows it.
    fn settle(&mut self, key: &Path) -> Option<Option<PathBuf>> {
        if self.due.is_some() {
            self.refresh();
        }
        if let Some(at) = self.waiting.iter().position(|waiting| waiting == key) {
            self.waiting.remove(at);
            self.judge(key);
        }
        let document = self.documents.get(key)?;
        let mut projects = self.projects.iter();
        let home = projects.find(|(home, project)| match document.kind {
            Kind::Sql => project.assessed(document, key).is_some(),
            Kind::Config => home.as_deref() == Some(&document.path),
            Kind::Other => project.rests_on(key, &self.client),
        });
        home.map(|(home, _)| home.clone())
    }

    fn hover(&mut self, params: HoverParams) -> Value {
        let at = params.text_document_position_params;
        let answer = self.key(&at.text_document.uri).and_then(|key| {
            let home = self.settle(&key)?;
            let document = self.documents.get(&key)?;
            hover::hover(document, at.position, (self.projects.get_mut(&home)?, &key), &self.client)
        });
        json!(answer)
    }

    fn actions(&mut self, params: CodeActionParams) -> Value {
        let answer = self.key(&params.text_document.uri).filter(|_| self.client.takes_actions).and_then(|key| {
            let home = self.settle(&key)?;
            let document = self.documents.get(&key)?;
            Some(action::actions(document, &params, (self.projects.get(&home)?, &key), &self.client))
        });
        json!(answer.unwrap_or_default())
    }

    /// The action with its edit; a text says why there is none.
    fn resolve(&mut self, action: CodeAction) -> Value {
        let uri = action.data.as_ref().and_then(|data| data["uri"].as_str()?.parse().ok());
        let edit = uri.and_then(|uri| self.key(&uri)).and_then(|key| {
            let home = self.settle(&key)?;
            Some(action::resolve(self.documents.get(&key)?, (self.projects.get(&home)?, &key), &self.client))
        });
        match edit {
            Some(Ok(edit)) => json!(CodeAction { edit: Some(edit), ..action }),
            Some(Err(why)) => json!(why),
            None => json!(action),
        }
    }
}

/// Reads the parameters of a message, and does something with them.
fn with<P: DeserializeOwned, R: serde::Serialize>(params: Value, work: impl FnOnce(P) -> R) -> Result<Value, (ErrorCode, String)> {
    let params = serde_json::from_value(params).map_err(|error| (ErrorCode::InvalidParams, error.to_string()))?;
    serde_json::to_value(work(params)).map_err(|error| (ErrorCode::InternalError, error.to_string()))
}

fn kind(path: &Path, language: &str) -> Kind {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    if path.file_name().is_some_and(|name| name == FILE_NAME) {
        Kind::Config
    } else if matches!(&*ending, "yaml" | "yml") {
        Kind::Other
    } else if matches!(&*ending, "sql" | "pgsql" | "psql") || language.to_ascii_lowercase().contains("sql") {
        Kind::Sql
    } else {
        Kind::Other
    }
}

/// A word for the editor's log.
pub fn log(text: &str) {
    const WARNING: u32 = 2;
    wire::notify(told::LogMessage::METHOD, json!({ "type": WARNING, "message": text }));
}
