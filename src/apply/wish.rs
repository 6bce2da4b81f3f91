//! What is wished for, and which migrations that means.

use super::backfill::file::JobFile;
use super::draft::Draft;
use super::due::{Item, Status};
use super::ledger::{self, Entry};
use super::runner::With;
use super::verdict::Verdict;
use super::window::Word;
use crate::problem::{Problem, did_you_mean};

/// What is wished for.
#[derive(Clone, Copy, Debug)]
pub enum Wish<'a> {
    /// To run what is due.
    Apply(Wanted<'a>),
    /// To undo the newest migrations.
    Rollback(Pick<'a>),
    /// To let another tool's command run what is due.
    With(With<'a>),
    /// To run a file that is no migration.
    Backfill(&'a JobFile),
}

/// Which migrations are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Up to this version, it included; `None`: all.
    pub to: Option<&'a str>,
    /// Those behind which others have run already, too.
    pub out_of_order: bool,
    /// What is said about the time.
    pub word: Word,
}

impl Wish<'_> {
    /// The command that runs them, and why if nobody can judge it; nothing: we do.
    pub fn by(&self) -> String {
        match self {
            Self::With(with) => format!("{}\n{}", with.line(), with.unjudged.unwrap_or_default()),
            Self::Apply(_) | Self::Rollback(_) | Self::Backfill(_) => String::new(),
        }
    }

    /// Whether a command runs of which no files tell what it does.
    pub fn is_unjudged(&self) -> bool {
        matches!(self, Self::With(With { unjudged: Some(_), .. }))
    }

    /// What is said about the time.
    pub fn word(self) -> Word {
        match self {
            Self::Apply(wanted) | Self::With(With { wanted, .. }) => wanted.word,
            Self::Rollback(_) | Self::Backfill(_) => Word::default(),
        }
    }
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'a> {
    /// So many migrations.
    Steps(usize),
    /// Everything behind this one, which stays.
    To(&'a str),
}

impl Pick<'_> {
    /// The keys of what is undone, the newest first.
    ///
    /// # Errors
    /// Why nothing can be undone.
    pub fn keys(self, entries: &[Entry], items: &[Item]) -> Result<Vec<String>, Verdict> {
        let partial = items.iter().find(|item| item.status == Status::Partial);
        if let Some(item) = partial {
            let message = format!("`{}` was begun and has not ended: it cannot be undone as a whole", item.key);
            return Err(Verdict::NotReady(vec![Problem::new("apply::partial", message).help("`lockkeeper apply` brings it to its end")]));
        }
        let was_run = |entry: &Entry| matches!(entry.state, ledger::State::Applied | ledger::State::RollingBack);
        let mut run: Vec<_> = entries.iter().filter(|entry| was_run(entry)).collect();
        run.reverse();
        let count = match self {
            Self::Steps(count) => count.min(run.len()),
            Self::To(key) => {
                let stays =
                    |entry: &Entry| matches!(entry.state, ledger::State::Applied | ledger::State::RollingBack | ledger::State::Baselined);
                match entries.iter().position(|entry| entry.key == key && stays(entry)) {
                    Some(at) => run.len() - entries[..=at].iter().filter(|entry| was_run(entry)).count(),
                    None => {
                        let known = entries.iter().filter(|entry| stays(entry)).map(|entry| entry.key.as_str());
                        let problem = Problem::new("apply::version", format!("`{key}` has not run here{}", did_you_mean(key, known)));
                        return Err(Verdict::Refused(vec![problem.help("`lockkeeper status` lists what has")]));
                    }
                }
            }
        };
        Ok(run[..count].iter().map(|entry| entry.key.clone()).collect())
    }
}

impl Wanted<'_> {
    /// The keys of what is due, in order.
    ///
    /// # Errors
    /// In what the ledger contradicts the files.
    pub fn keys(self, items: &[Item], drafts: &[Draft]) -> Result<Vec<String>, Verdict> {
        let path = |key: &str| drafts.iter().find(|draft| draft.key == key).map(|draft| draft.source.path().to_owned());
        let problem = |item: &Item| {
            let (message, help) = match item.status {
                Status::Changed => (
                    "its SQL has changed since it ran here",
                    format!(
                        "put it back, and write a new migration; if the new text says the same, `{}` takes it for the one that ran",
                        repair(&item.key)
                    ),
                ),
                Status::Missing => {
                    let help = format!("bring it back from version control; `{}` forgets it", repair(&item.key));
                    ("it has run here, and its file is gone", help)
                }
                Status::PartlyUndone => {
                    ("its way back was begun and has not ended", "`lockkeeper rollback --steps 1` brings it to its end".to_owned())
                }
                Status::OutOfOrder => {
                    let help = "give it a newer version, or run it all the same with --out-of-order".to_owned();
                    ("it has not run, and newer ones have", help)
                }
                _ => return None,
            };
            if item.status == Status::OutOfOrder && self.out_of_order {
                return None;
            }
            let problem = Problem::new("apply::history", format!("{}: {message}", item.key)).help(help);
            Some(match path(&item.key) {
                Some(path) => problem.about(path),
                None => problem,
            })
        };
        let wrong: Vec<_> = items.iter().filter_map(problem).collect();
        if !wrong.is_empty() {
            return Err(Verdict::NotReady(wrong));
        }
        let last = match self.to {
            None => items.len(),
            Some(to) => match items.iter().position(|item| item.key == to) {
                Some(at) => at + 1,
                None => {
                    let message = format!("there is no migration `{to}`{}", did_you_mean(to, items.iter().map(|item| item.key.as_str())));
                    return Err(Verdict::Refused(vec![Problem::new("apply::version", message).help("`lockkeeper status` lists them")]));
                }
            },
        };
        Ok(items[..last].iter().filter(|item| item.status.is_due()).map(|item| item.key.clone()).collect())
    }
}

/// The command that makes peace between the ledger and a file.
fn repair(key: &str) -> String {
    format!("lockkeeper repair {} --reason WHY", quoted(key))
}

/// A key as a shell takes it.
pub(super) fn quoted(key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=./:,@%+".contains(&byte));
    if plain { key.to_owned() } else { format!("'{}'", key.replace('\'', r"'\''")) }
}
