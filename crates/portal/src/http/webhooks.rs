//! Webhooks and their deliveries.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, PageQuery, page};
use crate::api::List;
use crate::api::webhook::{DeliveryObject, NewSecretObject, WebhookObject};
use crate::app::App;
use crate::domain::fields::one_of;
use crate::service::webhooks::{self, NewWebhook, WebhookChanges};
use crate::service::{Failure, deliveries};
use crate::store::deliveries::Status;

#[utoipa::path(
    post,
    path = "/webhooks",
    operation_id = "createWebhook",
    tag = "webhooks",
    request_body = NewWebhook,
    security(("api_key" = [])),
    responses((status = 201, description = "The webhook was made, and its secret is shown this once.", body = NewSecretObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<NewWebhook>,
) -> Result<(StatusCode, Answer<NewSecretObject>), Failure> {
    let made = webhooks::create(&app.office, &actor, body).await?;
    Ok((StatusCode::CREATED, Answer((&made).into())))
}

#[utoipa::path(
    get,
    path = "/webhooks",
    operation_id = "listWebhooks",
    tag = "webhooks",
    params(PageQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Webhooks within reach, the newest first.", body = List<WebhookObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<WebhookObject>>, Failure> {
    let (found, next) = webhooks::list(&app.office, &actor, query.page()?).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/webhooks/{id}",
    operation_id = "showWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The webhook, but for its secret.", body = WebhookObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<WebhookObject>, Failure> {
    Ok(Answer((&webhooks::show(&app.office, &actor, &id).await?).into()))
}

#[utoipa::path(
    patch,
    path = "/webhooks/{id}",
    operation_id = "updateWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    request_body = WebhookChanges,
    security(("api_key" = [])),
    responses((status = 200, description = "The webhook as it is now.", body = WebhookObject), Refusals)
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
    Json(body): Json<WebhookChanges>,
) -> Result<Answer<WebhookObject>, Failure> {
    Ok(Answer((&webhooks::update(&app.office, &actor, &id, body).await?).into()))
}

#[utoipa::path(
    post,
    path = "/webhooks/{id}/disable",
    operation_id = "disableWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "It is told of nothing new, and what waits is not sent.", body = WebhookObject), Refusals)
)]
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<WebhookObject>, Failure> {
    Ok(Answer((&webhooks::set_enabled(&app.office, &actor, &id, false).await?).into()))
}

#[utoipa::path(
    post,
    path = "/webhooks/{id}/enable",
    operation_id = "enableWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "It is told of what happens from now on, and of what waited.", body = WebhookObject), Refusals)
)]
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<WebhookObject>, Failure> {
    Ok(Answer((&webhooks::set_enabled(&app.office, &actor, &id, true).await?).into()))
}

#[utoipa::path(
    post,
    path = "/webhooks/{id}/rotate_secret",
    operation_id = "rotateSecretWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "Deliveries are signed with the new secret from now on; it is shown this once.", body = NewSecretObject), Refusals)
)]
pub(super) async fn rotate_secret(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<NewSecretObject>, Failure> {
    Ok(Answer((&webhooks::rotate_secret(&app.office, &actor, &id).await?).into()))
}

#[utoipa::path(
    post,
    path = "/webhooks/{id}/test",
    operation_id = "testWebhook",
    tag = "webhooks",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 201, description = "An event of the type `webhook.test` is on its way.", body = DeliveryObject), Refusals)
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<(StatusCode, Answer<DeliveryObject>), Failure> {
    let queued = webhooks::test(&app.office, &actor, &id).await?;
    Ok((StatusCode::CREATED, Answer((&queued).into())))
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    /// `pending`, `delivered` or `failed`; all where it is not given.
    status: Option<String>,
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

#[utoipa::path(
    get,
    path = "/webhooks/{id}/deliveries",
    operation_id = "listDeliveriesWebhook",
    tag = "webhooks",
    params(("id" = String, Path), DeliveriesQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Its deliveries, the newest first.", body = List<DeliveryObject>), Refusals)
)]
pub(super) async fn list_deliveries(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
    InQuery(query): InQuery<DeliveriesQuery>,
) -> Result<Answer<List<DeliveryObject>>, Failure> {
    let status = query.status.as_deref().map(|name| one_of("status", name, &Status::ALL, Status::name));
    let page = page(query.limit, query.after)?;
    let (found, next) = deliveries::list(&app.office, &actor, &id, status.transpose()?, page).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    post,
    path = "/webhooks/{id}/deliveries/{delivery_id}/redeliver",
    operation_id = "redeliverWebhook",
    tag = "webhooks",
    params(("id" = String, Path), ("delivery_id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The delivery is in line again, under the same id.", body = DeliveryObject), Refusals)
)]
pub(super) async fn redeliver(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((id, delivery_id)): InPath<(String, String)>,
) -> Result<Answer<DeliveryObject>, Failure> {
    Ok(Answer((&deliveries::redeliver(&app.office, &actor, &id, &delivery_id).await?).into()))
}
