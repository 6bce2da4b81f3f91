//! `lockkeeper stats`: how large the tables of a server are, for `lint --stats`.

use super::connect::Connect;
use super::{Console, Exit};
use crate::config::Config;
use crate::db::sizes::{self, ServerSizes};
use crate::db::target::Target;
use crate::db::{Refusal, block_on};
use crate::model::sizes::{Speed, TableSize};
use crate::problem::Problem;
use clap::Args;
use std::io::{self, Write};
use std::path::Path;

/// Prints the rows, bytes and writes a second of each table, and the bytes of its indexes. Only catalogs and statistics views are read, in a
/// read-only session; no data leaves the server, and the file can be committed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper stats --database-url postgres://reader@db.example.org/shop > stats.yaml
  lockkeeper lint --stats stats.yaml      a small table's migrations become additive, a large one's get a time

Any role that may connect can run it. Take it anew from time to time: what it says is as old as it is.")]
pub(super) struct Stats {
    #[command(flatten)]
    connect: Connect,
}

impl Stats {
    pub fn run(self, console: Console) -> Exit {
        let target = Config::find(Path::new("")).and_then(|config| self.connect.target(&config, console));
        match target.and_then(|target| block_on(read(&target))?) {
            Ok(sizes) => console.print(Exit::Clean, |out| write(&sizes, out)),
            Err(problem) => console.failed(&problem),
        }
    }
}

async fn read(target: &Target) -> Result<ServerSizes, Problem> {
    let mut connection = target.connect("lockkeeper stats").await?;
    let sizes = sizes::read(&mut connection).await;
    connection.close().await;
    sizes.map_err(|refusal| refused(&refusal))
}

fn refused(refusal: &Refusal) -> Problem {
    Problem::new("stats::server", format!("the server did not tell: {refusal}"))
        .help("the role needs no more than CONNECT; is the URL that of the right server?")
}

/// One line for each table, so that a new version differs from the old one only where a table does.
fn write(sizes: &ServerSizes, out: &mut dyn Write) -> io::Result<()> {
    let speed = Speed::default();
    writeln!(out, "# How large the tables are, for `lockkeeper lint --stats FILE`. Written by `lockkeeper stats`; no data is in it.")?;
    writeln!(out, "database: {}", quoted(&sizes.database))?;
    writeln!(out, "server: {}", quoted(&sizes.server))?;
    writeln!(out, "taken: {}", quoted(&sizes.taken))?;
    writeln!(out, "# What estimates assume. Measure it, and write what your disks do.")?;
    writeln!(out, "assume: {{ read_bytes_per_second: {}, write_bytes_per_second: {} }}", speed.reads, speed.writes)?;
    writeln!(out, "tables:")?;
    for (name, size) in &sizes.tables {
        writeln!(out, "  {}: {}", quoted(&name.to_string()), line(size))?;
    }
    Ok(())
}

fn line(size: &TableSize) -> String {
    let mut parts = Vec::new();
    parts.extend(size.rows.map(|rows| format!("rows: {rows}")));
    parts.push(format!("bytes: {}", size.bytes));
    parts.extend(size.writes_per_second.map(|writes| format!("writes_per_second: {writes}")));
    if !size.indexes.is_empty() {
        let indexes: Vec<_> = size.indexes.iter().map(|(name, bytes)| format!("{}: {bytes}", quoted(name))).collect();
        parts.push(format!("indexes: {{ {} }}", indexes.join(", ")));
    }
    format!("{{ {} }}", parts.join(", "))
}

/// As YAML needs it: text in quotes as JSON writes it, for a name may be `yes`, `12` or `a: b`.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
