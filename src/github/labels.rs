//! The labels of a pull request that are ours: those that begin with `migration: `.

use super::api::{Api, Refusal};
use serde_json::{Value, json};

/// What our labels begin with.
const OURS: &str = "migration: ";

/// Makes our labels of a pull request these, and leaves all others alone. Gives how many were added or taken away.
///
/// # Errors
/// The token may not, or GitHub does not answer.
pub fn keep(api: &Api, pull_request: u64, wanted: &[String]) -> Result<usize, Refusal> {
    let path = format!("issues/{pull_request}/labels");
    let known = api.all(&path)?;
    let known: Vec<&str> = known.iter().filter_map(|label| label["name"].as_str()).collect();
    let stale: Vec<_> = known.iter().filter(|name| name.starts_with(OURS) && !wanted.iter().any(|label| label == *name)).collect();
    for name in &stale {
        api.send("DELETE", &format!("{path}/{}", encoded(name)), None)?;
    }
    let new: Vec<_> = wanted.iter().filter(|label| !known.contains(&label.as_str())).collect();
    if !new.is_empty() {
        api.send("POST", &path, Some(&json!({ "labels": Value::from_iter(new.iter().map(|label| label.as_str())) })))?;
    }
    Ok(stale.len() + new.len())
}

/// A name as a part of a path.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
