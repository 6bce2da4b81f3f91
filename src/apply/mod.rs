//! Approved migrations, run exactly once: what is due, whether it may run, how it runs, and what the ledger says of it.

pub mod amend;
pub mod approval;
pub mod backfill;
pub mod cleanup;
pub mod confirm;
pub mod draft;
pub mod due;
pub mod event;
pub mod execute;
pub mod failpoint;
pub mod foreign;
pub mod gate;
pub mod hash;
pub mod ledger;
pub mod live;
pub mod notices;
pub mod orphan;
pub mod pipeline;
pub mod predicate;
pub mod preflight;
pub mod session;
pub mod step;
pub mod stop;
pub mod verdict;
pub mod watch;
pub mod wish;
