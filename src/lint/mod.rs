//! Findings and classes out of migrations.

pub mod finding;
