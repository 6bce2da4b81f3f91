//! What the parts of a page are called, so that a link to one of them stays good.

use crate::lint::finding::Assessed;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// What a migration and its findings are called.
#[derive(Debug)]
pub(super) struct Ids {
    /// `m-migrations-0042_buyer-sql`.
    pub migration: String,
    /// `f-` and the fingerprint, in the order of the findings.
    pub findings: Vec<String>,
}

/// The longest part of a path in a name.
const LONGEST: usize = 64;

/// Names of all migrations, no two alike: by the path and by the fingerprint, so that they are the same in the next run.
pub(super) fn ids(migrations: &[Assessed]) -> Vec<Ids> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut last: HashMap<String, usize> = HashMap::new();
    let mut unique = |name: String| {
        let number = last.entry(name.clone()).or_default();
        loop {
            *number += 1;
            let name = if *number == 1 { name.clone() } else { format!("{name}-{number}") };
            if taken.insert(name.clone()) {
                return name;
            }
        }
    };
    let of = |migration: &Assessed| Ids {
        migration: unique(format!("m-{}", slug(migration.source.path()))),
        findings: migration.findings.iter().map(|finding| unique(format!("f-{}", finding.fingerprint))).collect(),
    };
    migrations.iter().map(of).collect()
}

/// The end of a path in letters, digits and `-_`.
fn slug(path: &Path) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let text: String = path.to_string_lossy().chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    let text = text.trim_matches('-');
    text[text.len().saturating_sub(LONGEST)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_name_without_anything_that_a_browser_could_take_amiss() {
        assert_eq!(slug(Path::new("./db/migrate/0042_buyer.sql")), "db-migrate-0042_buyer-sql");
        assert_eq!(slug(Path::new("\"><img onerror=x>ä.sql")), "img-onerror-x---sql");
        assert_eq!(slug(Path::new(&"a".repeat(100))).len(), 64);
    }
}
