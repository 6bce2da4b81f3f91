//! `naming:` of lockkeeper.yaml: how the project calls things.

use crate::problem::did_you_mean;
use crate::rule::naming::{Form, KINDS, NameKind, Naming};
use crate::rule::node::{Fault, Node};
use std::ops::RangeInclusive;

/// The key beside the kinds.
pub(super) const LONGEST: &str = "longest";
/// What the longest name may be: the server cuts what is longer.
pub(super) const LENGTHS: RangeInclusive<usize> = 1..=63;
pub(super) const SNAKE_CASE: &str = "snake_case";
pub(super) const ANY: &str = "any";
/// Stands for the name of the table in a pattern.
pub(super) const OF_TABLE: &str = "{table}";

/// Reads `{ index: "*_idx", column: snake_case, longest: 40 }`.
pub(super) fn read(node: &Node) -> Result<Naming, Fault> {
    let known: Vec<_> = KINDS.iter().map(|(word, _)| *word).chain([LONGEST]).collect();
    let fields = node.fields(&known)?;
    let mut naming = Naming::default();
    for (word, kind) in KINDS {
        if let Some(value) = fields.get(word) {
            naming.forms.push((*kind, value.items().iter().map(|item| form(item, *kind)).collect::<Result<_, _>>()?));
        }
    }
    naming.longest = fields.get(LONGEST).map(longest).transpose()?;
    Ok(naming)
}

fn form(node: &Node, kind: NameKind) -> Result<Form, Fault> {
    let written = node.text()?;
    match written {
        SNAKE_CASE => Ok(Form::SnakeCase),
        ANY => Ok(Form::Any),
        pattern if pattern.contains(OF_TABLE) && !has_table(kind) => Err(node.fault(format!("a {} belongs to no table", kind.word()))),
        pattern if pattern.contains('*') || pattern.contains(OF_TABLE) => Ok(Form::Pattern(pattern.into())),
        word => {
            let near = did_you_mean(word, [SNAKE_CASE, ANY]);
            let help = "a form is snake_case, any, or a pattern: `*` stands for any text, `{table}` for the name of the table";
            Err(node.fault(format!("there is no form `{word}`{near}")).help(help))
        }
    }
}

/// Whether a thing of this kind belongs to a table.
pub(super) fn has_table(kind: NameKind) -> bool {
    !matches!(kind, NameKind::Table | NameKind::View | NameKind::Schema)
}

fn longest(node: &Node) -> Result<usize, Fault> {
    usize::try_from(node.number()?)
        .ok()
        .filter(|longest| LENGTHS.contains(longest))
        .ok_or_else(|| node.fault("a name has from 1 to 63 characters"))
}
