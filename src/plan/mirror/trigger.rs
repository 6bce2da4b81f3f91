//! Triggers of others that fire on UPDATE OF a column: while code sets the new column, they have to fire for that as well.

use super::Twin;
use super::reader::Reader;
use crate::model::catalog::{Firing, Relation, Trigger};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::plan::definition::{Definitions, Gap, callable};
use crate::plan::names::Names;

/// The same trigger for UPDATE OF another column, and nothing else.
#[derive(Clone, Debug)]
pub struct Second {
    /// CREATE TRIGGER.
    pub create: String,
    name: String,
    table: String,
}

impl Second {
    /// DROP TRIGGER.
    pub fn drop(&self, if_exists: bool) -> String {
        format!("DROP TRIGGER {}{} ON {}", if if_exists { "IF EXISTS " } else { "" }, self.name, self.table)
    }
}

/// One for each trigger that the old column fires by its name, or why it cannot be told.
pub fn seconds<'a>(twin: &Twin<'a>, names: &mut Names<'_>) -> Vec<(&'a Trigger, Result<Second, Gap>)> {
    let definitions = twin.as_they_are();
    let mut seconds = Vec::new();
    for table in twin.triggered() {
        for trigger in
            table.triggers.iter().filter(|trigger| trigger.of_columns.contains(&twin.old.name) && trigger.firing != Firing::Never)
        {
            let name = names.copy_of(&table.name.schema, &trigger.name, &twin.old.name, &twin.new);
            seconds.push((trigger, second(&definitions, table, trigger, &name, &twin.new)));
        }
    }
    seconds
}

fn second(definitions: &Definitions<'_>, table: &Relation, trigger: &Trigger, name: &Ident, column: &Ident) -> Result<Second, Gap> {
    if trigger.firing != Firing::Origin {
        return Err(Gap::new("it fires in replicas"));
    }
    let create = definition(definitions, table, trigger, name, &format!("UPDATE OF {}", column.sql()))?;
    Ok(Second { create, name: name.sql(), table: definitions.table(&table.name) })
}

/// The trigger as it is, to be made again.
///
/// # Errors
/// The history does not tell all of it.
pub fn reader(definitions: &Definitions<'_>, table: &Relation, trigger: &Trigger) -> Result<Reader, Gap> {
    let event = |event: &str| match event {
        "update" if !trigger.of_columns.is_empty() => {
            format!("UPDATE OF {}", trigger.of_columns.iter().map(Ident::sql).collect::<Vec<_>>().join(", "))
        }
        other => other.to_uppercase(),
    };
    let events = trigger.events.iter().map(|known| event(known)).collect::<Vec<_>>().join(" OR ");
    let (name, on) = (trigger.name.sql(), definitions.table(&table.name));
    let mut create = vec![definition(definitions, table, trigger, &trigger.name, &events)?];
    let firing = match trigger.firing {
        Firing::Origin => None,
        Firing::Always => Some("ENABLE ALWAYS"),
        Firing::Replica => Some("ENABLE REPLICA"),
        Firing::Never => Some("DISABLE"),
    };
    create.extend(firing.map(|firing| format!("ALTER TABLE {on} {firing} TRIGGER {name}")));
    create.extend(trigger.comment.as_ref().map(|text| format!("COMMENT ON TRIGGER {name} ON {on} IS {text}")));
    Ok(Reader { drop: format!("DROP TRIGGER {name} ON {on}"), create })
}

/// CREATE TRIGGER by this name for these events.
fn definition(definitions: &Definitions<'_>, table: &Relation, trigger: &Trigger, name: &Ident, events: &str) -> Result<String, Gap> {
    let function = trigger.function.as_ref().ok_or_else(|| Gap::new("the history does not tell what it runs"))?;
    let (name, on) = (name.sql(), definitions.table(&table.name));
    let constraint = if trigger.constraint { "CONSTRAINT " } else { "" };
    let time = if trigger.before { "BEFORE" } else { "AFTER" };
    let mut text = format!("CREATE {constraint}TRIGGER {name} {time} {events} ON {on}");
    if let Some(from) = &trigger.from {
        text.push_str(&format!(" FROM {}", from.sql()));
    }
    text.push_str(match (trigger.deferrable, trigger.deferred) {
        (_, true) => " DEFERRABLE INITIALLY DEFERRED",
        (true, false) => " DEFERRABLE",
        (false, false) => "",
    });
    if let Some(referencing) = &trigger.referencing {
        text.push_str(&format!(" {referencing}"));
    }
    text.push_str(if trigger.for_each_row { " FOR EACH ROW" } else { " FOR EACH STATEMENT" });
    if let Some(when) = &trigger.when {
        text.push_str(&format!(" WHEN ({})", definitions.expression(table, when)?));
    }
    text.push_str(&format!(" EXECUTE FUNCTION {}({})", callable(function), trigger.arguments.join(", ")));
    Ok(text)
}

/// A trigger by its full name, for a reader.
pub fn shown(table: &QualifiedName, trigger: &Trigger) -> String {
    format!("trigger {} of {}", trigger.name.sql(), Name { schema: None, name: table.name.clone() }.sql())
}
