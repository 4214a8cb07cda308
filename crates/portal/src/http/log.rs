//! The issuance log of this node.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use chancery_audit::Filter;
use chancery_time::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::Refusals;
use super::extract::{Caller, InQuery, page};
use crate::api::log::{CheckpointObject, LogEvents};
use crate::app::App;
use crate::service::Failure;
use crate::service::log::{self, Wanted};

#[utoipa::path(
    get,
    path = "/log/checkpoint",
    operation_id = "checkpointLog",
    tag = "log",
    security(("api_key" = [])),
    responses((status = 200, description = "A signed statement about the whole log so far.", body = CheckpointObject), Refusals)
)]
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
) -> Result<Answer<CheckpointObject>, Failure> {
    Ok(Answer(log::checkpoint(&app.office, &actor).await?.into()))
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// The event's name, or a prefix of names: `license.revoke`, `license.*`.
    event: Option<String>,
    /// The id of the licence that it is about.
    license: Option<String>,
    /// Not before this.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before this.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// At most so many events, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

#[utoipa::path(
    get,
    path = "/log/events",
    operation_id = "eventsLog",
    tag = "log",
    params(EventsQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "The newest events, the newest first. They are read and not verified.", body = LogEvents), Refusals)
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<EventsQuery>,
) -> Result<Answer<LogEvents>, Failure> {
    let EventsQuery { event, license, since, until, limit } = query;
    let limit = page(limit, None)?.limit;
    let details = license.map(|id| ("license".to_owned(), id)).into_iter().collect();
    let filter = Filter { event, since, until, details, ..Filter::default() };
    Ok(Answer(log::events(&app.office, &actor, Wanted { filter, limit }).await?.into()))
}
