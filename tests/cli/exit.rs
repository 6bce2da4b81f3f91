//! Exit codes and usage.

use super::{ORDERS, PLAIN_INDEX, Shop, answer};
use std::process::Stdio;

#[test]
fn a_harmless_migration_ends_with_0_and_a_harmful_one_with_1() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    assert_eq!(shop.run(&["lint", "m/0001_orders.sql"]).code, Some(0));
    assert_eq!(shop.run(&["lint", "m/0002_index.sql"]).code, Some(1));
}

#[test]
fn fail_on_says_from_where_on_a_run_fails() {
    let shop = Shop::with(&[
        ("m/0001_orders.sql", ORDERS),
        ("m/0002_drop.sql", "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN buyer;\n"),
    ]);
    let code = |threshold| shop.run(&["lint", "m", "--fail-on", threshold]).code;
    assert_eq!((code("error"), code("three-phase"), code("maintenance-window"), code("never")), (Some(1), Some(1), Some(0), Some(0)));
}

#[test]
fn the_threshold_of_the_config_counts_unless_the_command_line_says_another() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX), ("lockkeeper.yaml", "fail_on: never\n")]);
    assert_eq!(shop.run(&["lint", "m"]).code, Some(0));
    assert_eq!(shop.run(&["lint", "m", "--fail-on", "error"]).code, Some(1));
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    let shop = Shop::new();
    for wrong in [&["lint", "--frmat", "json"][..], &["lint", "--postgres", "9"], &["lint", "--format", "paper"], &["lnit"], &[]] {
        assert_eq!(shop.run(wrong).code, Some(2), "{wrong:?}");
    }
    let help = shop.run(&["lint", "--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Examples:") && help.out.contains("lockkeeper: allow"), "{}", help.out);
    assert!(shop.run(&["lint", "--postgres", "9"]).err.contains("12 to 19"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many: String = (0..3000).map(|at| format!("CREATE INDEX orders_{at} ON orders (buyer);\n")).collect();
    let shop = Shop::with(&[("0001_index.sql", &many)]);
    let mut child =
        shop.command(&["lint", "--format", "json", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    let answer = answer(&child.wait_with_output().expect("it ends"));
    assert_eq!((answer.code, answer.err.as_str()), (Some(1), ""));
}
