//! What the tests of the config's parts ask: text in, the config or words out.

use super::{Config, FILE_NAME, read};
use crate::text::SourceFile;
use std::path::PathBuf;

/// The config that a text is; else what is wrong with it, `<-`, the place, and the help.
pub(super) fn config(text: &str) -> Result<Config, String> {
    config_in("", text)
}

/// The same in a directory.
pub(super) fn config_in(directory: &str, text: &str) -> Result<Config, String> {
    let source = SourceFile::new(FILE_NAME, text);
    read::config(&source, PathBuf::from(directory)).map_err(|problem| {
        let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{} <- {}{help}", problem.message, &source.shown()[problem.labels[0].0.range()])
    })
}

/// What is wrong with a text.
pub(super) fn fault(text: &str) -> String {
    config(text).expect_err("there is a fault in it")
}
