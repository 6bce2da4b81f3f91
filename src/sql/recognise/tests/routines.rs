//! Functions, triggers, rules, policies, DO and CALL.

use super::words;
use crate::model::operation::Operation;
use crate::sql::read;
use crate::text::{SourceFile, Span};
use insta::assert_snapshot;

#[test]
fn a_function_takes_its_options_in_any_order() {
    assert_snapshot!(words("CREATE OR REPLACE FUNCTION shop.total(a int, double precision, OUT c text, VARIADIC d text[] DEFAULT '{}') RETURNS SETOF orders LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = shop, pg_temp COST 10 ROWS 5 AS $body$ BEGIN END $body$"), @"create_function shop.total (integer, double precision, text[]) or_replace language=plpgsql stable security_definer sets_search_path");
    assert_snapshot!(words("CREATE FUNCTION touch() RETURNS trigger AS 'BEGIN RETURN NEW; END' LANGUAGE 'plpgsql' VOLATILE LEAKPROOF WINDOW"), @"create_function touch () language=plpgsql volatile returns_trigger");
    assert_snapshot!(words("CREATE FUNCTION f(orders.id%TYPE) RETURNS TABLE (a int, b text) IMMUTABLE STRICT BEGIN ATOMIC SELECT 1; SELECT 2; END"), @r#"create_function f ("orders.id%type") immutable atomic"#);
    assert_snapshot!(words("CREATE FUNCTION next(a int) RETURNS int PARALLEL SAFE RETURN a + 1"), @"create_function next (integer) atomic");
    assert_snapshot!(words("CREATE FUNCTION c() RETURNS cstring AS 'library', 'symbol' LANGUAGE c TRANSFORM FOR TYPE hstore, FOR TYPE json"), @"create_function c () language=c no_body");
    assert_snapshot!(words("CREATE FUNCTION f() RETURNS int QUICKLY"), @"unreadable syntax error at `QUICKLY`, expected an option of the function (unreadable)");
}

#[test]
fn a_procedure_is_called_with_its_out_arguments() {
    assert_snapshot!(words("CREATE PROCEDURE pay(INOUT total int, receipt OUT text) LANGUAGE sql AS $$ SELECT 1 $$; CALL shop.pay(1, now())"), @"
    create_function pay (integer, text) procedure language=sql
    call shop.pay
    ");
}

#[test]
fn a_body_is_the_literal_with_its_quotes() {
    let body = |sql: &str| {
        let source = SourceFile::new("orders.sql", sql);
        let statements = read(&source, Span::new(0, sql.len() as u32)).statements;
        let operation = statements.into_iter().next().and_then(|statement| statement.operations.into_iter().next());
        let span = match operation.map(|operation| operation.what) {
            Some(Operation::DoBlock { body, .. }) => body,
            Some(Operation::CreateFunction(function)) => function.body,
            _ => None,
        };
        span.map_or("unknown".to_owned(), |span| source.text(span).into_owned())
    };
    assert_eq!(body("DO $x$ SELECT 1 $x$"), "$x$ SELECT 1 $x$");
    assert_eq!(body("DO LANGUAGE plpgsql 'SELECT 1'"), "'SELECT 1'");
    assert_eq!(body("DO 'SELECT ''x'''"), "'SELECT ''x'''");
    assert_eq!(body("DO :'body'"), "unknown");
    assert_eq!(body("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END"), "BEGIN ATOMIC SELECT 1; END");
}

#[test]
fn do_takes_its_language_before_or_behind_the_code() {
    assert_snapshot!(words("DO $$ BEGIN END $$; DO LANGUAGE plperl 'x'; DO 'x' LANGUAGE \"PlX\"; DO 'it''s'"), @"
    do_block
    do_block language=plperl
    do_block language=PlX
    do_block
    ");
    assert_snapshot!(words("DO LANGUAGE plpgsql"), @"unreadable syntax error at the end of the statement, expected the code as a string (unreadable)");
}

#[test]
fn a_trigger_may_pass_literals() {
    assert_snapshot!(words("CREATE CONSTRAINT TRIGGER g AFTER INSERT OR UPDATE OF a, b ON orders FROM users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION f('x', 1, word)"), @"create_trigger g on=orders constraint deferred for_each_row events=insert,update of=a,b function=f from=users");
    assert_snapshot!(words("CREATE OR REPLACE TRIGGER g BEFORE DELETE ON orders REFERENCING OLD TABLE AS o NEW TABLE n FOR STATEMENT EXECUTE PROCEDURE shop.f()"), @"create_trigger g on=orders or_replace before events=delete function=shop.f");
    assert_snapshot!(words("CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('x') EXECUTE FUNCTION f()"), @"other [create event trigger] e");
}

#[test]
fn a_rule_and_a_policy_belong_to_a_table() {
    assert_snapshot!(words("CREATE OR REPLACE RULE r AS ON INSERT TO orders WHERE NEW.id > 1 DO INSTEAD (INSERT INTO archive VALUES (1); DELETE FROM drafts)"), @"create_rule r on=orders or_replace");
    assert_snapshot!(words("CREATE POLICY own ON orders AS RESTRICTIVE FOR SELECT TO public, CURRENT_USER USING (buyer = (SELECT id FROM users WHERE name = current_user)) WITH CHECK (allowed(id))"), @"create_policy own on=orders restrictive for=select roles=public,current_user reads=users calls=current_user,allowed");
    assert_snapshot!(words("ALTER POLICY own ON orders TO app USING (true); ALTER POLICY own ON orders RENAME TO mine"), @"
    alter_policy own on=orders roles=app every_row
    rename_object own on=orders to mine
    ");
}
