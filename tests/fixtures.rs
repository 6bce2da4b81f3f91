//! Whole projects, as `lockkeeper lint` reports them: `report.snap` and `report.human.snap` beside each `lockkeeper.yaml`.

use insta::{Settings, assert_snapshot};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn each_project_is_reported_as_its_snapshots_say() {
    let projects = projects();
    assert!(!projects.is_empty());
    for project in projects {
        let mut settings = Settings::clone_current();
        settings.set_snapshot_path(&project);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            assert_snapshot!("report", run(&project, "short"));
            assert_snapshot!("report.human", run(&project, "human"));
        });
    }
}

fn projects() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects");
    let entries = folder.read_dir().expect("the folder is there");
    let mut projects: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).filter(|path| path.is_dir()).collect();
    projects.sort();
    projects
}

/// What is printed in the project's folder, errors and exit code included.
fn run(project: &Path, format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.current_dir(project).args(["lint", "--format", format, "--color", "never"]).env_remove("COLUMNS");
    let output = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    let exit = output.status.code().map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
    format!("$ lockkeeper lint --format {format}\n{out}{errors}{exit}")
}
