//! What `apply` rests on, held against servers that are started for it.

mod adopt;
mod amend;
mod backfill;
mod block;
mod cleanup;
mod confirm;
mod faults;
mod interrupted;
mod lies;
mod listener;
mod notify;
mod phases;
mod predicate;
mod project;
mod runner;
mod servers;
mod shop;
#[path = "../live/standby_server.rs"]
mod standby_server;
mod window;
