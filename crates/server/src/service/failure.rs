//! Why something was not done.

use chancery_acme::Problem;
use chancery_acme::jws::JwsError;

use crate::licensing::admission::Denied;

/// Either the client's doing, which it is told of, or ours, which the log is told of.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request is refused.
    Refused(Problem),
    /// The licence does not allow it.
    Denied(Denied),
    /// The server cannot take it now; the same request may succeed soon.
    Unavailable(chancery_db::Error),
    /// The server failed.
    Internal(anyhow::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl Failure {
    /// Tells the log where it is the licence that does not allow what an account asked for.
    pub(crate) fn note_denial(&self, account_id: i64) {
        if let Self::Denied(denied) = self {
            let reasons = denied.reasons().join(" ");
            tracing::warn!(event = "license.deny", account_id, reasons, "an order was refused");
        }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<JwsError> for Failure {
    fn from(error: JwsError) -> Self {
        Self::Refused(error.into())
    }
}

impl From<chancery_db::Error> for Failure {
    fn from(error: chancery_db::Error) -> Self {
        match error {
            chancery_db::Error::Overloaded
            | chancery_db::Error::Contention { .. }
            | chancery_db::Error::Closed
            | chancery_db::Error::Unavailable { .. } => Self::Unavailable(error),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}
