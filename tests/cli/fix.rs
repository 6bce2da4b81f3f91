//! `lint --fix`, `--fix=review`, `--diff` and `--fix-suggestions`: what is written, what is shown, and what git makes of it.

use super::{ORDERS, Shop};
use std::fs;
use std::process::Command;

const CONFIG: &str = "migrations: m\ntransaction: none\n";
const INDEX: &str = "-- größer\r\nCREATE INDEX\torders_note_idx ON orders (note);\r\n";

impl Shop {
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.0.path().join(folder)).expect("the folder is there").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let identity =
            ["-c", "user.name=shop", "-c", "user.email=shop@example.org", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"];
        let folder = self.0.path().join(folder);
        let output = Command::new("git").current_dir(folder).args(identity).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn safe_fixes_are_written_in_place_and_the_second_time_nothing_is_left_to_do() {
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX)]);
    let answer = shop.run(&["lint", "--fix"]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.out, answer.err);
    assert!(
        answer.err.contains("note: fixed create-index-without-concurrently at m/0002_index.sql:2: build it concurrently"),
        "{}",
        answer.err
    );
    assert!(answer.err.ends_with("note: 1 finding fixed; 1 file changed, 0 new\n"), "{}", answer.err);
    assert_eq!(shop.text("m/0002_index.sql"), INDEX.replace("orders_note_idx", "CONCURRENTLY orders_note_idx"));
    let again = shop.run(&["lint", "--fix"]);
    assert!(again.err.ends_with("note: 0 findings fixed; 0 files changed, 0 new\n"), "{}", again.err);
    assert_eq!(shop.files("m"), ["0001_orders.sql", "0002_index.sql"]);
}

#[test]
fn what_somebody_has_to_look_at_takes_a_word_more() {
    let shop = Shop::with(&[
        ("m/0001_orders.sql", ORDERS),
        ("m/0002_index.sql", "SET lock_timeout = '2s';\nSELECT 1;\nDROP INDEX orders_note_idx;\n"),
    ]);
    let safe = shop.run(&["lint", "--fix", "--fail-on", "warning"]);
    assert_eq!(safe.code, Some(1), "{}", safe.out);
    assert_eq!(shop.files("m"), ["0001_orders.sql", "0002_index.sql"]);
    let review = shop.run(&["lint", "--fix=review", "--fail-on", "warning"]);
    assert_eq!(review.code, Some(0), "{}{}", review.out, review.err);
    assert_eq!(shop.text("m/0002_index.sql"), "SET lock_timeout = '2s';\nSELECT 1;\n");
    assert_eq!(
        shop.text("m/0003_drop_index_orders_note_idx.sql"),
        "-- lockkeeper: transaction none\nDROP INDEX CONCURRENTLY orders_note_idx;\n"
    );
    let again = shop.run(&["lint", "--fix=review"]);
    assert!(again.err.ends_with("note: 0 findings fixed; 0 files changed, 0 new\n"), "{}", again.err);
}

#[test]
fn git_applies_the_diff() {
    let last = "SET lock_timeout = '2s';\r\nSELECT 'größer';\r\n\r\nDROP INDEX\torders_note_idx, orders_pkey2;\r\nREINDEX TABLE orders";
    let orders = format!("{ORDERS}CREATE INDEX orders_note_idx ON orders (note);\nCREATE INDEX orders_pkey2 ON orders (id);\n");
    let shop = Shop::with(&[("shop/my m/0001_orders.sql", &orders), ("shop/my m/0002_last.sql", last)]);
    shop.git("", &["init", "-q"]);
    shop.git("", &["add", "-A"]);
    shop.git("", &["commit", "-q", "-m", "shop"]);
    // Below the top of the repository, paths are those from there.
    for folder in ["", "shop"] {
        let path = if folder.is_empty() { "shop/my m" } else { "my m" };
        let mut command = shop.command(&["lint", "--diff", path]);
        let output = command.current_dir(shop.0.path().join(folder)).output().expect("the program runs");
        assert_eq!(shop.files("shop/my m").len(), 2, "a diff changes nothing");
        shop.write("changes.diff", &output.stdout);
        let diff = shop.0.path().join("changes.diff");
        let diff = diff.to_str().expect("its path is text");
        shop.git(folder, &["apply", "--check", diff]);
        shop.git(folder, &["apply", diff]);
        let expected = ["0001_orders.sql", "0002_last.sql", "0003_drop_orders_note_idx.sql", "0004_last_rest.sql", "0005_last_rest.sql"];
        assert_eq!(shop.files("shop/my m"), expected, "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(shop.text("shop/my m/0002_last.sql"), "SET lock_timeout = '2s';\r\nSELECT 'größer';\r\n");
        assert_eq!(shop.text("shop/my m/0005_last_rest.sql"), "-- lockkeeper: transaction none\r\nREINDEX TABLE CONCURRENTLY orders;\r\n");
        let left = shop.run(&["lint", "--format", "short", "shop/my m/0002_last.sql"]);
        assert!(!left.out.contains("concurrently"), "{}", left.out);
        fs::remove_file(diff).expect("the diff is removed");
        shop.git("", &["clean", "-qfd"]);
        shop.git("", &["checkout", "-q", "."]);
    }
}

#[test]
fn with_fix_the_diff_is_of_those_fixes() {
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX)]);
    let answer = shop.run(&["lint", "--diff", "--fix"]);
    let lines = "--- a/m/0002_index.sql\n+++ b/m/0002_index.sql\n@@ -1,2 +1,2 @@\n -- größer\r\n-CREATE INDEX\torders_note_idx ON orders (note);\r\n\
                 +CREATE INDEX\tCONCURRENTLY orders_note_idx ON orders (note);\r\n";
    assert_eq!(answer.out, lines);
    assert_eq!(shop.text("m/0002_index.sql"), INDEX);
}

#[test]
fn standard_input_comes_out_fixed() {
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("m/0003_later.sql", "SELECT 1;\n")]);
    let fix = ["lint", "-", "--stdin-path", "m/0002_index.sql", "--fix"];
    let answer = shop.run_with_input(&fix, INDEX);
    assert_eq!(answer.out, INDEX.replace("orders_note_idx", "CONCURRENTLY orders_note_idx"));
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let fine = shop.run_with_input(&fix, "SELECT 2;\n");
    assert_eq!(fine.out, "SELECT 2;\n");
    let left = shop.run_with_input(&fix, "DROP TABLE orders;\n");
    assert_eq!((left.out.as_str(), left.code), ("SET lock_timeout = '2s';\nDROP TABLE orders;\nRESET lock_timeout;\n", Some(1)));
    assert!(left.err.contains("m/0002_index.sql:2:1: error[drop-table]"), "{}", left.err);
}

#[test]
fn what_git_says_is_history_is_left_alone() {
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX)]);
    shop.git("", &["init", "-q", "-b", "main"]);
    shop.git("", &["add", "-A"]);
    shop.git("", &["commit", "-q", "-m", "shop"]);
    shop.git("", &["checkout", "-q", "-b", "work"]);
    shop.write("m/0002_index.sql", format!("{INDEX}-- edited\n"));
    shop.write("m/0003_new.sql", INDEX.replace("orders_note_idx", "orders_id_idx"));
    let answer = shop.run(&["lint", "--since", "main", "--fix"]);
    assert_eq!(shop.text("m/0002_index.sql"), format!("{INDEX}-- edited\n"), "{}", answer.err);
    assert!(shop.text("m/0003_new.sql").contains("CONCURRENTLY orders_id_idx"), "{}", answer.err);
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_permissions_and_a_link_stays_one() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("real/index.sql", INDEX)]);
    let (real, link) = (shop.0.path().join("real/index.sql"), shop.0.path().join("m/0002_index.sql"));
    symlink(&real, &link).expect("the link is made");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("the file is ours");
    shop.run(&["lint", "--fix"]);
    assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert!(shop.text("real/index.sql").contains("CONCURRENTLY"));
    assert_eq!(fs::metadata(&real).expect("it is there").permissions().mode() & 0o777, 0o640);
    assert_eq!(shop.files("real"), ["index.sql"]);
}

#[test]
fn nothing_is_changed_where_the_config_cannot_be_read() {
    let shop = Shop::with(&[("lockkeeper.yaml", "transactio: none\n"), ("m/0002_index.sql", INDEX)]);
    let answer = shop.run(&["lint", "--fix", "m"]);
    assert_eq!(answer.code, Some(2));
    assert_eq!(shop.text("m/0002_index.sql"), INDEX);
    let through = shop.run_with_input(&["lint", "-", "--stdin-path", "m/0002_index.sql", "--fix"], INDEX);
    assert_eq!((through.out.as_str(), through.code), (INDEX, Some(2)), "whoever waits for the text gets it back");
    assert_eq!(shop.run(&["lint", "--diff", "m"]).out, "");
}

#[test]
fn a_suggestion_can_be_shown_as_a_diff() {
    let shop = Shop::with(&[("lockkeeper.yaml", CONFIG), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX)]);
    let answer = shop.run(&["lint", "--fix-suggestions"]);
    let lines = [
        "             -- größer",
        "           - CREATE INDEX\torders_note_idx ON orders (note);",
        "           + CREATE INDEX\tCONCURRENTLY orders_note_idx ON orders (note);",
    ];
    assert!(answer.out.contains(&lines.join("\n")), "{}", answer.out);
    assert_eq!(shop.text("m/0002_index.sql"), INDEX);
}
