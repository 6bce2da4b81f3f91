//! The GitHub Action: its steps are run as they stand in action.yml, in a repository of git, against a GitHub that listens on this machine.

mod comment;
mod hostile;
mod install;
mod server;
mod workflow;
