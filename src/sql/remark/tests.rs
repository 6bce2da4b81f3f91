use super::RemarkKind;
use crate::sql::read;
use crate::text::{SourceFile, Span};
use insta::assert_snapshot;

/// What is remarked of each statement.
fn remarks(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let script = read(&source, Span::new(0, sql.len() as u32));
    let shown = script.remarks.iter().map(|remark| match &remark.what {
        RemarkKind::Secret(kind) => format!("{}: {kind:?} {}", remark.statement, source.text(remark.span)),
        RemarkKind::LongName(name) => {
            format!("{}: {} keeps {}{}", remark.statement, name.written, name.kept, if name.collides { ", collides" } else { "" })
        }
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_password_stands_behind_its_word() {
    assert_snapshot!(remarks("CREATE ROLE app LOGIN PASSWORD 'hunter2'; ALTER USER app WITH ENCRYPTED PASSWORD E'a\\'b' VALID UNTIL 'infinity'"), @"
    0: Password hunter2
    1: Password a\\'b
    ");
    assert_snapshot!(remarks("CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'bob', password 'hunter2'); ALTER USER MAPPING FOR app SERVER s OPTIONS (SET password 'x1')"), @"
    0: Password hunter2
    1: Password x1
    ");
    assert_snapshot!(remarks("DO $$ BEGIN CREATE ROLE app PASSWORD 'hunter2'; END $$"), @"0: Password hunter2");
    assert_snapshot!(remarks("ALTER DATABASE shop SET \"app.jwt_secret\" TO 'x1'; SET app.api_key = 'x2'"), @"
    0: Password x1
    1: Password x2
    ");
}

#[test]
fn what_is_put_in_later_or_cannot_be_used_is_none() {
    for none in [
        "CREATE ROLE app PASSWORD NULL",
        "CREATE ROLE app PASSWORD :'password'",
        "CREATE ROLE app PASSWORD '${APP_PASSWORD}'",
        "CREATE ROLE app PASSWORD 'SCRAM-SHA-256$4096:salt$key:key'",
        "COMMENT ON COLUMN users.password IS 'argon2id of the password'",
        "SET password_encryption = 'scram-sha-256'",
        "INSERT INTO links VALUES ('https://shop.example/token?id=1', 'mailto:bob@shop.example')",
        "ALTER TABLE users ADD COLUMN api_key text DEFAULT 'none'",
        "-- CREATE ROLE app PASSWORD 'hunter2'\nSELECT 'token'",
    ] {
        assert_eq!(remarks(none), "", "{none}");
    }
}

#[test]
fn a_connection_string_gives_its_password_away() {
    assert_snapshot!(remarks("CREATE SUBSCRIPTION s CONNECTION 'host=db user=app password=hunter2 dbname=shop' PUBLICATION p"), @"0: Connection hunter2");
    assert_snapshot!(remarks("SELECT dblink_connect('postgres://app:hunter2@db.example/shop')"), @"0: Connection hunter2");
    assert_snapshot!(remarks("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT g('host=db password = ''hunter2''') $$"), @"0: Connection hunter2");
}

#[test]
fn keys_are_known_by_their_form() {
    assert_snapshot!(remarks("INSERT INTO settings VALUES ('aws', 'AKIAABCDEFGHIJKLMNOP'), ('x', 'AKIA')"), @"0: Key AKIAABCDEFGHIJKLMNOP");
    assert_snapshot!(remarks("INSERT INTO settings VALUES ('-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----')"), @"0: Key MIIEvQIBADANBgkqhkiG");
}

#[test]
fn a_long_name_is_remarked_once_where_something_gets_it() {
    let long = "o".repeat(63);
    assert_snapshot!(
        remarks(&format!("CREATE TABLE {long}_a (id int); CREATE TABLE \"{long}_b\" (id int); CREATE INDEX ON {long}_a (id); DROP TABLE {long}_c")),
        @"1: ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo_b keeps ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo, collides"
    );
    assert_eq!(remarks(&format!("CREATE TABLE {long} (id int); CREATE TABLE \"{long}\" (id int)")), "");
}
