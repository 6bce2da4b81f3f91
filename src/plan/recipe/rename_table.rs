//! A table, or a view, under a new name, while code under the old one still runs: a view takes the old name.

use super::{Cooked, is_known};
use crate::model::catalog::{Grant, Relation};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ObjectKind, Operation};
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// What the rules say of the view that takes the old name, and of its end.
const RENAME: &[&str] = &["rename-table", "rename-object", "rename-shim-view"];
const VIEW: &[&str] = &["create-view-over-row-security"];
const GRANT: &[&str] = &["grant-more-than-needed", "grant-to-everyone"];
const DROP: &[&str] = &["drop-object", "contract-in-same-release"];

/// RENAME and CREATE VIEW in one transaction; the view goes later.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let not_it = || {
        Refusal::Window(
            "only a table or a view can have two names at a time: make the new one beside the old, move the code, drop the old".to_owned(),
        )
    };
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(not_it()) };
    let relation = ask.table(&target.name)?;
    let (kind, old) = (words(relation.kind).ok_or_else(not_it)?, &target.name);
    let new = match &**action {
        AlterAction::RenameTo { to } => Name { schema: old.schema.clone(), name: to.clone() },
        AlterAction::SetSchema { schema } => Name { schema: Some(schema.clone()), name: old.name.clone() },
        _ => return Err(not_it()),
    };
    let schema = new.schema.clone().unwrap_or_else(|| relation.name.schema.clone());
    if is_known(ask.before, &QualifiedName { schema, name: new.name.clone() }) {
        return Err(Refusal::Unknown(format!("there is something called `{}` already", new.sql())));
    }
    can_be_seen_through(ask, relation)?;
    let shim = Shim { relation, old, new: &new, invoker: ask.server >= Version(15) };
    let (was, is) = (old.sql(), new.sql());
    let (forth, back) = match &**action {
        AlterAction::SetSchema { schema } => (
            format!("ALTER {kind} {was} SET SCHEMA {}", schema.sql()),
            format!("ALTER {kind} {is} SET SCHEMA {}", relation.name.schema.sql()),
        ),
        _ => (format!("ALTER {kind} {was} RENAME TO {}", new.name.sql()), format!("ALTER {kind} {is} RENAME TO {}", old.name.sql())),
    };
    let mut expand = Phase::new(Stage::Expand, format!("call it {}", new.name))
        .why(format!("Both names work from here on: {was} is a view that passes reads and writes on to {is}."))
        .meanwhile("code goes on by the old name and by the new one; each query waits for a moment")
        .run_accepting(forth, RENAME)
        .run_accepting(shim.create(), VIEW);
    for grant in shim.grants() {
        expand = expand.run_accepting(grant, GRANT);
    }
    let expand = expand.back(format!("DROP VIEW {was}")).back(back);
    let mut contract = Phase::new(Stage::Contract, format!("drop the view {}", old.name))
        .why("Nothing asks for the old name any more.")
        .meanwhile("code goes on by the new name")
        .deploy(format!("code that uses only {is}"))
        .wait_hours(48)
        .run_accepting(format!("DROP VIEW {was}"), DROP)
        .back(shim.create())
        .verify(format!("SELECT to_regclass('{}') IS NULL", was.replace('\'', "''")));
    for grant in shim.grants() {
        contract = contract.back(grant);
    }
    Ok(Cooked { name: format!("rename-{}", old.name), phases: vec![expand, contract], manual: shim.manual(), differs: Vec::new() })
}

fn words(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Table => Some("TABLE"),
        ObjectKind::ForeignTable => Some("FOREIGN TABLE"),
        ObjectKind::View => Some("VIEW"),
        ObjectKind::MaterializedView => Some("MATERIALIZED VIEW"),
        _ => None,
    }
}

/// Whether a view can take its place.
fn can_be_seen_through(ask: &Ask<'_>, relation: &Relation) -> Result<(), Refusal> {
    let name = &relation.name.name;
    if relation.row_security && ask.server < Version(15) {
        return Err(Refusal::Window(format!(
            "row-level security of `{name}` would not hold for those who come through the view before PostgreSQL 15 (security_invoker)"
        )));
    }
    let known = relation.columns.iter().all(|column| column.name.as_str() != "*") && !relation.columns.is_empty();
    if !relation.complete || !known {
        return Err(Refusal::Unknown(format!("the history does not tell all columns of `{name}`")));
    }
    Ok(())
}

/// The view that takes the old name.
struct Shim<'a> {
    relation: &'a Relation,
    old: &'a Name,
    new: &'a Name,
    /// The rights of who asks count (15).
    invoker: bool,
}

impl Shim<'_> {
    fn create(&self) -> String {
        let columns: Vec<String> = self.relation.columns.iter().map(|column| column.name.sql()).collect();
        let with = if self.invoker { " WITH (security_invoker = true)" } else { "" };
        format!("CREATE VIEW {}{with} AS SELECT {} FROM {}", self.old.sql(), columns.join(", "), self.new.sql())
    }

    /// The rights that the table gives, on the view.
    fn grants(&self) -> Vec<String> {
        const OF_VIEW: [&str; 4] = ["select", "insert", "update", "delete"];
        let view = self.old.sql();
        let mut statements: Vec<String> = Vec::new();
        if let Some(owner) = &self.relation.details().owner {
            statements.push(format!("ALTER VIEW {view} OWNER TO {}", role(owner)));
        }
        let is_meant = |grant: &&Grant| &*grant.privilege == "all" || OF_VIEW.contains(&&*grant.privilege);
        for grant in self.relation.details().grants.iter().filter(is_meant) {
            statements.push(granted(&grant.privilege.to_uppercase(), &view, grant));
        }
        for column in &self.relation.columns {
            for grant in column.details().grants.iter().filter(is_meant) {
                statements.push(granted(&format!("{} ({})", grant.privilege.to_uppercase(), column.name.sql()), &view, grant));
            }
        }
        statements
    }

    fn manual(&self) -> Vec<Manual> {
        let old = self.old.sql();
        let mut manual = vec![Manual {
            thing: format!("what the view {old} cannot do"),
            what: "TRUNCATE, COPY FROM, LOCK of the table, pg_get_serial_sequence, foreign keys and indexes by the old name: move code that does \
                   any of these to the new name together with the first phase"
                .to_owned(),
        }];
        if self.relation.kind == ObjectKind::MaterializedView {
            let what = "REFRESH needs the new name from the first phase on".to_owned();
            manual.push(Manual { thing: format!("materialized view {old}"), what });
        }
        manual.push(Manual {
            thing: "functions whose bodies are strings".to_owned(),
            what: format!("they go on through the view; look for {old} in pg_proc.prosrc before the last phase"),
        });
        manual
    }
}

fn granted(what: &str, view: &str, grant: &Grant) -> String {
    let option = if grant.option { " WITH GRANT OPTION" } else { "" };
    format!("GRANT {what} ON {view} TO {}{option}", role(&grant.grantee))
}

/// PUBLIC and CURRENT_USER are no names.
fn role(name: &Ident) -> String {
    match name.as_str() {
        "public" | "current_user" | "current_role" | "session_user" => name.as_str().to_uppercase(),
        _ => name.sql(),
    }
}
