//! Indexes, DROP, views, sequences, types, schemas, and ALTER of the rest.

use super::words;
use insta::assert_snapshot;

#[test]
fn an_index_says_how_it_is_built() {
    assert_snapshot!(
        words(
            r#"
        CREATE INDEX ON orders (buyer);
        CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_code ON ONLY shop.orders USING gin (code) INCLUDE (note, total) NULLS NOT DISTINCT WITH (fillfactor = 70) TABLESPACE fast WHERE total > 0;
        CREATE INDEX CONCURRENTLY ON orders (lower(note), (total * 2), buyer DESC NULLS LAST, note COLLATE "C" text_pattern_ops, shop.score(note) ASC, code public.gist_trgm_ops(siglen = 32) NULLS FIRST);
        CREATE INDEX i ON orders (date_trunc('day', at AT TIME ZONE 'utc'));
"#
        ),
        @r#"
        create_index on=orders (buyer)
        create_index orders_code on=shop.orders (code) unique concurrently if_not_exists only using=gin include=note,total nulls_not_distinct tablespace=fast where [total > 0]
        create_index on=orders ([lower ( note )], [total * 2], buyer desc nulls_last, note collate C text_pattern_ops, [shop . score ( note )], code public.gist_trgm_ops nulls_first) concurrently
        create_index i on=orders ([date_trunc ( 'day' , at at time zone 'utc' )])
        "#
    );
}

#[test]
fn reindex_says_what_and_how() {
    assert_snapshot!(
        words(
            r#"
        REINDEX INDEX CONCURRENTLY orders_note;
        REINDEX TABLE shop.orders;
        REINDEX (VERBOSE, CONCURRENTLY) SCHEMA shop;
        REINDEX (CONCURRENTLY false, TABLESPACE fast) INDEX orders_note;
        REINDEX DATABASE;
        REINDEX SYSTEM CONCURRENTLY shop;
"#
        ),
        @r#"
        reindex index orders_note concurrently
        reindex table shop.orders
        reindex schema shop concurrently
        reindex index orders_note
        reindex database
        reindex system shop concurrently
        "#
    );
}

#[test]
fn each_name_of_a_drop_is_an_operation() {
    assert_snapshot!(
        words(
            r#"
        DROP TABLE IF EXISTS orders, shop.payments CASCADE;
        DROP INDEX CONCURRENTLY IF EXISTS orders_note;
        DROP VIEW recent RESTRICT;
        DROP MATERIALIZED VIEW totals;
        DROP SEQUENCE ids;
        DROP FOREIGN TABLE far;
        DROP TYPE mood, color;
        DROP DOMAIN email, shop.phone CASCADE;
        DROP SCHEMA shop CASCADE;
        DROP EXTENSION IF EXISTS citext;
        DROP STATISTICS s;
        DROP FUNCTION f(int, OUT text), shop.g;
        DROP PROCEDURE p();
        DROP ROUTINE r(int);
        DROP AGGREGATE total(int), last(*), first(ORDER BY int);
        DROP TRIGGER IF EXISTS audit ON shop.orders;
        DROP RULE r ON orders CASCADE;
        DROP POLICY p ON orders;
        DROP DATABASE shop WITH (FORCE);
        DROP DATABASE IF EXISTS shop (FORCE);
        DROP TABLESPACE fast;
        DROP ROLE a, CURRENT_USER;
        DROP PUBLICATION p;
        DROP SUBSCRIPTION s;
        DROP EVENT TRIGGER e;
        DROP OPERATOR shop.=== (int, int), + (NONE, int);
        DROP OPERATOR CLASS c USING btree;
        DROP CAST IF EXISTS (int AS text);
        DROP TRANSFORM FOR hstore LANGUAGE plperl;
        DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER elsewhere;
        DROP OWNED BY a, CURRENT_USER CASCADE;
        DROP TEXT SEARCH CONFIGURATION c;
        DROP LANGUAGE plperl;
        DROP ACCESS METHOD m;
"#
        ),
        @r#"
        drop_table orders if_exists cascade
        drop_table shop.payments if_exists cascade
        drop_index orders_note if_exists concurrently
        drop_view recent
        drop_materialized_view totals
        drop_sequence ids
        drop_table far
        drop_type mood
        drop_type color
        drop_domain email cascade
        drop_domain shop.phone cascade
        drop_schema shop cascade
        drop_extension citext if_exists
        drop_statistics s
        drop_function f
        drop_function shop.g
        drop_function p
        drop_function r
        drop_function total
        drop_function last
        drop_function first
        drop_trigger audit on=shop.orders if_exists
        drop_rule r on=orders cascade
        drop_policy p on=orders
        drop_database shop
        drop_database shop if_exists
        drop_tablespace fast
        drop_object a
        drop_object current_user
        drop_publication p
        drop_subscription s
        drop_object e
        drop_object shop.===
        drop_object +
        drop_object c
        other [drop cast]
        other [drop transform]
        other [drop user mapping]
        other [drop owned by]
        drop_object c
        drop_object plperl
        drop_object m
        "#
    );
}

#[test]
fn views_say_what_they_read() {
    assert_snapshot!(
        words(
            r#"
        CREATE OR REPLACE TEMP VIEW recent (a, b) WITH (security_invoker, check_option = local) AS SELECT id, note FROM orders WITH CASCADED CHECK OPTION;
        CREATE VIEW v WITH (security_invoker = 'off', security_barrier) AS SELECT lower(note) AS low, o.id FROM shop.orders o;
        CREATE VIEW all_of_it AS SELECT DISTINCT ON (o.id) o.*, 2 * 3 AS six FROM orders o;
        CREATE VIEW some_of_it AS SELECT count(*), total * 2 AS double FROM orders GROUP BY total;
        CREATE RECURSIVE VIEW r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r;
        CREATE MATERIALIZED VIEW IF NOT EXISTS totals (buyer, sum) USING heap WITH (fillfactor = 70) TABLESPACE fast AS SELECT buyer, sum(total) FROM orders GROUP BY 1 WITH NO DATA;
        REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
        REFRESH MATERIALIZED VIEW shop.totals WITH NO DATA;
"#
        ),
        @r#"
        create_view recent or_replace temporary security_invoker columns=a,b reads=orders
        create_view v columns=low,id reads=shop.orders calls=lower
        create_view all_of_it star reads=orders
        create_view some_of_it columns=count,double reads=orders calls=count
        create_view r columns=n
        create_materialized_view totals if_not_exists no_data columns=buyer,sum reads=orders calls=sum
        refresh_materialized_view totals concurrently
        refresh_materialized_view shop.totals no_data
        "#
    );
}

#[test]
fn sequences_take_their_options_in_any_order() {
    assert_snapshot!(
        words(
            r#"
        CREATE SEQUENCE ids START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
        CREATE UNLOGGED SEQUENCE IF NOT EXISTS shop.ids AS smallint CYCLE OWNED BY shop.orders.id MINVALUE -5 START 1;
        CREATE TEMPORARY SEQUENCE ids OWNED BY NONE;
"#
        ),
        @r#"
        create_sequence ids
        create_sequence shop.ids if_not_exists unlogged as=smallint owned_by=shop.orders.id
        create_sequence ids temporary
        "#
    );
}

#[test]
fn types_and_domains() {
    assert_snapshot!(
        words(
            r#"
        CREATE TYPE mood AS ENUM ('sad', 'it''s ok', E'gl\x61d');
        CREATE TYPE empty AS ENUM ();
        CREATE TYPE address AS (street text COLLATE "C", zip varchar(10)[]);
        CREATE TYPE span AS RANGE (subtype = int4, subtype_opclass = int4_ops);
        CREATE TYPE shell;
        CREATE TYPE base (INPUT = f, OUTPUT = g, INTERNALLENGTH = VARIABLE);
        ALTER TYPE mood ADD VALUE IF NOT EXISTS 'great' AFTER 'glad';
        ALTER TYPE shop.mood ADD VALUE 'bad';
        ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
        ALTER TYPE mood RENAME TO temper;
        ALTER TYPE address ADD ATTRIBUTE city text COLLATE "C" CASCADE, DROP ATTRIBUTE IF EXISTS zip, ALTER ATTRIBUTE street SET DATA TYPE varchar(50) CASCADE, ALTER ATTRIBUTE a TYPE int;
        ALTER TYPE address RENAME ATTRIBUTE street TO road CASCADE;
        ALTER TYPE mood OWNER TO SESSION_USER;
        ALTER TYPE mood SET SCHEMA shop;
        ALTER TYPE base SET (RECEIVE = r);
        CREATE DOMAIN email AS text COLLATE "C" NOT NULL DEFAULT 'a@b' CONSTRAINT has_at CHECK (VALUE LIKE '%@%') CHECK (length(VALUE) < 100);
        CREATE DOMAIN d int;
        ALTER DOMAIN email ADD CONSTRAINT short CHECK (length(VALUE) < 50) NOT VALID;
        ALTER DOMAIN email ADD CHECK (VALUE > '');
        ALTER DOMAIN email ADD CONSTRAINT required NOT NULL;
        ALTER DOMAIN email VALIDATE CONSTRAINT short;
        ALTER DOMAIN email DROP CONSTRAINT IF EXISTS short CASCADE;
        ALTER DOMAIN email RENAME CONSTRAINT a TO b;
        ALTER DOMAIN email SET NOT NULL;
        ALTER DOMAIN email DROP NOT NULL;
        ALTER DOMAIN email SET DEFAULT 'x';
        ALTER DOMAIN email DROP DEFAULT;
        ALTER DOMAIN email RENAME TO mail;
        ALTER DOMAIN email OWNER TO shop_admin;
        ALTER DOMAIN email SET SCHEMA shop;
"#
        ),
        @r#"
        create_type mood enum (sad, it's ok, glad)
        create_type empty enum ()
        create_type address composite (street text, zip character varying(10)[])
        create_type span range
        create_type shell
        create_type base
        add_enum_value mood 'great' if_not_exists placed
        add_enum_value shop.mood 'bad'
        rename_enum_value mood 'sad' to 'blue'
        rename_type mood to temper
        add_attribute address type city text
        drop_attribute address type zip
        change_attribute_type address type street character varying(50)
        change_attribute_type address type a integer
        rename_attribute address type street to road
        change_owner mood type session_user
        set_schema mood type shop
        alter_other base type [set]
        create_domain email text not null default ['a@b'] check=has_at [value like '%@%'] [length ( value ) < 100]
        create_domain d integer
        add_domain_check email check=short [length ( value ) < 50] not_valid
        add_domain_check email [value > '']
        add_domain_not_null email
        validate_domain_constraint email short
        drop_domain_constraint email short if_exists
        alter_domain email rename_constraint a to b
        add_domain_not_null email
        alter_domain email drop_not_null
        alter_domain email set_default
        alter_domain email drop_default
        rename_type email to mail
        alter_domain email [owner to]
        alter_domain email [set schema]
        "#
    );
}

#[test]
fn what_create_schema_holds_lies_in_it() {
    assert_snapshot!(
        words(
            r#"
        CREATE SCHEMA IF NOT EXISTS shop AUTHORIZATION CURRENT_USER;
        CREATE SCHEMA AUTHORIZATION joe;
        CREATE SCHEMA shop CREATE TABLE orders (id int PRIMARY KEY, buyer int REFERENCES users) CREATE TABLE users (id int) CREATE INDEX i ON orders (buyer) CREATE VIEW v AS SELECT * FROM orders, public.payments CREATE SEQUENCE ids;
"#
        ),
        @r#"
        create_schema shop if_not_exists
        create_schema joe
        create_schema shop
        create_table shop.orders (id integer not null, buyer integer)
        add_primary_key shop.orders (id) in create_table
        add_foreign_key shop.orders (buyer) -> shop.users in create_table
        create_table shop.users (id integer)
        create_index i on=shop.orders (buyer)
        create_view shop.v star reads=shop.orders,public.payments
        create_sequence shop.ids
        "#
    );
}

#[test]
fn extensions_and_statistics() {
    assert_snapshot!(
        words(
            r#"
        CREATE EXTENSION IF NOT EXISTS "uuid-ossp" SCHEMA public;
        CREATE EXTENSION citext WITH SCHEMA shop VERSION '1.6' CASCADE;
        CREATE STATISTICS IF NOT EXISTS s (ndistinct, mcv) ON a, b, (a + b) FROM shop.orders;
        CREATE STATISTICS ON a, lower(b) FROM ONLY orders;
"#
        ),
        @"
        create_extension uuid-ossp if_not_exists schema=public
        create_extension citext schema=shop version=1.6
        create_statistics s on=shop.orders (a, b) if_not_exists
        create_statistics on=orders (a)
        "
    );
}

#[test]
fn other_objects_are_renamed_or_touch_no_table() {
    assert_snapshot!(
        words(
            r#"
        ALTER FUNCTION f(int, text) RENAME TO g;
        ALTER PROCEDURE shop.p RENAME TO q;
        ALTER AGGREGATE total(*) RENAME TO sum2;
        ALTER TRIGGER audit ON shop.orders RENAME TO log;
        ALTER RULE r ON orders RENAME TO s;
        ALTER SCHEMA shop RENAME TO store;
        ALTER STATISTICS IF EXISTS s RENAME TO t;
        ALTER DATABASE shop RENAME TO store;
        ALTER ROLE a RENAME TO b;
        ALTER PUBLICATION p RENAME TO q;
        ALTER FUNCTION f(int) SET search_path = public;
        ALTER FUNCTION f(int) OWNER TO joe;
        ALTER TRIGGER audit ON orders DEPENDS ON EXTENSION citext;
        ALTER EXTENSION citext UPDATE TO '1.7';
        ALTER STATISTICS s SET STATISTICS 100;
        ALTER DATABASE shop SET TABLESPACE fast;
        ALTER DATABASE shop SET work_mem = '1GB';
        ALTER ROLE ALL SET work_mem = '1GB';
        ALTER USER CURRENT_USER PASSWORD 'x';
        ALTER SYSTEM SET work_mem = '1GB';
        ALTER SUBSCRIPTION s REFRESH PUBLICATION;
        ALTER SUBSCRIPTION s DISABLE;
        ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO joe;
        ALTER OPERATOR === (int, int) OWNER TO joe;
        ALTER OPERATOR FAMILY f USING btree ADD FUNCTION 1 g(int, int);
        ALTER LARGE OBJECT 42 OWNER TO joe;
        ALTER TEXT SEARCH DICTIONARY d (stopwords = 'x');
        ALTER USER MAPPING FOR joe SERVER s OPTIONS (SET password 'x');
        ALTER PROPERTY GRAPH g ADD VERTEX TABLES (v);
"#
        ),
        @"
        rename_function f to g
        rename_function shop.p to q
        rename_function total to sum2
        rename_object audit on=shop.orders to log
        rename_object r on=orders to s
        rename_schema shop to store
        rename_object s to t
        rename_object shop to store
        rename_object a to b
        rename_object p to q
        other [alter function] f
        other [alter function] f
        other [alter trigger] audit
        other [alter extension] citext
        other [alter statistics] s
        other [alter database] shop outside_transactions
        other [alter database] shop
        other [alter role]
        other [alter user] current_user
        other [alter system] outside_transactions
        other [alter subscription] s outside_transactions
        other [alter subscription] s
        grant what=select roles=joe to_come
        other [alter operator]
        other [alter operator]
        other [alter large object]
        other [alter text search dictionary] d
        other [alter user mapping]
        other [alter property graph] g
        "
    );
}
