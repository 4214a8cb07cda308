use chancery_license::anchors::AnchorTwice;
use chancery_license::document::SealError;
use chancery_license::jwt::MintError;
use chancery_license::{DocumentError, KeyId, NoAnchor};
use chancery_time::Timestamp;

/// Why nothing was signed. The texts name the flags that mend it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The licence or issue is on the list already.
    #[error("{what} is revoked already, since {since}: leave it out")]
    AlreadyRevoked {
        /// `licence ID` or `serial N`.
        what: String,
        /// When it was.
        since: Timestamp,
    },
    /// An anchor could not be made of the signer's key.
    #[error(transparent)]
    AnchorTwice(#[from] AnchorTwice),
    /// It would never be valid.
    #[error("it would end at {ends}, and begins only at {begins}: give a later --expires, or more --days")]
    EndsBeforeItBegins {
        /// When it would begin.
        begins: Timestamp,
        /// When it would end.
        ends: Timestamp,
    },
    /// The existing list cannot be built on.
    #[error("the existing list (--list) is refused: {0}")]
    List(#[source] DocumentError),
    /// The existing list is by a key other than the one that was expected.
    #[error("the existing list (--list) is refused: {0}; name the public key that signed it with --list-key")]
    ListByAnotherKey(#[source] DocumentError),
    /// No program would take the manifest.
    #[error("no program would take the manifest: {0}")]
    Manifest(#[source] DocumentError),
    /// No anchor could be made of the signer's key.
    #[error(transparent)]
    NoAnchor(#[from] NoAnchor),
    /// The key cannot sign documents.
    #[error(
        "the key {0} (--key) is an RSA key, which signs licence JWTs alone: use an Ed25519 key (keys generate --type ed25519)"
    )]
    RsaKey(KeyId),
    /// No program would take the document, or it cannot be signed.
    #[error("nothing was signed: {0}")]
    Seal(#[from] SealError),
    /// Sequence numbers begin at 1.
    #[error(
        "--sequence 0 is none: the first manifest has 1, and each one a higher number than all before it"
    )]
    SequenceZero,
    /// Serial numbers begin at 1.
    #[error("--serial 0 is none: the first licence has 1, and each issue a higher number than all before it")]
    SerialZero,
    /// The licence JWT cannot be signed.
    #[error("no program would take the licence JWT: {0}")]
    Token(#[from] MintError),
}
