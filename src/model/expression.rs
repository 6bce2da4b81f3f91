//! What lockkeeper asks of an expression: which functions, columns and relations it needs, and what it says at its top level.

use super::name::{Ident, Name};
use super::types::TypeName;
use crate::text::Span;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A scalar expression, reduced to the answers that effects and rules need. Edits take source text; plans, which define a thing again for
/// another column, take its own tokens.
///
/// Operations and catalogs hold the same expressions many times over, so a copy is only another reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Arc<Answers>);

impl From<Answers> for Expression {
    fn from(answers: Answers) -> Self {
        Self(Arc::new(answers))
    }
}

impl Deref for Expression {
    type Target = Answers;

    fn deref(&self) -> &Answers {
        &self.0
    }
}

impl DerefMut for Expression {
    fn deref_mut(&mut self) -> &mut Answers {
        Arc::make_mut(&mut self.0)
    }
}

/// What an [`Expression`] answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// Where it stands.
    pub span: Span,
    /// Its tokens, keywords and bare identifiers folded, joined by one space: equal texts mean equal expressions.
    pub text: String,
    /// Where `text` names a column, in order: the column's own name, behind those of its table. Before `.*` it is the table. Empty where
    /// there are none, and where they cannot all be told.
    pub places: Box<[Span]>,
    /// False if some part could not be read: every list below may then lack something.
    pub understood: bool,
    /// A literal, with or without casts and sign; `None` if it is more than that.
    pub constant: Option<Constant>,
    /// Every function called anywhere in it, CURRENT_TIMESTAMP and its kin by their keyword in lower case.
    pub calls: Vec<Name>,
    /// Operators by symbol or lower-case keyword, each once.
    pub operators: Vec<Box<str>>,
    /// Columns it reads, without their table, each once; a whole-row reference is not listed.
    pub columns: Vec<Ident>,
    /// Types that it casts to, each once.
    pub casts: Vec<TypeName>,
    /// Relations that its subqueries read, each once.
    pub reads: Vec<Name>,
    /// The parts that a top-level AND joins; one part if there is none.
    pub conjuncts: Vec<Predicate>,
}

impl Answers {
    /// The name that `text` has at one of its `places`.
    pub fn name_at(&self, place: Span) -> Ident {
        let word = self.text.get(place.range()).unwrap_or_default();
        match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
            Some(quoted) => Ident::quoted(&quoted.replace("\"\"", "\"")),
            None => Ident::quoted(word),
        }
    }

    /// Gives the column another name wherever `text` names it.
    pub(super) fn rename_in_text(&mut self, from: &Ident, to: &Ident) {
        let mut text = String::with_capacity(self.text.len());
        let mut places = Vec::with_capacity(self.places.len());
        let mut copied = 0;
        for place in &self.places {
            text.push_str(&self.text[copied..place.start as usize]);
            copied = place.end as usize;
            let start = text.len() as u32;
            // What stands before `.*` is a table.
            if self.name_at(*place) == *from && !self.text[copied..].starts_with(" .") {
                text.push_str(&to.sql());
            } else {
                text.push_str(&self.text[place.range()]);
            }
            places.push(Span::new(start, text.len() as u32));
        }
        text.push_str(&self.text[copied..]);
        (self.text, self.places) = (text, places.into());
    }

    /// Whether it is true of a number of rows that does not grow with the table, however large that is: both ends of a range, a list, a
    /// subquery with LIMIT, or equality with a key. `is_key` tells of a column whether its values are unique; `None` if it depends on that
    /// and it does not know.
    pub fn bounds_rows(&self, is_key: impl Fn(&Ident) -> Option<bool>) -> Option<bool> {
        let mut answer = Some(false);
        for part in &self.conjuncts {
            let bounds = match part {
                Predicate::Compare { column, operator, value } => match &**operator {
                    "=" if is_one_of_few(value.as_ref()) => Some(false),
                    "=" => is_key(column),
                    ">" | ">=" => Some(self.has_upper_end(column, value.as_ref())),
                    _ => Some(false),
                },
                // A list is written by hand: what it names is a handful, unless the column is known to repeat.
                Predicate::InList { column, .. } => is_key(column).or(Some(true)),
                Predicate::InQuery { limited, .. } => Some(*limited),
                Predicate::IsNotNull(_) | Predicate::IsNull(_) | Predicate::True | Predicate::Other => Some(false),
            };
            match bounds {
                Some(true) => return bounds,
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }

    /// Whether a range that begins at `from` has an end that lies near enough.
    fn has_upper_end(&self, of: &Ident, from: Option<&Constant>) -> bool {
        self.conjuncts.iter().any(|part| match part {
            Predicate::Compare { column, operator, value } if column == of && matches!(&**operator, "<" | "<=") => {
                !is_wide(from, value.as_ref())
            }
            _ => false,
        })
    }
}

/// More numbers than this are no batch.
const WIDEST: i128 = 1_000_000;

fn is_wide(from: Option<&Constant>, to: Option<&Constant>) -> bool {
    let number = |constant: Option<&Constant>| match constant {
        Some(Constant::Number(number)) => number.parse::<i128>().ok(),
        _ => None,
    };
    number(from).zip(number(to)).is_some_and(|(from, to)| to.saturating_sub(from) > WIDEST)
}

/// No column of truth values is a key.
fn is_one_of_few(value: Option<&Constant>) -> bool {
    matches!(value, Some(Constant::Boolean(_) | Constant::Null))
}

/// What kind of constant a literal is.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// NULL.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// A number, sign included, as written.
    Number(Box<str>),
    /// A string, quotes undone.
    Text(Box<str>),
}

/// One part of a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `column IS NOT NULL`.
    IsNotNull(Ident),
    /// `column IS NULL`.
    IsNull(Ident),
    /// `column op constant`, turned so that the column is on the left; parameters and psql variables count as constants.
    /// BETWEEN gives two of these.
    Compare {
        /// The column.
        column: Ident,
        /// `=`, `<`, `<=`, `>`, `>=` or `<>`.
        operator: Box<str>,
        /// The constant, `None` for a parameter.
        value: Option<Constant>,
    },
    /// `column IN (1, 2, 3)` or `= ANY (...)` over constants.
    InList {
        /// The column.
        column: Ident,
        /// The constants; `None` if they are not told one by one: a parameter, an array in a literal.
        values: Option<Vec<Constant>>,
    },
    /// `column IN (SELECT ...)`, and whether that query has a LIMIT.
    InQuery {
        /// The column, or the first of several.
        column: Ident,
        /// Whether a LIMIT or FETCH FIRST bounds the query.
        limited: bool,
    },
    /// The constant TRUE, or something as trivial (`1 = 1`).
    True,
    /// Anything else.
    Other,
}
