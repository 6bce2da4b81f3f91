//! Which index does another one's work.

use super::Index;
use crate::model::name::Ident;
use crate::model::operation::{IndexKey, IndexKeyKind};

impl Index {
    /// Whether the other one is needless beside it: it finds the same rows by the same keys, perhaps by more behind them, and keeps the same
    /// promise.
    pub fn does_the_work_of(&self, other: &Self) -> bool {
        let begins = || self.keys.get(..other.keys.len()).is_some_and(|keys| keys.iter().zip(&other.keys).all(|(a, b)| a.sorts_like(b)));
        let longer = self.keys.len() > other.keys.len();
        let promises = !other.unique || (self.unique && !longer);
        let stores = |column: &Ident| self.include.contains(column) || self.keys.iter().any(|key| key.is_column(column));
        fn rows(index: &Index) -> Option<&str> {
            index.predicate.as_ref().map(|predicate| predicate.text.as_str())
        }
        self.valid
            && !other.keys.is_empty()
            && promises
            && begins()
            && self.method == other.method
            // Only a btree is searched by its leading keys as well as by all of them.
            && (!longer || self.method == "btree")
            && other.include.iter().all(stores)
            && rows(self) == rows(other)
    }

    /// Whether searches by the first key of the other one can use it as well.
    pub fn leads_like(&self, other: &Self) -> bool {
        let same_first = matches!((self.keys.first(), other.keys.first()), (Some(one), Some(other)) if one.indexes_like(other));
        self.valid && self.predicate.is_none() && self.method == other.method && same_first
    }

    /// A column that stands in it twice.
    pub fn repeated_column(&self) -> Option<&Ident> {
        let columns: Vec<&Ident> = self.keys.iter().filter_map(IndexKey::column).chain(&self.include).collect();
        let twice = |(at, column): (usize, &&Ident)| columns[..at].contains(column);
        columns.iter().enumerate().find(|place| twice(*place)).map(|(_, column)| *column)
    }
}

impl IndexKey {
    /// The column, if it is one and no expression.
    pub fn column(&self) -> Option<&Ident> {
        match &self.what {
            IndexKeyKind::Column(column) => Some(column),
            IndexKeyKind::Expression(_) => None,
        }
    }

    /// A plain column in its default order.
    pub fn of_column(column: Ident) -> Self {
        let (operator_class, operator_class_options, collation) = Default::default();
        let (descending, nulls_first) = (false, false);
        Self { what: IndexKeyKind::Column(column), operator_class, operator_class_options, collation, descending, nulls_first }
    }

    /// Whether it is sorted as the server does if nothing is said, which a constraint asks of its index.
    pub fn has_default_order(&self) -> bool {
        self.operator_class.is_none() && self.collation.is_none() && !self.descending && !self.nulls_first
    }

    fn is_column(&self, column: &Ident) -> bool {
        self.column() == Some(column)
    }

    /// The same column or expression, searched by the same operators.
    pub(super) fn indexes_like(&self, other: &Self) -> bool {
        let what = match (&self.what, &other.what) {
            (IndexKeyKind::Column(one), IndexKeyKind::Column(other)) => one == other,
            (IndexKeyKind::Expression(one), IndexKeyKind::Expression(other)) => one.text == other.text,
            (IndexKeyKind::Column(_), IndexKeyKind::Expression(_)) | (IndexKeyKind::Expression(_), IndexKeyKind::Column(_)) => false,
        };
        what && self.operator_class == other.operator_class && self.collation == other.collation
    }

    fn sorts_like(&self, other: &Self) -> bool {
        self.indexes_like(other) && self.descending == other.descending && self.nulls_first == other.nulls_first
    }
}
