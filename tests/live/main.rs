//! Everything lockkeeper claims about PostgreSQL, held against servers that are started for it.

mod dump;
mod fill;
mod observe;
mod servers;
