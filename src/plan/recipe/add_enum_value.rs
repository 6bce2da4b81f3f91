//! A label of an enum in a transaction of its own, so that those that come later may use it.

use super::Cooked;
use crate::model::operation::Operation;
use crate::plan::clauses::Clauses;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// ALTER TYPE ... ADD VALUE by itself.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let unread = || Refusal::Unknown("this adds no label to an enum".to_owned());
    let Some(Operation::AddEnumValue { name, value, .. }) = ask.operation() else { return Err(unread()) };
    let clauses = Clauses::of(ask.source, ask.statements.first().ok_or_else(unread)?.span);
    let phase = Phase::new(Stage::Expand, "alone")
        .why("A label may be stored once the transaction that adds it has committed; the statement locks no table.")
        .meanwhile("reads and writes as before; code that does not know the label must not be given it yet")
        .run(clauses.text(0, clauses.len()))
        .no_way_back("PostgreSQL drops no label of an enum; one that nothing stores does no harm");
    Ok(Cooked { name: format!("add-{}-{value}", name.name), phases: vec![phase], manual: Vec::new(), differs: Vec::new() })
}
