//! What files do that they had better not do, and what is done to files.

use super::project::{LOGGED, Scene};
use std::fs;

#[test]
fn a_file_that_changes_its_session() {
    let mut scene = Scene::new("files", "a file empties search_path, becomes another role, sets timeouts and says DISCARD ALL").with_shop();
    scene.sql(&["DO $$ BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN END $$"]);
    scene.file(
        "002_count.sql",
        "SELECT pg_catalog.set_config('search_path', '', false);
         UPDATE public.orders SET n = n + 1 WHERE id > 0;
         INSERT INTO public.log (word) VALUES ('counted');
         GRANT SELECT ON public.orders TO clerk;
         SET lock_timeout = 0;
         SET TimeZone = 'Asia/Tokyo';
         SET ROLE clerk;",
    );
    scene.file("005_discard.sql", "SET search_path = pg_catalog;\nDISCARD ALL;\nINSERT INTO log (word) VALUES ('discarded');");
    scene.ends_with(&["apply"], 0);
    scene.saw("the ledger is written, and the next file finds the usual session", true, "");
    scene.settled(&format!("{LOGGED}, discarded"));
}

#[test]
fn a_file_with_borders_of_its_own() {
    let mut scene = Scene::new("files", "COMMIT in the middle of a file; another file with ROLLBACK").with_shop();
    scene.file(
        "005_parts.sql",
        "INSERT INTO log (word) VALUES ('first');\nCOMMIT;\nINSERT INTO log (word) VALUES ('second');\nSELECT 1 / 0;",
    );
    scene.approve();
    let answer = scene.ends_with(&["apply"], 10);
    scene.saw(
        "what stands before COMMIT stays, and what comes behind it is rolled back",
        answer.err.contains("division by zero"),
        &answer.err,
    );
    scene.finds("the log has the first word alone", "SELECT word FROM log ORDER BY at DESC LIMIT 1", "first");
    let steps = "INSERT INTO log (word) VALUES ('first');\nCOMMIT;\nINSERT INTO log (word) VALUES ('second');";
    scene.file("005_parts.sql", &format!("{steps}\nROLLBACK;"));
    let answer = scene.ends_with(&["apply"], 1);
    scene.saw("ROLLBACK is refused with its place", answer.err.contains("005_parts.sql:4"), &answer.err);
    scene.file("005_parts.sql", steps);
    scene.approve();
    scene.settles(&format!("{LOGGED}, first, second"));
}

#[test]
fn a_new_label_that_is_used_at_once() {
    let mut scene = Scene::new("files", "ALTER TYPE ... ADD VALUE, and the new value in the next statement").with_shop();
    scene.file("005_state.sql", "CREATE TYPE order_state AS ENUM ('new');\nCREATE TABLE states (state order_state);");
    scene.file(
        "006_paid.sql",
        "ALTER TYPE order_state ADD VALUE 'paid';\nINSERT INTO states (state) VALUES ('paid');\nINSERT INTO log (word) VALUES ('paid');",
    );
    scene.approve();
    scene.ends_with(&["apply"], 0);
    scene.finds("they are two steps", "SELECT count(*)::text FROM lockkeeper.step WHERE migration = '006'", "2");
    scene.settled(&format!("{LOGGED}, paid"));
}

#[test]
fn a_file_that_fails_in_its_third_step() {
    let mut scene = Scene::new("files", "a file fails in its third step, and is mended").with_shop();
    let file = |first: &str, third: &str| {
        format!(
            "BEGIN;\nINSERT INTO log (word) VALUES ('{first}');\nCOMMIT;\nCREATE INDEX CONCURRENTLY orders_n_id ON orders (n, id);\n\
             BEGIN;\nINSERT INTO log (word) VALUES ('three');\n{third}\nCOMMIT;"
        )
    };
    scene.file("005_steps.sql", &file("one", "SELECT no_such_column FROM orders;"));
    let answer = scene.ends_with(&["apply"], 10);
    scene.saw("it says what stays", answer.err.contains("its first 2 steps have committed and stay"), &answer.err);
    scene.file("005_steps.sql", &file("another one", ""));
    let answer = scene.ends_with(&["apply"], 7);
    scene.saw(
        "a first step that was changed is refused",
        answer.err.contains("step 1 has run, and its SQL is another one now"),
        &answer.err,
    );
    scene.file("005_steps.sql", &file("one", ""));
    let answer = scene.ends_with(&["apply"], 0);
    scene.saw("it goes on with the third", answer.err.contains("2 is not run: it has run before"), &answer.err);
    scene.settled(&format!("{LOGGED}, one, three"));
}

#[test]
fn a_byte_that_changes_after_the_approval() {
    let mut scene = Scene::new("files", "a file that was approved is changed by a byte, before it runs").with_shop();
    scene.ends_with(&["apply"], 0);
    let file = |word: &str| format!("ALTER TABLE orders DROP COLUMN note;\nINSERT INTO log (word) VALUES ('{word}');");
    scene.file("005_drop.sql", &file("dropped"));
    scene.ends_with(&["apply"], 1);
    scene.approve();
    scene.file("005_drop.sql", &file("dropper"));
    let answer = scene.ends_with(&["apply"], 1);
    scene.saw("it says so", answer.err.contains("has changed since it was approved"), &answer.err);
    scene.file("005_drop.sql", &format!("-- nothing reads it any more\n{}", file("dropped").replace('\n', "\r\n")));
    scene.ends_with(&["apply"], 0);
    scene.saw("a comment and other line ends do not matter", true, "");
    scene.settled(&format!("{LOGGED}, dropped"));
}

#[test]
fn line_ends_and_comments_that_change_after_it_ran() {
    let mut scene = Scene::new("files", "line ends and a comment of a file change after it has run; then its SQL").with_shop();
    scene.ends_with(&["apply"], 0);
    let path = scene.path("migrations/002_count.sql");
    let text = fs::read_to_string(&path).expect("it is there");
    fs::write(&path, format!("-- licence\r\n{}", text.replace('\n', "\r\n"))).expect("it is written");
    scene.ends_with(&["apply"], 0);
    let answer = scene.ends_with(&["validate"], 0);
    scene.saw("a notice, no error", answer.out.contains("only comments or line ends have changed"), &answer.out);
    fs::write(&path, text.replace("n + 1", "n + 2")).expect("it is written");
    scene.ends_with(&["apply"], 3);
    scene.ends_with(&["validate"], 3);
    fs::write(&path, text).expect("it is written");
    scene.settles(LOGGED);
}

#[test]
fn a_file_that_comes_late() {
    let mut scene = Scene::new("files", "a file comes that is older than ones that have run").with_shop();
    scene.ends_with(&["apply"], 0);
    scene.file("000_late.sql", "INSERT INTO log (word) VALUES ('late');");
    scene.ends_with(&["apply"], 3);
    let answer = scene.ends_with(&["validate"], 3);
    scene.saw("it is named", answer.out.contains("000"), &answer.out);
    scene.ends_with(&["apply", "--out-of-order"], 0);
    scene.saw("it runs if that is asked for", true, "");
    scene.settled(&format!("{LOGGED}, late"));
}

#[test]
fn a_file_that_has_run_is_gone() {
    let mut scene = Scene::new("files", "a file that has run is deleted").with_shop();
    scene.ends_with(&["apply"], 0);
    let path = scene.path("migrations/004_note.sql");
    let text = fs::read(&path).expect("it is there");
    fs::remove_file(&path).expect("it is there");
    let answer = scene.ends_with(&["validate"], 3);
    scene.saw("it is named", answer.out.contains("its file is gone"), &answer.out);
    scene.ends_with(&["apply"], 3);
    fs::write(&path, text).expect("it is written");
    scene.settles(LOGGED);
}
