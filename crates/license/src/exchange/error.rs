use crate::document::DocumentError;

/// Why a response is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// It is no document that counts here.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// It is for another installation.
    #[error("the response is for the installation {found}")]
    OtherInstallation {
        /// The installation that it is for.
        found: String,
    },
    /// It answers another request: it is replayed, or came too late.
    #[error("the response answers another request: it is an old one, or the request was made anew since")]
    OtherRequest,
    /// It answers this request under another number.
    #[error("the response answers exchange {found}, and this is exchange {expected}")]
    OtherCounter {
        /// The number in the response.
        found: u64,
        /// The number in the request.
        expected: u64,
    },
}

impl ExchangeError {
    /// The class that test vectors and scripts know the error by; one class may have several causes.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Document(error) => error.class(),
            Self::OtherInstallation { .. } => "wrong_installation",
            Self::OtherRequest => "other_request",
            Self::OtherCounter { .. } => "other_counter",
        }
    }
}
