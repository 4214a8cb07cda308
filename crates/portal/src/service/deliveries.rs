//! What webhooks are told: queued with the change that it tells of, taken under a lease, settled, swept.
//!
//! Several processes deliver side by side. A delivery belongs to whoever took it until its lease ends; if they die it is
//! taken over then. So each is sent at least once, and its receiver knows a second time by the id.

use std::time::Duration;

use chancery_db::{ReadTx, WriteTx};
use chancery_time::Timestamp;
use serde_json::json;

use super::webhooks::{find, in_service};
use super::{Failure, Note, Office};
use crate::api::webhook::EventObject;
use crate::domain::backoff::wait_after;
use crate::domain::delivery::Secret;
use crate::domain::webhook::hears;
use crate::domain::{Actor, Permission, Refusal};
use crate::id::IdKind;
use crate::store::deliveries::{self, Attempt, Delivery, NewDelivery, Status, Taken};
use crate::store::{Page, webhooks};
use crate::vault::{Purpose, Unsealed};
use crate::{events, random};

#[cfg(test)]
mod tests;

/// How long a delivery belongs to whoever took it: far longer than an attempt.
const LEASE: Duration = Duration::from_secs(60);
/// How long deliveries are kept once they have ended.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// How many one transaction removes.
const SWEPT_AT_ONCE: i64 = 1_000;
/// What is kept of an error.
const MAX_ERROR_CHARACTERS: usize = 300;

/// Deliveries of one webhook that this process is to make now.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) receiver: Receiver,
    pub(crate) taken: Vec<Taken>,
}

/// Where the deliveries of a webhook go.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) webhook_id: String,
    pub(crate) url: String,
    /// Where it does not open, the attempt fails, and is made again as any other.
    pub(crate) secret: Result<Secret, Unsealed>,
}

/// What a receiver made of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered with that status.
    Answered(u16),
    /// It did not answer, or was not asked: why.
    Failed(String),
}

/// Queues an event for every webhook that hears it, in the transaction of the change that it tells of.
///
/// # Errors
/// When the store fails.
pub(super) fn queue(tx: &mut WriteTx<'_>, note: &Note<'_>, now: Timestamp) -> Result<(), Failure> {
    let is_live = note.environment.map(|environment| environment == chancery_license::Environment::Prod);
    for listener in webhooks::enabled(tx)? {
        if hears(listener.live, &listener.events, note.kind.name, is_live) {
            // Drawn where the transaction may run again: it then draws another, and this one was never anywhere.
            insert(tx, &IdKind::Delivery.fresh()?, &listener.id, note, now)?;
        }
    }
    Ok(())
}

/// Queues an event for one webhook, whatever that wants.
///
/// # Errors
/// When the store fails.
pub(super) fn insert(
    tx: &mut WriteTx<'_>,
    id: &str,
    webhook_id: &str,
    note: &Note<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let body = serde_json::to_string(&EventObject::new(id, note, now)).map_err(anyhow::Error::from)?;
    Ok(deliveries::insert(tx, &NewDelivery { id, webhook_id, event: note.kind.name, body: &body }, now)?)
}

/// The deliveries of a webhook, the newest first, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    webhook_id: &str,
    status: Option<Status>,
    page: Page,
) -> Result<(Vec<Delivery>, Option<String>), Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let (actor, webhook_id) = (actor.clone(), webhook_id.to_owned());
    office
        .read(move |_, tx| {
            find(tx, &actor, &webhook_id)?;
            Ok(page.cut(deliveries::list(tx, &webhook_id, status, &page)?, |delivery| &delivery.id))
        })
        .await
}

/// Puts a delivery in line again, whatever became of it. It keeps its id, and is tried as often as a new one.
pub(crate) async fn redeliver(
    office: &Office,
    actor: &Actor,
    webhook_id: &str,
    id: &str,
) -> Result<Delivery, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let (actor, webhook_id, id) = (actor.clone(), webhook_id.to_owned(), id.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            in_service(&find(tx, &actor, &webhook_id)?)?;
            existing(tx, &webhook_id, &id)?;
            deliveries::restart(tx, &id, now)?;
            let details = json!({ "webhook": webhook_id, "delivery": id });
            let note = Note { kind: events::WEBHOOK_REDELIVER, actor: &actor, environment: None, details };
            office.note(tx, &note, now)?;
            existing(tx, &webhook_id, &id)
        })
        .await
}

/// A delivery of that webhook.
pub(super) fn existing(tx: &mut ReadTx<'_>, webhook_id: &str, id: &str) -> Result<Delivery, Failure> {
    Ok(deliveries::by_id(tx, webhook_id, id)?.ok_or_else(|| Refusal::not_found("delivery"))?)
}

/// The webhooks that have something to be delivered now.
///
/// # Errors
/// When the store fails.
pub(crate) async fn waiting(office: &Office) -> Result<Vec<String>, Failure> {
    office.read(|office, tx| Ok(deliveries::waiting(tx, office.now())?)).await
}

/// Takes up to `limit` due deliveries of a webhook for this process; `None` where there are none any more.
///
/// # Errors
/// When the store fails.
pub(crate) async fn take(office: &Office, webhook_id: &str, limit: i64) -> Result<Option<Batch>, Failure> {
    let id = webhook_id.to_owned();
    let found = office
        .write(move |office, tx| {
            let now = office.now();
            let webhook = webhooks::by_id(tx, &id)?.filter(|webhook| webhook.disabled_at.is_none());
            let Some(webhook) = webhook else { return Ok(None) };
            let sealed = webhooks::secret(tx, &id)?;
            let taken = deliveries::take(tx, &id, now, now + LEASE, limit)?;
            Ok((!taken.is_empty()).then_some((webhook, sealed, taken)))
        })
        .await?;
    Ok(found.map(|(webhook, sealed, taken)| {
        let secret = office.vault.open_text(Purpose::WebhookSecret, &webhook.id, &sealed).map(Secret::kept);
        Batch { receiver: Receiver { webhook_id: webhook.id, url: webhook.url, secret }, taken }
    }))
}

/// Keeps what came of an attempt, unless somebody took the delivery over in the meantime. One that is given up is told
/// to the log, and to webhooks; that this could not be told is not told to them again.
///
/// # Errors
/// When the store fails.
pub(crate) async fn settle(
    office: &Office,
    webhook_id: &str,
    taken: &Taken,
    outcome: Outcome,
) -> Result<(), Failure> {
    let [high, low] = random::bytes::<2>()?;
    let jitter = u16::from_be_bytes([high, low]);
    let (webhook_id, taken) = (webhook_id.to_owned(), taken.clone());
    office
        .write(move |office, tx| {
            let now = office.now();
            let attempt = judge(&outcome, taken.attempts, jitter, now);
            if !deliveries::settle(tx, &taken, &attempt)? || attempt.status != Status::Failed {
                return Ok(());
            }
            let details = json!({
                "webhook": webhook_id, "delivery": taken.id, "event": taken.event, "error": attempt.last_error,
            });
            let actor = Actor::portal();
            let note = Note { kind: events::WEBHOOK_FAIL, actor: &actor, environment: None, details };
            if taken.event == events::WEBHOOK_FAIL.name {
                return office.note_in_log(tx, &note, now);
            }
            office.note(tx, &note, now)
        })
        .await
}

/// What becomes of a delivery after so many attempts.
fn judge(outcome: &Outcome, attempts: i64, jitter: u16, now: Timestamp) -> Attempt {
    let (last_status, last_error) = match outcome {
        Outcome::Answered(status @ 200..=299) => (Some(i64::from(*status)), None),
        Outcome::Answered(status @ 300..=399) => (
            Some(i64::from(*status)),
            Some(format!("the receiver answered {status}, and redirects are not followed")),
        ),
        Outcome::Answered(status) => {
            (Some(i64::from(*status)), Some(format!("the receiver answered {status}")))
        }
        Outcome::Failed(error) => {
            let shown = error.chars().map(|character| if character.is_control() { ' ' } else { character });
            (None, Some(shown.take(MAX_ERROR_CHARACTERS).collect()))
        }
    };
    let (status, at) = match (&last_error, wait_after(attempts, jitter)) {
        (None, _) => (Status::Delivered, now),
        (Some(_), Some(wait)) => (Status::Pending, now + wait),
        (Some(_), None) => (Status::Failed, now),
    };
    Attempt { status, at, last_status, last_error }
}

/// Removes deliveries that ended thirty days ago; how many.
///
/// # Errors
/// When the store fails.
pub(crate) async fn sweep(office: &Office) -> Result<u64, Failure> {
    let mut all = 0;
    loop {
        let swept =
            office.write(|office, tx| Ok(deliveries::sweep(tx, office.now() - KEPT, SWEPT_AT_ONCE)?)).await?;
        all += swept;
        if swept == 0 {
            return Ok(all);
        }
    }
}
