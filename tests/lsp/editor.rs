//! An editor that knows nothing of lockkeeper but the protocol.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing that is asked of a server takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// An editor with a server that it has started.
pub struct Editor {
    server: Child,
    to_server: Option<ChildStdin>,
    from_server: Receiver<Value>,
    root: PathBuf,
    last_id: i64,
    /// What was last said of a file: the version of its text, and the diagnostics.
    pub said: HashMap<String, (i64, Vec<Value>)>,
    /// What the server has asked for.
    pub asked: Vec<Value>,
    versions: HashMap<String, i64>,
}

/// What an editor of today can do.
pub fn modern() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "textDocument": {
            "publishDiagnostics": { "relatedInformation": true },
            "codeAction": { "codeActionLiteralSupport": { "codeActionKind": { "valueSet": ["quickfix", "source.fixAll"] } } },
        },
        "workspace": {
            "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create", "rename", "delete"] },
            "didChangeWatchedFiles": { "dynamicRegistration": true },
        },
    })
}

impl Editor {
    /// Starts a server, and says nothing yet.
    pub fn silent(root: &Path) -> Self {
        let binary = std::env::var_os("LOCKKEEPER_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_lockkeeper").into());
        let mut server = Command::new(binary)
            .arg("lsp")
            .current_dir(root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let (to_server, output) = (server.stdin.take(), server.stdout.take().expect("it was asked for"));
        let (sender, from_server) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let root = root.to_owned();
        Self { server, to_server, from_server, root, last_id: 0, said: HashMap::new(), asked: Vec::new(), versions: HashMap::new() }
    }

    /// Starts a server for a folder.
    pub fn start(root: &Path, capabilities: Value) -> Self {
        let mut editor = Self::silent(root);
        let answer = editor.request("initialize", json!({ "processId": null, "rootUri": uri(root), "capabilities": capabilities }));
        assert!(answer["result"]["capabilities"]["hoverProvider"] == json!(true), "{answer}");
        editor.notify("initialized", json!({}));
        editor
    }

    /// Writes bytes to the server as they are.
    pub fn write(&mut self, bytes: &[u8]) {
        let pipe = self.to_server.as_mut().expect("the server was not told to exit");
        pipe.write_all(bytes).and_then(|()| pipe.flush()).expect("the server reads");
    }

    pub fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and gives the id of the question.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }));
        self.last_id
    }

    /// Asks, and waits for the answer.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        self.answer(&json!(id))
    }

    /// The answer to a question; what else comes meanwhile is taken note of.
    pub fn answer(&mut self, id: &Value) -> Value {
        self.wait(|message| message.get("method").is_none() && message["id"] == *id)
    }

    /// Waits for a message.
    pub fn wait(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let message = self.from_server.recv_timeout(left).unwrap_or_else(|_| panic!("the server says nothing more; {:?}", self.said));
            self.note(&message);
            if is_it(&message) {
                return message;
            }
        }
    }

    fn note(&mut self, message: &Value) {
        match message["method"].as_str() {
            Some("textDocument/publishDiagnostics") => {
                let params = &message["params"];
                let diagnostics = params["diagnostics"].as_array().cloned().unwrap_or_default();
                let uri = params["uri"].as_str().unwrap_or_default().to_owned();
                self.said.insert(uri, (params["version"].as_i64().unwrap_or(-1), diagnostics));
            }
            Some(_) if message.get("id").is_some() => {
                self.asked.push(message.clone());
                let id = message["id"].clone();
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null }));
            }
            _ => {}
        }
    }

    pub fn uri(&self, file: &str) -> String {
        uri(&self.root.join(file))
    }

    /// Opens a file with a text, which need not be that on the disk.
    pub fn open_text(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        self.versions.insert(uri.clone(), 1);
        let language = if file.ends_with(".yaml") { "yaml" } else { "sql" };
        self.notify("textDocument/didOpen", json!({ "textDocument": { "uri": uri, "languageId": language, "version": 1, "text": text } }));
    }

    /// Opens a file as it is on the disk.
    pub fn open(&mut self, file: &str) {
        let text = std::fs::read_to_string(self.root.join(file)).expect("the file is there");
        self.open_text(file, &text);
    }

    /// Gives changes of a text, each with its range or for the whole.
    pub fn change(&mut self, file: &str, changes: Value) {
        let uri = self.uri(file);
        let version = self.versions.get_mut(&uri).expect("the file is open");
        *version += 1;
        let params = json!({ "textDocument": { "uri": uri, "version": *version }, "contentChanges": changes });
        self.notify("textDocument/didChange", params);
    }

    pub fn set_text(&mut self, file: &str, text: &str) {
        self.change(file, json!([{ "text": text }]));
    }

    pub fn close(&mut self, file: &str) {
        let uri = self.uri(file);
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    pub fn save(&mut self, file: &str) {
        let uri = self.uri(file);
        self.notify("textDocument/didSave", json!({ "textDocument": { "uri": uri } }));
    }

    /// The diagnostics of a file for the text that was sent last.
    pub fn diagnostics(&mut self, file: &str) -> Vec<Value> {
        let uri = self.uri(file);
        let version = self.versions.get(&uri).copied().unwrap_or(-1);
        if self.said.get(&uri).is_none_or(|(said, _)| *said != version) {
            self.wait(|message| message["params"]["uri"] == json!(uri) && message["params"]["version"].as_i64().unwrap_or(-1) == version);
        }
        self.said[&uri].1.clone()
    }

    /// Waits until something else is said of a file, and gives it.
    pub fn next_diagnostics(&mut self, file: &str) -> Vec<Value> {
        let uri = self.uri(file);
        self.wait(|message| message["method"] == json!("textDocument/publishDiagnostics") && message["params"]["uri"] == json!(uri));
        self.said[&uri].1.clone()
    }

    /// `rule line:column-line:column` of each diagnostic of a file.
    pub fn words(&mut self, file: &str) -> Vec<String> {
        self.diagnostics(file).iter().map(words).collect()
    }

    pub fn hover(&mut self, file: &str, line: u32, character: u32) -> String {
        let uri = self.uri(file);
        let params = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
        let answer = self.request("textDocument/hover", params);
        answer["result"]["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    /// The code actions of a range of lines.
    pub fn actions(&mut self, file: &str, lines: (u32, u32), only: Option<&str>) -> Vec<Value> {
        let uri = self.uri(file);
        let range = json!({ "start": { "line": lines.0, "character": 0 }, "end": { "line": lines.1, "character": 0 } });
        let mut context = json!({ "diagnostics": [] });
        if let Some(only) = only {
            context["only"] = json!([only]);
        }
        let answer = self.request("textDocument/codeAction", json!({ "textDocument": { "uri": uri }, "range": range, "context": context }));
        answer["result"].as_array().cloned().unwrap_or_default()
    }

    /// Says goodbye; gives the exit code of the server.
    pub fn exit(mut self) -> Option<i32> {
        self.request("shutdown", Value::Null);
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
        self.code()
    }

    /// The exit code of the server, which was told to exit or is left alone from here on.
    pub fn code(mut self) -> Option<i32> {
        self.to_server = None;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Ok(Some(status)) = self.server.try_wait() {
                return status.code();
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("the server does not exit");
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// `rule line:column-line:column`, from 0 as the protocol has it.
pub fn words(diagnostic: &Value) -> String {
    let place = |at: &Value| format!("{}:{}", at["line"], at["character"]);
    let (code, range) = (diagnostic["code"].as_str().unwrap_or("?"), &diagnostic["range"]);
    format!("{code} {}-{}", place(&range["start"]), place(&range["end"]))
}

fn read(from: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length?];
    from.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

pub fn uri(path: &Path) -> String {
    let escaped: String = path.to_string_lossy().chars().map(|c| if c.is_ascii() { c.to_string() } else { encoded(c) }).collect();
    format!("file://{}", escaped.replace(' ', "%20"))
}

fn encoded(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The text after changes of a `WorkspaceEdit` to one file, whose columns are counted in UTF-16; and the texts of new files.
pub fn applied(edit: &Value, uri: &str, text: &str) -> (String, Vec<(String, String)>) {
    let mut own = edit["changes"][uri].as_array().cloned().unwrap_or_default();
    let mut files: Vec<(String, String)> = Vec::new();
    for change in edit["documentChanges"].as_array().into_iter().flatten() {
        let edits = change["edits"].as_array().cloned().unwrap_or_default();
        let name = change["textDocument"]["uri"].as_str().unwrap_or_default();
        match change["kind"].as_str() {
            Some("delete") => {}
            Some("create") => files.push((change["uri"].as_str().unwrap_or_default().to_owned(), String::new())),
            _ if name == uri => own.extend(edits),
            _ => {
                let file = files.iter_mut().find(|(file, _)| file == name).expect("a file is made before it is filled");
                file.1 = edits[0]["newText"].as_str().unwrap_or_default().to_owned();
            }
        }
    }
    let mut places: Vec<_> = own
        .iter()
        .map(|edit| (offset(text, &edit["range"]["start"]), offset(text, &edit["range"]["end"]), edit["newText"].as_str()))
        .collect();
    places.sort_by_key(|(start, end, _)| std::cmp::Reverse((*start, *end)));
    let mut text = text.to_owned();
    places.into_iter().for_each(|(start, end, new)| text.replace_range(start..end, new.unwrap_or_default()));
    (text, files)
}

/// The byte at a position whose column is counted in UTF-16.
pub fn offset(text: &str, position: &Value) -> usize {
    let (line, column) = (position["line"].as_u64().unwrap_or(0) as usize, position["character"].as_u64().unwrap_or(0) as usize);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = 0;
    let before = text[start..].chars().take_while(|c| {
        units += c.len_utf16();
        units <= column
    });
    start + before.map(char::len_utf8).sum::<usize>()
}
