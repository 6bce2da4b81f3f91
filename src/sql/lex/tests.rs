//! SQL in, tokens out: each kind has a letter, what it stands for follows in brackets where it differs from the text.

use super::*;
use insta::assert_snapshot;

/// Every token as `letter:text`.
fn lex(sql: impl Into<Vec<u8>>) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let mut lexer = Lexer::new(&source, Span::new(0, source.bytes().len() as u32));
    let mut words = Vec::new();
    while let Some(token) = lexer.next_lexeme() {
        let letter = match token.kind {
            TokenKind::Word => 'w',
            TokenKind::QuotedIdent => 'q',
            TokenKind::String => 's',
            TokenKind::DollarString => 'd',
            TokenKind::Number => 'n',
            TokenKind::Parameter => 'p',
            TokenKind::Operator => 'o',
            TokenKind::Punctuation => '.',
            TokenKind::Variable => 'v',
            TokenKind::Comment => 'c',
            TokenKind::Broken => '!',
        };
        words.push(format!("{letter}:{}", source.text(token.span).escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")));
    }
    words.join("  ")
}

/// What each name and string says.
fn says(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let whole = Span::new(0, source.bytes().len() as u32);
    let said = Lexer::new(&source, whole).map(|token| match token.kind {
        TokenKind::Word | TokenKind::QuotedIdent => token.ident(&source).map_or("refused".into(), |ident| ident.to_string()),
        TokenKind::Broken => token.why_broken(&source).unwrap_or("?").into(),
        _ => token.string_value(&source).map_or("no text".into(), |text| format!("{text:?}")),
    });
    said.collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_statement_is_words_punctuation_and_operators() {
    assert_snapshot!(lex("ALTER TABLE shop.orders ADD note text;"), @"w:ALTER  w:TABLE  w:shop  .:.  w:orders  w:ADD  w:note  w:text  .:;");
}

#[test]
fn letters_beyond_ascii_and_dollar_signs_belong_to_a_name() {
    assert_snapshot!(lex("größe a$$b$$ _x9"), @"w:größe  w:a$$b$$  w:_x9");
    assert_snapshot!(lex(b"na\xEFve".to_vec()), @"w:na�ve");
}

#[test]
fn doubled_quotes_stay_inside() {
    assert_snapshot!(lex(r#"'it''s' "a""b" "a;b" '' "#), @r#"s:'it''s'  q:"a""b"  q:"a;b"  s:''"#);
    assert_snapshot!(says(r#"'it''s' "a""B" Orders '' N'x' "#), @r#""it's" | a"B | orders | "" | "x""#);
}

#[test]
fn backslashes_escape_only_behind_an_e() {
    assert_snapshot!(lex(r"E'it\'s' e'\\' 'c:\' x"), @r"s:E'it\\'s'  s:e'\\\\'  s:'c:\\'  w:x");
    assert_snapshot!(says(r"E'a\tb\'c\101\x41\u0041\U0001F600\q' 'c:\'"), @r#""a\tb'cAAA😀q" | "c:\\""#);
    assert_snapshot!(says(r"E'\uD83D\uDE00' E'\uD83D' E'\u00' E'\0' "), @r#""😀" | invalid Unicode escape | invalid Unicode escape | no text"#);
}

#[test]
fn a_string_goes_on_behind_a_newline_only() {
    assert_snapshot!(lex("'a' 'b'"), @"s:'a'  s:'b'");
    assert_snapshot!(says("'a'\n 'b'"), @r#""ab""#);
    assert_snapshot!(says("'a' -- one\n -- two\n\t'b' 'c'"), @r#""ab" | "c""#);
    assert_snapshot!(says("E'a'\n'\\n'"), @r#""a\n""#);
    assert_snapshot!(says("'a' /* no */\n'b'"), @r#""a" | "b""#);
}

#[test]
fn unicode_escapes_are_undone_with_their_own_escape_character() {
    assert_snapshot!(says(r#"U&"d\0061t\+000061" u&'d!0061t!!a' UESCAPE '!' U&"a" UESCAPE x"#), @r#"data | "dat!a" | a | uescape | x"#);
    assert_snapshot!(says(r#"U&'\D83D\DE00' U&'\D83D' U&"\00zz" U&'a' UESCAPE '+'"#), @r#""😀" | invalid Unicode escape | invalid Unicode escape | invalid Unicode escape"#);
    assert_snapshot!(lex("u & 'x' u&x"), @"w:u  o:&  s:'x'  w:u  o:&  w:x");
}

#[test]
fn bit_strings_are_strings_but_no_text() {
    assert_snapshot!(lex("B'01' x'ff' ab'c'"), @"s:B'01'  s:x'ff'  w:ab  s:'c'");
    assert_snapshot!(says("B'01' x'ff'"), @"no text | no text");
}

#[test]
fn a_dollar_quote_ends_at_its_own_tag() {
    assert_snapshot!(lex("$$ a; $x$ $$ $b$ $$ $B$ $b$"), @"d:$$ a; $x$ $$  d:$b$ $$ $B$ $b$");
    assert_snapshot!(says("$é1$a$é1$ $a$x$$a$"), @r#""a" | "x$""#);
    assert_snapshot!(lex("$1 $12$$x$$ $ $a"), @"p:$1  p:$12  d:$$x$$  !:$  !:$  w:a");
}

#[test]
fn comments_nest_and_a_carriage_return_ends_a_line() {
    assert_snapshot!(lex("a /* x /* y */ z **/ b -- c\rd --\n/**/--"), @"w:a  c:/* x /* y */ z **/  w:b  c:-- c  w:d  c:--  c:/**/  c:--");
}

#[test]
fn operators_are_the_longest_run_that_postgresql_takes() {
    assert_snapshot!(lex("a<=b->>'x' @- *- -- c"), @"w:a  o:<=  w:b  o:->>  s:'x'  o:@-  o:*  o:-  c:-- c");
    assert_snapshot!(lex("1+-2 =-1 ?| || a*/*c*/b !=-- x"), @"n:1  o:+  o:-  n:2  o:=  o:-  n:1  o:?|  o:||  w:a  o:*  c:/*c*/  w:b  o:!=  c:-- x");
    assert_snapshot!(lex("a@/*x*/b => <> ::"), @"w:a  o:@  c:/*x*/  w:b  o:=>  o:<>  .:::");
}

#[test]
fn a_million_signs_are_read_once() {
    let started = std::time::Instant::now();
    for signs in ["+", "+-", "+/**/"] {
        let text = signs.repeat(1_000_000);
        let source = SourceFile::new("orders.sql", text.as_str());
        assert!(Lexer::new(&source, Span::new(0, text.len() as u32)).all(|token| token.kind == TokenKind::Operator), "{signs}");
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn numbers_of_all_versions() {
    assert_snapshot!(lex("1 1. .5 1.5e-10 1..10 0x1F 0o17 0b01 1_000.5_0 5.e3"), @"n:1  n:1.  n:.5  n:1.5e-10  n:1  .:..  n:10  n:0x1F  n:0o17  n:0b01  n:1_000.5_0  n:5.e3");
    assert_snapshot!(lex("1a 1e 1e+ 0x 1_ 0b2 $1a 1._5"), @"!:1a  !:1e  !:1e+  !:0x  !:1_  !:0b  n:2  !:$1a  !:1._5");
    assert_snapshot!(says("1a 0x $1a"), @"trailing junk after numeric literal | trailing junk after numeric literal | trailing junk after parameter");
}

#[test]
fn a_colon_begins_a_psql_variable_or_a_slice() {
    assert_snapshot!(lex(r#":name :'name' :"name" :{?name} a::int b := 1 c:=2"#), @r#"v::name  v::'name'  v::"name"  v::{?name}  w:a  .:::  w:int  w:b  .::=  n:1  w:c  .::=  n:2"#);
    assert_snapshot!(lex("a[1:2] a[x:y] a[:n] (:n) 'k' :1 :'a b'"), @"w:a  .:[  n:1  .::  n:2  .:]  w:a  .:[  w:x  .::  w:y  .:]  w:a  .:[  .::  w:n  .:]  .:(  v::n  .:)  s:'k'  .::  n:1  .::  s:'a b'");
}

#[test]
fn what_never_ends_is_broken_up_to_the_end() {
    assert_snapshot!(says("a 'b; c"), @"a | unterminated quoted string");
    assert_snapshot!(says(r"E'b\'; c\"), @"unterminated quoted string");
    assert_snapshot!(says(r#""b""; c"#), @"unterminated quoted identifier");
    assert_snapshot!(says(r#"U&"b"#), @"unterminated quoted identifier");
    assert_snapshot!(says("x'0"), @"unterminated bit string literal");
    assert_snapshot!(says("$a$ b $$"), @"unterminated dollar-quoted string");
    assert_snapshot!(says("/* /* */"), @"unterminated /* comment");
    assert_snapshot!(says(r#""" U&"" "#), @"zero-length delimited identifier | zero-length delimited identifier");
}

#[test]
fn bytes_that_begin_nothing_are_broken_one_by_one() {
    assert_snapshot!(lex("a\0b { } \\ \u{1}"), @r"w:a  !:\0  w:b  !:{  !:}  !:\\  !:\u{1}");
    assert_snapshot!(says("\0 { \\"), @"NUL byte | character that begins no token | backslash outside quotes");
}

#[test]
fn nothing_behind_the_range_is_read() {
    let source = SourceFile::new("orders.sql", "SELECT 'a' FROM t");
    let tokens: Vec<_> = Lexer::new(&source, Span::new(3, 9)).map(|token| (token.kind, token.span)).collect();
    assert_eq!(tokens, [(TokenKind::Word, Span::new(3, 6)), (TokenKind::Broken, Span::new(7, 9))]);
}

#[test]
fn words_compare_in_any_case_and_quoted_names_are_no_words() {
    let source = SourceFile::new("orders.sql", "Table \"table\" ( <=");
    let tokens: Vec<_> = Lexer::new(&source, Span::new(0, 18)).collect();
    assert!(tokens[0].is_word(&source, "table") && !tokens[1].is_word(&source, "table"));
    assert!(tokens[2].is_mark(&source, "(") && tokens[3].is_mark(&source, "<=") && !tokens[3].is_mark(&source, "<"));
}
