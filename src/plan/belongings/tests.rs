//! SQL in, what becomes of each thing out.

use super::{Fate, Replacement, before_drop, belongings, grants};
use crate::model::catalog::{Catalog, Relation, Step};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::sql::read;
use crate::text::{SourceFile, Span};

fn replay(sql: &str) -> Catalog {
    let mut catalog = Catalog::new(true);
    let source = SourceFile::new("users.sql", sql);
    let statements = read(&source, Span::new(0, sql.len() as u32)).statements;
    for operation in statements.iter().flat_map(|statement| &statement.operations) {
        catalog.replay(&operation.what, Step(1));
        catalog.place(&operation.what, &source);
    }
    catalog
}

fn users(catalog: &Catalog) -> &Relation {
    let name = QualifiedName { schema: Ident::quoted("public"), name: Ident::quoted("users") };
    catalog.get(&name).expect("the story makes it")
}

/// What becomes of all that hangs on `users.email` when `mail` takes its place.
fn told(sql: &str) -> String {
    on(sql, 15)
}

fn on(sql: &str, server: u8) -> String {
    let catalog = replay(sql);
    let (from, to, written) = (Ident::quoted("email"), Ident::quoted("mail"), Name::bare(Ident::quoted("users")));
    let server = Version(server);
    let found = belongings(&Replacement { catalog: &catalog, server, table: users(&catalog), written: &written, from: &from, to: &to });
    let mut lines = Vec::new();
    for belonging in &found {
        lines.push(format!("{}:", belonging.thing));
        match &belonging.fate {
            Fate::Carried(carried) => {
                lines.extend(carried.with_column.iter().map(|sql| format!("  with it: {sql}")));
                for step in &carried.build {
                    lines.push(format!("  {}{}", if step.alone { "alone: " } else { "" }, step.sql.join("; ")));
                    lines.extend(step.back.iter().map(|sql| format!("    back: {sql}")));
                }
            }
            Fate::Manual(reason) => lines.push(format!("  by hand: {reason}")),
            Fate::Prevents(reason) => lines.push(format!("  prevents it: {reason}")),
        }
    }
    lines.extend(before_drop(&found).iter().map(|sql| format!("before: {sql}")));
    let after = found.iter().filter_map(|belonging| belonging.carried()).flat_map(|carried| &carried.after_drop);
    lines.extend(after.map(|sql| format!("after: {sql}")));
    lines.join("\n")
}

#[test]
fn what_its_values_are_goes_along() {
    insta::assert_snapshot!(told(
        "CREATE TABLE users (id bigint, email text NOT NULL DEFAULT 'none' || 'email');
         COMMENT ON COLUMN users.email IS 'it''s unique';
         GRANT SELECT (email), UPDATE (email, id) ON users TO app WITH GRANT OPTION; GRANT ALL (email) ON users TO PUBLIC; REVOKE INSERT (email) ON users FROM PUBLIC;
         ALTER TABLE users ALTER email SET STORAGE external, ALTER email SET STATISTICS 500, ALTER email SET (n_distinct = -0.5);"
    ), @r#"
SET STORAGE EXTERNAL:
  with it: ALTER TABLE users ALTER COLUMN mail SET STORAGE EXTERNAL
SET STATISTICS 500:
  with it: ALTER TABLE users ALTER COLUMN mail SET STATISTICS 500
SET (n_distinct = -0.5):
  with it: ALTER TABLE users ALTER COLUMN mail SET (n_distinct = -0.5)
comment:
  with it: COMMENT ON COLUMN users.mail IS 'it''s unique'
SELECT for app:
  with it: GRANT SELECT (mail) ON users TO app WITH GRANT OPTION
UPDATE for app:
  with it: GRANT UPDATE (mail) ON users TO app WITH GRANT OPTION
SELECT for PUBLIC:
  with it: GRANT SELECT (mail) ON users TO PUBLIC
UPDATE for PUBLIC:
  with it: GRANT UPDATE (mail) ON users TO PUBLIC
REFERENCES for PUBLIC:
  with it: GRANT REFERENCES (mail) ON users TO PUBLIC
NOT NULL:
  ALTER TABLE users ADD CONSTRAINT users_mail_not_null CHECK (mail IS NOT NULL) NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT IF EXISTS users_mail_not_null
  ALTER TABLE users VALIDATE CONSTRAINT users_mail_not_null
  ALTER TABLE users ALTER COLUMN mail SET NOT NULL; ALTER TABLE users DROP CONSTRAINT users_mail_not_null
    back: ALTER TABLE users ALTER COLUMN mail DROP NOT NULL
default:
before: ALTER TABLE users ALTER COLUMN mail SET DEFAULT 'none' || 'email'
"#);
    insta::assert_snapshot!(on("CREATE TABLE users (email text NOT NULL);", 18), @r#"
NOT NULL:
  ALTER TABLE users ADD CONSTRAINT users_mail_not_null NOT NULL mail NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT IF EXISTS users_mail_not_null
  ALTER TABLE users VALIDATE CONSTRAINT users_mail_not_null
after: ALTER TABLE users RENAME CONSTRAINT users_mail_not_null TO users_email_not_null
"#);
}

#[test]
fn numbers_go_on_where_they_were() {
    insta::assert_snapshot!(told("CREATE TABLE users (email bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT BY 10 CACHE 5));"), @r#"
NOT NULL:
  ALTER TABLE users ADD CONSTRAINT users_mail_not_null CHECK (mail IS NOT NULL) NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT IF EXISTS users_mail_not_null
  ALTER TABLE users VALIDATE CONSTRAINT users_mail_not_null
  ALTER TABLE users ALTER COLUMN mail SET NOT NULL; ALTER TABLE users DROP CONSTRAINT users_mail_not_null
    back: ALTER TABLE users ALTER COLUMN mail DROP NOT NULL
identity:
before: ALTER TABLE users ALTER COLUMN mail ADD GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME users_mail_seq INCREMENT BY 10 START WITH 100 CACHE 5)
before: SELECT setval('users_mail_seq', last_value, is_called) FROM users_email_seq
after: ALTER SEQUENCE users_mail_seq RENAME TO users_email_seq
"#);
    insta::assert_snapshot!(told("CREATE TABLE users (email bigserial);"), @r#"
NOT NULL:
  ALTER TABLE users ADD CONSTRAINT users_mail_not_null CHECK (mail IS NOT NULL) NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT IF EXISTS users_mail_not_null
  ALTER TABLE users VALIDATE CONSTRAINT users_mail_not_null
  ALTER TABLE users ALTER COLUMN mail SET NOT NULL; ALTER TABLE users DROP CONSTRAINT users_mail_not_null
    back: ALTER TABLE users ALTER COLUMN mail DROP NOT NULL
sequence users_email_seq:
default:
before: ALTER SEQUENCE users_email_seq OWNED BY users.mail
before: ALTER TABLE users ALTER COLUMN mail SET DEFAULT nextval('public.users_email_seq'::regclass)
"#);
}

#[test]
fn keys_are_built_beside_the_old_ones() {
    insta::assert_snapshot!(told(
        "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE, friend text REFERENCES users (email), CONSTRAINT has_at CHECK (email LIKE '%@%'));
         CREATE INDEX users_lower_email_idx ON users (lower(email)) WHERE email <> 'email';
         CREATE TABLE orders (buyer text CONSTRAINT orders_buyer_fkey REFERENCES users (email) ON UPDATE CASCADE);
         ALTER TABLE users ADD CONSTRAINT once EXCLUDE USING gist (email WITH =);
         COMMENT ON INDEX users_lower_email_idx IS 'for logins'; COMMENT ON CONSTRAINT has_at ON users IS 'an address';
         ALTER TABLE users CLUSTER ON users_email_key;"
    ), @r#"
index users_lower_email_idx:
  alone: CREATE INDEX CONCURRENTLY users_lower_mail_idx ON users (lower(mail)) WHERE mail <> 'email'
    back: DROP INDEX CONCURRENTLY IF EXISTS users_lower_mail_idx
  COMMENT ON INDEX users_lower_mail_idx IS 'for logins'
constraint users_email_key:
  alone: CREATE UNIQUE INDEX CONCURRENTLY users_mail_key ON users (mail)
    back: DROP INDEX CONCURRENTLY IF EXISTS users_mail_key
  ALTER TABLE users ADD CONSTRAINT users_mail_key UNIQUE USING INDEX users_mail_key
    back: ALTER TABLE users DROP CONSTRAINT users_mail_key
constraint has_at:
  ALTER TABLE users ADD CONSTRAINT has_at_mail CHECK (mail LIKE '%@%') NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT has_at_mail
  ALTER TABLE users VALIDATE CONSTRAINT has_at_mail
constraint once:
  by hand: PostgreSQL builds no exclusion constraint while rows are written: in a window, ALTER TABLE users ADD CONSTRAINT once_mail EXCLUDE USING gist (mail WITH =)
constraint users_friend_fkey:
  ALTER TABLE users ADD CONSTRAINT users_friend_mail_fkey FOREIGN KEY (friend) REFERENCES users (mail) NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT users_friend_mail_fkey
  ALTER TABLE users VALIDATE CONSTRAINT users_friend_mail_fkey
constraint orders_buyer_fkey of orders:
  ALTER TABLE orders ADD CONSTRAINT orders_buyer_mail_fkey FOREIGN KEY (buyer) REFERENCES users (mail) ON UPDATE CASCADE NOT VALID
    back: ALTER TABLE orders DROP CONSTRAINT orders_buyer_mail_fkey
  ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_mail_fkey
CLUSTER ON:
before: ALTER TABLE users DROP CONSTRAINT users_friend_fkey
before: ALTER TABLE orders DROP CONSTRAINT orders_buyer_fkey
before: COMMENT ON CONSTRAINT has_at_mail ON users IS 'an address'
before: ALTER TABLE users CLUSTER ON users_mail_key
after: ALTER INDEX users_lower_mail_idx RENAME TO users_lower_email_idx
after: ALTER TABLE users RENAME CONSTRAINT users_mail_key TO users_email_key
after: ALTER TABLE users RENAME CONSTRAINT has_at_mail TO has_at
after: ALTER TABLE users RENAME CONSTRAINT users_friend_mail_fkey TO users_friend_fkey
after: ALTER TABLE orders RENAME CONSTRAINT orders_buyer_mail_fkey TO orders_buyer_fkey
"#);
    insta::assert_snapshot!(told("CREATE TABLE users (email text PRIMARY KEY); CREATE TABLE orders (buyer text REFERENCES users);"), @r#"
NOT NULL:
  ALTER TABLE users ADD CONSTRAINT users_mail_not_null CHECK (mail IS NOT NULL) NOT VALID
    back: ALTER TABLE users DROP CONSTRAINT IF EXISTS users_mail_not_null
  ALTER TABLE users VALIDATE CONSTRAINT users_mail_not_null
  ALTER TABLE users ALTER COLUMN mail SET NOT NULL; ALTER TABLE users DROP CONSTRAINT users_mail_not_null
    back: ALTER TABLE users ALTER COLUMN mail DROP NOT NULL
constraint users_pkey:
  alone: CREATE UNIQUE INDEX CONCURRENTLY users_mail_pkey ON users (mail)
    back: DROP INDEX CONCURRENTLY IF EXISTS users_mail_pkey
constraint orders_buyer_fkey of orders:
  ALTER TABLE orders ADD CONSTRAINT orders_buyer_mail_fkey FOREIGN KEY (buyer) REFERENCES users (mail) NOT VALID
    back: ALTER TABLE orders DROP CONSTRAINT orders_buyer_mail_fkey
  ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_mail_fkey
before: ALTER TABLE orders DROP CONSTRAINT orders_buyer_fkey
before: ALTER TABLE users DROP CONSTRAINT users_pkey
before: ALTER TABLE users ADD CONSTRAINT users_mail_pkey PRIMARY KEY USING INDEX users_mail_pkey
after: ALTER TABLE users RENAME CONSTRAINT users_mail_pkey TO users_pkey
after: ALTER TABLE orders RENAME CONSTRAINT orders_buyer_mail_fkey TO orders_buyer_fkey
"#);
}

#[test]
fn partitions_get_theirs_first() {
    insta::assert_snapshot!(told(
        "CREATE TABLE users (id bigint, email text, boss text, UNIQUE (id, email)) PARTITION BY RANGE (id);
         CREATE TABLE users_1 PARTITION OF users FOR VALUES FROM (1) TO (9);
         CREATE INDEX users_email_idx ON users (email);
         CREATE TABLE mails (mail text PRIMARY KEY); ALTER TABLE users ADD CONSTRAINT users_email_fkey FOREIGN KEY (email) REFERENCES mails;"
    ), @r#"
index users_email_idx:
  CREATE INDEX users_mail_idx ON ONLY users (mail)
    back: DROP INDEX IF EXISTS users_mail_idx
  alone: CREATE INDEX CONCURRENTLY users_1_mail_idx ON users_1 (mail)
    back: DROP INDEX CONCURRENTLY IF EXISTS users_1_mail_idx
  ALTER INDEX users_mail_idx ATTACH PARTITION users_1_mail_idx
    back: DROP INDEX IF EXISTS users_mail_idx
constraint users_id_email_key:
  alone: CREATE UNIQUE INDEX CONCURRENTLY users_1_id_mail_key ON users_1 (id, mail)
    back: DROP INDEX CONCURRENTLY IF EXISTS users_1_id_mail_key
  ALTER TABLE users_1 ADD CONSTRAINT users_1_id_mail_key UNIQUE USING INDEX users_1_id_mail_key
    back: ALTER TABLE users_1 DROP CONSTRAINT IF EXISTS users_1_id_mail_key
  ALTER TABLE users ADD CONSTRAINT users_id_mail_key UNIQUE (id, mail)
    back: ALTER TABLE users DROP CONSTRAINT users_id_mail_key
constraint users_email_fkey:
  ALTER TABLE users_1 ADD CONSTRAINT users_mail_fkey FOREIGN KEY (mail) REFERENCES mails (mail) NOT VALID
    back: ALTER TABLE users_1 DROP CONSTRAINT IF EXISTS users_mail_fkey
  ALTER TABLE users_1 VALIDATE CONSTRAINT users_mail_fkey
  ALTER TABLE users ADD CONSTRAINT users_mail_fkey FOREIGN KEY (mail) REFERENCES mails (mail)
    back: ALTER TABLE users DROP CONSTRAINT users_mail_fkey
after: ALTER INDEX users_1_mail_idx RENAME TO users_1_email_idx
after: ALTER INDEX users_mail_idx RENAME TO users_email_idx
after: ALTER TABLE users_1 RENAME CONSTRAINT users_1_id_mail_key TO users_1_id_email_key
after: ALTER TABLE users RENAME CONSTRAINT users_id_mail_key TO users_id_email_key
after: ALTER TABLE users RENAME CONSTRAINT users_mail_fkey TO users_email_fkey
after: ALTER TABLE users_1 RENAME CONSTRAINT users_mail_fkey TO users_email_fkey
"#);
}

#[test]
fn readers_are_told_of_it() {
    insta::assert_snapshot!(told(
        "CREATE TABLE users (id bigint, email text, name text);
         CREATE FUNCTION note_mail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := lower(NEW.email); RETURN NEW; END $$;
         CREATE TRIGGER on_mail BEFORE INSERT OR UPDATE OF email, name ON users FOR EACH ROW WHEN (NEW.email <> 'email') EXECUTE FUNCTION note_mail('a', 2);
         ALTER TABLE users ENABLE ALWAYS TRIGGER on_mail;
         CREATE POLICY own ON users FOR SELECT TO app USING (email = current_user) WITH CHECK (users.email <> '');
         CREATE POLICY sub ON users USING (EXISTS (SELECT FROM orders WHERE buyer = email));
         CREATE VIEW mails AS
             SELECT email FROM users;
         CREATE STATISTICS s (mcv) ON email, lower(email) FROM users;
         CREATE FUNCTION all_mails() RETURNS SETOF text BEGIN ATOMIC SELECT email FROM users; END;
         CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING;
         CREATE PUBLICATION p FOR TABLE users (id, email) WHERE (email <> ''); CREATE PUBLICATION q FOR TABLE users;"
    ), @r#"
statistics s:
  with it: CREATE STATISTICS s_mail (mcv) ON mail, (lower(mail)) FROM users
trigger on_mail:
policy own:
policy sub:
  by hand: `exists ( select from orders where buyer = email )` has a subquery, in which a name may mean another table's column
view mails:
  by hand: PostgreSQL drops no column that a view reads: before that, make it read mail, called email as its readers know it; now it is SELECT email FROM users
function all_mails:
  by hand: PostgreSQL drops no column that its body reads: before that, make it read mail
function note_mail:
  by hand: a trigger of the table runs it, and it names email: make it write and read mail before email goes
rule r:
  by hand: it may name email, and its body is not known: make it anew if it does
publication p:
  by hand: subscribers need the column mail before it is published; then, in one transaction, ALTER PUBLICATION p DROP TABLE users and ADD TABLE users (id, mail) WHERE (mail <> '')
publication q:
  by hand: subscribers need the column mail before it is published
before: DROP TRIGGER on_mail ON users
before: CREATE TRIGGER on_mail BEFORE INSERT OR UPDATE OF mail, name ON users FOR EACH ROW WHEN (new.mail <> 'email') EXECUTE FUNCTION note_mail('a', 2)
before: ALTER TABLE users ENABLE ALWAYS TRIGGER on_mail
before: ALTER POLICY own ON users USING (mail = CURRENT_USER) WITH CHECK (mail <> '')
after: ALTER STATISTICS s_mail RENAME TO s
"#);
}

#[test]
fn what_no_copy_can_take_over_prevents_the_plan() {
    insta::assert_snapshot!(told("CREATE TABLE users (email text, shout text GENERATED ALWAYS AS (upper(email)) STORED) PARTITION BY LIST (email);"), @r#"
partition key:
  prevents it: email is part of the partition key, and no other column can take its place there
column shout:
  prevents it: shout is computed from it, and gets another expression only by writing the table anew
"#);
    insta::assert_snapshot!(told("CREATE TABLE people (email text); CREATE TABLE users () INHERITS (people);"), @r#"
parent people:
  prevents it: email comes from people; make the plan for that table
"#);
    insta::assert_snapshot!(told("CREATE TABLE users (name text, email text GENERATED ALWAYS AS (name || '@shop') STORED);"), @r#"
expression:
  prevents it: email is computed from other columns: one that is computed as well is added by writing the table anew
"#);
}

#[test]
fn rights_on_a_relation_are_repeated_for_another_name() {
    let catalog = replay(
        "CREATE TABLE users (id bigint, email text); GRANT ALL ON users TO app; REVOKE DELETE, TRUNCATE ON TABLE users FROM app;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; GRANT SELECT (email) ON users TO \"Bob\" WITH GRANT OPTION; REVOKE GRANT OPTION FOR SELECT (email) ON users FROM \"Bob\";",
    );
    insta::assert_snapshot!(grants(users(&catalog), "people").join("\n"), @r#"
GRANT SELECT ON people TO app
GRANT INSERT ON people TO app
GRANT UPDATE ON people TO app
GRANT REFERENCES ON people TO app
GRANT TRIGGER ON people TO app
GRANT SELECT ON people TO PUBLIC
GRANT SELECT (email) ON people TO "Bob"
"#);
}
