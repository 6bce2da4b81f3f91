//! The replayed catalog of each story in `fixtures/catalog` is the catalog of a server that ran it.

use crate::random_ddl::difference;
use crate::servers::{new_database, servers};
use lockkeeper::db::{Connection, block_on, dump};
use lockkeeper::model::catalog::{Catalog, Step};
use lockkeeper::model::effects::Effects;
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::sql::{Script, read};
use lockkeeper::text::{SourceFile, Span};
use std::path::PathBuf;
use std::sync::Arc;

#[test]
fn a_story_leaves_the_same_catalog_replayed_and_run() {
    let mut faults = Vec::new();
    for path in stories() {
        let source = SourceFile::read(&path).expect("it was listed");
        let script = read(&source, Span::new(0, source.bytes().len() as u32));
        let replayed = replay(&script);
        // Up to 12, a column that is passed over (IF NOT EXISTS) leaves its constraints behind all the same.
        for server in servers().iter().filter(|server| server.installation().version.0 >= 13) {
            match block_on(run(&source, &script, server)).expect("an event queue") {
                Ok(run) => faults.extend(
                    difference(&run, &replayed).map(|lines| format!("{} on {}:\n{lines}", path.display(), server.installation().release)),
                ),
                Err(refusal) => faults.push(format!("{}: {refusal}", path.display())),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn stories() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/catalog");
    let mut stories: Vec<PathBuf> =
        folder.read_dir().expect("the folder is there").map(|entry| entry.expect("it can be read").path()).collect();
    stories.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    stories.sort();
    assert!(!stories.is_empty());
    stories
}

/// The lines of the catalog after the story, every statement of which commits for itself outside BEGIN.
pub fn replay(script: &Script) -> Vec<String> {
    let mut catalog = Catalog::new(true);
    let mut session = Session::new(TransactionMode::Explicit, Step(1));
    for (index, statement) in script.statements.iter().enumerate() {
        for operation in &statement.operations {
            catalog.replay(&operation.what, Step(1));
            session.advance(&operation.what, &Effects::default(), index);
            catalog.follow(&session);
        }
    }
    catalog.lines()
}

/// The lines of the database after the story.
async fn run(source: &Arc<SourceFile>, script: &Script, server: &lockkeeper::db::server::Server) -> Result<Vec<String>, String> {
    let mut connection = Connection::open(&new_database(server).await).await.expect("the server answers");
    for statement in &script.statements {
        let text = source.text(statement.span);
        connection.run(&text).await.map_err(|refusal| format!("{text}: {}", refusal.message))?;
    }
    Ok(known_alike(&dump::lines(&mut connection).await.expect("the schema can be read")))
}

/// The lines of a database as the catalog says them: whether a domain is NOT NULL, or has a CHECK, is one fact to it.
pub fn known_alike(lines: &[String]) -> Vec<String> {
    let alike = |line: &String| if line.starts_with("domain ") { line.trim_end_matches(" not null").to_owned() } else { line.clone() };
    lines.iter().map(alike).collect()
}
