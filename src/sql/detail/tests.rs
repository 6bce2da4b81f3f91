//! SQL in, words out.

use super::*;
use crate::model::expression::Predicate;
use crate::sql::lex;
use crate::text::Span;

fn read(sql: &str) -> Expression {
    let source = SourceFile::new("orders.sql", sql);
    let tokens: Vec<Token> = lex::Lexer::new(&source, Span::new(0, sql.len() as u32)).collect();
    expression(&source, &tokens)
}

fn words(sql: &str) -> String {
    let found = read(sql);
    let mut out = Vec::new();
    if !found.understood {
        out.push("not understood".to_owned());
    }
    if let Some(constant) = &found.constant {
        out.push(format!("constant {constant:?}"));
    }
    let mut list = |label: &str, items: Vec<String>| {
        if !items.is_empty() {
            out.push(format!("{label} {}", items.join(" ")));
        }
    };
    list("calls", found.calls.iter().map(ToString::to_string).collect());
    list("operators", found.operators.iter().map(ToString::to_string).collect());
    list("columns", found.columns.iter().map(ToString::to_string).collect());
    list("casts", found.casts.iter().map(|cast| cast.name.to_string()).collect());
    list("reads", found.reads.iter().map(ToString::to_string).collect());
    list("conditions", found.conjuncts.iter().filter(|part| **part != Predicate::Other).map(|part| format!("{part:?}")).collect());
    out.join("; ")
}

#[test]
fn literals_and_plain_calls_need_no_parser() {
    insta::assert_snapshot!(words("-1.5"), @r#"constant Number("-1.5"); operators -"#);
    insta::assert_snapshot!(words("'it''s new'::text"), @r#"constant Text("it's new"); casts text"#);
    insta::assert_snapshot!(words("nextval('orders_id_seq'::regclass)"), @"calls nextval; casts regclass");
    insta::assert_snapshot!(words("CURRENT_TIMESTAMP(3)"), @"calls current_timestamp");
}

#[test]
fn functions_are_found_however_deep_they_are() {
    insta::assert_snapshot!(words("coalesce(note, lower('X' || random()::text)) COLLATE \"C\""), @"calls lower random; operators ||; columns note; casts text");
    insta::assert_snapshot!(words("(now() AT TIME ZONE 'utc')"), @"calls now timezone");
    insta::assert_snapshot!(words("EXTRACT(epoch FROM created_at)::int"), @"calls date_part; columns created_at; casts integer");
}

#[test]
fn a_column_stands_on_the_left_of_its_condition() {
    insta::assert_snapshot!(words("5 < id"), @r#"operators <; columns id; conditions Compare { column: Ident("id"), operator: ">", value: Some(Number("5")) }"#);
    insta::assert_snapshot!(words("NOT (buyer IS NULL) AND note ISNULL"), @r#"operators not is and; columns buyer note; conditions IsNotNull(Ident("buyer")) IsNull(Ident("note"))"#);
    insta::assert_snapshot!(words("id = ANY ('{1,2}'::int[])"), @r#"operators =; columns id; casts integer; conditions InList(Ident("id"))"#);
}

#[test]
fn a_subquery_names_its_relations_and_whether_it_is_bounded() {
    insta::assert_snapshot!(words("id IN (SELECT id FROM ONLY shop.orders o JOIN users ON users.id = o.buyer LIMIT 100)"), @r#"operators in =; columns id buyer; reads shop.orders users; conditions InQuery { column: Ident("id"), limited: true }"#);
    insta::assert_snapshot!(words("id IN (WITH orders AS (SELECT * FROM orders) SELECT id FROM orders, generate_series(1, 3) s)"), @r#"calls generate_series; operators in; columns id; reads orders; conditions InQuery { column: Ident("id"), limited: false }"#);
}
