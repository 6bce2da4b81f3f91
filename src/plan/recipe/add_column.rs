//! A column with a value of its own in every row, without writing the table anew: the column first, its default for new rows, old rows in
//! batches, and then what is demanded of it.

use super::{Cooked, behind};
use crate::model::catalog::{Catalog, Column, Lookup, Relation, Step};
use crate::model::expression::Constant;
use crate::model::name::{Ident, Name};
use crate::model::operation::{self, AlterAction, ConstraintKind, Identity, Operation};
use crate::plan::definition::{Add, Definitions, Gap, generated_as_identity};
use crate::plan::names::Names;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};
use crate::rule::recipe::Recipe;

/// The step of the statement itself.
const NOW: Step = Step(u32::MAX);

/// What the statement adds, and the schema with it.
struct Added<'a> {
    ask: &'a Ask<'a>,
    name: &'a Name,
    column: &'a operation::Column,
    after: Catalog,
}

/// What fills the rows that are there.
enum Source {
    /// Its default, as SQL.
    Default(String),
    /// A sequence that it will own under this name, of this type.
    Serial(String, String),
    /// A sequence for the time being, before it becomes an identity column.
    Identity(Identity, String),
    /// Nobody but the user.
    Nothing,
}

/// Phases for ADD COLUMN with a default that differs from row to row, a number, or NOT NULL without any value.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let added = Added::of(ask)?;
    let relation = added.relation()?;
    let made = relation.column(&added.column.name).ok_or_else(|| unknown("there is a column of this name already"))?;
    let source = added.source(relation)?;
    let (expand, first) = added.expand(relation, made, &source)?;
    let mut cooked = Cooked { name: added.title(), phases: vec![expand], manual: Vec::new(), differs: Vec::new() };
    let is_key = |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey(_));
    let constraints: Vec<_> = relation.constraints.iter().filter(|constraint| constraint.added_in == NOW).collect();
    if added.column.not_null && !constraints.iter().any(|constraint| is_key(&constraint.kind)) {
        let require = format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", added.table(), added.column.name.sql());
        let mut required = behind(ask, &first, Recipe::SetNotNull, &require)?;
        if !matches!(source, Source::Nothing) {
            // Code that does not know the column gets its default.
            required.phases.iter_mut().for_each(|phase| phase.deploy = None);
            // The statement fills its rows with the default as well.
            required.differs.clear();
        }
        cooked.take(required);
    } else if !matches!(source, Source::Nothing) {
        cooked.phases.push(added.fill(&first)?);
    }
    added.say(&source, relation, &mut cooked);
    let definitions = Definitions::new(&added.after).written(&relation.name, added.name);
    for constraint in constraints {
        let Some(recipe) = recipe_of(&constraint.kind) else { continue };
        let definition = definitions.constraint(relation, constraint, &constraint.name, Add::Whole).map_err(|gap| of_gap(&gap))?;
        cooked.take(behind(ask, &first, recipe, &format!("ALTER TABLE {} ADD {definition}", added.table()))?);
    }
    if let Source::Identity(identity, sequence) = &source {
        cooked.phases.push(added.become_identity(*identity, sequence));
    }
    Ok(cooked)
}

fn unknown(reason: &str) -> Refusal {
    Refusal::Unknown(reason.to_owned())
}

fn of_gap(gap: &Gap) -> Refusal {
    Refusal::Unknown(gap.reason().to_owned())
}

/// What adds such a constraint while others work; `None`: NOT NULL, which has its own place.
fn recipe_of(kind: &ConstraintKind) -> Option<Recipe> {
    match kind {
        ConstraintKind::Check { .. } => Some(Recipe::AddCheck),
        ConstraintKind::ForeignKey(_) => Some(Recipe::AddForeignKey),
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. } => Some(Recipe::AddUnique),
        ConstraintKind::NotNull { .. } => None,
    }
}

impl<'a> Added<'a> {
    fn of(ask: &'a Ask<'a>) -> Result<Self, Refusal> {
        let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(unknown("this adds no column")) };
        let AlterAction::AddColumn { column, if_not_exists } = &**action else { return Err(unknown("this adds no column")) };
        if *if_not_exists {
            return Err(unknown("IF NOT EXISTS: whether the column is there already cannot be told"));
        }
        ask.table(&target.name)?;
        let mut after = ask.before.clone();
        ask.operations().for_each(|operation| after.replay(&operation.what, NOW));
        Ok(Self { ask, name: &target.name, column, after })
    }

    fn table(&self) -> String {
        self.name.sql()
    }

    fn title(&self) -> String {
        format!("add-{}-{}", self.name.name, self.column.name)
    }

    /// The table with the column.
    fn relation(&self) -> Result<&Relation, Refusal> {
        match self.after.relation(self.name) {
            Lookup::Known(relation) => Ok(relation),
            Lookup::Absent | Lookup::Unknown => Err(unknown("the history does not tell of this table")),
        }
    }

    fn source(&self, relation: &Relation) -> Result<Source, Refusal> {
        let column = self.column;
        let serial = column.data_type.as_ref().is_some_and(|data_type| data_type.serial);
        if column.identity_options.is_some() {
            return Err(unknown("the sequence has options: add it, and the column, without them, and ALTER SEQUENCE behind"));
        }
        if let Some(default) = column.default.as_ref().filter(|default| default.constant != Some(Constant::Null)) {
            return Ok(Source::Default(self.ask.text(default.span).into_owned()));
        }
        let schema = &relation.name.schema;
        let in_schema = |name: Ident| Name { schema: self.name.schema.clone(), name }.sql();
        if let Some(identity) = column.identity {
            let stem = format!("{}_{}", relation.name.name, column.name);
            return Ok(Source::Identity(identity, in_schema(Names::new(&self.after).free(schema, &stem, "_fill_seq"))));
        }
        if serial {
            let sequence = self.after.owned_sequence(relation, &column.name).ok_or_else(|| unknown("its sequence has no name yet"))?;
            let numbers = sequence.numbers.as_deref().unwrap_or("bigint").to_owned();
            return Ok(Source::Serial(in_schema(sequence.name.name.clone()), numbers));
        }
        Ok(Source::Nothing)
    }

    /// The column alone, and its default for rows to come; with the statements that do it.
    fn expand(&self, relation: &Relation, made: &Column, source: &Source) -> Result<(Phase, Vec<String>), Refusal> {
        let (table, column) = (self.table(), self.column.name.sql());
        let data_type = Definitions::new(&self.after).data_type(made).map_err(|gap| of_gap(&gap))?;
        let mut statements = vec![format!("ALTER TABLE {table} ADD COLUMN {column} {data_type}")];
        let default = |value: &str| format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {value}");
        let next = |sequence: &str| format!("nextval('{}')", sequence.replace('\'', "''"));
        match source {
            Source::Default(value) => statements.push(default(value)),
            Source::Serial(sequence, numbers) => {
                statements.push(format!("CREATE SEQUENCE {sequence} AS {numbers} OWNED BY {table}.{column}"));
                statements.push(default(&next(sequence)));
            }
            Source::Identity(_, sequence) => {
                let numbers = made.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
                // The column does not own it: it goes before the column does.
                statements.push(format!("CREATE SEQUENCE {sequence} AS {numbers}"));
                statements.push(default(&next(sequence)));
            }
            Source::Nothing => {}
        }
        let with_default = if matches!(source, Source::Nothing) { "" } else { ", and what new rows get in it" };
        let phase = Phase::new(Stage::Expand, format!("add {}", self.column.name))
            .why(format!("Adds the column{with_default}: the catalog of {} changes, no row is written.", relation.name))
            .meanwhile("reads and writes as ever, and does not know the column yet; SELECT * shows it")
            .back(format!("ALTER TABLE {table} DROP COLUMN {column}"));
        let phase = match source {
            Source::Identity(_, sequence) => phase.back(format!("DROP SEQUENCE {sequence}")),
            Source::Default(_) | Source::Serial(..) | Source::Nothing => phase,
        };
        const ACCEPTED: &[&str] = &["alter-table-twice", "change-default", "add-integer-key"];
        let phase = statements.iter().fold(phase, |phase, sql| phase.run_accepting(sql.clone(), ACCEPTED));
        Ok((phase, statements))
    }

    /// Old rows get the default, where the column may be NULL.
    fn fill(&self, first: &[String]) -> Result<Phase, Refusal> {
        let (table, column) = (self.table(), self.column.name.sql());
        let after = super::replayed(self.ask, first);
        let ask = Ask { before: &after, ..*self.ask };
        let rows = format!("{column} IS NULL");
        let fill = crate::plan::backfill::Backfill { table: table.clone(), set: Some(format!("{column} = DEFAULT")), rows: rows.clone() };
        Ok(fill
            .phase(&ask, self.name, format!("fill {}", self.column.name))?
            .why("Gives every row that is there a value of its own, in batches.")
            .meanwhile("reads and writes as ever; no row may be written with NULL on purpose before this is over")
            .verify(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {rows})")))
    }

    /// The numbers go on where those of the first sequence end.
    fn become_identity(&self, identity: Identity, sequence: &str) -> Phase {
        let (table, column) = (self.table(), self.column.name.sql());
        let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {column}");
        let own = format!("pg_get_serial_sequence({}, {})", literal(&table), literal(self.column.name.as_str()));
        let numbers = self.column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
        Phase::new(Stage::Migrate, format!("number {}", self.column.name))
            .why("The column becomes an identity column; its numbers go on where those of the sequence before it end.")
            .meanwhile("reads and writes wait for a moment")
            .run_accepting(format!("{alter} DROP DEFAULT"), &["drop-default", "change-default", "alter-table-twice"])
            .run_accepting(format!("{alter} ADD {}", generated_as_identity(identity)), &["add-identity-to-column", "alter-table-twice"])
            .run(format!("SELECT setval({own}, nextval({}))", literal(sequence)))
            .run_accepting(format!("DROP SEQUENCE {sequence}"), &["drop-object"])
            .back(format!("CREATE SEQUENCE {sequence} AS {numbers}"))
            .back(format!("SELECT setval({}, nextval({own}))", literal(sequence)))
            .back(format!("{alter} DROP IDENTITY"))
            .back(format!("{alter} SET DEFAULT nextval({})", literal(sequence)))
            .verify(format!(
                "SELECT attidentity <> '' FROM pg_attribute WHERE attrelid = {}::regclass AND attname = {}",
                literal(&table),
                literal(self.column.name.as_str())
            ))
    }

    /// What the plan leaves to others, and what ends differently.
    fn say(&self, source: &Source, relation: &Relation, cooked: &mut Cooked) {
        let column = format!("{}.{}", relation.name, self.column.name.sql());
        match source {
            Source::Nothing => cooked.manual.push(Manual {
                thing: format!("the rows of {} that are there", self.table()),
                what: format!(
                    "give them a value in {} before the phase that demands it, in batches: nothing tells which (the statement as it is fails on \
                     any table with rows)",
                    self.column.name.sql()
                ),
            }),
            Source::Default(_) | Source::Serial(..) | Source::Identity(..) => {
                let default = self.column.default.as_ref().filter(|default| default.calls.iter().any(|call| call.name == "nextval"));
                let sequence = default.and_then(|default| default.text.split('\'').nth(1));
                cooked.differs.extend(sequence.map(|sequence| format!("a plan that was rolled back has used numbers of `{sequence}`")));
                cooked.differs.push(format!("the values of `{column}` are made batch by batch, not all at once"));
            }
        }
    }
}
