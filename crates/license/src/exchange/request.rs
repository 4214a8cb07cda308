use serde::{Deserialize, Serialize};

use super::Nonce;
use crate::crypto::{Method, PublicKey};
use crate::document::{Content, Kind, rules};
use crate::entitlements::Database;
use crate::json;
use crate::key::{InstallationKey, LicenseKey};
use crate::limits;
use crate::version::Version;

/// The body of a request: all that an installation tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The installation.
    pub installation_key: InstallationKey,
    /// Its Ed25519 key, which signs the request.
    pub public_key: PublicKey,
    /// What makes this request unlike any other.
    pub nonce: Nonce,
    /// Rises with every exchange, from 1: one that does not shows a copy of the installation.
    pub counter: u64,
    /// The licence that it asks to be registered with.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    pub license_key: Option<LicenseKey>,
    /// The name of the machine, where it tells one: 1 to 255 bytes without control characters.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    pub machine_name: Option<String>,
    /// What it holds already.
    #[serde(deserialize_with = "json::object")]
    pub held: Held,
    /// What it counts.
    #[serde(deserialize_with = "json::object")]
    pub metrics: Metrics,
}

/// The newest documents that an installation holds; 0 where it holds none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// The highest serial of a licence.
    pub serial: u64,
    /// The sequence number of the revocation list.
    pub revocations: u64,
    /// The sequence number of the key manifest.
    pub keys: u64,
}

/// What an installation counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The database that it runs on.
    #[serde(serialize_with = "json::write_named", deserialize_with = "json::named")]
    pub database: Database,
    /// How many authorities it has.
    pub authorities: u32,
    /// How many accounts hold active certificates.
    pub managed_servers: u64,
    /// How many certificates are active.
    pub active_certificates: u64,
    /// The version of the program.
    pub version: Version,
}

impl Content for Request {
    const KIND: Kind = Kind::Request;
}

impl rules::Rules for Request {
    fn check(&self) -> Result<(), &'static str> {
        if self.public_key.method() != Method::Ed25519 {
            return Err("public_key is an Ed25519 key");
        }
        rules::number(self.counter, "counter is a number from 1 to 2^53 - 1")?;
        if self.machine_name.as_deref().is_some_and(|name| limits::device_name(name).is_err()) {
            return Err("machine_name is 1 to 255 bytes without control characters");
        }
        let Held { serial, revocations, keys } = self.held;
        let Metrics { managed_servers, active_certificates, .. } = self.metrics;
        let counts = [serial, revocations, keys, managed_servers, active_certificates];
        counts
            .into_iter()
            .try_for_each(|count| rules::count(count, "every number of held and metrics is 0 to 2^53 - 1"))
    }
}
