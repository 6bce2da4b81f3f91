//! The story so far: what the migrations have done that later ones are judged by, and where. One operation moves it on.
//!
//! The catalog knows what exists; the story knows what came of what: which column was copied into which, which trigger keeps two of them
//! equal, which file made a relation first. What files of one release do shares one [`Step`].

mod trigger;

use crate::model::catalog::{Catalog, Step};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, CreateTrigger, InsertSource, ObjectKind, Operation, Persistence, Update};
use crate::sql::lex::{Lexer, Token};
use crate::sql::{Statement, body};
use crate::text::SourceFile;
use foldhash::{HashMap, HashSet};
use std::sync::Arc;
pub use trigger::Body;

/// What the migrations so far have done.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// How many files have begun.
    files: u32,
    /// By table and column: those that were copied into columns which came later.
    copies: HashMap<QualifiedName, HashMap<Ident, Vec<Copied>>>,
    /// By table: where its rows went to another one, last.
    table_copies: HashMap<QualifiedName, Deed>,
    /// By table: the first copy into a column that the same release adds.
    filled: HashMap<QualifiedName, (Ident, Deed)>,
    /// By table: the columns that a release adds to it.
    added: HashMap<QualifiedName, (Step, Vec<(Ident, Deed)>)>,
    /// By name: what trigger functions do with the row.
    bodies: HashMap<Ident, Arc<Body>>,
    /// By table: triggers that keep, or kept, two of its columns equal.
    syncs: HashMap<QualifiedName, Vec<Sync>>,
    /// Relations that were surely not there before: where they were made.
    made: HashMap<QualifiedName, Deed>,
    /// Relations that were dropped or renamed, and not made again.
    gone: HashSet<QualifiedName>,
    /// Tables by their bare names, `None` for all of them: the number of the last file that gathers their statistics.
    analysed: HashMap<Option<Ident>, u32>,
    /// DO blocks of this file and the one before it, by the number of the file: they may ask whether the rows allow what follows.
    asked: Vec<(u32, Arc<str>)>,
}

/// Something that a statement did.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The migration, or the release.
    pub step: Step,
    /// The number of the file, from 1, and of the statement in it.
    pub at: (u32, usize),
    source: Arc<SourceFile>,
    offset: u32,
}

/// A column whose values were copied into another one.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The table and column that were set.
    pub into: (QualifiedName, Ident),
    /// The migration that added that column.
    pub added_in: Step,
    /// It is set to nothing but the other one's value.
    pub plainly: bool,
    /// The UPDATE.
    pub deed: Deed,
}

/// A trigger that keeps two columns of its table equal.
#[derive(Clone, Debug)]
pub struct Sync {
    /// The trigger.
    pub trigger: Ident,
    /// The column that was there first.
    pub old: Ident,
    /// The one that came later.
    pub new: Ident,
    /// CREATE TRIGGER.
    pub deed: Deed,
}

impl Deed {
    /// Where it stands, for a reader of `file`: `line 3`, or with the path if that is another one.
    pub fn place(&self, file: &SourceFile) -> String {
        let line = self.source.place(self.offset).line;
        match self.source.path() == file.path() {
            true => format!("line {line}"),
            false => format!("{}:{line}", self.source.path().display()),
        }
    }
}

/// The place of an operation: its statement in a file.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The file.
    pub source: &'a Arc<SourceFile>,
    /// The statement, and its index.
    pub statement: (&'a Statement, usize),
    /// The migration, or the release.
    pub step: Step,
}

impl Story {
    /// A new file begins.
    pub fn begin_file(&mut self) {
        self.files += 1;
        self.asked.retain(|(file, _)| file + 1 >= self.files);
    }

    /// Whether a DO block of this file, or of the one before it, asks this.
    pub fn has_asked(&self, query: &str) -> bool {
        self.asked.iter().any(|(_, block)| block.contains(query))
    }

    /// The number of the file that has begun last.
    pub fn file(&self) -> u32 {
        self.files
    }

    /// The number of the last file that gathers statistics of a table of this name, 0 if none does.
    pub fn analysed_in(&self, table: &Ident) -> u32 {
        let of = |table| self.analysed.get(&table).copied().unwrap_or_default();
        of(Some(table.clone())).max(of(None))
    }

    /// Takes note of an operation, before `catalog` does.
    pub fn note(&mut self, operation: &Operation, catalog: &Catalog, telling: Telling<'_>) {
        match operation {
            Operation::Update(update) => self.note_update(update, catalog, telling),
            Operation::Analyze { table } | Operation::Vacuum { table, analyze: true, .. } => {
                self.analysed.insert(table.as_ref().map(|table| table.name.clone()), self.files);
            }
            Operation::Insert(insert) if matches!(insert.source, InsertSource::Query { .. }) => {
                self.note_rows(&insert.reads, &insert.table, catalog, telling);
            }
            Operation::CreateTableAs(create) => {
                self.note_made(&create.name, create.persistence, create.if_not_exists, catalog, telling);
                if create.persistence != Persistence::Temporary {
                    self.note_rows(&create.reads, &create.name, catalog, telling);
                }
            }
            Operation::CreateTable(create) => self.note_made(&create.name, create.persistence, create.if_not_exists, catalog, telling),
            Operation::CreateView(view) | Operation::CreateMaterializedView(view) => {
                let replaces = view.or_replace || view.if_not_exists;
                self.note_made(&view.name, Persistence::Permanent, replaces, catalog, telling);
            }
            Operation::CreateFunction(function) if function.returns_trigger => {
                let body = function.body.map_or_else(Body::default, |span| Body::read(&body::code(telling.source, span)));
                self.bodies.insert(function.name.name.clone(), Arc::new(body));
            }
            Operation::DoBlock { body: Some(body), .. } => self.asked.push((self.files, telling.source.text(*body).into())),
            Operation::CreateTrigger(trigger) => self.note_trigger(trigger, catalog, telling),
            Operation::Alter(target, action) => self.note_alter(&catalog.resolve(&target.name), action, telling),
            Operation::Drop(drop) => match drop.object {
                ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
                    self.forget(&catalog.resolve(&drop.name));
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn deed(&self, telling: Telling<'_>) -> Deed {
        let (statement, index) = telling.statement;
        Deed { step: telling.step, at: (self.files, index), source: Arc::clone(telling.source), offset: statement.span.start }
    }

    fn note_made(&mut self, name: &Name, persistence: Persistence, or_not: bool, catalog: &Catalog, telling: Telling<'_>) {
        let name = catalog.creation_name(name, persistence);
        let was_there = or_not || self.gone.remove(&name);
        if !was_there && !self.made.contains_key(&name) {
            self.made.insert(name, self.deed(telling));
        }
    }

    fn forget(&mut self, name: &QualifiedName) {
        self.copies.remove(name);
        self.table_copies.remove(name);
        self.filled.remove(name);
        self.added.remove(name);
        self.syncs.remove(name);
        self.gone.insert(name.clone());
    }

    /// Rows of some tables go to another one that stays.
    fn note_rows(&mut self, reads: &[Name], into: &Name, catalog: &Catalog, telling: Telling<'_>) {
        let into = catalog.resolve(into);
        if catalog.get(&into).is_some_and(|relation| relation.persistence == Persistence::Temporary) {
            return;
        }
        for read in reads.iter().map(|read| catalog.resolve(read)).filter(|read| *read != into) {
            self.table_copies.insert(read, self.deed(telling));
        }
    }

    /// An UPDATE that sets columns which came later than their table copies what else it names.
    fn note_update(&mut self, update: &Update, catalog: &Catalog, telling: Telling<'_>) {
        let target = catalog.resolve(&update.table);
        let Some(relation) = catalog.get(&target) else { return };
        let came_later = |name: &&Ident| {
            relation.column(name).is_some_and(|column| relation.made_in != Some(column.added_in) && column.added_in != Step::BASE)
        };
        let into: Vec<&Ident> = update.columns.iter().filter(came_later).collect();
        if into.is_empty() {
            return;
        }
        let deed = self.deed(telling);
        let added_in = |name: &Ident| relation.column(name).map_or(Step::BASE, |column| column.added_in);
        if let Some(column) = into.iter().find(|name| added_in(name) == telling.step) {
            let known = self.filled.get(&target).is_some_and(|(_, known)| known.step == telling.step);
            if !known {
                self.filled.insert(target.clone(), ((*column).clone(), deed.clone()));
            }
        }
        let words: HashSet<Ident> = idents(telling).collect();
        let plain = plain_copies(telling);
        let mut tables: Vec<QualifiedName> = update.reads.iter().map(|read| catalog.resolve(read)).collect();
        tables.push(target.clone());
        for table in tables {
            let known = catalog.get(&table).filter(|known| known.complete);
            // Of the table itself, what is set is not what is read.
            let is_set = |word: &Ident| table == target && into.contains(&word);
            let is_column = |word: &&Ident| !is_set(word) && known.is_none_or(|known| known.column(word).is_some());
            let copies = self.copies.entry(table.clone()).or_default();
            for from in words.iter().filter(is_column) {
                let copies = copies.entry(from.clone()).or_default();
                for column in &into {
                    let into = (target.clone(), (*column).clone());
                    let plainly = plain.iter().any(|(a, b)| (a, b) == (from, *column));
                    copies.retain(|copied| copied.into != into);
                    copies.push(Copied { added_in: added_in(column), plainly, into, deed: deed.clone() });
                }
            }
        }
    }

    fn note_trigger(&mut self, trigger: &CreateTrigger, catalog: &Catalog, telling: Telling<'_>) {
        let Some((old, new)) = self.pair_of(trigger, catalog) else { return };
        let deed = self.deed(telling);
        self.syncs.entry(catalog.resolve(&trigger.table)).or_default().push(Sync { trigger: trigger.name.clone(), old, new, deed });
    }

    fn note_alter(&mut self, table: &QualifiedName, action: &AlterAction, telling: Telling<'_>) {
        match action {
            AlterAction::AddColumn { column, .. } => {
                let deed = self.deed(telling);
                let (step, columns) = self.added.entry(table.clone()).or_insert_with(|| (telling.step, Vec::new()));
                if *step != telling.step {
                    (*step, *columns) = (telling.step, Vec::new());
                }
                columns.push((column.name.clone(), deed));
            }
            AlterAction::RenameColumn { from, to, .. } => self.rename_column(table, from, to),
            AlterAction::RenameTo { to } => self.rename_table(table, QualifiedName { schema: table.schema.clone(), name: to.clone() }),
            _ => {}
        }
    }

    fn rename_column(&mut self, table: &QualifiedName, from: &Ident, to: &Ident) {
        let rename = |name: &mut Ident| {
            if name == from {
                *name = to.clone();
            }
        };
        if let Some(copies) = self.copies.get_mut(table) {
            copies.values_mut().flatten().filter(|copied| copied.into.0 == *table).for_each(|copied| rename(&mut copied.into.1));
            if let Some(copied) = copies.remove(from) {
                copies.insert(to.clone(), copied);
            }
        }
        for sync in self.syncs.get_mut(table).into_iter().flatten() {
            rename(&mut sync.old);
            rename(&mut sync.new);
        }
        // A name that was there before is known to everybody, whatever bears it now.
        self.added.get_mut(table).into_iter().for_each(|(_, columns)| columns.retain(|(name, _)| name != from));
    }

    fn rename_table(&mut self, from: &QualifiedName, to: QualifiedName) {
        fn rename<T>(map: &mut HashMap<QualifiedName, T>, from: &QualifiedName, to: &QualifiedName) {
            if let Some(value) = map.remove(from) {
                map.insert(to.clone(), value);
            }
        }
        rename(&mut self.copies, from, &to);
        rename(&mut self.table_copies, from, &to);
        rename(&mut self.filled, from, &to);
        rename(&mut self.added, from, &to);
        rename(&mut self.syncs, from, &to);
        let copies = self.copies.get_mut(&to).into_iter().flat_map(HashMap::values_mut).flatten();
        copies.filter(|copied| copied.into.0 == *from).for_each(|copied| copied.into.0 = to.clone());
        self.gone.remove(&to);
        self.gone.insert(from.clone());
    }

    /// The copies out of a column.
    pub fn copies_of(&self, table: &QualifiedName, column: &Ident) -> &[Copied] {
        self.copies.get(table).and_then(|copies| copies.get(column)).map_or(&[], Vec::as_slice)
    }

    /// The last statement that put rows of a table into another one.
    pub fn copy_of_table(&self, table: &QualifiedName) -> Option<&Deed> {
        self.table_copies.get(table)
    }

    /// The first copy into a column of the table that the release `step` adds, and that column.
    pub fn filled_in(&self, table: &QualifiedName, step: Step) -> Option<&(Ident, Deed)> {
        self.filled.get(table).filter(|(_, deed)| deed.step == step)
    }

    /// The columns that the release `step` has added to a table so far.
    pub fn added_in(&self, table: &QualifiedName, step: Step) -> &[(Ident, Deed)] {
        self.added.get(table).filter(|(known, _)| *known == step).map_or(&[], |(_, columns)| columns)
    }

    /// The triggers that keep, or kept, columns of a table equal.
    pub fn syncs_on(&self, table: &QualifiedName) -> &[Sync] {
        self.syncs.get(table).map_or(&[], Vec::as_slice)
    }

    /// The columns that a trigger keeps equal, the older one first.
    pub fn pair_of(&self, trigger: &CreateTrigger, catalog: &Catalog) -> Option<(Ident, Ident)> {
        let relation = catalog.get(&catalog.resolve(&trigger.table)).filter(|_| is_on_rows(trigger))?;
        self.body_of(trigger.function.as_ref()?)?.pair(relation)
    }

    /// What a trigger function does with the row; `None` if the story does not tell.
    pub fn body_of(&self, function: &Name) -> Option<&Body> {
        self.bodies.get(&function.name).map(Arc::as_ref)
    }

    /// Where a relation was made that was surely not there before.
    pub fn maker_of(&self, relation: &QualifiedName) -> Option<&Deed> {
        self.made.get(relation)
    }

    /// Whether a relation was dropped, or got another name, and was not made again.
    pub fn is_gone(&self, relation: &QualifiedName) -> bool {
        self.gone.contains(relation)
    }
}

/// A trigger FOR EACH ROW on INSERT or UPDATE.
pub fn is_on_rows(trigger: &CreateTrigger) -> bool {
    trigger.for_each_row && trigger.events.iter().any(|event| matches!(&**event, "insert" | "update"))
}

/// The identifiers in an UPDATE that may be what it copies: all but those in its conditions, by which rows are found.
fn idents(telling: Telling<'_>) -> impl Iterator<Item = Ident> {
    let source = telling.source;
    let mut depth = 0_u32;
    // How deep the condition began in which the token stands.
    let mut condition: Option<u32> = None;
    let is_any = |token: &Token, words: &[&str]| words.iter().any(|word| token.is_word(source, word));
    Lexer::new(source, telling.statement.0.span).filter_map(move |token| {
        if token.is_mark(source, "(") {
            depth += 1;
        } else if token.is_mark(source, ")") {
            depth = depth.saturating_sub(1);
            condition = condition.filter(|began| *began <= depth);
        } else if condition.is_none() && is_any(&token, &["where", "on", "having"]) {
            condition = Some(depth);
        } else if condition == Some(depth)
            && is_any(&token, &["join", "left", "right", "full", "inner", "cross", "union", "group", "order"])
        {
            condition = None;
        }
        token.ident(source).filter(|_| condition.is_none())
    })
}

/// `into = from` and `into = table.from` with nothing more to it: the column that is read, and the one that is set.
fn plain_copies(telling: Telling<'_>) -> Vec<(Ident, Ident)> {
    let source = telling.source;
    let tokens: Vec<Token> = Lexer::new(source, telling.statement.0.span).collect();
    let ends = |token: Option<&Token>| {
        token
            .is_none_or(|token| token.is_mark(source, ",") || ["where", "from", "returning"].iter().any(|word| token.is_word(source, word)))
    };
    let copy = |at: usize| {
        let into = tokens[at - 1].ident(source)?;
        let qualified = tokens.get(at + 2).is_some_and(|token| token.is_mark(source, "."));
        let from = if qualified { at + 3 } else { at + 1 };
        ends(tokens.get(from + 1)).then(|| tokens.get(from)?.ident(source)).flatten().map(|from| (from, into))
    };
    let assigns = |at: &usize| tokens[*at].is_mark(source, "=");
    (1..tokens.len()).filter(assigns).filter_map(copy).collect()
}

/// Whether one name is the other with words before or behind it: `email` and `email_address`, `amount` and `new_amount`.
pub fn are_alike(a: &Ident, b: &Ident) -> bool {
    let (short, long) = if a.as_str().len() < b.as_str().len() { (a.as_str(), b.as_str()) } else { (b.as_str(), a.as_str()) };
    let before = long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_'));
    let behind = long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    !short.is_empty() && (before || behind)
}
