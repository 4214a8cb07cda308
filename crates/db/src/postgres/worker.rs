//! A thread with one connection: runs transactions, again if they collided.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Receiver;

use super::dsn::Server;
use super::session::Session;
use crate::error::Error;
use crate::faults::Faults;
use crate::job::{Job, Verdict};
use crate::queue::Task;
use crate::tx::WriteTx;

/// How often a colliding transaction is run before its caller is told.
const ATTEMPTS: u32 = 24;
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// One worker; its connection is made when it is first needed, and again after it was lost.
pub(super) struct Worker {
    server: Arc<Server>,
    session: Option<Session>,
    faults: Option<Arc<dyn Faults>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Worker {
    pub(super) fn new(server: Arc<Server>, faults: Option<Arc<dyn Faults>>) -> Self {
        Self { server, session: None, faults }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, tasks: &Mutex<Receiver<Task>>) {
        loop {
            // Whoever holds the lock waits for a task, the others wait for the lock.
            let mut waiting = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            let task = waiting.blocking_recv();
            if matches!(task, Some(Task::Close)) {
                waiting.close();
            }
            drop(waiting);
            match task {
                Some(Task::Read(job)) => self.finish(job, Access::Read),
                Some(Task::Write(job)) => self.finish(job, Access::Write),
                Some(Task::Close) => {}
                None => return,
            }
        }
    }

    /// Runs a job to its end and answers its caller.
    fn finish(&mut self, mut job: Box<dyn Job>, access: Access) {
        let mut attempts = 0;
        let mut may_reconnect = true;
        let end = loop {
            if job.is_abandoned() {
                return;
            }
            attempts += 1;
            match self.attempt(job.as_mut(), access) {
                Attempt::Over(end) => break end,
                Attempt::Collided if attempts < ATTEMPTS => pause(attempts),
                Attempt::Collided => break Err(Error::Contention { attempts }),
                // The server may have been restarted since the last use. Nothing was committed, so it is
                // safe to run the job again on a new connection, once.
                Attempt::Disconnected(error) => {
                    self.session = None;
                    if !may_reconnect {
                        break Err(error);
                    }
                    tracing::warn!(%error, "lost the connection to PostgreSQL; connecting again");
                    may_reconnect = false;
                }
            }
        };
        job.answer(end);
    }

    /// Runs a job once.
    fn attempt(&mut self, job: &mut dyn Job, access: Access) -> Attempt {
        let session = match &mut self.session {
            Some(session) => session,
            none => match Session::connect(&self.server) {
                Ok(new) => none.insert(new),
                Err(error) => {
                    return Attempt::Disconnected(Error::Unavailable { message: error.to_string() });
                }
            },
        };
        let begin = match access {
            Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Access::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
        };
        if let Err(error) = session.control(begin) {
            return error.into();
        }
        let mut tx = WriteTx::postgres(session);
        let verdict = job.run(&mut tx);
        let failure = tx.into_failure();
        if verdict == Verdict::RollBack {
            if let Err(error) = session.control("ROLLBACK") {
                return error.into();
            }
            // The closure may have made an error of its own from a collision.
            return match failure {
                Some(failure @ (Error::Contention { .. } | Error::Unavailable { .. })) => failure.into(),
                _ => Attempt::Over(Ok(())),
            };
        }
        match (access, &self.faults) {
            (Access::Write, Some(faults)) => commit_with(faults.as_ref(), session),
            _ => session.commit().map_or_else(Attempt::from, |()| Attempt::Over(Ok(()))),
        }
    }
}

/// How an attempt ended.
enum Attempt {
    /// For good. `Ok` lets the caller have the closure's own result.
    Over(Result<(), Error>),
    /// In a collision with another transaction.
    Collided,
    /// Without a connection, and without having committed.
    Disconnected(Error),
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        match error {
            Error::Contention { .. } => Self::Collided,
            Error::Unavailable { .. } => Self::Disconnected(error),
            other => Self::Over(Err(other)),
        }
    }
}

fn commit_with(faults: &dyn Faults, session: &mut Session) -> Attempt {
    if faults.before_commit() {
        let injected = Error::Unavailable { message: "injected before commit".to_owned() };
        return session.control("ROLLBACK").map_or_else(Attempt::from, |()| Attempt::Over(Err(injected)));
    }
    if let Err(error) = session.commit() {
        return error.into();
    }
    if faults.after_commit() {
        let message = "injected after commit".to_owned();
        return Attempt::Over(Err(Error::CommitUnknown { message }));
    }
    Attempt::Over(Ok(()))
}

/// Waits before the next attempt: longer after each, and a random part of that, so that those who
/// collided do not meet again.
#[expect(clippy::disallowed_methods, reason = "colliding transactions have no event to wait for")]
fn pause(attempts: u32) {
    let longest = Duration::from_millis(1).saturating_mul(1 << attempts.min(10)).min(LONGEST_PAUSE);
    let random = RandomState::new().build_hasher().finish();
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX).max(1);
    std::thread::sleep(Duration::from_micros(random % micros));
}
