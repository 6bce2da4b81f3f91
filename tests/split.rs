//! SQL in, pieces out: how a file is cut into statements, as psql does it.

use insta::assert_snapshot;
use lockkeeper::sql::split::{Piece, Split, split};
use lockkeeper::text::{SourceFile, Span};

/// Every piece on a line of its own, with a letter for its kind.
fn cut(sql: impl Into<Vec<u8>>) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let whole = Span::new(0, source.bytes().len() as u32);
    describe(&source, &split(&source, whole))
}

fn describe(source: &SourceFile, split: &Split) -> String {
    let text = |span| source.text(span).escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"").replace("\\\\", "\\");
    let line = |piece: &Piece| match *piece {
        Piece::Sql(span) => format!("sql   {}", text(span)),
        Piece::PsqlCommand(span) => format!("psql  {}", text(span)),
        Piece::CopyData(span) => format!("data  {}", text(span)),
        Piece::Broken { span, at, why } => format!("broken {}\n  at `{}`: {why}", text(span), text(at)),
    };
    split.pieces.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn semicolons_end_statements_and_the_last_needs_none() {
    assert_snapshot!(cut("SELECT 1; SELECT 2;;\n ; SELECT 3"), @"
    sql   SELECT 1
    sql   SELECT 2
    sql   SELECT 3
    ");
}

#[test]
fn nothing_and_comments_alone_give_no_statement() {
    assert_snapshot!(cut(""), @"");
    assert_snapshot!(cut(" \r\n\t"), @"");
    assert_snapshot!(cut("-- no orders yet;\n/* ; */"), @"");
    assert_snapshot!(cut(b"\xEF\xBB\xBF".to_vec()), @"");
}

#[test]
fn a_byte_order_mark_belongs_to_no_statement() {
    assert_snapshot!(cut(b"\xEF\xBB\xBFSELECT 1;\r\nSELECT 2;\r\n".to_vec()), @"
    sql   SELECT 1
    sql   SELECT 2
    ");
}

#[test]
fn quotes_and_comments_hide_semicolons() {
    assert_snapshot!(cut(r#"SELECT 'a;''b' , E'\';', "c;""d", U&"e;", $x$ ; $$ ; $x$, B'0;' /* ; /* ; */ ; */ -- ;"#.to_owned() + "\n; SELECT 2"), @r#"
    sql   SELECT 'a;''b' , E'\';', "c;""d", U&"e;", $x$ ; $$ ; $x$, B'0;'
    sql   SELECT 2
    "#);
    assert_snapshot!(cut("SELECT 'a'\n'b;'; SELECT a$$b; SELECT $1"), @r"
    sql   SELECT 'a'\n'b;'
    sql   SELECT a$$b
    sql   SELECT $1
    ");
}

#[test]
fn a_dollar_quoted_body_is_one_statement() {
    assert_snapshot!(cut("DO $$ BEGIN a; b; END $$; SELECT 1"), @"
    sql   DO $$ BEGIN a; b; END $$
    sql   SELECT 1
    ");
}

#[test]
fn parentheses_hide_semicolons() {
    assert_snapshot!(cut("CREATE RULE keep AS ON DELETE TO orders DO ALSO (INSERT INTO log VALUES (1); NOTIFY log); SELECT 1"), @"
    sql   CREATE RULE keep AS ON DELETE TO orders DO ALSO (INSERT INTO log VALUES (1); NOTIFY log)
    sql   SELECT 1
    ");
}

#[test]
fn a_semicolon_in_parentheses_that_belongs_to_no_rule_is_said() {
    assert_snapshot!(cut("CREATE TABLE a (b int; CREATE TABLE c (d int)); SELECT 1"), @r"
    broken CREATE TABLE a (b int; CREATE TABLE c (d int))
      at `;`: semicolon inside parentheses
    sql   SELECT 1
    ");
}

#[test]
fn a_parenthesis_that_is_never_closed_does_not_hide_the_statements_behind_it() {
    assert_snapshot!(cut("CREATE TABLE a (b int; CREATE TABLE c (d int); SELECT (1; SELECT 2"), @"
    sql   CREATE TABLE a (b int
    sql   CREATE TABLE c (d int)
    sql   SELECT (1
    sql   SELECT 2
    ");
    assert_snapshot!(cut("SELECT 1); SELECT 2"), @"
    sql   SELECT 1)
    sql   SELECT 2
    ");
}

#[test]
fn the_body_of_a_routine_reaches_to_its_end() {
    assert_snapshot!(cut("CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT t.end, 2 AS case; END; SELECT 1"), @"
    sql   CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT t.end, 2 AS case; END
    sql   SELECT 1
    ");
    assert_snapshot!(cut("create procedure p() begin atomic end; SELECT 1"), @"
    sql   create procedure p() begin atomic end
    sql   SELECT 1
    ");
}

#[test]
fn begin_is_a_body_in_routines_only() {
    assert_snapshot!(cut("BEGIN; CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'; END; BEGIN ATOMIC; SELECT 1"), @"
    sql   BEGIN
    sql   CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1'
    sql   END
    sql   BEGIN ATOMIC
    sql   SELECT 1
    ");
}

#[test]
fn a_body_without_end_does_not_hide_the_statements_behind_it() {
    assert_snapshot!(cut("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2"), @"
    sql   CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1
    sql   SELECT 2
    ");
}

#[test]
fn data_behind_copy_is_no_sql() {
    assert_snapshot!(cut("COPY orders (id, note) FROM stdin;\n1\tit's;\n\\N\t\\.\n\\.\nSELECT 1;"), @r"
    sql   COPY orders (id, note) FROM stdin
    data  1\tit's;\n\N\t\.\n
    sql   SELECT 1
    ");
    assert_snapshot!(cut("COPY orders FROM STDIN WITH (FORMAT csv); -- all\r\n1,a\r\n\\.\r\nSELECT 1"), @r"
    sql   COPY orders FROM STDIN WITH (FORMAT csv)
    data  1,a\r\n
    sql   SELECT 1
    ");
    assert_snapshot!(cut("COPY orders FROM STDIN;\n\\.\nSELECT 1"), @"
    sql   COPY orders FROM STDIN
    data  
    sql   SELECT 1
    ");
}

#[test]
fn only_copy_from_stdin_has_data() {
    assert_snapshot!(cut("COPY orders FROM '/tmp/orders'; COPY (SELECT 1 FROM stdin) TO STDOUT; COPY orders TO STDOUT; SELECT 1"), @"
    sql   COPY orders FROM '/tmp/orders'
    sql   COPY (SELECT 1 FROM stdin) TO STDOUT
    sql   COPY orders TO STDOUT
    sql   SELECT 1
    ");
}

#[test]
fn data_that_never_ends_is_said() {
    assert_snapshot!(cut("COPY orders FROM STDIN;\nDROP TABLE users;"), @r"
    sql   COPY orders FROM STDIN
    data  DROP TABLE users;
    broken 
      at ``: data of COPY FROM STDIN without a line `\.` at its end
    ");
    assert_snapshot!(cut("COPY orders FROM STDIN; SELECT 1;\n1\n\\.\nSELECT 2"), @r"
    sql   COPY orders FROM STDIN
    broken SELECT 1;
      at `SELECT`: text between COPY FROM STDIN and its data
    data  1\n
    sql   SELECT 2
    ");
}

#[test]
fn copies_of_one_message_have_their_data_one_after_the_other() {
    assert_snapshot!(cut("SELECT 0\\; COPY orders FROM STDIN\\; COPY users FROM STDIN; -- both\n1\n\\.\n2\n\\.\nSELECT 1"), @r"
    sql   SELECT 0
    sql   COPY orders FROM STDIN
    sql   COPY users FROM STDIN
    data  1\n
    data  2\n
    sql   SELECT 1
    ");
}

#[test]
fn meta_commands_take_their_line() {
    assert_snapshot!(cut("\\restrict a;b'c\n\\c shop \\i users.sql\n\\set on 'a\\'b' \\\\ SELECT 1;\n\\! echo \\ 'x\n\\echo 'never closed\nSELECT 2;"), @r"
    psql  \restrict a;b'c
    psql  \c shop
    psql  \i users.sql
    psql  \set on 'a\'b'
    sql   SELECT 1
    psql  \! echo \ 'x
    psql  \echo 'never closed
    sql   SELECT 2
    ");
}

#[test]
fn some_meta_commands_send_the_statement_before_them() {
    assert_snapshot!(cut("SELECT 'DROP TABLE orders' \\gexec\nSELECT 1 AS a \\gset\nSELECT $1 \\bind 5 \\g\nSELECT 3 \\g | cat \\x\nSELECT 4;"), @r"
    sql   SELECT 'DROP TABLE orders'
    psql  \gexec
    sql   SELECT 1 AS a
    psql  \gset
    sql   SELECT $1
    psql  \bind 5
    psql  \g
    sql   SELECT 3
    psql  \g | cat \x
    sql   SELECT 4
    ");
}

#[test]
fn other_meta_commands_leave_the_statement_open_and_unread() {
    assert_snapshot!(cut("SELECT 1\n\\echo hello\n, 2; SELECT 3"), @r"
    broken SELECT 1\n\echo hello\n, 2
      at `\echo hello`: psql meta-command inside a statement
    sql   SELECT 3
    ");
}

#[test]
fn copy_of_psql_has_data_too() {
    assert_snapshot!(cut("\\copy orders from stdin\n1\n\\.\n\\copy orders from 'x'\nSELECT 1"), @r"
    psql  \copy orders from stdin
    data  1\n
    psql  \copy orders from 'x'
    sql   SELECT 1
    ");
}

#[test]
fn migration_runners_end_statements_with_comments() {
    assert_snapshot!(cut("-- +goose StatementBegin\nCREATE TABLE a (b int)\n-- +goose StatementEnd\nCREATE TABLE c (d int)--> statement-breakpoint\nSELECT 1"), @"
    sql   CREATE TABLE a (b int)
    sql   CREATE TABLE c (d int)
    sql   SELECT 1
    ");
}

#[test]
fn a_quote_that_never_ends_takes_the_rest_with_it() {
    assert_snapshot!(cut("SELECT 1; INSERT INTO users VALUES ('it's'); SELECT 2;"), @"
    sql   SELECT 1
    broken INSERT INTO users VALUES ('it's'); SELECT 2;
      at `'`: unterminated quoted string
    ");
    assert_snapshot!(cut("DO $body$ BEGIN; END $$; SELECT 1"), @"
    broken DO $body$ BEGIN; END $$; SELECT 1
      at `$body$`: unterminated dollar-quoted string
    ");
    assert_snapshot!(cut("SELECT 1; /* SELECT 2;"), @"
    sql   SELECT 1
    broken /* SELECT 2;
      at `/*`: unterminated /* comment
    ");
}

#[test]
fn bytes_that_are_no_text_do_not_stop_the_rest() {
    assert_snapshot!(cut(b"SELECT '\xE9'; SELECT \0; SELECT 2".to_vec()), @r"
    sql   SELECT '�'
    sql   SELECT \0
    sql   SELECT 2
    ");
}

#[test]
fn a_part_of_a_file_is_cut_by_itself() {
    let source = SourceFile::new("orders.sql", "CREATE TABLE a (b int);\n-- down\nDROP TABLE a\n-- up\nSELECT 1");
    assert_snapshot!(describe(&source, &split(&source, Span::new(24, 45))), @"sql   DROP TABLE a");
}
