//! The extension for VS Code: what it promises, and what it starts.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("editors/vscode")
}

#[test]
fn the_extension_has_our_version_and_offers_each_setting_that_it_reads() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).expect("it is there");
    let package: Value = serde_json::from_str(&read("package.json")).expect("it is JSON");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    assert!(folder().join(package["main"].as_str().unwrap_or("no main")).is_file());
    let code = read("extension.js");
    let settings: Vec<_> = code.split("setting('").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    assert!(settings.contains(&"path"));
    for setting in settings {
        let offered = &package["contributes"]["configuration"]["properties"][format!("lockkeeper.{setting}")];
        assert!(offered["default"].is_string() || offered["default"].is_array(), "{setting}");
    }
}

#[test]
fn the_extension_starts_the_binary_and_gives_its_schemas() {
    let run = Command::new("node")
        .args(["--test", "extension.test.js"])
        .env("LOCKKEEPER", env!("CARGO_BIN_EXE_lockkeeper"))
        .current_dir(folder())
        .output()
        .expect("node is installed: apt-get install nodejs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}
