//! Signing keys: public ones for programs, all of them for the vendor.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::Refusals;
use super::extract::{Caller, EnvironmentQuery, InPath, InQuery, Json, environment};
use crate::api::List;
use crate::api::signing_key::{ManagedKeyObject, SigningKeyObject};
use crate::app::App;
use crate::service::{Failure, signing};

#[utoipa::path(
    get,
    path = "/signing_keys/{kid}",
    operation_id = "publishedSigningKey",
    tag = "signing_keys",
    params(("kid" = String, Path, description = "The `kid` of a machine file.")),
    responses((status = 200, description = "A key that verifies.", body = SigningKeyObject), Refusals)
)]
pub(super) async fn published(
    State(app): State<Arc<App>>,
    InPath(kid): InPath<String>,
) -> Result<Answer<SigningKeyObject>, Failure> {
    Ok(Answer((&signing::published(&app.office, &kid).await?).into()))
}

#[utoipa::path(
    get,
    path = "/products/{slug}/signing_keys",
    operation_id = "listSigningKeys",
    tag = "signing_keys",
    params(("slug" = String, Path), EnvironmentQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "All keys of the product, the newest first.", body = List<ManagedKeyObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<EnvironmentQuery>,
) -> Result<Answer<List<ManagedKeyObject>>, Failure> {
    let keys = signing::list(&app.office, &actor, &slug, query.environment()?).await?;
    Ok(Answer(List::new(keys.iter().map(ManagedKeyObject::from).collect(), None)))
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateRequest {
    /// `prod`, `dev`, `staging` or `uat`; where it is missing `prod`, with a test key `dev`.
    environment: Option<String>,
}

#[utoipa::path(
    post,
    path = "/products/{slug}/signing_keys",
    operation_id = "createSigningKey",
    tag = "signing_keys",
    params(("slug" = String, Path)),
    request_body = CreateRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "A new key, which signs once it is activated.", body = ManagedKeyObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<CreateRequest>,
) -> Result<Answer<ManagedKeyObject>, Failure> {
    let environment = environment(body.environment.as_deref())?;
    Ok(Answer((&signing::create(&app.office, &actor, &slug, environment).await?).into()))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/signing_keys/{kid}/activate",
    operation_id = "activateSigningKey",
    tag = "signing_keys",
    params(("slug" = String, Path), ("kid" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "It signs from now on; the one before goes on verifying.", body = ManagedKeyObject), Refusals)
)]
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, kid)): InPath<(String, String)>,
) -> Result<Answer<ManagedKeyObject>, Failure> {
    Ok(Answer((&signing::activate(&app.office, &actor, &slug, &kid).await?).into()))
}

/// A key to be withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawRequest {
    /// Why, for the issuance log: one line of at most 200 bytes.
    reason: Option<String>,
}

#[utoipa::path(
    post,
    path = "/products/{slug}/signing_keys/{kid}/withdraw",
    operation_id = "withdrawSigningKey",
    tag = "signing_keys",
    params(("slug" = String, Path), ("kid" = String, Path)),
    request_body = WithdrawRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "It verifies nothing any more, and its private half is destroyed.", body = ManagedKeyObject), Refusals)
)]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, kid)): InPath<(String, String)>,
    Json(body): Json<WithdrawRequest>,
) -> Result<Answer<ManagedKeyObject>, Failure> {
    Ok(Answer((&signing::withdraw(&app.office, &actor, &slug, &kid, body.reason).await?).into()))
}
