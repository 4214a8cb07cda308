//! What the key of an external account binding allows the accounts that are bound to it.

use std::time::Duration;

use chancery_acme::Identifier;
use chancery_acme::scope::Scope;
use serde::{Deserialize, Serialize};

/// What accounts bound to a key may have, within what the profiles allow. Kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountPolicy {
    /// The names; all where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<Scope>,
    /// Names that are refused whatever `allow` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) deny: Vec<Scope>,
    /// The profiles; all where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) profiles: Vec<String>,
    /// The longest validity of a certificate, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_validity_seconds: Option<u64>,
    /// Whether names need no proof: whoever has the key is trusted with them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) skip_validation: bool,
}

impl AccountPolicy {
    /// Whether it allows a name.
    pub(crate) fn allows(&self, identifier: &Identifier) -> bool {
        (self.allow.is_empty() || self.allow.iter().any(|scope| scope.covers(identifier)))
            && !self.deny.iter().any(|scope| scope.meets(identifier))
    }

    /// Whether it allows a profile.
    pub(crate) fn allows_profile(&self, name: &str) -> bool {
        self.profiles.is_empty() || self.profiles.iter().any(|allowed| allowed == name)
    }

    /// The longest validity of a certificate.
    pub(crate) fn max_validity(&self) -> Option<Duration> {
        self.max_validity_seconds.map(Duration::from_secs)
    }
}
