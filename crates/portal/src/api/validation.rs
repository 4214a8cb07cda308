//! What validation found, as the API writes it.

use serde::Serialize;
use utoipa::ToSchema;

use super::activation::ActivationObject;
use super::license::LicenseObject;
use crate::domain::validation::Verdict;

/// Whether a device may use a licence now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ValidationObject {
    /// `validation_result`
    object: &'static str,
    valid: bool,
    /// Why not: `expired`, `revoked`, `suspended`, `not_active` or `device_not_activated`; null where it may.
    code: Option<&'static str>,
    /// The same for people, in one line; null where it may.
    message: Option<String>,
    /// What somebody should see to; null where there is nothing.
    warnings: Option<Vec<WarningObject>>,
    license: LicenseObject,
    /// Null where the device holds no seat.
    activation: Option<ActivationObject>,
}

/// Something that somebody should see to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WarningObject {
    /// `expires_soon` or `seat_limit_exceeded`
    code: &'static str,
    message: String,
}

impl ValidationObject {
    pub(crate) fn new(
        verdict: Verdict,
        license: LicenseObject,
        activation: Option<ActivationObject>,
    ) -> Self {
        let warnings = verdict.warnings.into_iter();
        let warnings: Vec<_> =
            warnings.map(|warning| WarningObject { code: warning.code, message: warning.message }).collect();
        Self {
            object: "validation_result",
            valid: verdict.refusal.is_none(),
            code: verdict.refusal.as_ref().map(|refusal| refusal.code.name()),
            message: verdict.refusal.map(|refusal| refusal.message),
            warnings: (!warnings.is_empty()).then_some(warnings),
            license,
            activation,
        }
    }
}
