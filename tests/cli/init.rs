//! `init`.

use super::{ORDERS, Shop};
use std::fs;

#[test]
fn init_writes_a_config_that_lint_reads_and_does_not_overwrite_it() {
    let shop = Shop::with(&[("db/migrations/0001_orders.sql", ORDERS)]);
    assert_eq!(shop.run(&["init"]).code, Some(0));
    let written = fs::read_to_string(shop.0.path().join("lockkeeper.yaml")).expect("it is written");
    assert!(written.contains("- db/migrations"), "{written}");
    let answer = shop.run(&["lint"]);
    assert_eq!(answer.code, Some(0), "{}", answer.out);
    assert!(answer.out.contains("1 migration, "), "{}", answer.out);
    assert_eq!(shop.run(&["init"]).code, Some(2));
}
