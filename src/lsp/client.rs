//! What the editor says of itself when it starts the server: where it is, and what it can do.

use super::document::Encoding;
use crate::config::non_empty;
use lsp_types::Uri;
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

/// The editor.
#[derive(Clone, Debug)]
pub struct Client {
    /// The folder that it has open. Paths in it are shown from there.
    root: PathBuf,
    /// How it counts columns.
    pub encoding: Encoding,
    /// Whether edits may name the version of the text that they are for.
    pub takes_versions: bool,
    /// Whether edits may make files.
    pub makes_files: bool,
    /// Whether edits may delete files.
    pub deletes_files: bool,
    /// Whether it tells of changes on the disk, if it is asked to.
    pub watches: bool,
    /// Whether it shows places that a diagnostic refers to.
    pub shows_related: bool,
    /// Whether it asks for the edit of a code action when somebody has chosen it.
    pub asks_later: bool,
    /// Whether it takes code actions that are no commands.
    pub takes_actions: bool,
}

impl Client {
    /// Reads the parameters of `initialize`. What is missing or odd in them is taken as not said.
    pub fn read(params: &Value) -> Self {
        let root = ["/workspaceFolders/0/uri", "/rootUri"].iter().find_map(|at| path_of(params.pointer(at)?.as_str()?));
        let root = root.or_else(|| Some(PathBuf::from(params.get("rootPath")?.as_str()?)));
        let root = root.filter(|root| std::env::set_current_dir(root).is_ok()).or_else(|| std::env::current_dir().ok());
        let can = |at: &str| params.pointer(&format!("/capabilities{at}"));
        let is = |at: &str| can(at).and_then(Value::as_bool) == Some(true);
        let has = |at: &str, word: &str| can(at).and_then(Value::as_array).is_some_and(|words| words.iter().any(|known| known == word));
        Self {
            root: root.unwrap_or_default(),
            encoding: if has("/general/positionEncodings", "utf-8") { Encoding::Utf8 } else { Encoding::Utf16 },
            takes_versions: is("/workspace/workspaceEdit/documentChanges"),
            makes_files: has("/workspace/workspaceEdit/resourceOperations", "create"),
            deletes_files: has("/workspace/workspaceEdit/resourceOperations", "delete"),
            watches: is("/workspace/didChangeWatchedFiles/dynamicRegistration"),
            shows_related: is("/textDocument/publishDiagnostics/relatedInformation"),
            asks_later: has("/textDocument/codeAction/resolveSupport/properties", "edit") && is("/textDocument/codeAction/dataSupport"),
            takes_actions: can("/textDocument/codeAction/codeActionLiteralSupport").is_some(),
        }
    }

    /// The path of a file as reports show it: from the editor's folder, if it is in it.
    pub fn path(&self, uri: &Uri) -> Option<PathBuf> {
        let path = path_of(uri.as_str())?;
        Some(path.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(path))
    }

    /// What the editor calls a file.
    pub fn uri(&self, path: &Path) -> Option<Uri> {
        uri_of(&self.key(path)).parse().ok()
    }

    /// The path from the root of the file system, to tell whether two paths are the same.
    pub fn key(&self, path: &Path) -> PathBuf {
        let mut key = PathBuf::new();
        for component in self.root.join(non_empty(path)).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(key.pop()),
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => key.push(component),
            }
        }
        key
    }
}

/// The path in a `file:` URI.
fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    // Behind the slashes may stand the name of a machine.
    let path = &rest[rest.find('/')?..];
    let text = decoded(path.split(['?', '#']).next().unwrap_or_default())?;
    let is_drive = text.as_bytes().get(2) == Some(&b':') && cfg!(windows);
    Some(PathBuf::from(if is_drive { &text[1..] } else { &text }))
}

fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn uri_of(path: &Path) -> String {
    let text = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back_from_its_uri() {
        for path in ["/srv/shop/migrations/0001_größe 100%.sql", "/a/b#c?d[1].sql", "/über/x:y.sql"] {
            let uri: Uri = uri_of(Path::new(path)).parse().expect("it is one");
            assert_eq!(path_of(uri.as_str()), Some(PathBuf::from(path)));
        }
        assert_eq!(path_of("untitled:Untitled-1"), None);
        assert_eq!(path_of("file:///a%zz"), None);
        assert_eq!(path_of("file://localhost/srv/a%20b.sql"), Some(PathBuf::from("/srv/a b.sql")));
    }

    #[test]
    fn a_path_is_shown_from_the_folder_of_the_editor() {
        let client = Client { root: PathBuf::from("/srv/shop"), ..Client::read(&Value::Null) };
        let shown = |uri: &str| client.path(&uri.parse().expect("it is one"));
        assert_eq!(shown("file:///srv/shop/m/0001.sql"), Some(PathBuf::from("m/0001.sql")));
        assert_eq!(shown("file:///srv/0001.sql"), Some(PathBuf::from("/srv/0001.sql")));
        assert_eq!(client.key(Path::new("../x/./y.sql")), PathBuf::from("/srv/x/y.sql"));
    }
}
