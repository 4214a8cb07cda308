//! `GET /health`: whether the portal answers, for anybody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Refusals;
use crate::api::Time;
use crate::app::App;

/// How the portal is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `health`
    object: &'static str,
    /// `healthy`
    status: &'static str,
    /// `v1`
    api_version: &'static str,
    timestamp: Time,
}

#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "service",
    responses((status = 200, description = "The portal answers.", body = Health), Refusals)
)]
pub(super) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    Json(Health {
        object: "health",
        status: "healthy",
        api_version: "v1",
        timestamp: app.office.now().into(),
    })
}
