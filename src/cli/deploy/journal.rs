//! What happens, line by line in a file, so that there is evidence even if the server is gone.

use crate::apply::event::Event;
use crate::config::Config;
use crate::problem::{Problem, io_words};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The file.
pub(super) struct Journal {
    file: File,
    /// When something that goes on was last written.
    told: Option<Instant>,
}

/// What goes on for long is written no more often than this.
const AGAIN: Duration = Duration::from_secs(5);

impl Journal {
    /// Opens the file that is named, or the usual one beside the config.
    ///
    /// # Errors
    /// That it cannot be written: then nothing is run.
    pub fn open(named: Option<&Path>, config: &Config) -> Result<Self, Problem> {
        let path: PathBuf = named.map_or_else(|| config.directory.join(".lockkeeper").join("journal.jsonl"), Path::to_owned);
        let cannot = |error: std::io::Error| {
            Problem::new("apply::journal", io_words(&error)).help("nothing was done; name another file with --journal").about(&path)
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(cannot)?;
        }
        Ok(Self { file: OpenOptions::new().create(true).append(true).open(&path).map_err(cannot)?, told: None })
    }

    /// Writes an event, and waits until it is on the disk.
    pub fn write(&mut self, event: &Event) {
        if matches!(event, Event::Progress { .. } | Event::Waiting { .. } | Event::Countdown { .. }) {
            if self.told.is_some_and(|told| told.elapsed() < AGAIN) {
                return;
            }
            self.told = Some(Instant::now());
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let line = format!("{}\n", json!({ "at": at, "process": std::process::id(), "what": event }));
        // A full disk here is no reason to leave a migration half-done there.
        let _ = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
    }
}
