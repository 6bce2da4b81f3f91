//! A file that is run outside of the migrations' order, as a job of its own.

use super::SEPARATOR;
use crate::apply::draft::{self, Draft, Work};
use crate::apply::hash;
use crate::config::non_empty;
use crate::discover::History;
use crate::lint::Settings;
use crate::plan::header;
use crate::problem::{Problem, io_words};
use crate::sql;
use crate::text::{SourceFile, Span};
use std::path::Path;
use std::sync::Arc;

/// Such a file, and what the command line says of its batches.
#[derive(Clone, Debug)]
pub struct JobFile {
    source: Arc<SourceFile>,
    /// Its path as the ledger has it, the same from wherever it is called.
    name: String,
    key: Vec<String>,
    size: Option<u32>,
}

impl JobFile {
    /// Reads it. Its path in the ledger is told from the folder of the config.
    ///
    /// # Errors
    /// It cannot be read, or does not say that it is run in batches.
    pub fn read(path: &Path, base: &Path) -> Result<Self, Problem> {
        let cannot = |error: &std::io::Error| Problem::new("backfill::file", io_words(error)).about(path);
        let source = SourceFile::read(path).map_err(|error| cannot(&error))?;
        let script = sql::read(&source, Span::new(0, source.bytes().len() as u32));
        if header::batches(&source, &script.comments).is_none() {
            let problem = Problem::new("backfill::header", "the file does not say that it is run in batches");
            return Err(problem.help("begin it with `-- lockkeeper: backfill key=id batch=5000`").about(path));
        }
        let whole = path.canonicalize().map_err(|error| cannot(&error))?;
        let base = non_empty(base).canonicalize().map_err(|error| cannot(&error))?;
        let name = whole.strip_prefix(&base).unwrap_or(&whole).display().to_string();
        Ok(Self { source, name, key: Vec::new(), size: None })
    }

    /// The same, with another key and another size, where they are told.
    #[must_use]
    pub fn with(self, key: &[String], size: Option<u32>) -> Self {
        Self { key: key.to_vec(), size, ..self }
    }

    /// Its path as the ledger has it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Judges it, on the schema that all migrations have made.
    ///
    /// # Errors
    /// As [`draft::works`].
    pub fn work(&self, history: &History, settings: &Settings<'_>) -> Result<Work, Vec<Problem>> {
        if history.migrations.iter().any(|migration| migration.source.path().canonicalize().ok() == self.source.path().canonicalize().ok())
        {
            let problem =
                Problem::new("backfill::migration", "this is one of the migrations").help("`lockkeeper apply` runs it when it is due");
            return Err(vec![problem.about(self.source.path())]);
        }
        let part = Span::new(0, self.source.bytes().len() as u32);
        let sql_hash = hash::normalised([(&*self.source, part)]);
        let draft = Draft {
            key: format!("{}{SEPARATOR}{}", self.name, &sql_hash[..12]),
            version: None,
            name: self.name.clone(),
            part,
            checksum: hash::checksum(self.source.bytes()),
            hash: sql_hash,
            repeatable: false,
            down: None,
            source: Arc::clone(&self.source),
        };
        let mut work = draft::last(history, &self.source, &draft, settings)?;
        if let Some(batches) = &mut work.batches {
            if !self.key.is_empty() {
                batches.key.clone_from(&self.key);
            }
            batches.size = self.size.unwrap_or(batches.size);
        }
        Ok(work)
    }
}
