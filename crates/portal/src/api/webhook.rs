//! Webhooks, their deliveries, and the events that these carry, as the API writes them.

use chancery_license::Environment;
use chancery_time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Time;
use crate::service::Note;
use crate::service::webhooks::Made;
use crate::store::deliveries::{Delivery, Status};
use crate::store::webhooks::Webhook;

/// A webhook.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookObject {
    /// `webhook`
    object: &'static str,
    id: String,
    url: String,
    description: Option<String>,
    /// The names of the events that it wants; empty for all.
    events: Vec<String>,
    /// Whether it hears of live data, or of test data.
    live: bool,
    /// `enabled` or `disabled`
    status: &'static str,
    created_at: Time,
    disabled_at: Option<Time>,
}

/// A webhook with a secret that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewSecretObject {
    /// What its deliveries are signed with. It is shown this once.
    secret: String,
    #[serde(flatten)]
    webhook: WebhookObject,
}

/// Something that a webhook is to be told, or was told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DeliveryObject {
    /// `webhook_delivery`
    object: &'static str,
    id: String,
    webhook_id: String,
    /// The type of the event.
    event: String,
    /// `pending`, `delivered` or `failed`
    status: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next; null once it has ended.
    next_attempt_at: Option<Time>,
    /// The HTTP status of the last answer.
    last_status: Option<i64>,
    /// What was wrong with the last attempt.
    last_error: Option<String>,
    created_at: Time,
    finished_at: Option<Time>,
}

/// What the body of a delivery says.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventObject<'a> {
    object: &'static str,
    /// The id of the delivery, the same each time that it is tried.
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: Time,
    environment: Option<&'static str>,
    data: &'a Value,
}

impl From<&Webhook> for WebhookObject {
    fn from(row: &Webhook) -> Self {
        Self {
            object: "webhook",
            id: row.id.clone(),
            url: row.url.clone(),
            description: row.description.clone(),
            events: row.events.clone(),
            live: row.live,
            status: if row.disabled_at.is_none() { "enabled" } else { "disabled" },
            created_at: row.created_at.into(),
            disabled_at: row.disabled_at.map(Time),
        }
    }
}

impl From<&Made> for NewSecretObject {
    fn from(made: &Made) -> Self {
        Self { secret: made.secret.reveal().to_owned(), webhook: (&made.webhook).into() }
    }
}

impl From<&Delivery> for DeliveryObject {
    fn from(row: &Delivery) -> Self {
        Self {
            object: "webhook_delivery",
            id: row.id.clone(),
            webhook_id: row.webhook_id.clone(),
            event: row.event.clone(),
            status: row.status.name(),
            attempts: row.attempts,
            next_attempt_at: (row.status == Status::Pending).then_some(Time(row.next_attempt_at)),
            last_status: row.last_status,
            last_error: row.last_error.clone(),
            created_at: row.created_at.into(),
            finished_at: row.finished_at.map(Time),
        }
    }
}

impl<'a> EventObject<'a> {
    /// The event that a note tells of.
    pub(crate) fn new(id: &'a str, note: &'a Note<'_>, now: Timestamp) -> Self {
        Self {
            object: "event",
            id,
            kind: note.kind.name,
            created_at: now.into(),
            environment: note.environment.map(Environment::name),
            data: &note.details,
        }
    }
}
