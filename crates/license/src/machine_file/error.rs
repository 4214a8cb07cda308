use chancery_time::Timestamp;

use super::envelope::{ALGORITHM, MAX_FILE_LENGTH};
use crate::armour::ArmourError;
use crate::crypto::{KeyId, SigningFailed};
use crate::json::JsonError;
use crate::limits::Broken;
use crate::state::InvalidReason;

/// Why a machine file is not accepted: one variant for each step of its verification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MachineFileError {
    /// It is longer than any machine file.
    #[error("{length} bytes are too long for a machine file: at most {MAX_FILE_LENGTH} can be read")]
    TooLarge {
        /// How many bytes it has.
        length: usize,
    },
    /// The armour is wrong.
    #[error("the armour: {0}")]
    Armour(#[from] ArmourError),
    /// The envelope is no JSON object of its four members.
    #[error("the envelope: {0}")]
    EnvelopeJson(JsonError),
    /// The envelope is not what it must be.
    #[error("the envelope: {0}")]
    Envelope(&'static str),
    /// It is made in another way.
    #[error("the algorithm is not {ALGORITHM}: a newer version of the program may know it")]
    Algorithm,
    /// The key that it names is not known.
    #[error(
        "it is signed by the key {0}, which is not known here: get the vendor's current keys, or a new file"
    )]
    UnknownKey(String),
    /// A known key is named, and did not sign this.
    #[error("the signature by the key {0} is wrong: the file was altered, or is not by who it says")]
    BadSignature(String),
    /// What was signed has the wrong size or form.
    #[error("the encrypted part: {0}")]
    Sealed(&'static str),
    /// It does not open with this licence key and fingerprint.
    #[error(
        "it does not open with this machine's fingerprint and this licence key: it was made for another machine or another licence"
    )]
    DecryptionFailed,
    /// The contents are not the JSON that they must be.
    #[error("the contents: {0}")]
    Payload(JsonError),
    /// A claim breaks its rule.
    #[error("the contents: {claim} {rule}")]
    Claim {
        /// The claim.
        claim: &'static str,
        /// What holds for it.
        rule: &'static str,
    },
    /// It is for another product.
    #[error("it is for the product `{found}`, and this is `{expected}`")]
    WrongProduct {
        /// The product of the file.
        found: String,
        /// The product that it would have to be for.
        expected: String,
    },
    /// The clock shows less than was seen before.
    #[error("the clock shows {now}, and {watermark} has been seen before: correct the clock")]
    ClockSetBack {
        /// What the clock shows.
        now: Timestamp,
        /// What was seen before.
        watermark: Timestamp,
    },
    /// It was issued after what the clock shows.
    #[error("it was issued on {issued}, and the clock shows {now}: correct the clock")]
    IssuedInTheFuture {
        /// When it says it was issued.
        issued: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },
    /// It does not count yet.
    #[error("it counts from {not_before} on, and the clock shows {now}")]
    NotYetValid {
        /// From when on it counts.
        not_before: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },
    /// It has run out, and its grace too.
    #[error("it ran out on {until}, its grace included: get a new one for this machine")]
    Expired {
        /// The first instant at which it no longer counted.
        until: Timestamp,
    },
    /// The licence has ended, whatever the file says of itself.
    #[error("the licence ended on {ended}, and no machine file outlives its licence: renew the licence")]
    LicenseExpired {
        /// When the licence ended.
        ended: Timestamp,
    },
    /// It is for another machine.
    #[error("it is for a machine with another fingerprint")]
    WrongFingerprint,
    /// The licence in it is not the one that the file is about, or not one that counts.
    #[error("the included licence: {claim} {rule}")]
    IncludedLicense {
        /// The claim.
        claim: &'static str,
        /// What holds for it.
        rule: &'static str,
    },
}

/// Why a machine file cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Nobody could open it.
    #[error("the machine file could never be opened: {0}")]
    MachineFile(#[from] MachineFileError),
    /// It would live longer than any may.
    #[error("a machine file lives at most 3,650 days")]
    TooLong,
    /// It would run out after its licence ends.
    #[error("a machine file runs out with its licence or before")]
    OutlivesLicense,
    /// The key is no Ed25519 key.
    #[error("the key {0} is no Ed25519 key, and no other can sign machine files")]
    NotEd25519(KeyId),
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
    /// The cryptographic library failed.
    #[error("encrypting failed in the cryptographic library")]
    EncryptionFailed,
}

impl MachineFileError {
    /// The class that test vectors and scripts know the error by; one class may have several causes.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Armour(_) => "armour",
            Self::EnvelopeJson(_) | Self::Envelope(_) => "envelope",
            Self::Algorithm => "algorithm",
            Self::UnknownKey(_) => "unknown_key",
            Self::BadSignature(_) => "bad_signature",
            Self::Sealed(_) => "sealed",
            Self::DecryptionFailed => "decryption_failed",
            Self::Payload(_) => "payload",
            Self::Claim { .. } => "claims",
            Self::WrongProduct { .. } => "wrong_product",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::IssuedInTheFuture { .. } => "issued_in_the_future",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
            Self::LicenseExpired { .. } => "license_expired",
            Self::WrongFingerprint => "wrong_fingerprint",
            Self::IncludedLicense { .. } => "included_license",
        }
    }
}

impl MachineFileError {
    /// What the error means for the state of the licence, where a licence is what was read; `None` of the classes
    /// that speak of time, which [`read`](super::read) never finds.
    pub const fn reason(&self) -> Option<InvalidReason> {
        Some(match self {
            Self::TooLarge { .. }
            | Self::Armour(_)
            | Self::EnvelopeJson(_)
            | Self::Envelope(_)
            | Self::Sealed(_)
            | Self::Payload(_)
            | Self::Claim { .. }
            | Self::IncludedLicense { .. } => InvalidReason::Malformed,
            Self::Algorithm => InvalidReason::AlgorithmRefused,
            Self::UnknownKey(_) => InvalidReason::UnknownKey,
            Self::BadSignature(_) => InvalidReason::BadSignature,
            Self::DecryptionFailed | Self::WrongFingerprint => InvalidReason::WrongInstallation,
            Self::WrongProduct { .. } => InvalidReason::WrongProduct,
            Self::ClockSetBack { .. }
            | Self::IssuedInTheFuture { .. }
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::LicenseExpired { .. } => return None,
        })
    }
}

impl From<Broken> for MachineFileError {
    fn from(Broken { field, rule }: Broken) -> Self {
        Self::Claim { claim: field, rule }
    }
}
