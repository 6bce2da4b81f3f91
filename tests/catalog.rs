//! What the replayed history tells of the schema, and what it does not. What it tells rightly is seen in `tests/live/catalog.rs`.

use insta::assert_snapshot;
use lockkeeper::model::catalog::{Catalog, Lookup, Step};
use lockkeeper::model::effects::Effects;
use lockkeeper::model::name::{Ident, Name, QualifiedName};
use lockkeeper::model::operation::Operation;
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::sql::read;
use lockkeeper::text::{SourceFile, Span};

/// Whether the history begins with an empty database.
#[derive(Clone, Copy, PartialEq)]
enum History {
    Whole,
    Part,
}
use History::{Part, Whole};

fn operations(sql: &str) -> Vec<Operation> {
    let source = SourceFile::new("orders.sql", sql);
    let script = read(&source, Span::new(0, sql.len() as u32));
    script.statements.into_iter().flat_map(|statement| statement.operations).map(|operation| operation.what).collect()
}

/// The catalog after one file for each text, each in a transaction mode of its own.
fn replay(history: History, files: &[(TransactionMode, &str)]) -> Catalog {
    let mut catalog = Catalog::new(history == Whole);
    for (number, (mode, sql)) in files.iter().enumerate() {
        let step = Step(number as u32 + 1);
        let operations = operations(sql);
        let mut session = Session::new(*mode, step);
        catalog.follow(&session);
        catalog.begin_file(*mode, &operations);
        for (index, operation) in operations.iter().enumerate() {
            catalog.replay(operation, step);
            session.advance(operation, &Effects::default(), index);
            catalog.follow(&session);
        }
    }
    catalog
}

fn after(history: History, sql: &str) -> Catalog {
    replay(history, &[(TransactionMode::Explicit, sql)])
}

fn lines(catalog: &Catalog) -> String {
    catalog.lines().join("\n")
}

fn name(name: &str) -> Name {
    Name::bare(Ident::quoted(name))
}

fn public(name: &str) -> QualifiedName {
    QualifiedName { schema: Ident::quoted("public"), name: Ident::quoted(name) }
}

/// Known, absent or unknown, in a word.
fn word<T>(lookup: Lookup<T>) -> &'static str {
    match lookup {
        Lookup::Known(_) => "known",
        Lookup::Absent => "absent",
        Lookup::Unknown => "unknown",
    }
}

#[test]
fn what_a_whole_history_never_made_is_absent() {
    let sql = "CREATE TABLE orders (id int); CREATE TABLE drafts (id int); DROP TABLE drafts; DROP TABLE IF EXISTS payments;";
    let tell = |history| ["orders", "drafts", "payments", "users"].map(|table| word(after(history, sql).relation(&name(table))));
    assert_eq!(tell(Whole), ["known", "absent", "absent", "absent"]);
    assert_eq!(tell(Part), ["known", "absent", "absent", "unknown"]);
}

#[test]
fn a_table_that_is_only_altered_is_mentioned_and_learned() {
    let catalog =
        after(Whole, "ALTER TABLE orders ADD COLUMN note text NOT NULL, ALTER COLUMN buyer SET NOT NULL; CREATE INDEX ON orders (state);");
    assert_snapshot!(lines(&catalog), @r"
    column public.orders.buyer ? not null
    column public.orders.note text not null
    index public.orders_state_idx on public.orders btree (state)
    table public.orders, only mentioned
    ");
    let orders = catalog.get(&public("orders")).expect("it is mentioned");
    assert_eq!(word(orders.find_column(&Ident::quoted("note"))), "known");
    assert_eq!(word(orders.find_column(&Ident::quoted("id"))), "unknown");
    assert!(orders.made_in.is_none() && !orders.is_made_in(Step(1)));
    assert!(!catalog.is_whole(), "the history names what it did not make");
}

#[test]
fn create_if_not_exists_surely_makes_only_what_surely_was_not_there() {
    let surely = |history, sql| {
        let catalog = after(history, sql);
        let table = catalog.get(&public("orders")).expect("it is made");
        (table.surely_made, table.complete)
    };
    assert_eq!(surely(Whole, "CREATE TABLE IF NOT EXISTS orders (id int);"), (true, true));
    assert_eq!(surely(Part, "CREATE TABLE IF NOT EXISTS orders (id int);"), (false, false));
    assert_eq!(surely(Part, "DROP TABLE IF EXISTS orders; CREATE TABLE IF NOT EXISTS orders (id int);"), (true, true));
    assert_eq!(surely(Part, "CREATE TABLE orders (id int);"), (true, true));
}

#[test]
fn create_if_not_exists_of_a_known_table_changes_nothing() {
    let catalog = after(
        Part,
        "CREATE TABLE orders (id int);
         CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text UNIQUE CHECK (note <> ''));
         CREATE TABLE payments (id int PRIMARY KEY);",
    );
    assert_snapshot!(lines(&catalog), @r"
    column public.orders.id integer
    column public.payments.id integer not null
    constraint public.payments.payments_pkey primary key (id)
    index public.payments_pkey on public.payments btree (id) unique
    table public.orders
    table public.payments
    ");
}

#[test]
fn an_opaque_statement_leaves_nothing_for_certain() {
    let unreadable = operations("CREATE NONSENSE orders").remove(0);
    for opaque in [Operation::Dynamic { construct: "EXECUTE of a text".into() }, unreadable] {
        let mut catalog = after(Whole, "CREATE TABLE orders (id int); DROP TABLE IF EXISTS payments");
        catalog.replay(&opaque, Step(1));
        operations("CREATE TABLE drafts (id int)").iter().for_each(|operation| catalog.replay(operation, Step(1)));
        let tables: Vec<String> = catalog.lines().into_iter().filter(|line| line.starts_with("table")).collect();
        assert_eq!(tables, ["table public.drafts", "table public.orders, partly known"], "{opaque}");
        assert_eq!(["payments", "users"].map(|table| word(catalog.relation(&name(table)))), ["unknown", "unknown"], "{opaque}");
    }
}

/// The catalog behind a branch, and behind what follows it.
fn around_branch(before: &str, branch: &str, behind: &str) -> Catalog {
    let mut catalog = after(Whole, before);
    let replay = |sql: &str, catalog: &mut Catalog| operations(sql).iter().for_each(|operation| catalog.replay(operation, Step(2)));
    catalog.begin_branch();
    replay(branch, &mut catalog);
    catalog.end_branch();
    replay(behind, &mut catalog);
    catalog
}

#[test]
fn what_a_branch_makes_may_be_older_and_what_it_drops_may_still_be_there() {
    let catalog = around_branch(
        "CREATE TABLE orders (id int, note text NOT NULL); CREATE TABLE users (id int); CREATE TYPE mood AS ENUM ('good')",
        "CREATE TABLE drafts (id int); DROP TABLE users; DROP TYPE mood; ALTER TABLE orders DROP COLUMN note, ADD COLUMN total numeric",
        "",
    );
    assert_snapshot!(lines(&catalog), @r#"
column public.drafts.id integer
column public.orders.id integer
column public.users.id integer
enum public.mood good
table public.drafts, partly known
table public.orders, partly known
table public.users, partly known
"#);
    assert!(catalog.get(&public("drafts")).is_some_and(|drafts| !drafts.is_made_in(Step(2))));
    let orders = catalog.get(&public("orders")).expect("it is there");
    assert_eq!(["note", "total"].map(|column| word(orders.find_column(&Ident::quoted(column)))), ["unknown", "unknown"]);
    assert_eq!(word(catalog.user_type(&name("mood"))), "known");
}

#[test]
fn inside_a_branch_its_own_tables_are_new() {
    let mut catalog = after(Whole, "CREATE TABLE orders (id int)");
    catalog.begin_branch();
    operations("CREATE TABLE drafts (id int); DROP TABLE orders").iter().for_each(|operation| catalog.replay(operation, Step(2)));
    assert!(catalog.get(&public("drafts")).is_some_and(|drafts| drafts.is_made_in(Step(2))));
    assert_eq!(word(catalog.relation(&name("orders"))), "absent");
    catalog.end_branch();
    assert_eq!(word(catalog.relation(&name("orders"))), "known");
}

#[test]
fn what_a_branch_only_names_is_not_proven_to_exist() {
    let catalog =
        around_branch("CREATE TABLE orders (id int)", "ALTER TABLE legacy ADD COLUMN note text; INSERT INTO orders VALUES (1)", "");
    assert_eq!(word(catalog.relation(&name("legacy"))), "absent");
    assert_snapshot!(lines(&catalog), @r#"
column public.orders.id integer
table public.orders
"#);
}

#[test]
fn branches_nest() {
    let mut catalog = after(Whole, "CREATE TABLE orders (id int)");
    for sql in ["CREATE TABLE users (id int)", "DROP TABLE orders"] {
        catalog.begin_branch();
        operations(sql).iter().for_each(|operation| catalog.replay(operation, Step(2)));
    }
    catalog.end_branch();
    assert_eq!(["orders", "users"].map(|table| word(catalog.relation(&name(table)))), ["known", "known"]);
    catalog.end_branch();
    assert!(["orders", "users"].iter().all(|table| catalog.get(&public(table)).is_some_and(|table| !table.complete)));
}

#[test]
fn a_query_that_only_reads_is_not_opaque() {
    let catalog = after(
        Whole,
        "CREATE TABLE orders (id int);
         CREATE FUNCTION total(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1';
         SELECT setval('orders_id_seq', 3), count(*), total(id) FROM orders GROUP BY id;",
    );
    assert!(catalog.is_whole());
}

#[test]
fn rollback_takes_back_what_its_transaction_did() {
    let made = "CREATE TABLE orders (id int);";
    let undone = "ALTER TABLE orders ADD COLUMN note text; ROLLBACK; ALTER TABLE orders ADD COLUMN buyer int;";
    let columns = |mode| {
        let catalog = replay(Whole, &[(TransactionMode::Explicit, made), (mode, undone)]);
        catalog
            .get(&public("orders"))
            .expect("it is made")
            .columns
            .iter()
            .map(|column| column.name.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(columns(TransactionMode::Runner), "id buyer");
    assert_eq!(columns(TransactionMode::Assumed(true)), "id buyer");
    assert_eq!(columns(TransactionMode::OneMessage), "id buyer");
    // Without a transaction there is nothing to take back.
    assert_eq!(columns(TransactionMode::None), "id note buyer");
    assert_eq!(columns(TransactionMode::Explicit), "id note buyer");
}

#[test]
fn what_one_message_does_behind_commit_is_a_transaction_again() {
    let sql = "CREATE TABLE orders (id int); COMMIT; CREATE TABLE drafts (id int); ROLLBACK;";
    let tables =
        |mode| lines(&replay(Whole, &[(mode, sql)])).lines().filter(|line| line.starts_with("table")).collect::<Vec<_>>().join(", ");
    assert_eq!(tables(TransactionMode::OneMessage), "table public.orders");
    assert_eq!(tables(TransactionMode::Runner), "table public.drafts, table public.orders");
}

#[test]
fn set_not_null_is_proven_by_a_validated_check_that_says_so() {
    let proof = |checks: &str| {
        let catalog = after(Whole, &format!("CREATE TABLE orders (id int, note text); {checks}"));
        word(catalog.not_null_proof(&public("orders"), &Ident::quoted("note")))
    };
    assert_eq!(proof("ALTER TABLE orders ADD CHECK (note IS NOT NULL)"), "known");
    assert_eq!(proof("ALTER TABLE orders ADD CHECK (id > 0 AND (note IS NOT NULL))"), "known");
    assert_eq!(proof("ALTER TABLE orders ADD CHECK (note IS NOT NULL) NOT VALID"), "absent");
    assert_eq!(
        proof("ALTER TABLE orders ADD CONSTRAINT k CHECK (note IS NOT NULL) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT k"),
        "known"
    );
    assert_eq!(proof("ALTER TABLE orders ADD CHECK (note <> '')"), "absent");
    assert_eq!(proof("ALTER TABLE orders ADD CHECK (note IS NOT NULL OR id > 0)"), "absent");
    assert_eq!(
        proof(
            "ALTER TABLE orders RENAME COLUMN note TO remark; ALTER TABLE orders ADD CHECK (remark IS NOT NULL); ALTER TABLE orders RENAME COLUMN remark TO note"
        ),
        "known"
    );
    assert_eq!(proof("ALTER TABLE orders ADD CONSTRAINT k CHECK (note IS NOT NULL); ALTER TABLE orders DROP CONSTRAINT k"), "absent");
    assert_eq!(proof("FROBNICATE orders"), "unknown");
}

#[test]
fn a_foreign_key_is_covered_by_an_index_that_leads_with_its_columns() {
    let covered = |index: &str, columns: &[&str]| {
        let catalog = after(Whole, &format!("CREATE TABLE orders (id int, buyer int, shop int, state int); {index}"));
        let columns: Vec<Ident> = columns.iter().map(|column| Ident::quoted(column)).collect();
        word(catalog.covering_index(&public("orders"), &columns))
    };
    assert_eq!(covered("CREATE INDEX ON orders (buyer, id)", &["buyer"]), "known");
    assert_eq!(covered("CREATE INDEX ON orders (shop, buyer, id)", &["buyer", "shop"]), "known");
    assert_eq!(covered("ALTER TABLE orders ADD UNIQUE (buyer)", &["buyer"]), "known");
    assert_eq!(covered("CREATE INDEX ON orders USING hash (buyer)", &["buyer"]), "known");
    assert_eq!(covered("CREATE INDEX ON orders (buyer) WHERE buyer IS NOT NULL", &["buyer"]), "known");
    assert_eq!(covered("CREATE INDEX ON orders (buyer) WHERE state = 1", &["buyer"]), "absent");
    assert_eq!(covered("CREATE INDEX ON orders (id, buyer)", &["buyer"]), "absent");
    assert_eq!(covered("CREATE INDEX ON orders (id) INCLUDE (buyer)", &["buyer"]), "absent");
    assert_eq!(covered("CREATE INDEX ON orders USING brin (buyer)", &["buyer"]), "absent");
    assert_eq!(covered("CREATE INDEX ON orders (abs(buyer))", &["buyer"]), "absent");
    assert_eq!(covered("CREATE INDEX i ON orders (buyer); DROP INDEX i", &["buyer"]), "absent");
    assert_eq!(covered("FROBNICATE orders", &["buyer"]), "unknown");
}

#[test]
fn all_that_mentions_a_column_depends_on_it() {
    let catalog = after(
        Whole,
        "CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, name text);
         CREATE TABLE orders (id int PRIMARY KEY, buyer text REFERENCES users (email), CHECK (buyer <> ''));
         CREATE INDEX by_mail ON users (lower(email)) WHERE name <> '';
         CREATE VIEW mails AS SELECT email FROM users;
         CREATE VIEW names AS SELECT name FROM users;
         CREATE TRIGGER on_mail BEFORE UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION check_mail();
         CREATE STATISTICS mail_stats ON email, name FROM users;
         ALTER TABLE users ADD COLUMN domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED;",
    );
    let tell = |column: &str| {
        let all = catalog.dependents(&public("users"), &Ident::quoted(column));
        let mut words: Vec<String> = Vec::new();
        words.extend(all.indexes.iter().map(|index| index.name.name.to_string()));
        words.extend(all.constraints.iter().map(|constraint| constraint.name.to_string()));
        words.extend(all.incoming.iter().map(|(table, constraint)| format!("{}.{}", table.name.name, constraint.name)));
        words.extend(all.triggers.iter().map(|trigger| trigger.name.to_string()));
        words.extend(all.views.iter().map(|view| view.name.name.to_string()));
        words.extend(all.generated.iter().map(|column| column.name.to_string()));
        words.extend(all.statistics.iter().map(|statistics| statistics.name.to_string()));
        words.extend(all.sequence.iter().map(|sequence| sequence.name.name.to_string()));
        words.join(" ")
    };
    assert_eq!(tell("email"), "users_email_key by_mail users_email_key orders.orders_buyer_fkey on_mail mails domain mail_stats");
    assert_eq!(tell("name"), "by_mail names mail_stats");
    assert_eq!(tell("id"), "users_pkey users_pkey users_id_seq");
}

#[test]
fn names_lead_where_the_search_path_says() {
    let catalog = after(
        Part,
        "CREATE SCHEMA shop; CREATE TABLE public.orders (id int); CREATE TABLE shop.users (id int);
         SET search_path = shop, public; CREATE TEMPORARY TABLE drafts (id int);",
    );
    let leads = |table: &str| catalog.resolve(&name(table)).to_string();
    assert_eq!(leads("orders"), "public.orders");
    assert_eq!(leads("users"), "shop.users");
    assert_eq!(leads("drafts"), "pg_temp.drafts");
    assert_eq!(leads("payments"), "shop.payments");
    assert_eq!(leads("pg_class"), "pg_catalog.pg_class");
}

#[test]
fn temporary_tables_end_with_their_file() {
    let first = "CREATE TABLE orders (id int); CREATE TEMP TABLE orders (copy int); ALTER TABLE orders ADD COLUMN more int;";
    let second = "ALTER TABLE orders ADD COLUMN note text;";
    let catalog = replay(Whole, &[(TransactionMode::None, first), (TransactionMode::None, second)]);
    assert_snapshot!(lines(&catalog), @r"
    column public.orders.id integer
    column public.orders.note text
    table public.orders
    ");
    assert!(catalog.is_whole());
}

#[test]
fn types_and_functions_are_known_by_what_made_them() {
    let catalog = after(
        Whole,
        "CREATE TYPE state AS ENUM ('open'); ALTER TYPE state ADD VALUE 'paid'; CREATE DOMAIN price AS int CHECK (VALUE > 0);
         CREATE FUNCTION tax(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
         CREATE OR REPLACE FUNCTION tax(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
         CREATE FUNCTION tax(text) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';",
    );
    assert_snapshot!(lines(&catalog), @r"
    domain public.price integer
    enum public.state open, paid
    ");
    let volatilities: Vec<String> = catalog.functions(&name("tax")).iter().map(|function| format!("{:?}", function.volatility)).collect();
    assert_eq!(volatilities, ["Volatile", "Stable"]);
    assert_eq!(word(catalog.user_type(&name("mood"))), "absent");
    let with_extension = after(Whole, "CREATE EXTENSION citext;");
    assert_eq!(word(with_extension.user_type(&name("citext"))), "unknown");
}

#[test]
fn twenty_thousand_chosen_names_are_found_at_once() {
    let sql = "CREATE INDEX ON orders (buyer); ALTER TABLE orders ADD CHECK (buyer > 0);".repeat(10_000);
    let catalog = after(Part, &sql);
    assert!(catalog.get(&public("orders_buyer_idx9999")).is_some());
    assert!(catalog.get(&public("orders")).expect("it is mentioned").constraint(&Ident::quoted("orders_buyer_check9999")).is_some());
}
