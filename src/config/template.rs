//! The config that `lockkeeper init` writes.

/// A commented `lockkeeper.yaml`.
pub const TEMPLATE: &str = include_str!("template.yaml");
