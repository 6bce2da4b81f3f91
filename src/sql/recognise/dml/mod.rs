//! INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE and queries, with the CTEs in front of them.

mod change;
mod copy;
mod query;
mod rows;

pub(super) use copy::{copy, truncate};
pub(super) use query::{declare, explain, prepare};

use super::Operations;
use super::cursor::{Cursor, Fault, Read};
use crate::model::expression::Predicate;
use crate::model::name::{Ident, Name};
use crate::model::operation::Operation;
use crate::sql::detail::{Clause, Survey, brackets_around, query_over, survey};
use crate::sql::lex::Token;
use crate::text::Located;

/// The words that begin a statement which changes rows.
const CHANGES: [&str; 4] = ["insert into", "update", "delete from", "merge into"];

/// SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE, WITH. A CTE that changes rows is an operation of its own, before its statement.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let mut inner = without_brackets(cursor);
    let ctes = with_clause(&mut inner)?;
    let names: Vec<Ident> = ctes.iter().map(|cte| cte.name.clone()).collect();
    let (mut operations, mut bounded) = (Operations::new(), Vec::new());
    for cte in ctes {
        let change = change_in_cte(&cte.body, &names, &bounded)?;
        if change.as_ref().map_or_else(|| is_limited(&cte.body, &bounded), |change| changes_a_few_rows(&change.what)) {
            bounded.push(cte.name);
        }
        operations.extend(change);
    }
    // Only a query may stand in brackets.
    if inner.sees_any(&CHANGES).is_some() && !cursor.sees("(") {
        let statement = Surveyed::new(cursor, &[], &bounded)?;
        operations.push(change::read(&mut inner, &statement)?);
        cursor.rest();
        return Ok(operations);
    }
    for (word, next) in [("insert", "into"), ("delete", "from"), ("merge", "into")] {
        if inner.take(word) {
            inner.expect(next)?;
        }
    }
    if inner.sees_any(&["select", "values", "table", "("]).is_none() {
        return Err(inner.fail("SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE or MERGE"));
    }
    let tokens = cursor.rest();
    operations.extend(query::select(&cursor.between(from, cursor.mark()), tokens)?);
    Ok(operations)
}

/// The inside of brackets around all that is left.
fn without_brackets<'a>(cursor: &Cursor<'a>) -> Cursor<'a> {
    let from = cursor.mark();
    let brackets = brackets_around(cursor.source(), cursor.clone().rest());
    cursor.between(from + brackets, from + cursor.left() - brackets)
}

/// One CTE.
struct Cte<'a> {
    name: Ident,
    body: Cursor<'a>,
}

/// WITH, if it stands here.
fn with_clause<'a>(cursor: &mut Cursor<'a>) -> Read<Vec<Cte<'a>>> {
    if !cursor.take("with") {
        return Ok(Vec::new());
    }
    cursor.take("recursive");
    let mut ctes = Vec::new();
    loop {
        let name = cursor.ident()?;
        if cursor.sees("(") {
            cursor.ident_group()?;
        }
        cursor.expect("as")?;
        cursor.take_any(&["materialized", "not materialized"]);
        let body = cursor.group()?;
        search_and_cycle(cursor)?;
        ctes.push(Cte { name, body });
        if !cursor.take(",") {
            return Ok(ctes);
        }
    }
}

fn search_and_cycle(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.take_any(&["search breadth first by", "search depth first by"]).is_some() {
        cursor.list(Cursor::ident)?;
        cursor.expect("set")?;
        cursor.ident()?;
    }
    if cursor.take("cycle") {
        cursor.list(Cursor::ident)?;
        cursor.expect("set")?;
        cursor.ident()?;
        if cursor.take("to") {
            cursor.until(|cursor| cursor.sees("using"))?;
        }
        cursor.expect("using")?;
        cursor.ident()?;
    }
    Ok(())
}

/// The change that a CTE makes. The server refuses changes in CTEs of CTEs, so there is no need to go deeper.
fn change_in_cte(whole: &Cursor<'_>, names: &[Ident], bounded: &[Ident]) -> Read<Option<Located<Operation>>> {
    let mut body = whole.clone();
    with_clause(&mut body)?;
    if body.sees_any(&CHANGES).is_none() {
        return Ok(None);
    }
    let statement = Surveyed::new(whole, names, bounded)?;
    change::read(&mut body, &statement).map(Some)
}

/// Whether LIMIT leaves a few rows of a query.
fn is_limited(query: &Cursor<'_>, bounded: &[Ident]) -> bool {
    query_over(query.source(), query.clone().rest(), bounded).limited
}

/// Whether a change gives back no more rows than LIMIT has picked for it.
fn changes_a_few_rows(change: &Operation) -> bool {
    let filter = match change {
        Operation::Update(update) => &update.filter,
        Operation::Delete(delete) => &delete.filter,
        _ => return false,
    };
    let picked = |part: &Predicate| matches!(part, Predicate::InQuery { limited: true, .. });
    filter.as_ref().is_some_and(|filter| filter.conjuncts.iter().any(picked))
}

/// The tokens of a statement and what a walk over them found.
struct Surveyed<'a> {
    tokens: &'a [Token],
    found: Survey,
    /// CTEs around it, which are no relations.
    ctes: Vec<Ident>,
}

impl<'a> Surveyed<'a> {
    /// Surveys all that is left of a cursor, without moving it.
    fn new(cursor: &Cursor<'a>, ctes: &[Ident], bounded: &[Ident]) -> Read<Self> {
        let tokens = cursor.clone().rest();
        let found = survey(cursor.source(), tokens, bounded);
        check(cursor, found.stray, found.complete)?;
        Ok(Self { tokens, found, ctes: ctes.to_vec() })
    }

    /// The tokens of the last clause of this kind outside of all brackets, its keyword not included.
    fn last(&self, clause: Clause) -> Option<&'a [Token]> {
        let index = self.found.clauses.iter().rposition(|(seen, _)| *seen == clause)?;
        Some(self.found.part(index, self.tokens))
    }

    fn reads(&self) -> Vec<Name> {
        let is_cte = |name: &Name| name.schema.is_none() && self.ctes.contains(&name.name);
        self.found.reads.iter().filter(|name| !is_cte(name)).cloned().collect()
    }

    fn calls(&self) -> Vec<Name> {
        self.found.calls.iter().cloned().collect()
    }
}

/// Turns what a survey could not place into a fault or a note.
fn check(cursor: &Cursor<'_>, stray: Option<Token>, complete: bool) -> Read<()> {
    // Where the end is missing, so may be the bracket that closes.
    if let Some(token) = stray.filter(|_| !cursor.is_cut()) {
        let at = cursor.source().text(token.span);
        return Err(Fault { message: format!("syntax error at `{at}`"), span: token.span });
    }
    if !complete {
        cursor.note_unknown();
    }
    Ok(())
}
