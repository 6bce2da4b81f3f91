//! The walk itself.

use super::super::cast;
use super::super::words::{self, Lower};
use super::{Clause, Subquery, Survey};
use crate::model::name::{Ident, Name};
use crate::model::operation::Persistence;
use crate::sql::lex::{Token, TokenKind};
use crate::sql::recognise::keyword;
use crate::text::SourceFile;

/// The state between two tokens.
pub(super) struct Walk<'a> {
    source: &'a SourceFile,
    tokens: &'a [Token],
    at: usize,
    /// Innermost last, never empty.
    frames: Vec<Frame>,
    /// Whether an operand comes next, rather than an operator.
    operand: bool,
    /// The place behind the last name that a target was given: no second one may follow.
    label: Option<usize>,
    found: Survey,
}

/// What stands between two brackets.
#[derive(Debug)]
struct Frame {
    /// Index of the first token inside.
    from: usize,
    kind: Kind,
    clause: Clause,
    /// SELECT or another statement was seen.
    query: bool,
    limited: bool,
    /// Names of CTEs that are in scope.
    ctes: Vec<Ident>,
    /// The CTE that is being written, and whether its body comes next.
    pending: Option<Ident>,
    body_next: bool,
    recursive: bool,
    /// The statement that changes data.
    statement: Statement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// CAST (expression AS type).
    Cast,
    /// The body of a CTE.
    Cte,
    /// DISTINCT ON (...): the first target follows.
    DistinctOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    Query,
    Insert,
    Update,
    Delete,
    Merge,
}

impl Frame {
    fn new(from: usize, kind: Kind) -> Self {
        Self {
            from,
            kind,
            clause: Clause::Start,
            query: false,
            limited: false,
            ctes: Vec::new(),
            pending: None,
            body_next: false,
            recursive: false,
            statement: Statement::Query,
        }
    }
}

impl<'a> Walk<'a> {
    pub fn new(source: &'a SourceFile, tokens: &'a [Token]) -> Self {
        let found = Survey { complete: true, ..Survey::default() };
        Self { source, tokens, at: 0, frames: vec![Frame::new(0, Kind::Plain)], operand: true, label: None, found }
    }

    /// Walks to the end.
    pub fn run(mut self) -> Survey {
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Word => self.word(*token),
                TokenKind::QuotedIdent => self.quoted(),
                TokenKind::String | TokenKind::DollarString | TokenKind::Number | TokenKind::Parameter | TokenKind::Variable => {
                    self.value()
                }
                TokenKind::Operator => self.operator(*token),
                TokenKind::Punctuation => self.punctuation(*token),
                TokenKind::Comment => self.at += 1,
                TokenKind::Broken => {
                    self.found.complete = false;
                    self.at += 1;
                }
            }
        }
        if self.frames.len() > 1 {
            self.stray(self.frames[1].from - 1);
        }
        self.found.limited |= self.frames[0].limited;
        self.found
    }

    // Looking.

    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn clause(&self) -> Clause {
        self.frames[self.frames.len() - 1].clause
    }

    /// Enters a clause; one outside of all brackets is noted.
    fn enter(&mut self, clause: Clause) {
        if self.frames.len() == 1 {
            self.found.clauses.push((clause, self.at));
        }
        self.frame().clause = clause;
        self.operand = true;
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(|token| token.kind == TokenKind::Word && self.source.slice(token.span).eq_ignore_ascii_case(word.as_bytes()))
    }

    fn is_any(&self, ahead: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(ahead, word))
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| {
            matches!(token.kind, TokenKind::Punctuation | TokenKind::Operator) && self.source.slice(token.span) == mark.as_bytes()
        })
    }

    fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn is_name(&self, ahead: usize) -> bool {
        matches!(self.kind(ahead), Some(TokenKind::Word | TokenKind::QuotedIdent))
    }

    fn ident(&self, ahead: usize) -> Option<Ident> {
        words::ident(self.source, *self.tokens.get(self.at + ahead)?)
    }

    // Moving.

    fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.tokens.len());
    }

    /// Moves behind a bracket and all that it holds.
    fn skip_group(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.tokens.get(self.at) {
            if token.kind == TokenKind::Punctuation {
                match self.source.slice(token.span) {
                    b"(" | b"[" => depth += 1,
                    b")" | b"]" => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
        self.found.complete = false;
    }

    /// Notes that the token at this index cannot stand where it stands.
    fn stray(&mut self, index: usize) {
        self.found.complete = false;
        if self.found.stray.is_none() {
            self.found.stray = self.tokens.get(index).copied();
        }
    }

    /// Opens a frame at the bracket that comes next.
    fn open(&mut self, kind: Kind) {
        self.at += 1;
        self.frames.push(Frame::new(self.at, kind));
        self.operand = true;
    }

    /// A name with its parts; a star at its end is taken and gives `None` as the last part's place.
    fn chain(&mut self) -> Option<(Name, bool)> {
        let mut name = Name::bare(self.ident(0)?);
        self.at += 1;
        while self.is_mark(0, ".") {
            if self.is_mark(1, "*") {
                self.at += 2;
                return Some((name, true));
            }
            let Some(part) = self.ident(1) else {
                // `a.:variable`, `a.` at the end: what it names is unknown.
                self.found.complete = false;
                self.at += 1;
                break;
            };
            name = Name { schema: Some(name.name), name: part };
            self.at += 2;
        }
        Some((name, false))
    }

    // Tokens.

    fn value(&mut self) {
        // Two operands in a row, outside of brackets where a construct may have a syntax of its own.
        if !self.operand && self.frames.len() == 1 && self.clause().holds_expressions() {
            // A string may belong to a type with modifiers in front of it, a number belongs to nothing.
            if self.kind(0) == Some(TokenKind::Number) { self.stray(self.at) } else { self.found.complete = false }
        }
        if matches!(self.clause(), Clause::From { expected: true } | Clause::Target) && self.kind(0) == Some(TokenKind::Variable) {
            // A relation whose name psql puts in.
            self.found.complete = false;
            self.frame().clause = Clause::From { expected: false };
        }
        self.operand = false;
        self.at += 1;
    }

    fn operator(&mut self, token: Token) {
        self.at += 1;
        let symbol = self.source.slice(token.span);
        // `*` is a star where an operand is due, and noise behind a table.
        if symbol == b"*" && (self.operand || matches!(self.clause(), Clause::From { .. } | Clause::Target)) {
            self.operand = false;
            return;
        }
        self.found.operators.insert(self.source.text(token.span).into());
        self.operand = true;
    }

    fn punctuation(&mut self, token: Token) {
        match self.source.slice(token.span) {
            b"(" => self.parenthesis(),
            b"[" => self.open(Kind::Plain),
            b")" | b"]" => self.close(),
            b"," => self.comma(),
            b"::" => {
                self.at += 1;
                self.cast();
            }
            b"." => {
                // A field of what the bracket before it holds.
                self.skip(2);
                self.operand = false;
            }
            _ => {
                self.at += 1;
                self.operand = true;
            }
        }
    }

    /// A type; one that cannot be read leaves the walk where it is.
    fn cast(&mut self) {
        match cast::type_at(self.source, self.tokens, self.at) {
            Some((data_type, behind)) => {
                self.found.casts.insert(data_type);
                self.at = behind;
            }
            None => self.found.complete = false,
        }
        self.operand = false;
    }

    fn parenthesis(&mut self) {
        match self.clause() {
            Clause::With => self.parenthesis_in_with(),
            Clause::From { expected: true } => {
                self.open(Kind::Plain);
                let outer = self.frames.len() - 2;
                self.frames[outer].clause = Clause::From { expected: false };
                if !self.begins_query(0) {
                    self.frame().clause = Clause::From { expected: true };
                    self.frame().query = true;
                }
            }
            // The columns of an alias or of a function's rows.
            Clause::From { expected: false } => self.skip_group(),
            Clause::Target if !self.begins_query(1) => self.skip_group(),
            _ => self.open(Kind::Plain),
        }
    }

    fn begins_query(&self, ahead: usize) -> bool {
        self.is_any(ahead, &["select", "with", "values", "table"])
    }

    fn parenthesis_in_with(&mut self) {
        let frame = self.frame();
        if frame.body_next {
            frame.body_next = false;
            self.open(Kind::Cte);
        } else if frame.pending.is_some() {
            self.skip_group();
        } else {
            // The statement behind the CTEs, in brackets.
            self.frame().clause = Clause::Start;
            self.open(Kind::Plain);
        }
    }

    fn close(&mut self) {
        let to = self.at;
        self.at += 1;
        self.operand = false;
        if self.frames.len() == 1 {
            self.stray(to);
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        self.operand = frame.kind == Kind::DistinctOn;
        if frame.query {
            while self.found.queries.last().is_some_and(|inner| inner.from > frame.from) {
                self.found.queries.pop();
            }
            self.found.queries.push(Subquery { from: frame.from, to, limited: frame.limited });
        }
        if frame.kind == Kind::Cte {
            let outer = self.frame();
            let name = outer.pending.take();
            outer.ctes.extend(name);
        }
    }

    fn comma(&mut self) {
        self.at += 1;
        self.operand = true;
        match self.clause() {
            Clause::From { .. } | Clause::On => self.frame().clause = Clause::From { expected: true },
            _ => {}
        }
    }

    fn quoted(&mut self) {
        match self.clause() {
            Clause::With => self.with_name(),
            Clause::From { expected } => self.relation(expected),
            Clause::Target => self.skip(1),
            _ if self.operand => self.operand_name(),
            _ => self.skip(1),
        }
    }

    /// A column, a call, or a literal with its type in front.
    fn operand_name(&mut self) {
        let start = self.at;
        let Some((name, star)) = self.chain() else {
            self.found.complete = false;
            self.at += 1;
            return;
        };
        if star {
            self.operand = false;
        } else if self.is_mark(0, "(") {
            self.found.calls.insert(name);
            self.open(Kind::Plain);
        } else if matches!(self.kind(0), Some(TokenKind::String | TokenKind::Variable)) {
            self.at = start;
            self.typed_literal();
        } else if self.is_mark(0, "=>") || self.is_mark(0, ":=") {
            self.skip(1);
        } else {
            self.found.columns.insert(name.name);
            self.operand = false;
        }
    }

    /// A relation or function in FROM, or the alias behind one.
    fn relation(&mut self, expected: bool) {
        if !expected {
            self.found.aliases.extend(self.ident(0));
            self.skip(1);
            return;
        }
        let Some((name, _)) = self.chain() else {
            self.found.complete = false;
            self.at += 1;
            return;
        };
        self.frame().clause = Clause::From { expected: false };
        self.operand = false;
        if self.is_mark(0, "(") {
            if name.schema.is_some() || !words::is_construct(name.name.as_str()) {
                self.found.calls.insert(name);
            }
            self.open(Kind::Plain);
            return;
        }
        if name.schema.is_none() && words::is_niladic(name.name.as_str()) && self.tokens[self.at - 1].kind == TokenKind::Word {
            self.found.calls.insert(name);
            return;
        }
        self.found.aliases.insert(name.name.clone());
        if name.schema.is_some() || !self.frames.iter().any(|frame| frame.ctes.contains(&name.name)) {
            self.found.reads.insert(name);
        }
    }

    /// A word in the list of CTEs: the last one before AS or a column list is the name.
    fn with_name(&mut self) {
        let name = self.ident(0);
        let frame = self.frame();
        if !frame.body_next {
            frame.pending = name;
        }
        self.skip(1);
    }

    fn word(&mut self, token: Token) {
        let lower = Lower::of(self.source.slice(token.span));
        let word = lower.as_str();
        match self.clause() {
            Clause::With => self.word_in_with(word),
            Clause::From { expected } => self.word_in_from(word, expected),
            Clause::Target => self.word_in_target(word),
            Clause::Locking => self.skip(1),
            _ => self.word_in_expression(word),
        }
    }

    fn word_in_with(&mut self, word: &str) {
        let frame = self.frame();
        let between = frame.pending.is_none() && !frame.ctes.is_empty();
        match word {
            "recursive" if frame.pending.is_none() => {
                frame.recursive = true;
                self.skip(1);
            }
            "as" => {
                frame.body_next = true;
                if frame.recursive {
                    let name = frame.pending.clone();
                    frame.ctes.extend(name);
                }
                self.skip(1);
            }
            "select" | "values" | "table" | "insert" | "update" | "delete" | "merge" if between => {
                // Behind a comma the word would be a name.
                if self.at > 0 && self.source.slice(self.tokens[self.at - 1].span) == b"," {
                    self.with_name();
                } else {
                    self.frame().clause = Clause::Start;
                    self.word_in_expression(word);
                }
            }
            _ => self.with_name(),
        }
    }

    fn word_in_from(&mut self, word: &str, expected: bool) {
        match word {
            "lateral" | "only" if expected => self.skip(1),
            "rows" if expected && self.is_word(1, "from") => {
                self.skip(2);
                self.frame().clause = Clause::From { expected: false };
                if self.is_mark(0, "(") {
                    self.open(Kind::Plain);
                }
            }
            "select" | "values" | "with" | "table" if expected && self.begins_query(0) => {
                self.frame().clause = Clause::Start;
                self.word_in_expression(word);
            }
            "join" => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "cross" | "inner" | "left" | "right" | "full" | "outer" | "natural" if !expected => self.skip(1),
            "as" => self.skip(1),
            "with" if self.is_word(1, "ordinality") => self.skip(2),
            "tablesample" => {
                self.skip(1);
                self.sampling();
            }
            "using" if self.is_mark(1, "(") => {
                self.skip(1);
                self.joined_columns();
            }
            "on" => {
                if self.is_word(1, "conflict") {
                    self.word_in_expression(word);
                } else {
                    self.enter(Clause::On);
                    self.skip(1);
                }
            }
            _ if ends_from(word) => self.word_in_expression(word),
            _ => self.relation(expected),
        }
    }

    /// JOIN ... USING (columns).
    fn joined_columns(&mut self) {
        let from = self.at;
        self.skip_group();
        for token in &self.tokens[from..self.at] {
            self.found.columns.extend(token.ident(self.source));
        }
    }

    /// TABLESAMPLE method (...) [REPEATABLE (...)]: its arguments are expressions.
    fn sampling(&mut self) {
        self.chain();
        if self.is_mark(0, "(") {
            self.open(Kind::Plain);
        }
    }

    /// The table that a statement changes, up to its next clause.
    fn word_in_target(&mut self, word: &str) {
        match word {
            "using" => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "for" if self.is_word(1, "portion") => {
                // FOR PORTION OF column FROM a TO b (19): words around two expressions, both without columns.
                self.skip(4);
            }
            "overriding" => self.skip(3),
            "default" => self.skip(2),
            "as" => self.skip(2),
            "select" | "values" | "with" | "table" | "where" | "returning" | "set" | "on" => self.word_in_expression(word),
            _ => {
                self.found.aliases.extend(self.ident(0));
                self.skip(1);
            }
        }
    }

    /// INSERT INTO, UPDATE, DELETE FROM, MERGE INTO: the table behind the words.
    fn statement(&mut self, statement: Statement, words: usize) {
        self.enter(Clause::Target);
        self.skip(words);
        if self.is_word(0, "only") {
            self.skip(1);
        }
        let frame = self.frame();
        frame.statement = statement;
        frame.query = true;
        let bracket = self.is_mark(0, "(");
        self.skip(usize::from(bracket));
        match self.chain() {
            Some((name, _)) => {
                self.found.aliases.insert(name.name.clone());
                self.found.writes.insert(name);
            }
            None => self.found.complete = false,
        }
        self.skip(usize::from(bracket));
    }

    fn word_in_expression(&mut self, word: &str) {
        if self.clause_word(word) || self.operator_word(word) {
            return;
        }
        if self.operand { self.operand_word(word) } else { self.trailing_word(word) }
    }

    /// Words that open a clause; false if this one does not, here.
    fn clause_word(&mut self, word: &str) -> bool {
        let query = self.frame().query;
        let statement = self.frame().statement;
        let start = self.clause() == Clause::Start && self.frame().from == self.at || query && self.clause() == Clause::Start;
        match word {
            "select" if self.clause() == Clause::Conflict => self.skip(1),
            "select" => {
                self.enter(Clause::Targets);
                self.frame().query = true;
                self.skip(1);
                if self.is_word(0, "all") {
                    self.skip(1);
                }
                if self.is_word(0, "distinct") {
                    let on = self.is_word(1, "on") && self.is_mark(2, "(");
                    self.skip(if on { 2 } else { 1 });
                    if on {
                        self.open(Kind::DistinctOn);
                    }
                }
            }
            "from" if query => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "where" => {
                self.enter(Clause::Where);
                self.skip(1);
                if self.is_word(0, "current") && self.is_word(1, "of") {
                    self.skip(3);
                    self.operand = false;
                }
            }
            "partition" if !self.is_word(1, "by") => return false,
            "group" | "having" | "window" | "order" | "partition" | "offset" => {
                self.enter(Clause::Tail);
                self.skip(if self.is_word(1, "by") { 2 } else { 1 });
            }
            "limit" | "fetch" => {
                let all = self.is_any(1, &["all", "null"]);
                self.enter(Clause::Tail);
                self.frame().limited |= !all;
                // FIRST or NEXT.
                self.skip(if word == "fetch" { 2 } else { 1 });
            }
            "for" if query => {
                self.found.locks_rows |= self.is_any(1, &["update", "no", "share", "key"]);
                self.enter(Clause::Locking);
                self.skip(1);
            }
            "union" | "intersect" | "except" => {
                self.frame().query = true;
                self.enter(Clause::Start);
                self.skip(if self.is_any(1, &["all", "distinct"]) { 2 } else { 1 });
            }
            "values" if self.is_mark(1, "(") => {
                self.frame().query = true;
                self.enter(Clause::Values);
                self.skip(1);
            }
            "table" => {
                self.frame().query = true;
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "with" if start || self.clause() == Clause::Target => {
                self.frame().query = true;
                self.enter(Clause::With);
                self.skip(1);
            }
            "insert" if start && self.is_word(1, "into") => self.statement(Statement::Insert, 2),
            "merge" if start && self.is_word(1, "into") => self.statement(Statement::Merge, 2),
            "delete" if start && self.is_word(1, "from") => self.statement(Statement::Delete, 2),
            "update" if start && self.is_name(1) => self.statement(Statement::Update, 1),
            "into" if query => self.select_into(),
            "set" if statement != Statement::Query && !matches!(self.clause(), Clause::Set | Clause::Targets) => {
                self.enter(Clause::Set);
                self.skip(1);
            }
            "returning" if statement != Statement::Query => {
                self.enter(Clause::Returning);
                self.skip(1);
                // RETURNING WITH (OLD AS o, NEW AS n) (18).
                if self.is_word(0, "with") && self.is_mark(1, "(") {
                    self.skip(1);
                    self.skip_group();
                }
            }
            "on" if self.is_word(1, "conflict") && statement == Statement::Insert => {
                self.enter(Clause::Conflict);
                self.skip(2);
                if self.is_word(0, "on") {
                    self.skip(3);
                }
            }
            "do" => self.skip(if self.is_any(1, &["nothing", "update", "select"]) { 2 } else { 1 }),
            "when" if statement == Statement::Merge && self.is_any(1, &["matched", "not"]) && self.is_merge_when() => {
                self.enter(Clause::When);
                self.skip(1);
                while self.is_any(0, &["not", "matched", "by", "source", "target"]) {
                    self.skip(1);
                }
            }
            "then" if self.clause() == Clause::When && self.is_any(1, &["insert", "update", "delete", "do"]) => self.merge_action(),
            "join" | "cross" | "inner" | "natural" | "left" | "right" | "full" if self.clause() == Clause::On && !self.operand => {
                self.frame().clause = Clause::From { expected: false };
                self.word_in_from(word, false);
            }
            _ => return false,
        }
        true
    }

    fn is_merge_when(&self) -> bool {
        self.is_word(1, "matched") || self.is_word(2, "matched")
    }

    /// What MERGE does with a row: the columns of INSERT are no expressions.
    fn merge_action(&mut self) {
        let insert = self.is_word(1, "insert");
        self.skip(2);
        self.operand = true;
        if insert && self.is_mark(0, "(") {
            self.skip_group();
        }
        if insert && self.is_word(0, "overriding") {
            self.skip(3);
        }
        if self.is_any(0, &["nothing"]) {
            self.skip(1);
        }
        if self.is_word(0, "default") && self.is_word(1, "values") {
            self.skip(2);
        }
    }

    /// SELECT ... INTO: the table is made, not read.
    fn select_into(&mut self) {
        self.enter(Clause::Into);
        self.skip(1);
        let mut persistence = Persistence::Permanent;
        loop {
            match self.ident(0) {
                // A word that is no name of a table if another name follows.
                Some(word) if self.is_name(1) && !self.is_any(1, &["from"]) => match word.as_str() {
                    "temporary" | "temp" => persistence = Persistence::Temporary,
                    "unlogged" => persistence = Persistence::Unlogged,
                    "local" | "global" | "table" => {}
                    _ => break,
                },
                _ => break,
            }
            self.skip(1);
        }
        match self.chain() {
            Some((name, _)) => self.found.into = Some((name, persistence)),
            None => {
                self.found.complete = false;
                self.skip(1);
            }
        }
        self.operand = false;
    }

    /// Words that are operators, or go with one; false if this one is none, here.
    fn operator_word(&mut self, word: &str) -> bool {
        match word {
            "and" | "or" | "not" | "like" | "ilike" | "in" | "between" => {
                self.found.operators.insert(word.into());
                self.operand = true;
                self.skip(1);
            }
            "similar" | "overlaps" if !self.operand => {
                self.found.operators.insert(if word == "similar" { "similar to" } else { word }.into());
                self.operand = true;
                self.skip(if word == "similar" { 2 } else { 1 });
            }
            "is" | "isnull" | "notnull" if !self.operand => self.test(word),
            "escape" | "uescape" if !self.operand => {
                self.operand = true;
                self.skip(1);
            }
            "at" if !self.operand && (self.is_word(1, "time") || self.is_word(1, "local")) => {
                self.found.calls.insert(Name::bare(Ident::folded("timezone")));
                self.operand = self.is_word(1, "time");
                self.skip(if self.operand { 3 } else { 2 });
            }
            "operator" if self.is_mark(1, "(") => {
                self.skip(2);
                while self.at < self.tokens.len() && !self.is_mark(0, ")") {
                    if self.kind(0) == Some(TokenKind::Operator) {
                        self.found.operators.insert(self.source.text(self.tokens[self.at].span).into());
                    }
                    self.skip(1);
                }
                self.skip(1);
                self.operand = true;
            }
            "case" | "when" | "then" | "else" | "any" | "some" | "all" | "distinct" | "variadic" | "symmetric" | "asymmetric" | "both"
            | "leading" | "trailing" | "placing" | "from" | "for" | "to" | "on" | "using" | "by" => {
                self.operand = true;
                self.skip(1);
            }
            _ => return false,
        }
        true
    }

    /// IS and all that may follow it.
    fn test(&mut self, word: &str) {
        self.found.operators.insert("is".into());
        self.skip(1);
        self.operand = false;
        if word != "is" {
            return;
        }
        if self.is_word(0, "not") {
            self.skip(1);
        }
        if self.is_word(0, "distinct") && self.is_word(1, "from") {
            self.skip(2);
            self.operand = true;
            return;
        }
        const TESTS: &[&str] = &[
            "null",
            "true",
            "false",
            "unknown",
            "document",
            "normalized",
            "nfc",
            "nfd",
            "nfkc",
            "nfkd",
            "json",
            "value",
            "scalar",
            "array",
            "object",
            "with",
            "without",
            "unique",
            "keys",
        ];
        while self.is_any(0, TESTS) {
            self.skip(1);
        }
    }

    /// A word where an operand is due.
    fn operand_word(&mut self, word: &str) {
        match word {
            "null" | "true" | "false" | "default" | "end" => {
                self.operand = false;
                self.skip(1);
            }
            "cast" | "treat" if self.is_mark(1, "(") => {
                self.skip(1);
                self.open(Kind::Cast);
            }
            "array" => self.skip(1),
            "grouping" if self.is_word(1, "sets") => self.skip(2),
            "rollup" | "cube" if self.clause() == Clause::Tail => self.skip(1),
            // The frame of a window.
            "unbounded" | "current" if self.is_any(1, &["preceding", "following", "row"]) => {
                self.operand = false;
                self.skip(2);
            }
            "as" => self.alias(),
            _ if words::is_niladic(word) => {
                self.found.calls.insert(Name::bare(Ident::folded(word)));
                self.skip(1);
                if self.is_mark(0, "(") {
                    self.skip_group();
                }
                self.operand = false;
            }
            _ if self.begins_typed_literal(word) => self.typed_literal(),
            _ if words::is_construct(word) && self.is_mark(1, "(") => {
                if let Some(function) = words::function_of(word) {
                    self.found.calls.insert(Name::bare(Ident::folded(function)));
                }
                self.skip(1);
                self.open(Kind::Plain);
                if word == "extract" && self.is_word(1, "from") {
                    self.skip(1);
                }
            }
            _ if keyword::names_a_column(word) || self.is_mark(1, "(") => self.operand_name(),
            _ => self.skip(1),
        }
    }

    /// Types of several words in front of a literal: `timestamp with time zone '...'`.
    fn begins_typed_literal(&self, word: &str) -> bool {
        match word {
            "interval" | "double" | "time" | "timestamp" | "character" | "national" | "bit" | "char" | "varchar" | "numeric" => {
                let behind = cast::type_at(self.source, self.tokens, self.at).map(|(_, behind)| behind);
                behind.is_some_and(|at| self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::String))
            }
            _ => false,
        }
    }

    fn typed_literal(&mut self) {
        self.cast();
        if matches!(self.kind(0), Some(TokenKind::String | TokenKind::Variable)) {
            self.skip(1);
        }
        while self.is_any(0, &["year", "month", "day", "hour", "minute", "second", "to"]) {
            self.skip(1);
            if self.is_mark(0, "(") {
                self.skip_group();
            }
        }
        self.operand = false;
    }

    /// A word behind an operand.
    fn trailing_word(&mut self, word: &str) {
        match word {
            "as" => self.alias(),
            "collate" => {
                self.skip(1);
                self.chain();
            }
            "over" => {
                self.skip(1);
                if self.is_mark(0, "(") { self.open(Kind::Plain) } else { self.skip(1) }
            }
            "filter" if self.is_mark(1, "(") => {
                self.skip(1);
                self.open(Kind::Plain);
            }
            "rows" | "range" | "groups" => {
                self.operand = true;
                self.skip(1);
            }
            "asc" | "desc" | "nulls" | "within" | "respect" | "ignore" | "end" => self.skip(1),
            _ => {
                let may_name = matches!(self.clause(), Clause::Targets | Clause::Returning) && self.label != Some(self.at);
                if self.frames.len() == 1 && self.clause().holds_expressions() && !may_name {
                    self.stray(self.at);
                }
                self.skip(1);
                self.label = Some(self.at);
            }
        }
    }

    /// AS: the type of a CAST, the columns of a function's rows, or a name for what stands before it.
    fn alias(&mut self) {
        self.skip(1);
        if self.frame().kind == Kind::Cast {
            self.cast();
        } else if self.is_mark(0, "(") {
            // A window's definition holds expressions.
            if self.clause() == Clause::Tail { self.open(Kind::Plain) } else { self.skip_group() }
        } else {
            self.skip(1);
            self.operand = false;
            self.label = Some(self.at);
        }
    }
}

/// Words that end FROM where they stand.
fn ends_from(word: &str) -> bool {
    matches!(
        word,
        "where"
            | "group"
            | "having"
            | "window"
            | "order"
            | "limit"
            | "offset"
            | "fetch"
            | "for"
            | "union"
            | "intersect"
            | "except"
            | "returning"
            | "when"
            | "set"
            | "into"
            | "select"
            | "using"
    )
}
