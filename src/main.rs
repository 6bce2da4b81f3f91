//! Reads arguments, calls `cli`, exits; nothing else.
fn main() {}
