//! Lets sqlparser read expressions and queries, and reduces its trees to what the model asks.
