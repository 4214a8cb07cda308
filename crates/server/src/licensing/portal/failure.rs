//! Why there is no answer of the portal, or none that counts.

use std::time::Duration;

use chancery_license::exchange::ExchangeError;

/// Why a question came to nothing. What the portal wrote is not repeated: it might be what nobody may read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("another question to the portal is under way: try again in two minutes")]
    Busy,
    #[error("the portal could not be reached: {0}")]
    Unreachable(String),
    #[error("the portal did not answer in time")]
    TimedOut,
    #[error(
        "the portal answered with status {status}, which leads elsewhere and is not followed: write its own URL (license.portal.url)"
    )]
    Redirected { status: u16 },
    #[error("the portal refused: {0}")]
    Refused(Refused),
    #[error("the portal answered with status {status}{}", code_behind(.code))]
    Status { status: u16, code: Option<String>, retry_after: Option<Duration> },
    #[error("the portal answered with more than {0} bytes, of which nothing was used")]
    TooLong(usize),
    #[error(
        "the portal answered with something that is no answer: is license.portal.url the URL of a portal?"
    )]
    NotAnAnswer,
    #[error("the answer of the portal does not count: {0}")]
    NotBelieved(#[from] ExchangeError),
    #[error("the question could not be signed: {0}")]
    NotSealed(String),
    #[error(
        "the record of what this installation has seen is missing or damaged: restore the database from a backup, or ask the vendor"
    )]
    RecordDamaged,
    #[error(transparent)]
    Store(#[from] chancery_db::Error),
}

/// What the portal may say of a question that it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it knows no such licence key")]
    LicenseNotFound,
    #[error("the licence has expired")]
    Expired,
    #[error("the licence was revoked")]
    Revoked,
    #[error("the licence is suspended")]
    Suspended,
    #[error("the licence has not begun yet, or does not cover what this installation runs")]
    NotActive,
    #[error("every seat of the licence is taken: free one in the portal, or get more")]
    SeatLimitExceeded,
    #[error("the licence is for another product")]
    ProductMismatch,
    #[error(
        "it does not let this installation in: either it was retired, and the vendor has to link it again; or it is known with \
         another key pair, and the vendor has to forget that one, if this is the same machine set up anew"
    )]
    Forbidden,
    #[error("it was asked too often: try again later")]
    RateLimited(Option<Duration>),
}

impl Refused {
    /// What a code means.
    pub(super) fn of_code(code: &str, retry_after: Option<Duration>) -> Option<Self> {
        Some(match code {
            "license_not_found" => Self::LicenseNotFound,
            "expired" => Self::Expired,
            "revoked" => Self::Revoked,
            "suspended" => Self::Suspended,
            "not_active" => Self::NotActive,
            "seat_limit_exceeded" => Self::SeatLimitExceeded,
            "product_mismatch" => Self::ProductMismatch,
            "forbidden" => Self::Forbidden,
            "rate_limited" => Self::RateLimited(retry_after),
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::LicenseNotFound => "license_not_found",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::NotActive => "not_active",
            Self::SeatLimitExceeded => "seat_limit_exceeded",
            Self::ProductMismatch => "product_mismatch",
            Self::Forbidden => "forbidden",
            Self::RateLimited(_) => "rate_limited",
        }
    }
}

impl Failure {
    /// The name by which audit events and scripts know it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Redirected { .. } => "redirected",
            Self::Refused(refused) => refused.name(),
            Self::Status { .. } => "status",
            Self::TooLong(_) => "too_long",
            Self::NotAnAnswer => "not_an_answer",
            Self::NotBelieved(_) => "not_believed",
            Self::NotSealed(_) => "not_sealed",
            Self::RecordDamaged => "record_damaged",
            Self::Store(_) => "store",
        }
    }

    /// Whether it was on the way to the portal, or there, and not here.
    pub(super) const fn is_the_portals(&self) -> bool {
        !matches!(self, Self::Busy | Self::NotSealed(_) | Self::RecordDamaged | Self::Store(_))
    }

    /// How long the portal wants not to be asked.
    pub(crate) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(Refused::RateLimited(after)) => *after,
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn code_behind(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default()
}

/// Why nobody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unasked {
    #[error(
        "license.offline is set, so that nobody is contacted: bring the licence, or a machine file (`chancery license install FILE`)"
    )]
    Offline,
    #[error(
        "no portal is configured, so that nobody is contacted: name it as license.portal.url, or bring the licence, or a machine file (`chancery license install FILE`)"
    )]
    NoPortal,
    #[error(
        "the installation takes licences for another environment: write license.environment in the configuration as the licence has it"
    )]
    OtherEnvironment,
}

impl Unasked {
    /// The name by which audit events know it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::NoPortal => "no_portal",
            Self::OtherEnvironment => "other_environment",
        }
    }
}
