//! The seats of a licence, for those who hold a secret key.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, JsonOnce, page};
use crate::api::List;
use crate::api::seat::SeatObject;
use crate::app::App;
use crate::service::licenses::Which;
use crate::service::{Failure, seats};

/// Which seats.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Whether only those that are taken.
    #[serde(default)]
    active: bool,
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

/// A request that says nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseSeat {}

#[utoipa::path(
    get,
    path = "/products/{slug}/licenses/{license}/activations",
    tag = "seats",
    operation_id = "listSeats",
    security(("api_key" = [])),
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The id of the licence, not its key."),
        ListQuery
    ),
    responses((status = 200, description = "The seats, the newest first.", body = List<SeatObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(which): InPath<(String, String)>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Answer<List<SeatObject>>, Failure> {
    let page = page(query.limit, query.after)?;
    let (seats, next) = seats::list(&app.office, &actor, which.into(), query.active, page).await?;
    Ok(Answer(List::new(seats.iter().map(SeatObject::from).collect(), next)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/activations/{activation}/deactivate",
    tag = "seats",
    operation_id = "releaseSeat",
    security(("api_key" = [])),
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The id of the licence, not its key."),
        ("activation" = String, Path, description = "The id of the seat."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters: the same request under the same key is done once in 24 hours.")
    ),
    request_body = ReleaseSeat,
    responses((status = 200, description = "The seat, given back now or before.", body = SeatObject), Refusals)
)]
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, license, activation)): InPath<(String, String, String)>,
    JsonOnce(ReleaseSeat {}, once): JsonOnce<ReleaseSeat>,
) -> Result<Answer<SeatObject>, Failure> {
    let which = Which { slug: Some(slug), id: license };
    Ok(Answer((&seats::release(&app.office, &actor, which, &activation, once).await?).into()))
}
