//! Seats, as the API writes them.

use chancery_time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use super::clear_key::ClearKey;
use super::license::LicenseObject;
use crate::store::activations::Activation;

/// A seat that a device holds, or held.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ActivationObject {
    /// `activation`
    object: &'static str,
    id: String,
    fingerprint: String,
    device_name: Option<String>,
    license_key: ClearKey,
    activated_at: Time,
    deactivated_at: Option<Time>,
    /// Where the activation came from.
    ip_address: Option<String>,
    metadata: Option<Map<String, Value>>,
    license: LicenseObject,
}

/// A seat that was given back.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DeactivationObject {
    /// `deactivation`
    object: &'static str,
    activation_id: String,
    deactivated_at: Time,
}

/// A device was heard of.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HeartbeatObject {
    /// `heartbeat`
    object: &'static str,
    received_at: Time,
    license: LicenseObject,
}

impl ActivationObject {
    /// The activation under its licence.
    pub(crate) fn new(activation: &Activation, license_key: &str, license: LicenseObject) -> Self {
        Self {
            object: "activation",
            id: activation.id.clone(),
            fingerprint: activation.fingerprint.clone(),
            device_name: activation.device_name.clone(),
            license_key: license_key.into(),
            activated_at: activation.activated_at.into(),
            deactivated_at: activation.deactivated_at.map(Time),
            ip_address: activation.ip_address.clone(),
            metadata: activation.metadata.clone(),
            license,
        }
    }
}

impl DeactivationObject {
    pub(crate) fn new(activation_id: String, deactivated_at: Timestamp) -> Self {
        Self { object: "deactivation", activation_id, deactivated_at: deactivated_at.into() }
    }
}

impl HeartbeatObject {
    pub(crate) fn new(received_at: Timestamp, license: LicenseObject) -> Self {
        Self { object: "heartbeat", received_at: received_at.into(), license }
    }
}
