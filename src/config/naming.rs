//! `naming:` of lockkeeper.yaml: how the project calls things.

use crate::problem::did_you_mean;
use crate::rule::naming::{Form, KINDS, NameKind, Naming};
use crate::rule::node::{Fault, Node};

/// Reads `{ index: "*_idx", column: snake_case, longest: 40 }`.
pub(super) fn read(node: &Node) -> Result<Naming, Fault> {
    let known: Vec<_> = KINDS.iter().map(|(word, _)| *word).chain(["longest"]).collect();
    let fields = node.fields(&known)?;
    let mut naming = Naming::default();
    for (word, kind) in KINDS {
        if let Some(value) = fields.get(word) {
            naming.forms.push((*kind, value.items().iter().map(|item| form(item, *kind)).collect::<Result<_, _>>()?));
        }
    }
    naming.longest = fields.get("longest").map(longest).transpose()?;
    Ok(naming)
}

fn form(node: &Node, kind: NameKind) -> Result<Form, Fault> {
    let written = node.text()?;
    match written {
        "snake_case" => Ok(Form::SnakeCase),
        "any" => Ok(Form::Any),
        pattern if pattern.contains("{table}") && matches!(kind, NameKind::Table | NameKind::View | NameKind::Schema) => {
            Err(node.fault(format!("a {} belongs to no table", kind.word())))
        }
        pattern if pattern.contains('*') || pattern.contains("{table}") => Ok(Form::Pattern(pattern.into())),
        word => {
            let near = did_you_mean(word, ["snake_case", "any"]);
            let help = "a form is snake_case, any, or a pattern: `*` stands for any text, `{table}` for the name of the table";
            Err(node.fault(format!("there is no form `{word}`{near}")).help(help))
        }
    }
}

fn longest(node: &Node) -> Result<usize, Fault> {
    usize::try_from(node.number()?)
        .ok()
        .filter(|longest| (1..=63).contains(longest))
        .ok_or_else(|| node.fault("a name has from 1 to 63 characters"))
}
