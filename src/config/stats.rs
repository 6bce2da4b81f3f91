//! Reads what `lockkeeper stats` has written: how large the tables of a server are.

use crate::model::name::QualifiedName;
use crate::model::sizes::{Sizes, TableSize};
use crate::problem::Problem;
use crate::rule::node::{self, Fault, Node, What};
use crate::text::SourceFile;
use std::sync::Arc;

/// Adds the sizes in a file to what is known.
///
/// # Errors
/// The first thing in it that cannot be understood, at its place.
pub fn read(source: &Arc<SourceFile>, sizes: &mut Sizes) -> Result<(), Problem> {
    node::read(source, "stats::unreadable", |node| {
        let fields = node.fields(&["database", "server", "taken", "assume", "tables"])?;
        if let Some(assume) = fields.get("assume") {
            let assume = assume.fields(&["read_bytes_per_second", "write_bytes_per_second"])?;
            sizes.speed.reads = positive(assume.need("read_bytes_per_second")?)?;
            sizes.speed.writes = positive(assume.need("write_bytes_per_second")?)?;
        }
        let tables = fields.need("tables")?;
        if tables.what != What::Null {
            for (name, size) in tables.map()? {
                let Ok(name) = name.text()?.parse::<QualifiedName>();
                sizes.tables.insert(name, table(size)?);
            }
        }
        Ok(())
    })
}

fn table(node: &Node) -> Result<TableSize, Fault> {
    let fields = node.fields(&["rows", "bytes", "writes_per_second", "indexes"])?;
    let indexes = fields.get("indexes").map_or(Ok(&[][..]), Node::map)?;
    Ok(TableSize {
        rows: fields.get("rows").map(natural).transpose()?,
        bytes: natural(fields.need("bytes")?)?,
        writes_per_second: fields.get("writes_per_second").map(decimal).transpose()?,
        indexes: indexes.iter().map(|(name, bytes)| Ok((name.text()?.to_owned(), natural(bytes)?))).collect::<Result<_, _>>()?,
    })
}

fn natural(node: &Node) -> Result<u64, Fault> {
    u64::try_from(node.number()?).map_err(|_| node.fault("a number below zero stands where a size is expected"))
}

fn positive(node: &Node) -> Result<u64, Fault> {
    match natural(node)? {
        0 => Err(node.fault("nothing is done at no speed").help("write bytes a second: 100000000")),
        speed => Ok(speed),
    }
}

fn decimal(node: &Node) -> Result<f64, Fault> {
    match node.what {
        What::Float(number) => Ok(number),
        What::Null | What::Bool(_) | What::Number(_) | What::Text(_) | What::List(_) | What::Map(_) => Ok(natural(node)? as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn fault(text: &str) -> String {
        let source = SourceFile::new("stats.yaml", text);
        let problem = read(&source, &mut Sizes::default()).expect_err("there is a fault in it");
        format!("{} <- {}", problem.message, source.text(problem.labels[0].0))
    }

    #[test]
    fn an_empty_file_is_said_to_be_none() {
        // What `lockkeeper stats > stats.yaml` leaves behind if it fails.
        assert_eq!(fault(""), "nothing stands where a mapping is expected <- ");
    }

    #[test]
    fn what_is_below_the_limit_is_small_unless_it_is_heavy_or_not_counted() {
        let mut sizes = Sizes::default();
        let text = "tables:
  public.settings: { rows: 12, bytes: 8192 }
  public.orders: { rows: 12000000, bytes: 2000000000, writes_per_second: 3.5, indexes: { orders_pkey: 300000000 } }
  public.documents: { rows: 900, bytes: 90000000000 }
  public.drafts: { bytes: 8192 }
";
        read(&SourceFile::new("stats.yaml", text), &mut sizes).expect("it is right");
        let is_small = |name: &str| {
            let Ok(name) = name.parse();
            sizes.is_small(&name)
        };
        let names = ["settings", "orders", "documents", "drafts", "nobody_knows"];
        assert_eq!(names.map(is_small), [true, false, false, false, false]);
    }

    #[test]
    fn a_fault_points_at_its_place() {
        assert_snapshot!(fault("tables:\n  public.orders: { rows: 3, bites: 4 }\n"), @"tables.public.orders: there is no key `bites` here, did you mean `bytes`? <- bites");
        assert_snapshot!(fault("tables:\n  public.orders: { rows: -3, bytes: 4 }\n"), @"tables.public.orders.rows: a number below zero stands where a size is expected <- -3");
        assert_snapshot!(fault("assume: { read_bytes_per_second: 0, write_bytes_per_second: 1 }\ntables:\n"), @"assume.read_bytes_per_second: nothing is done at no speed <- 0");
    }
}
