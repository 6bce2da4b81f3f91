//! Reports, one format each.
