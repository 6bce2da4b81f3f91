//! `lockkeeper lsp`, driven over its pipe by an editor that knows nothing of it but the protocol.

mod actions;
mod config;
mod diagnostics;
mod editor;
mod hover;
mod lifecycle;
mod nvim;
mod random;
mod speed;
mod vscode;

use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    files.iter().for_each(|(name, text)| write(folder.path(), name, text));
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap_or(folder)).expect("a folder can be made");
    fs::write(path, text).expect("a file can be written");
}
