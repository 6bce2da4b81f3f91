//! An UPDATE or DELETE, and the places in it where a batch's condition goes. Its own text stays as it was written.

use crate::model::name::{Ident, Name};
use crate::model::operation::Operation;
use crate::sql::Statement;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};

/// A statement that can be restricted to some rows of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The table.
    pub table: Name,
    /// Rows of tables that inherit from it are left alone.
    pub only: bool,
    /// Columns that it sets; none of a deletion.
    pub sets: Vec<Ident>,
    /// It removes rows.
    pub deletes: bool,
    /// Which rows it changes, as written; `None`: all.
    pub predicate: Option<&'a str>,
    /// What its table is called in it, as written.
    pub qualifier: &'a str,
    /// `ONLY orders AS o`, as written.
    target: &'a str,
    /// What stands behind FROM or USING, as written.
    from: Option<&'a str>,
    /// Everything before WHERE.
    head: &'a str,
}

/// Why a statement cannot be run in batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub why: &'static str,
    /// What to do.
    pub help: &'static str,
    /// The place.
    pub span: Span,
}

/// Reads a statement.
///
/// # Errors
/// It is no UPDATE or DELETE of one table, or of a shape into which no condition can be put.
pub fn read<'a>(source: &'a SourceFile, statement: &Statement) -> Result<Change<'a>, Refused> {
    let tokens: Vec<_> = Lexer::new(source, statement.span).collect();
    Reader { source, tokens: &tokens, at: 0, whole: statement.span }.change(statement)
}

struct Reader<'a, 't> {
    source: &'a SourceFile,
    tokens: &'t [Token],
    at: usize,
    whole: Span,
}

const ONE_TABLE: &str = "only UPDATE and DELETE of one table are run in batches";

impl<'a> Reader<'a, '_> {
    fn change(&mut self, statement: &Statement) -> Result<Change<'a>, Refused> {
        if self.sees("with") {
            return self.refuse(
                "a statement that begins with WITH cannot be run in batches: what stands in it would be run for each of them",
                "write what it selects into FROM or USING, or as a subquery of WHERE",
            );
        }
        let [operation] = &statement.operations[..] else { return self.refuse(ONE_TABLE, "write it as one") };
        let (table, only, sets, current_of) = match &operation.what {
            Operation::Update(update) => (&update.table, update.only, update.columns.clone(), update.current_of),
            Operation::Delete(delete) => (&delete.table, delete.only, Vec::new(), delete.current_of),
            _ => return self.refuse(ONE_TABLE, "a DO block with a loop that commits runs as it is"),
        };
        if current_of {
            return self.refuse("WHERE CURRENT OF changes the one row of a cursor", "name the rows by their columns");
        }
        let deletes = self.sees("delete");
        self.at += if deletes { 2 } else { 1 };
        let begin = self.at;
        let qualifier = self.target()?;
        let target = self.text(begin, self.at);
        self.clauses(Change { table: table.clone(), only, sets, deletes, predicate: None, qualifier, target, from: None, head: "" })
    }

    /// `ONLY (shop.orders) * AS o`: what its columns are qualified with.
    fn target(&mut self) -> Result<&'a str, Refused> {
        self.skip("only");
        let in_parentheses = self.skip("(");
        let mut name = self.take_name()?;
        while self.skip(".") {
            name = self.take_name()?;
        }
        if in_parentheses {
            self.skip(")");
        }
        self.skip("*");
        let alias =
            self.skip("as") || !(self.at == self.tokens.len() || ["set", "using", "where", "returning"].iter().any(|word| self.sees(word)));
        if alias { self.take_name() } else { Ok(name) }
    }

    fn clauses(&mut self, mut change: Change<'a>) -> Result<Change<'a>, Refused> {
        let rest = self.at;
        let joins = if change.deletes { "using" } else { "from" };
        if !change.deletes && !self.sees("set") {
            return self.refuse("this form of UPDATE cannot be run in batches", "UPDATE table SET ... WHERE ...");
        }
        let (mut from, mut filter, mut depth) = (None, None, 0u32);
        for at in rest..self.tokens.len() {
            self.at = at;
            let behind_dot = at > 0 && self.is(at - 1, ".");
            match self.source.slice(self.tokens[at].span) {
                b"(" | b"[" => depth += 1,
                b")" | b"]" => depth = depth.saturating_sub(1),
                _ if depth > 0 || behind_dot || self.tokens[at].kind != TokenKind::Word => {}
                _ if self.sees("returning") => {
                    return self.refuse("the rows that RETURNING gives go nowhere here", "take RETURNING out");
                }
                _ if filter.is_none() && self.sees("where") => filter = Some(at),
                _ if filter.is_none() && from.is_none() && self.sees(joins) && !self.is(at - 1, "distinct") => from = Some(at),
                _ => {}
            }
        }
        let end = self.tokens.len();
        let before = filter.unwrap_or(end);
        change.predicate = filter.map(|filter| self.text(filter + 1, end));
        change.from = from.map(|from| self.text(from + 1, before));
        change.head = self.text(0, before);
        Ok(change)
    }

    fn take_name(&mut self) -> Result<&'a str, Refused> {
        match self.tokens.get(self.at) {
            Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) => {
                self.at += 1;
                Ok(self.text(self.at - 1, self.at))
            }
            _ => self.refuse(ONE_TABLE, "the name of a table is expected here"),
        }
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| {
            !matches!(token.kind, TokenKind::QuotedIdent | TokenKind::String)
                && self.source.slice(token.span).eq_ignore_ascii_case(word.as_bytes())
        })
    }

    fn sees(&self, word: &str) -> bool {
        self.is(self.at, word)
    }

    fn skip(&mut self, word: &str) -> bool {
        let sees = self.sees(word);
        self.at += usize::from(sees);
        sees
    }

    /// The text of some tokens, without what stands before and behind them.
    fn text(&self, from: usize, to: usize) -> &'a str {
        let span = match self.tokens.get(from..to) {
            Some([first, .., last]) => Span::new(first.span.start, last.span.end),
            Some([only]) => only.span,
            Some([]) | None => return "",
        };
        std::str::from_utf8(self.source.slice(span)).unwrap_or_default()
    }

    fn refuse<T>(&self, why: &'static str, help: &'static str) -> Result<T, Refused> {
        Err(Refused { why, help, span: self.tokens.get(self.at).map_or(self.whole, |token| token.span) })
    }
}

impl Change<'_> {
    /// The statement for the rows that `condition` lets through: one row, of how many it has changed, and of how many of them its own
    /// predicate is still true.
    pub fn of(&self, condition: &str) -> String {
        let Self { head, .. } = self;
        // Line ends keep a comment in the text from taking a parenthesis with it.
        let (and, again) = match self.predicate {
            Some(predicate) if self.deletes => (format!(" AND (\n{predicate}\n)"), "false".to_owned()),
            Some(predicate) => (format!(" AND (\n{predicate}\n)"), format!("(\n{predicate}\n) IS TRUE")),
            None => (String::new(), "false".to_owned()),
        };
        format!(
            "WITH lockkeeper_batch AS (\n{head}\nWHERE ({condition}){and}\nRETURNING {again} AS lockkeeper_again\n) \
             SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE lockkeeper_again) FROM lockkeeper_batch"
        )
    }

    /// How many rows still wait for it; `None`: it does not say which rows do.
    pub fn left(&self) -> Option<String> {
        let predicate = self.predicate?;
        let from = self.from.map_or(String::new(), |from| format!(",\n{from}"));
        Some(format!("SELECT pg_catalog.count(*) FROM {}{from}\nWHERE (\n{predicate}\n)", self.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn spliced(sql: &str) -> String {
        let source = SourceFile::new("m.sql", sql);
        let script = crate::sql::read(&source, Span::new(0, sql.len() as u32));
        let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match read(&source, &script.statements[0]) {
            Ok(change) => {
                let batch = one_line(change.of(&format!("{}.id > 7", change.qualifier)));
                let batch = batch.trim_start_matches("WITH lockkeeper_batch AS ( ");
                let batch = batch.split(" ) SELECT pg_catalog.count(*), ").next().unwrap_or_default().to_owned();
                format!("{batch}\n{}", change.left().map_or("no end".to_owned(), one_line))
            }
            Err(refused) => format!("{} <- {}", refused.why, source.text(refused.span)),
        }
    }

    #[test]
    fn the_condition_goes_before_the_users_own() {
        assert_snapshot!(spliced("UPDATE orders SET n = n + 1"), @r"
        UPDATE orders SET n = n + 1 WHERE (orders.id > 7) RETURNING false AS lockkeeper_again
        no end
        ");
        assert_snapshot!(spliced("UPDATE ONLY shop.\"Orders\" AS o SET state = 'open' WHERE o.state IS NULL OR o.state = ''"), @r#"
        UPDATE ONLY shop."Orders" AS o SET state = 'open' WHERE (o.id > 7) AND ( o.state IS NULL OR o.state = '' ) RETURNING ( o.state IS NULL OR o.state = '' ) IS TRUE AS lockkeeper_again
        SELECT pg_catalog.count(*) FROM ONLY shop."Orders" AS o WHERE ( o.state IS NULL OR o.state = '' )
        "#);
        assert_snapshot!(spliced("DELETE FROM shop.drafts * WHERE made < '2020-01-01' -- old\n"), @"
        DELETE FROM shop.drafts * WHERE (drafts.id > 7) AND ( made < '2020-01-01' ) RETURNING false AS lockkeeper_again
        SELECT pg_catalog.count(*) FROM shop.drafts * WHERE ( made < '2020-01-01' )
        ");
    }

    #[test]
    fn other_tables_stay_where_they_are() {
        assert_snapshot!(spliced("UPDATE orders o SET buyer = u.id FROM users u JOIN teams USING (team) WHERE u.email = o.email AND o.buyer IS DISTINCT FROM u.id"), @"
        UPDATE orders o SET buyer = u.id FROM users u JOIN teams USING (team) WHERE (o.id > 7) AND ( u.email = o.email AND o.buyer IS DISTINCT FROM u.id ) RETURNING ( u.email = o.email AND o.buyer IS DISTINCT FROM u.id ) IS TRUE AS lockkeeper_again
        SELECT pg_catalog.count(*) FROM orders o, users u JOIN teams USING (team) WHERE ( u.email = o.email AND o.buyer IS DISTINCT FROM u.id )
        ");
        assert_snapshot!(spliced("DELETE FROM drafts d USING users WHERE users.id = d.owner AND users.gone"), @"
        DELETE FROM drafts d USING users WHERE (d.id > 7) AND ( users.id = d.owner AND users.gone ) RETURNING false AS lockkeeper_again
        SELECT pg_catalog.count(*) FROM drafts d, users WHERE ( users.id = d.owner AND users.gone )
        ");
    }

    #[test]
    fn words_in_subqueries_names_and_operators_are_no_clauses() {
        assert_snapshot!(spliced("UPDATE orders SET moved = a IS DISTINCT FROM b, n = (SELECT 1 FROM x WHERE y), m = (r).where, k = c[(SELECT 1 WHERE true)]"), @"
        UPDATE orders SET moved = a IS DISTINCT FROM b, n = (SELECT 1 FROM x WHERE y), m = (r).where, k = c[(SELECT 1 WHERE true)] WHERE (orders.id > 7) RETURNING false AS lockkeeper_again
        no end
        ");
        assert_snapshot!(spliced("UPDATE \"where\" SET \"from\" = 1 WHERE \"returning\" IS NULL"), @r#"
        UPDATE "where" SET "from" = 1 WHERE ("where".id > 7) AND ( "returning" IS NULL ) RETURNING ( "returning" IS NULL ) IS TRUE AS lockkeeper_again
        SELECT pg_catalog.count(*) FROM "where" WHERE ( "returning" IS NULL )
        "#);
    }

    #[test]
    fn what_cannot_be_spliced_is_refused_at_its_place() {
        assert_snapshot!(spliced("WITH old AS (SELECT 1) UPDATE orders SET n = 1"), @"a statement that begins with WITH cannot be run in batches: what stands in it would be run for each of them <- WITH");
        assert_snapshot!(spliced("DELETE FROM drafts WHERE id < 9 RETURNING id"), @"the rows that RETURNING gives go nowhere here <- RETURNING");
        assert_snapshot!(spliced("UPDATE orders SET n = 1 WHERE CURRENT OF walk"), @"WHERE CURRENT OF changes the one row of a cursor <- UPDATE");
        assert_snapshot!(spliced("INSERT INTO orders SELECT * FROM drafts"), @"only UPDATE and DELETE of one table are run in batches <- INSERT");
    }
}
