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
    /// The audit log cannot be written, and the configuration allows no change without it.
    NoAudit,
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
