//! lockkeeper makes changing a PostgreSQL schema safe: it judges migrations by what the server will do.

pub mod text;
pub mod problem;
pub mod yaml;
pub mod model;
pub mod sql;
pub mod rule;
pub mod tool;
pub mod config;
pub mod discover;
pub mod plan;
pub mod lint;
pub mod report;
#[cfg(any(feature = "apply", feature = "github"))]
pub mod http;
#[cfg(feature = "github")]
pub mod github;
#[cfg(feature = "apply")]
pub mod db;
#[cfg(feature = "apply")]
pub mod apply;
#[cfg(feature = "lsp")]
pub mod lsp;
pub mod cli;
