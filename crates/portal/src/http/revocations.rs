//! Revocation lists.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::Refusals;
use super::extract::{Caller, EnvironmentQuery, InPath, InQuery, Json, environment};
use crate::api::published::RevocationListObject;
use crate::app::App;
use crate::service::{Failure, revocations};

#[utoipa::path(
    get,
    path = "/products/{slug}/revocations",
    operation_id = "newestRevocationList",
    tag = "revocations",
    params(("slug" = String, Path), EnvironmentQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "The newest revocation list.", body = RevocationListObject), Refusals)
)]
pub(super) async fn newest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<EnvironmentQuery>,
) -> Result<Answer<RevocationListObject>, Failure> {
    let (environment, list) = revocations::newest(&app.office, &actor, &slug, query.environment()?).await?;
    Ok(Answer(RevocationListObject::new(environment, &list)))
}

/// A revocation list to be signed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueRequest {
    /// `prod`, `dev`, `staging` or `uat`; where it is missing `prod`, with a test key `dev`.
    environment: Option<String>,
}

#[utoipa::path(
    post,
    path = "/products/{slug}/revocations",
    operation_id = "issueRevocationList",
    tag = "revocations",
    params(("slug" = String, Path)),
    request_body = IssueRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "A list that follows on the one before.", body = RevocationListObject), Refusals)
)]
pub(super) async fn issue(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<IssueRequest>,
) -> Result<Answer<RevocationListObject>, Failure> {
    let environment = environment(body.environment.as_deref())?;
    let (environment, list) = revocations::issue(&app.office, &actor, &slug, environment).await?;
    Ok(Answer(RevocationListObject::new(environment, &list)))
}
