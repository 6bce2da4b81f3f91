//! Views, triggers and policies that name a column: the server changes no type under them, so they go for a moment and come back as they
//! were, in the same transaction.

use super::trigger;
use crate::model::catalog::{Grant, Policy, Relation};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};
use crate::model::operation::ObjectKind;
use crate::plan::definition::{Definitions, Gap, list, qualified};
use crate::plan::{Ask, Refusal};

/// One of them.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Takes it away.
    pub drop: String,
    /// Makes it again, with its rights and its comment.
    pub create: Vec<String>,
}

/// Those of a column.
///
/// # Errors
/// One of them cannot be made again from what the history tells.
pub fn readers(ask: &Ask<'_>, name: &Name, table: &Relation, column: &Ident) -> Result<Vec<Reader>, Refusal> {
    let definitions = Definitions::new(ask.before).written(&table.name, name);
    let dependents = ask.before.dependents(&table.name, column);
    let refused = |thing: String, gap: Gap| {
        Refusal::Window(format!(
            "{thing} is made of `{}`: PostgreSQL gives the column no other type as long as it is there, and it cannot be made again, since {gap}",
            column.sql()
        ))
    };
    if let Some(generated) = dependents.generated.first() {
        let gap = Gap::new("that takes writing the table anew");
        return Err(refused(format!("generated column `{}`", generated.name.sql()), gap));
    }
    let mut readers = Vec::new();
    for read in &dependents.views {
        readers.push(view(read).map_err(|gap| refused(format!("view `{}`", qualified(&read.name)), gap))?);
    }
    let names = |expression: &Expression| expression.columns.contains(column) || !expression.understood;
    for known in table.triggers.iter().filter(|known| known.of_columns.contains(column) || known.when.iter().any(names)) {
        let reader = trigger::reader(&definitions, table, known).map_err(|gap| refused(format!("trigger `{}`", known.name.sql()), gap))?;
        readers.push(reader);
    }
    for known in table.policies.iter().filter(|policy| policy.using.iter().chain(&policy.check).any(names)) {
        let reader = policy(&definitions, table, known).map_err(|gap| refused(format!("policy `{}`", known.name.sql()), gap))?;
        readers.push(reader);
    }
    Ok(readers)
}

fn view(view: &Relation) -> Result<Reader, Gap> {
    let name = qualified(&view.name);
    if view.kind != ObjectKind::View {
        return Err(Gap::new("it is materialized, and would have to be filled again"));
    }
    if !view.read_by.is_empty() || !view.triggers.is_empty() || !view.rules.is_empty() {
        return Err(Gap::new("other things hang on it"));
    }
    if !view.complete || view.columns.is_empty() {
        return Err(Gap::new("the history does not tell its columns one by one"));
    }
    let text = view.query.as_ref().and_then(|query| query.text()).ok_or_else(|| Gap::new("the history does not tell its query"))?;
    let details = view.details();
    let option = |(name, value): &(Box<str>, Option<Box<str>>)| match value {
        Some(value) => format!("{name} = {value}"),
        None => name.to_string(),
    };
    let options = details.options.iter().map(option).collect::<Vec<_>>().join(", ");
    let options = if options.is_empty() { options } else { format!(" WITH ({options})") };
    let check = details.check_option.as_ref().map_or(String::new(), |check| format!(" WITH {} CHECK OPTION", check.to_uppercase()));
    let columns = list(view.columns.iter().map(|column| &column.name));
    let mut create = vec![format!("CREATE VIEW {name} {columns}{options} AS {}{check}", text.trim())];
    create.extend(details.owner.as_ref().map(|owner| format!("ALTER VIEW {name} OWNER TO {}", owner.sql())));
    create.extend(details.comment.as_ref().map(|text| format!("COMMENT ON VIEW {name} IS {text}")));
    create.extend(details.grants.iter().map(|grant| granted(grant, "", &name)));
    for column in &view.columns {
        let of = format!(" ({})", column.name.sql());
        create.extend(column.details().comment.as_ref().map(|text| format!("COMMENT ON COLUMN {name}.{} IS {text}", column.name.sql())));
        create.extend(column.details().grants.iter().map(|grant| granted(grant, &of, &name)));
        if column.default.is_some() {
            return Err(Gap::new("its columns have defaults of their own"));
        }
    }
    Ok(Reader { drop: format!("DROP VIEW {name}"), create })
}

fn granted(grant: &Grant, columns: &str, name: &str) -> String {
    let to = if grant.grantee == "public" { "PUBLIC".to_owned() } else { grant.grantee.sql() };
    let option = if grant.option { " WITH GRANT OPTION" } else { "" };
    format!("GRANT {}{columns} ON {name} TO {to}{option}", grant.privilege.to_uppercase())
}

fn policy(definitions: &Definitions<'_>, table: &Relation, policy: &Policy) -> Result<Reader, Gap> {
    let (name, on) = (policy.name.sql(), definitions.table(&table.name));
    let kind = if policy.restrictive { " AS RESTRICTIVE" } else { "" };
    let mut sql = format!("CREATE POLICY {name} ON {on}{kind} FOR {}", policy.command.to_uppercase());
    if !policy.roles.is_empty() {
        let role = |role: &Ident| match role.as_str() {
            "public" | "current_user" | "session_user" | "current_role" => role.as_str().to_uppercase(),
            _ => role.sql(),
        };
        sql.push_str(&format!(" TO {}", policy.roles.iter().map(role).collect::<Vec<_>>().join(", ")));
    }
    if let Some(using) = &policy.using {
        sql.push_str(&format!(" USING ({})", definitions.expression(table, using)?));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!(" WITH CHECK ({})", definitions.expression(table, check)?));
    }
    let mut create = vec![sql];
    create.extend(policy.comment.as_ref().map(|text| format!("COMMENT ON POLICY {name} ON {on} IS {text}")));
    Ok(Reader { drop: format!("DROP POLICY {name} ON {on}"), create })
}
