//! A column that is computed from others, kept by a trigger: no server makes a plain column a generated one without writing the table anew.

use super::{Cooked, behind};
use crate::model::operation::{AlterAction, Operation};
use crate::plan::backfill::Backfill;
use crate::plan::names::Names;
use crate::plan::statement::dollar_quoted;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};
use crate::rule::recipe::Recipe;

/// From this version on a generated column may be VIRTUAL, which writes no row.
const VIRTUAL: u8 = 18;

/// Phases for ADD COLUMN ... GENERATED ALWAYS AS (...) STORED.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let unknown = |reason: &str| Refusal::Unknown(reason.to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(unknown("this adds no column")) };
    let AlterAction::AddColumn { column, if_not_exists: false } = &**action else { return Err(unknown("this adds no column for certain")) };
    let (Some(generated), Some(data_type)) = (&column.generated, &column.data_type) else {
        return Err(unknown("this column is not generated"));
    };
    if ask.operations().count() > 1 {
        return Err(unknown("the column has constraints: add them in a statement of their own, behind it"));
    }
    let relation = ask.table(&target.name)?;
    let (table, name) = (target.name.sql(), column.name.sql());
    let expression = ask.text(generated.expression.span);
    let stem = format!("zz_{}_{}", target.name.name, column.name);
    let function = Names::new(ask.before).free(&relation.name.schema, &stem, "_computed").sql();
    let in_schema = target.name.schema.as_ref().map_or(function.clone(), |schema| format!("{}.{function}", schema.sql()));
    let row = target.name.name.sql();
    let first = format!("ALTER TABLE {table} ADD COLUMN {name} {data_type}");
    let expand = Phase::new(Stage::Expand, format!("add {}", column.name))
        .why("A plain column, and a trigger that computes it for every row that is written from now on.")
        .meanwhile("reads and writes as ever, and does not know the column yet; what code writes into it is computed anew")
        .run(first.clone())
        .run(format!(
            "CREATE FUNCTION {in_schema}() RETURNS trigger LANGUAGE plpgsql AS {}",
            dollar_quoted(
                "computed",
                &format!("\nBEGIN\n  NEW.{name} := (SELECT {expression} FROM (SELECT NEW.*) AS {row});\n  RETURN NEW;\nEND\n")
            )
        ))
        .run(format!("CREATE TRIGGER {function} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {in_schema}()"))
        .back(format!("DROP TRIGGER {function} ON {table}"))
        .back(format!("DROP FUNCTION {in_schema}()"))
        .back(format!("ALTER TABLE {table} DROP COLUMN {name}"));
    let after = super::replayed(ask, std::slice::from_ref(&first));
    let rows = format!("{name} IS DISTINCT FROM ({expression})");
    let fill = Backfill { table: table.clone(), set: Some(format!("{name} = {name}")), rows: rows.clone() }
        .phase(&Ask { before: &after, ..*ask }, &target.name, format!("fill {}", column.name))?
        .why("Touches the rows that are there, in batches, so that the trigger computes the column for them.")
        .meanwhile("reads and writes as ever")
        .verify(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {rows})"));
    let shown = format!("{}.{}", relation.name, column.name);
    let mut cooked = Cooked {
        name: format!("add-{}-{}", target.name.name, column.name),
        phases: vec![expand, fill],
        manual: Vec::new(),
        differs: vec![format!(
            "`{shown}` is a plain column that the trigger `{function}` on `{}` keeps with the function `{in_schema}()`",
            relation.name
        )],
    };
    if column.not_null {
        let require = format!("ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL");
        let mut required = behind(ask, std::slice::from_ref(&first), Recipe::SetNotNull, &require)?;
        // The trigger gives the value.
        required.phases.iter_mut().for_each(|phase| phase.deploy = None);
        cooked.take(required);
    }
    if ask.server.0 >= VIRTUAL {
        cooked.manual.push(Manual {
            thing: format!("column {shown}"),
            what:
                "think of VIRTUAL instead of STORED: it is computed when it is read, writes no row, and needs no plan; it cannot be indexed"
                    .to_owned(),
        });
    }
    Ok(cooked)
}
