//! The names that the server chooses where a statement gives none (indexcmds.c and heap.c).

use super::{Catalog, figure};
use crate::model::name::{Ident, LONGEST_IDENT, QualifiedName};
use crate::model::operation::{ConstraintKind, CreateIndex, IndexKey, IndexKeyKind};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

/// What a chosen name has to be free among.
#[derive(Clone, Copy)]
pub(super) enum Among {
    /// The relations of the schema: plain indexes and sequences.
    Relations,
    /// The constraints of the schema.
    Constraints,
    /// Both: indexes behind constraints.
    Both,
    /// Nothing that is known here.
    Nothing,
}

impl Catalog {
    /// The name of the index that CREATE INDEX makes, chosen as the server would if the statement gives none.
    pub fn index_name(&self, create: &CreateIndex) -> QualifiedName {
        let table = self.resolve(&create.table);
        match &create.name {
            Some(name) => QualifiedName { schema: table.schema, name: name.clone() },
            None => self.choose_index_name(&table, &index_column_names(&create.keys, &create.include), "idx", Among::Relations),
        }
    }

    /// The name of a new constraint of `table`, chosen as the server would if `written` is none.
    pub fn constraint_name(&self, table: &QualifiedName, written: Option<&Ident>, kind: &ConstraintKind) -> Ident {
        if let Some(name) = written {
            return name.clone();
        }
        match kind {
            ConstraintKind::Check { expression } => {
                let of_one = if let [column] = &expression.columns[..] { column.as_str() } else { "" };
                self.choose(table, of_one, "check", Among::Constraints)
            }
            ConstraintKind::NotNull { column } => self.choose(table, column.as_str(), "not_null", Among::Constraints),
            ConstraintKind::ForeignKey(key) => self.choose(table, &joined(&key.columns), "fkey", Among::Constraints),
            ConstraintKind::PrimaryKey(key) => match &key.using_index {
                Some(index) => index.clone(),
                None => self.choose(table, "", "pkey", Among::Both),
            },
            ConstraintKind::Unique(key) => match &key.using_index {
                Some(index) => index.clone(),
                None => {
                    let columns = key.columns.iter().chain(&key.include).cloned();
                    self.choose(table, &joined(&distinct(columns)), "key", Among::Both)
                }
            },
            ConstraintKind::Exclude { keys, .. } => self.choose(table, &joined(&index_column_names(keys, &[])), "excl", Among::Both),
        }
    }

    /// The name of an index whose columns have these names.
    pub(super) fn choose_index_name(&self, table: &QualifiedName, columns: &[Ident], label: &str, among: Among) -> QualifiedName {
        QualifiedName { schema: table.schema.clone(), name: self.choose(table, &joined(columns), label, among) }
    }

    /// The name of the sequence behind a serial or identity column.
    pub(super) fn choose_sequence_name(&self, table: &QualifiedName, column: &Ident) -> QualifiedName {
        QualifiedName { schema: table.schema.clone(), name: self.choose(table, column.as_str(), "seq", Among::Relations) }
    }

    /// The name of extended statistics over these columns.
    pub(super) fn statistics_name(&self, table: &QualifiedName, columns: &[Ident]) -> QualifiedName {
        let name = self.choose(table, &joined(columns), "stat", Among::Nothing);
        QualifiedName { schema: table.schema.clone(), name }
    }

    /// ChooseRelationName and ChooseConstraintName: counts on until the name is free.
    pub(super) fn choose(&self, table: &QualifiedName, addition: &str, label: &str, among: Among) -> Ident {
        let named = |label: &str| QualifiedName {
            schema: table.schema.clone(),
            name: Ident::quoted(&object_name(table.name.as_str(), addition, label)),
        };
        let first = named(label);
        if !self.is_taken(&first, among) {
            return first.name;
        }
        // All numbers below are taken, if the server has counted here before and no name has become free since.
        let mut number = self.numbers.get(&first).copied().unwrap_or(1);
        let mut name = named(&format!("{label}{number}"));
        while self.is_taken(&name, among) {
            number += 1;
            name = named(&format!("{label}{number}"));
        }
        name.name
    }

    /// Whether a relation, a constraint, a type or a function has this name.
    pub fn is_name_taken(&self, name: &QualifiedName) -> bool {
        self.is_taken(name, Among::Both) || self.types.contains_key(name) || self.functions.contains_key(name)
    }

    fn is_taken(&self, name: &QualifiedName, among: Among) -> bool {
        match among {
            Among::Nothing => false,
            Among::Relations => self.relations.contains_key(name),
            Among::Constraints => self.constraint_names.contains_key(name),
            Among::Both => self.relations.contains_key(name) || self.constraint_names.contains_key(name),
        }
    }
}

/// ChooseIndexColumnNames: keys and INCLUDE together, each name once.
pub(super) fn index_column_names(keys: &[IndexKey], include: &[Ident]) -> Vec<Ident> {
    let of_keys = keys.iter().map(|key| match &key.what {
        IndexKeyKind::Column(column) => column.clone(),
        IndexKeyKind::Expression(expression) => Ident::quoted(figure::column_name(&expression.text).as_deref().unwrap_or("expr")),
    });
    distinct(of_keys.chain(include.iter().cloned()))
}

/// Numbers the names that were there before: `lower`, `lower1`.
fn distinct(names: impl Iterator<Item = Ident>) -> Vec<Ident> {
    let mut result: Vec<Ident> = Vec::new();
    let mut seen = HashSet::new();
    // How far each name has been counted: all numbers below are taken.
    let mut counted: HashMap<Ident, usize> = HashMap::new();
    for name in names {
        let mut free = name.clone();
        let number = counted.entry(name.clone()).or_default();
        while !seen.insert(free.clone()) {
            *number += 1;
            let digits = number.to_string();
            free = Ident::quoted(&format!("{}{digits}", clip(name.as_str(), LONGEST_IDENT - digits.len())));
        }
        result.push(free);
    }
    result
}

/// ChooseIndexNameAddition: the columns with `_` between them, until no more would fit.
fn joined(columns: &[Ident]) -> String {
    let mut addition = String::new();
    for column in columns {
        if !addition.is_empty() {
            addition.push('_');
        }
        addition.push_str(column.as_str());
        if addition.len() > LONGEST_IDENT {
            break;
        }
    }
    addition
}

/// makeObjectName: of two parts that are too long together, the longer one gives way first; the label stays whole.
fn object_name(table: &str, addition: &str, label: &str) -> String {
    let overhead = 1 + label.len() + usize::from(!addition.is_empty());
    let (mut first, mut second) = (table.len(), addition.len());
    let room = LONGEST_IDENT.saturating_sub(overhead);
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let (table, addition) = (clip(table, first), clip(addition, second));
    if addition.is_empty() { format!("{table}_{label}") } else { format!("{table}_{addition}_{label}") }
}

/// At most so many bytes, no character cut in two.
fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
