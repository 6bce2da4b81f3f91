//! Names for what a plan makes: like those of the originals, not longer than the server keeps, and not taken.

use crate::model::catalog::Catalog;
use crate::model::name::{Ident, LONGEST_IDENT, QualifiedName};
use foldhash::{HashSet, HashSetExt};

/// Chooses names; one that it has given it does not give again.
#[derive(Debug)]
pub struct Names<'a> {
    catalog: &'a Catalog,
    given: HashSet<QualifiedName>,
}

impl<'a> Names<'a> {
    /// Names that are free in this catalog.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, given: HashSet::new() }
    }

    /// A name for the copy of what is called `old`: with the column's new name in the place of its old one, or behind it where the old one
    /// does not occur. `users_email_idx` becomes `users_email_address_idx`.
    pub fn copy_of(&mut self, schema: &Ident, old: &Ident, from: &Ident, to: &Ident) -> Ident {
        let (before, behind) = match word(old.as_str(), from.as_str()) {
            Some(at) => (&old.as_str()[..at], &old.as_str()[at + from.as_str().len()..]),
            None => match label(old.as_str()) {
                Some(at) => (&old.as_str()[..at + 1], &old.as_str()[at..]),
                None => (old.as_str(), ""),
            },
        };
        let separator = if before.is_empty() || before.ends_with('_') || word(old.as_str(), from.as_str()).is_some() { "" } else { "_" };
        self.free(schema, &format!("{before}{separator}{to}"), behind)
    }

    /// `stem` with `label` behind it (`users_email_address`, `_sync`): of a name that is too long the stem gives way, and one that is taken
    /// gets a number.
    pub fn free(&mut self, schema: &Ident, stem: &str, label: &str) -> Ident {
        let mut number = 0_u32;
        loop {
            let digits = if number == 0 { String::new() } else { number.to_string() };
            let label = &label[..label.floor_char_boundary(LONGEST_IDENT / 2)];
            let room = LONGEST_IDENT - label.len() - digits.len();
            let name = Ident::quoted(&format!("{}{label}{digits}", stem[..stem.floor_char_boundary(room)].trim_end_matches('_')));
            let qualified = QualifiedName { schema: schema.clone(), name };
            if !self.catalog.is_name_taken(&qualified) && self.given.insert(qualified.clone()) {
                return qualified.name;
            }
            number += 1;
        }
    }
}

/// Where a word stands in a name, between its ends, `_` and other signs; the last such place, since tables come first.
fn word(name: &str, word: &str) -> Option<usize> {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let is_whole = |at: &usize| ends(name[..*at].chars().next_back()) && ends(name[*at + word.len()..].chars().next());
    name.rmatch_indices(word).map(|(at, _)| at).find(is_whole)
}

/// Where the label begins that says what kind of thing it is (`_idx`).
fn label(name: &str) -> Option<usize> {
    const LABELS: [&str; 12] = ["_idx", "_index", "_key", "_pkey", "_fkey", "_fk", "_check", "_excl", "_uniq", "_unique", "_stat", "_seq"];
    LABELS.iter().find(|label| name.ends_with(**label)).map(|label| name.len() - label.len()).filter(|at| *at > 0)
}

#[cfg(test)]
mod tests {
    use super::Names;
    use crate::model::catalog::{Catalog, Step};
    use crate::model::name::Ident;
    use crate::sql::read;
    use crate::text::{SourceFile, Span};

    fn catalog(sql: &str) -> Catalog {
        let mut catalog = Catalog::new(true);
        let source = SourceFile::new("orders.sql", sql);
        let statements = read(&source, Span::new(0, sql.len() as u32)).statements;
        for operation in statements.iter().flat_map(|statement| &statement.operations) {
            catalog.replay(&operation.what, Step(1));
        }
        catalog
    }

    fn copy(names: &mut Names<'_>, old: &str, from: &str, to: &str) -> String {
        let ident = Ident::quoted;
        names.copy_of(&ident("public"), &ident(old), &ident(from), &ident(to)).to_string()
    }

    #[test]
    fn a_copy_is_called_after_the_new_column() {
        let catalog = catalog("CREATE TABLE users (email text); CREATE INDEX users_login_idx ON users (email);");
        let mut names = Names::new(&catalog);
        let mut copy = |old, from, to| copy(&mut names, old, from, to);
        assert_eq!(copy("users_email_idx", "email", "email_address"), "users_email_address_idx");
        assert_eq!(copy("email", "email", "email_address"), "email_address");
        assert_eq!(copy("users_lower_idx", "email", "email_address"), "users_lower_email_address_idx");
        assert_eq!(copy("by_mail", "email", "email_address"), "by_mail_email_address");
        assert_eq!(copy("emails_idx", "email", "mail"), "emails_mail_idx");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let catalog = catalog("CREATE TABLE users (email text); CREATE INDEX users_login_idx ON users (email);");
        let mut names = Names::new(&catalog);
        assert_eq!(copy(&mut names, "users_email_idx", "email", "login"), "users_login_idx1");
        assert_eq!(copy(&mut names, "users_email_idx", "email", "login"), "users_login_idx2");
        assert_eq!(names.free(&Ident::quoted("public"), "users", "").as_str(), "users1");
    }

    #[test]
    fn a_name_is_cut_between_characters_and_keeps_its_label() {
        let catalog = catalog("");
        let mut names = Names::new(&catalog);
        let long = format!("{}_email_idx", "ü".repeat(26));
        let first = copy(&mut names, &long, "email", "größe_der_adresse");
        assert!(first.len() <= 63 && first.ends_with("_idx") && first.starts_with("üü"), "{first}");
        let second = copy(&mut names, &long, "email", "größe_der_adresse");
        assert!(second.len() <= 63 && second.ends_with("_idx1"), "{second}");
    }
}
