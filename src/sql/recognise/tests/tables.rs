//! CREATE TABLE and what stands in it.

use super::words;
use insta::assert_snapshot;

#[test]
fn a_table_is_its_columns_and_each_constraint_follows_as_an_operation() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE IF NOT EXISTS shop.orders (
          id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME shop.order_ids START WITH 1000 INCREMENT BY 2) PRIMARY KEY,
          buyer bigint NOT NULL REFERENCES users ON DELETE CASCADE,
          note text COLLATE "C" DEFAULT '' CONSTRAINT short_note CHECK (length(note) < 100) NO INHERIT,
          total numeric(10, 2) CONSTRAINT priced NOT NULL DEFAULT 0,
          code varchar(20) UNIQUE NULLS NOT DISTINCT DEFERRABLE INITIALLY DEFERRED,
          CONSTRAINT paid_once UNIQUE (buyer, code) INCLUDE (total) WITH (fillfactor = 70) USING INDEX TABLESPACE fast,
          FOREIGN KEY (buyer, code) REFERENCES shop.coupons (owner, code) MATCH FULL ON UPDATE NO ACTION ON DELETE SET NULL (code) NOT VALID,
          CHECK (total >= 0) NOT ENFORCED
        );
"#
        ),
        @r#"
        create_table shop.orders (id bigint not null identity always, buyer bigint not null, note text collate C default [''], total numeric(10,2) not null default [0], code character varying(20)) if_not_exists
        add_primary_key shop.orders (id) in create_table
        add_foreign_key shop.orders (buyer) -> users on_delete=cascade in create_table
        add_check shop.orders short_note [length ( note ) < 100] no_inherit in create_table
        add_unique shop.orders (code) nulls_not_distinct deferrable deferred in create_table
        add_unique shop.orders paid_once (buyer, code) include=total in create_table
        add_foreign_key shop.orders (buyer, code) -> shop.coupons (owner, code) on_delete=set null (code) on_update=no action not_valid in create_table
        add_check shop.orders [total >= 0] not_enforced in create_table
        "#
    );
}

#[test]
fn a_primary_key_beside_the_columns_makes_them_required() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE payments (region text, id int, PRIMARY KEY (region, id), CONSTRAINT known NOT NULL note NO INHERIT, note text);
"#
        ),
        @r#"
        create_table payments (region text not null, id integer not null, note text not null)
        add_primary_key payments (region, id) in create_table
        add_not_null_constraint payments known note no_inherit in create_table
        "#
    );
}

#[test]
fn persistence_and_storage_words_are_read() {
    assert_snapshot!(
        words(
            r#"
        CREATE UNLOGGED TABLE drafts (id int) USING heap WITH (fillfactor = 70, toast.autovacuum_enabled, autovacuum_vacuum_scale_factor = 0.1) TABLESPACE fast;
        CREATE GLOBAL TEMPORARY TABLE drafts () WITHOUT OIDS ON COMMIT DELETE ROWS;
        CREATE TEMP TABLE drafts (id int STORAGE EXTERNAL COMPRESSION lz4 NOT NULL, note text STORAGE DEFAULT) ON COMMIT DROP;
"#
        ),
        @r#"
        create_table drafts (id integer) unlogged
        create_table drafts () temporary
        create_table drafts (id integer not null, note text) temporary
        "#
    );
}

#[test]
fn like_says_what_it_includes_in_the_end() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE drafts (LIKE orders INCLUDING ALL);
        CREATE TABLE drafts (id int, LIKE shop.orders INCLUDING DEFAULTS INCLUDING INDEXES EXCLUDING DEFAULTS, note text);
        CREATE TABLE drafts (LIKE orders INCLUDING ALL EXCLUDING INDEXES);
        CREATE TABLE drafts (LIKE orders);
"#
        ),
        @r#"
        create_table drafts () like=orders(all)
        create_table drafts (id integer, note text) like=shop.orders(indexes)
        create_table drafts () like=orders(comments,compression,constraints,defaults,generated,identity,statistics,storage)
        create_table drafts () like=orders()
        "#
    );
}

#[test]
fn partitions_say_where_their_rows_lie() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (id int, day date, region text) PARTITION BY RANGE (day, lower(region), (id % 10), region COLLATE "C" text_pattern_ops);
        CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01', MINVALUE) TO ('2027-01-01', MAXVALUE) PARTITION BY HASH (id int4_ops);
        CREATE TABLE orders_eu PARTITION OF orders (id NOT NULL DEFAULT 1, region WITH OPTIONS UNIQUE, CHECK (id > 0)) FOR VALUES IN ('de', 'fr', NULL);
        CREATE TABLE orders_0 PARTITION OF shop.orders FOR VALUES WITH (MODULUS 4, REMAINDER 0) TABLESPACE fast;
        CREATE TABLE orders_rest PARTITION OF orders DEFAULT;
        CREATE FOREIGN TABLE orders_far PARTITION OF orders DEFAULT SERVER elsewhere OPTIONS (table_name 'orders');
"#
        ),
        @r#"
        create_table orders (id integer, day date, region text) partition_by=range(day,?,?,region)
        create_table orders_2026 () partition_of=orders['2026-01-01',MINVALUE to '2027-01-01',MAXVALUE] partition_by=hash(id)
        create_table orders_eu (id ? not null default [1], region ?) partition_of=orders[in 'de','fr',NULL]
        add_unique orders_eu (region) in create_table
        add_check orders_eu [id > 0] in create_table
        create_table orders_0 () partition_of=shop.orders[hash]
        create_table orders_rest () partition_of=orders[default]
        create_table orders_far () foreign partition_of=orders[default]
        "#
    );
}

#[test]
fn inheritance_composite_types_and_foreign_tables() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (id int) INHERITS (documents, shop.things);
        CREATE TABLE orders OF order_type (id WITH OPTIONS PRIMARY KEY, note DEFAULT 'x') TABLESPACE fast;
        CREATE TABLE orders OF order_type;
        CREATE FOREIGN TABLE IF NOT EXISTS orders (id int OPTIONS (column_name 'no') NOT NULL, note text) INHERITS (documents) SERVER elsewhere;
"#
        ),
        @r#"
        create_table orders (id integer) inherits=documents,shop.things
        create_table orders (id ? not null, note ? default ['x']) of=order_type
        add_primary_key orders (id) in create_table
        create_table orders () of=order_type
        create_table orders (id integer not null, note text) if_not_exists foreign inherits=documents
        "#
    );
}

#[test]
fn a_query_makes_a_table() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE drafts AS SELECT id FROM orders JOIN shop.users USING (id);
        CREATE TABLE IF NOT EXISTS drafts (id, note) USING heap WITH (fillfactor = 70) AS TABLE orders WITH NO DATA;
        CREATE UNLOGGED TABLE drafts AS (VALUES (1)) WITH DATA;
        CREATE TABLE drafts AS EXECUTE recent(10) WITH NO DATA;
"#
        ),
        @r#"
        create_table_as drafts reads=orders,shop.users
        create_table_as drafts if_not_exists no_data reads=orders
        create_table_as drafts unlogged
        create_table_as drafts no_data
        "#
    );
}

#[test]
fn a_default_ends_where_the_next_qualifier_begins() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (
          a int DEFAULT 1 NOT NULL,
          b int DEFAULT -1 NULL,
          c int DEFAULT (1 + 2) * 3 CHECK (c > 0),
          d text DEFAULT 'a'::text COLLATE "C",
          e timestamptz DEFAULT (now() AT TIME ZONE 'utc') NOT NULL,
          f timestamp(3) DEFAULT CURRENT_TIMESTAMP(3) UNIQUE,
          g int[] DEFAULT ARRAY[1, 2] NOT NULL,
          h jsonb DEFAULT '{}'::jsonb NOT NULL,
          i float DEFAULT 1::double precision NOT NULL,
          j time DEFAULT '10:00'::time without time zone REFERENCES hours,
          k boolean DEFAULT NULL NOT NULL,
          l boolean DEFAULT 1 IS NOT DISTINCT FROM 2 NOT NULL,
          m int DEFAULT CASE WHEN true THEN NULL ELSE 1 END NOT NULL,
          n interval DEFAULT INTERVAL '1' DAY CONSTRAINT long CHECK (n > '0'),
          o int DEFAULT nextval('shop.ids'::regclass) PRIMARY KEY,
          p bit(3) DEFAULT B'101' GENERATED BY DEFAULT AS IDENTITY,
          q int DEFAULT - NULL NOT NULL
        );
"#
        ),
        @r#"
        create_table orders (a integer not null default [1], b integer default [- 1], c integer default [( 1 + 2 ) * 3], d text collate C default ['a' :: text], e timestamp with time zone not null default [( now ( ) at time zone 'utc' )], f timestamp(3) without time zone default [current_timestamp ( 3 )], g integer[] not null default [array [ 1 , 2 ]], h jsonb not null default ['{}' :: jsonb], i double precision not null default [1 :: double precision], j time without time zone default ['10:00' :: time without time zone], k boolean not null default [null], l boolean not null default [1 is not distinct from 2], m integer not null default [case when true then null else 1 end], n interval default [interval '1' day], o integer not null default [nextval ( 'shop.ids' :: regclass )], p bit(3) not null default [B'101'] identity by default, q integer not null default [- null])
        add_check orders [c > 0] in create_table
        add_unique orders (f) in create_table
        add_foreign_key orders (j) -> hours in create_table
        add_check orders long [n > '0'] in create_table
        add_primary_key orders (o) in create_table
        "#
    );
}

#[test]
fn generated_columns_are_stored_or_virtual() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (net int, gross int GENERATED ALWAYS AS (net * 12 / 10) STORED, tax int GENERATED ALWAYS AS (gross - net) VIRTUAL, half int GENERATED ALWAYS AS (net / 2), id bigint GENERATED BY DEFAULT AS IDENTITY);
"#
        ),
        @"create_table orders (net integer, gross integer stored [net * 12 / 10], tax integer virtual [gross - net], half integer virtual [net / 2], id bigint not null identity by default)"
    );
}

#[test]
fn exclusion_and_temporal_constraints() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE bookings (
          room int, during tstzrange,
          EXCLUDE USING gist (room WITH =, during WITH &&, lower(note) COLLATE "C" text_ops DESC NULLS LAST WITH OPERATOR(pg_catalog.=)) INCLUDE (note) WITH (fillfactor = 70) WHERE (room > 0) DEFERRABLE,
          CONSTRAINT one EXCLUDE (room WITH pg_catalog.=),
          PRIMARY KEY (room, during WITHOUT OVERLAPS),
          FOREIGN KEY (room, PERIOD during) REFERENCES rooms (id, PERIOD valid)
        );
"#
        ),
        @r#"
        create_table bookings (room integer not null, during tstzrange not null)
        add_exclusion bookings using=gist (room, during) where [room > 0] deferrable in create_table
        add_exclusion bookings one (room) in create_table
        add_primary_key bookings (room, during) without_overlaps in create_table
        add_foreign_key bookings (room, during) -> rooms (id, valid) in create_table
        "#
    );
}

#[test]
fn words_that_are_not_reserved_name_columns() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE orders (exclude text, storage int, period int, "order" int, type text, attribute int, generated timestamptz, enforced boolean, FOREIGN KEY (period) REFERENCES p (period));
"#
        ),
        @r#"
        create_table orders (exclude text, storage integer, period integer, order integer, type text, attribute integer, generated timestamp with time zone, enforced boolean)
        add_foreign_key orders (period) -> p (period) in create_table
        "#
    );
}

#[test]
fn types_are_unified_to_the_names_that_the_server_prints() {
    assert_snapshot!(
        words(
            r#"
        CREATE TABLE t (
          a int, b int2, c int4, d int8, e integer, f smallint, g bigint, h float, i float4, j float8, k float(24), l float(25), m real, n double precision,
          o bool, p varchar, q varchar(10), r character varying(10), s char, t char(3), u character(3), v bpchar, w bpchar(4), x "char", y nchar varying(2), z national character(2)
        );
        CREATE TABLE t (
          a timestamp, b timestamptz, c timestamp with time zone, d timestamp(3) with time zone, e timestamptz(3), f time, g timetz, h time(2) without time zone,
          i decimal, j dec(4), k numeric(10,2), l bit, m bit(3), n bit varying, o varbit(5), p interval, q interval day to second(3), r interval(2), s interval year to month,
          t pg_catalog.int4, u pg_catalog.timestamptz, v shop.money_type, w geometry(Point, 4326), x public.citext, y "timestamp", z json
        );
        CREATE TABLE t (a serial, b bigserial, c smallserial, d serial8, e int[], f text[][], g int[3], h varchar(3) ARRAY, i int ARRAY[4], j shop.mood[], k "MyType", l SETOF int, m orders.id%TYPE);
"#
        ),
        @r#"
        create_table t (a integer, b smallint, c integer, d bigint, e integer, f smallint, g bigint, h double precision, i real, j double precision, k real, l double precision, m real, n double precision, o boolean, p character varying, q character varying(10), r character varying(10), s character(1), t character(3), u character(3), v bpchar, w character(4), x "char", y character varying(2), z character(2))
        create_table t (a timestamp without time zone, b timestamp with time zone, c timestamp with time zone, d timestamp(3) with time zone, e timestamp(3) with time zone, f time without time zone, g time with time zone, h time(2) without time zone, i numeric, j numeric(4), k numeric(10,2), l bit(1), m bit(3), n bit varying, o bit varying(5), p interval, q interval day to second(3), r interval(2), s interval year to month, t integer, u timestamp with time zone, v shop.money_type, w geometry(point,4326), x public.citext, y timestamp without time zone, z json)
        create_table t (a integer serial not null, b bigint serial not null, c smallint serial not null, d bigint serial not null, e integer[], f text[], g integer[], h character varying(3)[], i integer[], j shop.mood[], k "MyType", l integer, m "orders.id%type")
        "#
    );
}
