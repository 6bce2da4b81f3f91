//! Ctrl-C and SIGTERM: the first one ends the statement that runs, the second one waits for nothing.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The wish to stop.
#[derive(Debug)]
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
    count: u32,
}

impl Stop {
    /// Listens from now on: neither signal ends the process any more.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, count: 0 })
    }

    /// Waits for the next signal. Nothing is lost if this is given up.
    pub async fn signal(&mut self) -> u32 {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.count += 1;
        self.count
    }

    /// Whether anybody has asked so far, without waiting.
    pub async fn asked(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.signal() => true,
            () = std::future::ready(()) => self.count > 0,
        }
    }
}
