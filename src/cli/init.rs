//! `lockkeeper init`: a commented config to begin with.

use super::{Console, Exit};
use crate::config::{FILE_NAME, TEMPLATE};
use crate::problem::{Problem, io_words};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Where runners keep migrations, the usual places first.
const USUAL_PLACES: &[&str] = &[
    "migrations",
    "db/migrations",
    "db/migrate",
    "database/migrations",
    "prisma/migrations",
    "sql/migrations",
    "src/main/resources/db/migration",
    "supabase/migrations",
    "internal/db/migrations",
];

pub(super) fn run(console: Console) -> Exit {
    let place = USUAL_PLACES.iter().find(|place| Path::new(place).is_dir());
    let text = match place {
        Some(place) => TEMPLATE.replacen("\n  - migrations\n", &format!("\n  - {place}\n"), 1),
        None => TEMPLATE.to_owned(),
    };
    let written = OpenOptions::new().write(true).create_new(true).open(FILE_NAME).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => console.print(Exit::Clean, |out| writeln!(out, "wrote {FILE_NAME}; next: lockkeeper lint")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let problem = Problem::new("init::exists", "it is there already, and stays as it is");
            console.failed(&problem.help("to begin anew, move it away first").about(FILE_NAME))
        }
        Err(error) => console.failed(&Problem::new("init::unwritable", io_words(&error)).about(FILE_NAME)),
    }
}
