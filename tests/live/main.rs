//! Everything lockkeeper claims about PostgreSQL, held against servers that are started for it.

mod observe;
mod servers;
