//! One request of a program in the field, and whether the answer is what it should be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::connection::{Connection, Response, Server};

/// The portal, and what a device says to it.
pub(super) struct Site {
    /// Where the licences of the product are.
    licenses_url: String,
    authorization: HeaderValue,
    license_keys: Vec<String>,
    /// So that two runs against one portal do not share devices.
    run: u32,
}

/// The number of a device, from which everything else about it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Device(pub(super) usize);

/// What a device asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Operation {
    /// A new device takes a seat.
    Activate,
    /// A device that has a seat asks whether it may go on.
    Validate,
}

/// A client with a connection of its own.
pub(super) struct Caller {
    connection: Connection,
    site: Arc<Site>,
}

/// Why a request is not counted.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The portal refused it, or said something else than that it is done.
    #[error("{code} ({status}): {message}")]
    Refused { code: String, status: u16, message: String },
    #[error("connection: {0:#}")]
    Connection(anyhow::Error),
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
}

/// The time allowed for one request.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Site {
    /// # Errors
    /// A key that no header field can hold.
    pub(super) fn new(url: &str, product: &str, key: &str, license_keys: &[String]) -> anyhow::Result<Self> {
        let mut authorization =
            HeaderValue::from_str(&format!("Bearer {key}")).context("this is no API key")?;
        authorization.set_sensitive(true);
        Ok(Self {
            licenses_url: format!("{}/api/v1/products/{product}/licenses", url.trim_end_matches('/')),
            authorization,
            license_keys: license_keys.to_vec(),
            run: std::process::id(),
        })
    }

    /// What a device says of itself: the licences have the devices in turn.
    fn body(&self, Device(number): Device) -> String {
        let license_key =
            number.checked_rem(self.license_keys.len()).and_then(|turn| self.license_keys.get(turn));
        json!({ "license_key": license_key, "fingerprint": format!("bench-{}-{number}", self.run) })
            .to_string()
    }
}

impl Operation {
    const fn path(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Validate => "validate",
        }
    }

    /// Whether an answer says that it is done: a seat that is new, a licence that is valid.
    fn is_done(self, status: StatusCode, body: &Value) -> bool {
        match self {
            Self::Activate => status == StatusCode::CREATED,
            Self::Validate => status == StatusCode::OK && body.get("valid") == Some(&Value::Bool(true)),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.path())
    }
}

impl Caller {
    pub(super) fn new(server: Server, site: Arc<Site>) -> Self {
        Self { connection: Connection::new(server), site }
    }

    /// Makes one request.
    ///
    /// # Errors
    /// When it does not end in what it was made for.
    pub(super) async fn call(&mut self, operation: Operation, device: Device) -> Result<(), CallError> {
        let url = format!("{}/{}", self.site.licenses_url, operation.path());
        let sent = self.connection.post_json(&url, &self.site.authorization, self.site.body(device));
        let answer = tokio::time::timeout(TIMEOUT, sent).await.map_err(|_| CallError::Timeout)?;
        checked(operation, &answer.map_err(CallError::Connection)?)
    }
}

impl CallError {
    /// What errors are counted by.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Refused { code, status, .. } => format!("{code} ({status})"),
            Self::Connection(_) => "connection".to_owned(),
            Self::Timeout => "timeout".to_owned(),
        }
    }
}

fn checked(operation: Operation, answer: &Response) -> Result<(), CallError> {
    #[derive(Default, Deserialize)]
    struct Said {
        code: Option<String>,
        message: Option<String>,
    }

    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if operation.is_done(answer.status, &body) {
        return Ok(());
    }
    // A refusal has these in an envelope, a validation that finds something wrong has them itself.
    let said = body.get("error").unwrap_or(&body);
    let Said { code, message } = Said::deserialize(said).unwrap_or_default();
    Err(CallError::Refused {
        code: code.unwrap_or_else(|| "unexpected answer".to_owned()),
        status: answer.status.as_u16(),
        message: message.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    #[test]
    fn only_what_was_asked_for_counts() {
        let valid = r#"{"valid": true, "code": null}"#;
        let expired = r#"{"valid": false, "code": "expired", "message": "m"}"#;
        let refused = r#"{"error": {"code": "rate_limited", "message": "m", "details": {}}}"#;
        for (operation, status, body, expected) in [
            (Operation::Activate, 201, "{}", None),
            // Somebody else's device had that fingerprint before.
            (Operation::Activate, 200, "{}", Some("unexpected answer (200)")),
            (Operation::Activate, 429, refused, Some("rate_limited (429)")),
            (Operation::Validate, 200, valid, None),
            (Operation::Validate, 201, valid, Some("unexpected answer (201)")),
            (Operation::Validate, 200, expired, Some("expired (200)")),
            (Operation::Validate, 502, "<html>", Some("unexpected answer (502)")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = Response { status, headers: HeaderMap::new(), body: Bytes::from(body) };
            let kind = checked(operation, &answer).err().map(|error| error.kind());
            assert_eq!(kind.as_deref(), expected, "{operation} {status} {body}");
        }
    }

    #[test]
    fn devices_have_fingerprints_of_their_own_and_share_the_licences() {
        let keys = ["A".to_owned(), "B".to_owned()];
        let site = Site::new("https://p.example/", "app", "pk_live_x", &keys).unwrap();
        assert_eq!(site.licenses_url, "https://p.example/api/v1/products/app/licenses");
        let said: Vec<Value> =
            (0..4).map(|number| serde_json::from_str(&site.body(Device(number))).unwrap()).collect();
        let keys: Vec<&str> = said.iter().map(|body| body["license_key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["A", "B", "A", "B"]);
        let fingerprints: std::collections::BTreeSet<&str> =
            said.iter().map(|body| body["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(fingerprints.len(), 4);
        assert!(fingerprints.iter().all(|fingerprint| (8..=255).contains(&fingerprint.len())));
    }
}
