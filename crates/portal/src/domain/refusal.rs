//! Why a request is refused, in the words of the API.

use http::StatusCode;
use serde_json::{Map, Value, json};

/// The codes of the API's errors, which clients act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    ActivationNotFound,
    AlreadyDeactivated,
    AuthenticationRequired,
    DeviceNotActivated,
    Expired,
    Forbidden,
    InvalidApiKey,
    InvalidArguments,
    LicenseNotFound,
    NotActive,
    NotFound,
    ParameterMissing,
    ProductMismatch,
    ProductNotFound,
    RateLimited,
    Revoked,
    SeatLimitExceeded,
    Suspended,
}

impl Code {
    /// Every code.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 18] = [
        Self::ActivationNotFound,
        Self::AlreadyDeactivated,
        Self::AuthenticationRequired,
        Self::DeviceNotActivated,
        Self::Expired,
        Self::Forbidden,
        Self::InvalidApiKey,
        Self::InvalidArguments,
        Self::LicenseNotFound,
        Self::NotActive,
        Self::NotFound,
        Self::ParameterMissing,
        Self::ProductMismatch,
        Self::ProductNotFound,
        Self::RateLimited,
        Self::Revoked,
        Self::SeatLimitExceeded,
        Self::Suspended,
    ];

    /// The code as the API writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ActivationNotFound => "activation_not_found",
            Self::AlreadyDeactivated => "already_deactivated",
            Self::AuthenticationRequired => "authentication_required",
            Self::DeviceNotActivated => "device_not_activated",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::InvalidApiKey => "invalid_api_key",
            Self::InvalidArguments => "invalid_arguments",
            Self::LicenseNotFound => "license_not_found",
            Self::NotActive => "not_active",
            Self::NotFound => "not_found",
            Self::ParameterMissing => "parameter_missing",
            Self::ProductMismatch => "product_mismatch",
            Self::ProductNotFound => "product_not_found",
            Self::RateLimited => "rate_limited",
            Self::Revoked => "revoked",
            Self::SeatLimitExceeded => "seat_limit_exceeded",
            Self::Suspended => "suspended",
        }
    }

    /// The HTTP status that goes with it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::InvalidArguments | Self::ParameterMissing => StatusCode::BAD_REQUEST,
            Self::AuthenticationRequired | Self::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::ActivationNotFound | Self::LicenseNotFound | Self::NotFound | Self::ProductNotFound => {
                StatusCode::NOT_FOUND
            }
            Self::AlreadyDeactivated
            | Self::DeviceNotActivated
            | Self::Expired
            | Self::NotActive
            | Self::ProductMismatch
            | Self::Revoked
            | Self::SeatLimitExceeded
            | Self::Suspended => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// A refusal: a code for programs, a message for people, and what it is about.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// One line: what is wrong and what to do. Never a licence key or another secret.
    pub(crate) message: String,
    pub(crate) details: Map<String, Value>,
}

impl Refusal {
    /// A refusal without details.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Map::new() }
    }

    /// A member of the request is wrong: `details.field` names it.
    pub(crate) fn field(field: &str, message: impl std::fmt::Display) -> Self {
        Self::new(Code::InvalidArguments, format!("{field}: {message}")).with("field", json!(field))
    }

    /// A member of the request is missing.
    pub(crate) fn missing(field: &str) -> Self {
        Self::new(Code::ParameterMissing, format!("{field} is missing")).with("field", json!(field))
    }

    /// There is no object of that kind under that id.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// The same refusal with one more detail.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }

    /// The error envelope of the API.
    pub(crate) fn envelope(&self) -> Value {
        json!({ "error": { "code": self.code.name(), "message": self.message, "details": self.details } })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_an_error_status() {
        let names: HashSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().is_client_error()));
    }

    #[test]
    fn the_envelope_always_has_its_three_members() {
        let plain = Refusal::new(Code::LicenseNotFound, "no").envelope();
        assert_eq!(
            plain,
            json!({ "error": { "code": "license_not_found", "message": "no", "details": {} } })
        );
        let field = Refusal::missing("fingerprint").envelope();
        assert_eq!(field["error"]["details"], json!({ "field": "fingerprint" }));
    }
}
