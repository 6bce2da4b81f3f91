//! Where a name leads, and what stands there.

use super::{Catalog, Column, Constraint, Function, Index, Lookup, Relation, Step, pg_temp, public};
use crate::model::expression::{Expression, Predicate};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ConstraintKind, IndexKeyKind, ObjectKind, Persistence, Realm};
use crate::model::session::{SearchPath, Session};
use crate::model::types::UserType;

impl Catalog {
    /// Takes over the search path of the connection. To be called after each operation that may have changed it: SET, RESET, and the end
    /// of a transaction.
    pub fn follow(&mut self, session: &Session) {
        match session.search_path() {
            SearchPath::Default => {
                if self.search_path != [public()] {
                    self.search_path = vec![public()];
                }
            }
            SearchPath::Schemas(schemas) => self.search_path = schemas,
            // The old one is as good a guess as any.
            SearchPath::Unknown => {}
        }
    }

    /// Where a name of a relation leads by the search path: the first schema in which it is known, else the schema in which it would be
    /// created.
    pub fn resolve(&self, name: &Name) -> QualifiedName {
        self.resolve_in(name, |qualified| self.relations.contains_key(qualified))
    }

    /// Where a name of a type leads.
    pub fn resolve_type(&self, name: &Name) -> QualifiedName {
        self.resolve_in(name, |qualified| self.types.contains_key(qualified))
    }

    /// Where a name of a function leads.
    pub fn resolve_function(&self, name: &Name) -> QualifiedName {
        self.resolve_in(name, |qualified| self.functions.contains_key(qualified))
    }

    /// Where a name leads among the names of its kind.
    pub fn resolve_in_realm(&self, realm: Realm, name: &Name) -> QualifiedName {
        match realm {
            Realm::Relation => self.resolve(name),
            Realm::Type => self.resolve_type(name),
            Realm::Function => self.resolve_function(name),
            Realm::Schema | Realm::Extension => QualifiedName { schema: name.name.clone(), name: name.name.clone() },
        }
    }

    fn resolve_in(&self, name: &Name, is_known: impl Fn(&QualifiedName) -> bool) -> QualifiedName {
        if let Some(schema) = &name.schema {
            return QualifiedName { schema: schema.clone(), name: name.name.clone() };
        }
        let temporary = (!self.temporary.is_empty()).then(pg_temp);
        for schema in temporary.iter().chain(&self.search_path) {
            let qualified = QualifiedName { schema: schema.clone(), name: name.name.clone() };
            if is_known(&qualified) {
                return qualified;
            }
        }
        // The server's own relations come before all others; that their names begin so is its custom.
        let schema = if name.name.as_str().starts_with("pg_") { Ident::quoted("pg_catalog") } else { self.creation_schema() };
        QualifiedName { schema, name: name.name.clone() }
    }

    /// What a new relation, type or function of this name would be called.
    pub fn creation_name(&self, name: &Name, persistence: Persistence) -> QualifiedName {
        let schema = match &name.schema {
            Some(schema) => schema.clone(),
            None if persistence == Persistence::Temporary => pg_temp(),
            None => self.creation_schema(),
        };
        QualifiedName { schema, name: name.name.clone() }
    }

    /// The first schema of the search path that exists.
    fn creation_schema(&self) -> Ident {
        let may_exist = |schema: &&Ident| self.schema(schema) != Lookup::Absent && **schema != "$user" && **schema != "pg_catalog";
        self.search_path.iter().find(may_exist).cloned().unwrap_or_else(public)
    }

    /// The relation behind a name.
    pub fn relation(&self, name: &Name) -> Lookup<&Relation> {
        self.lookup(&self.resolve(name))
    }

    /// The relation of exactly this name.
    pub fn lookup(&self, name: &QualifiedName) -> Lookup<&Relation> {
        match self.get(name) {
            Some(relation) => Lookup::Known(relation),
            None if is_system(&name.schema) => Lookup::Unknown,
            None if self.whole || self.dropped.contains(name) || self.schema(&name.schema) == Lookup::Absent => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// The relation of exactly this name, if the history made or mentioned it.
    pub fn get(&self, name: &QualifiedName) -> Option<&Relation> {
        self.relations.get(name).map(Box::as_ref)
    }

    /// Whether any relation, column or constraint has this name.
    pub fn has_name(&self, name: &Ident) -> bool {
        let within = |relation: &Relation| relation.column(name).is_some() || relation.constraint(name).is_some();
        self.relations().any(|relation| relation.name.name == *name || within(relation))
    }

    /// A user-defined type. What an extension brings is unknown, as are the server's own types.
    pub fn user_type(&self, name: &Name) -> Lookup<&UserType> {
        let name = self.resolve_type(name);
        match self.types.get(&name) {
            Some(user_type) => Lookup::Known(user_type),
            None if is_system(&name.schema) => Lookup::Unknown,
            None if self.dropped_types.contains(&name) || (self.whole && self.extensions.is_empty()) => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// The known functions of a name (overloads). Empty if the history made none.
    pub fn functions(&self, name: &Name) -> &[Function] {
        self.functions.get(&self.resolve_function(name)).map_or(&[], Vec::as_slice)
    }

    /// All functions that are known, in no order.
    pub fn all_functions(&self) -> impl Iterator<Item = (&QualifiedName, &Function)> {
        self.functions.iter().flat_map(|(name, functions)| functions.iter().map(move |function| (name, function)))
    }

    /// Whether a migration made all functions of a name that are known, and there is one.
    pub fn is_function_made_in(&self, name: &QualifiedName, step: Step) -> bool {
        self.functions.get(name).is_some_and(|known| known.iter().all(|function| function.added_in == step))
    }

    /// Whether a schema exists.
    pub fn schema(&self, name: &Ident) -> Lookup<()> {
        if self.schemas.contains(name) || is_system(name) {
            Lookup::Known(())
        } else if self.whole || self.dropped_schemas.contains(name) {
            Lookup::Absent
        } else {
            Lookup::Unknown
        }
    }

    /// Whether the history made an extension.
    pub fn has_extension(&self, name: &Ident) -> bool {
        self.extensions.contains(name)
    }

    /// Whether the current file has dropped an index of this name, or made sure by IF EXISTS that there is none.
    pub fn has_dropped_index(&self, name: &QualifiedName) -> bool {
        self.dropped_in_file.contains(name)
    }

    /// A table's indexes, as far as they are known.
    pub fn indexes_of<'a>(&'a self, table: &'a Relation) -> impl Iterator<Item = (&'a Relation, &'a Index)> {
        table.indexes.iter().filter_map(|name| self.get(name)).filter_map(|relation| Some((relation, relation.index.as_ref()?)))
    }

    /// The foreign keys that point to a table: the table that has it, and the constraint.
    pub fn foreign_keys_to<'a>(&'a self, table: &'a QualifiedName) -> impl Iterator<Item = (&'a Relation, &'a Constraint)> {
        let pointing = self.get(table).map_or(&[][..], |relation| &relation.referenced_by);
        pointing.iter().filter_map(|(from, name)| {
            let from = self.get(from)?;
            Some((from, from.constraint(name)?))
        })
    }

    /// All partitions and INHERITS children of a relation, theirs included, each once; the relation itself is not among them.
    pub fn descendants(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let mut found: Vec<QualifiedName> = self.get(name).map_or(Vec::new(), |relation| relation.children.clone());
        let mut seen: foldhash::HashSet<QualifiedName> = found.iter().cloned().collect();
        let mut next = 0;
        while let Some(name) = found.get(next) {
            let children = self.get(name).map_or(&[][..], |relation| &relation.children);
            let fresh: Vec<QualifiedName> = children.iter().filter(|child| seen.insert((*child).clone())).cloned().collect();
            found.extend(fresh);
            next += 1;
        }
        found
    }

    /// What a statement on a relation reaches: the relation, and unless ONLY is said its descendants.
    pub(super) fn family(&self, name: &QualifiedName, only: bool) -> Vec<QualifiedName> {
        let mut family = vec![name.clone()];
        if !only {
            family.append(&mut self.descendants(name));
        }
        family
    }

    /// The sequence that a column owns.
    pub fn owned_sequence(&self, table: &Relation, column: &Ident) -> Option<&Relation> {
        let sequences = table.owned_sequences.iter().filter_map(|name| self.get(name));
        sequences.into_iter().find(|sequence| sequence.owned_by.as_ref().is_some_and(|(_, owner)| owner == column))
    }

    /// A validated CHECK that says `column IS NOT NULL` at its top level, so that SET NOT NULL need not look at the rows.
    pub fn not_null_proof<'a>(&'a self, table: &'a QualifiedName, column: &Ident) -> Lookup<&'a Constraint> {
        let Some(relation) = self.get(table) else { return Lookup::Unknown };
        let mut unreadable = !relation.complete;
        for constraint in relation.constraints.iter().filter(|constraint| constraint.validated && constraint.enforced) {
            if let ConstraintKind::Check { expression } = &constraint.kind {
                if expression.conjuncts.iter().any(|part| matches!(part, Predicate::IsNotNull(known) if known == column)) {
                    return Lookup::Known(constraint);
                }
                unreadable |= !expression.understood;
            }
        }
        if unreadable { Lookup::Unknown } else { Lookup::Absent }
    }

    /// Whether a column alone tells the rows of a table apart: a primary key, a unique constraint, or a unique index over all rows. `None`:
    /// the history does not tell.
    pub fn is_key(&self, table: &QualifiedName, column: &Ident) -> Option<bool> {
        let relation = self.get(table)?;
        let alone = |columns: &[Ident]| columns.len() == 1 && columns[0] == *column;
        let by_constraint = relation.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => alone(&key.columns),
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Exclude { .. }
            | ConstraintKind::ForeignKey(_) => false,
        });
        let is_it = |index: &Index| matches!(&*index.keys, [key] if matches!(&key.what, IndexKeyKind::Column(known) if known == column));
        let by_index = self.indexes_of(relation).any(|(_, index)| index.unique && index.predicate.is_none() && is_it(index));
        if by_constraint || by_index { Some(true) } else { (relation.complete).then_some(false) }
    }

    /// An index that finds the rows of a foreign key: its leading columns are these, in any order, and it leaves no row out that the key
    /// could point from.
    pub fn covering_index<'a>(&'a self, table: &'a QualifiedName, columns: &[Ident]) -> Lookup<&'a Relation> {
        let Some(relation) = self.get(table) else { return Lookup::Unknown };
        match self.indexes_of(relation).find(|(_, index)| index.leads_with(columns)) {
            Some((index, _)) => Lookup::Known(index),
            None if relation.complete => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }
}

impl Index {
    /// Whether the first keys are these columns, in any order, and equality on them can use it.
    fn leads_with(&self, columns: &[Ident]) -> bool {
        let leading = self.keys.get(..columns.len()).unwrap_or_default();
        let is_leading = |column: &Ident| leading.iter().any(|key| matches!(&key.what, IndexKeyKind::Column(known) if known == column));
        let keeps_all = |part: &Predicate| matches!(part, Predicate::IsNotNull(column) if columns.contains(column));
        let partial = self.predicate.as_ref().is_some_and(|predicate| !predicate.conjuncts.iter().all(keeps_all));
        let finds_equal = match self.method.as_str() {
            "btree" => true,
            "hash" => columns.len() == 1,
            _ => false,
        };
        self.valid && finds_equal && !partial && !columns.is_empty() && columns.iter().all(is_leading)
    }

    /// Whether a column occurs in it: as a key, in an expression or the predicate, or by INCLUDE.
    pub fn mentions(&self, column: &Ident) -> bool {
        let in_key = self.keys.iter().any(|key| match &key.what {
            IndexKeyKind::Column(known) => known == column,
            IndexKeyKind::Expression(expression) => expression.columns.contains(column),
        });
        in_key || self.include.contains(column) || self.predicate.as_ref().is_some_and(|predicate| predicate.columns.contains(column))
    }

    /// Whether an expression or the predicate mentions a column: a change of its type then builds the index anew, whatever the types.
    pub fn computes_with(&self, column: &Ident) -> bool {
        self.expressions().any(|expression| expression.columns.contains(column))
    }

    /// The expressions among its keys, and the predicate.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let of_keys = self.keys.iter().filter_map(|key| match &key.what {
            IndexKeyKind::Column(_) => None,
            IndexKeyKind::Expression(expression) => Some(expression),
        });
        of_keys.chain(&self.predicate)
    }
}

impl Constraint {
    /// The columns it is about: its key, or those that its expression reads.
    pub fn columns(&self) -> &[Ident] {
        match &self.kind {
            ConstraintKind::Check { expression } => &expression.columns,
            ConstraintKind::NotNull { column } => std::slice::from_ref(column),
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => &key.columns,
            ConstraintKind::Exclude { columns, .. } => columns,
            ConstraintKind::ForeignKey(key) => &key.columns,
        }
    }

    /// Whether a column occurs in it.
    pub fn mentions(&self, column: &Ident) -> bool {
        let beside = match &self.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.include.contains(column),
            ConstraintKind::Exclude { predicate, .. } => predicate.as_ref().is_some_and(|predicate| predicate.columns.contains(column)),
            ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::ForeignKey(_) => false,
        };
        beside || self.columns().contains(column)
    }
}

impl Column {
    /// Whether its values come from a sequence: serial, identity, or a default that calls nextval.
    pub fn is_numbered(&self) -> bool {
        self.identity.is_some() || self.default.as_ref().is_some_and(|default| default.calls.iter().any(|call| call.name == "nextval"))
    }
}

impl Relation {
    /// Whether it holds rows of its own or through partitions: a table, or a foreign one.
    pub fn is_table(&self) -> bool {
        matches!(self.kind, ObjectKind::Table | ObjectKind::ForeignTable)
    }
}

/// Schemas that the server fills itself.
pub(super) fn is_system(schema: &Ident) -> bool {
    matches!(schema.as_str(), "pg_catalog" | "information_schema" | "pg_toast" | "pg_temp")
}
