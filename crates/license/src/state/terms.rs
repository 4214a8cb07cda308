//! What the state function needs to know of a document, whatever its form.

use std::collections::BTreeSet;
use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::version::{Build, Version};

/// How far a clock may fall behind the watermark before it counts as set back, unless the licence says
/// otherwise: 24 hours.
pub const DEFAULT_CLOCK_TOLERANCE: Duration = Duration::from_secs(86_400);

/// The grace of a licence that names none: 7 days.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(7 * 86_400);

/// Which issue of a licence a document is. Of two, the one with the higher serial is the newer one; where
/// the serials are equal, as those of licence JWTs are, the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Rises with every issue, from 1. Licence JWTs have none and count as 0: any `.lic` replaces them.
    pub serial: u64,
    /// When the document was signed.
    pub issued: Timestamp,
}

/// What is still allowed when the grace is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterGrace {
    /// No certificate is issued, not even a renewal.
    Block,
    /// Certificates are renewed, and no new ones issued.
    RenewalsOnly,
}

/// The times and conditions of a licence whose signature, product, environment and installation were
/// found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseTerms {
    /// The licence's identifier, by which it can be revoked.
    pub id: String,
    /// Which issue of the licence this is.
    pub edition: Edition,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends. It is valid before that instant, not at it.
    pub expires: Timestamp,
    /// How long everything still works after that.
    pub grace: Duration,
    /// What is allowed after the grace.
    pub after_grace: AfterGrace,
    /// How far the clock may fall behind the watermark without a warning.
    pub clock_tolerance: Duration,
    /// The oldest version of the program that understands it.
    pub minimum_version: Option<Version>,
    /// The newest build date that it covers.
    pub newest_build: Option<Timestamp>,
}

impl LicenseTerms {
    /// When the grace ends.
    pub fn grace_ends(&self) -> Timestamp {
        self.expires + self.grace
    }

    /// Whether this build may use the licence.
    ///
    /// # Errors
    /// [`InvalidReason::TooNewForBuild`] or [`InvalidReason::BuildNotCovered`].
    pub fn fit_build(&self, build: &Build) -> Result<(), InvalidReason> {
        if let Some(needed) = self.minimum_version
            && build.version < needed
        {
            return Err(InvalidReason::TooNewForBuild { needed, build: build.version });
        }
        if let Some(newest) = self.newest_build
            && build.date > newest
        {
            return Err(InvalidReason::BuildNotCovered { newest, built: build.date });
        }
        Ok(())
    }
}

/// The newest revocation list at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Rises with every list, from 1.
    pub sequence: u64,
    /// The revoked licences, by identifier.
    pub ids: BTreeSet<String>,
    /// The revoked issues, by serial.
    pub serials: BTreeSet<u64>,
}

impl Revocations {
    pub(super) fn revoke(&self, terms: &LicenseTerms) -> bool {
        let serial = terms.edition.serial;
        self.ids.contains(&terms.id) || (serial != 0 && self.serials.contains(&serial))
    }
}

/// How the last attempt to ask the portal for newer documents went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallHome {
    /// It is switched off: the installation is offline.
    Disabled,
    /// The portal did not answer, or not properly.
    Failing,
    /// The portal answered; a renewal that it sent is among the documents.
    Succeeding,
}

/// The documents at hand, verified, and how the last attempt to fetch newer ones went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// Each licence document found: its terms, or why it is not to be believed.
    pub licenses: Vec<Result<LicenseTerms, InvalidReason>>,
    /// The newest revocation list, if there is one.
    pub revocations: Option<Revocations>,
    /// The last attempt to fetch newer documents.
    pub call_home: CallHome,
}

/// Why the documents at hand license nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReason {
    /// It asks to be verified by a method that is not its key's.
    #[error("it is not signed by the method of a trusted key: ask the vendor for another")]
    AlgorithmRefused,
    /// The signature is wrong: the document was altered.
    #[error(
        "its signature is wrong: it was altered, or damaged on its way; install it again from its source"
    )]
    BadSignature,
    /// The build is newer than the licence's support covers.
    #[error(
        "it covers builds up to {newest}, and this one is of {built}: renew the support or go back to a covered build"
    )]
    BuildNotCovered {
        /// The newest build date covered.
        newest: Timestamp,
        /// The date of this build.
        built: Timestamp,
    },
    /// A key manifest that was there is gone.
    #[error(
        "the key manifest {needed} was removed, and may have withdrawn the key that signed it: install that manifest again, or the newest"
    )]
    KeysMissing {
        /// The sequence number of the newest manifest seen.
        needed: u64,
    },
    /// It does not have the form of its type.
    #[error("it is malformed: install it again from its source")]
    Malformed,
    /// A revocation list that was there is gone.
    #[error("the revocation list {needed} was removed or replaced by an older one: install the newest list")]
    RevocationsMissing {
        /// The sequence number of the newest list seen.
        needed: u64,
    },
    /// A newer document was seen before and is gone.
    #[error(
        "a newer licence document (serial {}, issued {}) was installed before and is gone: install that one again, or a newer one",
        newest.serial, newest.issued
    )]
    Superseded {
        /// The newest document seen.
        newest: Edition,
    },
    /// The licence needs a newer version of the program.
    #[error("it needs version {needed} or newer, and this is {build}: install a newer version")]
    TooNewForBuild {
        /// The oldest version that will do.
        needed: Version,
        /// The version of this build.
        build: Version,
    },
    /// It is signed by a key that is not trusted.
    #[error("it is signed by a key that this build does not trust: ask the vendor which build goes with it")]
    UnknownKey,
    /// It has a format version that this build does not know.
    #[error("it has a format that this build does not know: install a newer version")]
    UnsupportedVersion,
    /// The watermark record is gone or fails its check.
    #[error(
        "the record of the highest time seen is missing or damaged: restore the database from a backup, or ask the vendor"
    )]
    WatermarkMissing,
    /// It is for another environment.
    #[error("it is for another environment: ask the vendor for one of this build's environment")]
    WrongEnvironment,
    /// It is bound to another installation.
    #[error("it is bound to another installation: `license status` shows the key of this one")]
    WrongInstallation,
    /// It is for another product.
    #[error("it is for another product")]
    WrongProduct,
    /// It is a document of another type.
    #[error("it is not a licence")]
    WrongType,
}

impl InvalidReason {
    /// The name by which audit events and scripts know the reason.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlgorithmRefused => "algorithm_refused",
            Self::BadSignature => "bad_signature",
            Self::BuildNotCovered { .. } => "build_not_covered",
            Self::KeysMissing { .. } => "keys_missing",
            Self::Malformed => "malformed",
            Self::RevocationsMissing { .. } => "revocations_missing",
            Self::Superseded { .. } => "superseded",
            Self::TooNewForBuild { .. } => "too_new_for_build",
            Self::UnknownKey => "unknown_key",
            Self::UnsupportedVersion => "unsupported_version",
            Self::WatermarkMissing => "watermark_missing",
            Self::WrongEnvironment => "wrong_environment",
            Self::WrongInstallation => "wrong_installation",
            Self::WrongProduct => "wrong_product",
            Self::WrongType => "wrong_type",
        }
    }
}
