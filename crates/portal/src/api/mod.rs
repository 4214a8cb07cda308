//! The objects of the API as they are written: by HTTP, by `--json`, and in webhooks.

pub(crate) mod activation;
pub(crate) mod api_key;
pub(crate) mod clear_key;
pub(crate) mod installation;
pub(crate) mod license;
pub(crate) mod log;
pub(crate) mod machine_file;
pub(crate) mod organisation;
pub(crate) mod plan;
pub(crate) mod product;
pub(crate) mod published;
pub(crate) mod seat;
pub(crate) mod signing_key;
pub(crate) mod user;
pub(crate) mod validation;
pub(crate) mod webhook;

use chancery_time::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// An instant in RFC 3339 with `Z` and whole seconds, rounded down: a client refuses a licence that begins a
/// fraction of a second after its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.whole_seconds())
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// `list`
    object: &'static str,
    data: Vec<T>,
    /// What to give as `after` for the next part; null at the end.
    next: Option<String>,
}

impl<T> List<T> {
    pub(crate) fn new(data: Vec<T>, next: Option<String>) -> Self {
        Self { object: "list", data, next }
    }
}

/// How every refusal is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorEnvelope {
    error: ErrorObject,
}

/// A code for programs, a message for people, and what it is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorObject {
    code: String,
    message: String,
    details: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_whole_seconds_rounded_down() {
        let time = Time("2026-06-14T13:23:09.999Z".parse().unwrap());
        assert_eq!(serde_json::to_value(time).unwrap(), "2026-06-14T13:23:09Z");
    }
}
