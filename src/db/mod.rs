//! Live servers.
