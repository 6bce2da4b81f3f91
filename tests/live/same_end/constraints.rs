//! Constraints over what their rules' examples do not have: partitions of partitions, keys over several columns, names in quotes, new columns.

use super::ends::File;
use super::journey::Journey;
use super::phases::{declared, steps};
use super::table::{Table, Tally};
use crate::servers::oldest_and_newest;
use lockkeeper::config::Config;
use lockkeeper::db::block_on;
use lockkeeper::db::server::Server;
use lockkeeper::discover::{Discovered, Role, in_memory};
use lockkeeper::lint::Settings;
use lockkeeper::lint::planner::{Piece, plan_file};
use lockkeeper::model::session::{Timeout, TransactionMode};
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;
use std::collections::BTreeMap;
use std::sync::Mutex;

static TABLE: Table = Table { title: "constraints", without: "refused", sums: Mutex::new(BTreeMap::new()) };

const SHOP: &str = r#"
    CREATE SCHEMA shop;
    CREATE TABLE "Users" (id bigint PRIMARY KEY, region integer NOT NULL, city text DEFAULT 'Bern', UNIQUE (region, id));
    CREATE TABLE shop.orders (number bigint, "Code" text, buyer bigint, region integer, amount numeric DEFAULT 1, parent bigint);
    CREATE TABLE events (id bigint, day date, buyer bigint, seller bigint) PARTITION BY RANGE (day);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE "Events 2027" PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY RANGE (day);
    CREATE TABLE shop.events_2027_a PARTITION OF "Events 2027" FOR VALUES FROM ('2027-01-01') TO ('2027-07-01');
    CREATE INDEX events_buyer_idx ON events (buyer);
    CREATE INDEX ON shop.orders (buyer, region);
    CREATE INDEX ON shop.orders (parent);
    CREATE TABLE ledgers (id bigint, amount numeric);
    CREATE TABLE old_ledgers () INHERITS (ledgers);
"#;

const ROWS: &str = r#"
    INSERT INTO "Users" SELECT n, n % 3 FROM generate_series(1, 2500) n;
    UPDATE "Users" SET city = NULL WHERE id % 7 = 0;
    INSERT INTO shop.orders SELECT n, 'code ' || n, CASE WHEN n % 10 > 0 THEN n END, n % 3, n FROM generate_series(1, 2500) n;
    INSERT INTO events SELECT n, date '2026-01-01' + n % 500, CASE WHEN n % 10 > 0 THEN n END FROM generate_series(1, 2500) n;
    INSERT INTO ledgers SELECT n, n FROM generate_series(1, 100) n; INSERT INTO old_ledgers SELECT n, n FROM generate_series(1, 100) n;
"#;

/// All of them end like the statement, on each server, back and forth.
fn hold(naive: &[&str]) {
    let rules = RuleSet::embedded();
    let mut complaints = Vec::new();
    for server in oldest_and_newest() {
        let mut tally = Tally::default();
        for sql in naive {
            prove(server, &rules, sql, &mut tally);
        }
        complaints.append(&mut tally.complaints);
        TABLE.add(&server.installation().release, &mut tally, 5);
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn prove(server: &Server, rules: &RuleSet, naive: &str, tally: &mut Tally) {
    let who = format!("{naive} on {}", server.installation().release);
    let mut config = Config::default();
    config.role.lock_timeout = Timeout::Unknown;
    let given = SourceFile::new("given.sql", SHOP);
    let histories = vec![in_memory(Some(given.clone()), &[(SourceFile::new("0005_change.sql", naive), Role::Subject)], &config)];
    let settings = Settings { rules, config: &config, server: server.installation().version };
    let planned = plan_file(Discovered { histories, ..Discovered::default() }, &settings);
    let unplanned = planned.pieces.iter().find_map(|piece| match piece {
        Piece::Planned(_) => None,
        Piece::Kept(statements, _) => Some(format!("{} stays as it is", statements.join("; "))),
        Piece::Refused { refusal, .. } => Some(refusal.reason().to_owned()),
    });
    tally.count("planned", &who, unplanned.into_iter().collect());
    let mode = planned.naive.migrations.first().map_or(TransactionMode::None, |migration| migration.transaction);
    let file = |name: &str, sql: &str, mode| File { source: SourceFile::new(name, sql), mode };
    let journey = Journey {
        who: who.clone(),
        server,
        before: vec![file("given.sql", SHOP, TransactionMode::None), file("rows.sql", ROWS, TransactionMode::None)],
        naive: vec![file("0005_change.sql", naive, mode)],
        steps: steps(&planned),
        declared: declared(&planned.pieces),
    };
    journey.lints_clean(tally);
    let proofs = block_on(async { journey.prove(0, tally).await });
    proofs.expect("an event queue").unwrap_or_else(|refusal| panic!("{who}: {refusal}"));
}

#[test]
fn checks() {
    hold(&[
        r#"ALTER TABLE shop.orders ADD CHECK (amount > 0 AND "Code" <> '') NO INHERIT;"#,
        r#"ALTER TABLE shop.orders ADD CONSTRAINT "a check; -- of it" CHECK ("Code" /* the code */ <> 'it''s');"#,
        "ALTER TABLE events ADD CHECK (id > 0);",
        "ALTER TABLE ledgers ADD CHECK (amount >= 0);",
        r#"ALTER TABLE shop.orders ADD COLUMN "Fee" numeric NOT NULL DEFAULT 1 CHECK ("Fee" >= 0);"#,
    ]);
}

#[test]
fn not_null() {
    hold(&[
        "ALTER TABLE events ALTER COLUMN day SET NOT NULL;",
        "ALTER TABLE ledgers ALTER COLUMN amount SET NOT NULL;",
        r#"ALTER TABLE shop.orders ALTER "Code" SET NOT NULL, ALTER number SET NOT NULL;"#,
    ]);
}

#[test]
fn rows_without_a_value_are_filled() {
    // The naive statement is refused for the rows that have none.
    hold(&[r#"ALTER TABLE "Users" ALTER COLUMN city SET NOT NULL;"#]);
}

#[test]
fn foreign_keys() {
    hold(&[
        r#"ALTER TABLE events ADD FOREIGN KEY (buyer) REFERENCES "Users" ON DELETE CASCADE;"#,
        r#"ALTER TABLE shop.orders ADD FOREIGN KEY (region, buyer) REFERENCES "Users" (region, id) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;"#,
        r#"ALTER TABLE shop.orders ADD COLUMN clerk bigint DEFAULT 7 REFERENCES "Users";"#,
        r#"ALTER TABLE shop.orders ADD COLUMN agent bigint DEFAULT 7 CHECK (agent > 0) CONSTRAINT agents REFERENCES "Users" ON DELETE SET NULL;"#,
    ]);
}

#[test]
fn keys() {
    hold(&[
        r#"ALTER TABLE shop.orders ADD UNIQUE ("Code") INCLUDE (number) WITH (fillfactor = 80);"#,
        "ALTER TABLE shop.orders ADD CONSTRAINT number_key UNIQUE (number, buyer) DEFERRABLE INITIALLY DEFERRED;",
        r#"ALTER TABLE shop.orders ADD PRIMARY KEY (number, "Code");"#,
        "ALTER TABLE shop.orders ADD COLUMN slug text UNIQUE;",
    ]);
}

#[test]
fn keys_of_partitioned_tables() {
    hold(&["ALTER TABLE events ADD UNIQUE (id, day);", "ALTER TABLE events ADD CONSTRAINT events_key PRIMARY KEY (id, day);"]);
}
