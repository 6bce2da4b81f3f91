//! Tables with awkward names and shapes.

use super::Change;

/// A table with a column that is to be changed, and a table that it may refer to.
pub struct Shape {
    pub name: &'static str,
    /// The history.
    pub tables: &'static str,
    /// Puts `$ROWS` rows into them, the column being `$VALUE` of `n`.
    pub rows: &'static str,
    pub table: &'static str,
    pub column: &'static str,
    pub renamed: &'static str,
    pub parent: &'static str,
    /// The name of the foreign key.
    pub key: &'static str,
    /// The name of the index.
    pub index: &'static str,
    pub partitioned: bool,
    /// It is filled with so many rows that a backfill takes a hundred batches.
    pub large: bool,
    /// For which of the changes there is no plan, and words of the reason.
    pub refused: &'static [(Change, &'static str)],
}

const PLAIN: Shape = Shape {
    name: "a plain table",
    tables: "CREATE TABLE users (id integer PRIMARY KEY);
             CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer, note text);",
    rows: "INSERT INTO users SELECT n FROM generate_series(1, $ROWS) n;
           INSERT INTO orders SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;",
    table: "orders",
    column: "buyer",
    renamed: "customer",
    parent: "users",
    key: "orders_buyer_fkey",
    index: "orders_buyer_idx",
    partitioned: false,
    large: false,
    refused: &[],
};

pub const SHAPES: &[Shape] = &[
    Shape { large: true, ..PLAIN },
    Shape {
        name: "names in quotes",
        large: true,
        tables: r#"CREATE TABLE "the users" (id integer PRIMARY KEY);
                   CREATE TABLE "order's ""lines""" (id bigint PRIMARY KEY, "the buyer's %" integer, note text);"#,
        rows: r#"INSERT INTO "the users" SELECT n FROM generate_series(1, $ROWS) n;
                 INSERT INTO "order's ""lines""" SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;"#,
        table: r#""order's ""lines""""#,
        column: r#""the buyer's %""#,
        renamed: r#""the 'new' ""buyer"" $sync$""#,
        parent: r#""the users""#,
        key: r#""a key; -- not a comment""#,
        index: r#""an index /* no comment""#,
        ..PLAIN
    },
    Shape {
        name: "names of mixed case",
        tables: r#"CREATE TABLE "Users" ("Id" integer PRIMARY KEY);
                   CREATE TABLE "Orders" ("Id" bigint PRIMARY KEY, "buyerId" integer, buyerid integer);"#,
        rows: r#"INSERT INTO "Users" SELECT n FROM generate_series(1, $ROWS) n;
                 INSERT INTO "Orders" SELECT n, $VALUE, -n FROM generate_series(1, $ROWS) n;"#,
        table: r#""Orders""#,
        column: r#""buyerId""#,
        renamed: r#""BuyerId""#,
        parent: r#""Users""#,
        key: r#""Orders_buyerId_FK""#,
        index: r#""Orders_buyerId_Idx""#,
        ..PLAIN
    },
    Shape {
        name: "a schema that is not public",
        tables: "CREATE SCHEMA sales; CREATE SCHEMA people;
                 CREATE TABLE people.users (id integer PRIMARY KEY);
                 CREATE TABLE public.orders (id bigint PRIMARY KEY, buyer text);
                 CREATE TABLE sales.orders (id bigint PRIMARY KEY, buyer integer, note text);",
        rows: "INSERT INTO people.users SELECT n FROM generate_series(1, $ROWS) n; INSERT INTO public.orders VALUES (1, 'x');
               INSERT INTO sales.orders SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;",
        table: "sales.orders",
        parent: "people.users",
        ..PLAIN
    },
    Shape {
        name: "reserved words",
        tables: r#"CREATE TABLE "user" ("primary" integer PRIMARY KEY);
                   CREATE TABLE "order" ("select" bigint PRIMARY KEY, "user" integer, "table" text);"#,
        rows: r#"INSERT INTO "user" SELECT n FROM generate_series(1, $ROWS) n;
                 INSERT INTO "order" SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;"#,
        table: r#""order""#,
        column: r#""user""#,
        renamed: r#""end""#,
        parent: r#""user""#,
        key: r#""foreign""#,
        index: r#""unique""#,
        ..PLAIN
    },
    Shape {
        name: "names of 63 bytes",
        tables: "CREATE TABLE users_with_a_name_that_is_as_long_as_a_name_can_be_at_all_63 (id integer PRIMARY KEY);
                 CREATE TABLE orders_with_a_name_that_is_as_long_as_a_name_can_be_at_all__63 (id bigint PRIMARY KEY,
                     buyer_with_a_name_that_is_as_long_as_a_name_can_be_at_all_6_old integer, note text);",
        rows: "INSERT INTO users_with_a_name_that_is_as_long_as_a_name_can_be_at_all_63 SELECT n FROM generate_series(1, $ROWS) n;
               INSERT INTO orders_with_a_name_that_is_as_long_as_a_name_can_be_at_all__63
                   SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;",
        table: "orders_with_a_name_that_is_as_long_as_a_name_can_be_at_all__63",
        column: "buyer_with_a_name_that_is_as_long_as_a_name_can_be_at_all_6_old",
        renamed: "buyer_with_a_name_that_is_as_long_as_a_name_can_be_at_all_6_new",
        parent: "users_with_a_name_that_is_as_long_as_a_name_can_be_at_all_63",
        key: "orders_with_a_name_that_is_as_long_as_a_name_can_be_at_all_fkey",
        index: "orders_with_a_name_that_is_as_long_as_a_name_can_be_at_all_indx",
        ..PLAIN
    },
    Shape {
        name: "a partitioned table",
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (id bigint NOT NULL, buyer integer, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
                 CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
                 CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
        rows: "INSERT INTO users SELECT n FROM generate_series(1, $ROWS) n;
               INSERT INTO orders SELECT n, $VALUE, date '2025-01-01' + n % 700 FROM generate_series(1, $ROWS) n;",
        partitioned: true,
        large: true,
        ..PLAIN
    },
    Shape {
        name: "a composite key",
        large: true,
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (shop integer, number text, buyer integer, note text, PRIMARY KEY (shop, number));",
        rows: "INSERT INTO users SELECT n FROM generate_series(1, $ROWS) n;
               INSERT INTO orders SELECT n % 7, 'number ' || n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;",
        ..PLAIN
    },
    Shape {
        name: "a column in a view",
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer, note text);
                 CREATE VIEW buyers AS SELECT buyer, count(*) AS orders FROM orders GROUP BY buyer;",
        ..PLAIN
    },
    Shape {
        name: "a column in a generated column",
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer, note text, buyer_twice bigint GENERATED ALWAYS AS (buyer * 2) STORED);",
        refused: &[(Change::Retype, "generated column `")],
        ..PLAIN
    },
    Shape {
        name: "a column in an expression index",
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer, note text);
                 CREATE INDEX orders_buyer_abs ON orders (abs(buyer)) WHERE buyer > 0;",
        ..PLAIN
    },
    Shape {
        name: "a column with everything",
        tables: "CREATE TABLE users (id integer PRIMARY KEY);
                 CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer DEFAULT 7, note text);
                 CREATE TABLE payments (id bigint PRIMARY KEY, buyer integer);
                 CREATE INDEX orders_buyer_note ON orders (buyer DESC NULLS LAST, note) INCLUDE (id) WITH (fillfactor = 70);
                 CREATE UNIQUE INDEX orders_buyer_only ON orders (buyer);
                 ALTER TABLE orders ADD CONSTRAINT orders_buyer_known FOREIGN KEY (buyer) REFERENCES users;
                 ALTER TABLE orders ADD CONSTRAINT orders_buyer_positive CHECK (buyer > 0);
                 ALTER TABLE payments ADD CONSTRAINT payments_buyer_known FOREIGN KEY (buyer) REFERENCES orders (buyer);
                 COMMENT ON COLUMN orders.buyer IS 'who pays';
                 GRANT UPDATE (buyer) ON orders TO pg_monitor;
                 ALTER TABLE orders ALTER COLUMN buyer SET STATISTICS 500;
                 CREATE STATISTICS orders_buyer_kinds ON buyer, note FROM orders;",
        rows: "INSERT INTO users SELECT n FROM generate_series(1, $ROWS) n;
               INSERT INTO orders SELECT n, $VALUE, 'note ' || n FROM generate_series(1, $ROWS) n;
               INSERT INTO payments SELECT id, buyer FROM orders WHERE buyer < 10;",
        ..PLAIN
    },
];
