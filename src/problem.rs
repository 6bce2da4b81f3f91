//! Problem: everything that stops lockkeeper from doing what it was asked, as a miette Diagnostic.

use crate::text::{SourceFile, Span};
use std::sync::Arc;

/// Something that is wrong with the input: what, where, and what to do about it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Stable id: `config::unknown-key`.
    pub code: &'static str,
    /// One line: the thing, then what is wrong with it.
    pub message: String,
    /// What to type, or what is known instead.
    pub help: Option<String>,
    /// The file it is about.
    pub source: Option<Arc<SourceFile>>,
    /// Places in it, with a word each.
    pub labels: Vec<(Span, String)>,
    /// The path it is about, if there is no text.
    pub path: Option<std::path::PathBuf>,
}
