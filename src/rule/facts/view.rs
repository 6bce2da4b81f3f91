//! Facts about views: whether a new query fits the old columns, what a materialized view needs to be refreshed while it is read, and
//! whether a view can stand for a table that was renamed.

use super::{Fact, Kind, Value, column, remade, table};
use crate::model::catalog::{Lookup, Relation};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, CreateView, ObjectKind, Operation, Realm};
use crate::rule::moment::Moment;

const REFRESH: &[OpKind] = &[OpKind::RefreshMaterializedView];
const CREATE: &[OpKind] = &[OpKind::CreateView];
const RENAME: &[OpKind] = &[OpKind::RenameTable];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "with_data", kind: Kind::Bool, of: REFRESH, read: |m| (!matches!(m.operation(), Some(Operation::RefreshMaterializedView { with_data: false, .. }))).into(),
           doc: "false for WITH NO DATA, which empties it and makes it unreadable" },
    Fact { name: "populated", kind: Kind::Bool, of: REFRESH, read: |m| table::relation(m).is_none_or(|view| view.filled || view.made_in.is_none()).into(),
           doc: "it can be read: it was not left WITH NO DATA; one that the history does not know is taken to be" },
    Fact { name: "unique_index", kind: Kind::Words(&["usable", "missing", "untold"]), of: REFRESH, read: unique_index,
           doc: "whether it has a unique index over plain columns and all rows, which CONCURRENTLY needs" },
    Fact { name: "view", kind: Kind::Text, of: CREATE, read: |m| created(m).map(|view| view.name.sql()).into(),
           doc: "the view's name" },
    Fact { name: "star", kind: Kind::Bool, of: CREATE, read: |m| created(m).map(|view| view.star).into(),
           doc: "`*` stands among its columns" },
    Fact { name: "stands_for_table", kind: Kind::Bool, of: CREATE, read: |m| stands_for_table(m).into(),
           doc: "the view takes the name of a table that the file has renamed" },
    Fact { name: "old_columns", kind: Kind::Words(&["kept", "fewer", "other_names", "untold"]), of: CREATE, read: |m| Value::Word(old_columns(m).0),
           doc: "what OR REPLACE makes of the columns of the view that it replaces: they have to come first, in the same order" },
    Fact { name: "old_column", kind: Kind::Text, of: CREATE, read: |m| old_columns(m).1.map(|column| column.sql()).into(),
           doc: "the first old column that is gone or has another name" },
    Fact { name: "granted", kind: Kind::Bool, of: RENAME, read: |m| table::relation(m).is_some_and(|table| table.granted && !m.before.grants_to_come()).into(),
           doc: "the history has granted rights on the table, and none on what is still to be made (ALTER DEFAULT PRIVILEGES)" },
    Fact { name: "shim_grants", kind: Kind::Text, of: RENAME, read: |m| shim_grants(m).into(),
           doc: "GRANT statements that give those who have rights on the table the same rights on that view" },
    Fact { name: "shim_granted", kind: Kind::Bool, of: RENAME, read: |m| shim(m).is_none_or(|(by, view)| is_granted(m, by, &view.name)).into(),
           doc: "the file grants rights on that view" },
];

fn created<'a>(m: &Moment<'a>) -> Option<&'a CreateView> {
    match m.operation()? {
        Operation::CreateView(view) => Some(view),
        _ => None,
    }
}

/// An opaque statement may have made an index that nobody sees: then the columns are not known to be all either.
fn unique_index<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(view) = table::relation(m) else { return Value::Word("untold") };
    let usable = |relation: &Relation| {
        relation
            .index
            .as_ref()
            .is_some_and(|index| index.unique && index.valid && index.predicate.is_none() && index.expressions().next().is_none())
    };
    let known = m.before.indexes_of(view).any(|(relation, _)| usable(relation));
    Value::Word(if known {
        "usable"
    } else if view.complete {
        "missing"
    } else {
        "untold"
    })
}

fn stands_for_table(m: &Moment<'_>) -> bool {
    let (Some(view), Some(here)) = (created(m), m.index) else { return false };
    let place = m.before.resolve(&view.name);
    let is_it = |taken: &Name| m.before.resolve(taken) == place;
    m.turnover().taken_before(here, Realm::Relation, &view.name.name, is_it).is_some()
}

/// The old columns have to be the first of the new ones; and the one that is not, if any.
fn old_columns<'a>(m: &Moment<'a>) -> (&'static str, Option<&'a Ident>) {
    let Some(view) = created(m).filter(|view| view.or_replace) else { return ("kept", None) };
    let Lookup::Known(old) = m.before.relation(&view.name) else { return ("untold", None) };
    let Some(new) = view.columns.as_ref().filter(|_| old.complete && old.kind == ObjectKind::View) else { return ("untold", None) };
    let differs = old.columns.iter().enumerate().find(|(at, column)| new.get(*at) != Some(&column.name));
    match differs {
        None => ("kept", None),
        Some((at, column)) if at >= new.len() => ("fewer", Some(&column.name)),
        Some((_, column)) => ("other_names", Some(&column.name)),
    }
}

/// The view that takes the name of a table which is renamed, and the statement that makes it.
fn shim<'a>(m: &Moment<'a>) -> Option<(usize, &'a CreateView)> {
    let Some(AlterAction::RenameTo { .. }) = column::alter(m) else { return None };
    let by = remade::given_back(m)?;
    m.file.get(by)?.operations.iter().find_map(|operation| match &operation.what {
        Operation::CreateView(view) => Some((by, &**view)),
        _ => None,
    })
}

fn shim_grants(m: &Moment<'_>) -> Option<String> {
    const OF_VIEW: [&str; 5] = ["all", "select", "insert", "update", "delete"];
    let (_, view) = shim(m)?;
    let grants = &table::relation(m)?.details().grants;
    let mut by_role: Vec<(&Ident, bool, Vec<String>)> = Vec::new();
    for grant in grants.iter().filter(|grant| OF_VIEW.contains(&&*grant.privilege)) {
        let word = grant.privilege.to_uppercase();
        match by_role.iter_mut().find(|(role, option, _)| *role == &grant.grantee && *option == grant.option) {
            Some((_, _, words)) => words.push(word),
            None => by_role.push((&grant.grantee, grant.option, vec![word])),
        }
    }
    let statement = |(role, option, words): &(&Ident, bool, Vec<String>)| {
        let role = if **role == "public" { "PUBLIC".to_owned() } else { role.sql() };
        let option = if *option { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {} ON {} TO {role}{option};", words.join(", "), view.name.sql())
    };
    (!by_role.is_empty()).then(|| by_role.iter().map(statement).collect::<Vec<_>>().join("\n"))
}

/// Whether a statement behind the one that makes a view grants rights on it, or on all of its schema.
fn is_granted(m: &Moment<'_>, made_by: usize, view: &Name) -> bool {
    let place: QualifiedName = m.before.resolve(view);
    let grants = |operation: &Operation| match operation {
        Operation::Privilege(privilege) if privilege.grant => {
            privilege.all_in_schema || privilege.objects.iter().any(|object| m.before.resolve(object) == place)
        }
        _ => false,
    };
    let on_all = Ident::quoted("");
    let mut places = m.outline().rights_on(&view.name).iter().chain(m.outline().rights_on(&on_all)).filter(|at| **at >= made_by);
    places.any(|at| m.file[*at].operations.iter().any(|operation| grants(&operation.what)))
}
