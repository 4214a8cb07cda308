//! Installations: their calls, which they sign themselves, and what the vendor does with them.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use chancery_license::InstallationKey;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, page};
use crate::api::List;
use crate::api::installation::{InstallationObject, InstallationSync};
use crate::app::App;
use crate::domain::Refusal;
use crate::service::{Failure, installations, sync};

/// The call of an installation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SyncRequest {
    /// The request document in its armour (docs/formats/exchange.md).
    request: String,
}

#[utoipa::path(
    post,
    path = "/installations/{installation_key}/sync",
    operation_id = "syncInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    request_body = SyncRequest,
    responses((status = 200, description = "Where the installation stands, and its documents.", body = InstallationSync), Refusals)
)]
pub(super) async fn call(
    State(app): State<Arc<App>>,
    InPath(installation_key): InPath<String>,
    Json(body): Json<SyncRequest>,
) -> Result<Answer<InstallationSync>, Failure> {
    Ok(Answer(sync::answer(&app.office, &installation_key, &body.request).await?))
}

/// Which installations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Those that are linked to this licence.
    license_id: Option<String>,
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

#[utoipa::path(
    get,
    path = "/products/{slug}/installations",
    operation_id = "listInstallations",
    tag = "installations",
    params(("slug" = String, Path), ListQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Installations, the newest first.", body = List<InstallationObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Answer<List<InstallationObject>>, Failure> {
    let page = page(query.limit, query.after)?;
    let (found, next) = installations::list(&app.office, &actor, &slug, query.license_id, page).await?;
    Ok(Answer(List::new(found.iter().map(InstallationObject::from).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/installations/{installation_key}",
    operation_id = "showInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    security(("api_key" = [])),
    responses((status = 200, description = "The installation.", body = InstallationObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(key): InPath<String>,
) -> Result<Answer<InstallationObject>, Failure> {
    Ok(Answer((&installations::show(&app.office, &actor, &read(&key)?).await?).into()))
}

/// What an installation is linked to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkRequest {
    /// The id of the licence.
    license_id: String,
    /// What to call the machine.
    name: Option<String>,
}

#[utoipa::path(
    post,
    path = "/installations/{installation_key}/link",
    operation_id = "linkInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    request_body = LinkRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The installation is linked: its next call delivers the licence.", body = InstallationObject), Refusals)
)]
pub(super) async fn link(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(key): InPath<String>,
    Json(body): Json<LinkRequest>,
) -> Result<Answer<InstallationObject>, Failure> {
    let linked = installations::link(&app.office, &actor, &read(&key)?, &body.license_id, body.name).await?;
    Ok(Answer((&linked).into()))
}

#[utoipa::path(
    post,
    path = "/installations/{installation_key}/unlink",
    operation_id = "unlinkInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    security(("api_key" = [])),
    responses((status = 200, description = "Its seat is free, and the documents that it was sent are revoked.", body = InstallationObject), Refusals)
)]
pub(super) async fn unlink(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(key): InPath<String>,
) -> Result<Answer<InstallationObject>, Failure> {
    Ok(Answer((&installations::unlink(&app.office, &actor, &read(&key)?).await?).into()))
}

#[utoipa::path(
    post,
    path = "/installations/{installation_key}/retire",
    operation_id = "retireInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    security(("api_key" = [])),
    responses((status = 200, description = "As unlinked, and it cannot register again by itself.", body = InstallationObject), Refusals)
)]
pub(super) async fn retire(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(key): InPath<String>,
) -> Result<Answer<InstallationObject>, Failure> {
    Ok(Answer((&installations::retire(&app.office, &actor, &read(&key)?).await?).into()))
}

#[utoipa::path(
    post,
    path = "/installations/{installation_key}/unpin",
    operation_id = "unpinInstallation",
    tag = "installations",
    params(("installation_key" = String, Path, description = "INST-…")),
    security(("api_key" = [])),
    responses((status = 200, description = "Its next call pins another key pair.", body = InstallationObject), Refusals)
)]
pub(super) async fn unpin(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(key): InPath<String>,
) -> Result<Answer<InstallationObject>, Failure> {
    Ok(Answer((&installations::unpin(&app.office, &actor, &read(&key)?).await?).into()))
}

fn read(key: &str) -> Result<InstallationKey, Refusal> {
    key.parse().map_err(|error| Refusal::field("installation_key", error))
}
