//! Signing keys, as the API writes them.

use base64ct::{Base64, Encoding as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::store::signing_keys::KnownKey;

/// A key that verifies machine files, for programs in the field.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SigningKeyObject {
    /// `signing_key`
    object: &'static str,
    key_id: String,
    /// `Ed25519`
    algorithm: &'static str,
    /// The 32 bytes of the key (RFC 8032 §5.1.2) in base64 with padding.
    public_key: String,
    created_at: Option<Time>,
    /// `active`, also of a key that signs no more and still verifies.
    status: &'static str,
}

/// A signing key, for the vendor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ManagedKeyObject {
    /// `managed_signing_key`
    object: &'static str,
    key_id: String,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    /// `Ed25519`
    algorithm: &'static str,
    /// The 32 bytes of the key (RFC 8032 §5.1.2) in base64 with padding.
    public_key: String,
    /// The SubjectPublicKeyInfo in PEM, as builds and manifests take it.
    public_key_pem: String,
    /// `pending`, `current`, `retired` (signs no more, and still verifies) or `withdrawn`
    status: &'static str,
    created_at: Time,
    activated_at: Option<Time>,
    retired_at: Option<Time>,
    withdrawn_at: Option<Time>,
}

impl From<&KnownKey> for SigningKeyObject {
    fn from(key: &KnownKey) -> Self {
        Self {
            object: "signing_key",
            key_id: key.kid.clone(),
            algorithm: "Ed25519",
            public_key: raw(key),
            created_at: Some(Time(key.created_at)),
            status: "active",
        }
    }
}

impl From<&KnownKey> for ManagedKeyObject {
    fn from(key: &KnownKey) -> Self {
        Self {
            object: "managed_signing_key",
            key_id: key.kid.clone(),
            environment: key.environment.name(),
            algorithm: "Ed25519",
            public_key: raw(key),
            public_key_pem: key.public_key.to_pem(),
            status: key.status.name(),
            created_at: Time(key.created_at),
            activated_at: key.activated_at.map(Time),
            retired_at: key.retired_at.map(Time),
            withdrawn_at: key.withdrawn_at.map(Time),
        }
    }
}

/// Only Ed25519 keys are kept.
fn raw(key: &KnownKey) -> String {
    Base64::encode_string(&key.public_key.to_ed25519().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use chancery_license::{Environment, SigningKey};
    use serde_json::json;

    use super::*;
    use crate::store::signing_keys::KeyStatus;

    #[test]
    fn programs_are_told_exactly_what_they_read() {
        let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
        let known = KnownKey {
            kid: key.public().id().to_string(),
            product_id: "prd_1".to_owned(),
            environment: Environment::Prod,
            public_key: key.public().clone(),
            status: KeyStatus::Retired,
            created_at: "2026-06-14T12:00:00.900Z".parse().unwrap(),
            activated_at: None,
            retired_at: None,
            withdrawn_at: None,
        };
        let told = serde_json::to_value(SigningKeyObject::from(&known)).unwrap();
        let expected = json!({
            "object": "signing_key",
            "key_id": known.kid,
            "algorithm": "Ed25519",
            "public_key": Base64::encode_string(&key.public().to_ed25519().unwrap()),
            "created_at": "2026-06-14T12:00:00Z",
            "status": "active",
        });
        assert_eq!(told, expected);
        assert_eq!(told["public_key"].as_str().unwrap().len(), 44);
    }
}
