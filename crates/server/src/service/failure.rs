//! Why something was not done.

use chancery_acme::Problem;
use chancery_acme::jws::JwsError;

use super::limits::Reached;
use crate::licensing::admission::Denied;

/// Either the client's doing, which it is told of, or ours, which the log is told of.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request is refused.
    Refused(Problem),
    /// The request is refused, and is of a kind that honest clients hardly ever make: it counts against its
    /// address.
    Abusive(Abuse, Problem),
    /// The licence does not allow it.
    Denied(Denied),
    /// A limit was reached.
    Limited(Box<Reached>),
    /// The audit log cannot be written, and the configuration allows no change without it.
    NoAudit,
    /// Too much of the kind is under way on this node; the same request may succeed soon.
    Busy(&'static str),
    /// The server cannot take it now; the same request may succeed soon.
    Unavailable(chancery_db::Error),
    /// The server failed.
    Internal(anyhow::Error),
}

/// What counts against an address. Honest mistakes do not: an old nonce, malformed JSON, a failed validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abuse {
    /// A signature does not verify.
    BadSignature,
    /// The object is of another account than the one that signs.
    ForeignObject,
}

impl Failure {
    /// An object that is of another account than the one that signs, or of none; the detail does not say which.
    pub(crate) fn foreign(detail: &str) -> Self {
        Self::Abusive(Abuse::ForeignObject, Problem::not_found(detail))
    }
}

impl From<Reached> for Failure {
    fn from(reached: Reached) -> Self {
        Self::Limited(Box::new(reached))
    }
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
        match error {
            JwsError::Signature => Self::Abusive(Abuse::BadSignature, error.into()),
            error => Self::Refused(error.into()),
        }
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
