//! Why something was not done.

use crate::domain::Refusal;

/// Either the caller's doing, who is told of it, or ours, which the log is told of.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The store cannot take it now; the same request may succeed soon.
    #[error("the database cannot take it now: {0}")]
    Unavailable(chancery_db::Error),
    /// The portal failed.
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
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

impl From<crate::vault::Unsealed> for Failure {
    fn from(error: crate::vault::Unsealed) -> Self {
        Self::Internal(error.into())
    }
}
