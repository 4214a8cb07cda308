//! The plans, and what each allows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::entitlements::{Database, Entitlements, Feature, Limit, Set};

/// A plan of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Plan {
    /// One SQLite installation with one authority and 25 managed servers.
    Free,
    /// SQLite, two authorities, 250 managed servers.
    Starter,
    /// SQLite or PostgreSQL, three authorities.
    Pro,
    /// SQLite or PostgreSQL, five authorities, every feature.
    Enterprise,
}

impl Plan {
    /// All plans, smallest first.
    pub const ALL: [Self; 4] = [Self::Free, Self::Starter, Self::Pro, Self::Enterprise];

    /// The name that commands and documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }

    /// What the plan allows while a cold-start window is open, and what its licences allow by default.
    pub fn entitlements(self) -> Entitlements {
        let sqlite = Set::from([Database::Sqlite]);
        let both = Set::all();
        let (allowed_databases, max_authorities, max_managed_servers, features) = match self {
            Self::Free => (sqlite, 1, Limit::AtMost(25), [Feature::Acme].into()),
            Self::Starter => (sqlite, 2, Limit::AtMost(250), [Feature::Acme, Feature::Api].into()),
            Self::Pro => (
                both,
                3,
                Limit::Unlimited,
                [Feature::Acme, Feature::Api, Feature::Siem, Feature::Mtls].into(),
            ),
            Self::Enterprise => (both, 5, Limit::Unlimited, Set::all()),
        };
        Entitlements {
            allowed_databases,
            max_authorities: Limit::AtMost(max_authorities),
            max_managed_servers,
            max_certificates: Limit::Unlimited,
            max_users: Limit::Unlimited,
            max_profiles: Limit::Unlimited,
            features,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a plan: use free, starter, pro or enterprise")]
pub struct UnknownPlan(String);

impl FromStr for Plan {
    type Err = UnknownPlan;

    fn from_str(text: &str) -> Result<Self, UnknownPlan> {
        Self::ALL
            .into_iter()
            .find(|plan| plan.name() == text)
            .ok_or_else(|| UnknownPlan(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for plan in Plan::ALL {
            assert_eq!(plan.name().parse(), Ok(plan));
            assert_eq!(serde_json::to_value(plan).unwrap(), plan.name());
        }
        assert!("Pro".parse::<Plan>().is_err());
        assert!("".parse::<Plan>().is_err());
    }

    #[test]
    fn every_plan_allows_acme_on_sqlite() {
        for plan in Plan::ALL {
            let entitlements = plan.entitlements();
            assert!(entitlements.allowed_databases.contains(Database::Sqlite), "{plan}");
            assert!(entitlements.features.contains(Feature::Acme), "{plan}");
        }
    }
}
