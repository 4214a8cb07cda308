//! What a plan or a licence allows, and whether a configuration and its use fit it.

mod limit;
mod set;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use limit::Limit;
pub use set::{Named, Set};

/// A database that a licence may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Database {
    /// The embedded SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Named for Database {
    const ALL: &'static [Self] = &[Self::Sqlite, Self::Postgres];
    const WHAT: &'static str = "database";

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

impl Named for Feature {
    const ALL: &'static [Self] = &[Self::Acme, Self::Api, Self::Ha, Self::Mtls, Self::Oidc, Self::Siem];
    const WHAT: &'static str = "feature";

    fn name(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Api => "api",
            Self::Ha => "ha",
            Self::Mtls => "mtls",
            Self::Oidc => "oidc",
            Self::Siem => "siem",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a plan or a licence allows. In JSON every member is required and no other is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlements {
    /// The databases that may be used.
    pub allowed_databases: Set<Database>,
    /// How many authorities may be configured.
    pub max_authorities: Limit,
    /// How many accounts may hold active certificates.
    pub max_managed_servers: Limit,
    /// How many certificates may be active, which is neither expired nor revoked.
    pub max_certificates: Limit,
    /// How many users the console may have.
    pub max_users: Limit,
    /// How many certificate profiles may be configured.
    pub max_profiles: Limit,
    /// The features that may be used.
    pub features: Set<Feature>,
}

/// The parts of a configuration that a licence speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configuration {
    /// The configured database.
    pub database: Database,
    /// How many authorities are configured.
    pub authorities: u64,
    /// The features that are switched on.
    pub features: Set<Feature>,
}

/// What is in use, counted at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Accounts with at least one active certificate.
    pub managed_servers: u64,
    /// Active certificates.
    pub certificates: u64,
    /// Users of the console.
    pub users: u64,
    /// Certificate profiles.
    pub profiles: u64,
}

/// One way in which a configuration or its use goes beyond its entitlements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The database is not allowed.
    #[error("database.driver is {0}, which it does not allow")]
    Database(Database),
    /// There are more authorities than allowed.
    #[error("authorities configured: {configured}, allowed: {}", allowed(*.limit))]
    Authorities {
        /// How many are configured.
        configured: u64,
        /// How many may be.
        limit: Limit,
    },
    /// A feature is switched on that is not licensed.
    #[error("the feature {0} is switched on, and it does not include it")]
    Feature(Feature),
    /// No managed server is allowed at all.
    #[error("it grants no managed servers at all")]
    NoManagedServers,
    /// There are more managed servers than allowed.
    #[error("accounts with active certificates (managed servers): {used}, allowed: {}", allowed(*.limit))]
    ManagedServers {
        /// How many there are.
        used: u64,
        /// How many there may be.
        limit: Limit,
    },
    /// There are more active certificates than allowed.
    #[error("active certificates: {used}, allowed: {}", allowed(*.limit))]
    Certificates {
        /// How many there are.
        used: u64,
        /// How many there may be.
        limit: Limit,
    },
    /// There are more users than allowed.
    #[error("users of the console: {used}, allowed: {}", allowed(*.limit))]
    Users {
        /// How many there are.
        used: u64,
        /// How many there may be.
        limit: Limit,
    },
    /// There are more profiles than allowed.
    #[error("certificate profiles: {used}, allowed: {}", allowed(*.limit))]
    Profiles {
        /// How many there are.
        used: u64,
        /// How many there may be.
        limit: Limit,
    },
}

impl Misfit {
    /// The name by which audit events and scripts know the reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Database(_) => "db_not_allowed",
            Self::Authorities { .. } => "max_cas_exceeded",
            Self::Feature(_) => "feature_not_licensed",
            Self::NoManagedServers => "max_managed_servers_zero",
            Self::ManagedServers { .. } => "managed_servers_exceeded",
            Self::Certificates { .. } => "certificates_exceeded",
            Self::Users { .. } => "users_exceeded",
            Self::Profiles { .. } => "profiles_exceeded",
        }
    }
}

impl Entitlements {
    /// Every way in which the configuration goes beyond these entitlements; empty where it fits.
    pub fn misfits(&self, configuration: Configuration) -> Vec<Misfit> {
        let Configuration { database, authorities: configured, features } = configuration;
        let mut misfits = Vec::new();
        if !self.allowed_databases.contains(database) {
            misfits.push(Misfit::Database(database));
        }
        if !self.max_authorities.allows(configured) {
            misfits.push(Misfit::Authorities { configured, limit: self.max_authorities });
        }
        misfits.extend(features.iter().filter(|on| !self.features.contains(*on)).map(Misfit::Feature));
        misfits
    }

    /// Every way in which the use goes beyond these entitlements; empty where it fits.
    ///
    /// To know whether one more of a thing may be made, count it in.
    pub fn excesses(&self, usage: Usage) -> Vec<Misfit> {
        let Usage { managed_servers, certificates, users, profiles } = usage;
        let mut excesses = Vec::new();
        let limit = self.max_managed_servers;
        if limit.allows_none() {
            excesses.push(Misfit::NoManagedServers);
        } else if !limit.allows(managed_servers) {
            excesses.push(Misfit::ManagedServers { used: managed_servers, limit });
        }
        let limit = self.max_certificates;
        if !limit.allows(certificates) {
            excesses.push(Misfit::Certificates { used: certificates, limit });
        }
        let limit = self.max_users;
        if !limit.allows(users) {
            excesses.push(Misfit::Users { used: users, limit });
        }
        let limit = self.max_profiles;
        if !limit.allows(profiles) {
            excesses.push(Misfit::Profiles { used: profiles, limit });
        }
        excesses
    }
}

/// A limit within a sentence.
fn allowed(limit: Limit) -> String {
    if limit.allows_none() { "none".to_owned() } else { limit.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Plan;

    fn reasons(misfits: Vec<Misfit>) -> Vec<&'static str> {
        misfits.into_iter().map(Misfit::reason).collect()
    }

    #[test]
    fn each_plan_refuses_what_its_row_of_the_table_refuses() {
        let reasons = |plan: Plan, database, authorities| {
            let configuration = Configuration { database, authorities, features: [Feature::Acme].into() };
            reasons(plan.entitlements().misfits(configuration))
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

    #[test]
    fn features_beyond_the_licence_are_named_one_by_one() {
        let wanted = Configuration { database: Database::Sqlite, authorities: 1, features: Set::all() };
        assert_eq!(
            Plan::Pro.entitlements().misfits(wanted),
            [Misfit::Feature(Feature::Ha), Misfit::Feature(Feature::Oidc)]
        );
        assert_eq!(Plan::Enterprise.entitlements().misfits(wanted), []);
        assert_eq!(Misfit::Feature(Feature::Ha).reason(), "feature_not_licensed");
    }

    #[test]
    fn use_beyond_each_limit_has_its_reason() {
        let entitlements = Entitlements {
            max_managed_servers: Limit::AtMost(1),
            max_certificates: Limit::AtMost(2),
            max_users: Limit::AtMost(3),
            max_profiles: Limit::Forbidden,
            ..Plan::Enterprise.entitlements()
        };
        let full = Usage { managed_servers: 1, certificates: 2, users: 3, profiles: 0 };
        assert_eq!(entitlements.excesses(full), []);
        for (usage, reason) in [
            (Usage { managed_servers: 2, ..full }, "managed_servers_exceeded"),
            (Usage { certificates: 3, ..full }, "certificates_exceeded"),
            (Usage { users: 4, ..full }, "users_exceeded"),
            (Usage { profiles: 1, ..full }, "profiles_exceeded"),
        ] {
            assert_eq!(reasons(entitlements.excesses(usage)), [reason]);
        }
        for none in [Limit::Forbidden, Limit::AtMost(0)] {
            let nothing = Entitlements { max_managed_servers: none, ..entitlements };
            assert_eq!(reasons(nothing.excesses(Usage::default())), ["max_managed_servers_zero"]);
            assert_eq!(reasons(nothing.excesses(full)), ["max_managed_servers_zero"]);
        }
    }

    #[test]
    fn the_json_form_has_every_member_and_no_other() {
        let entitlements = Entitlements { max_users: Limit::Forbidden, ..Plan::Starter.entitlements() };
        let json = r#"{"allowed_databases":["sqlite"],"max_authorities":2,"max_managed_servers":250,"max_certificates":"unlimited","max_users":"forbidden","max_profiles":"unlimited","features":["acme","api"]}"#;
        assert_eq!(serde_json::to_string(&entitlements).unwrap(), json);
        let read = |json: &str| serde_json::from_str::<Entitlements>(json);
        assert_eq!(read(json).unwrap(), entitlements);
        for (from, to) in [
            (r#""max_authorities":2,"#, ""),
            (r#""max_authorities":2,"#, r#""max_authorities":2,"max_authorities":3,"#),
            (r#""max_authorities":2,"#, r#""max_authorities":2,"max_cas":2,"#),
            (r#""max_authorities":2,"#, r#""max_authorities":"2","#),
            (r#""max_authorities":2,"#, r#""max_authorities":null,"#),
            (r#"["sqlite"]"#, r#"["mysql"]"#),
            (r#"["sqlite"]"#, r#""sqlite""#),
        ] {
            let altered = json.replacen(from, to, 1);
            assert!(altered != json && read(&altered).is_err(), "{altered}");
        }
    }
}
