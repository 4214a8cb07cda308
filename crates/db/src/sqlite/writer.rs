//! The thread that writes, and how it lets many transactions share one sync.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc::Receiver;

use super::checkpoint::Checkpointer;
use super::statement;
use crate::error::Error;
use crate::faults::Faults;
use crate::job::{Job, Verdict};
use crate::queue::Task;
use crate::tx::WriteTx;

/// Transactions in one commit at most, so that the first of them does not wait without end.
const GROUP: usize = 256;

/// Owns the writing connection.
pub(super) struct Writer {
    connection: Connection,
    checkpointer: Checkpointer,
    faults: Option<Arc<dyn Faults>>,
    /// The jobs of the running group whose callers are yet to be answered.
    group: Vec<Box<dyn Job>>,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        checkpointer: Checkpointer,
        faults: Option<Arc<dyn Faults>>,
    ) -> Self {
        Self { connection, checkpointer, faults, group: Vec::with_capacity(GROUP) }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, mut tasks: Receiver<Task>) {
        while let Some(task) = tasks.blocking_recv() {
            match task {
                Task::Read(job) | Task::Write(job) => self.commit_group(job, &mut tasks),
                Task::Close => tasks.close(),
            }
        }
        self.checkpointer.finish();
    }

    /// Runs `first` and all that wait in one transaction, then answers their callers.
    fn commit_group(&mut self, first: Box<dyn Job>, tasks: &mut Receiver<Task>) {
        if first.is_abandoned() {
            return;
        }
        if let Err(error) = statement::control(&self.connection, "BEGIN IMMEDIATE") {
            first.answer(Err(error));
            return;
        }
        let end = match self.run_group(first, tasks) {
            Ok(()) => self.commit(),
            Err(end) => self.roll_back(end),
        };
        for job in self.group.drain(..) {
            job.answer(end.clone());
        }
        self.checkpointer.after_commit(&self.connection);
    }

    /// Fills the group. `Err` says that the whole transaction is to be rolled back, and what the callers
    /// are told.
    fn run_group(
        &mut self,
        mut first: Box<dyn Job>,
        tasks: &mut Receiver<Task>,
    ) -> Result<(), Result<(), Error>> {
        // Before the first there is nothing that a savepoint could protect: if it fails, everything goes.
        let verdict = first.run(&mut WriteTx::sqlite(&self.connection));
        self.group.push(first);
        if verdict == Verdict::RollBack {
            return Err(Ok(()));
        }
        while self.group.len() < GROUP {
            let mut job = match tasks.try_recv() {
                Ok(Task::Read(job) | Task::Write(job)) => job,
                Ok(Task::Close) => {
                    tasks.close();
                    continue;
                }
                Err(_) => break,
            };
            if job.is_abandoned() {
                continue;
            }
            let ran = self.run_in_savepoint(job.as_mut());
            self.group.push(job);
            ran.map_err(Err)?;
        }
        Ok(())
    }

    /// Runs a job so that its failure leaves alone what ran before it.
    fn run_in_savepoint(&self, job: &mut dyn Job) -> Result<(), Error> {
        statement::control(&self.connection, "SAVEPOINT job")?;
        if job.run(&mut WriteTx::sqlite(&self.connection)) == Verdict::RollBack {
            // Some failures, such as a full disk, make SQLite roll back the transaction as a whole; then
            // there is no savepoint and the group ends here.
            statement::control(&self.connection, "ROLLBACK TO job")?;
        }
        statement::control(&self.connection, "RELEASE job")
    }

    fn commit(&self) -> Result<(), Error> {
        if self.faults.as_ref().is_some_and(|faults| faults.before_commit()) {
            return self.roll_back(Err(Error::Unavailable { message: "injected before commit".to_owned() }));
        }
        let committed = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.raw_execute());
        if let Err(error) = committed {
            // After a failed sync the log may hold the commit all the same, and a restart would find it.
            let meaning = match error.sqlite_error_code() {
                Some(ErrorCode::SystemIoFailure) => Error::CommitUnknown { message: error.to_string() },
                _ => statement::meaning(&error, "COMMIT"),
            };
            return self.roll_back(Err(meaning));
        }
        if self.faults.as_ref().is_some_and(|faults| faults.after_commit()) {
            return Err(Error::CommitUnknown { message: "injected after commit".to_owned() });
        }
        Ok(())
    }

    /// Undoes the transaction, if SQLite has not done so, and passes on what the callers are told.
    fn roll_back(&self, end: Result<(), Error>) -> Result<(), Error> {
        if !self.connection.is_autocommit()
            && let Err(error) = statement::control(&self.connection, "ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
        end
    }
}
