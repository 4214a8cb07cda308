//! Users: the vendor's people.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, JsonOnce, PageQuery};
use crate::api::List;
use crate::api::user::UserObject;
use crate::app::App;
use crate::service::Failure;
use crate::service::users::{self, NewUser, UserChanges};

#[utoipa::path(
    post,
    path = "/users",
    operation_id = "createUser",
    tag = "users",
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with it is not done again.")),
    request_body = NewUser,
    security(("api_key" = [])),
    responses((status = 201, description = "The user was added.", body = UserObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    JsonOnce(body, once): JsonOnce<NewUser>,
) -> Result<(StatusCode, Answer<UserObject>), Failure> {
    let made = users::create(&app.office, &actor, body, once).await?;
    Ok((StatusCode::CREATED, Answer((&made).into())))
}

#[utoipa::path(
    get,
    path = "/users",
    operation_id = "listUsers",
    tag = "users",
    params(PageQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Users in the order of their addresses.", body = List<UserObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<UserObject>>, Failure> {
    let (found, next) = users::list(&app.office, &actor, query.page()?).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "showUser",
    tag = "users",
    params(("id" = String, Path, description = "The id or the address.")),
    security(("api_key" = [])),
    responses((status = 200, description = "The user.", body = UserObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<UserObject>, Failure> {
    Ok(Answer((&users::show(&app.office, &actor, &id).await?).into()))
}

#[utoipa::path(
    patch,
    path = "/users/{id}",
    operation_id = "updateUser",
    tag = "users",
    params(("id" = String, Path, description = "The id or the address.")),
    request_body = UserChanges,
    security(("api_key" = [])),
    responses((status = 200, description = "The user as it is now.", body = UserObject), Refusals)
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
    Json(body): Json<UserChanges>,
) -> Result<Answer<UserObject>, Failure> {
    Ok(Answer((&users::update(&app.office, &actor, &id, body).await?).into()))
}

#[utoipa::path(
    post,
    path = "/users/{id}/disable",
    operation_id = "disableUser",
    tag = "users",
    params(("id" = String, Path, description = "The id or the address.")),
    security(("api_key" = [])),
    responses((status = 200, description = "Neither the user nor the user's keys are let in.", body = UserObject), Refusals)
)]
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<UserObject>, Failure> {
    Ok(Answer((&users::disable(&app.office, &actor, &id, true).await?).into()))
}

#[utoipa::path(
    post,
    path = "/users/{id}/enable",
    operation_id = "enableUser",
    tag = "users",
    params(("id" = String, Path, description = "The id or the address.")),
    security(("api_key" = [])),
    responses((status = 200, description = "They are let in again.", body = UserObject), Refusals)
)]
pub(super) async fn enable(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<UserObject>, Failure> {
    Ok(Answer((&users::disable(&app.office, &actor, &id, false).await?).into()))
}
