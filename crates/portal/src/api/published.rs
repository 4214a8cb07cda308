//! What the vendor publishes of a product: its root, key manifests and revocation lists, as the API writes them.

use chancery_license::Environment;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::service::manifests::RootSet;
use crate::store::manifests::Manifest;
use crate::store::revocation_lists::SignedList;

/// The offline root of a product in an environment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SigningRootObject {
    /// `signing_root`
    object: &'static str,
    key_id: String,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    /// The SubjectPublicKeyInfo in PEM.
    public_key_pem: String,
    set_at: Time,
}

/// A key manifest.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct KeyManifestObject {
    /// `key_manifest`
    object: &'static str,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    sequence: u64,
    /// In its armour (docs/formats/key-manifest.md).
    manifest: String,
    taken_at: Time,
}

/// A revocation list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RevocationListObject {
    /// `revocation_list`
    object: &'static str,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    sequence: u64,
    /// How many licences and single issues are revoked.
    entries: u64,
    /// In its armour (docs/formats/revocations.md).
    revocations: String,
    issued_at: Time,
    /// When the next list is there at the latest.
    next_update: Time,
}

impl From<&RootSet> for SigningRootObject {
    fn from(set: &RootSet) -> Self {
        let key = &set.root.public_key;
        Self {
            object: "signing_root",
            key_id: key.id().to_string(),
            environment: set.environment.name(),
            public_key_pem: key.to_pem(),
            set_at: Time(set.root.set_at),
        }
    }
}

impl KeyManifestObject {
    pub(crate) fn new(environment: Environment, manifest: &Manifest) -> Self {
        Self {
            object: "key_manifest",
            environment: environment.name(),
            sequence: manifest.sequence,
            manifest: manifest.body.clone(),
            taken_at: Time(manifest.taken_at),
        }
    }
}

impl RevocationListObject {
    pub(crate) fn new(environment: Environment, list: &SignedList) -> Self {
        Self {
            object: "revocation_list",
            environment: environment.name(),
            sequence: list.sequence,
            entries: list.entries,
            revocations: list.body.clone(),
            issued_at: Time(list.issued_at),
            next_update: Time(list.next_update),
        }
    }
}
