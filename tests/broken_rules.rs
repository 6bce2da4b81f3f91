//! Broken rule files: what is shown for each `fixtures/broken/*.yaml` stands beside it.

use lockkeeper::problem::Problem;
use lockkeeper::rule::file::Rule;
use lockkeeper::text::SourceFile;
use miette::{GraphicalReportHandler, GraphicalTheme};
use std::fs;
use std::path::Path;

#[test]
fn every_fault_is_shown_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken");
    let mut paths: Vec<_> = fs::read_dir(&folder).expect("the folder is there").filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = SourceFile::new(format!("rules/{name}"), fs::read(&path).expect("the file was listed"));
        let read = Rule::read(&source).and_then(|_| Rule::read_examples(&source));
        let problem = read.err().unwrap_or_else(|| panic!("{name} is read as if nothing were wrong with it"));
        insta::with_settings!({ snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml"), rendered(&problem));
        });
    }
}

fn rendered(problem: &Problem) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(140);
    handler.render_report(&mut text, problem).expect("a String takes all text");
    text
}
