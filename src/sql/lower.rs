//! Recognised statements and their details, lowered to operations.
