//! Statements that a plan runs in another order than their file end where the file ends.

use super::{ROWS, Tally, journey, plan};
use crate::servers::oldest_and_newest;
use lockkeeper::db::block_on;
use lockkeeper::lint::planner::Piece;
use lockkeeper::rule::set::RuleSet;

const TABLES: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text, state text);
                      CREATE INDEX users_email_idx ON users (email); CREATE UNIQUE INDEX users_state_key ON users (state, id);";
const FILLED: &str = "INSERT INTO users SELECT n, 'u' || n, CASE WHEN n % 3 > 0 THEN 'open' END FROM generate_series(1, $ROWS) n;";

/// The statements, and words of which the second stands before the first in the plan.
const FILES: &[(&str, &str, &str)] = &[
    (
        "ALTER TABLE users ADD COLUMN email_address text;
         UPDATE users SET email_address = email WHERE email_address IS NULL;
         CREATE FUNCTION keep_equal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email_address := NEW.email; RETURN NEW; END $$;
         CREATE TRIGGER users_keep_equal BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep_equal();",
        "UPDATE users SET email_address",
        "CREATE TRIGGER",
    ),
    (
        "ALTER TABLE users ADD CONSTRAINT users_state_known CHECK (state IS NOT NULL) NOT VALID;
         UPDATE users SET state = 'open' WHERE state IS NULL;
         ALTER TABLE users VALIDATE CONSTRAINT users_state_known;",
        "ADD CONSTRAINT",
        "UPDATE users SET state",
    ),
    (
        "DROP INDEX users_email_idx; DROP INDEX users_state_key; CREATE INDEX users_both_idx ON users (email, state);",
        "DROP INDEX",
        "CREATE INDEX",
    ),
];

#[test]
fn statements_in_another_order_end_where_their_file_ends() {
    let rules = RuleSet::embedded();
    let mut tally = Tally::default();
    for server in oldest_and_newest() {
        for (naive, late, early) in FILES {
            let who = format!("{naive:.60}, on {}", server.installation().release);
            let planned = plan(server, &rules, TABLES, naive);
            assert!(!planned.pieces.iter().any(|piece| matches!(piece, Piece::Refused { .. })), "{who}: {:?}", planned.pieces);
            let texts: String = planned.files.iter().map(|(_, text)| text.as_str()).collect();
            assert!(texts.find(early) < texts.find(late), "{who}: {texts}");
            let journey = journey(&who, server, (TABLES, &FILLED.replace("$ROWS", &ROWS.to_string())), naive, &planned);
            journey.lints_clean(&mut tally);
            let proofs = block_on(journey.prove(0, &mut tally));
            proofs.expect("an event queue").unwrap_or_else(|refusal| panic!("{who}: {refusal}"));
        }
    }
    assert!(tally.complaints.is_empty(), "{}", tally.complaints.join("\n"));
}
