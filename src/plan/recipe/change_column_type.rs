//! A column of another type, while code goes on writing the old one: a second column, computed by a trigger, that takes its place.

use super::Cooked;
use crate::model::operation::{AlterAction, ConstraintKind, Operation};
use crate::model::types::{Change, Conversion, conversion};
use crate::plan::mirror::reader::{Reader, readers};
use crate::plan::mirror::retype::{Retype, Wanted};
use crate::plan::mirror::swap::Swap;
use crate::plan::mirror::{PREPARED, Twin};
use crate::plan::names::Names;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// ALTER COLUMN TYPE.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let none = || Refusal::Unknown("this changes no column's type".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(none()) };
    let AlterAction::ChangeType { column, data_type, collation, using } = &**action else { return Err(none()) };
    let table = ask.table(&target.name)?;
    let beside = Twin::free_name(table, ask.before, column, "_new");
    let twin = Twin::new(ask, &target.name, column, &beside)?;
    refuse(&twin)?;
    let readers = readers(ask, &target.name, table, column)?;
    let change = Change {
        column,
        from: twin.old.data_type.as_ref().unwrap_or(data_type),
        from_collation: twin.old.collation.as_ref(),
        to: data_type,
        to_collation: collation.as_ref(),
        using: using.as_ref(),
        time_zone: None,
    };
    if is_free(ask, &twin, &change) {
        return Ok(at_once(ask, &twin, &readers));
    }
    let wanted = Wanted { data_type, collation: collation.as_ref(), using: using.as_ref() };
    let retype = Retype::new(&twin, ask.before, wanted)?;
    let aside = Twin::free_name(table, ask.before, column, "_old");
    let mut names = Names::new(ask.before);
    let swapped = Swap { twin, aside, retype, readers, ask: *ask }.phases(&mut names)?;
    Ok(Cooked {
        name: format!("change-type-of-{}-{column}", target.name.name),
        phases: swapped.phases,
        manual: swapped.manual,
        differs: swapped.differs,
    })
}

/// Whether only the catalog changes, nothing is built anew and nothing is looked through.
fn is_free(ask: &Ask<'_>, twin: &Twin<'_>, change: &Change<'_>) -> bool {
    let dependents = ask.before.dependents(&twin.table.name, change.column);
    let built = dependents.indexes.iter().any(|index| index.index.as_ref().is_none_or(|index| index.computes_with(change.column)));
    let checked = dependents.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Check { .. } => constraint.validated,
        ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => true,
        ConstraintKind::NotNull { .. } | ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => false,
    });
    conversion(change, ask.before) == Conversion::Free && !built && !checked && dependents.incoming.is_empty()
}

/// The change itself, with what is made of the column taken away and made again around it.
fn at_once(ask: &Ask<'_>, twin: &Twin<'_>, readers: &[Reader]) -> Cooked {
    const ACCEPTS: &[&str] = &[
        "drop-object",
        "drop-policy",
        "drop-trigger",
        "drop-recreate-object",
        "drop-needed-object",
        "change-column-type-cached-plans",
        "change-column-type-needed",
    ];
    let column = twin.old.name.sql();
    let mut phase = Phase::new(Stage::Migrate, format!("retype {}", twin.old.name))
        .why(format!(
            "Types that are stored alike: no row is touched. What is made of {column} goes for a moment and comes back as it was."
        ))
        .meanwhile(PREPARED)
        .no_way_back(format!(
            "a value that has come in since may have no room in the old type; the opposite change of {column} looks at each"
        ));
    for reader in readers {
        phase = phase.run_accepting(&reader.drop, ACCEPTS);
    }
    for statement in ask.statements {
        phase = phase.run_accepting(ask.text(statement.span), ACCEPTS);
    }
    for sql in readers.iter().flat_map(|reader| &reader.create) {
        phase = phase.run_accepting(sql, ACCEPTS);
    }
    Cooked {
        name: format!("change-type-of-{}-{}", twin.table.name.name, twin.old.name),
        phases: vec![phase],
        manual: Vec::new(),
        differs: Vec::new(),
    }
}

/// What the server allows no other type for, so that no column can take its place either.
fn refuse(twin: &Twin<'_>) -> Result<(), Refusal> {
    let window = |reason: String| Err(Refusal::Window(reason));
    if twin.old.generated.is_some() {
        return window(format!(
            "`{}` is generated, and PostgreSQL computes such a column anew only by writing the table anew",
            twin.old.name.sql()
        ));
    }
    if !twin.is_partitioned() && twin.family.len() > 1 {
        return window(format!("other tables inherit from `{}`, and each has keys and indexes of its own", twin.sql()));
    }
    Ok(())
}
