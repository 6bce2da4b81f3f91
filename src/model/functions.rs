//! What is known of PostgreSQL's own functions: their volatility, as data for each major version.

use super::effects::Version;
use super::operation::Volatility;

/// The volatility of a built-in or contrib function by its name without schema: the most volatile of its overloads, `None` if no such
/// function is known in that version.
pub fn volatility(_name: &str, _server: Version) -> Option<Volatility> {
    todo!()
}
