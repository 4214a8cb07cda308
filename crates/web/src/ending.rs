//! How a server ends in good order.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::TaskTracker;

/// How long requests and jobs that have begun may take after the signal.
const DRAIN_TIME: Duration = Duration::from_secs(30);

/// The signals that end a server in good order: SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on: a signal ends the process no longer by itself.
    ///
    /// # Errors
    /// When the system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them.
    pub async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits for the tasks and connections that are under way, but not for ever.
pub async fn drain(tasks: &TaskTracker, connections: &TaskTracker) {
    connections.close();
    tasks.close();
    let all = async {
        connections.wait().await;
        tasks.wait().await;
    };
    if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
        tracing::warn!(
            "some requests or jobs did not end within {DRAIN_TIME:?}; jobs are taken up at the next start"
        );
    }
}
