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
    insta::assert_snapshot!(words("id = ANY ('{1,2}'::int[])"), @r#"operators =; columns id; casts integer; conditions InList { column: Ident("id"), values: None }"#);
}

#[test]
fn a_comparison_of_rows_goes_by_the_first_column() {
    insta::assert_snapshot!(words("(shop, number) > ($1, $2) AND (shop, number) <= ($3, 'x')"), @r#"operators > and <=; columns shop number; conditions Compare { column: Ident("shop"), operator: ">=", value: None } Compare { column: Ident("shop"), operator: "<=", value: None }"#);
    insta::assert_snapshot!(words("(shop, number) <> (1, 2) AND (shop, number) = (1, buyer)"), @"operators <> and =; columns shop number buyer");
}

#[test]
fn a_subquery_names_its_relations_and_whether_it_is_bounded() {
    insta::assert_snapshot!(words("id IN (SELECT id FROM ONLY shop.orders o JOIN users ON users.id = o.buyer LIMIT 100)"), @r#"operators in =; columns id buyer; reads shop.orders users; conditions InQuery { column: Ident("id"), limited: true }"#);
    insta::assert_snapshot!(words("id IN (WITH orders AS (SELECT * FROM orders) SELECT id FROM orders, generate_series(1, 3) s)"), @r#"calls generate_series; operators in; columns id; reads orders; conditions InQuery { column: Ident("id"), limited: false }"#);
}

fn query_words(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let tokens: Vec<Token> = lex::Lexer::new(&source, Span::new(0, sql.len() as u32)).collect();
    let found = query(&source, &tokens);
    let list = |items: Vec<String>| items.join(" ");
    let flags = [
        (found.limited, "limited"),
        (!found.filters.is_empty(), "filtered"),
        (found.locks_rows, "locks rows"),
        (!found.understood, "not understood"),
    ];
    let mut out = vec![format!("reads {}", list(found.reads.iter().map(ToString::to_string).collect()))];
    out.push(format!("calls {}", list(found.calls.iter().map(ToString::to_string).collect())));
    out.push(format!("mentions {}", list(found.mentions.iter().map(ToString::to_string).collect())));
    out.push(
        found
            .columns
            .map_or("columns unknown".to_owned(), |names| format!("columns {}", list(names.iter().map(ToString::to_string).collect()))),
    );
    out.extend(found.into.map(|(name, persistence)| format!("into {persistence:?} {name}")));
    out.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word.to_owned()));
    out.join("; ")
}

#[test]
fn a_query_names_its_relations_and_columns() {
    insta::assert_snapshot!(query_words("SELECT o.id, buyer AS who, lower(note), total::numeric price, count(*) FROM orders o"), @"reads orders; calls lower count; mentions id buyer note total; columns id who lower price count; limited");
    insta::assert_snapshot!(query_words("SELECT * FROM payments p, (users u JOIN drafts d USING (owner)) LEFT JOIN LATERAL (SELECT * FROM ONLY orders) q ON true"), @"reads payments users drafts orders; calls ; mentions owner; columns unknown");
    insta::assert_snapshot!(query_words("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SEARCH DEPTH FIRST BY n SET ord, p AS (TABLE payments) SELECT n FROM t JOIN p ON true"), @"reads payments; calls ; mentions n; columns n");
}

#[test]
fn functions_in_from_are_calls_and_no_relations() {
    insta::assert_snapshot!(query_words("SELECT a FROM ROWS FROM (generate_series(1, 2), json_to_recordset('[]') AS (a int, b text)) AS f(a, b), unnest(ARRAY[1])"), @"reads ; calls generate_series json_to_recordset unnest; mentions a; columns a");
}

#[test]
fn a_query_says_how_many_rows_it_may_touch() {
    insta::assert_snapshot!(query_words("SELECT id FROM orders WHERE id > 5 UNION ALL SELECT id FROM drafts WHERE id IN (1, 2)"), @"reads orders drafts; calls ; mentions id; columns id; filtered");
    insta::assert_snapshot!(query_words("(SELECT id FROM orders ORDER BY id FETCH FIRST 10 ROWS ONLY FOR NO KEY UPDATE SKIP LOCKED)"), @"reads orders; calls ; mentions id; columns id; limited; locks rows");
    insta::assert_snapshot!(query_words("SELECT * INTO TEMP drafts FROM orders LIMIT ALL"), @"reads orders; calls ; mentions ; columns unknown; into Temporary drafts");
}

#[test]
fn a_relation_that_psql_puts_in_is_not_understood() {
    insta::assert_snapshot!(query_words("SELECT id FROM :table"), @"reads ; calls ; mentions id; columns id; not understood");
}

/// What takes longer is not linear: each of these takes well below a second, without optimisation, on a machine with nothing else to do.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

fn in_time(sql: &str) -> Expression {
    let started = std::time::Instant::now();
    let found = read(sql);
    assert!(started.elapsed() < PATIENCE, "took {:?}: {}...", started.elapsed(), &sql[..20]);
    found
}

#[test]
fn no_depth_and_no_length_overflows_the_stack() {
    let nested = |depth: usize| format!("{}lower(note){}", "(".repeat(depth), ")".repeat(depth));
    let chain = |term: &str, operator: &str, length: usize| vec![term; length].join(operator);
    let calls = |depth: usize| format!("{}now(){}", "lower(".repeat(depth), ")".repeat(depth));
    let queries = |depth: usize| format!("{}1{}", "(SELECT ".repeat(depth), ")".repeat(depth));
    let cases = [
        (nested(10_000), "lower"),
        (nested(200), "lower"),
        (nested(60), "lower"),
        (nested(100_000), "lower"),
        (chain("random()", " + ", 200_000), "random"),
        (chain("random()", " + ", 3_000), "random"),
        (chain("random() > 1", " AND ", 200_000), "random"),
        (chain("random() > 1", " AND ", 1_500), "random"),
        (format!("id IN ({})", chain("SELECT random()", " UNION ", 200_000)), "random"),
        (calls(10_000), "now"),
        (calls(350), "now"),
        (format!("now(){}", queries(20_000)), "now"),
        (format!("NOT {} now()", "NOT ".repeat(3_000)), "now"),
        (format!("now(){}", "::text".repeat(3_000)), "now"),
        (format!("now() {}", "- ".repeat(9_000)), "now"),
        (format!("{} now()", "- ".repeat(9_000)), "now"),
        (format!("{} now() {}", "CASE WHEN true THEN ".repeat(1_000), "END ".repeat(1_000)), "now"),
        (format!("{}now(){}", "ARRAY[".repeat(2_000), "]".repeat(2_000)), "now"),
        (format!("a{} + now()", "[1]".repeat(3_000)), "now"),
        (format!("a NOT IN ({}, now())", chain("1", ",", 500_000)), "now"),
    ];
    for (sql, call) in cases {
        // The stack of a rayon worker.
        let worker = std::thread::Builder::new().stack_size(2 << 20).spawn(move || in_time(&sql)).map(std::thread::JoinHandle::join);
        let Ok(Ok(found)) = worker else { panic!("the thread died") };
        assert!(found.calls.iter().any(|name| name.name == call), "{call} was not found");
    }
}
