//! That whoever calls knows what will be run, and where: the name of the database is typed, or the hash of what runs is on the command line.

use crate::apply::agenda::Agenda;
use crate::apply::confirm::{Audience, Change, Consent};
use crate::config::environments::without_passwords;
use crate::db::target::Target;
use crate::problem::Problem;
use clap::Args;
use std::io::{self, IsTerminal};

/// What is said in advance.
#[derive(Debug, Args)]
pub(in crate::cli) struct Agreed {
    /// Ask nothing; with --approve-hash
    #[arg(long, requires = "approve_hash")]
    yes: bool,
    /// The hash of what is to be run, as --dry-run prints it
    #[arg(long, value_name = "HASH", requires = "yes")]
    approve_hash: Option<String>,
}

impl Agreed {
    /// Whether whoever calls has agreed to this; asks on the terminal if there is one.
    pub fn to(&self, agenda: &Agenda, target: &Target) -> Result<(), Problem> {
        self.to_hash(&agenda.hash(), &agenda.database, target)
    }

    /// The same of anything that has a hash.
    pub fn to_hash(&self, hash: &str, database: &str, target: &Target) -> Result<(), Problem> {
        let words: Vec<_> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        let command = command(&words);
        let change = Change { environment: &target.environment, database, hash, command: &command };
        let consent = Consent { yes: self.yes, approve_hash: self.approve_hash.as_deref() };
        let (input, prompt) = (io::stdin(), io::stderr());
        let audience = if input.is_terminal() && prompt.is_terminal() { Audience::Terminal } else { Audience::Nobody };
        change.ask(consent, audience, &mut input.lock(), &mut prompt.lock())
    }
}

/// What was typed, as a shell takes it, without the agreement, and without the password that a URL may hold.
fn command(words: &[String]) -> String {
    let mut command = "lockkeeper".to_owned();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--yes" => {}
            "--approve-hash" => drop(words.next()),
            word if word.starts_with("--approve-hash=") => {}
            word => {
                command.push(' ');
                command.push_str(&quoted(&without_passwords(word)));
            }
        }
    }
    command
}

fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=./:,@%+".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_told_as_it_was_typed_but_for_what_was_agreed_and_for_passwords() {
        for (typed, told) in [
            (&["apply", "--env", "production"][..], "lockkeeper apply --env production"),
            (&["apply", "--yes", "--approve-hash", "3f9a", "db"], "lockkeeper apply db"),
            (&["apply", "--approve-hash=3f9a", "--yes", "the shop's"], r"lockkeeper apply 'the shop'\''s'"),
            (
                &["apply", "--database-url=postgres://keeper:hunter2@db/shop"],
                "lockkeeper apply '--database-url=postgres://keeper:***@db/shop'",
            ),
        ] {
            let typed: Vec<_> = typed.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(command(&typed), told);
        }
    }
}
