//! What a plan or a licence allows, and whether a configuration fits it.

use std::fmt;

/// A number that a licence sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No bound.
    Unlimited,
    /// At most that many.
    AtMost(u64),
    /// No entitlement at all.
    Forbidden,
}

impl Limit {
    /// Whether `count` of the thing may exist.
    pub const fn allows(self, count: u64) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(max) => count <= max,
            Self::Forbidden => count == 0,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::AtMost(max) => write!(f, "{max}"),
            Self::Forbidden => f.write_str("forbidden"),
        }
    }
}

/// A database that a licence may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Database {
    /// The embedded SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A feature that a licence may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Issuing certificates over ACME.
    Acme,
    /// The administrative REST API.
    Api,
    /// Several nodes on one database.
    Ha,
    /// Client certificates at the listener.
    Mtls,
    /// Single sign-on.
    Oidc,
    /// Forwarding of the audit log.
    Siem,
}

impl Feature {
    /// Every feature.
    pub const ALL: &'static [Self] = &[Self::Acme, Self::Api, Self::Ha, Self::Mtls, Self::Oidc, Self::Siem];
}

/// What a plan or a licence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entitlements {
    /// The databases that may be used.
    pub databases: &'static [Database],
    /// How many authorities may be configured.
    pub max_authorities: Limit,
    /// How many accounts may hold active certificates.
    pub max_managed_servers: Limit,
    /// The features that may be used.
    pub features: &'static [Feature],
}

/// The parts of a configuration that a licence speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// The configured database.
    pub database: Database,
    /// How many authorities are configured.
    pub authorities: u64,
}

/// One way in which a configuration goes beyond its entitlements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The database is not allowed.
    #[error("database.driver is {0}, which it does not allow")]
    Database(Database),
    /// There are more authorities than allowed.
    #[error("{configured} authorities are configured, and it allows {limit}")]
    Authorities {
        /// How many are configured.
        configured: u64,
        /// How many may be.
        limit: Limit,
    },
}

impl Misfit {
    /// The name by which audit events and scripts know the reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Database(_) => "db_not_allowed",
            Self::Authorities { .. } => "max_cas_exceeded",
        }
    }
}

impl Entitlements {
    /// Every way in which the configuration goes beyond these entitlements; empty where it fits.
    pub fn misfits(&self, configuration: Configuration) -> Vec<Misfit> {
        let database = (!self.databases.contains(&configuration.database))
            .then_some(Misfit::Database(configuration.database));
        let authorities =
            (!self.max_authorities.allows(configuration.authorities)).then_some(Misfit::Authorities {
                configured: configuration.authorities,
                limit: self.max_authorities,
            });
        database.into_iter().chain(authorities).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plan;

    #[test]
    fn limits_allow_what_they_say() {
        assert!(Limit::Unlimited.allows(u64::MAX));
        assert!(Limit::AtMost(2).allows(2));
        assert!(!Limit::AtMost(2).allows(3));
        assert!(Limit::Forbidden.allows(0));
        assert!(!Limit::Forbidden.allows(1));
    }

    #[test]
    fn each_plan_refuses_what_its_row_of_the_table_refuses() {
        let reasons = |plan: Plan, database, authorities| -> Vec<&str> {
            let misfits = plan.entitlements().misfits(Configuration { database, authorities });
            misfits.into_iter().map(Misfit::reason).collect()
        };
        for (plan, most) in [(Plan::Free, 1), (Plan::Starter, 2), (Plan::Pro, 3), (Plan::Enterprise, 5)] {
            let over_postgres: &[&str] = match plan {
                Plan::Free | Plan::Starter => &["db_not_allowed"],
                Plan::Pro | Plan::Enterprise => &[],
            };
            assert_eq!(reasons(plan, Database::Sqlite, most), [""; 0]);
            assert_eq!(reasons(plan, Database::Postgres, most), over_postgres);
            assert_eq!(reasons(plan, Database::Sqlite, most + 1), ["max_cas_exceeded"]);
            assert_eq!(
                reasons(plan, Database::Postgres, most + 1),
                [over_postgres, &["max_cas_exceeded"]].concat()
            );
        }
    }
}
