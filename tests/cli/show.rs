//! `show` and `rules --vocabulary`.

use super::{ORDERS, PLAIN_INDEX, Shop};

#[test]
fn show_tells_the_facts_and_which_rules_spoke() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let answer = shop.run(&["show", "m/0002_index.sql"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("create_index") && answer.out.contains("SHARE on public.orders"), "{}", answer.out);
    assert_eq!(shop.run(&["show", "nowhere.sql"]).code, Some(2));
    let words = shop.run(&["rules", "--vocabulary", "create_index"]);
    assert!(words.out.contains("concurrently"), "{}", words.out);
    assert!(shop.run(&["rules", "--vocabulary", "create_indx"]).err.contains("did you mean `create_index`?"));
}
