//! `lockkeeper lsp`: what lockkeeper knows, in the editor: findings while typing, fixes, pages of rules, what a statement locks.
//!
//! One thread reads messages, so that what ends or cancels something is heard at once. Another one does what they ask for, in their order
//! ([`server`]). Each document is judged by the linter that `lint` uses, on a history of which only what has changed is read and replayed
//! again (`lint::standing`).

mod action;
mod client;
mod diagnostics;
mod document;
mod hover;
mod pending;
mod project;
mod server;
mod shelf;
mod wire;

use client::Client;
use document::Encoding;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use lsp_types::notification::{Cancel, Exit, Notification as _};
use lsp_types::request::{CodeActionRequest, CodeActionResolveRequest, HoverRequest, Initialize, Request as _, Shutdown};
use pending::Pending;
use serde_json::{Value, json};
use server::{Job, Server};
use std::io::BufReader;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use wire::Incoming;

/// Where the life of a server stands.
enum Stage {
    /// Nobody has said `initialize` yet.
    Fresh,
    /// It works.
    Running(Sender<Job>, JoinHandle<()>),
    /// `shutdown` was said.
    Closing,
}

/// Serves an editor on standard input and output until it says `exit`. True if it said `shutdown` before.
pub fn serve() -> bool {
    let mut input = BufReader::new(std::io::stdin());
    let mut reader = Reader { stage: Stage::Fresh, pending: Pending::default() };
    while let Ok(Some(incoming)) = wire::read(&mut input) {
        match incoming {
            Incoming::Broken(broken) => wire::complain(&broken),
            Incoming::Message(Message::Request(request)) => reader.request(request),
            Incoming::Message(Message::Notification(notification)) if notification.method == Exit::METHOD => break,
            Incoming::Message(Message::Notification(notification)) => reader.notification(notification),
            // Answers to what we have asked: nothing rests on them.
            Incoming::Message(Message::Response(_)) => {}
        }
    }
    matches!(reader.stage, Stage::Closing)
}

struct Reader {
    stage: Stage,
    pending: Pending,
}

impl Reader {
    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        match (&self.stage, method.as_str()) {
            (Stage::Fresh, Initialize::METHOD) => self.begin(id, &params),
            (Stage::Fresh, _) => wire::refuse(id, ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            (Stage::Running(..), Shutdown::METHOD) => self.close(id),
            (Stage::Running(jobs, _), HoverRequest::METHOD | CodeActionRequest::METHOD | CodeActionResolveRequest::METHOD) => {
                self.pending.add(id.clone());
                if jobs.send(Job::Request(Request { id: id.clone(), method, params })).is_err() {
                    self.pending.done(&id);
                    wire::refuse(id, ErrorCode::InternalError, "the server has stopped");
                }
            }
            (Stage::Running(..), Initialize::METHOD) => wire::refuse(id, ErrorCode::InvalidRequest, "`initialize` was said before"),
            (Stage::Running(..), _) => wire::refuse(id, ErrorCode::MethodNotFound, format!("`{method}` is nothing that lockkeeper does")),
            (Stage::Closing, _) => wire::refuse(id, ErrorCode::InvalidRequest, "`shutdown` was said before"),
        }
    }

    fn notification(&mut self, notification: Notification) {
        if notification.method == Cancel::METHOD {
            if let Some(id) = notification.params.get("id").and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok()) {
                self.pending.cancel(&id);
            }
        } else if let Stage::Running(jobs, _) = &self.stage {
            // Who no longer works has nothing to take note of.
            let _ = jobs.send(Job::Notification(notification));
        }
    }

    fn begin(&mut self, id: RequestId, params: &Value) {
        let client = Client::read(params);
        let (jobs, received) = mpsc::channel();
        let server = Server::new(client.clone(), self.pending.clone());
        match thread::Builder::new().name("lsp".to_owned()).spawn(move || server.run(&received)) {
            Ok(thread) => {
                self.stage = Stage::Running(jobs, thread);
                wire::answer(id, capabilities(&client));
            }
            Err(error) => wire::refuse(id, ErrorCode::InternalError, error.to_string()),
        }
    }

    /// Lets the server finish what it is at, unless that takes long: nobody waits for it any more.
    fn close(&mut self, id: RequestId) {
        if let Stage::Running(jobs, thread) = std::mem::replace(&mut self.stage, Stage::Closing) {
            drop(jobs);
            for _ in 0..20 {
                if thread.is_finished() {
                    break;
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        wire::answer(id, Value::Null);
    }
}

/// What the server can do.
fn capabilities(client: &Client) -> Value {
    const INCREMENTAL: u32 = 2;
    let encoding = match client.encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16 => "utf-16",
    };
    json!({
        "capabilities": {
            "positionEncoding": encoding,
            "textDocumentSync": { "openClose": true, "change": INCREMENTAL, "save": { "includeText": false } },
            "hoverProvider": true,
            "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"], "resolveProvider": true },
        },
        "serverInfo": { "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") },
    })
}
