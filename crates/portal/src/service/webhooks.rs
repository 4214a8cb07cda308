//! Webhooks: made, changed, taken out of service; their secrets, which are shown once.

use chancery_db::ReadTx;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Failure, Note, Office, deliveries};
use crate::domain::delivery::Secret;
use crate::domain::fields::line;
use crate::domain::webhook::{Target, wanted};
use crate::domain::{Actor, Change, Code, Permission, Refusal, differing};
use crate::events;
use crate::id::IdKind;
use crate::store::Page;
use crate::store::deliveries::Delivery;
use crate::store::webhooks::{self, Webhook};
use crate::vault::Purpose;

#[cfg(test)]
mod tests;

const MAX_DESCRIPTION: usize = 200;
/// How many may be enabled: each is told of every event in the transaction that makes it so.
const MAX_ENABLED: usize = 64;

/// A new webhook.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where deliveries are sent: an https URL of at most 2,000 bytes.
    pub(crate) url: String,
    /// Whether it hears of live data, or of test data.
    pub(crate) live: bool,
    /// The names of the events that it wants (docs/portal-events.md); all where there are none.
    #[serde(default)]
    pub(crate) events: Vec<String>,
    /// What it is for: one line of 1 to 200 characters.
    pub(crate) description: Option<String>,
}

/// What becomes of a webhook. What is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookChanges {
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) url: Change<String>,
    /// In place of all that there are; an empty list for every event.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) events: Change<Vec<String>>,
    /// Null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) description: Change<String>,
}

/// A webhook with a secret that was just made, and its only showing.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) webhook: Webhook,
    pub(crate) secret: Secret,
}

pub(crate) async fn create(office: &Office, actor: &Actor, new: NewWebhook) -> Result<Made, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    if actor.live.is_some_and(|live| live != new.live) {
        let message = if new.live {
            "a test key makes webhooks for test data"
        } else {
            "a live key makes webhooks for live data"
        };
        return Err(Refusal::new(Code::Forbidden, message).with("field", "live".into()).into());
    }
    let webhook = Webhook {
        id: IdKind::Webhook.fresh()?,
        url: Target::read(&new.url)?.as_str().to_owned(),
        description: new.description,
        events: new.events,
        live: new.live,
        created_at: office.now(),
        disabled_at: None,
    };
    check(office, &webhook)?;
    let secret = Secret::fresh()?;
    let sealed = office.vault.seal(Purpose::WebhookSecret, &webhook.id, secret.reveal().as_bytes())?;
    let actor = actor.clone();
    let webhook = office
        .write(move |office, tx| {
            hold_number(tx)?;
            webhooks::insert(tx, &webhook, &sealed)?;
            let host = Target::read(&webhook.url)?.host().to_owned();
            let details = json!({ "webhook": webhook.id, "host": host, "events": webhook.events });
            let note = Note { kind: events::WEBHOOK_CREATE, actor: &actor, environment: None, details };
            office.note(tx, &note, webhook.created_at)?;
            Ok(webhook.clone())
        })
        .await?;
    Ok(Made { webhook, secret })
}

/// The webhooks within reach, the newest first, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    page: Page,
) -> Result<(Vec<Webhook>, Option<String>), Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let live = actor.live;
    office.read(move |_, tx| Ok(page.cut(webhooks::list(tx, live, &page)?, |webhook| &webhook.id))).await
}

pub(crate) async fn show(office: &Office, actor: &Actor, id: &str) -> Result<Webhook, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office.read(move |_, tx| find(tx, &actor, &id)).await
}

pub(crate) async fn update(
    office: &Office,
    actor: &Actor,
    id: &str,
    changes: WebhookChanges,
) -> Result<Webhook, Failure> {
    let change = move |office: &Office, webhook: &mut Webhook| {
        let changes = changes.clone();
        if changes.url.apply_to("url", &mut webhook.url)? {
            webhook.url = Target::read(&webhook.url)?.as_str().to_owned();
        }
        changes.events.apply_to("events", &mut webhook.events)?;
        changes.description.apply(&mut webhook.description);
        check(office, webhook)
    };
    write(office, actor, id, change).await
}

/// Takes a webhook out of service, or back into it. While it is out it is told of nothing new; what it was to be told
/// of before waits for thirty days.
pub(crate) async fn set_enabled(
    office: &Office,
    actor: &Actor,
    id: &str,
    is_enabled: bool,
) -> Result<Webhook, Failure> {
    let change = move |office: &Office, webhook: &mut Webhook| {
        let since = webhook.disabled_at.unwrap_or_else(|| office.now());
        webhook.disabled_at = (!is_enabled).then_some(since);
        Ok(())
    };
    write(office, actor, id, change).await
}

async fn write(
    office: &Office,
    actor: &Actor,
    id: &str,
    change: impl Fn(&Office, &mut Webhook) -> Result<(), Refusal> + Send + 'static,
) -> Result<Webhook, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office
        .write(move |office, tx| {
            let old = find(tx, &actor, &id)?;
            let mut new = old.clone();
            change(office, &mut new)?;
            let members = differing([
                ("url", old.url != new.url),
                ("events", old.events != new.events),
                ("description", old.description != new.description),
                ("disabled_at", old.disabled_at != new.disabled_at),
            ]);
            if members.is_empty() {
                return Ok(old);
            }
            if old.disabled_at.is_some() && new.disabled_at.is_none() {
                hold_number(tx)?;
            }
            webhooks::update(tx, &new)?;
            let details = json!({ "webhook": id, "changed": members });
            let note = Note { kind: events::WEBHOOK_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok(new)
        })
        .await
}

/// Gives a webhook another secret, with which deliveries are signed from now on.
pub(crate) async fn rotate_secret(office: &Office, actor: &Actor, id: &str) -> Result<Made, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let secret = Secret::fresh()?;
    let sealed = office.vault.seal(Purpose::WebhookSecret, id, secret.reveal().as_bytes())?;
    let (actor, id) = (actor.clone(), id.to_owned());
    let webhook = office
        .write(move |office, tx| {
            let webhook = find(tx, &actor, &id)?;
            webhooks::set_secret(tx, &id, &sealed)?;
            let details = json!({ "webhook": id, "changed": ["secret"] });
            let note = Note { kind: events::WEBHOOK_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok(webhook)
        })
        .await?;
    Ok(Made { webhook, secret })
}

/// Sends a webhook an event of the type `webhook.test`, whichever events it wants.
pub(crate) async fn test(office: &Office, actor: &Actor, id: &str) -> Result<Delivery, Failure> {
    actor.require_every_product(Permission::WebhooksManage)?;
    let delivery_id = IdKind::Delivery.fresh()?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            let webhook = find(tx, &actor, &id)?;
            in_service(&webhook)?;
            let details = json!({ "webhook": id, "delivery": delivery_id });
            let note = Note { kind: events::WEBHOOK_TEST, actor: &actor, environment: None, details };
            office.note_in_log(tx, &note, now)?;
            deliveries::insert(tx, &delivery_id, &id, &note, now)?;
            deliveries::existing(tx, &id, &delivery_id)
        })
        .await
}

/// A webhook within reach. One out of reach is answered like one that there is not.
pub(super) fn find(tx: &mut ReadTx<'_>, actor: &Actor, id: &str) -> Result<Webhook, Failure> {
    let webhook = webhooks::by_id(tx, id)?;
    let webhook = webhook.filter(|webhook| actor.live.is_none_or(|live| live == webhook.live));
    Ok(webhook.ok_or_else(|| Refusal::not_found("webhook"))?)
}

/// Holds a webhook to be one that deliveries are sent to.
pub(super) fn in_service(webhook: &Webhook) -> Result<(), Refusal> {
    match webhook.disabled_at {
        None => Ok(()),
        Some(_) => Err(Refusal::new(Code::NotActive, "the webhook is disabled: enable it first")),
    }
}

fn hold_number(tx: &mut ReadTx<'_>) -> Result<(), Failure> {
    if webhooks::enabled(tx)?.len() < MAX_ENABLED {
        return Ok(());
    }
    let message =
        format!("{MAX_ENABLED} webhooks are enabled, and there are never more: disable another first");
    Err(Refusal::new(Code::InvalidArguments, message).into())
}

fn check(office: &Office, webhook: &Webhook) -> Result<(), Refusal> {
    office.destinations.check_target(&Target::read(&webhook.url)?)?;
    if let Some(description) = &webhook.description {
        line("description", description, MAX_DESCRIPTION)?;
    }
    wanted(&webhook.events)
}
