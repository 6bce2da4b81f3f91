//! Whether somebody wants it: production asks for the database's name, and where there is no terminal, for the hash of what will run.

use crate::config::environments::Environment;
use crate::problem::Problem;
use std::io::{self, BufRead, Write};

/// What is about to be changed.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Which of the databases it is.
    pub environment: &'a Environment,
    /// What the connected database is called.
    pub database: &'a str,
    /// The hash of what will run.
    pub hash: &'a str,
    /// The command as it was typed, without `--yes` and its hash: `lockkeeper apply --env production`.
    pub command: &'a str,
}

/// What the command line says: `--yes --approve-hash HASH`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Consent<'a> {
    /// Whether nobody is to be asked.
    pub yes: bool,
    /// The hash of what somebody has looked at.
    pub approve_hash: Option<&'a str>,
}

/// Whether there is somebody to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Questions are read and answered.
    Terminal,
    /// A pipe, a file, a machine.
    Nobody,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It may run.
    Go,
    /// It may run if the name of the database is typed.
    AskForName,
}

impl Change<'_> {
    /// What comes next.
    ///
    /// # Errors
    /// Something else was looked at, or nobody is there to be asked; the help is the command that would do it.
    pub fn next(&self, consent: Consent<'_>, audience: Audience) -> Result<Next, Problem> {
        match (consent.approve_hash, consent.yes) {
            (Some(hash), _) if hash != self.hash => {
                let message =
                    format!("what would run is not what was looked at: its hash is {}, and --approve-hash says {hash}", self.hash);
                Err(refused(message).help(format!("look at it (`{} --dry-run`), then: {}", self.command, self.right_command())))
            }
            _ if !self.environment.confirm => Ok(Next::Go),
            (Some(_), true) => Ok(Next::Go),
            (Some(_), false) | (None, true | false) => match audience {
                Audience::Terminal => Ok(Next::AskForName),
                Audience::Nobody => {
                    let name = &self.environment.name;
                    let message = format!("`{name}` asks for the name of its database, and there is no terminal to ask on");
                    Err(refused(message).help(format!("look at it (`{} --dry-run`), then: {}", self.command, self.right_command())))
                }
            },
        }
    }

    /// Takes the answer to [`Next::AskForName`].
    ///
    /// # Errors
    /// It is not the database's name.
    pub fn answered(&self, typed: &str) -> Result<(), Problem> {
        // What was typed is not repeated: people type passwords where they did not look.
        match typed.trim() == self.database {
            true => Ok(()),
            false => Err(refused("that is not the name of the database, and nothing was changed".to_owned()).help(format!(
                "it is `{}`; without a question: {}",
                self.database,
                self.right_command()
            ))),
        }
    }

    /// Asks what there is to ask, by a prompt and a line.
    ///
    /// # Errors
    /// Nobody wants it, as [`Self::next`] and [`Self::answered`] say, or the terminal has gone.
    pub fn ask(&self, consent: Consent<'_>, audience: Audience, input: &mut dyn BufRead, prompt: &mut dyn Write) -> Result<(), Problem> {
        match self.next(consent, audience)? {
            Next::Go => Ok(()),
            Next::AskForName => {
                let typed = self.line(input, prompt).map_err(|error| refused(format!("the terminal did not answer: {error}")))?;
                self.answered(&typed)
            }
        }
    }

    fn line(&self, input: &mut dyn BufRead, prompt: &mut dyn Write) -> io::Result<String> {
        let mut typed = String::new();
        write!(prompt, "This changes {}. Type the name of its database to go on: ", self.environment.name)?;
        prompt.flush()?;
        input.read_line(&mut typed)?;
        Ok(typed)
    }

    fn right_command(&self) -> String {
        format!("{} --yes --approve-hash {}", self.command, self.hash)
    }
}

fn refused(message: String) -> Problem {
    Problem::new("apply::not-confirmed", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    /// What is asked and what comes of it.
    fn said(environment: &str, arguments: &[&str], audience: Audience, typed: &str) -> String {
        let environment = Environment::named(environment);
        let command = format!("lockkeeper apply --env {}", environment.name);
        let change = Change { environment: &environment, database: "shop", hash: "3f9a", command: &command };
        let consent = Consent {
            yes: arguments.contains(&"--yes"),
            approve_hash: arguments.iter().find(|argument| !argument.starts_with("--")).copied(),
        };
        let mut prompt = Vec::new();
        let answer = match change.ask(consent, audience, &mut typed.as_bytes(), &mut prompt) {
            Ok(()) => "it runs".to_owned(),
            Err(problem) => format!("{} ({})", problem.message, problem.help.unwrap_or_default()),
        };
        format!("{}{answer}", String::from_utf8_lossy(&prompt))
    }

    #[test]
    fn production_asks_for_the_name_of_the_database() {
        let asked = |typed: &str| said("production", &[], Audience::Terminal, typed);
        assert_snapshot!(asked("shop\n"), @"This changes production. Type the name of its database to go on: it runs");
        assert_snapshot!(asked("hunter2\n"), @"This changes production. Type the name of its database to go on: that is not the name of the database, and nothing was changed (it is `shop`; without a question: lockkeeper apply --env production --yes --approve-hash 3f9a)");
        assert_eq!(asked("").replace("hunter2", ""), asked("hunter2\n"));
        assert_eq!(said("production", &["--yes"], Audience::Terminal, "shop\n"), asked("shop\n"));
    }

    #[test]
    fn without_a_terminal_production_needs_the_hash_of_what_runs() {
        let nobody = |arguments: &[&str]| said("production", arguments, Audience::Nobody, "shop\n");
        assert_snapshot!(nobody(&[]), @"`production` asks for the name of its database, and there is no terminal to ask on (look at it (`lockkeeper apply --env production --dry-run`), then: lockkeeper apply --env production --yes --approve-hash 3f9a)");
        assert_eq!(nobody(&["--yes"]), nobody(&[]));
        assert_eq!(nobody(&["--yes", "3f9a"]), "it runs");
        assert_snapshot!(nobody(&["--yes", "77aa"]), @"what would run is not what was looked at: its hash is 3f9a, and --approve-hash says 77aa (look at it (`lockkeeper apply --env production --dry-run`), then: lockkeeper apply --env production --yes --approve-hash 3f9a)");
    }

    #[test]
    fn another_environment_asks_nobody_but_a_hash_that_is_given_has_to_be_right() {
        assert_eq!(said("staging", &[], Audience::Nobody, ""), "it runs");
        assert_eq!(said("staging", &["--yes", "3f9a"], Audience::Nobody, ""), "it runs");
        assert!(said("staging", &["--yes", "77aa"], Audience::Terminal, "").starts_with("what would run is not what was looked at"));
    }
}
