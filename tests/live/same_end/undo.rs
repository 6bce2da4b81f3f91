//! What a fix writes as the way back takes all back: up and down again, and the database is as it was.

use super::compare::{Declared, compare};
use super::ends::{File, Original};
use crate::servers::oldest_and_newest;
use lockkeeper::config::Config;
use lockkeeper::db::block_on;
use lockkeeper::discover::{Discovered, Role, in_memory};
use lockkeeper::lint::example::edited;
use lockkeeper::lint::{Settings, run};
use lockkeeper::model::effects::Version;
use lockkeeper::model::session::TransactionMode;
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;

/// What is there before.
const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, name text);
    CREATE TABLE orders (id bigint PRIMARY KEY, note text, buyer bigint, \"Paid\" boolean);
    CREATE VIEW open_orders AS SELECT id FROM orders WHERE NOT \"Paid\";";

/// Files that can be undone, one by one.
const CASES: &[&str] = &[
    "CREATE TABLE payments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, paid_by bigint REFERENCES users, amount numeric);
     CREATE INDEX payments_amount_idx ON payments (amount);
     INSERT INTO payments (amount) VALUES (1);
     COMMENT ON TABLE payments IS 'what was paid';
     GRANT SELECT ON payments TO PUBLIC;",
    "ALTER TABLE orders ADD COLUMN seller bigint CHECK (seller > 0) REFERENCES users, ADD COLUMN state text;
     ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'open', ALTER COLUMN note SET DEFAULT '-';
     ALTER TABLE orders ADD CONSTRAINT noted CHECK (note <> '') NOT VALID;
     ALTER TABLE orders VALIDATE CONSTRAINT noted;
     CREATE UNIQUE INDEX orders_state_idx ON orders (state) WHERE state = 'paid';",
    "ALTER TABLE orders RENAME COLUMN \"Paid\" TO paid;
     ALTER TABLE orders RENAME CONSTRAINT orders_pkey TO \"orders key\";
     ALTER TABLE orders RENAME TO purchases;
     ALTER TABLE purchases ADD COLUMN state text;
     CREATE INDEX purchases_state_idx ON purchases (state);
     ALTER VIEW open_orders RENAME TO open_purchases;",
    "CREATE SCHEMA shop;
     CREATE TYPE shop.state AS ENUM ('open', 'paid');
     CREATE DOMAIN shop.name AS text CHECK (VALUE <> '');
     CREATE TABLE shop.\"Drafts\" (id bigint PRIMARY KEY, state shop.state, name shop.name);
     CREATE INDEX \"Drafts state\" ON shop.\"Drafts\" (state);
     CREATE SEQUENCE shop.numbers;
     CREATE VIEW shop.drafts AS SELECT name FROM shop.\"Drafts\";
     CREATE MATERIALIZED VIEW shop.names AS SELECT DISTINCT name FROM shop.drafts;",
    "CREATE FUNCTION noted(note text, at timestamptz DEFAULT now()) RETURNS text LANGUAGE sql AS $$ SELECT note || at $$;
     CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := noted(NEW.note); RETURN NEW; END $$;
     CREATE TRIGGER note BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
     ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
     CREATE POLICY own ON orders USING (buyer IS NOT NULL);
     DO $$ BEGIN IF NOT (SELECT NOT EXISTS (SELECT FROM orders WHERE buyer IS NULL)) THEN RAISE EXCEPTION 'not yet'; END IF; END $$;
     ALTER TABLE orders ALTER COLUMN buyer SET NOT NULL;",
];

/// Files of which not all can be taken back, or not by what is known.
const REFUSED: &[&str] = &[
    "ALTER TABLE orders DROP COLUMN note;",
    "CREATE TABLE drafts (id bigint PRIMARY KEY); DELETE FROM orders;",
    "ALTER TABLE orders ALTER COLUMN note TYPE varchar(20);",
    "CREATE OR REPLACE VIEW open_orders AS SELECT id FROM orders;",
    "CREATE INDEX IF NOT EXISTS orders_note_idx ON orders (note);",
    "CREATE TABLE drafts (id bigint); DROP TABLE drafts;",
    "SET search_path = shop; CREATE TABLE drafts (id bigint PRIMARY KEY);",
    "ALTER TABLE orders ADD CHECK (buyer > 0);",
    "DO $$ BEGIN CREATE TABLE drafts (id bigint); END $$;",
    "DO $$ BEGIN EXECUTE 'DROP TABLE orders'; END $$; CREATE TABLE drafts (id bigint PRIMARY KEY);",
    "CREATE TABLE drafts (id bigint PRIMARY KEY); SELECT setval('numbers', 7);",
];

/// The second part that the fix writes, or why it writes none.
fn second_part(up: &str) -> Result<String, String> {
    let undone = |name: &str| SourceFile::new(name, "-- +goose Up\nCREATE TYPE t AS ENUM ();\n-- +goose Down\nDROP TYPE t;\n");
    let text = format!("-- +goose Up\n{up}\n");
    let files = [
        (undone("0001_a.sql"), Role::History),
        (undone("0002_b.sql"), Role::History),
        (SourceFile::new("0003_shop.sql", text.as_str()), Role::Subject),
    ];
    let config = Config::default();
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &files, &config);
    let discovered = Discovered { histories: vec![history], ..Discovered::default() };
    let rules = RuleSet::embedded();
    let report = run(discovered, &Settings { rules: &rules, config: &config, server: Version::DEFAULT });
    let finding = report.migrations[0].findings.iter().find(|finding| finding.rule == "migration-without-way-back");
    let suggestion = finding.and_then(|finding| finding.suggestion.as_ref()).expect("nothing undoes it");
    match &suggestion.not_offered {
        Some(why) => Err(why.clone()),
        None => Ok(edited(&text, &suggestion.edits).split_once("-- +goose Down\n").expect("it has a second part").1.to_owned()),
    }
}

#[test]
fn up_and_down_again_leaves_all_as_it_was() {
    let file = |name: &str, sql: &str| File { source: SourceFile::new(name, sql), mode: TransactionMode::Runner };
    for server in oldest_and_newest() {
        for up in CASES {
            let down = second_part(up).unwrap_or_else(|why| panic!("{up}: {why}"));
            let both = [file("up.sql", up), file("down.sql", &down)];
            let (before, after) = block_on(async {
                let original = Original::make(server, &[file("shop.sql", SHOP)], 10).await?;
                let before = original.look(&Declared::default()).await?;
                let after = original.end(&both, &Declared::default()).await?;
                original.remove().await;
                Ok::<_, lockkeeper::db::Refusal>((before, after))
            })
            .expect("an event queue")
            .unwrap_or_else(|refusal| panic!("{up}: {refusal}"));
            let after = after.unwrap_or_else(|refusal| panic!("{up}\n{down}: {refusal}"));
            let differences = compare(&before, &after, &Declared::default());
            assert!(differences.is_empty(), "{up}\n{down}\n{}", differences.join("\n"));
        }
    }
}

#[test]
fn what_cannot_be_taken_back_gets_no_way_back() {
    for up in REFUSED {
        assert!(second_part(up).is_err(), "{up} cannot be undone, and yet: {:?}", second_part(up));
    }
}

#[test]
fn an_index_that_was_built_beside_others_work_goes_as_it_came() {
    let config = Config::default();
    let undone = |name: &str| SourceFile::new(name, "-- migrate:up\nCREATE TYPE t AS ENUM ();\n-- migrate:down\nDROP TYPE t;\n");
    let text = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n";
    let files =
        [(undone("1_a.sql"), Role::History), (undone("2_b.sql"), Role::History), (SourceFile::new("3_note.sql", text), Role::Subject)];
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &files, &config);
    let rules = RuleSet::embedded();
    let settings = Settings { rules: &rules, config: &config, server: Version::DEFAULT };
    let report = run(Discovered { histories: vec![history], ..Discovered::default() }, &settings);
    let finding = report.migrations[0].findings.iter().find(|finding| finding.rule == "migration-without-way-back");
    let suggestion = finding.and_then(|finding| finding.suggestion.as_ref()).expect("nothing undoes it");
    let fixed = edited(text, &suggestion.edits);
    assert!(fixed.ends_with("\n\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY orders_note_idx;\n"), "{fixed}");
}
