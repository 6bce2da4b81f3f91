//! Everything lockkeeper claims about PostgreSQL, held against servers that are started for it.

mod belongings;
mod catalog;
mod definitions;
mod dump;
mod examples;
mod fill;
mod functions;
mod model;
mod notices;
mod observe;
mod play;
mod preflight;
mod random_ddl;
mod same_end;
mod schema;
mod servers;
mod shop;
mod standby_server;
mod types;
mod stats;
mod target;
