//! Views, sequences, types, domains, triggers, comments: what they lock among the tables.

use super::scene::{Scene, Subject};
use super::{BreakKind, Effects, drop};
use crate::model::catalog::{Lookup, Relation};
use crate::model::lock::LockMode;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, CreateTrigger, CreateView, DomainAction, ObjectKind, Published, Realm};
use LockMode::{AccessExclusive, Exclusive, Share, ShareRowExclusive, ShareUpdateExclusive};

/// A statement about one table that takes one lock on it.
pub(super) fn on_table(scene: &Scene<'_>, table: &Name, mode: LockMode, out: &mut Effects) {
    if let Some(table) = scene.subject(table, false) {
        out.lock(&table.name, mode);
    }
}

/// CREATE [OR REPLACE] VIEW: only one that is there already is locked.
pub(super) fn create_view(scene: &Scene<'_>, view: &CreateView, out: &mut Effects) {
    if view.or_replace {
        match scene.catalog.relation(&view.name) {
            Lookup::Known(known) => out.lock(&known.name, AccessExclusive),
            Lookup::Unknown => out.lock(&scene.catalog.resolve(&view.name), AccessExclusive),
            Lookup::Absent => {}
        }
    }
}

/// CREATE MATERIALIZED VIEW.
pub(super) fn create_materialized_view(scene: &Scene<'_>, view: &CreateView, out: &mut Effects) {
    if view.if_not_exists && matches!(scene.catalog.relation(&view.name), Lookup::Known(_)) {
        return;
    }
    if view.with_data {
        out.unbounded = true;
        for table in scene.base_tables(&view.reads) {
            out.scan(&table.name);
        }
    }
}

/// REFRESH MATERIALIZED VIEW.
pub(super) fn refresh(scene: &Scene<'_>, name: &Name, concurrently: bool, with_data: bool, out: &mut Effects) {
    let Some(view) = scene.subject(name, false) else { return };
    out.lock(&view.name, if concurrently { Exclusive } else { AccessExclusive });
    let unread = view.relation.is_some_and(|relation| relation.made_in.is_some() && !relation.filled);
    out.fills = (concurrently || unread).then(|| view.name.clone());
    if !with_data {
        out.lock_all(view.indexes(), AccessExclusive);
        return;
    }
    out.unbounded = true;
    match view.relation {
        Some(relation) if !concurrently => {
            out.rewrite(&view);
            // The old rows are not read; the new ones are, if there is an index to build from them.
            if relation.indexes.is_empty() {
                out.scans.retain(|name| *name != view.name);
            }
        }
        _ if concurrently => out.scan(&view.name),
        _ => {
            out.rewrites.push(view.name.clone());
            out.scan(&view.name);
        }
    }
    let reads = view.relation.and_then(|relation| relation.query.as_ref()).map_or(&[][..], |query| &query.reads);
    for below in reads {
        let name = Name { schema: Some(below.schema.clone()), name: below.name.clone() };
        for table in scene.base_tables(std::slice::from_ref(&name)) {
            out.scan(&table.name);
        }
    }
}

/// ALTER SEQUENCE, whatever it says.
pub(super) fn alter_sequence(scene: &Scene<'_>, name: &Name, if_exists: bool, out: &mut Effects) {
    if let Some(sequence) = scene.subject(name, if_exists) {
        out.lock(&sequence.name, ShareRowExclusive);
    }
}

/// ALTER DOMAIN: what has to hold for values that are there already is looked up in each table that uses it.
pub(super) fn alter_domain(scene: &Scene<'_>, name: &Name, action: &DomainAction, out: &mut Effects) {
    let checked = match action {
        DomainAction::SetNotNull | DomainAction::AddNotNull | DomainAction::ValidateConstraint { .. } => true,
        DomainAction::AddCheck(check) => !check.not_valid,
        DomainAction::SetDefault
        | DomainAction::DropDefault
        | DomainAction::DropNotNull
        | DomainAction::DropConstraint { .. }
        | DomainAction::RenameConstraint { .. }
        | DomainAction::Other { .. } => false,
    };
    if !checked {
        return;
    }
    let domain = scene.catalog.resolve_type(name);
    for table in using(scene, &domain) {
        out.lock(&table.name, Share);
        if scene.known(table).has_rows() {
            out.scan(&table.name);
        }
    }
    if !scene.catalog.is_whole() {
        // Other tables may use it.
        out.assume("tables");
        // Of a domain that nobody has seen, all of them are others.
        out.opaque |= scene.catalog.user_type(name) == Lookup::Unknown;
    }
}

fn using<'a>(scene: &Scene<'a>, domain: &QualifiedName) -> Vec<&'a Relation> {
    let uses = |relation: &Relation| {
        let holds = matches!(relation.kind, ObjectKind::Table | ObjectKind::MaterializedView);
        holds
            && relation
                .columns
                .iter()
                .any(|column| column.data_type.as_ref().is_some_and(|data_type| drop::rests_on(scene, data_type, domain)))
    };
    scene.relations_where(uses)
}

/// ALTER TYPE of a composite type. With CASCADE it changes the tables OF that type; without, the server refuses if there are any.
pub(super) fn alter_type(scene: &Scene<'_>, name: &Name, action: &AlterAction, out: &mut Effects) {
    let changes = match action {
        AlterAction::AddAttribute { .. } | AlterAction::RenameAttribute { .. } => Some(false),
        AlterAction::DropAttribute { .. } => Some(false),
        AlterAction::ChangeAttribute { .. } => Some(true),
        _ => None,
    };
    let of_type = scene.catalog.resolve_type(name);
    if let AlterAction::RenameTo { .. } | AlterAction::SetSchema { .. } = action {
        out.breaks_other(BreakKind::Renamed, Realm::Type, &of_type);
    }
    match action {
        AlterAction::DropAttribute { .. } => out.breaks_other(BreakKind::Removed, Realm::Type, &of_type),
        AlterAction::RenameAttribute { .. } => out.breaks_other(BreakKind::Renamed, Realm::Type, &of_type),
        _ => {}
    }
    let Some(rewrites) = changes else { return };
    for table in scene.relations_where(|relation| relation.of_type.as_ref() == Some(&of_type)) {
        out.lock(&table.name, AccessExclusive);
        if rewrites {
            out.rewrite(&scene.known(table));
        }
    }
}

/// ALTER TYPE ... RENAME VALUE touches no table, but code that says the old value fails.
pub(super) fn rename_value(scene: &Scene<'_>, name: &Name, out: &mut Effects) {
    out.breaks_other(BreakKind::Renamed, Realm::Type, &scene.catalog.resolve_type(name));
}

/// CREATE TRIGGER: a row trigger of a partitioned table is made on its partitions too.
pub(super) fn create_trigger(scene: &Scene<'_>, trigger: &CreateTrigger, out: &mut Effects) {
    let Some(table) = scene.subject(&trigger.table, false) else { return };
    for member in scene.partitions(&table, !trigger.for_each_row) {
        out.lock(&member.name, ShareRowExclusive);
    }
}

/// CREATE and ALTER PUBLICATION: children by INHERITS come along, partitions do not.
pub(super) fn publish(scene: &Scene<'_>, tables: &[Published], out: &mut Effects) {
    for Published { name, only, .. } in tables {
        let Some(table) = scene.subject(name, false) else { continue };
        let family = scene.family(&table, *only || table.is_partitioned());
        out.lock_all(family.iter().map(|member| &member.name), ShareUpdateExclusive);
    }
}

/// CREATE STATISTICS.
pub(super) fn create_statistics(scene: &Scene<'_>, table: Option<&Name>, out: &mut Effects) {
    match table {
        Some(table) => on_table(scene, table, ShareUpdateExclusive, out),
        None => out.assume("table"),
    }
}

/// RENAME TO of what is no relation: triggers and rules are parts of one.
pub(super) fn rename(scene: &Scene<'_>, object: ObjectKind, name: &Name, table: Option<&Name>, out: &mut Effects) {
    let Some(table) = table.and_then(|table| scene.subject(table, false)) else {
        if let Some(realm @ (Realm::Type | Realm::Function | Realm::Schema)) = object.realm() {
            out.breaks_other(BreakKind::Renamed, realm, &scene.catalog.resolve_in_realm(realm, name));
        }
        return;
    };
    out.lock(&table.name, AccessExclusive);
    if object == ObjectKind::Trigger && scene.server.0 >= 15 {
        out.lock_all(scene.partitions(&table, false).iter().map(|member| &member.name), AccessExclusive);
    }
}

/// COMMENT ON, SECURITY LABEL.
pub(super) fn comment(scene: &Scene<'_>, object: ObjectKind, name: Option<&Name>, table: Option<&Name>, out: &mut Effects) {
    let relation = match object {
        ObjectKind::Table
        | ObjectKind::ForeignTable
        | ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Index
        | ObjectKind::Sequence => name,
        ObjectKind::Column => table,
        _ => None,
    };
    if let Some(subject) = relation.and_then(|name| scene.subject(name, false)) {
        out.lock(&subject.name, ShareUpdateExclusive);
    }
}

/// Everything that a lock on a view reaches: what it reads, also through other views.
pub(super) fn below<'a>(scene: &Scene<'a>, view: &Subject<'a>) -> Vec<Subject<'a>> {
    let mut found: Vec<Subject<'a>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut next = vec![view.clone()];
    while let Some(subject) = next.pop() {
        if seen.insert(subject.name.clone()) {
            let is_view = subject.relation.is_some_and(|relation| relation.kind == ObjectKind::View);
            let query = subject.relation.filter(|_| is_view).and_then(|relation| relation.query.as_ref());
            next.extend(query.map_or(&[][..], |query| &query.reads).iter().map(|name| scene.named(name)));
            found.push(subject);
        }
    }
    found
}
