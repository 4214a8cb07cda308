//! Moving the write-ahead log into the database file without holding up commits.
//!
//! A checkpoint copies pages and syncs twice. Done by the committing connection, as SQLite does by
//! default, some unlucky commit waits for all of it. Here a second thread does the bulk while commits go
//! on. The log starts over only when a checkpoint has reached its end, which the second thread never
//! does under load; so the writer, between two commits, adds the little that came in meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::OpenError;
use crate::queue;

/// The length of the log, in pages of 4 KiB, that starts a checkpoint.
const LONG_LOG: i64 = 1_000;
/// The length of the log is looked at once in so many commits.
const COMMITS_PER_LOOK: u32 = 16;

/// The second thread, as the writer sees it.
pub(super) struct Checkpointer {
    wake: SyncSender<()>,
    /// Set when the second thread has copied what was there when it began.
    copied: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    commits: u32,
}

impl Checkpointer {
    /// Starts the thread with a connection of its own.
    pub(super) fn start(connection: Connection) -> Result<Self, OpenError> {
        let (wake, woken) = sync_channel(1);
        let copied = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&copied);
        let thread = queue::spawn("db-checkpoint", move || run(&connection, &woken, &done))?;
        Ok(Self { wake, copied, thread, commits: 0 })
    }

    /// Does what is due now that no transaction runs on the writer's connection.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        if self.copied.swap(false, Ordering::Relaxed) {
            checkpoint(writer, "PRAGMA wal_checkpoint(PASSIVE)");
            return;
        }
        self.commits = self.commits.wrapping_add(1);
        if self.commits.is_multiple_of(COMMITS_PER_LOOK)
            && checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)").is_some_and(|pages| pages >= LONG_LOG)
        {
            // Full means that the thread has been woken already.
            let _ = self.wake.try_send(());
        }
    }

    /// Ends the thread. What the log still holds goes into the file when the last connection closes.
    pub(super) fn finish(self) {
        drop(self.wake);
        if self.thread.join().is_err() {
            tracing::error!("the checkpoint thread ended in a panic");
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>, copied: &AtomicBool) {
    while woken.recv().is_ok() {
        checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
        copied.store(true, Ordering::Relaxed);
    }
}

/// Runs a checkpoint and returns the pages in the log. A failure is logged only: the data is safe in
/// the log, and the next checkpoint tries again.
fn checkpoint(connection: &Connection, pragma: &'static str) -> Option<i64> {
    let pages = connection.prepare_cached(pragma).and_then(|mut run| run.query_row([], |row| row.get(1)));
    pages.inspect_err(|error| tracing::warn!(%error, "a checkpoint of the database log failed")).ok()
}
