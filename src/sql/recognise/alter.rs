//! ALTER of relations: the statement split at its commas, each part a subcommand.

use super::alter_column;
use super::column::{self, Definition};
use super::constraint;
use super::cursor::{Cursor, Fault, Read};
use super::{Operations, maintenance, sequence, table};
use crate::model::name::Ident;
use crate::model::operation::{
    AlterAction, Detach, ObjectKind, Operation, Persistence, ReplicaIdentity, RowSecurity, Target, Triggers, Written,
};
use crate::sql::lex::TokenKind;
use crate::text::Located;

/// The relations that ALTER names, longest words first.
const KINDS: &[(&str, ObjectKind)] = &[
    ("foreign table", ObjectKind::ForeignTable),
    ("materialized view", ObjectKind::MaterializedView),
    ("table", ObjectKind::Table),
    ("index", ObjectKind::Index),
    ("view", ObjectKind::View),
    ("sequence", ObjectKind::Sequence),
];

/// ALTER of a table, foreign table, index, view, materialized view or sequence.
pub(super) fn relation(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter")?;
    let Some((_, written)) = KINDS.iter().find(|(words, _)| cursor.take(words)) else { return Err(cursor.fail("a kind of relation")) };
    let if_exists = cursor.if_exists();
    let (name, only) = maintenance::relation(cursor)?;
    let target = Target { name, only, if_exists, written: *written };
    if *written == ObjectKind::Sequence && !speaks_of_the_relation(cursor) {
        return sequence_options(cursor, from, target);
    }
    subcommands(cursor, &target, subcommand)
}

/// Subcommands of ALTER SEQUENCE that any relation has.
fn speaks_of_the_relation(cursor: &Cursor<'_>) -> bool {
    cursor.sees_any(&["rename", "set schema", "set logged", "set unlogged", "owner to"]).is_some()
}

fn sequence_options(cursor: &mut Cursor<'_>, from: usize, target: Target) -> Read<Operations> {
    if cursor.at_end() {
        return Err(cursor.fail("an option of a sequence"));
    }
    let sequence::Options { data_type, owned_by, restart, told: options, .. } = sequence::options(cursor)?;
    let Target { name, if_exists, .. } = target;
    Ok(super::one(cursor, from, Operation::AlterSequence { name, if_exists, data_type, owned_by, restart, options }))
}

/// All subcommands; one that cannot be read does not hide the others.
pub(super) fn subcommands(
    cursor: &mut Cursor<'_>,
    target: &Target,
    subcommand: fn(&mut Cursor<'_>, &Target) -> Read<Operations>,
) -> Read<Operations> {
    if cursor.at_end() {
        return Err(cursor.fail("a subcommand"));
    }
    let mut operations = Operations::new();
    let parts = cursor.comma_parts()?;
    let several = parts.len() > 1;
    for part in parts {
        let read = if several && stands_alone(&part) {
            Err(part.fail("a subcommand that others may stand beside"))
        } else {
            subcommand(&mut part.clone(), target)
        };
        match read {
            Ok(read) => operations.extend(read),
            Err(Fault { message, span }) => {
                part.note_unknown();
                let action = AlterAction::Unreadable { why: message.into() };
                operations.push(Located { what: Operation::Alter(target.clone(), Box::new(action)), span });
            }
        }
    }
    Ok(operations)
}

/// Forms of ALTER that the grammar has no comma for.
fn stands_alone(part: &Cursor<'_>) -> bool {
    const FORMS: [&str; 8] = [
        "rename",
        "set schema",
        "attach partition",
        "detach partition",
        "merge partitions",
        "split partition",
        "depends on",
        "no depends on",
    ];
    part.sees_any(&FORMS).is_some()
}

/// One subcommand, and the constraints that it brings.
fn subcommand(part: &mut Cursor<'_>, target: &Target) -> Read<Operations> {
    let from = part.mark();
    if part.take("add") {
        return add(part, from, target);
    }
    let action = action(part)?;
    part.finish()?;
    if target.written != ObjectKind::Index && matches!(action, AlterAction::AttachIndex { .. }) {
        return Err(part.fail("DEFAULT or FOR VALUES"));
    }
    Ok(super::one(part, from, Operation::Alter(target.clone(), Box::new(action))))
}

/// ADD of a column, a constraint, a value of a composite type.
fn add(part: &mut Cursor<'_>, from: usize, target: &Target) -> Read<Operations> {
    if constraint::begins(part) {
        let draft = constraint::of_table(part)?;
        part.finish()?;
        let span = part.span_from(from);
        return Ok(vec![Located { span, ..draft.on(&target.name, target.only, Written::AddConstraint) }]);
    }
    part.take("column");
    let if_not_exists = part.if_not_exists();
    let Definition { column, constraints } = column::definition(part)?;
    part.finish()?;
    let action = AlterAction::AddColumn { column, if_not_exists };
    let mut operations = super::one(part, from, Operation::Alter(target.clone(), Box::new(action)));
    operations.extend(constraints.into_iter().map(|draft| draft.on(&target.name, target.only, Written::AddColumn)));
    Ok(operations)
}

/// Every subcommand but ADD.
fn action(part: &mut Cursor<'_>) -> Read<AlterAction> {
    const VERBS: [&str; 24] = [
        "alter",
        "drop",
        "validate constraint",
        "rename",
        "set",
        "reset",
        "enable",
        "disable",
        "force row level security",
        "no force row level security",
        "cluster on",
        "inherit",
        "no inherit",
        "no depends on extension",
        "depends on extension",
        "of",
        "not of",
        "owner to",
        "replica identity",
        "options",
        "attach partition",
        "detach partition",
        "merge partitions",
        "split partition",
    ];
    Ok(match part.expect_any(&VERBS)? {
        "alter" => alter(part)?,
        "drop" => drop(part)?,
        "validate constraint" => AlterAction::ValidateConstraint { name: part.ident()? },
        "rename" => rename(part)?,
        "set" => set(part)?,
        "reset" => AlterAction::ResetOptions { options: options(part)?.into_iter().map(|(name, _)| name).collect() },
        "enable" => switch(part, true)?,
        "disable" => switch(part, false)?,
        "force row level security" => AlterAction::RowSecurity(RowSecurity::Force),
        "no force row level security" => AlterAction::RowSecurity(RowSecurity::NoForce),
        "cluster on" => AlterAction::ClusterOn { index: part.ident()? },
        "inherit" => AlterAction::Inherit { parent: part.name()? },
        "no inherit" => AlterAction::NoInherit { parent: part.name()? },
        "no depends on extension" | "depends on extension" => {
            part.ident()?;
            AlterAction::DependsOnExtension
        }
        "of" => AlterAction::OfType { name: part.name()? },
        "not of" => AlterAction::NotOf,
        "owner to" => AlterAction::OwnerTo { role: part.role()? },
        "replica identity" => AlterAction::ReplicaIdentity(replica_identity(part)?),
        "options" => {
            part.group()?;
            AlterAction::Other { words: "options".into() }
        }
        "attach partition" => attach(part)?,
        "detach partition" => detach(part)?,
        "merge partitions" => merge(part)?,
        _ => split(part)?,
    })
}

fn alter(part: &mut Cursor<'_>) -> Read<AlterAction> {
    if part.take("constraint") {
        return alter_constraint(part);
    }
    part.take("column");
    alter_column::read(part)
}

fn alter_constraint(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let name = part.ident()?;
    let mut action = (None, None, false, false);
    while !part.at_end() {
        const TERMS: [&str; 8] = [
            "deferrable",
            "not deferrable",
            "initially deferred",
            "initially immediate",
            "enforced",
            "not enforced",
            "inherit",
            "no inherit",
        ];
        match part.expect_any(&TERMS)? {
            "enforced" => action.0 = Some(true),
            "not enforced" => action.0 = Some(false),
            "inherit" => action.1 = Some(true),
            "no inherit" => action.1 = Some(false),
            "initially deferred" => (action.2, action.3) = (true, true),
            _ => action.2 = true,
        }
    }
    let (enforced, inherit, deferrable, deferred) = action;
    Ok(AlterAction::AlterConstraint { name, enforced, inherit, deferrable, deferred })
}

fn drop(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let constraint = part.take_any(&["constraint", "column"]) == Some("constraint");
    let if_exists = part.if_exists();
    let name = part.ident()?;
    let cascade = behaviour(part);
    Ok(if constraint {
        AlterAction::DropConstraint { name, if_exists, cascade }
    } else {
        AlterAction::DropColumn { column: name, if_exists, cascade }
    })
}

/// CASCADE, or RESTRICT or nothing.
pub(super) fn behaviour(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_any(&["cascade", "restrict"]) == Some("cascade")
}

fn rename(part: &mut Cursor<'_>) -> Read<AlterAction> {
    if part.take("to") {
        return Ok(AlterAction::RenameTo { to: part.ident()? });
    }
    let constraint = part.take_any(&["constraint", "column"]) == Some("constraint");
    let from = part.ident()?;
    part.expect("to")?;
    let to = part.ident()?;
    Ok(if constraint { AlterAction::RenameConstraint { from, to } } else { AlterAction::RenameColumn { from, to } })
}

fn set(part: &mut Cursor<'_>) -> Read<AlterAction> {
    if part.sees("(") {
        return Ok(AlterAction::SetOptions { options: options(part)? });
    }
    const WHAT: [&str; 7] = ["schema", "tablespace", "access method", "logged", "unlogged", "without cluster", "without oids"];
    Ok(match part.expect_any(&WHAT)? {
        "schema" => AlterAction::SetSchema { schema: part.ident()? },
        "tablespace" => AlterAction::SetTablespace { tablespace: part.ident()? },
        "access method" => AlterAction::SetAccessMethod { method: if part.take("default") { None } else { Some(part.ident()?) } },
        "logged" => AlterAction::SetPersistence(Persistence::Permanent),
        "unlogged" => AlterAction::SetPersistence(Persistence::Unlogged),
        "without cluster" => AlterAction::SetWithoutCluster,
        words => AlterAction::Other { words: format!("set {words}").into() },
    })
}

/// A name, and its value if one is written.
pub(super) type StorageOption = (Box<str>, Option<Box<str>>);

/// `(fillfactor = 70, toast.autovacuum_enabled)`: names folded, values as written.
pub(super) fn options(cursor: &mut Cursor<'_>) -> Read<Vec<StorageOption>> {
    let option = |mut part: Cursor<'_>| {
        let mut name = part.label()?.as_str().to_owned();
        if part.take(".") {
            name = format!("{name}.{}", part.label()?);
        }
        let value = if part.take("=") { Some(option_value(&mut part)?) } else { None };
        part.finish()?;
        Ok((name.into(), value))
    };
    cursor.group()?.items()?.into_iter().map(option).collect()
}

/// A literal, a word, an operator, or a type of several words, as written.
fn option_value(part: &mut Cursor<'_>) -> Read<Box<str>> {
    let from = part.mark();
    match part.kind() {
        None => return Err(part.fail("a value")),
        Some(TokenKind::String | TokenKind::DollarString | TokenKind::Number) => _ = part.bump(),
        Some(TokenKind::Operator) if part.integer().is_err() => _ = part.bump(),
        Some(TokenKind::Operator) => {}
        Some(_) => _ = part.rest(),
    }
    Ok(part.text_from(from))
}

/// Behind ENABLE and DISABLE.
fn switch(part: &mut Cursor<'_>, enable: bool) -> Read<AlterAction> {
    if part.take("row level security") {
        return Ok(AlterAction::RowSecurity(if enable { RowSecurity::Enable } else { RowSecurity::Disable }));
    }
    let mode = if enable { part.take_any(&["always", "replica"]).map(Into::into) } else { None };
    if part.take("rule") {
        return Ok(AlterAction::SetRule { enable, rule: part.ident()? });
    }
    part.expect("trigger")?;
    let triggers = match part.take_any(&["all", "user"]) {
        Some("all") => Triggers::All,
        Some(_) => Triggers::User,
        None => Triggers::One(part.ident()?),
    };
    Ok(AlterAction::SetTrigger { enable, mode, triggers })
}

fn replica_identity(part: &mut Cursor<'_>) -> Read<ReplicaIdentity> {
    Ok(match part.expect_any(&["default", "full", "nothing", "using index"])? {
        "default" => ReplicaIdentity::Default,
        "full" => ReplicaIdentity::Full,
        "nothing" => ReplicaIdentity::Nothing,
        _ => ReplicaIdentity::UsingIndex(part.ident()?),
    })
}

/// With a bound it takes a table; an index takes an index without one.
fn attach(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let partition = part.name()?;
    Ok(if part.at_end() {
        AlterAction::AttachIndex { index: partition }
    } else {
        AlterAction::AttachPartition { partition, bound: table::bound(part)? }
    })
}

fn detach(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let partition = part.name()?;
    let how = match part.take_any(&["concurrently", "finalize"]) {
        Some("concurrently") => Detach::Concurrently,
        Some(_) => Detach::Finalize,
        None => Detach::Plain,
    };
    Ok(AlterAction::DetachPartition { partition, how })
}

/// `(a, b) INTO c` (19).
fn merge(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let mut group = part.group()?;
    let partitions = group.names()?;
    group.finish()?;
    part.expect("into")?;
    Ok(AlterAction::MergePartitions { partitions, into: part.name()? })
}

/// `p INTO (PARTITION a FOR VALUES ..., ...)` (19).
fn split(part: &mut Cursor<'_>) -> Read<AlterAction> {
    let partition = part.name()?;
    part.expect("into")?;
    let mut group = part.group()?;
    for mut piece in group.comma_parts()? {
        piece.expect("partition")?;
        piece.name()?;
        table::bound(&mut piece)?;
        piece.finish()?;
    }
    Ok(AlterAction::SplitPartition { partition })
}

/// ALTER TABLE ALL IN TABLESPACE a [OWNED BY role, ...] SET TABLESPACE b [NOWAIT]: which tables it moves, only the server knows.
pub(super) fn all_in_tablespace(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter")?;
    let kind = cursor.expect_any(&["table", "index", "materialized view"])?;
    cursor.expect("all in tablespace")?;
    let _tablespace: Ident = cursor.ident()?;
    if cursor.take("owned by") {
        cursor.list(Cursor::role)?;
    }
    cursor.expect("set tablespace")?;
    cursor.ident()?;
    cursor.take("nowait");
    let words = format!("alter {kind} all in tablespace").into();
    Ok(super::one(cursor, from, Operation::Other { words, object: None, tables: Vec::new(), transactional: true }))
}
