//! How lockkeeper comes to the machine: a release with its checksum, or a build.

use crate::workflow::{Outcome, Workflow};
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A program for the archive, or for the PATH.
fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder for it");
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("it is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be run");
}

/// Publishes a release whose checksum is `published`, or the right one.
fn with_release(published: Option<&str>) -> Workflow {
    let workflow = Workflow::new();
    script(&workflow.path("release/lockkeeper"), "echo lockkeeper 9.9.9");
    let archive = workflow.path("release.tar.gz");
    let tar = Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(workflow.path("release")).arg("lockkeeper").status();
    assert!(tar.is_ok_and(|status| status.success()));
    let bytes = fs::read(&archive).expect("it was packed");
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("/keepers/lockkeeper/releases/download/v9.9.9/lockkeeper-v9.9.9-{}.tar.gz", target());
    let checksum = format!("{}  lockkeeper.tar.gz\n", published.unwrap_or(&digest));
    workflow.server.with(|state| state.files.extend([(format!("{name}.sha256"), checksum.into_bytes()), (name, bytes)]));
    workflow
}

fn target() -> &'static str {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "x86_64-unknown-linux-gnu",
        ("linux", "aarch64") => "aarch64-unknown-linux-gnu",
        ("macos", "aarch64") => "aarch64-apple-darwin",
        ("macos", "x86_64") => "x86_64-apple-darwin",
        other => panic!("there is no release for {other:?}"),
    }
}

/// Runs the step; a build is done by a `cargo` that only says what it was asked.
fn installed(workflow: &mut Workflow, version: &str) -> Outcome {
    workflow.inputs.insert("version", version.to_owned());
    let tools = workflow.path("tools");
    let build = r#"echo "cargo $*"
while [ $# -gt 0 ]; do [ "$1" = --target-dir ] && target=$2; shift; done
mkdir -p "$target/release" && printf '#!/bin/sh\necho lockkeeper built\n' >"$target/release/lockkeeper" && chmod +x "$target/release/lockkeeper""#;
    script(&tools.join("cargo"), build);
    workflow.step("Install lockkeeper", &tools)
}

#[test]
fn a_release_with_the_right_checksum_is_installed() {
    let mut workflow = with_release(None);
    let outcome = installed(&mut workflow, "v9.9.9");
    assert_eq!(outcome.code, Some(0), "{}", outcome.log);
    assert!(outcome.log.contains("lockkeeper 9.9.9"), "{}", outcome.log);
}

#[test]
fn a_release_with_another_checksum_is_not_run() {
    let mut workflow = with_release(Some("00"));
    let published = installed(&mut workflow, "v9.9.9");
    assert!(published.code == Some(1) && !published.log.contains("9.9.9\n"), "{}", published.log);
    let mut workflow = with_release(None);
    workflow.inputs.insert("sha256", "11".repeat(32));
    let pinned = installed(&mut workflow, "v9.9.9");
    assert!(pinned.code == Some(1) && pinned.log.contains("does not have the checksum 1111"), "{}", pinned.log);
}

#[test]
fn where_there_is_no_such_release_it_is_built_from_the_files_of_the_action() {
    for version in ["v1.0.0", "source"] {
        let mut workflow = with_release(None);
        let outcome = installed(&mut workflow, version);
        assert_eq!(outcome.code, Some(0), "{}", outcome.log);
        let manifest = concat!("--manifest-path ", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert!(outcome.log.contains(manifest) && outcome.log.contains("lockkeeper built"), "{}", outcome.log);
    }
}

#[test]
fn a_version_that_is_none_is_refused() {
    let mut workflow = with_release(None);
    let outcome = installed(&mut workflow, "../../../evil");
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    assert_eq!(workflow.server.asked(), [""; 0]);
}
