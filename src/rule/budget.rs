//! The locks of a release: which tables its files lock against others, and in which order.

use crate::model::effects::Lock;
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use crate::text::SourceFile;
use foldhash::HashMap;
use std::sync::Arc;

/// Of the tables that one transaction locks, the order of so many is kept: enough to tell, and never the square of a long file.
const ORDERED: usize = 16;

/// The locks that the files of a release have taken so far, on tables that existed before it, in modes that make writes wait.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// How many files have begun.
    files: usize,
    /// By table: the strongest mode of each file that locks it, in their order.
    tables: HashMap<QualifiedName, Vec<(usize, LockMode)>>,
    /// The tables that the open transaction has locked, in order.
    open: Vec<QualifiedName>,
    transaction: Option<usize>,
    /// By two tables that one transaction locked in this order: the file, and its number.
    orders: HashMap<(QualifiedName, QualifiedName), (Arc<SourceFile>, usize)>,
    opposite: Option<Opposite>,
}

/// Two tables that two files lock in opposite order.
#[derive(Clone, Debug)]
pub struct Opposite {
    /// The table that one file locks first, and the other last.
    pub first: QualifiedName,
    /// The other one.
    pub second: QualifiedName,
    /// The file that locks `first` first.
    pub one: Arc<SourceFile>,
    /// The file that locks `second` first.
    pub other: Arc<SourceFile>,
}

/// How often a table is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked<'a> {
    /// The table.
    pub table: &'a QualifiedName,
    /// By how many files.
    pub files: usize,
    /// Each of them makes reads wait, too.
    pub against_reads: bool,
}

impl Budget {
    /// A new file begins.
    pub fn begin_file(&mut self) {
        self.files += 1;
        (self.open, self.transaction) = (Vec::new(), None);
    }

    /// A statement took locks. `transaction` is the first statement of the one that it runs in.
    pub fn note(&mut self, locks: impl Iterator<Item = Lock>, transaction: Option<usize>, source: &Arc<SourceFile>) {
        if transaction.is_none() || transaction != self.transaction {
            (self.open, self.transaction) = (Vec::new(), transaction);
        }
        let before = self.open.len();
        for Lock { relation, mode, .. } in locks {
            let files = self.tables.entry(relation.clone()).or_default();
            match files.last_mut().filter(|(file, _)| *file == self.files) {
                Some((_, strongest)) => *strongest = mode.max(*strongest),
                None => files.push((self.files, mode)),
            }
            if self.open.len() < ORDERED && !self.open.contains(&relation) {
                self.open.push(relation);
            }
        }
        // In which order one statement takes its locks is the server's affair.
        for first in 0..before {
            for second in before..self.open.len() {
                self.note_order(self.open[first].clone(), self.open[second].clone(), source);
            }
        }
    }

    fn note_order(&mut self, first: QualifiedName, second: QualifiedName, source: &Arc<SourceFile>) {
        let opposite = (second.clone(), first.clone());
        if let Some((one, _)) = self.orders.get(&opposite).filter(|(_, file)| *file != self.files) {
            let found =
                || Opposite { first: opposite.0.clone(), second: opposite.1.clone(), one: Arc::clone(one), other: Arc::clone(source) };
            self.opposite.get_or_insert_with(found);
        }
        self.orders.entry((first, second)).or_insert_with(|| (Arc::clone(source), self.files));
    }

    /// How many files the release has.
    pub fn files(&self) -> usize {
        self.files
    }

    /// The table that most files lock; of several, one that is hot, and then the first by name.
    pub fn most_locked(&self, is_hot: impl Fn(&QualifiedName) -> bool) -> Option<Locked<'_>> {
        let locked = |(table, files): (&'_ QualifiedName, &Vec<(usize, LockMode)>)| (files.len(), table.clone());
        let hot_first = |table: &QualifiedName, files: usize| (is_hot(table) && files > 1, files);
        let best =
            self.tables.iter().map(locked).max_by(|a, b| hot_first(&a.1, a.0).cmp(&hot_first(&b.1, b.0)).then_with(|| b.1.cmp(&a.1)))?;
        let (table, files) = self.tables.get_key_value(&best.1)?;
        let against_reads = files.iter().all(|(_, mode)| mode.blocks_reads());
        Some(Locked { table, files: files.len(), against_reads })
    }

    /// Two tables that two files lock in opposite order, if there are any.
    pub fn opposite(&self) -> Option<&Opposite> {
        self.opposite.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for each file: the tables that its transaction locks, statement by statement.
    fn budget(files: &[&str]) -> Budget {
        let mut budget = Budget::default();
        for (number, tables) in files.iter().enumerate() {
            let source = SourceFile::new(format!("{number}.sql"), "");
            budget.begin_file();
            for table in tables.split_whitespace() {
                let Ok(relation) = table.parse();
                let lock = Lock { relation, mode: LockMode::AccessExclusive };
                budget.note(std::iter::once(lock), Some(0), &source);
            }
        }
        budget
    }

    fn opposite(files: &[&str]) -> Option<String> {
        let budget = budget(files);
        let found = budget.opposite()?;
        Some(format!("{} {} in {}, not in {}", found.first, found.second, found.one.path().display(), found.other.path().display()))
    }

    #[test]
    fn two_tables_in_opposite_order_are_found_between_others() {
        let found = opposite(&["orders users", "users payments orders"]);
        assert_eq!(found.as_deref(), Some("public.orders public.users in 0.sql, not in 1.sql"));
        assert_eq!(opposite(&["orders users", "orders payments users"]), None);
        assert_eq!(opposite(&["orders users", "users", "orders"]), None);
        assert_eq!(opposite(&["orders users orders"]), None);
    }

    #[test]
    fn a_table_counts_once_in_a_file_and_a_hot_one_before_others() {
        let budget = budget(&["orders orders users", "users", "users orders"]);
        let most = |hot: &str| budget.most_locked(|table| table.name == hot).map(|locked| (locked.table.to_string(), locked.files));
        assert_eq!(most("drafts"), Some(("public.users".to_owned(), 3)));
        assert_eq!(most("orders"), Some(("public.orders".to_owned(), 2)));
    }
}
