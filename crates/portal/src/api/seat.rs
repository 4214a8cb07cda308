//! The seat, as the vendor sees it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use crate::store::activations::Activation;

/// A seat that a device takes, or took. Unlike what programs in the field see, it is without the licence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SeatObject {
    /// `activation`
    object: &'static str,
    id: String,
    license_id: String,
    fingerprint: String,
    device_name: Option<String>,
    metadata: Option<Map<String, Value>>,
    ip_address: Option<String>,
    activated_at: Time,
    last_seen_at: Time,
    /// Null as long as the seat is taken.
    deactivated_at: Option<Time>,
}

impl From<&Activation> for SeatObject {
    fn from(activation: &Activation) -> Self {
        Self {
            object: "activation",
            id: activation.id.clone(),
            license_id: activation.license_id.clone(),
            fingerprint: activation.fingerprint.clone(),
            device_name: activation.device_name.clone(),
            metadata: activation.metadata.clone(),
            ip_address: activation.ip_address.clone(),
            activated_at: activation.activated_at.into(),
            last_seen_at: activation.last_seen_at.into(),
            deactivated_at: activation.deactivated_at.map(Time),
        }
    }
}
