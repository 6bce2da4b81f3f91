//! Places at which a test ends the process, as `kill -9` would. Builds for use have none.

/// Ends the process if the environment names this place: `LOCKKEEPER_FAILPOINT=after-commit`, or `after-commit:3` for the third time that it
/// is passed.
#[cfg(debug_assertions)]
pub fn reach(place: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("LOCKKEEPER_FAILPOINT") else { return };
    let (name, time) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if name == place && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == time.parse().unwrap_or(1) {
        // If the signal cannot be sent, the test that waits for it fails.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub fn reach(_place: &str) {}
