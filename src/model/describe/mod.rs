//! Operations in one line each, for people who want to see what lockkeeper read: `add_column orders.buyer bigint not null default 0`.
//!
//! The line begins with the word of [`OpKind`](super::kind::OpKind); what is usual is left out, what is unusual is a word.

mod alter;
mod constraint;
mod relation;
mod security;

use super::expression::Expression;
use super::name::{Ident, Name};
use super::operation::{
    CreateFunction, CreateTrigger, Delete, DomainAction, Drop, Insert, InsertSource, Operation, Persistence, ReindexScope, SettingValue,
    TwoPhase, Update, Volatility,
};
use super::types::TypeName;
use std::fmt::{self, Display, Write};

impl Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line(self.kind().word().to_owned());
        describe(self, &mut line);
        f.write_str(&line.0)
    }
}

/// A line that grows by words.
struct Line(String);

impl Line {
    /// Adds anything, after a space.
    fn word(&mut self, word: impl Display) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, " {word}");
        self
    }

    /// Adds a word if it holds.
    fn flag(&mut self, holds: bool, word: &str) -> &mut Self {
        if holds { self.word(word) } else { self }
    }

    /// Adds `label=value` if there is a value.
    fn labelled(&mut self, label: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.word(format_args!("{label}={value}")),
            None => self,
        }
    }

    /// Adds `label=a,b` if there is one at least.
    fn list<T: Display>(&mut self, label: &str, values: &[T]) -> &mut Self {
        let joined = (!values.is_empty()).then(|| joined(values));
        self.labelled(label, joined)
    }

    /// Adds `(a, b)`.
    fn group<T: Display>(&mut self, values: &[T]) -> &mut Self {
        self.word(format_args!("({})", values.iter().map(T::to_string).collect::<Vec<_>>().join(", ")))
    }

    fn expression(&mut self, label: &str, expression: Option<&Expression>) -> &mut Self {
        match expression {
            Some(expression) => self.word(format_args!("{label} {}", Shown(expression))),
            None => self,
        }
    }
}

/// An expression's text, with a mark if not all of it was understood.
struct Shown<'a>(&'a Expression);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]{}", self.0.text, if self.0.understood { "" } else { "?" })
    }
}

/// A type, or `?` if it is not known.
struct Typed<'a>(Option<&'a TypeName>);

impl Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(data_type) => write!(f, "{data_type}{}", if data_type.serial { " serial" } else { "" }),
            None => f.write_str("?"),
        }
    }
}

fn joined<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

/// `table.column`.
fn column_of(table: &Name, column: &Ident) -> String {
    format!("{table}.{column}")
}

fn persistence(persistence: Persistence) -> Option<&'static str> {
    match persistence {
        Persistence::Permanent => None,
        Persistence::Unlogged => Some("unlogged"),
        Persistence::Temporary => Some("temporary"),
    }
}

fn describe(operation: &Operation, line: &mut Line) {
    match operation {
        Operation::CreateTable(table) => relation::table(table, line),
        Operation::CreateTableAs(table) => relation::table_as(table, line),
        Operation::Alter(target, action) => alter::describe(target, action, line),
        Operation::AddConstraint(constraint) => constraint::describe(constraint, line),
        Operation::CreateIndex(index) => relation::index(index, line),
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => relation::view(view, line),
        Operation::CreateFunction(function) => routine(function, line),
        Operation::CreateTrigger(trigger) => self::trigger(trigger, line),
        Operation::Drop(drop) => dropped(drop, line),
        Operation::Insert(insert) => self::insert(insert, line),
        Operation::Update(update) => self::update(update, line),
        Operation::Delete(delete) => self::delete(delete, line),
        Operation::Reindex(reindex) => {
            let scope = match reindex.scope {
                ReindexScope::Index => "index",
                ReindexScope::Table => "table",
                ReindexScope::Schema => "schema",
                ReindexScope::Database => "database",
                ReindexScope::System => "system",
            };
            line.word(scope).maybe(reindex.name.as_ref()).flag(reindex.concurrently, "concurrently");
        }
        Operation::RefreshMaterializedView { name, concurrently, with_data } => {
            line.word(name).flag(*concurrently, "concurrently").flag(!with_data, "no_data");
        }
        Operation::CreateSequence { name, if_not_exists, persistence: kept, data_type, owned_by, .. } => {
            line.word(name).flag(*if_not_exists, "if_not_exists").maybe(persistence(*kept)).labelled("as", data_type.as_ref());
            line.labelled("owned_by", owned_by.as_ref().map(|(table, column)| column_of(table, column)));
        }
        Operation::AlterSequence { name, if_exists, data_type, owned_by, restart, .. } => {
            line.word(name).flag(*if_exists, "if_exists").labelled("as", data_type.as_ref());
            line.labelled("owned_by", owned_by.as_ref().map(|(table, column)| column_of(table, column))).flag(*restart, "restart");
        }
        Operation::CreateType { name, definition } => relation::data_type(name, definition, line),
        Operation::CreateDomain { name, base, not_null, default, checks } => {
            line.word(name).word(base).flag(*not_null, "not null").expression("default", default.as_ref());
            checks.iter().for_each(|check| constraint::domain_check(check, line));
        }
        Operation::AlterDomain { name, action } => domain(name, action, line),
        Operation::AddEnumValue { name, value, if_not_exists, placed } => {
            line.word(name).word(format_args!("'{value}'")).flag(*if_not_exists, "if_not_exists").flag(*placed, "placed");
        }
        Operation::RenameEnumValue { name, from, to } => {
            line.word(name).word(format_args!("'{from}' to '{to}'"));
        }
        Operation::CreateRule { name, table, or_replace } => {
            line.word(name).labelled("on", Some(table)).flag(*or_replace, "or_replace");
        }
        Operation::Policy(policy) => security::policy(policy, line),
        Operation::CreateStatistics { name, table, columns, if_not_exists, .. } => {
            line.maybe(name.as_ref()).labelled("on", table.as_ref()).group(columns).flag(*if_not_exists, "if_not_exists");
        }
        Operation::CreateSchema { name, if_not_exists } => {
            line.word(name).flag(*if_not_exists, "if_not_exists");
        }
        Operation::CreateExtension { name, if_not_exists, schema, version } => {
            line.word(name).flag(*if_not_exists, "if_not_exists").labelled("schema", schema.as_ref()).labelled("version", version.as_ref());
        }
        Operation::Rename { object: _, name, table, to } => {
            line.word(name).labelled("on", table.as_ref()).word(format_args!("to {to}"));
        }
        Operation::Truncate { table, only, cascade, restart_identity } => {
            line.word(table).flag(*only, "only").flag(*cascade, "cascade").flag(*restart_identity, "restart_identity");
        }
        Operation::Merge { table, limited, reads, calls } => {
            line.word(table).flag(*limited, "limited").list("reads", reads).list("calls", calls);
        }
        Operation::Copy { table, from, program, stdin, data, reads } => {
            line.maybe(table.as_ref()).word(if *from { "from" } else { "to" }).flag(*program, "program").flag(*stdin, "stdin");
            line.labelled("data", *data).list("reads", reads);
        }
        Operation::Select { reads, calls, locks_rows, text: _ } => {
            line.list("reads", reads).list("calls", calls).flag(*locks_rows, "locks_rows");
        }
        Operation::LockTable { table, only, mode, nowait } => {
            line.word(table).flag(*only, "only").word(mode.id()).flag(*nowait, "nowait");
        }
        Operation::Vacuum { table, full, analyze, truncate } => {
            line.maybe(table.as_ref()).flag(*full, "full").flag(*analyze, "analyze").flag(!truncate, "no_truncate");
        }
        Operation::Analyze { table } => {
            line.maybe(table.as_ref());
        }
        Operation::Cluster { table, index } => {
            line.maybe(table.as_ref()).labelled("index", index.as_ref());
        }
        Operation::Repack { table, concurrently } => {
            line.maybe(table.as_ref()).flag(*concurrently, "concurrently");
        }
        Operation::DoBlock { language, body } => {
            line.labelled("language", language.as_ref()).flag(body.is_none(), "no_literal");
        }
        Operation::Call { procedure } => {
            line.word(procedure);
        }
        Operation::Comment { object: _, name, table, .. } => {
            line.maybe(name.as_ref()).labelled("on", table.as_ref());
        }
        Operation::Privilege(privilege) => security::privilege(privilege, line),
        Operation::Begin => {}
        Operation::Commit { chain } | Operation::Rollback { chain } => {
            line.flag(*chain, "and_chain");
        }
        Operation::Savepoint(name) | Operation::Release(name) | Operation::RollbackTo(name) => {
            line.word(name);
        }
        Operation::TwoPhase(what) => {
            line.word(match what {
                TwoPhase::Prepare => "prepare",
                TwoPhase::Commit => "commit",
                TwoPhase::Rollback => "rollback",
            });
        }
        Operation::Set { name, value, local } => {
            line.flag(*local, "local").word(name).labelled("to", value.as_ref().map(setting));
        }
        Operation::Reset { name } => {
            line.word(name.as_deref().unwrap_or("all"));
        }
        Operation::SetConstraints { deferred } => {
            line.word(if *deferred { "deferred" } else { "immediate" });
        }
        Operation::Other { words, object, tables, transactional } => {
            let tables: Vec<&Name> = tables.iter().map(|table| &table.name).collect();
            line.word(format_args!("[{words}]"))
                .maybe(object.as_ref())
                .list("tables", &tables)
                .flag(!transactional, "outside_transactions");
        }
        Operation::Dynamic { construct } => {
            line.word(construct);
        }
        Operation::Unreadable { why } => {
            line.word(why);
        }
        Operation::PsqlCommand { word } => {
            line.word(format_args!("\\{word}"));
        }
    }
}

impl Line {
    /// Adds a word if there is one.
    fn maybe(&mut self, word: Option<impl Display>) -> &mut Self {
        match word {
            Some(word) => self.word(word),
            None => self,
        }
    }
}

fn setting(value: &SettingValue) -> String {
    match value {
        SettingValue::Literal(text) => format!("'{text}'"),
        SettingValue::List(values) => values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(","),
        SettingValue::Unknown => "?".to_owned(),
    }
}

fn dropped(drop: &Drop, line: &mut Line) {
    line.word(&drop.name).labelled("on", drop.table.as_ref()).flag(drop.if_exists, "if_exists");
    line.flag(drop.cascade, "cascade").flag(drop.concurrently, "concurrently");
}

fn domain(name: &Name, action: &DomainAction, line: &mut Line) {
    line.word(name);
    match action {
        DomainAction::SetDefault => line.word("set_default"),
        DomainAction::DropDefault => line.word("drop_default"),
        DomainAction::SetNotNull | DomainAction::AddNotNull => line,
        DomainAction::DropNotNull => line.word("drop_not_null"),
        DomainAction::AddCheck(check) => {
            constraint::domain_check(check, line);
            line
        }
        DomainAction::DropConstraint { name, if_exists } => line.word(name).flag(*if_exists, "if_exists"),
        DomainAction::RenameConstraint { from, to } => line.word(format_args!("rename_constraint {from} to {to}")),
        DomainAction::ValidateConstraint { name } => line.word(name),
        DomainAction::Other { words } => line.word(format_args!("[{words}]")),
    };
}

fn routine(function: &CreateFunction, line: &mut Line) {
    let arguments: Vec<_> = function.arguments.iter().map(|argument| Typed(argument.as_ref())).collect();
    line.word(&function.name).group(&arguments).flag(function.procedure, "procedure").flag(function.or_replace, "or_replace");
    line.labelled("language", function.language.as_ref());
    line.maybe(function.volatility.map(|volatility| match volatility {
        Volatility::Immutable => "immutable",
        Volatility::Stable => "stable",
        Volatility::Volatile => "volatile",
    }));
    line.flag(function.returns_trigger, "returns_trigger").flag(function.security_definer, "security_definer");
    line.flag(function.sets_search_path, "sets_search_path").flag(function.atomic, "atomic").flag(function.body.is_none(), "no_body");
}

fn trigger(trigger: &CreateTrigger, line: &mut Line) {
    line.word(&trigger.name).labelled("on", Some(&trigger.table)).flag(trigger.or_replace, "or_replace");
    line.flag(trigger.constraint, "constraint")
        .flag(trigger.deferred, "deferred")
        .flag(trigger.before, "before")
        .flag(trigger.for_each_row, "for_each_row");
    line.list("events", &trigger.events).list("of", &trigger.of_columns);
    line.labelled("function", trigger.function.as_ref()).labelled("from", trigger.from.as_ref());
}

fn insert(insert: &Insert, line: &mut Line) {
    line.word(&insert.table).group(&insert.columns);
    match &insert.source {
        InsertSource::Values { rows, numbers: _ } => line.labelled("rows", Some(rows)),
        InsertSource::Query { limited, filters } => {
            line.word("query").flag(*limited, "limited");
            filters.iter().fold(&mut *line, |line, filter| line.expression("where", Some(filter)))
        }
        InsertSource::DefaultValues => line.word("default_values"),
    };
    line.flag(insert.on_conflict, "on_conflict").list("reads", &insert.reads).list("calls", &insert.calls);
}

fn update(update: &Update, line: &mut Line) {
    line.word(&update.table).flag(update.only, "only").group(&update.columns).expression("where", update.filter.as_ref());
    line.flag(update.current_of, "current_of").list("reads", &update.reads).list("calls", &update.calls);
}

fn delete(delete: &Delete, line: &mut Line) {
    line.word(&delete.table).flag(delete.only, "only").expression("where", delete.filter.as_ref());
    line.flag(delete.current_of, "current_of").list("reads", &delete.reads).list("calls", &delete.calls);
}
