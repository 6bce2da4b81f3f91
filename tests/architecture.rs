//! The shape of the house: which module may use which, how long a file may be, and that the table of rules in docs/ is true.

use lockkeeper::report::manual;
use lockkeeper::rule::file::Rule;
use lockkeeper::rule::fix::Fix;
use lockkeeper::rule::linter::LINTERS;
use lockkeeper::rule::set::RuleSet;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, its tests not counted.
const LONGEST: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files of the library below `src`, as paths from the root.
fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the repository").flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files.sort();
    files
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The order of modules: the `pub mod` lines of lib.rs.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs is there");
    let module = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    text.lines().filter_map(module).collect()
}

/// The code of a file without its tests, which may use everything.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("the file was listed");
    match text.split_once("\n#[cfg(test)]\nmod tests {") {
        Some((code, _)) => code.to_owned(),
        None => text,
    }
}

fn is_test(path: &Path) -> bool {
    let path = shown(path);
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The modules that a piece of code names after `crate::`.
fn used(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split("crate::").skip(1);
    words.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default())
}

#[test]
fn no_module_uses_a_later_one() {
    let order = order();
    assert!(order.len() > 8, "lib.rs lists the modules: {order:?}");
    let place = |module: &str| order.iter().position(|known| known == module);
    let mut wrong = Vec::new();
    for path in sources().iter().filter(|path| !is_test(path)) {
        let below_src = path.strip_prefix(root().join("src")).expect("it was found there");
        let own = below_src.components().next().map(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned());
        let Some(own) = own.and_then(|own| place(&own)) else { continue };
        for module in used(&code(path)) {
            if place(module).is_some_and(|used| used > own) {
                wrong.push(format!("{} uses {module}", shown(path)));
            }
        }
    }
    assert!(wrong.is_empty(), "the order is {}:\n{}", order.join(" "), wrong.join("\n"));
}

#[test]
fn no_file_is_too_long_to_be_about_one_thing() {
    let mut long = Vec::new();
    for path in sources().iter().filter(|path| !is_test(path) && !shown(path).contains("/generated/")) {
        let lines = code(path).lines().count();
        if lines > LONGEST {
            long.push(format!("{}: {lines} lines", shown(path)));
        }
    }
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_gives_in_its_first_line() {
    let silent: Vec<_> =
        sources().iter().filter(|path| !is_test(path) && !code(path).starts_with("//! ")).map(|path| shown(path)).collect();
    assert!(silent.is_empty(), "no `//!` in the first line of:\n{}", silent.join("\n"));
}

#[test]
fn a_file_in_rules_is_called_after_an_operation_or_a_topic() {
    for entry in fs::read_dir(root().join("rules")).expect("the rules are there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name.strip_suffix(".yaml").unwrap_or_default();
        let is_kebab = !id.is_empty() && id.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(is_kebab, "{name} is no lower-case words with hyphens and .yaml");
    }
}

/// `UPDATE_DOCS=1 cargo test --test architecture` writes it anew, as does `lockkeeper rules --markdown > docs/rules.md`.
#[test]
fn the_manual_of_the_rules_says_what_the_rules_say() {
    let path = root().join("docs/rules.md");
    let text = manual::rules(&mut RuleSet::embedded()).expect("every rule is read");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).expect("docs/rules.md is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/rules.md is older than the rules: UPDATE_DOCS=1 cargo test --test architecture");
}
fn has_fix(rule: &Rule, offers: fn(&Fix) -> bool) -> bool {
    rule.cases.iter().filter_map(|case| case.fix.as_ref()).any(offers)
}

/// A hazard that the field knows has a rule or a reason, and no rule stands outside of the catalogue.
#[test]
fn the_catalogue_of_hazards_names_every_rule_and_only_rules() {
    let catalogue = fs::read_to_string(root().join("docs/catalogue.md")).expect("docs/catalogue.md is there");
    let rules = RuleSet::embedded();
    let mut named = BTreeSet::new();
    for row in catalogue.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| hazard")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [hazard, linked, fix, ..] = cells[..] else { panic!("{row} has no three cells") };
        let links: Vec<_> = linked.split("](../rules/").skip(1).filter_map(|rest| rest.split(".yaml)").next()).collect();
        let reason = cells.get(3).is_some_and(|reason| reason.len() > 3);
        assert!(!links.is_empty() || reason, "{hazard} has neither a rule nor a reason");
        let fixes = |offers: fn(&Fix) -> bool| links.iter().filter_map(|id| rules.find(id)?.rule().ok()).any(|rule| has_fix(rule, offers));
        let offered = [("edit", fixes(|fix| !fix.edits.is_empty())), ("plan", fixes(|fix| fix.recipe.is_some()))];
        let offered: Vec<_> = offered.iter().filter(|(_, is_offered)| *is_offered).map(|(word, _)| *word).collect();
        let said = if fix.starts_with("by hand") { "" } else { fix.trim_matches('|').trim() };
        assert_eq!(offered.join(", "), said, "what is offered against {hazard}");
        for id in links {
            assert!(rules.find(id).is_some_and(|entry| entry.id == id), "{hazard} names `{id}`, and there is no such rule");
            named.insert(id.to_owned());
        }
    }
    let all: BTreeSet<_> = rules.all().map(|entry| entry.id.clone()).collect();
    let missing: Vec<_> = all.difference(&named).collect();
    assert!(missing.is_empty(), "docs/catalogue.md does not name {missing:?}");
}

/// Each rule of another linter stands in its table with ours that say the same, or with the reason why none does.
#[test]
fn the_tables_of_other_linters_say_which_rules_of_ours_stand_for_theirs() {
    let page = fs::read_to_string(root().join("docs/from-other-tools.md")).expect("docs/from-other-tools.md is there");
    let rules = RuleSet::embedded();
    for linter in LINTERS {
        let table = page.split(&format!("\n### {}\n", linter.name)).nth(1).and_then(|rest| rest.split("\n### ").next()).unwrap_or_default();
        let written: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
        let row = |theirs: &lockkeeper::rule::linter::TheirRule| {
            let ours: Vec<_> = theirs.counterparts(&rules).map(|entry| format!("[{0}](../rules/{0}.yaml)", entry.id)).collect();
            let here = theirs.without.map_or_else(|| ours.join(", "), |why| format!("none: {why}"));
            format!("| `{}` | {} | {here} |", theirs.id, theirs.about)
        };
        let expected: Vec<_> = linter.rules.iter().map(row).collect();
        assert_eq!(written, expected, "{}", linter.name);
    }
}
