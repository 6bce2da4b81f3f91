//! What the statements of a file do about earlier ones: statistics gathered anew, sequences moved on, settings put back, checks made early.

use super::outline::{Places, first_from, places, push};
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, ConstraintKind, Operation, SettingValue, TwoPhase};
use foldhash::HashMap;

/// What a file does about earlier statements, by thing.
#[derive(Debug, Default)]
pub struct Aftermath {
    /// Tables by their bare names; `None` for all tables.
    analyses: HashMap<Option<Ident>, Places>,
    /// Statements that move a sequence on.
    sequence_moves: Places,
    /// By setting in lower case; `None` for all.
    resets: HashMap<Option<Box<str>>, Places>,
    immediate: Places,
    writes: HashMap<Ident, Places>,
    deferrals: HashMap<Ident, Places>,
    transactions: Places,
    watches: Places,
}

impl Aftermath {
    /// Whether a statement from `next` on gathers statistics of a table of this name.
    pub fn is_analysed_from(&self, table: &Ident, next: usize) -> bool {
        let from = |table| first_from(places(&self.analyses, &table), next).is_some();
        from(Some(table.clone())) || from(None)
    }

    /// Statements that may move a sequence on: setval, RESTART, a DO block.
    pub fn sequence_moves(&self) -> &[usize] {
        &self.sequence_moves
    }

    /// Whether a statement from `next` on takes a setting back to where it was.
    pub fn is_reset_from(&self, setting: &str, next: usize) -> bool {
        let from = |setting| first_from(places(&self.resets, &setting), next).is_some();
        from(Some(setting.into())) || from(None)
    }

    /// Statements that have deferred checks made at once.
    pub fn checks_now(&self) -> &[usize] {
        &self.immediate
    }

    /// Statements that change rows of a table of this name.
    pub fn writes_to(&self, table: &Ident) -> &[usize] {
        places(&self.writes, table)
    }

    /// Statements that give a table of this name a check or trigger which waits for COMMIT.
    pub fn defers_on(&self, table: &Ident) -> &[usize] {
        places(&self.deferrals, table)
    }

    /// Whether a statement from `next` on ends a transaction, or begins another.
    pub fn turns_transaction_from(&self, next: usize) -> bool {
        first_from(&self.transactions, next).is_some()
    }

    /// Whether psql repeats the statement before `next`.
    pub fn is_watched(&self, next: usize) -> bool {
        first_from(&self.watches, next) == Some(next)
    }

    pub(super) fn note(&mut self, at: usize, operation: &Operation) {
        match operation {
            Operation::Analyze { table } | Operation::Vacuum { table, analyze: true, .. } => {
                push(&mut self.analyses, table.as_ref().map(|table| table.name.clone()), at);
            }
            Operation::Select { calls, .. } if calls.iter().any(|call| call.name == "setval") => self.sequence_moves.push(at),
            Operation::AlterSequence { restart: true, .. } | Operation::DoBlock { .. } => self.sequence_moves.push(at),
            Operation::Alter(_, action) if matches!(**action, AlterAction::SetIdentity { restart: true, .. }) => {
                self.sequence_moves.push(at)
            }
            Operation::Alter(target, action) => {
                if matches!(**action, AlterAction::AlterConstraint { deferred: true, .. }) {
                    push(&mut self.deferrals, target.name.name.clone(), at);
                }
            }
            Operation::AddConstraint(constraint) if constraint.deferred => {
                push(&mut self.deferrals, constraint.table.name.clone(), at);
                if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                    push(&mut self.deferrals, key.referenced.name.clone(), at);
                }
            }
            Operation::CreateTrigger(trigger) if trigger.deferred => push(&mut self.deferrals, trigger.table.name.clone(), at),
            Operation::Reset { name } => push(&mut self.resets, name.clone(), at),
            Operation::Set { name, value, .. } if is_default(name, value.as_ref()) => push(&mut self.resets, Some(name.clone()), at),
            Operation::SetConstraints { deferred: false } => self.immediate.push(at),
            Operation::Begin | Operation::Commit { .. } | Operation::Rollback { .. } | Operation::TwoPhase(TwoPhase::Prepare) => {
                self.transactions.push(at);
            }
            Operation::PsqlCommand { word } if &**word == "watch" => self.watches.push(at),
            _ => {
                if let Some(table) = operation.writes_to() {
                    push(&mut self.writes, table.name.clone(), at);
                }
            }
        }
    }
}

/// Whether a value is the server's own, so that SET takes a setting back to where most servers have it.
pub fn is_default(setting: &str, value: Option<&SettingValue>) -> bool {
    let words: Vec<&str> = match value {
        None => return true,
        Some(SettingValue::Literal(text)) => vec![text],
        Some(SettingValue::List(words)) => words.iter().map(|word| &**word).collect(),
        Some(SettingValue::Unknown) => return false,
    };
    match setting {
        "search_path" => matches!(&*words, ["public" | "\"$user\", public" | "\"$user\",public"] | ["$user", "public"]),
        "session_replication_role" => matches!(&*words, [word] if word.eq_ignore_ascii_case("origin")),
        "role" => matches!(&*words, [word] if word.eq_ignore_ascii_case("none")),
        _ if setting.ends_with("_timeout") => matches!(&*words, ["0" | "0s" | "0ms"]),
        _ => false,
    }
}
