//! How a project calls things: one agreement for each kind, and how long a name may be.

use super::matcher::like;
use crate::model::name::Ident;

/// What a project has agreed on; without a word, snake_case for all that has a name in every query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Naming {
    /// By kind; what is not said is [`Form::SnakeCase`].
    pub forms: Vec<(NameKind, Vec<Form>)>,
    /// The most characters of a name.
    pub longest: Option<usize>,
}

/// Kinds of things with names of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A table.
    Table,
    /// A column.
    Column,
    /// A view or materialized view.
    View,
    /// An index of CREATE INDEX.
    Index,
    /// A unique constraint, or the index of CREATE UNIQUE INDEX.
    Unique,
    /// A primary key.
    PrimaryKey,
    /// A foreign key.
    ForeignKey,
    /// A CHECK constraint.
    Check,
    /// A sequence.
    Sequence,
    /// A type or domain.
    Type,
    /// A function or procedure.
    Function,
    /// A trigger.
    Trigger,
    /// A schema.
    Schema,
}

/// The kinds by their words.
pub const KINDS: &[(&str, NameKind)] = &[
    ("table", NameKind::Table),
    ("column", NameKind::Column),
    ("view", NameKind::View),
    ("index", NameKind::Index),
    ("unique", NameKind::Unique),
    ("primary_key", NameKind::PrimaryKey),
    ("foreign_key", NameKind::ForeignKey),
    ("check", NameKind::Check),
    ("sequence", NameKind::Sequence),
    ("type", NameKind::Type),
    ("function", NameKind::Function),
    ("trigger", NameKind::Trigger),
    ("schema", NameKind::Schema),
];

/// One way to call a thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Lower-case letters, digits and `_`, and no reserved word: never in quotes.
    SnakeCase,
    /// Whatever it is.
    Any,
    /// `*` stands for any text, `{table}` for the name of its table.
    Pattern(Box<str>),
}

/// A new name, and the table that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct NewName<'a> {
    /// What is called so.
    pub kind: NameKind,
    /// Its name.
    pub name: &'a Ident,
    /// Of columns, constraints, indexes and triggers.
    pub table: Option<&'a Ident>,
}

impl NameKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("table", |(word, _)| word)
    }
}

impl Naming {
    /// What is wrong with a name, in words.
    pub fn fault(&self, new: NewName<'_>) -> Option<String> {
        let forms = self.forms.iter().find(|(kind, _)| *kind == new.kind).map_or(&[Form::SnakeCase][..], |(_, forms)| forms);
        let noun = if new.kind == NameKind::Unique { "unique constraint".to_owned() } else { new.kind.word().replace('_', " ") };
        let what = format!("{noun} `{}`", new.name);
        if let Some(longest) = self.longest.filter(|longest| new.name.as_str().chars().count() > *longest) {
            return Some(format!("{what} has more than {longest} characters"));
        }
        if forms.iter().any(|form| form.fits(new)) {
            return None;
        }
        let wanted: Vec<String> = forms.iter().filter_map(|form| form.wanted(new.table)).collect();
        Some(if wanted.is_empty() {
            format!("{what} {}", not_snake_case(new.name))
        } else {
            format!("{what} is not called {}", wanted.join(" or "))
        })
    }
}

impl Naming {
    /// The name that a thing would have had by the agreement, if one follows from the name that it has.
    pub fn agreed(&self, new: NewName<'_>) -> Option<Ident> {
        let forms = self.forms.iter().find(|(kind, _)| *kind == new.kind).map_or(&[Form::SnakeCase][..], |(_, forms)| forms);
        let candidates = forms.iter().filter_map(|form| form.applied(new)).map(|name| Ident::quoted(&name));
        candidates.into_iter().find(|name| self.fault(NewName { name, ..new }).is_none())
    }
}

impl Form {
    /// The name put into this form: in snake_case, and where the one `*` of a pattern stands.
    fn applied(&self, new: NewName<'_>) -> Option<String> {
        let snake = snake_case(new.name.as_str());
        match self {
            Self::Any => None,
            Self::SnakeCase => Some(snake),
            Self::Pattern(pattern) => {
                let pattern = filled(pattern, new.table);
                let (before, after) = pattern.split_once('*').filter(|(_, after)| !after.contains('*'))?;
                let stem = snake.strip_prefix(before).unwrap_or(&snake);
                let stem = stem.strip_suffix(after).unwrap_or(stem);
                (!stem.is_empty()).then(|| format!("{before}{stem}{after}"))
            }
        }
    }

    fn fits(&self, new: NewName<'_>) -> bool {
        match self {
            Self::SnakeCase => is_snake_case(new.name),
            Self::Any => true,
            Self::Pattern(pattern) => like(&filled(pattern, new.table), new.name.as_str()),
        }
    }

    fn wanted(&self, table: Option<&Ident>) -> Option<String> {
        match self {
            Self::SnakeCase | Self::Any => None,
            Self::Pattern(pattern) => Some(format!("`{}`", filled(pattern, table))),
        }
    }
}

fn filled(pattern: &str, table: Option<&Ident>) -> String {
    pattern.replace("{table}", table.map_or("*", Ident::as_str))
}

fn is_snake_case(name: &Ident) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.as_str().bytes().all(plain) && name.sql() == name.as_str()
}

/// `userId` and `User ID` are `user_id`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && was_lower {
                snake.push('_');
            }
            snake.extend(c.to_lowercase());
        } else if !snake.ends_with('_') {
            snake.push('_');
        }
        was_lower = c.is_lowercase() || c.is_numeric();
    }
    snake.trim_matches('_').to_owned()
}

fn not_snake_case(name: &Ident) -> &'static str {
    match name.as_str() {
        written if written.contains(char::is_uppercase) => "has upper-case letters, so every query has to quote it",
        written if written.contains(char::is_whitespace) => "has a space in it, so every query has to quote it",
        written if written.starts_with(|first: char| first.is_ascii_digit()) => "begins with a digit, so every query has to quote it",
        written if name.sql() != written && written.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => {
            "is a reserved word, so every query has to quote it"
        }
        _ => "is more than lower-case letters, digits and _",
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, NameKind, Naming, NewName};
    use crate::model::name::Ident;

    fn fault(naming: &Naming, kind: NameKind, name: &str) -> String {
        let (name, table) = (Ident::quoted(name), Ident::quoted("orders"));
        naming.fault(NewName { kind, name: &name, table: Some(&table) }).unwrap_or_default()
    }

    #[test]
    fn without_an_agreement_names_need_no_quotes() {
        let naming = Naming::default();
        assert_eq!(fault(&naming, NameKind::Column, "buyer_id2"), "");
        assert_eq!(fault(&naming, NameKind::Column, "buyerId"), "column `buyerId` has upper-case letters, so every query has to quote it");
        assert_eq!(fault(&naming, NameKind::Table, "order"), "table `order` is a reserved word, so every query has to quote it");
        assert_eq!(fault(&naming, NameKind::Table, "größen"), "table `größen` is more than lower-case letters, digits and _");
    }

    fn agreed(naming: &Naming, kind: NameKind, name: &str) -> Option<String> {
        let (name, table) = (Ident::quoted(name), Ident::quoted("orders"));
        naming.agreed(NewName { kind, name: &name, table: Some(&table) }).map(|name| name.sql())
    }

    #[test]
    fn an_agreed_name_follows_from_another_one_if_its_words_do() {
        let naming = Naming::default();
        for name in ["buyerId", "Buyer ID", "buyer-id", "BuyerId_"] {
            assert_eq!(agreed(&naming, NameKind::Column, name).as_deref(), Some("buyer_id"));
        }
        assert_eq!(agreed(&naming, NameKind::Column, "order"), None, "a reserved word needs another word");
        assert_eq!(agreed(&naming, NameKind::Column, "2nd"), None, "a name begins with a letter");
        assert_eq!(agreed(&naming, NameKind::Column, "größe"), None, "nobody knows how that is spelled");
        let forms = vec![(NameKind::Index, vec![Form::Pattern("idx_{table}_*".into())])];
        let naming = Naming { forms, longest: Some(30) };
        assert_eq!(agreed(&naming, NameKind::Index, "byBuyer").as_deref(), Some("idx_orders_by_buyer"));
        assert_eq!(agreed(&naming, NameKind::Index, "by_a_buyer_and_a_seller_and_a_day"), None, "that is too long");
    }

    #[test]
    fn a_pattern_may_name_the_table() {
        let forms = vec![
            (NameKind::ForeignKey, vec![Form::Pattern("{table}_*_fkey".into()), Form::Pattern("fk_*".into())]),
            (NameKind::Column, vec![Form::Any]),
        ];
        let naming = Naming { forms, longest: Some(20) };
        assert_eq!(fault(&naming, NameKind::ForeignKey, "orders_buyer_fkey"), "");
        assert_eq!(fault(&naming, NameKind::ForeignKey, "fk_buyer"), "");
        assert_eq!(fault(&naming, NameKind::ForeignKey, "buyer"), "foreign key `buyer` is not called `orders_*_fkey` or `fk_*`");
        assert_eq!(fault(&naming, NameKind::Column, "buyerId"), "");
        assert_eq!(
            fault(&naming, NameKind::Table, "orders_of_the_last_year"),
            "table `orders_of_the_last_year` has more than 20 characters"
        );
    }
}
