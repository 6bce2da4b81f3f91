//! What the header of a phase asks before it runs, and when it has run.

use crate::project::Project;
use crate::servers::servers;

const ORDERS: (&str, &str) = ("0001_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n");

/// The first phase of a plan that nobody has made: what is found about that is approved along with it.
fn phase(header: &str, sql: &str) -> Project {
    let text = format!("-- lockkeeper: transaction none\n-- lockkeeper: phase 1/2 of tidy-orders\n{header}{sql}");
    let project = Project::new(&servers()[0], &[ORDERS, ("0002_tidy.up.sql", &text)]);
    project.approve_all();
    assert_eq!(project.run(&["apply", "--to", "0001"]).code, 0);
    project
}

const TWO_ORDERS: &str = "INSERT INTO orders VALUES (1);\nINSERT INTO orders VALUES (2);\n";

#[test]
fn a_phase_whose_assertion_is_false_is_refused_and_stays_pending() {
    let project = phase("-- lockkeeper: assert SELECT count(*) = 1 FROM orders\n", TWO_ORDERS);
    let refused = project.run(&["apply"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("what has to be true before this phase is not: SELECT count(*) = 1 FROM orders"), "{}", refused.err);
    assert_eq!(project.ask("SELECT count(*)::text FROM orders"), "0");
    assert!(project.run(&["status"]).out.contains("  0002  pending  tidy\n"));
}

#[test]
fn a_phase_that_was_broken_off_goes_on_though_it_has_made_its_own_assertion_untrue() {
    let project = phase("-- lockkeeper: assert SELECT count(*) = 0 FROM orders\n", TWO_ORDERS);
    let killed = project.command(&["apply"]).env("LOCKKEEPER_FAILPOINT", "step-ended").output().expect("lockkeeper starts");
    assert_eq!(killed.status.code(), None, "it was killed");
    assert_eq!(project.ask("SELECT count(*)::text FROM orders"), "1");
    let again = project.run(&["apply"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(project.ask("SELECT string_agg(id::text, ', ' ORDER BY id) FROM orders"), "1, 2");
}

#[test]
fn a_migration_has_not_ended_before_what_it_should_have_made_true_is() {
    let project = phase("-- lockkeeper: verify SELECT count(*) = 3 FROM orders\n", TWO_ORDERS);
    for _ in 0..2 {
        let invalid = project.run(&["apply"]);
        assert_eq!(invalid.code, 8, "{}", invalid.err);
        assert!(invalid.err.contains("what it should have made true is not: SELECT count(*) = 3 FROM orders"), "{}", invalid.err);
        assert!(project.run(&["status"]).out.contains("  0002  begun, not ended, 2 of its steps have committed  tidy\n"));
    }
    project.ask("INSERT INTO orders VALUES (3) RETURNING id::text");
    assert_eq!(project.run(&["apply"]).code, 0);
    assert_eq!(project.ask("SELECT count(*)::text FROM orders"), "3", "no statement has run again");
    assert_eq!(project.run(&["validate"]).code, 0);
}
