//! The issuance log, as the API writes it.

use chancery_audit::{Decision, Record};
use chancery_trail::Newest;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use crate::service::log::Signed;

/// A signed statement about the whole log so far, to be kept elsewhere.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CheckpointObject {
    /// `log_checkpoint`
    object: &'static str,
    /// The node whose log it is.
    node: String,
    /// How many lines it is about.
    size: u64,
    /// The note (docs/formats/audit-log.md). Every byte of it counts.
    note: String,
    /// The public key that verifies it. Believe the one that you kept, not this one.
    key: String,
}

/// The newest events of a node that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogEvents {
    /// `list`
    object: &'static str,
    /// The newest first.
    data: Vec<LogEventObject>,
    /// Whether more of the log would have had to be read: `chancery-portal log query` does.
    is_cut: bool,
}

/// An event of the log. It was read and not verified.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LogEventObject {
    /// `log_event`
    object: &'static str,
    node: String,
    /// The line's number.
    seq: u64,
    happened_at: Time,
    /// docs/portal-events.md lists them.
    event: String,
    actor: Option<String>,
    /// `allow`, `deny` or null
    decision: Option<&'static str>,
    reason: Option<String>,
    details: Map<String, Value>,
}

impl From<Signed> for CheckpointObject {
    fn from(signed: Signed) -> Self {
        let Signed { node, size, note, key } = signed;
        Self { object: "log_checkpoint", node, size, note, key }
    }
}

impl From<Newest> for LogEvents {
    fn from(newest: Newest) -> Self {
        let data = newest.records.into_iter().map(LogEventObject::from).collect();
        Self { object: "list", data, is_cut: newest.is_cut }
    }
}

impl From<Record> for LogEventObject {
    fn from(record: Record) -> Self {
        Self {
            object: "log_event",
            node: record.node,
            seq: record.seq,
            happened_at: Time(record.ts),
            event: record.event,
            actor: record.actor,
            decision: record.decision.map(|decision| match decision {
                Decision::Allow => "allow",
                Decision::Deny => "deny",
            }),
            reason: record.reason,
            details: record.details,
        }
    }
}
