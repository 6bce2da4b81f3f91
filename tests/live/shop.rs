//! The shop's migrations: the server takes them in their order, on empty tables and on full ones.

use crate::fill::fill;
use crate::play::play;
use crate::servers::{new_database, servers};
use lockkeeper::config::Config;
use lockkeeper::db::block_on;
use lockkeeper::db::observe::Observer;
use lockkeeper::db::server::Server;
use lockkeeper::discover::{Request, discover};
use std::path::Path;

/// Those that the shop's own server refused, and what it said.
const REFUSED: [(&str, &str); 2] = [
    ("20240229090000", "unsafe use of new value \"refunded\" of enum type order_state"),
    ("20240506080000", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"),
];

#[test]
fn the_server_takes_the_shops_migrations_but_for_two() {
    // The shop runs 15, and uses what is new since 12.
    for server in servers().iter().filter(|server| server.installation().version.0 >= 15) {
        for with_rows in [false, true] {
            block_on(migrate(server, with_rows)).expect("an event queue");
        }
    }
}

async fn migrate(server: &Server, with_rows: bool) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects/shop");
    let config = Config::read(&project.join("lockkeeper.yaml")).unwrap_or_else(|problem| panic!("{}", problem.message));
    let found = discover(&Request { paths: config.migration_paths(), ..Request::default() }, &config);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let mut refused = Vec::new();
    let options = new_database(server).await;
    for migration in found.histories.iter().flat_map(|history| &history.migrations) {
        let mut observer = Observer::open(&options).await.expect("the server answers");
        let played = play(&mut observer, &migration.source, migration.transaction_mode(false, false)).await;
        if let Some(refusal) = played.refused {
            refused.push((migration.version.clone().unwrap_or_default(), refusal.message));
            observer.runner().run("ROLLBACK").await.expect("a transaction can be given up");
        }
        if with_rows {
            fill(observer.runner()).await.expect("rows are made from the catalog");
        }
        observer.close().await;
    }
    let refused: Vec<(&str, &str)> = refused.iter().map(|(version, words)| (version.as_str(), words.as_str())).collect();
    assert_eq!(refused, REFUSED, "on PostgreSQL {}, {} rows", server.installation().release, if with_rows { "with" } else { "without" });
}
