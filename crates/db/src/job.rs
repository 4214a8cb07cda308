//! A closure on its way to the thread that runs it, and its result on the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::Error;
use crate::tx::{ReadTx, WriteTx};

/// A transaction whose types are known to its caller alone.
pub(crate) trait Job: Send {
    /// Runs the closure and keeps its result for [`answer`](Self::answer).
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Verdict;

    /// Tells the caller how it ended: with the closure's result, or with an error of the commit that
    /// takes its place.
    fn answer(self: Box<Self>, end: Result<(), Error>);

    /// Whether the caller has stopped waiting.
    fn is_abandoned(&self) -> bool;
}

/// What is to become of the changes that a closure made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Commit,
    RollBack,
}

/// A job and the place where its result arrives.
pub(crate) fn new<T, E, F>(closure: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Closure { closure, result: None, reply }), answer)
}

/// Runs a reading closure.
pub(crate) fn run_read<T, E: From<Error>>(
    tx: &mut ReadTx<'_>,
    closure: &mut impl FnMut(&mut ReadTx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let result = catch_unwind(AssertUnwindSafe(|| closure(tx)));
    settle(result, tx.failure())
}

struct Closure<F, T, E> {
    closure: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Closure<F, T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Verdict {
        let result = catch_unwind(AssertUnwindSafe(|| (self.closure)(tx)));
        let result = settle(result, tx.failure());
        let verdict = if result.is_ok() { Verdict::Commit } else { Verdict::RollBack };
        self.result = Some(result);
        verdict
    }

    fn answer(self: Box<Self>, end: Result<(), Error>) {
        let result = match end {
            Ok(()) => self.result.unwrap_or_else(|| Err(Error::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // The caller may have gone away, which is its right.
        let _ = self.reply.send(result);
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// Turns a panic, or `Ok` in spite of a failed statement, into the error that it is.
fn settle<T, E: From<Error>>(
    result: std::thread::Result<Result<T, E>>,
    failure: Option<&Error>,
) -> Result<T, E> {
    match (result, failure) {
        (Err(_), _) => Err(Error::Panicked.into()),
        (Ok(Ok(_)), Some(failure)) => Err(failure.clone().into()),
        (Ok(result), _) => result,
    }
}
