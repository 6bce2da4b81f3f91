//! One walk over the tokens of an expression, a query or a data-modifying statement: functions, operators, columns, casts, relations.
//!
//! No parser: brackets are a stack of frames, each of which knows the clause that it is in. So the walk is linear, no depth of nesting
//! overflows anything, and what sqlparser refuses is seen nonetheless.

use super::once::Once;
use super::walk::Walk;
use crate::model::name::{Ident, Name};
use crate::model::operation::Persistence;
use crate::model::types::TypeName;
use crate::sql::lex::Token;
use crate::text::SourceFile;
use std::collections::HashSet;

/// What a walk finds.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Functions called, keywords that are functions included.
    pub calls: Once<Name>,
    /// Operators, by symbol or by keyword in lower case.
    pub operators: Once<Box<str>>,
    /// What stands where a column may stand.
    pub columns: Once<Ident>,
    /// Where that is: indexes of the tokens that are the columns' own names, and the tables' before `.*`.
    pub places: Vec<usize>,
    /// Types that values are cast to.
    pub casts: Once<TypeName>,
    /// Relations in FROM and its kin; no functions, no CTEs.
    pub reads: Once<Name>,
    /// Targets of INSERT, UPDATE, DELETE and MERGE.
    pub writes: Once<Name>,
    /// Names that relations have inside this query: a column of that name is a whole row.
    pub aliases: HashSet<Ident>,
    /// The outermost queries in brackets, in order.
    pub queries: Vec<Subquery>,
    /// The clauses outside of all brackets: which, and the index of the keyword that opens it.
    pub clauses: Vec<(Clause, usize)>,
    /// Names of CTEs and of what stands in FROM, outside of all brackets, of which LIMIT leaves a few rows.
    pub bounded: Vec<Ident>,
    /// SELECT INTO: the table that it makes.
    pub into: Option<(Name, Persistence)>,
    /// Whether LIMIT or FETCH FIRST stands outside of all brackets.
    pub limited: bool,
    /// FOR UPDATE and its kin, anywhere.
    pub locks_rows: bool,
    /// The first token that cannot stand where it stands.
    pub stray: Option<Token>,
    /// Brackets match, and nothing stood where its meaning is unknown.
    pub complete: bool,
}

impl Survey {
    /// The names that may be columns: what is no whole row.
    pub fn mentions(&self) -> Vec<Ident> {
        self.columns.iter().filter(|column| !self.aliases.contains(*column)).cloned().collect()
    }

    /// The tokens of the clause with this index, its keyword not included.
    pub fn part<'t>(&self, index: usize, tokens: &'t [Token]) -> &'t [Token] {
        let from = self.clauses[index].1 + 1;
        let to = self.clauses.get(index + 1).map_or(tokens.len(), |(_, next)| *next);
        &tokens[from.min(to)..to]
    }
}

/// A query in brackets: the tokens between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subquery {
    /// Index of the first token behind the bracket.
    pub from: usize,
    /// Index of the closing bracket.
    pub to: usize,
    /// Whether LIMIT or FETCH FIRST bounds it.
    pub limited: bool,
}

/// The part of a query that a token stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    /// Before SELECT and its kin; also all of an expression.
    Start,
    /// The list of CTEs.
    With,
    /// SELECT, RETURNING.
    Targets,
    Returning,
    /// SELECT INTO.
    Into,
    /// The table of INSERT, UPDATE, DELETE, MERGE, and what follows it.
    Target,
    /// UPDATE SET.
    Set,
    /// FROM, USING; whether a relation is expected next.
    From {
        expected: bool,
    },
    /// JOIN ... ON.
    On,
    Where,
    /// ON CONFLICT up to DO.
    Conflict,
    /// MERGE ... WHEN.
    When,
    Values,
    /// FOR UPDATE and its kin.
    Locking,
    /// GROUP BY, HAVING, WINDOW, ORDER BY, LIMIT, OFFSET, FETCH.
    Tail,
}

impl Clause {
    /// Whether operands and operators alternate in it.
    pub fn holds_expressions(self) -> bool {
        match self {
            Self::Targets | Self::Returning | Self::Set | Self::On | Self::Where | Self::Values => true,
            Self::Start
            | Self::With
            | Self::Into
            | Self::Target
            | Self::From { .. }
            | Self::Conflict
            | Self::When
            | Self::Locking
            | Self::Tail => false,
        }
    }
}

/// Walks over tokens. Of the relations in `bounded` a LIMIT outside of these tokens has cut out a few rows.
pub(crate) fn survey(source: &SourceFile, tokens: &[Token], bounded: &[Ident]) -> Survey {
    Walk::new(source, tokens, bounded).run()
}
