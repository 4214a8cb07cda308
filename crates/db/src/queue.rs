//! The bounded queue between callers and the threads that talk to the database.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::error::{SendTimeoutError, TrySendError};
use tokio::sync::{Mutex, mpsc};

use crate::error::{Error, OpenError};
use crate::job::Job;

/// How long a caller waits for room in a full queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a thread is asked to do.
pub(crate) enum Task {
    /// Run a transaction that only reads (PostgreSQL; SQLite reads elsewhere).
    Read(Box<dyn Job>),
    /// Run a transaction that may write.
    Write(Box<dyn Job>),
    /// Take nothing new, finish what waits, and end.
    Close,
}

/// The callers' end, and the threads at the other.
pub(crate) struct Queue {
    tasks: mpsc::Sender<Task>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Queue {
    pub(crate) fn new(tasks: mpsc::Sender<Task>, threads: Vec<JoinHandle<()>>) -> Self {
        Self { tasks, threads: Mutex::new(threads) }
    }

    /// Puts a task at the end; waits a while when there is no room.
    pub(crate) async fn push(&self, task: Task) -> Result<(), Error> {
        // The timer is touched only when the queue is full.
        let task = match self.tasks.try_send(task) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Closed(_)) => return Err(Error::Closed),
            Err(TrySendError::Full(task)) => task,
        };
        self.tasks.send_timeout(task, PATIENCE).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => Error::Overloaded,
            SendTimeoutError::Closed(_) => Error::Closed,
        })
    }

    /// Lets what waits finish and waits for the threads to end. A second call waits for the first.
    pub(crate) async fn close(&self) {
        let mut threads = self.threads.lock().await;
        // An error says that the threads have ended already.
        let _ = self.tasks.send(Task::Close).await;
        let ending = std::mem::take(&mut *threads);
        let joined = tokio::task::spawn_blocking(|| {
            for thread in ending {
                if thread.join().is_err() {
                    tracing::error!("a database thread ended in a panic");
                }
            }
        });
        let _ = joined.await;
    }
}

/// Starts a named thread.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| OpenError::Thread { message: error.to_string() })
}
