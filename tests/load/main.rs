//! Each phase of a plan, run while the old and the new release of an application use its tables.

mod apply;
mod case;
mod cases;
mod measure;
mod page;
mod phase;
mod product;
mod servers;
mod shop;
mod traffic;

use case::{Alone, Case, Measured, Played, Span};
use phase::Phase;
use servers::Template;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use traffic::Operation;

/// How many rows each table has.
const ROWS: u32 = 100_000;

/// So many times as many rows show whether a stall grows with the table.
const GROWTH: u32 = 10;

/// How long a phase may keep anybody waiting besides for its lock, and on top of what the same load sees when nothing else runs.
const ALLOWED: Duration = Duration::from_millis(100);

/// Other work on the machine must not fail the test: a stall that is the plan's is there each time.
const MOST_ATTEMPTS: u32 = 3;

/// For the test.
const SHORT: Span = Span { baseline: Duration::from_millis(1000), roll_out: Duration::from_millis(1000), echo: Duration::from_millis(300) };

/// For the page: a hundred operations after each phase.
const LONG: Span = Span { baseline: Duration::from_millis(3000), roll_out: Duration::from_millis(2000), echo: Duration::from_millis(1000) };

/// A test for each case, and all of them for the page.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        fn all() -> Vec<Case> {
            vec![$(cases::$case()),*]
        }

        mod without_pain {
            $(#[test]
            fn $case() {
                crate::test(&crate::cases::$case());
            })*
        }
    };
}

cases!(
    rename_column,
    change_type,
    split_column,
    move_column,
    drop_column,
    add_column_volatile_default,
    set_not_null,
    add_foreign_key,
    add_unique,
    add_check,
    bigint_primary_key,
    rename_table,
    drop_table,
    rename_enum_value,
    create_index,
    replace_index,
    create_index_on_partitioned,
    attach_partition,
);

/// Measurements would disturb each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn updates_docs() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

fn test(case: &Case) {
    if updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    measure(case, &case.template(ROWS), SHORT);
}

/// Runs a plan under load until it has been seen without a stall that is not its own, and demands what a plan has to keep.
fn measure(case: &Case, template: &Template, span: Span) -> Played {
    let phases = phases(case);
    let mut best: Option<Played> = None;
    for _ in 0..MOST_ATTEMPTS {
        let played = case.play(template, ROWS, &phases, span);
        demand_correct(case, &played);
        let allowed = played.baseline.longest + ALLOWED;
        let now = best.map_or(played.clone(), |before| before.or_better(played));
        let calm = now.longest() <= allowed;
        best = Some(now);
        if calm {
            break;
        }
    }
    let best = best.expect("there was an attempt");
    for phase in &best.phases {
        let allowed = best.baseline.longest + ALLOWED + phase.lock_wait;
        let stall = phase.felt.longest;
        assert!(stall <= allowed, "`{}`, {}: somebody has waited for {stall:?}, {allowed:?} are allowed", case.title, phase.name);
    }
    best
}

/// What no other work on the machine excuses.
fn demand_correct(case: &Case, played: &Played) {
    assert!(played.all.errors.is_empty(), "`{}`: operations have failed: {:#?}", case.title, played.all.errors);
    assert_eq!(played.wrong_rows, 0, "`{}`: rows are not as they were acknowledged", case.title);
    for phase in &played.phases {
        let (name, read) = (&phase.name, phase.read_while_blocking);
        assert_eq!(read, 0, "`{}`, {name}: it reads so many rows while it holds {:?}", case.title, phase.strongest);
    }
}

fn phases(case: &Case) -> Vec<Phase> {
    product::phases(case).unwrap_or_else(|said| panic!("`{}`: there is no plan: {said}", case.title))
}

#[test]
fn rows_that_come_while_a_column_moves_are_in_both_tables() {
    test(&cases::move_column_of_new_rows());
}

/// Longer than a phase waits for a lock.
const REPORT: Duration = Duration::from_secs(3);

#[test]
fn a_transaction_that_stays_open_costs_others_one_lock_wait() {
    if !updates_docs() {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        behind_a_report(REPORT);
    }
}

/// The first phase of renaming a column, and the naive statement, while a report keeps its transaction open.
fn behind_a_report(open: Duration) -> page::Behind {
    let case = cases::rename_column();
    let template = case.template(ROWS);
    let first = &phases(&case)[0];
    assert!(first.lock_wait() > Duration::ZERO && first.lock_wait() < open, "the phase gives up before the report ends");
    let mut best: Option<Measured> = None;
    for _ in 0..MOST_ATTEMPTS {
        let (baseline, phase) = case.behind(&template, ROWS, first, ("users", open));
        assert!(phase.felt.errors.is_empty(), "operations have failed: {:#?}", phase.felt.errors);
        assert!(phase.retries > 0, "the report has kept it waiting");
        let calm = phase.felt.longest <= baseline.longest + ALLOWED + phase.lock_wait;
        best = Some(best.filter(|best| best.felt.longest < phase.felt.longest).unwrap_or(phase));
        if calm {
            let (_, naive) = case.behind(&template, ROWS, &case.naive(), ("users", open));
            assert!(naive.felt.longest > first.lock_wait() + ALLOWED, "the naive statement waits for the report, and all behind it");
            return page::Behind { open, phase: best.expect("it was measured"), naive };
        }
    }
    panic!("one lock wait is {:?}, and somebody has waited for longer: {:?}", first.lock_wait(), best.map(|best| best.felt.longest));
}

/// The first phase of renaming a column, under an application that has prepared `SELECT *`.
fn select_star() -> Alone {
    let mut case = cases::rename_column();
    let star = "SELECT * FROM users WHERE id = $2::int8".to_owned();
    case.applications[0].operations = vec![Operation::Read(star)];
    case.alone(&case.template(ROWS), ROWS, &phases(&case)[0], LONG)
}

/// Two transactions that wait for each other wait for a second, which is `deadlock_timeout`, and then PostgreSQL ends one of them.
const DEADLOCK: Duration = Duration::from_secs(1);

#[test]
fn a_backfill_gives_way_to_transactions_that_come_against_it() {
    if updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut case = cases::rename_column();
    for application in &mut case.applications {
        let update = application.operations.iter().find(|operation| matches!(operation, Operation::WriteTwo(..)));
        let Some(Operation::WriteTwo(update, _)) = update else { panic!("the case has no update") };
        application.operations = vec![Operation::WriteTwo(update.clone(), Duration::from_millis(20))];
    }
    let template = case.template(ROWS);
    let phases = phases(&case);
    let mut longest = Vec::new();
    for _ in 0..MOST_ATTEMPTS {
        let played = case.play(&template, ROWS, &phases, SHORT);
        demand_correct(&case, &played);
        longest.push(played.longest().saturating_sub(played.baseline.longest));
    }
    assert!(longest.iter().min() < Some(&(DEADLOCK / 2)), "the backfill and the application wait for each other: {longest:?}");
}

/// Writes docs/plans.md if `UPDATE_DOCS` is set: more rows, longer looks, and the naive statements.
#[test]
fn the_page_is_written() {
    if !updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let result = |case: Case| {
        let template = case.template(ROWS);
        let played = measure(&case, &template, LONG);
        let few = case.alone(&template, ROWS, &case.naive(), LONG);
        drop(template);
        let many = case.alone(&case.template(ROWS * GROWTH), ROWS * GROWTH, &case.naive(), LONG);
        page::Result { case, played, naive: vec![few, many] }
    };
    let asides = page::Asides { behind: behind_a_report(Duration::from_secs(10)), star: select_star() };
    let results: Vec<_> = all().into_iter().map(result).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans.md");
    fs::write(&path, page::page(&results, &asides, ROWS)).expect("docs/plans.md is written");
}
