//! Writes the benchmark's files: `cargo run --example corpus -- history 4000 FOLDER`, `definitions 20000 FILE`, `inserts 50000000 FILE`.

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [kind, size, path] = arguments.as_slice() else { return Err(usage()) };
    let size = size.parse().map_err(|_| usage())?;
    match kind.as_str() {
        "history" => {
            std::fs::create_dir_all(path)?;
            corpus::history(size).try_for_each(|(name, sql)| std::fs::write(Path::new(path).join(name), sql))
        }
        "definitions" => std::fs::write(path, corpus::definitions(size)),
        "inserts" => std::fs::write(path, corpus::inserts(size)),
        _ => Err(usage()),
    }
}

fn usage() -> std::io::Error {
    std::io::Error::other("usage: corpus history FILES FOLDER | corpus definitions STATEMENTS FILE | corpus inserts BYTES FILE")
}
