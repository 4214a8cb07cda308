//! What a licence allows: what its plan does, and what the flags change of it.

use chancery_license::{Database, Entitlements, Feature, Limit, Set};
use clap::Args;

use super::values;

#[derive(Debug, Args)]
#[command(next_help_heading = "What it allows, where that is not what the plan says")]
pub(super) struct Changes {
    /// The databases: some of sqlite,postgres.
    #[arg(long, value_name = "NAMES", value_parser = values::set::<Database>)]
    allow_database: Option<Set<Database>>,
    /// Authorities: a number, `unlimited` or `forbidden`.
    #[arg(long, value_name = "LIMIT", value_parser = values::limit)]
    max_authorities: Option<Limit>,
    /// Accounts that hold active certificates.
    #[arg(long, value_name = "LIMIT", value_parser = values::limit)]
    max_managed_servers: Option<Limit>,
    /// Active certificates.
    #[arg(long, value_name = "LIMIT", value_parser = values::limit)]
    max_certificates: Option<Limit>,
    /// Users of the console.
    #[arg(long, value_name = "LIMIT", value_parser = values::limit)]
    max_users: Option<Limit>,
    /// Certificate profiles.
    #[arg(long, value_name = "LIMIT", value_parser = values::limit)]
    max_profiles: Option<Limit>,
    /// The features: some of acme,api,ha,mtls,oidc,siem, or `none`.
    #[arg(long, value_name = "NAMES", value_parser = values::set::<Feature>)]
    features: Option<Set<Feature>>,
}

impl Changes {
    pub(super) fn apply(&self, plan: Entitlements) -> Entitlements {
        Entitlements {
            allowed_databases: self.allow_database.unwrap_or(plan.allowed_databases),
            max_authorities: self.max_authorities.unwrap_or(plan.max_authorities),
            max_managed_servers: self.max_managed_servers.unwrap_or(plan.max_managed_servers),
            max_certificates: self.max_certificates.unwrap_or(plan.max_certificates),
            max_users: self.max_users.unwrap_or(plan.max_users),
            max_profiles: self.max_profiles.unwrap_or(plan.max_profiles),
            features: self.features.unwrap_or(plan.features),
        }
    }
}
