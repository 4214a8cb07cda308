//! How a product tells the audit log of something.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use chancery_db::{Db, Error, WriteTx};
use chancery_time::Timestamp;
use serde_json::Value;

use crate::kind::Kind;
use crate::outbox::{self, NewEvent};

/// Where events of this node go. Clones are the same.
#[derive(Debug, Clone)]
pub struct Trail {
    node: Arc<str>,
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: IpAddr,
    /// How the client called itself, cut to [`MAX_USER_AGENT`] bytes.
    pub user_agent: Option<String>,
}

/// The most that is kept of a `User-Agent`.
pub const MAX_USER_AGENT: usize = 256;

/// Something that happened.
#[derive(Debug, Clone)]
#[must_use]
pub struct Entry {
    kind: Kind,
    account_id: Option<i64>,
    origin: Option<Arc<Origin>>,
    actor: Option<String>,
    decision: Option<&'static str>,
    reason: Option<Cow<'static, str>>,
    details: Value,
}

impl Entry {
    /// An event of that kind, with a JSON object of details.
    pub fn new(kind: Kind, details: Value) -> Self {
        Self { kind, account_id: None, origin: None, actor: None, decision: None, reason: None, details }
    }

    /// The account that it is about.
    pub fn account(self, id: i64) -> Self {
        Self { account_id: Some(id), ..self }
    }

    /// Where the request came from that caused it.
    pub fn from(self, origin: &Arc<Origin>) -> Self {
        Self { origin: Some(Arc::clone(origin)), ..self }
    }

    /// Who did it, where that is no account.
    pub fn by(self, actor: String) -> Self {
        Self { actor: Some(actor), ..self }
    }

    /// It was allowed, for that reason.
    pub fn allowed(self, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { decision: Some("allow"), reason: Some(reason.into()), ..self }
    }

    /// It was refused, for that reason.
    pub fn denied(self, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { decision: Some("deny"), reason: Some(reason.into()), ..self }
    }
}

impl Trail {
    /// The trail of a node.
    pub fn new(node: &str) -> Self {
        Self { node: node.into() }
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Tells of something in the transaction that makes it so: either both are durable or neither.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tell(&self, tx: &mut WriteTx<'_>, entry: &Entry, now: Timestamp) -> Result<(), Error> {
        let origin = entry.origin.as_deref();
        let ip = origin.map(|origin| origin.ip.to_string());
        outbox::insert(
            tx,
            &NewEvent {
                node: &self.node,
                at: now,
                event: entry.kind.name,
                account_id: entry.account_id,
                source_ip: ip.as_deref(),
                user_agent: origin.and_then(|origin| origin.user_agent.as_deref()),
                actor: entry.actor.as_deref(),
                decision: entry.decision,
                reason: entry.reason.as_deref(),
                details: &entry.details.to_string(),
            },
        )
    }

    /// Tells of something that changed nothing else, such as a refusal, in a transaction of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tell_alone(&self, db: &Db, entry: Entry, now: Timestamp) -> Result<(), Error> {
        let trail = self.clone();
        db.write(move |tx| trail.tell(tx, &entry, now)).await
    }
}

/// Who gives commands on this machine: `operator`, with the number of the system's user.
pub fn operator() -> String {
    format!("operator uid={}", rustix::process::getuid().as_raw())
}
