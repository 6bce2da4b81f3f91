//! The recipes: each makes a plan out of the statement that it stands for.

mod add_column;
mod add_generated_column;
mod change_column_type;
mod change_enum;
mod constraint;
mod add_enum_value;
mod attach_partition;
mod batches;
mod create_index;
mod create_partition;
mod detach_partition;
mod drop_column;
mod drop_index;
mod drop_primary_key;
mod drop_table;
mod move_column;
mod reindex;
mod rename_column;
mod split_column;
mod rename_table;
mod trio;

use super::{Ask, Plan, Refusal, statement};
use crate::model::catalog::{Catalog, Lookup, Step};
use crate::model::effects::Version;
use crate::model::name::QualifiedName;
use crate::rule::recipe::Recipe;
use crate::sql;
use crate::text::{SourceFile, Span};
use constraint::Indexed;

/// Rows in a batch, if nobody says otherwise: a batch is over before anybody notices that it holds its rows.
pub const BATCH: u32 = 1000;

/// What a recipe makes: a plan whose name, statement and maker are filled in by [`cook`].
pub(super) struct Cooked {
    /// What its files are called together.
    pub name: String,
    /// See [`Plan::phases`].
    pub phases: Vec<super::Phase>,
    /// See [`Plan::manual`].
    pub manual: Vec<super::Manual>,
    /// See [`Plan::differs`].
    pub differs: Vec<String>,
}

impl Cooked {
    /// Takes another's phases, and what goes with them, behind its own.
    fn take(&mut self, other: Self) {
        self.phases.extend(other.phases);
        self.manual.extend(other.manual);
        self.differs.extend(other.differs);
    }
}

type Cook = for<'a> fn(&Ask<'a>) -> Result<Cooked, Refusal>;

/// The plan by a recipe for the statements in `text`, which is what stands behind `instead of` in a header.
///
/// # Errors
/// There is no such plan for this statement on this schema.
pub fn cook(recipe: Recipe, text: &str, before: &Catalog, server: Version) -> Result<Plan, Refusal> {
    let source = SourceFile::new("", text);
    let script = sql::read(&source, Span::new(0, text.len() as u32));
    let ask = Ask { source: &source, statements: &script.statements, before, server, batch: BATCH };
    let Cooked { name, phases, manual, differs } = method(recipe)(&ask)?;
    let line = |statement: &sql::Statement| statement::on_one_line(&source, statement.span);
    let lines: Option<Vec<_>> = script.statements.iter().map(line).collect();
    let Some(lines) = lines else {
        return Err(Refusal::Unknown(
            "a string in the statement goes over several lines, and the header of a plan has it on one".to_owned(),
        ));
    };
    Ok(Plan { name: file_word(&name), recipe, instead_of: lines.join("; "), phases, manual, differs })
}

/// What several statements want together, if they do: the recipe, and how many they are from the first on.
pub fn together(source: &SourceFile, statements: &[sql::Statement]) -> Option<(Recipe, usize)> {
    let split = split_column::found(source, statements).map(|count| (Recipe::SplitColumn, count));
    split.or_else(|| move_column::found(source, statements).map(|count| (Recipe::MoveColumn, count)))
}

fn method(recipe: Recipe) -> Cook {
    match recipe {
        Recipe::RenameColumn => rename_column::cook,
        Recipe::ChangeColumnType => change_column_type::cook,
        Recipe::ChangeEnum => change_enum::cook,
        Recipe::SplitColumn => split_column::cook,
        Recipe::MoveColumn => move_column::cook,
        Recipe::AddColumn => add_column::cook,
        Recipe::AddGeneratedColumn => add_generated_column::cook,
        Recipe::SetNotNull => constraint::cook_not_null,
        Recipe::AddCheck | Recipe::AddForeignKey | Recipe::AddUnique => |ask| constraint::cook(ask, Indexed::Elsewhere),
        Recipe::IndexForeignKey => |ask| constraint::cook(ask, Indexed::First),
        Recipe::AddEnumValue => add_enum_value::cook,
        Recipe::AttachPartition => attach_partition::cook,
        Recipe::Batches => batches::cook,
        Recipe::CreateIndex => create_index::cook,
        Recipe::CreatePartition => create_partition::cook,
        Recipe::DetachPartition => detach_partition::cook,
        Recipe::DropColumn => drop_column::cook,
        Recipe::DropIndex => drop_index::cook,
        Recipe::DropPrimaryKey => drop_primary_key::cook,
        Recipe::DropTable => drop_table::cook,
        Recipe::Reindex => reindex::cook,
        Recipe::RenameTable => rename_table::cook,
    }
}

/// What another recipe makes of a statement, on the schema that the statements before it leave behind.
fn behind(ask: &Ask<'_>, first: &[String], recipe: Recipe, text: &str) -> Result<Cooked, Refusal> {
    let before = replayed(ask, first);
    let source = SourceFile::new("", text);
    let script = sql::read(&source, Span::new(0, text.len() as u32));
    method(recipe)(&Ask { source: &source, statements: &script.statements, before: &before, ..*ask })
}

/// The schema behind these statements.
fn replayed(ask: &Ask<'_>, statements: &[String]) -> Catalog {
    let mut after = ask.before.clone();
    for text in statements {
        let source = SourceFile::new("", text.as_str());
        let script = sql::read(&source, Span::new(0, text.len() as u32));
        script
            .statements
            .iter()
            .flat_map(|statement| &statement.operations)
            .for_each(|operation| after.replay(&operation.what, Step(u32::MAX)));
    }
    after
}

/// Whether something of this name is there.
fn is_known(catalog: &Catalog, name: &QualifiedName) -> bool {
    matches!(catalog.lookup(name), Lookup::Known(_))
}

/// A name of which files can be called: lower-case letters, digits and hyphens.
fn file_word(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    words.collect::<Vec<_>>().join("-")
}
