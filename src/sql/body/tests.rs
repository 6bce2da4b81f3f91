//! Bodies in, their statements out: what is run, under which condition, and where it stands.

use super::{Routine, routine};
use crate::model::name::Ident;
use crate::sql::{Statement, read};
use crate::text::{SourceFile, Span};
use insta::assert_snapshot;

/// The statements in the bodies of a script: what they do, how they are run, and the text that they point to.
fn inside(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let statements = read(&source, Span::new(0, sql.len() as u32)).statements;
    statements.iter().flat_map(|statement| &statement.body).map(|nested| line(&source, nested)).collect::<Vec<_>>().join("\n")
}

/// The same for the body of a function.
fn of_function(language: &str, literal: &str, parameters: &[&str]) -> String {
    let source = SourceFile::new("orders.sql", literal);
    let parameters: Vec<_> = parameters.iter().map(|name| Ident::folded(name)).collect();
    let atomic = !literal.starts_with(['\'', '$']);
    let language = Ident::folded(language);
    let body = Span::new(0, literal.len() as u32);
    let statements = routine(&source, &Routine { language: Some(&language), body, atomic, parameters: &parameters });
    statements.iter().map(|nested| line(&source, nested)).collect::<Vec<_>>().join("\n")
}

fn line(source: &SourceFile, statement: &Statement) -> String {
    let nesting = statement.nesting.as_ref().expect("it stands in a body");
    let operations: Vec<_> = statement.operations.iter().map(|operation| operation.what.to_string()).collect();
    let mut line = format!("{}{}{}", "(".repeat(nesting.opens as usize), operations.join("; "), ")".repeat(nesting.closes as usize));
    for (flag, word) in [(nesting.conditional, " maybe"), (nesting.repeats, " often"), (nesting.caught, " caught")] {
        line += if flag { word } else { "" };
    }
    let text = source.text(statement.span).split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{line} <{text}>")
}

#[test]
fn a_statement_of_a_block_is_read_where_it_stands() {
    assert_snapshot!(inside("DO $$ BEGIN ALTER TABLE orders ADD COLUMN note text; DROP TABLE drafts; END $$"), @r#"
add_column orders.note text <ALTER TABLE orders ADD COLUMN note text>
drop_table drafts <DROP TABLE drafts>
"#);
}

#[test]
fn branches_loops_and_handlers_may_not_run() {
    assert_snapshot!(inside("
        DO $$
        <<main>>
        DECLARE n int := 0; r record;
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
                CREATE TYPE mood AS ENUM ('good');
            ELSIF n > 1 THEN
                DROP TYPE mood;
            ELSE
                NULL;
            END IF;
            CASE n WHEN 1 THEN DROP TABLE drafts; ELSE DROP TABLE orders; END CASE;
            FOR r IN SELECT id FROM orders LOOP
                UPDATE orders SET note = r.note WHERE id = r.id;
            END LOOP;
            FOR i IN 1..3 LOOP DELETE FROM drafts WHERE id = i; END LOOP;
            WHILE n < 10 LOOP
                n := n + 1;
                UPDATE orders SET note = '' WHERE id = n;
                COMMIT;
            END LOOP;
            BEGIN
                ALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total > 0);
            EXCEPTION WHEN duplicate_object OR duplicate_table THEN
                RAISE NOTICE 'it is there: %', n;
            WHEN others THEN
                DROP TABLE orders;
            END;
            DROP TABLE payments;
        END main
        $$"), @r#"
select reads=pg_type <NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood')>
(create_type mood enum (good)) maybe <CREATE TYPE mood AS ENUM ('good')>
(drop_type mood) maybe <DROP TYPE mood>
(drop_table drafts) maybe <DROP TABLE drafts>
(drop_table orders) maybe <DROP TABLE orders>
select reads=orders <SELECT id FROM orders>
(update orders (note) where [id = $100]) maybe often <UPDATE orders SET note = r.note WHERE id = r.id>
(delete drafts where [id = 1]) maybe <DELETE FROM drafts WHERE id = i>
(update orders (note) where [id = 1] maybe <UPDATE orders SET note = '' WHERE id = n>
commit) maybe <COMMIT>
(add_check orders total_is_positive [total > 0]) maybe caught <ALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total > 0)>
(drop_table orders) maybe <DROP TABLE orders>
drop_table payments <DROP TABLE payments>
"#);
}

#[test]
fn what_stands_behind_a_conditional_return_may_not_run() {
    assert_snapshot!(inside("DO $$ BEGIN
        IF now() > '2030-01-01' THEN DROP TABLE drafts; RETURN; END IF;
        DROP TABLE orders;
        BEGIN IF true THEN RETURN; END IF; DROP TABLE users; END;
        DROP TABLE payments;
    END $$"), @r#"
select calls=now <now() > '2030-01-01'>
(drop_table drafts) maybe <DROP TABLE drafts>
(drop_table orders maybe <DROP TABLE orders>
(drop_table users) maybe <DROP TABLE users>
(drop_table payments)) maybe <DROP TABLE payments>
"#);
}

#[test]
fn perform_select_into_and_variables_are_queries_with_values() {
    assert_snapshot!(inside("DO $$ DECLARE v_id bigint; total numeric; c CURSOR FOR SELECT id FROM orders; BEGIN
        PERFORM close_year(v_id);
        SELECT count(*), max(id) INTO STRICT total, v_id FROM orders;
        INSERT INTO orders (note) VALUES ('x') RETURNING id INTO v_id;
        UPDATE orders SET note = 'y' WHERE id = v_id;
        v_id := next_id(total);
        IF found THEN RAISE NOTICE '%', v_id; END IF;
        CALL archive(v_id);
        OPEN c; FETCH c INTO v_id; CLOSE c;
        GET DIAGNOSTICS v_id = ROW_COUNT;
    END $$"), @r#"
select reads=orders <SELECT id FROM orders>
select calls=close_year <PERFORM close_year(v_id)>
select reads=orders calls=count,max <SELECT count(*), max(id) INTO STRICT total, v_id FROM orders>
insert orders (note) rows=1 <INSERT INTO orders (note) VALUES ('x') RETURNING id INTO v_id>
update orders (note) where [id = $100] <UPDATE orders SET note = 'y' WHERE id = v_id>
select calls=next_id <next_id(total)>
call archive <CALL archive(v_id)>
"#);
}

#[test]
fn execute_of_what_is_written_out_is_read() {
    assert_snapshot!(inside(r#"DO $$ DECLARE name text := 'orders'; col CONSTANT text := 'Note'; other text := 'x'; BEGIN
        EXECUTE 'ALTER TABLE orders ADD COLUMN note text DEFAULT ''none''';
        EXECUTE 'DROP TABLE ' || 'drafts';
        EXECUTE format('ALTER TABLE %I DROP COLUMN %I', name, col);
        EXECUTE format('UPDATE %2$s SET note = %1$L WHERE id = %3$L', 'it''s', name, now());
        EXECUTE $q$ DELETE FROM orders WHERE id = $1; TRUNCATE drafts $q$ USING other;
        other := 'y';
        EXECUTE 'DROP TABLE ' || other;
        EXECUTE format('DROP TABLE %I', current_user) INTO other;
    END $$"#), @r#"
add_column orders.note text default ['none'] <ALTER TABLE orders ADD COLUMN note text DEFAULT ''none''>
drop_table drafts <DROP TABLE ' || 'drafts>
drop_column orders.Note <ALTER TABLE %I DROP COLUMN %I', name, col>
update orders (note) where [id = $1] <UPDATE %2$s SET note = %1$L WHERE id = %3$L', 'it''s', name, now()>
delete orders where [id = $1] <DELETE FROM orders WHERE id = $1>
truncate drafts <TRUNCATE drafts>
dynamic the text of EXECUTE `'DROP TABLE ' || other` is made while it runs <'DROP TABLE ' || other>
dynamic the text of EXECUTE `format('DROP TABLE %I', current_user)` is made while it runs <format('DROP TABLE %I', current_user)>
"#);
}

#[test]
fn offsets_are_right_where_quotes_are_doubled() {
    assert_snapshot!(inside("DO 'BEGIN UPDATE orders SET note = ''it''''s'' WHERE id = 1; DROP TABLE drafts; END'"), @r#"
update orders (note) where [id = 1] <UPDATE orders SET note = ''it''''s'' WHERE id = 1>
drop_table drafts <DROP TABLE drafts>
"#);
    assert_snapshot!(inside("DO E'BEGIN\\n DROP TABLE drafts; END'"), @r#"drop_table drafts <E'BEGIN\n DROP TABLE drafts; END'>"#);
}

#[test]
fn blocks_in_blocks_are_read() {
    assert_snapshot!(inside("DO $a$ BEGIN IF true THEN DO $b$ BEGIN EXECUTE 'DROP TABLE drafts'; END $b$; END IF; END $a$"), @r#"
(do_block maybe <DO $b$ BEGIN EXECUTE 'DROP TABLE drafts'; END $b$>
drop_table drafts) maybe <DROP TABLE drafts>
"#);
}

#[test]
fn what_cannot_be_told_is_named() {
    assert_snapshot!(inside("DO LANGUAGE plpython3u $$ plpy.execute('DROP TABLE orders') $$; DO $$ IF true $$; DO :'code'; DO $$ BEGIN FROBNICATE orders; END $$"), @r#"
dynamic its body is in plpython3u <DO LANGUAGE plpython3u $$ plpy.execute('DROP TABLE orders') $$>
dynamic its body cannot be read <DO $$ IF true $$>
dynamic its body cannot be read <DO :'code'>
dynamic `FROBNICATE orders` cannot be read <FROBNICATE orders>
"#);
}

#[test]
fn words_in_strings_and_comments_do_nothing() {
    assert_snapshot!(inside("DO $$ BEGIN RAISE NOTICE 'DROP TABLE orders'; -- DROP TABLE orders\n /* ALTER TABLE orders ADD x int; */ END $$"), @"");
}

#[test]
fn functions_in_sql_are_read_as_scripts() {
    assert_snapshot!(of_function("sql", "$$ UPDATE orders SET note = '' WHERE id = wanted; DROP TABLE drafts $$", &["wanted"]), @r#"
update orders (note) where [id = $10000] <UPDATE orders SET note = '' WHERE id = wanted>
drop_table drafts <DROP TABLE drafts>
"#);
    assert_snapshot!(of_function("sql", "BEGIN ATOMIC DELETE FROM orders; SELECT 1; END", &[]), @r#"
delete orders <DELETE FROM orders>
select <SELECT 1>
"#);
    assert_snapshot!(of_function("sql", "RETURN a + 1", &["a"]), @"select <RETURN a + 1>");
    assert_snapshot!(of_function("plpgsql", "'BEGIN DROP TABLE drafts; END'", &[]), @"drop_table drafts <DROP TABLE drafts>");
    assert_snapshot!(of_function("c", "'library'", &[]), @"dynamic its body is in c <'library'>");
}
