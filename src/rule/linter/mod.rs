//! Other linters of migrations: what their rules are called, and the comments that silence them. Which of our rules says the same as one of
//! theirs, the `aliases:` of our rules tell.

mod atlas;
mod eugene;
mod migration_pilot;
mod pg_migration_lint;
mod pgfence;
mod squawk;

use super::set::{Entry, RuleSet};

/// Another linter.
#[derive(Debug)]
pub struct Linter {
    /// As its users call it.
    pub name: &'static str,
    /// Its rules.
    pub rules: &'static [TheirRule],
    /// Words that stand for several of its rules.
    pub groups: &'static [(&'static str, &'static [&'static str])],
    /// The comments that it understands.
    pub comments: &'static [Form],
}

/// A rule of another linter.
#[derive(Debug)]
pub struct TheirRule {
    /// What they call it.
    pub id: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Why no rule of ours says the same. `None`: one does, and has the name among its aliases.
    pub without: Option<&'static str>,
}

const fn ours(id: &'static str, about: &'static str) -> TheirRule {
    TheirRule { id, about, without: None }
}

const fn without(id: &'static str, about: &'static str, why: &'static str) -> TheirRule {
    TheirRule { id, about, without: Some(why) }
}

/// A form of suppression comment.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// What the comment begins with, behind the dashes.
    pub opens: &'static str,
    /// What it stands for.
    pub reach: Reach,
    /// What it silences if it names no rule.
    pub bare: Bare,
    /// What stands between two rules.
    pub between: &'static [char],
    /// What begins a remark behind the rules.
    pub remark: Option<&'static str>,
}

/// How far a suppression comment reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The whole file, wherever it stands in it.
    File,
    /// The statement that it stands in, else the next one.
    Statement,
    /// The next statement that begins behind it.
    Next,
    /// The first statement that begins in its line or below.
    FromLine,
    /// What begins in its own line or in the next one.
    TwoLines,
    /// The whole file if it stands at the very top with an empty line behind it, else the next statement.
    TopOrNext,
}

/// What a suppression comment silences that names no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// All that the linter knows.
    Everything,
    /// Nothing.
    Nothing,
}

const fn form(opens: &'static str, reach: Reach, bare: Bare) -> Form {
    Form { opens, reach, bare, between: &[','], remark: None }
}

/// The linters. Of two forms of which one begins like the other, the longer one comes first.
pub static LINTERS: &[Linter] = &[
    Linter {
        name: "squawk",
        rules: squawk::RULES,
        groups: &[
            ("prefer-timestamptz", &["prefer-timestamp-tz"]),
            ("require-timeout-settings", &["require-lock-timeout", "require-statement-timeout"]),
        ],
        comments: &[
            Form { remark: Some("--"), ..form("squawk-ignore-file", Reach::File, Bare::Everything) },
            Form { remark: Some("--"), ..form("squawk-ignore", Reach::TwoLines, Bare::Nothing) },
        ],
    },
    Linter { name: "eugene", rules: eugene::RULES, groups: &[], comments: &[form("eugene: ignore", Reach::Statement, Bare::Everything)] },
    Linter {
        name: "pg-migration-lint",
        rules: pg_migration_lint::RULES,
        groups: &[],
        comments: &[form("pgm-lint:suppress-file", Reach::File, Bare::Nothing), form("pgm-lint:suppress", Reach::Next, Bare::Nothing)],
    },
    Linter {
        name: "pgfence",
        rules: pgfence::RULES,
        groups: &[],
        comments: &[
            form("pgfence-ignore:", Reach::Statement, Bare::Nothing),
            form("pgfence-ignore", Reach::Statement, Bare::Everything),
            form("pgfence: ignore", Reach::Statement, Bare::Nothing),
        ],
    },
    Linter {
        name: "Atlas",
        rules: atlas::RULES,
        groups: &[
            ("destructive", &["DS101", "DS102", "DS103"]),
            ("data_depend", &["MF101", "MF102", "MF103", "MF104"]),
            ("incompatible", &["BC101", "BC102"]),
            ("condrop", &["CD101"]),
            ("concurrent_index", &["PG101", "PG102", "PG103"]),
        ],
        comments: &[Form { between: &[' '], ..form("atlas:nolint", Reach::TopOrNext, Bare::Everything) }],
    },
    Linter {
        name: "MigrationPilot",
        rules: migration_pilot::RULES,
        groups: &[],
        comments: &[
            Form { between: &[',', ' ', '\t'], ..form("migrationpilot-disable-file", Reach::File, Bare::Everything) },
            Form { between: &[',', ' ', '\t'], ..form("migrationpilot-disable", Reach::FromLine, Bare::Everything) },
        ],
    },
];

impl Linter {
    /// The linter of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        LINTERS.iter().find(|linter| linter.name.eq_ignore_ascii_case(name))
    }

    /// The form in which a comment speaks to a linter, and what stands behind the form's first words.
    pub fn asked(comment: &str) -> Option<(&'static Self, &'static Form, &str)> {
        let forms = LINTERS.iter().flat_map(|linter| linter.comments.iter().map(move |form| (linter, form)));
        forms.into_iter().find_map(|(linter, form)| {
            let (head, rest) = comment.split_at_checked(form.opens.len())?;
            let ends = rest.is_empty() || rest.starts_with(char::is_whitespace) || head.ends_with(':');
            (ends && head.eq_ignore_ascii_case(form.opens)).then_some((linter, form, rest))
        })
    }

    /// The rules that a word of its own names.
    pub fn named(&self, word: &str) -> impl Iterator<Item = &'static TheirRule> {
        let group = self.groups.iter().find(|(name, _)| *name == word).map_or(&[][..], |(_, ids)| *ids);
        self.rules.iter().filter(move |rule| rule.id.eq_ignore_ascii_case(word) || group.contains(&rule.id))
    }

    /// Every word that names rules of it.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().map(|rule| rule.id).chain(self.groups.iter().map(|(name, _)| *name))
    }
}

impl TheirRule {
    /// Our rules that say the same. None if it has no counterpart, even if a rule of the project's own is called so.
    pub fn counterparts<'r>(&self, rules: &'r RuleSet) -> impl Iterator<Item = &'r Entry> {
        let id = if self.without.is_none() { self.id } else { "" };
        rules.named(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_another_linter_has_a_counterpart_here_or_a_reason_why_not() {
        let rules = RuleSet::embedded();
        for linter in LINTERS {
            for rule in linter.rules {
                let named = rules.named(rule.id).count();
                assert_eq!(named == 0, rule.without.is_some(), "{}: {}", linter.name, rule.id);
            }
        }
    }

    #[test]
    fn no_linter_has_a_rule_twice() {
        for linter in LINTERS {
            let mut ids: Vec<_> = linter.rules.iter().map(|rule| rule.id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), linter.rules.len(), "{}", linter.name);
        }
    }

    #[test]
    fn the_longer_form_is_found_where_one_begins_like_the_other() {
        let form = |text| Linter::asked(text).map(|(linter, form, rest)| (linter.name, form.opens, rest));
        assert_eq!(form("squawk-ignore-file"), Some(("squawk", "squawk-ignore-file", "")));
        assert_eq!(form("squawk-ignore ban-drop-table"), Some(("squawk", "squawk-ignore", " ban-drop-table")));
        assert_eq!(form("pgfence-ignore:drop-table"), Some(("pgfence", "pgfence-ignore:", "drop-table")));
        assert_eq!(form("MigrationPilot-Disable MP001"), Some(("MigrationPilot", "migrationpilot-disable", " MP001")));
        assert_eq!(form("squawk-ignored until May"), None);
        assert_eq!(form("nobody reads it"), None);
    }
}
