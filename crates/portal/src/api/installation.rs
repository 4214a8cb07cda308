//! Installations, and the answer to their calls, as the API writes them.

use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::store::installations::Installation;

/// An installation of a product of kind chancery.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct InstallationObject {
    /// `installation`
    object: &'static str,
    id: String,
    installation_key: String,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    /// What its operator calls the machine.
    name: Option<String>,
    /// `linked`, `unlinked` or `retired`
    status: &'static str,
    license_id: Option<String>,
    activation_id: Option<String>,
    linked_at: Option<Time>,
    retired_at: Option<Time>,
    /// The id of the key that signs its calls; null before the first.
    key_id: Option<String>,
    /// When a second copy of it was noticed.
    clone_seen_at: Option<Time>,
    /// What it counted when it called last.
    metrics: Option<MetricsObject>,
    created_at: Time,
    last_seen_at: Option<Time>,
}

/// What an installation counts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MetricsObject {
    /// `sqlite` or `postgres`
    database: String,
    authorities: u32,
    managed_servers: u64,
    active_certificates: u64,
    version: String,
}

impl From<&Installation> for InstallationObject {
    fn from(row: &Installation) -> Self {
        let key = row.public_key.as_deref().and_then(|pem| chancery_license::PublicKey::from_pem(pem).ok());
        Self {
            object: "installation",
            id: row.id.clone(),
            installation_key: row.installation_key.clone(),
            environment: row.environment.name(),
            name: row.name.clone(),
            status: row.status(),
            license_id: row.license_id.clone(),
            activation_id: row.activation_id.clone(),
            linked_at: row.linked_at.map(Time),
            retired_at: row.retired_at.map(Time),
            key_id: key.map(|key| key.id().to_string()),
            clone_seen_at: row.clone_seen_at.map(Time),
            metrics: row.metrics.map(|metrics| MetricsObject {
                database: metrics.database.to_string(),
                authorities: metrics.authorities,
                managed_servers: metrics.managed_servers,
                active_certificates: metrics.active_certificates,
                version: metrics.version.to_string(),
            }),
            created_at: row.created_at.into(),
            last_seen_at: row.last_seen_at.map(Time),
        }
    }
}

/// The answer to a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InstallationSync {
    /// `installation_sync`
    object: &'static str,
    /// The key manifests that are newer than what the installation holds, in the order in which they build on each
    /// other. They are signed by the root, and come first: the key that signed the response may be in them.
    keys: Vec<String>,
    /// The response in its armour.
    response: String,
}

impl InstallationSync {
    pub(crate) fn new(keys: Vec<String>, response: String) -> Self {
        Self { object: "installation_sync", keys, response }
    }
}
