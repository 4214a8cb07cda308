//! API keys.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, PageQuery};
use crate::api::List;
use crate::api::api_key::{ApiKeyObject, NewApiKeyObject};
use crate::app::App;
use crate::service::Failure;
use crate::service::api_keys::{self, NewApiKey};

#[utoipa::path(
    post,
    path = "/api_keys",
    operation_id = "createApiKey",
    tag = "api_keys",
    request_body = NewApiKey,
    security(("api_key" = [])),
    responses((status = 201, description = "The key was made, and is shown this once.", body = NewApiKeyObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Json(body): Json<NewApiKey>,
) -> Result<(StatusCode, Answer<NewApiKeyObject>), Failure> {
    let made = api_keys::create(&app.office, &actor, body).await?;
    Ok((StatusCode::CREATED, Answer(made.into())))
}

#[utoipa::path(
    get,
    path = "/api_keys",
    operation_id = "listApiKeys",
    tag = "api_keys",
    params(PageQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Keys within reach, the newest first.", body = List<ApiKeyObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<ApiKeyObject>>, Failure> {
    let (found, next) = api_keys::list(&app.office, &actor, query.page()?).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/api_keys/{id}",
    operation_id = "showApiKey",
    tag = "api_keys",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The key, but for its text.", body = ApiKeyObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<ApiKeyObject>, Failure> {
    Ok(Answer((&api_keys::show(&app.office, &actor, &id).await?).into()))
}

#[utoipa::path(
    post,
    path = "/api_keys/{id}/revoke",
    operation_id = "revokeApiKey",
    tag = "api_keys",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The key works for a second longer at most.", body = ApiKeyObject), Refusals)
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<ApiKeyObject>, Failure> {
    Ok(Answer((&api_keys::revoke(&app.office, &actor, &id).await?).into()))
}
