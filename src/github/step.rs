//! What a step of a workflow leaves behind: its summary, and its outputs.

use crate::problem::{Problem, io_words};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// A summary may be this long, in bytes; GitHub shows nothing of a longer one.
const LONGEST: usize = 1 << 20;

/// Adds to the summary of the step.
///
/// # Errors
/// The file cannot be written.
pub fn summarize(file: &Path, markdown: &str) -> Result<(), Problem> {
    let text = &markdown[..markdown.floor_char_boundary(LONGEST - 1)];
    append(file, &format!("{text}\n"))
}

/// Sets outputs of the step. Values are one line each.
///
/// # Errors
/// The file cannot be written.
pub fn set_outputs(file: &Path, outputs: &[(&str, String)]) -> Result<(), Problem> {
    // A line break would begin another output.
    let line = |(name, value): &(&str, String)| format!("{name}={}\n", value.replace(['\r', '\n'], " "));
    append(file, &outputs.iter().map(line).collect::<String>())
}

fn append(file: &Path, text: &str) -> Result<(), Problem> {
    let write = || -> io::Result<()> { OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes()) };
    write().map_err(|error| Problem::new("github::step", io_words(&error)).about(file))
}
