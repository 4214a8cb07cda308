//! The claims of a licence JWT.

use std::fmt;
use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entitlements::{Entitlements, Feature, Limit, Set};
use crate::json::{self, Bounds, JsonError};
use crate::plan::Plan;
use crate::state::{AfterGrace, DEFAULT_CLOCK_TOLERANCE, DEFAULT_GRACE, Edition, LicenseTerms};
use crate::version::Version;

/// The longest grace, in days.
pub const MAX_GRACE_DAYS: u32 = 366;

const BOUNDS: Bounds = Bounds { bytes: super::MAX_LENGTH, depth: 2 };
/// The longest text of a claim, in bytes.
const MAX_TEXT: usize = 256;

/// What was sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// For trying it out, with the databases, authorities and servers of the free plan.
    Trial,
    /// The starter plan.
    Starter,
    /// The pro plan.
    Pro,
    /// The enterprise plan.
    Enterprise,
}

impl Tier {
    /// The plan whose databases, authorities and managed servers the licence allows.
    pub const fn plan(self) -> Plan {
        match self {
            Self::Trial => Plan::Free,
            Self::Starter => Plan::Starter,
            Self::Pro => Plan::Pro,
            Self::Enterprise => Plan::Enterprise,
        }
    }

    /// The name as the claim has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The claims, as they stand in the token: all of them required but `grace_days`, and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The licence's identifier.
    pub jti: String,
    /// The e-mail address of the holder.
    pub sub: String,
    /// Who issued it.
    pub iss: String,
    /// When it was issued and begins, in seconds since 1970.
    pub iat: u64,
    /// When it expires, in seconds since 1970.
    pub exp: u64,
    /// The organisation of the holder.
    pub org_name: String,
    /// What was sold.
    #[serde(deserialize_with = "json::word")]
    pub tier: Tier,
    /// How many certificates may be active; 0 for none.
    pub cert_limit: u64,
    /// How many users the console may have; 0 for none.
    pub user_limit: u64,
    /// How many certificate profiles there may be; 0 for none.
    pub dtp_limit: u64,
    /// Days of grace after the expiry; 7 where the token names none.
    #[serde(default = "default_grace_days")]
    pub grace_days: u32,
    /// The features that may be used.
    pub features: Set<Feature>,
    /// The oldest version of the program that understands it.
    pub version: Version,
}

/// Why claims are not those of a licence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// They are not the JSON object that they should be.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// A text is empty, too long, or has control characters.
    #[error("`{0}` has 1 to {MAX_TEXT} bytes without control characters")]
    Text(&'static str),
    /// A time lies beyond the year 9999, in milliseconds perhaps.
    #[error("`{0}` is a time in whole seconds since 1970, up to the year 9999")]
    Time(&'static str),
    /// It ends before it begins.
    #[error("`exp` is later than `iat`, and here it is not")]
    Order,
    /// A limit is too large.
    #[error("`{0}` is at most {max}", max = Limit::MAX)]
    Limit(&'static str),
    /// The grace is too long.
    #[error("`grace_days` is at most {MAX_GRACE_DAYS}, and here it is {0}")]
    Grace(u32),
}

impl Claims {
    /// What the licence allows: the limits and features of the claims, and what the plan of the tier
    /// says of databases, authorities and managed servers, which no claim speaks of.
    pub fn entitlements(&self) -> Entitlements {
        Entitlements {
            max_certificates: limit(self.cert_limit),
            max_users: limit(self.user_limit),
            max_profiles: limit(self.dtp_limit),
            features: self.features,
            ..self.tier.plan().entitlements()
        }
    }

    /// What the state function needs to know. After the grace nothing is issued.
    pub fn terms(&self) -> LicenseTerms {
        let issued = timestamp(self.iat);
        LicenseTerms {
            id: self.jti.clone(),
            edition: Edition { serial: 0, issued },
            not_before: issued,
            expires: timestamp(self.exp),
            grace: Duration::from_secs(u64::from(self.grace_days) * 86_400),
            after_grace: AfterGrace::Block,
            clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
            minimum_version: Some(self.version),
            newest_build: None,
        }
    }

    pub(super) fn read(payload: &[u8]) -> Result<Self, ClaimsError> {
        let claims: Self = json::read(payload, BOUNDS)?;
        claims.check()?;
        Ok(claims)
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, ClaimsError> {
        self.check()?;
        serde_json::to_vec(self).map_err(|error| JsonError::Unexpected(error.to_string()).into())
    }

    fn check(&self) -> Result<(), ClaimsError> {
        let texts =
            [("jti", &self.jti), ("sub", &self.sub), ("iss", &self.iss), ("org_name", &self.org_name)];
        for (name, text) in texts {
            if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(ClaimsError::Text(name));
            }
        }
        for (name, seconds) in [("iat", self.iat), ("exp", self.exp)] {
            if i64::try_from(seconds).is_ok_and(|seconds| seconds <= Timestamp::MAX.unix_seconds()) {
                continue;
            }
            return Err(ClaimsError::Time(name));
        }
        if self.exp <= self.iat {
            return Err(ClaimsError::Order);
        }
        let limits =
            [("cert_limit", self.cert_limit), ("user_limit", self.user_limit), ("dtp_limit", self.dtp_limit)];
        for (name, number) in limits {
            if number > Limit::MAX {
                return Err(ClaimsError::Limit(name));
            }
        }
        if self.grace_days > MAX_GRACE_DAYS {
            return Err(ClaimsError::Grace(self.grace_days));
        }
        Ok(())
    }
}

fn default_grace_days() -> u32 {
    u32::try_from(DEFAULT_GRACE.as_secs() / 86_400).unwrap_or_default()
}

fn limit(number: u64) -> Limit {
    if number == 0 { Limit::Forbidden } else { Limit::AtMost(number) }
}

fn timestamp(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}
