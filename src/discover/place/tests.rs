//! New files are read back by `discover`: in the right order, with their version, their transaction and their way back.

use super::*;
use crate::discover::{Discovered, Request, discover};
use crate::model::session::TransactionMode;
use insta::assert_snapshot;
use std::fs;
use std::path::Path;

const INDEX: &str = "CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);\n";

/// A history on disk; `m` is its directory.
struct Shop {
    folder: tempfile::TempDir,
    config: Config,
}

impl Shop {
    fn with(files: &[(&str, &str)]) -> Self {
        let shop = Self { folder: tempfile::tempdir().expect("a temporary folder"), config: Config::default() };
        shop.write(files.iter().map(|(path, text)| (Path::new(path).to_owned(), (*text).to_owned())));
        shop
    }

    fn where_nothing_wraps(files: &[(&str, &str)]) -> Self {
        let config = Config { transaction: Some(TransactionMode::None), ..Config::default() };
        Self { config, ..Self::with(files) }
    }

    fn write(&self, files: impl Iterator<Item = (PathBuf, String)>) {
        for (path, text) in files {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the folder is made");
            fs::write(path, text).expect("the file is written");
        }
    }

    fn discovered(&self) -> Discovered {
        let request = Request { paths: vec![self.folder.path().join("m")], ..Request::default() };
        discover(&request, &self.config)
    }

    fn room(&self, behind: &str) -> Result<Room, NoRoom> {
        let discovered = self.discovered();
        let history = &discovered.histories[0];
        let path = self.folder.path().join("m").join(behind);
        let migration = history.migrations.iter().find(|migration| migration.source.path() == path).expect("it is a migration");
        Room::behind(history, migration, &self.config)
    }

    /// The texts of files for an index that is built alone and for a constraint, behind a migration.
    fn texts(&self, behind: &str) -> String {
        match self.room(behind).and_then(|room| room.files(&pieces(&room))) {
            Ok(files) => files.iter().map(|(path, text)| format!("== {}\n{}", self.shown(path), text.replace('\r', "^M"))).collect(),
            Err(none) => none.to_string(),
        }
    }

    /// What `discover` makes of all files when those are there as well.
    fn read_back(&self, behind: &str) -> String {
        let room = self.room(behind).expect("there is room");
        self.write(room.files(&pieces(&room)).expect("they can be run").into_iter());
        let discovered = self.discovered();
        let problems: Vec<_> = discovered.problems.iter().map(|problem| problem.message.clone()).collect();
        assert!(problems.is_empty(), "{problems:?}");
        let words = |migration: &Migration| {
            let version = migration.version.as_deref().unwrap_or("-");
            let order = if migration.order == Order::Fine { String::new() } else { format!(" {:?}", migration.order) };
            format!("{version} {} {:?} {:?}{order}", migration.name, migration.declared, migration.way_back)
        };
        discovered.histories[0].migrations.iter().map(words).collect::<Vec<_>>().join("\n")
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(self.folder.path()).unwrap_or(path).display().to_string()
    }
}

fn pieces(room: &Room) -> Vec<Piece> {
    let block = |statement: &str| room.transaction_block(&[statement]);
    vec![
        Piece {
            name: "orders_buyer_idx concurrently".to_owned(),
            header: vec!["lockkeeper: phase 2/3 of orders-buyer".to_owned()],
            transaction: PieceTransaction::Alone,
            up: INDEX.to_owned(),
            down: Some("DROP INDEX CONCURRENTLY orders_buyer_idx;\n".to_owned()),
        },
        Piece {
            name: "note is set".to_owned(),
            header: Vec::new(),
            transaction: PieceTransaction::InTransaction,
            up: block("ALTER TABLE orders ADD CHECK (note <> '') NOT VALID"),
            down: None,
        },
    ]
}

#[test]
fn numbers_count_on_and_nobody_knows_the_runner() {
    let shop = Shop::with(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint);"), ("m/0002_buyer.sql", "SELECT 1;")]);
    assert_snapshot!(shop.texts("0002_buyer.sql"), @r#"
== m/0003_orders_buyer_idx_concurrently.sql
-- lockkeeper: phase 2/3 of orders-buyer
-- lockkeeper: transaction none
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/0004_note_is_set.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
"#);
    assert_snapshot!(shop.read_back("0002_buyer.sql"), @r#"
0001 orders None NotUsual
0002 buyer None NotUsual
0003 orders_buyer_idx_concurrently Some(None) NotUsual
0004 note_is_set None NotUsual
"#);
}

#[test]
fn where_nothing_wraps_a_file_it_says_begin_itself() {
    let shop = Shop::where_nothing_wraps(&[("m/0001_orders.sql", "CREATE TABLE orders (id bigint);")]);
    assert_snapshot!(shop.texts("0001_orders.sql"), @r#"
== m/0002_orders_buyer_idx_concurrently.sql
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/0003_note_is_set.sql
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
COMMIT;
"#);
    let shop = Shop::with(&[("m/0001_orders.sql", "BEGIN;\nCREATE TABLE orders (id bigint);\nCOMMIT;\n")]);
    assert!(shop.texts("0001_orders.sql").contains("BEGIN;\nSET LOCAL"), "the others say it too");
}

#[test]
fn timestamps_count_on_by_a_second_and_stay_before_the_next_one() {
    let shop = Shop::with(&[("m/20240131235959_orders.sql", "SELECT 1;"), ("m/20240201000002_note.sql", "SELECT 1;")]);
    assert_snapshot!(shop.read_back("20240131235959_orders.sql"), @r#"
20240131235959 orders None NotUsual
20240201000000 orders_buyer_idx_concurrently Some(None) NotUsual
20240201000001 note_is_set None NotUsual
20240201000002 note None NotUsual
"#);
    let shop = Shop::with(&[("m/20240131235959_orders.sql", "SELECT 1;"), ("m/20240201000001_note.sql", "SELECT 1;")]);
    assert_snapshot!(shop.texts("20240131235959_orders.sql").replace(shop.folder.path().to_str().expect("text"), ""), @"`/m/20240201000001_note.sql` follows, and no version between is free for a new file; write the new file behind the last one, or give that one a later version if it has run nowhere");
}

#[test]
fn a_number_that_a_program_or_a_folder_has_is_not_free() {
    let shop = Shop::with(&[("m/0001_orders.sql", "SELECT 1;"), ("m/0002_fill.go", "package m"), ("m/README.md", "")]);
    assert_snapshot!(shop.texts("0001_orders.sql").replace(shop.folder.path().to_str().expect("text"), ""), @"`/m/0002_fill.go` follows, and no version between is free for a new file; write the new file behind the last one, or give that one a later version if it has run nowhere");
}

#[test]
fn golang_migrate_and_sqlx_have_a_file_for_each_way() {
    let shop =
        Shop::with(&[("m/000007_orders.up.sql", "CREATE TABLE orders (id bigint);"), ("m/000007_orders.down.sql", "DROP TABLE orders;")]);
    assert_snapshot!(shop.texts("000007_orders.up.sql"), @r#"
== m/000008_orders_buyer_idx_concurrently.up.sql
-- no-transaction
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/000008_orders_buyer_idx_concurrently.down.sql
-- no-transaction
DROP INDEX CONCURRENTLY orders_buyer_idx;
== m/000009_note_is_set.up.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
== m/000009_note_is_set.down.sql
-- nothing undoes this
"#);
    assert_snapshot!(shop.read_back("000007_orders.up.sql"), @r#"
000007 orders Some(Runner) There
000008 orders_buyer_idx_concurrently Some(OneMessage) There
000009 note_is_set Some(Runner) There
"#);
}

#[test]
fn sqlx_is_known_by_its_package_or_by_its_line() {
    let orders = ("m/20240101120000_orders.sql", "CREATE TABLE orders (id bigint);");
    let shop = Shop::with(&[orders, ("Cargo.toml", "[dependencies]\nsqlx = \"0.9\"\n")]);
    assert_snapshot!(shop.texts("20240101120000_orders.sql"), @r#"
== m/20240101120001_orders_buyer_idx_concurrently.sql
-- no-transaction
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/20240101120002_note_is_set.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
"#);
    let line = Shop::with(&[orders, ("m/20240101110000_note.sql", "-- no-transaction\nVACUUM orders;")]);
    assert_eq!(line.texts("20240101120000_orders.sql"), shop.texts("20240101120000_orders.sql"));
    assert_snapshot!(shop.read_back("20240101120000_orders.sql"), @r#"
20240101120000 orders Some(Runner) NotUsual
20240101120001 orders_buyer_idx_concurrently Some(OneMessage) NotUsual
20240101120002 note_is_set Some(Runner) NotUsual
"#);
}

#[test]
fn goose_parts_its_files_and_is_told_where_statements_end() {
    let up = "-- +goose Up\nCREATE TABLE orders (id bigint);\n-- +goose Down\nDROP TABLE orders;\n";
    let shop = Shop::with(&[("m/00001_orders.sql", up)]);
    assert_snapshot!(shop.texts("00001_orders.sql"), @r#"
== m/00002_orders_buyer_idx_concurrently.sql
-- +goose NO TRANSACTION
-- +goose Up
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);

-- +goose Down
DROP INDEX CONCURRENTLY orders_buyer_idx;
== m/00003_note_is_set.sql
-- +goose Up
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;

-- +goose Down
-- nothing undoes this
"#);
    let room = shop.room("00001_orders.sql").expect("there is room");
    let body = "DO $$ BEGIN\n  PERFORM 1;\nEND $$;\n".to_owned();
    let piece = Piece { up: body, down: None, ..pieces(&room).remove(0) };
    assert_snapshot!(room.files(&[piece]).expect("it can be run")[0].1, @r#"
-- +goose NO TRANSACTION
-- +goose Up
-- lockkeeper: phase 2/3 of orders-buyer
-- +goose StatementBegin
DO $$ BEGIN
  PERFORM 1;
END $$;
-- +goose StatementEnd

-- +goose Down
-- nothing undoes this
"#);
    assert_snapshot!(shop.read_back("00001_orders.sql"), @r#"
00001 orders Some(Runner) There
00002 orders_buyer_idx_concurrently Some(None) There
00003 note_is_set Some(Runner) There
"#);
}

#[test]
fn dbmate_parts_its_files_and_is_told_behind_its_lines() {
    let up = "-- migrate:up\nCREATE TABLE orders (id bigint);\n\n-- migrate:down\nDROP TABLE orders;\n";
    let shop = Shop::with(&[("m/20240101120000_orders.sql", up)]);
    assert_snapshot!(shop.texts("20240101120000_orders.sql"), @r#"
== m/20240101120001_orders_buyer_idx_concurrently.sql
-- migrate:up transaction:false
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY orders_buyer_idx;
== m/20240101120002_note_is_set.sql
-- migrate:up
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;

-- migrate:down
-- nothing undoes this
"#);
    assert_snapshot!(shop.read_back("20240101120000_orders.sql"), @r#"
20240101120000 orders Some(Runner) There
20240101120001 orders_buyer_idx_concurrently Some(OneMessage) There
20240101120002 note_is_set Some(Runner) There
"#);
}

#[test]
fn flyway_is_told_by_a_file_beside_it() {
    let shop = Shop::with(&[("m/V1__orders.sql", "CREATE TABLE orders (id bigint);"), ("m/U1__orders.sql", "DROP TABLE orders;")]);
    assert_snapshot!(shop.texts("V1__orders.sql"), @r#"
== m/V2__orders_buyer_idx_concurrently.sql
-- lockkeeper: phase 2/3 of orders-buyer
-- lockkeeper: transaction none
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/U2__orders_buyer_idx_concurrently.sql
-- lockkeeper: transaction none
DROP INDEX CONCURRENTLY orders_buyer_idx;
== m/V2__orders_buyer_idx_concurrently.sql.conf
executeInTransaction=false
== m/U2__orders_buyer_idx_concurrently.sql.conf
executeInTransaction=false
== m/V3__note_is_set.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
== m/U3__note_is_set.sql
-- nothing undoes this
"#);
    assert_snapshot!(shop.read_back("V1__orders.sql"), @r#"
1 orders Some(Runner) There
2 orders_buyer_idx_concurrently Some(None) There
3 note_is_set Some(Runner) There
"#);
}

#[test]
fn a_dotted_version_has_room_below_it() {
    let shop = Shop::with(&[("m/V1.1__orders.sql", "SELECT 1;"), ("m/V1.2__note.sql", "SELECT 1;")]);
    assert_snapshot!(shop.read_back("V1.1__orders.sql"), @r#"
1.1 orders Some(Runner) NotUsual
1.1.1 orders_buyer_idx_concurrently Some(None) NotUsual
1.1.2 note_is_set Some(Runner) NotUsual
1.2 note Some(Runner) NotUsual
"#);
}

#[test]
fn refinery_runs_nothing_alone() {
    let shop = Shop::with(&[("m/V1__orders.sql", "SELECT 1;"), ("Cargo.toml", "[dependencies]\nrefinery = \"0.8\"\n")]);
    assert_snapshot!(shop.texts("V1__orders.sql"), @"refinery puts every file into a transaction; run it by hand, with psql, and say so in the next file");
}

#[test]
fn diesel_has_a_folder_for_each_migration() {
    let shop = Shop::with(&[
        ("m/2024-01-01-120000_orders/up.sql", "CREATE TABLE orders (id bigint);"),
        ("m/2024-01-01-120000_orders/down.sql", "DROP TABLE orders;"),
    ]);
    assert_snapshot!(shop.texts("2024-01-01-120000_orders/up.sql"), @r#"
== m/2024-01-01-120001_orders_buyer_idx_concurrently/up.sql
-- lockkeeper: phase 2/3 of orders-buyer
-- lockkeeper: transaction none
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/2024-01-01-120001_orders_buyer_idx_concurrently/down.sql
-- lockkeeper: transaction none
DROP INDEX CONCURRENTLY orders_buyer_idx;
== m/2024-01-01-120001_orders_buyer_idx_concurrently/metadata.toml
run_in_transaction = false
== m/2024-01-01-120002_note_is_set/up.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
== m/2024-01-01-120002_note_is_set/down.sql
-- nothing undoes this
"#);
    assert_snapshot!(shop.read_back("2024-01-01-120000_orders/up.sql"), @r#"
2024-01-01-120000 orders Some(Runner) There
2024-01-01-120001 orders_buyer_idx_concurrently Some(None) There
2024-01-01-120002 note_is_set Some(Runner) There
"#);
}

#[test]
fn hasura_runs_nothing_alone() {
    let shop = Shop::with(&[("m/1700000000123_orders/up.sql", "CREATE TABLE orders (id bigint);")]);
    assert_snapshot!(shop.texts("1700000000123_orders/up.sql"), @"Hasura sends every file as a transaction; run it by hand, with psql, and say so in the next file");
}

#[test]
fn prisma_sends_one_message_so_one_statement_runs_alone() {
    let shop = Shop::with(&[("m/migration_lock.toml", ""), ("m/20240101120000_orders/migration.sql", "CREATE TABLE orders (id bigint);")]);
    assert_snapshot!(shop.texts("20240101120000_orders/migration.sql"), @r#"
== m/20240101120001_orders_buyer_idx_concurrently/migration.sql
-- lockkeeper: phase 2/3 of orders-buyer
CREATE INDEX CONCURRENTLY orders_buyer_idx ON orders (buyer);
== m/20240101120002_note_is_set/migration.sql
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD CHECK (note <> '') NOT VALID;
"#);
    let room = shop.room("20240101120000_orders/migration.sql").expect("there is room");
    let two = Piece { up: INDEX.repeat(2), ..pieces(&room).remove(0) };
    assert_snapshot!(room.files(&[two]).expect_err("two statements are one transaction").to_string(), @"this runner sends a file as one message, so that two statements are one transaction; put each statement into a file of its own");
    assert_snapshot!(shop.read_back("20240101120000_orders/migration.sql"), @r#"
20240101120000 orders Some(OneMessage) NotUsual
20240101120001 orders_buyer_idx_concurrently Some(OneMessage) NotUsual
20240101120002 note_is_set Some(OneMessage) NotUsual
"#);
}

#[test]
fn drizzle_makes_its_own_files() {
    let shop = Shop::with(&[("m/0000_orders.sql", "SELECT 1;"), ("m/meta/_journal.json", "{}")]);
    assert_snapshot!(shop.texts("0000_orders.sql"), @"Drizzle only runs files that its journal lists; put the SQL into the file that `drizzle-kit generate --custom` makes");
    let shop = Shop::with(&[("m/20240101120000_orders/migration.sql", "SELECT 1;"), ("m/20240101120000_orders/snapshot.json", "{}")]);
    assert_snapshot!(shop.texts("20240101120000_orders/migration.sql"), @"Drizzle puts all new files into one transaction; run it by hand, with psql, and say so in the next file");
}

#[test]
fn a_numbered_folder_counts_its_own_files() {
    let shop = Shop::with(&[("m/72/03orders.sql", "SELECT 1;"), ("m/73/01note.sql", "SELECT 1;")]);
    assert_snapshot!(shop.read_back("72/03orders.sql"), @r#"
72/03 orders None NotUsual
72/04 orders_buyer_idx_concurrently Some(None) NotUsual
72/05 note_is_set None NotUsual
73/01 note None NotUsual
"#);
}

#[test]
fn a_history_of_windows_lines_gets_windows_lines() {
    let shop = Shop::with(&[("m/0001_orders.sql", "SELECT 1;\r\nSELECT 2;\r\n")]);
    assert_snapshot!(shop.texts("0001_orders.sql").lines().nth(1).unwrap_or_default(), @"-- lockkeeper: phase 2/3 of orders-buyer^M");
}

#[test]
fn what_has_no_version_has_no_place_behind_it() {
    let shop = Shop::with(&[("m/orders.sql", "SELECT 1;"), ("m/R__views.sql", "SELECT 1;")]);
    assert_snapshot!(shop.texts("orders.sql"), @"the name of this file says no version; write the next file by hand, behind this one");
    assert_snapshot!(shop.texts("R__views.sql"), @"this file runs again whenever it changes, behind all others; write a versioned migration");
}

/// What is written for a migration that nothing undoes, beside it or at its end.
fn undone(files: &[(&str, &str)], path: &str, statements: &[&str]) -> String {
    let shop = Shop::with(files);
    let discovered = shop.discovered();
    let history = &discovered.histories[0];
    let migration = history.migrations.iter().find(|migration| migration.source.path().ends_with(path)).expect("it is there");
    match super::undo(history, migration, &shop.config, statements) {
        Err(none) => none.to_string(),
        Ok(written) => {
            let edits = written.edits.iter().map(|(span, text)| format!("@ {}\n{text}", span.start));
            let files = written.files.iter().map(|(path, text)| format!("== {}\n{text}", shop.shown(path)));
            edits.chain(files).collect()
        }
    }
}

#[test]
fn what_undoes_a_file_goes_where_its_runner_looks_for_it() {
    let drop = ["DROP TABLE payments"];
    let orders = "CREATE TABLE orders (id bigint);";
    let gone = "DROP TABLE orders;";
    let up_and_down = [
        ("m/1_orders.up.sql", orders),
        ("m/1_orders.down.sql", gone),
        ("m/2_a.up.sql", "SELECT 1;"),
        ("m/2_a.down.sql", "SELECT 2;"),
        ("m/3_payments.up.sql", "SELECT 1;"),
    ];
    assert_snapshot!(undone(&up_and_down, "3_payments.up.sql", &drop), @r#"
== m/3_payments.down.sql
SET LOCAL lock_timeout = '2s';
DROP TABLE payments;
"#);
    assert_snapshot!(undone(&up_and_down, "3_payments.up.sql", &["DROP INDEX CONCURRENTLY payments_idx"]), @r#"
== m/3_payments.down.sql
-- no-transaction
DROP INDEX CONCURRENTLY payments_idx;
"#);
    let flyway = [
        ("m/V1__orders.sql", orders),
        ("m/U1__orders.sql", gone),
        ("m/V2__a.sql", "SELECT 1;"),
        ("m/U2__a.sql", "SELECT 2;"),
        ("m/V3__payments.sql", "SELECT 1;"),
    ];
    assert_snapshot!(undone(&flyway, "V3__payments.sql", &drop), @r#"
== m/U3__payments.sql
SET LOCAL lock_timeout = '2s';
DROP TABLE payments;
"#);
    let diesel = [
        ("m/2024-01-01-120000_orders/up.sql", orders),
        ("m/2024-01-01-120000_orders/down.sql", gone),
        ("m/2024-01-02-120000_a/up.sql", "SELECT 1;"),
        ("m/2024-01-02-120000_a/down.sql", "SELECT 2;"),
        ("m/2024-01-03-120000_payments/up.sql", "SELECT 1;"),
    ];
    assert_snapshot!(undone(&diesel, "2024-01-03-120000_payments/up.sql", &drop), @r#"
== m/2024-01-03-120000_payments/down.sql
SET LOCAL lock_timeout = '2s';
DROP TABLE payments;
"#);
    let goose = [
        ("m/1_orders.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        ("m/2_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"),
        ("m/3_payments.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\n"),
    ];
    assert_snapshot!(undone(&goose, "3_payments.sql", &drop), @r#"
@ 38
SET LOCAL lock_timeout = '2s';
DROP TABLE payments;
"#);
    let nobody = [("m/1_orders.sql", orders), ("m/2_payments.sql", orders)];
    assert_snapshot!(undone(&nobody, "2_payments.sql", &drop), @"how the migrations before this one are undone does not tell where that goes for this one; write it by hand");
}
