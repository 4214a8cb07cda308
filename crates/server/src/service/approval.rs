//! Orders that a person has to approve (`profiles[].require_approval`).
//!
//! Such an order is finalized like any other, and then waits: it is `processing`, with nothing recorded that would
//! count as a certificate, and no job. Whoever approves it writes the job; a server takes that up within
//! seconds and asks the licence and the authorizations again. An order that waits beyond its expiry lapses.

use chancery_acme::state::{AccountStatus, OrderStatus};
use chancery_acme::{Problem, ProblemType};
use chancery_db::{Db, WriteTx};
use chancery_time::Timestamp;
use serde_json::json;

use super::{Failure, Signer, orders};
use crate::audit::Kind;
use crate::audit::{Entry, Trail, events};
use crate::licensing::StoredApplicant;
use crate::licensing::admission::Denied;
use crate::licensing::basis::Basis;
use crate::store::jobs::{self, JobKind};
use crate::store::orders::{Approval, Order};
use crate::store::{self, accounts, approvals};

/// How many orders are looked at at once that may have lapsed.
const BATCH: i64 = 100;
/// The longest reason that is taken, in characters.
pub(crate) const MAX_REASON: usize = 500;

/// Why an order was neither approved nor rejected.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no order with the number {0}")]
    Unknown(i64),
    #[error("the order does not wait for approval: {0}")]
    NotWaiting(&'static str),
    #[error("the account that ordered it is {0}: reject the order")]
    Account(&'static str),
    #[error(
        "an authorization of the order has lapsed or was given up: reject the order; its client makes a new one"
    )]
    Authorizations,
    #[error("the licence does not allow it ({0}): the order still waits")]
    License(String),
    #[error(transparent)]
    Store(#[from] chancery_db::Error),
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::License([denied.reasons().join(" "), denied.limits().join("; ")].join(": "))
    }
}

/// What somebody decides of an order, and who that is.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) order_id: i64,
    pub(crate) actor: String,
    pub(crate) reason: Option<String>,
    pub(crate) now: Timestamp,
}

/// Has an order wait that was finalized just now.
pub(crate) fn submit(
    tx: &mut WriteTx<'_>,
    trail: &Trail,
    by: &Signer,
    order: &Order,
    now: Timestamp,
) -> Result<(), chancery_db::Error> {
    approvals::set_waiting(tx, order.id)?;
    let details = json!({
        "order": order.id,
        "identifiers": order.identifiers.canonical(),
        "profile": order.profile,
    });
    let entry = Entry::new(events::ORDER_AWAIT_APPROVAL, details).account(by.account_id);
    trail.tell(tx, &entry.from(&by.origin), now)
}

/// Approves an order that waits; a server issues its certificate within seconds.
pub(crate) fn approve(
    tx: &mut WriteTx<'_>,
    trail: &Trail,
    basis: &Basis,
    decision: &Decision,
) -> Result<(), Refusal> {
    let now = decision.now;
    let order = waiting(tx, decision)?;
    match accounts::by_id(tx, order.account_id)?.map(|account| account.status) {
        Some(AccountStatus::Valid) => {}
        Some(status) => return Err(Refusal::Account(status.name())),
        None => return Err(Refusal::Unknown(order.id)),
    }
    if orders::state_of_authorizations(tx, order.id, now)? != OrderStatus::Ready {
        return Err(Refusal::Authorizations);
    }
    let identifiers = order.identifiers.canonical();
    let mut applicant = StoredApplicant { tx, account_id: order.account_id, identifiers: &identifiers, now };
    // Asked once more when the certificate is recorded, which is what this permission is for.
    basis.admit(&mut applicant)??;
    settle(tx, decision, Approval::Approved)?;
    // Nobody's yet: the first server that looks takes it up.
    jobs::insert(tx, JobKind::Issue, order.id, "", Timestamp::from_unix_millis(0))?;
    Ok(tell(tx, trail, events::ORDER_APPROVE, &order, decision)?)
}

/// Rejects an order that waits: it becomes invalid, and its client is told the reason.
pub(crate) fn reject(tx: &mut WriteTx<'_>, trail: &Trail, decision: &Decision) -> Result<(), Refusal> {
    let order = waiting(tx, decision)?;
    settle(tx, decision, Approval::Rejected)?;
    let detail = match &decision.reason {
        Some(reason) => format!("the order was not approved: {reason}"),
        None => "the order was not approved: ask the operator of this server why".to_owned(),
    };
    // The names may be served well enough; it is this client that may not have them.
    store::orders::fail_processing(tx, order.id, &Problem::unauthorized(detail).to_json())?;
    Ok(tell(tx, trail, events::ORDER_REJECT, &order, decision)?)
}

/// The order of a decision, which must wait for it.
fn waiting(tx: &mut WriteTx<'_>, decision: &Decision) -> Result<Order, Refusal> {
    let order = store::orders::by_id(tx, decision.order_id)?.ok_or(Refusal::Unknown(decision.order_id))?;
    match order.approval {
        Some(Approval::Waiting) if order.status_at(decision.now) == OrderStatus::Processing => Ok(order),
        Some(Approval::Waiting | Approval::Lapsed) => {
            Err(Refusal::NotWaiting("it waited until it expired or its account was closed"))
        }
        Some(Approval::Approved) => Err(Refusal::NotWaiting("it was approved already")),
        Some(Approval::Rejected) => Err(Refusal::NotWaiting("it was rejected already")),
        None if order.status == OrderStatus::Pending || order.status == OrderStatus::Ready => {
            Err(Refusal::NotWaiting("its client has not finalized it"))
        }
        None => Err(Refusal::NotWaiting("its profile asks for none")),
    }
}

/// Ends the wait. Transactions are serialisable, so that nobody else ended it since it was looked at.
fn settle(tx: &mut WriteTx<'_>, decision: &Decision, as_what: Approval) -> Result<(), Refusal> {
    if approvals::settle(tx, decision.order_id, as_what)? {
        return Ok(());
    }
    Err(Refusal::NotWaiting("somebody else was faster"))
}

fn tell(
    tx: &mut WriteTx<'_>,
    trail: &Trail,
    kind: Kind,
    order: &Order,
    decision: &Decision,
) -> Result<(), chancery_db::Error> {
    let details = json!({
        "order": order.id,
        "identifiers": order.identifiers.canonical(),
        "profile": order.profile,
        "reason": decision.reason,
    });
    let entry = Entry::new(kind, details).account(order.account_id).by(decision.actor.clone());
    trail.tell(tx, &entry, decision.now)
}

/// Ends orders that waited beyond their expiry.
pub(crate) async fn lapse(db: &Db, trail: &Trail, now: Timestamp) -> Result<(), Failure> {
    // A read first: nearly always there is nothing.
    if db.read(move |tx| approvals::overdue(tx, now, BATCH)).await?.is_empty() {
        return Ok(());
    }
    let trail = trail.clone();
    db.write(move |tx| {
        let detail = "the order expired before anybody approved it: make a new one";
        let problem = Problem::new(ProblemType::Unauthorized, detail).to_json();
        for (order_id, account_id) in approvals::overdue(tx, now, BATCH)? {
            approvals::settle(tx, order_id, Approval::Lapsed)?;
            store::orders::fail_processing(tx, order_id, &problem)?;
            let details = json!({ "order": order_id, "error": detail });
            trail.tell(tx, &Entry::new(events::ORDER_INVALID, details).account(account_id), now)?;
        }
        Ok(())
    })
    .await
}
