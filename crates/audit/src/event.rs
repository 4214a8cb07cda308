//! What a caller gives to be kept.

use std::net::IpAddr;

use chancery_time::Timestamp;
use serde_json::{Map, Value};

use crate::names::EventName;

/// Something that happened, to become one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The caller's own number of this event, by which it recognises it after a crash: unique among the
    /// events that were given to the journal and not yet pinned. It becomes `details.event_id`.
    pub id: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub name: EventName,
    /// The account it is about. At most 256 bytes are kept.
    pub account_id: Option<String>,
    /// Where the request came from.
    pub source_ip: Option<IpAddr>,
    /// How the client called itself. At most 2 KiB are kept.
    pub user_agent: Option<String>,
    /// Who did it. At most 1 KiB is kept.
    pub actor: Option<String>,
    /// Whether it was allowed, where that was the question.
    pub decision: Option<Decision>,
    /// Why. At most 4 KiB are kept.
    pub reason: Option<String>,
    /// Whatever else is worth keeping. A member `event_id` gives way to [`Event::id`]. Where the line
    /// would become longer than 64 KiB, or the values stand more than 32 deep within each other, a
    /// marker takes their place that tells how long they were.
    pub details: Map<String, Value>,
}

impl Event {
    /// An event with nothing but its name.
    pub fn new(id: u64, at: Timestamp, name: EventName) -> Self {
        Self {
            id,
            at,
            name,
            account_id: None,
            source_ip: None,
            user_agent: None,
            actor: None,
            decision: None,
            reason: None,
            details: Map::new(),
        }
    }
}

/// Whether something was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It was.
    Allow,
    /// It was refused.
    Deny,
}

impl Decision {
    /// `allow` or `deny`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}
