//! What goes wrong while migrations run, played on real servers: see docs/faults.md, which these tests write.

mod blockers;
mod copy;
mod disks;
mod files;
mod indexes;
mod kills;
mod ledger;
mod listeners;
mod locks;
mod lost;
mod names;
mod page;
mod project;
mod proxy;
mod random;
mod runners;
mod signals;
