//! The table of facts, by topic.
