//! The lines of a live schema.

use crate::servers::{new_database, servers};
use insta::assert_snapshot;
use lockkeeper::db::{Connection, block_on, dump};
use std::collections::BTreeSet;

#[test]
fn a_schema_is_told_line_by_line() {
    let schema = "
        CREATE TYPE state AS ENUM ('open', 'paid');
        CREATE DOMAIN price AS numeric(10, 2) NOT NULL CHECK (VALUE >= 0);
        CREATE TABLE users (id bigserial PRIMARY KEY, email varchar(40) UNIQUE);
        CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer bigint NOT NULL, state state DEFAULT 'open', total price);
        ALTER TABLE orders ADD CONSTRAINT orders_buyer_fk FOREIGN KEY (buyer) REFERENCES users NOT VALID;
        CREATE INDEX orders_state ON orders (state, (total * 2)) INCLUDE (buyer) WHERE state <> 'paid';
        CREATE TABLE payments (id bigint, paid date NOT NULL) PARTITION BY RANGE (paid);
        CREATE TABLE payments_2025 PARTITION OF payments FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        CREATE INDEX payments_paid ON ONLY payments (paid);
        CREATE VIEW open_orders AS SELECT id FROM orders WHERE state = 'open';";
    let on_each: BTreeSet<String> = servers()
        .iter()
        .map(|server| {
            let lines = async {
                let mut connection = Connection::open(&new_database(server).await).await?;
                connection.run(schema).await?;
                dump::lines(&mut connection).await
            };
            block_on(lines).expect("an event queue").expect("the setup is fine").join("\n")
        })
        .collect();
    let on_each: Vec<String> = on_each.into_iter().collect();
    assert_snapshot!(on_each.join("\n-- another server:\n"), @r#"
column public.orders.buyer bigint not null
column public.orders.id bigint not null identity
column public.orders.state public.state default
column public.orders.total public.price
column public.payments.id bigint
column public.payments.paid date not null
column public.payments_2025.id bigint
column public.payments_2025.paid date not null
column public.users.email character varying(40)
column public.users.id bigint not null default
constraint public.orders.orders_buyer_fk foreign key (buyer) references public.users (id) not valid
constraint public.orders.orders_pkey primary key (id)
constraint public.users.users_email_key unique (email)
constraint public.users.users_pkey primary key (id)
domain public.price numeric(10,2) not null
enum public.state open, paid
index public.orders_pkey on public.orders btree (id) unique
index public.orders_state on public.orders btree (state, *) where
index public.payments_paid on public.payments btree (paid) invalid
index public.users_email_key on public.users btree (email) unique
index public.users_pkey on public.users btree (id) unique
sequence public.orders_id_seq owned by public.orders.id
sequence public.users_id_seq owned by public.users.id
table public.orders
table public.payments
table public.payments_2025 partition of public.payments
table public.users
view public.open_orders
"#);
}
