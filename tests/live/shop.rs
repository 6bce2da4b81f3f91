//! The shop's migrations: the server takes them in their order, on empty tables and on full ones.

use crate::fill::fill;
use crate::model::{Before, compare};
use crate::play::play;
use crate::servers::{new_database, servers};
use lockkeeper::config::Config;
use lockkeeper::db::block_on;
use lockkeeper::db::observe::Observer;
use lockkeeper::db::server::Server;
use lockkeeper::discover::{Request, discover};
use lockkeeper::lint::finding::Report;
use lockkeeper::lint::{self, Settings};
use lockkeeper::model::effects::Version;
use lockkeeper::rule::set::RuleSet;
use std::path::Path;

/// Those that the shop's own server refused, and what it said.
const REFUSED: [(&str, &str); 2] = [
    ("20240229090000", "unsafe use of new value \"refunded\" of enum type order_state"),
    ("20240506080000", "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"),
];

#[test]
fn the_server_takes_the_shops_migrations_but_for_two_and_does_what_is_said_of_them() {
    // The shop runs 15, and uses what is new since 12.
    for server in servers().iter().filter(|server| server.installation().version.0 >= 15) {
        let report = judge(server.installation().version);
        for with_rows in [false, true] {
            block_on(migrate(server, &report, with_rows)).expect("an event queue");
        }
    }
}

fn judge(server: Version) -> Report {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects/shop");
    let config = Config::read(&project.join("lockkeeper.yaml")).unwrap_or_else(|problem| panic!("{}", problem.message));
    let found = discover(&Request { paths: config.migration_paths(), ..Request::default() }, &config);
    let report = lint::run(found, &Settings { rules: &RuleSet::embedded(), config: &config, server });
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

async fn migrate(server: &Server, report: &Report, with_rows: bool) {
    let mut refused = Vec::new();
    let mut complaints = Vec::new();
    let options = new_database(server).await;
    for assessed in &report.migrations {
        let mut observer = Observer::open(&options).await.expect("the server answers");
        let before = Before::look(observer.runner()).await.expect("the catalog can be read");
        let played = play(&mut observer, &assessed.source, assessed.transaction).await;
        let version = assessed.version.clone().unwrap_or_default();
        let wrong = compare(&before, assessed, &played).into_iter().filter_map(|(_, complaint)| complaint);
        complaints.extend(wrong.map(|complaint| format!("{version}: {complaint}")));
        if let Some(refusal) = played.refused {
            refused.push((version, refusal.message));
            observer.runner().run("ROLLBACK").await.expect("a transaction can be given up");
        }
        if with_rows {
            let left_empty = fill(observer.runner()).await.expect("rows are made from the catalog");
            complaints.extend(left_empty.iter().map(|table| format!("{} is empty: {}", table.table, table.why)));
        }
        observer.close().await;
    }
    let on = format!("on PostgreSQL {}, {} rows", server.installation().release, if with_rows { "with" } else { "without" });
    let refused: Vec<(&str, &str)> = refused.iter().map(|(version, words)| (version.as_str(), words.as_str())).collect();
    assert_eq!(refused, REFUSED, "{on}");
    assert!(complaints.is_empty(), "{on}:\n{}", complaints.join("\n"));
}
