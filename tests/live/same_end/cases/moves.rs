//! Columns that move to another table, and values that are split, in several statements: their plans end where the statements end, and what
//! is written meanwhile through either table is in both.

use super::{ROWS, Tally, journey, plan};
use crate::servers::{new_database, oldest_and_newest, remove_database};
use lockkeeper::db::{Connection, Refusal, block_on};
use lockkeeper::lint::planner::{FilePlan, Piece};
use lockkeeper::rule::set::RuleSet;

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, bio text, age integer DEFAULT 18);";
const USERS_ROWS: &str =
    "INSERT INTO users SELECT n, 'User ' || n, CASE WHEN n % 10 > 0 THEN 'bio ' || n END, n % 90 FROM generate_series(1, $ROWS) n;";

/// Tables, their rows, and the statements.
struct Move {
    name: &'static str,
    tables: &'static str,
    rows: &'static str,
    naive: &'static str,
}

const MOVES: &[Move] = &[
    Move {
        name: "to the one row that belongs to it",
        tables: "CREATE TABLE profiles (user_id bigint PRIMARY KEY REFERENCES users, note text);",
        rows: "INSERT INTO profiles SELECT n, 'note ' || n FROM generate_series(1, $ROWS, 2) n;",
        naive: "ALTER TABLE profiles ADD COLUMN bio text;
                UPDATE profiles SET bio = users.bio FROM users WHERE users.id = profiles.user_id;
                ALTER TABLE users DROP COLUMN bio;",
    },
    Move {
        name: "two at once, one of them required, without a foreign key",
        tables: "CREATE TABLE cards (number text PRIMARY KEY, holder bigint UNIQUE);",
        rows: "INSERT INTO cards SELECT 'card ' || n, n FROM generate_series(1, $ROWS) n; INSERT INTO cards VALUES ('nobody''s', NULL);",
        naive: "ALTER TABLE cards ADD age integer, ADD printed text;
                UPDATE cards AS c SET age = u.age, printed = name FROM users u WHERE c.holder = u.id;
                ALTER TABLE users DROP age, DROP name;",
    },
    Move {
        name: "to many rows, by a subselect",
        tables: "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint REFERENCES users);
                 CREATE INDEX orders_buyer_idx ON orders (buyer);",
        rows: "INSERT INTO orders SELECT n, n / 3 + 1 FROM generate_series(1, $ROWS) n; INSERT INTO orders VALUES (0, NULL);",
        naive: "ALTER TABLE orders ADD COLUMN age integer;
                UPDATE orders SET age = (SELECT u.age FROM users u WHERE u.id = buyer);
                ALTER TABLE users DROP COLUMN age;",
    },
    Move {
        name: "by two columns, and names in quotes",
        tables: r#"CREATE TABLE "order lines" (shop integer, "number" text, "the 'note'" numeric(8,2), PRIMARY KEY (shop, "number"));
                   CREATE TABLE "Parcels" (id bigint PRIMARY KEY, shop integer, line text, UNIQUE (shop, line));"#,
        rows: r#"INSERT INTO "order lines" SELECT n % 7, 'line ' || n, n / 4.0 FROM generate_series(1, $ROWS) n;
                 INSERT INTO "Parcels" SELECT n, n % 7, 'line ' || n FROM generate_series(1, $ROWS) n;"#,
        naive: r#"ALTER TABLE "Parcels" ADD COLUMN "the 'note'" numeric(8,2);
                  UPDATE "Parcels" p SET "the 'note'" = l."the 'note'" FROM "order lines" AS l
                  WHERE p.shop = l.shop AND l.number = line AND l."the 'note'" IS NOT NULL;
                  ALTER TABLE "order lines" DROP COLUMN "the 'note'";"#,
    },
    Move {
        name: "nowhere else: a name becomes two",
        tables: "",
        rows: "",
        naive: "ALTER TABLE users ADD first_name text, ADD last_name text;
                UPDATE users SET first_name = split_part(name, ' ', 1), last_name = split_part(name, ' ', 2);
                ALTER TABLE users DROP COLUMN name;",
    },
];

#[test]
fn columns_move_and_are_split() {
    let rules = RuleSet::embedded();
    let mut tally = Tally::default();
    for server in oldest_and_newest() {
        for Move { name, tables, rows, naive } in MOVES {
            let who = format!("{name}, on {}", server.installation().release);
            let tables = format!("{USERS} {tables}");
            let rows = format!("{USERS_ROWS} {rows}").replace("$ROWS", &ROWS.to_string());
            let planned = plan(server, &rules, &tables, naive);
            assert!(matches!(&planned.pieces[..], [Piece::Planned(_)]), "{who}: {:?}", planned.pieces);
            let journey = journey(&who, server, (&tables, &rows), naive, &planned);
            journey.lints_clean(&mut tally);
            let proofs = block_on(journey.prove(0, &mut tally));
            proofs.expect("an event queue").unwrap_or_else(|refusal| panic!("{who}: {refusal}"));
        }
    }
    assert!(tally.complaints.is_empty(), "{}", tally.complaints.join("\n"));
}

/// What old and new code write after the first phase, the row that it is about, and what the old and the new place of that say then.
const WRITES: &[(&str, i64, &str)] = &[
    ("UPDATE users SET bio = 'old code' WHERE id = 1", 1, "old code|old code"),
    ("UPDATE profiles SET bio = 'new code' WHERE user_id = 1", 1, "new code|new code"),
    ("UPDATE users SET bio = NULL WHERE id = 1", 1, "NULL|NULL"),
    ("UPDATE profiles SET bio = 'again', note = 'x' WHERE user_id = 1", 1, "again|again"),
    ("UPDATE profiles SET bio = NULL WHERE user_id = 1", 1, "NULL|NULL"),
    // Not filled yet.
    ("UPDATE profiles SET note = 'y' WHERE user_id = 3", 3, "bio 3|NULL"),
    ("UPDATE profiles SET bio = bio WHERE user_id = 3", 3, "bio 3|bio 3"),
    ("INSERT INTO users VALUES (11, 'Old', 'old bio'); INSERT INTO profiles VALUES (11)", 11, "old bio|old bio"),
    ("INSERT INTO users VALUES (12, 'New'); INSERT INTO profiles VALUES (12, 'n', 'new bio')", 12, "new bio|new bio"),
    ("UPDATE profiles SET user_id = 2 WHERE user_id = 12", 2, "bio 2|bio 2"),
];

#[test]
fn what_either_code_writes_is_in_both_tables() {
    let rules = RuleSet::embedded();
    let Move { tables, rows, naive, .. } = &MOVES[0];
    let tables = format!("{USERS} {tables}");
    for server in oldest_and_newest() {
        let planned = plan(server, &rules, &tables, naive);
        let rows = format!("{USERS_ROWS} {rows}").replace("$ROWS", "10");
        let seen = block_on(async {
            let database = new_database(server).await;
            let mut connection = Connection::open(&database).await?;
            connection.run(&format!("{tables} {rows}")).await?;
            let seen = written(&mut connection, &planned).await;
            connection.close().await;
            remove_database(server, &database).await;
            seen
        });
        let seen = seen.expect("an event queue").unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(seen, WRITES.iter().map(|(sql, _, both)| format!("{sql}: {both}")).collect::<Vec<_>>());
    }
}

async fn written(connection: &mut Connection, planned: &FilePlan) -> Result<Vec<String>, Refusal> {
    let Some(Piece::Planned(plan)) = planned.pieces.first() else { panic!("{:?}", planned.pieces) };
    for line in &plan.phases[0].up {
        connection.run(&line.sql).await?;
    }
    let mut seen = Vec::new();
    for (sql, id, _) in WRITES {
        connection.run(sql).await?;
        let both = format!(
            "SELECT concat_ws('|', (SELECT coalesce(bio, 'NULL') FROM users WHERE id = {id}), \
                                   (SELECT coalesce(bio, 'NULL') FROM profiles WHERE user_id = {id}))"
        );
        seen.push(format!("{sql}: {}", connection.texts(&both).await?.concat()));
    }
    Ok(seen)
}
