//! Types, domains and functions come, change and go.

use super::naming::Among;
use super::{Catalog, Function, Step};
use crate::model::expression::{Answers, Expression};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, CreateFunction, DomainAction, DomainCheck, Persistence, TypeDefinition, Volatility};
use crate::model::types::{TypeName, UserType};
use crate::text::SourceFile;
use std::sync::Arc;

impl Catalog {
    pub(super) fn create_type(&mut self, name: &Name, definition: &TypeDefinition) {
        let name = self.creation_name(name, Persistence::Permanent);
        let user_type = match definition {
            TypeDefinition::Enum(labels) => UserType::Enum(labels.clone()),
            TypeDefinition::Composite(attributes) => UserType::Composite(attributes.clone()),
            TypeDefinition::Range | TypeDefinition::Other => UserType::Other,
        };
        self.set_type(name, Some(user_type));
    }

    pub(super) fn create_domain(
        &mut self,
        name: &Name,
        base: &TypeName,
        default: Option<&Expression>,
        not_null: bool,
        checks: &[DomainCheck],
    ) {
        let name = self.creation_name(name, Persistence::Permanent);
        self.domain_constraints.remove(&name);
        for check in checks {
            self.add_domain_check(&name, check);
        }
        let constrained = not_null || !checks.is_empty();
        self.set_type(name, Some(UserType::Domain { base: base.clone(), constrained, default: default.cloned() }));
    }

    pub(super) fn alter_domain(&mut self, name: &Name, action: &DomainAction) {
        let name = self.resolve_type(name);
        match action {
            DomainAction::AddCheck(check) => self.add_domain_check(&name, check),
            DomainAction::DropConstraint { name: constraint, .. } => self.forget_domain_constraint(&name, constraint),
            DomainAction::RenameConstraint { from, to } => {
                let known = self.domain_constraints.get_mut(&name).into_iter().flatten().find(|known| *known == from);
                if let Some(known) = known {
                    known.clone_from(to);
                    self.uncount_constraint_name(&name.schema, from);
                    self.count_constraint_name(&name.schema, to);
                }
                return;
            }
            DomainAction::SetDefault
            | DomainAction::DropDefault
            | DomainAction::SetNotNull
            | DomainAction::DropNotNull
            | DomainAction::AddNotNull
            | DomainAction::ValidateConstraint { .. }
            | DomainAction::Other { .. } => {}
        }
        let Some(UserType::Domain { base, constrained, default }) = self.types.get(&name).cloned() else { return };
        let constrained = match action {
            DomainAction::SetNotNull | DomainAction::AddNotNull | DomainAction::AddCheck(_) => true,
            // Whether it is NOT NULL besides is not kept, so only what never had a constraint is free of them.
            DomainAction::DropNotNull | DomainAction::DropConstraint { .. } => constrained,
            DomainAction::SetDefault
            | DomainAction::DropDefault
            | DomainAction::RenameConstraint { .. }
            | DomainAction::ValidateConstraint { .. }
            | DomainAction::Other { .. } => constrained,
        };
        let default = match action {
            DomainAction::DropDefault => None,
            // What it is now is not kept.
            DomainAction::SetDefault => Some(Answers::default().into()),
            DomainAction::AddCheck(_)
            | DomainAction::DropConstraint { .. }
            | DomainAction::RenameConstraint { .. }
            | DomainAction::SetNotNull
            | DomainAction::DropNotNull
            | DomainAction::AddNotNull
            | DomainAction::ValidateConstraint { .. }
            | DomainAction::Other { .. } => default,
        };
        self.set_type(name, Some(UserType::Domain { base, constrained, default }));
    }

    fn add_domain_check(&mut self, domain: &QualifiedName, check: &DomainCheck) {
        let name = check.name.clone().unwrap_or_else(|| self.choose(domain, "", "check", Among::Constraints));
        self.count_constraint_name(&domain.schema, &name);
        self.domain_constraints.entry(domain.clone()).or_default().push(name);
    }

    fn forget_domain_constraint(&mut self, domain: &QualifiedName, name: &Ident) {
        let Some(known) = self.domain_constraints.get_mut(domain) else { return };
        let before = known.len();
        known.retain(|known| known != name);
        if known.len() < before {
            self.uncount_constraint_name(&domain.schema, name);
        }
    }

    /// ALTER TYPE ... ADD VALUE; where in the order it stands is not kept for BEFORE and AFTER.
    pub(super) fn add_enum_value(&mut self, name: &Name, value: &str) {
        self.edit_enum(name, |labels| {
            if !labels.iter().any(|label| **label == *value) {
                labels.push(value.into());
            }
        });
    }

    pub(super) fn rename_enum_value(&mut self, name: &Name, from: &str, to: &str) {
        self.edit_enum(name, |labels| labels.iter_mut().filter(|label| ***label == *from).for_each(|label| *label = to.into()));
    }

    fn edit_enum(&mut self, name: &Name, change: impl FnOnce(&mut Vec<Box<str>>)) {
        let name = self.resolve_type(name);
        if let Some(UserType::Enum(mut labels)) = self.types.get(&name).cloned() {
            change(&mut labels);
            self.set_type(name, Some(UserType::Enum(labels)));
        }
    }

    /// ALTER TYPE on a composite type, and what all types share.
    pub(super) fn alter_type(&mut self, name: &Name, action: &AlterAction) {
        let qualified = self.resolve_type(name);
        match action {
            AlterAction::RenameTo { to } => return self.rename_type(name, to),
            AlterAction::SetSchema { schema } => {
                return self.move_type(&qualified, QualifiedName { schema: schema.clone(), name: qualified.name.clone() });
            }
            _ => {}
        }
        let Some(UserType::Composite(mut attributes)) = self.types.get(&qualified).cloned() else { return };
        match action {
            AlterAction::AddAttribute { name, data_type } => attributes.push((name.clone(), data_type.clone())),
            AlterAction::DropAttribute { name } => attributes.retain(|(known, _)| known != name),
            AlterAction::ChangeAttribute { name, data_type } => {
                attributes.iter_mut().filter(|(known, _)| known == name).for_each(|(_, known)| *known = data_type.clone());
            }
            AlterAction::RenameAttribute { from, to } => {
                attributes.iter_mut().filter(|(known, _)| known == from).for_each(|(known, _)| *known = to.clone());
            }
            _ => return,
        }
        self.set_type(qualified, Some(UserType::Composite(attributes)));
    }

    pub(super) fn rename_type(&mut self, name: &Name, to: &Ident) {
        let from = self.resolve_type(name);
        let to = QualifiedName { schema: from.schema.clone(), name: to.clone() };
        self.move_type(&from, to);
    }

    /// Columns keep their type, whatever it is called from now on.
    fn move_type(&mut self, from: &QualifiedName, to: QualifiedName) {
        for table in self.columns_of_type(from).into_iter().map(|(table, _)| table).collect::<std::collections::HashSet<_>>() {
            let Some(relation) = self.edit(&table) else { continue };
            for data_type in relation.columns.iter_mut().filter_map(|column| column.data_type.as_mut()) {
                if data_type.name.name == from.name && data_type.name.schema.as_ref().is_none_or(|schema| *schema == from.schema) {
                    data_type.name.name = to.name.clone();
                    data_type.name.schema = data_type.name.schema.take().map(|_| to.schema.clone());
                }
            }
        }
        let user_type = self.types.get(from).cloned();
        self.set_type(from.clone(), None);
        if user_type.is_some() {
            self.set_type(to, user_type);
        }
    }

    /// The columns of a user-defined type, arrays of it included: table and column.
    pub fn columns_of_type(&self, user_type: &QualifiedName) -> Vec<(QualifiedName, Ident)> {
        let is_it = |data_type: &TypeName| {
            data_type.name.name == user_type.name
                && data_type
                    .name
                    .schema
                    .as_ref()
                    .map_or_else(|| self.resolve_type(&data_type.name) == *user_type, |schema| *schema == user_type.schema)
        };
        let mut found = Vec::new();
        for relation in self.relations() {
            for column in relation.columns.iter().filter(|column| column.data_type.as_ref().is_some_and(is_it)) {
                found.push((relation.name.clone(), column.name.clone()));
            }
        }
        found.sort();
        found
    }

    /// DROP TYPE; CASCADE takes the columns of that type along.
    pub(super) fn drop_type(&mut self, name: &Name, cascade: bool) {
        let name = self.resolve_type(name);
        if cascade {
            for (table, column) in self.columns_of_type(&name) {
                self.drop_column(&table, &column);
            }
        }
        for constraint in self.domain_constraints.remove(&name).unwrap_or_default() {
            self.uncount_constraint_name(&name.schema, &constraint);
        }
        self.set_type(name, None);
    }

    pub(super) fn create_function(&mut self, create: &CreateFunction, step: Step) {
        let name = self.creation_name(&create.name, Persistence::Permanent);
        let made = Function {
            arguments: create.arguments.clone(),
            signature: create.signature.clone(),
            language: create.language.clone(),
            volatility: create.volatility.unwrap_or(Volatility::Volatile),
            procedure: create.procedure,
            returns_trigger: create.returns_trigger,
            atomic: create.atomic,
            pinned: create.security_definer || create.sets_search_path,
            body: None,
            added_in: step,
        };
        let mut functions = self.functions.get(&name).cloned().unwrap_or_default();
        match functions.iter_mut().find(|known| known.arguments == made.arguments) {
            // It has been there since the migration that made it first.
            Some(known) => *known = Function { added_in: if create.or_replace { known.added_in } else { step }, ..made },
            None => functions.push(made),
        }
        self.set_functions(name, functions);
    }

    /// Tells in which file the body of a function stands that was just made.
    pub(super) fn place_body(&mut self, create: &CreateFunction, source: &Arc<SourceFile>) {
        let name = self.creation_name(&create.name, Persistence::Permanent);
        let functions = self.functions.get_mut(&name).into_iter().flatten();
        for function in functions.filter(|function| function.arguments == create.arguments) {
            function.body = create.body.map(|place| (Arc::clone(source), place));
        }
    }

    /// DROP FUNCTION: of several by this name it is not kept which one was meant, so none is known any more. CASCADE takes its triggers.
    pub(super) fn drop_function(&mut self, name: &Name, cascade: bool) {
        let name = self.resolve_function(name);
        self.set_functions(name.clone(), Vec::new());
        if !cascade {
            return;
        }
        let runs_it = |function: &Option<Name>| {
            function.as_ref().is_some_and(|function| function.name == name.name && self.resolve_function(function).schema == name.schema)
        };
        let tables: Vec<QualifiedName> = self
            .relations
            .values()
            .filter(|table| table.triggers.iter().any(|trigger| runs_it(&trigger.function)))
            .map(|table| table.name.clone())
            .collect();
        for table in tables {
            let is_it = |function: &Option<Name>| function.as_ref().is_some_and(|function| function.name == name.name);
            self.edit_relation(&table, |table| table.triggers.retain(|trigger| !is_it(&trigger.function)));
        }
    }

    pub(super) fn rename_function(&mut self, name: &Name, to: &Ident) {
        let from = self.resolve_function(name);
        let Some(functions) = self.functions.get(&from).cloned() else { return };
        self.set_functions(from.clone(), Vec::new());
        self.set_functions(QualifiedName { schema: from.schema, name: to.clone() }, functions);
    }

    pub(super) fn move_types_and_functions(&mut self, from: &Ident, to: &Ident) {
        let moved = |name: &QualifiedName| QualifiedName { schema: to.clone(), name: name.name.clone() };
        let types: Vec<QualifiedName> = self.types.keys().filter(|name| name.schema == *from).cloned().collect();
        for name in types {
            self.move_type(&name, moved(&name));
        }
        let functions: Vec<QualifiedName> = self.functions.keys().filter(|name| name.schema == *from).cloned().collect();
        for name in functions {
            let known = self.functions.get(&name).cloned().unwrap_or_default();
            self.set_functions(name.clone(), Vec::new());
            self.set_functions(moved(&name), known);
        }
    }

    pub(super) fn drop_types_and_functions_in(&mut self, schema: &Ident) {
        let types: Vec<QualifiedName> = self.types.keys().filter(|name| name.schema == *schema).cloned().collect();
        for name in types {
            self.drop_type(&Name { schema: Some(name.schema), name: name.name }, true);
        }
        let functions: Vec<QualifiedName> = self.functions.keys().filter(|name| name.schema == *schema).cloned().collect();
        for name in functions {
            self.drop_function(&Name { schema: Some(name.schema), name: name.name }, true);
        }
    }
}
