//! The connection that runs the migration: the open transaction, its settings, the locks it holds.

mod settings;

pub use settings::{SearchPath, Setting, Timeout};

use super::catalog::Step;
use super::effects::{Effects, Lock};
use super::name::{Ident, QualifiedName};
use super::operation::{Operation, TwoPhase};
use foldhash::HashMap;
use settings::{Saved, Settings};

/// How the statements of a file are put into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionMode {
    /// Nothing tells. `true`: taken to run in one transaction; `false`: in none, because the file holds a statement that refuses one.
    Assumed(bool),
    /// The runner opens a transaction around the file.
    Runner,
    /// Each statement commits for itself.
    None,
    /// The whole file is sent as one message, which the server runs as one transaction unless the file says BEGIN.
    OneMessage,
    /// The file says BEGIN and COMMIT itself; outside them each statement commits for itself.
    Explicit,
}

/// Who opened the transaction that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    /// BEGIN in the file.
    File,
    /// The runner, around the file.
    Runner,
    /// The server, around the statements of one message.
    OneMessage,
    /// Nobody is known to; it is taken to be open.
    Assumed,
    /// The statement that runs a body, for the time that it runs: nobody else has opened one.
    Body,
}

/// What the server makes of a statement that controls transactions or settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// What it asks for.
    AsWritten,
    /// BEGIN inside a transaction block: a warning, and nothing else.
    NestedBegin,
    /// COMMIT or ROLLBACK without a transaction block: a warning. It still ends the implicit transaction of a message.
    Stray,
    /// COMMIT or ROLLBACK ends the transaction that the runner opened; every later statement commits for itself.
    EndsTheRunners,
    /// SET LOCAL outside a transaction: a warning, and nothing else.
    NoEffect,
    /// SAVEPOINT and its kin outside a transaction block, or a savepoint that does not exist: an error.
    Refused,
}

/// A lock held since an earlier statement of the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What and how.
    pub lock: Lock,
    /// Index of the statement that took it in this strength, in its file.
    pub by: usize,
}

/// The state of the connection before a statement.
#[derive(Clone, Debug)]
pub struct Session {
    mode: TransactionMode,
    step: Step,
    settings: Settings,
    transaction: Option<Transaction>,
    /// A message of several statements runs, though the file as a whole is none: the last of them.
    message: Option<usize>,
}

/// An open transaction.
#[derive(Clone, Debug)]
struct Transaction {
    opener: Opener,
    /// Index of its first statement, a BEGIN included.
    start: usize,
    /// The settings before it.
    before: Saved,
    held: Vec<Held>,
    /// Where in `held` a relation stands.
    places: HashMap<QualifiedName, usize>,
    savepoints: Vec<Savepoint>,
    /// What `held` was before each change since the first savepoint: a place, and what stood there.
    changes: Vec<(usize, Option<Held>)>,
}

#[derive(Clone, Debug)]
struct Savepoint {
    name: Ident,
    settings: Saved,
    /// How many changes had been noted.
    changes: usize,
}

impl Session {
    /// A fresh connection before the first statement of a file.
    pub fn new(mode: TransactionMode, step: Step) -> Self {
        let mut session = Self { mode, step, settings: Settings::default(), transaction: None, message: None };
        session.transaction = session.opener_of_file().map(|opener| Transaction::new(opener, 0, Saved::default()));
        session
    }

    /// Sets what is in force before the file begins (the role's or the runner's own settings), and what RESET goes back to.
    pub fn preset(&mut self, name: &str, value: super::operation::SettingValue) {
        self.settings.preset(name, value);
    }

    /// The mode of the file.
    pub fn mode(&self) -> TransactionMode {
        self.mode
    }

    /// The migration that runs.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Whether the next statement runs in a transaction that other statements share.
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Whether the open transaction was opened by BEGIN in the file.
    pub fn in_explicit_transaction(&self) -> bool {
        self.opened_by() == Some(Opener::File)
    }

    /// Who opened the open transaction.
    pub fn opened_by(&self) -> Option<Opener> {
        self.transaction.as_ref().map(|transaction| transaction.opener)
    }

    /// The last statement of the message that runs, if that is a part of the file and the transaction is its own.
    pub fn message_end(&self) -> Option<usize> {
        self.message.filter(|_| self.opened_by() == Some(Opener::OneMessage))
    }

    /// Index of the first statement of the open transaction, its BEGIN included.
    pub fn transaction_start(&self) -> Option<usize> {
        self.transaction.as_ref().map(|transaction| transaction.start)
    }

    /// Whether that rests on nothing but the absence of a sign.
    pub fn is_assumed(&self) -> bool {
        matches!(self.mode, TransactionMode::Assumed(_)) && !self.in_explicit_transaction()
    }

    /// lock_timeout as it is now.
    pub fn lock_timeout(&self) -> Timeout {
        self.timeout("lock_timeout")
    }

    /// statement_timeout as it is now.
    pub fn statement_timeout(&self) -> Timeout {
        self.timeout("statement_timeout")
    }

    /// Any other setting that is a time, such as `idle_in_transaction_session_timeout`.
    pub fn timeout(&self, name: &str) -> Timeout {
        Timeout::of(self.settings.get(name))
    }

    /// TimeZone, if the file sets it.
    pub fn time_zone(&self) -> Option<&str> {
        self.literal("timezone")
    }

    /// search_path as it is now.
    pub fn search_path(&self) -> SearchPath {
        SearchPath::of(self.settings.get("search_path"))
    }

    /// The role that SET ROLE chose; `None` if none was, or it cannot be read.
    pub fn role(&self) -> Option<&str> {
        self.literal("role").filter(|role| *role != "none")
    }

    /// Whether `session_replication_role` keeps triggers and foreign keys from firing.
    pub fn triggers_are_off(&self) -> bool {
        self.literal("session_replication_role").is_some_and(|role| role.eq_ignore_ascii_case("replica"))
    }

    /// A setting by its name in lower case, and the statement that set it; `None`: the server's default.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    fn literal(&self, name: &str) -> Option<&str> {
        match &self.settings.get(name)?.value {
            super::operation::SettingValue::Literal(text) => Some(text),
            super::operation::SettingValue::List(_) | super::operation::SettingValue::Unknown => None,
        }
    }

    /// The locks that the open transaction holds from earlier statements, strongest mode for each relation.
    pub fn held(&self) -> &[Held] {
        self.transaction.as_ref().map_or(&[], |transaction| &transaction.held)
    }

    /// The lock that the open transaction holds on one relation.
    pub fn held_on(&self, relation: &QualifiedName) -> Option<&Held> {
        let transaction = self.transaction.as_ref()?;
        transaction.places.get(relation).map(|place| &transaction.held[*place])
    }

    /// What the server makes of an operation that controls transactions or settings, in this state.
    pub fn turn(&self, operation: &Operation) -> Turn {
        match operation {
            Operation::Begin => match self.opened_by() {
                // The implicit transaction of a message just becomes a block.
                None | Some(Opener::OneMessage) => Turn::AsWritten,
                Some(Opener::File | Opener::Runner | Opener::Assumed | Opener::Body) => Turn::NestedBegin,
            },
            Operation::Commit { .. } | Operation::Rollback { .. } => match self.opened_by() {
                None | Some(Opener::OneMessage) => Turn::Stray,
                Some(Opener::Runner | Opener::Assumed) => Turn::EndsTheRunners,
                Some(Opener::File | Opener::Body) => Turn::AsWritten,
            },
            Operation::Savepoint(_) if self.in_block() => Turn::AsWritten,
            Operation::Release(name) | Operation::RollbackTo(name) if self.savepoint(name).is_some() => Turn::AsWritten,
            Operation::Savepoint(_) | Operation::Release(_) | Operation::RollbackTo(_) => Turn::Refused,
            Operation::Set { local: true, .. } if !self.in_transaction() => Turn::NoEffect,
            _ => Turn::AsWritten,
        }
    }

    /// Moves on by one operation of the statement `statement` (its index in the file).
    pub fn advance(&mut self, operation: &Operation, effects: &Effects, statement: usize) {
        if let Some(transaction) = &mut self.transaction {
            transaction.hold(&effects.locks, statement);
        }
        let turn = self.turn(operation);
        match operation {
            Operation::Begin => self.begin(statement),
            Operation::Commit { chain } => self.end(*chain, statement),
            Operation::Rollback { chain } => {
                if let Some(transaction) = &mut self.transaction {
                    self.settings.restore(std::mem::take(&mut transaction.before));
                }
                self.end(*chain, statement);
            }
            Operation::TwoPhase(TwoPhase::Prepare) if self.in_block() => self.end(false, statement),
            Operation::Savepoint(name) if turn == Turn::AsWritten => self.set_savepoint(name),
            Operation::Release(name) => self.release(name),
            Operation::RollbackTo(name) => self.roll_back_to(name),
            Operation::Set { .. } if turn == Turn::NoEffect => {}
            Operation::Set { name, value, local } => self.settings.set(name, value.clone(), *local, statement),
            Operation::Reset { name: Some(name) } => self.settings.set(name, None, false, statement),
            Operation::Reset { name: None } => self.settings.reset_all(),
            _ => {}
        }
    }

    /// The statements from `first` to `last` run in a transaction of their own: as one message, or in one that the runner opens.
    pub fn begin_unit(&mut self, opener: Opener, first: usize, last: usize) {
        self.message = (opener == Opener::OneMessage).then_some(last);
        if self.transaction.is_none() {
            self.transaction = Some(Transaction::new(opener, first, self.settings.save()));
        }
    }

    /// That is over. A block that a message has opened stays open.
    pub fn end_unit(&mut self) {
        self.message = None;
        if matches!(self.opened_by(), Some(Opener::OneMessage | Opener::Runner)) {
            self.settings.end_of_transaction();
            self.transaction = None;
        }
    }

    /// The body of the statement `statement` begins to run: in the transaction that is open, else in one of its own.
    pub fn begin_body(&mut self, statement: usize) {
        if self.transaction.is_none() {
            self.transaction = Some(Transaction::new(Opener::Body, statement, self.settings.save()));
        }
    }

    /// The body is over, and the transaction with it that was opened for it.
    pub fn end_body(&mut self) {
        if self.opened_by() == Some(Opener::Body) {
            self.settings.end_of_transaction();
            self.transaction = None;
        }
    }

    /// Whether a transaction block is open, which the implicit transaction of a message is not.
    fn in_block(&self) -> bool {
        !matches!(self.opened_by(), None | Some(Opener::OneMessage | Opener::Body))
    }

    fn opener_of_file(&self) -> Option<Opener> {
        match self.mode {
            TransactionMode::Assumed(true) => Some(Opener::Assumed),
            TransactionMode::Runner => Some(Opener::Runner),
            TransactionMode::OneMessage => Some(Opener::OneMessage),
            TransactionMode::Assumed(false) | TransactionMode::None | TransactionMode::Explicit => None,
        }
    }

    fn begin(&mut self, statement: usize) {
        match &mut self.transaction {
            None => self.transaction = Some(Transaction::new(Opener::File, statement, self.settings.save())),
            Some(transaction) if transaction.opener == Opener::OneMessage => transaction.opener = Opener::File,
            Some(_) => {}
        }
    }

    /// COMMIT, or what is left to do for a ROLLBACK.
    fn end(&mut self, chain: bool, statement: usize) {
        self.settings.end_of_transaction();
        let was_block = self.in_block();
        let next = match self.mode {
            _ if chain && was_block => Some(Opener::File),
            // What follows in the message is a transaction again.
            _ if self.opened_by() == Some(Opener::Body) => Some(Opener::Body),
            TransactionMode::OneMessage => Some(Opener::OneMessage),
            _ if self.message.is_some() => Some(Opener::OneMessage),
            _ => None,
        };
        self.transaction = next.map(|opener| Transaction::new(opener, statement + 1, self.settings.save()));
    }

    fn savepoint(&self, name: &Ident) -> Option<usize> {
        self.transaction.as_ref()?.savepoints.iter().rposition(|savepoint| savepoint.name == *name)
    }

    fn set_savepoint(&mut self, name: &Ident) {
        if let Some(transaction) = &mut self.transaction {
            let changes = transaction.changes.len();
            transaction.savepoints.push(Savepoint { name: name.clone(), settings: self.settings.save(), changes });
        }
    }

    /// What was done since then belongs to the transaction around it; SET LOCAL goes on until that ends.
    fn release(&mut self, name: &Ident) {
        if let (Some(place), Some(transaction)) = (self.savepoint(name), &mut self.transaction) {
            transaction.savepoints.truncate(place);
        }
    }

    /// Settings are as they were, locks taken since are released, and the savepoint stays.
    fn roll_back_to(&mut self, name: &Ident) {
        if let (Some(place), Some(transaction)) = (self.savepoint(name), &mut self.transaction) {
            transaction.savepoints.truncate(place + 1);
            let savepoint = &transaction.savepoints[place];
            self.settings.restore(savepoint.settings.clone());
            let changes = savepoint.changes;
            transaction.let_go(changes);
        }
    }
}

impl Transaction {
    fn new(opener: Opener, start: usize, before: Saved) -> Self {
        let (held, places, savepoints, changes) = Default::default();
        Self { opener, start, before, held, places, savepoints, changes }
    }

    fn hold(&mut self, locks: &[Lock], by: usize) {
        for lock in locks {
            let held = Held { lock: lock.clone(), by };
            let change = match self.places.get(&lock.relation) {
                Some(place) if self.held[*place].lock.mode >= lock.mode => continue,
                Some(place) => (*place, Some(std::mem::replace(&mut self.held[*place], held))),
                None => {
                    self.places.insert(lock.relation.clone(), self.held.len());
                    self.held.push(held);
                    (self.held.len() - 1, None)
                }
            };
            if !self.savepoints.is_empty() {
                self.changes.push(change);
            }
        }
    }

    /// Undoes the changes of `held` from the newest back to the one numbered `until`.
    fn let_go(&mut self, until: usize) {
        for (place, before) in self.changes.drain(until..).rev() {
            match before {
                Some(before) => self.held[place] = before,
                None => {
                    self.places.remove(&self.held[place].lock.relation);
                    self.held.truncate(place);
                }
            }
        }
    }
}
