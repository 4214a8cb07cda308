use chancery_time::Timestamp;

use super::Kind;
use crate::anchors::Environment;
use crate::armour::ArmourError;
use crate::crypto::{KeyId, SigningFailed};
use crate::envelope::{Envelope, EnvelopeError};
use crate::json::JsonError;
use crate::state::InvalidReason;

/// Why a document is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The armour is wrong.
    #[error("the armour: {0}")]
    Armour(#[from] ArmourError),
    /// A known key is named, and did not sign these bytes.
    #[error("the signature by the key {0} is wrong: the document was altered, or is not by who it says")]
    BadSignature(KeyId),
    /// The envelope is wrong.
    #[error("the envelope: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The key may not sign such a document.
    #[error("the key {key} may not sign a {kind}")]
    KeyNotForThis {
        /// The key that signed.
        key: KeyId,
        /// What it signed.
        kind: Kind,
    },
    /// The key was not valid when the document was issued.
    #[error("the key {key} was not valid on {issued}, when the document says it was issued")]
    KeyNotValidThen {
        /// The key that signed.
        key: KeyId,
        /// When the document says it was issued.
        issued: Timestamp,
    },
    /// The manifest lists a key that is trusted otherwise, or twice.
    #[error("the key {0} is listed twice, or is an anchor besides")]
    KeyTwice(KeyId),
    /// A manifest hands over to a root that did not sign it as well.
    #[error("the next root {0} did not sign the manifest that names it")]
    NextRootDidNotSign(KeyId),
    /// The signed JSON cannot be read.
    #[error("the content: {0}")]
    Payload(JsonError),
    /// A rule of the format is broken.
    #[error("the content: {0}")]
    Rule(&'static str),
    /// The list or manifest is not newer than the one that is held.
    #[error("number {found} is not newer than number {held}, which is held already")]
    StaleSequence {
        /// Its sequence number.
        found: u64,
        /// The highest one so far.
        held: u64,
    },
    /// No key that signed is known.
    #[error("signed by {} and by no key that is known here", .0.join(", "))]
    UnknownKey(Vec<String>),
    /// The payload type is none of this project's.
    #[error("`{0}` is no known type of document: a newer version may know it")]
    UnknownType(String),
    /// The kind is known, and this version of its format is not.
    #[error(
        "version {found} of the format of a {kind} is not known: a newer version of the program may know it"
    )]
    UnsupportedVersion {
        /// The kind of document.
        kind: Kind,
        /// The version of its format.
        found: u32,
    },
    /// It is for another environment, or signed by a key of another.
    #[error("it is for the environment {found}, and this is {expected}")]
    WrongEnvironment {
        /// The environment of the document or of its signer.
        found: Environment,
        /// The environment that it would have to be for.
        expected: Environment,
    },
    /// The licence is bound to another installation.
    #[error(
        "the licence is bound to the installation {bound_to}: link this installation's key in the portal to have one of its own"
    )]
    WrongInstallation {
        /// The installation key that it is bound to.
        bound_to: String,
    },
    /// It is for another product, or signed by a key of another.
    #[error("it is for the product `{found}`, and this is `{expected}`")]
    WrongProduct {
        /// The product of the document or of its signer.
        found: String,
        /// The product that it would have to be for.
        expected: String,
    },
    /// It is a document of another kind.
    #[error("it is a {found}, and a {expected} is wanted")]
    WrongType {
        /// What it is.
        found: Kind,
        /// What it would have to be.
        expected: Kind,
    },
}

/// Why a document cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody could open it.
    #[error("the document could never be opened: {0}")]
    Document(#[from] DocumentError),
    /// No key was given.
    #[error("a document needs at least one signature")]
    NoKey,
    /// The key is no Ed25519 key.
    #[error("the key {0} is no Ed25519 key, and no other can sign documents")]
    NotEd25519(KeyId),
    /// The request holds the public half of another key.
    #[error("the key {0} is not the one that the request holds")]
    NotItsKey(KeyId),
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

impl From<&DocumentError> for InvalidReason {
    /// What the error means for the state of the licence, where a licence is what was opened.
    fn from(error: &DocumentError) -> Self {
        match error {
            DocumentError::BadSignature(_) | DocumentError::NextRootDidNotSign(_) => Self::BadSignature,
            DocumentError::KeyNotForThis { .. }
            | DocumentError::KeyNotValidThen { .. }
            | DocumentError::UnknownKey(_) => Self::UnknownKey,
            DocumentError::UnknownType(_) | DocumentError::WrongType { .. } => Self::WrongType,
            DocumentError::UnsupportedVersion { .. } => Self::UnsupportedVersion,
            DocumentError::WrongEnvironment { .. } => Self::WrongEnvironment,
            DocumentError::WrongInstallation { .. } => Self::WrongInstallation,
            DocumentError::WrongProduct { .. } => Self::WrongProduct,
            DocumentError::Armour(_)
            | DocumentError::Envelope(_)
            | DocumentError::KeyTwice(_)
            | DocumentError::Payload(_)
            | DocumentError::Rule(_)
            | DocumentError::StaleSequence { .. } => Self::Malformed,
        }
    }
}

impl DocumentError {
    /// The class that test vectors and scripts know the error by; one class may have several causes.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Armour(_) | Self::Envelope(_) | Self::KeyTwice(_) | Self::Payload(_) | Self::Rule(_) => {
                "malformed"
            }
            Self::BadSignature(_) | Self::NextRootDidNotSign(_) => "bad_signature",
            Self::KeyNotForThis { .. } => "key_not_for_this",
            Self::KeyNotValidThen { .. } => "key_not_valid_then",
            Self::StaleSequence { .. } => "stale_sequence",
            Self::UnknownKey(_) => "unknown_key",
            Self::UnknownType(_) => "unknown_type",
            Self::UnsupportedVersion { .. } => "unsupported_version",
            Self::WrongEnvironment { .. } => "wrong_environment",
            Self::WrongInstallation { .. } => "wrong_installation",
            Self::WrongProduct { .. } => "wrong_product",
            Self::WrongType { .. } => "wrong_type",
        }
    }

    pub(crate) fn unknown_keys(envelope: &Envelope) -> Self {
        Self::UnknownKey(envelope.signatures.iter().map(|signature| signature.key_id.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_knows_an_error_by_its_class_where_it_has_one() {
        let key = crate::testing::key(1).public().id();
        let issued = Timestamp::MIN;
        for (error, reason) in [
            (DocumentError::BadSignature(key), "bad_signature"),
            (DocumentError::Rule("any"), "malformed"),
            (DocumentError::UnknownKey(vec![]), "unknown_key"),
            (DocumentError::UnsupportedVersion { kind: Kind::License, found: 2 }, "unsupported_version"),
            (DocumentError::WrongInstallation { bound_to: String::new() }, "wrong_installation"),
            (DocumentError::WrongType { found: Kind::Keys, expected: Kind::License }, "wrong_type"),
            (
                DocumentError::WrongEnvironment { found: Environment::Dev, expected: Environment::Prod },
                "wrong_environment",
            ),
            (
                DocumentError::WrongProduct { found: "one".to_owned(), expected: "other".to_owned() },
                "wrong_product",
            ),
        ] {
            assert_eq!((error.class(), InvalidReason::from(&error).name()), (reason, reason));
        }
        // A key that may not sign this, or not then, is as good as unknown; a foreign type is no licence.
        for (error, reason) in [
            (DocumentError::KeyNotForThis { key, kind: Kind::License }, "unknown_key"),
            (DocumentError::KeyNotValidThen { key, issued }, "unknown_key"),
            (DocumentError::UnknownType("text/plain".to_owned()), "wrong_type"),
        ] {
            assert_eq!(InvalidReason::from(&error).name(), reason);
        }
    }
}
