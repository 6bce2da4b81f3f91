//! Whether the disk has room for what is written anew and built.

use super::look::{bytes, literal, look};
use super::touched::Touched;
use super::{Check, Disk, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use nix::sys::statvfs::statvfs;
use sqlx::Row;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What the migrations will need, in bytes, and what of.
#[derive(Debug, Default)]
struct Need {
    bytes: u64,
    words: Vec<String>,
}

/// Whether there is room. Nothing can be said of the disk of another machine, unless somebody has measured it.
pub(super) async fn check(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Check, Refusal> {
    let need = need(connection, touched, limits).await?;
    let mut found = Findings::default();
    if need.bytes > 0 {
        found.note(format!("about {} will be needed, at most, as long as it runs: {}", bytes(need.bytes), need.words.join(", ")));
    } else {
        found.note("nothing large is written");
    }
    let disk = match limits.disk {
        Some(disk) => Ok(disk),
        None => own_disk(connection, limits).await?,
    };
    match disk {
        Ok(disk) => compare(disk, &need, limits, &mut found),
        Err(why) => {
            let verdict = if limits.disk_required { Verdict::Warn } else { Verdict::Pass };
            found.add(
                verdict,
                format!("how much is free is not known: {why}"),
                limits.disk_required.then(|| "look at the server's disk".to_owned()),
            );
        }
    }
    Ok(found.check("disk"))
}

fn compare(disk: Disk, need: &Need, limits: &Limits, found: &mut Findings) {
    let share = |free: u64| free as f64 / disk.total.max(1) as f64;
    let (now, then) = (share(disk.free), share(disk.free.saturating_sub(need.bytes)));
    let words = format!("{} of {} are free ({:.0} %)", bytes(disk.free), bytes(disk.total), 100.0 * now);
    let next = || Some("make room, or add a disk: a full one stops the server".to_owned());
    let wanted = 100.0 * limits.free;
    if need.bytes > disk.free {
        found.add(Verdict::Fail, format!("{words}: too little"), next());
    } else if then >= limits.free {
        found.note(words);
    } else if need.bytes > disk.free / NEGLIGIBLE {
        found.add(Verdict::Fail, format!("{words}, and {:.0} % will be; {wanted:.0} % have to stay free", 100.0 * then), next());
    } else {
        found.add(Verdict::Warn, format!("{words}, less than {wanted:.0} %"), next());
    }
}

/// Less than this part of what is free fills no disk: somebody should know that it is rather full, and the migration is not what fills it.
const NEGLIGIBLE: u64 = 100;

/// The disk below the server's data, if it is surely seen from here: in words why not, otherwise.
async fn own_disk(connection: &mut Connection, limits: &Limits) -> Result<Result<Disk, String>, Refusal> {
    let rows = look(connection, limits, ABOUT).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let (folder, identifier): (Option<String>, i64) = (row.try_get("folder")?, row.try_get("identifier")?);
    if row.try_get::<bool, _>("remote")? {
        return Ok(Err("the server is on another machine".to_owned()));
    }
    let Some(folder) = folder else {
        return Ok(Err("data_directory is hidden from this role (GRANT pg_read_all_settings)".to_owned()));
    };
    if let Err(why) = is_of(Path::new(&folder), identifier) {
        return Ok(Err(why));
    }
    Ok(statvfs(Path::new(&folder)).map_err(|error| format!("{folder}: {error}")).map(|disk| {
        let unit = disk.fragment_size();
        Disk { free: disk.blocks_available() * unit, total: disk.blocks() * unit }
    }))
}

/// A folder of that name may belong to another server, behind a tunnel or in a container: pg_control begins with the system's identifier.
fn is_of(folder: &Path, identifier: i64) -> Result<(), String> {
    let mut bytes = [0; 8];
    let read = File::open(folder.join("global/pg_control")).and_then(|mut file| file.read_exact(&mut bytes));
    match read {
        Err(error) => Err(format!("{} cannot be read: {error}", folder.display())),
        Ok(()) if i64::from_ne_bytes(bytes) != identifier => Err(format!("{} here is another server's", folder.display())),
        Ok(()) => Ok(()),
    }
}

/// `data_directory` is only there for who may see it.
const ABOUT: &str = "
    SELECT (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS folder,
           (pg_control_system()).system_identifier AS identifier,
           NOT coalesce(inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS remote";

/// A copy of each table that is written anew, with its indexes, and as much WAL; of an index that is built as much as the largest that its
/// table has, at least a quarter of the rows, once for itself and once for WAL or sorting.
async fn need(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Need, Refusal> {
    let mut parts: Vec<String> = touched.rewrites.iter().map(|name| part("rewrite", &name.sql(), &[])).collect();
    parts.extend(touched.rebuilds.iter().map(|name| part("rebuild", &name.sql(), &[])));
    for (index, tables) in &touched.builds {
        parts.push(part("build", &index.sql(), &tables.iter().map(|table| table.sql()).collect::<Vec<_>>()));
    }
    let mut need = Need::default();
    if parts.is_empty() {
        return Ok(need);
    }
    for row in look(connection, limits, &sizes(&parts.join(", "))).await? {
        let (what, name, size): (String, String, Option<i64>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let size = 2 * size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        if size > 0 {
            need.bytes += size;
            need.words.push(format!("{what} of {name} {}", bytes(size)));
        }
    }
    Ok(need)
}

fn part(what: &str, name: &str, on: &[String]) -> String {
    let on: Vec<String> = on.iter().map(|table| format!("to_regclass({})", literal(table))).collect();
    format!("('{what}', {}, ARRAY[{}]::oid[])", literal(name), on.join(", "))
}

/// What does not exist yet has no size. A partitioned table is named along with its partitions, and has no rows of its own.
fn sizes(parts: &str) -> String {
    format!(
        "SELECT p.what, p.name,
                CASE p.what
                    WHEN 'rewrite' THEN pg_total_relation_size(to_regclass(p.name))
                    WHEN 'rebuild' THEN pg_relation_size(to_regclass(p.name))
                    ELSE (SELECT max(greatest(pg_relation_size(t.oid) / 4,
                                              (SELECT max(pg_relation_size(x.indexrelid)) FROM pg_index x WHERE x.indrelid = t.oid)))
                          FROM unnest(p.tables) t (oid)) END
         FROM (VALUES {parts}) p (what, name, tables)
         ORDER BY 1, 2"
    )
}
