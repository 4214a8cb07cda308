//! Organisations: the vendor's customers.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, JsonOnce, page};
use crate::api::List;
use crate::api::organisation::OrganisationObject;
use crate::app::App;
use crate::service::Failure;
use crate::service::organisations::{self, NewOrganisation, OrganisationChanges};
use crate::store::organisations::Wanted;

/// Which organisations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// The one that your own books call that.
    reference: Option<String>,
    /// Those with that address.
    email: Option<String>,
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

#[utoipa::path(
    post,
    path = "/organisations",
    operation_id = "createOrganisation",
    tag = "organisations",
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with it is not done again.")),
    request_body = NewOrganisation,
    security(("api_key" = [])),
    responses((status = 201, description = "The organisation was added.", body = OrganisationObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    JsonOnce(body, once): JsonOnce<NewOrganisation>,
) -> Result<(StatusCode, Answer<OrganisationObject>), Failure> {
    let made = organisations::create(&app.office, &actor, body, once).await?;
    Ok((StatusCode::CREATED, Answer((&made).into())))
}

#[utoipa::path(
    get,
    path = "/organisations",
    operation_id = "listOrganisations",
    tag = "organisations",
    params(ListQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Organisations, the newest first.", body = List<OrganisationObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Answer<List<OrganisationObject>>, Failure> {
    let page = page(query.limit, query.after)?;
    let wanted = Wanted { reference: query.reference, email: query.email };
    let (found, next) = organisations::list(&app.office, &actor, wanted, page).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/organisations/{id}",
    operation_id = "showOrganisation",
    tag = "organisations",
    params(("id" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The organisation.", body = OrganisationObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
) -> Result<Answer<OrganisationObject>, Failure> {
    Ok(Answer((&organisations::show(&app.office, &actor, &id).await?).into()))
}

#[utoipa::path(
    patch,
    path = "/organisations/{id}",
    operation_id = "updateOrganisation",
    tag = "organisations",
    params(("id" = String, Path)),
    request_body = OrganisationChanges,
    security(("api_key" = [])),
    responses((status = 200, description = "The organisation as it is now.", body = OrganisationObject), Refusals)
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(id): InPath<String>,
    Json(body): Json<OrganisationChanges>,
) -> Result<Answer<OrganisationObject>, Failure> {
    Ok(Answer((&organisations::update(&app.office, &actor, &id, body).await?).into()))
}
