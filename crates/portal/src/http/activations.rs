//! The seats that programs in the field take, keep and give back.

use std::sync::Arc;

use axum::Extension;
use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Map, Value};

use super::admission::ClientAddress;
use super::claims::{ClientRequest, client_request};
use super::error::Refusals;
use super::extract::{Caller, InPath, Json};
use crate::api::activation::{ActivationObject, DeactivationObject, HeartbeatObject};
use crate::app::App;
use crate::domain::{Actor, Refusal};
use crate::service::Failure;
use crate::service::activations::{self, Device};
use crate::service::claims::Claim;

client_request! {
    /// The device that shall take a seat.
    ActivateRequest {
        /// What people call the device: 1 to 255 bytes without control characters.
        device_name: Option<String>,
        /// Anything: at most 128 KiB of JSON.
        metadata: Option<Map<String, Value>>,
    }
}

impl ActivateRequest {
    fn parts(
        mut self,
        slug: String,
        in_path: Option<String>,
        address: ClientAddress,
    ) -> Result<(Claim, Device), Refusal> {
        let claim = self.identity().claim(slug, in_path)?;
        let Self { device_name: name, metadata, .. } = self;
        Ok((claim, Device { name, metadata, ip_address: Some(address.0) }))
    }
}

type Activated = (StatusCode, Answer<ActivationObject>);

async fn answer(app: &App, actor: &Actor, (claim, device): (Claim, Device)) -> Result<Activated, Failure> {
    let (activation, is_new) = activations::activate(&app.office, actor, claim, device).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Answer(activation)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/activate",
    operation_id = "activate",
    tag = "activations",
    params(("slug" = String, Path, description = "The product.")),
    request_body = ActivateRequest,
    security(("api_key" = [])),
    responses(
        (status = 201, description = "The device has taken a seat.", body = ActivationObject),
        (status = 200, description = "The device held a seat already, and still does.", body = ActivationObject),
        Refusals
    )
)]
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Extension(address): Extension<ClientAddress>,
    InPath(slug): InPath<String>,
    Json(body): Json<ActivateRequest>,
) -> Result<Activated, Failure> {
    answer(&app, &actor, body.parts(slug, None, address)?).await
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/activate",
    operation_id = "activateByPath",
    tag = "activations",
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The licence key. Prefer it in the body, which no proxy logs.")
    ),
    request_body = ActivateRequest,
    security(("api_key" = [])),
    responses(
        (status = 201, description = "The device has taken a seat.", body = ActivationObject),
        (status = 200, description = "The device held a seat already, and still does.", body = ActivationObject),
        Refusals
    )
)]
pub(super) async fn activate_by_path(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    Extension(address): Extension<ClientAddress>,
    InPath((slug, license)): InPath<(String, String)>,
    Json(body): Json<ActivateRequest>,
) -> Result<Activated, Failure> {
    answer(&app, &actor, body.parts(slug, Some(license), address)?).await
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/deactivate",
    operation_id = "deactivate",
    tag = "activations",
    params(("slug" = String, Path, description = "The product.")),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The seat is free.", body = DeactivationObject), Refusals)
)]
pub(super) async fn deactivate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<DeactivationObject>, Failure> {
    Ok(Answer(activations::deactivate(&app.office, &actor, body.claim(slug, None)?).await?))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/deactivate",
    operation_id = "deactivateByPath",
    tag = "activations",
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The licence key. Prefer it in the body, which no proxy logs.")
    ),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The seat is free.", body = DeactivationObject), Refusals)
)]
pub(super) async fn deactivate_by_path(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, license)): InPath<(String, String)>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<DeactivationObject>, Failure> {
    Ok(Answer(activations::deactivate(&app.office, &actor, body.claim(slug, Some(license))?).await?))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/heartbeat",
    operation_id = "heartbeat",
    tag = "activations",
    params(("slug" = String, Path, description = "The product.")),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The device was heard of.", body = HeartbeatObject), Refusals)
)]
pub(super) async fn heartbeat(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<HeartbeatObject>, Failure> {
    Ok(Answer(activations::heartbeat(&app.office, &actor, body.claim(slug, None)?).await?))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/heartbeat",
    operation_id = "heartbeatByPath",
    tag = "activations",
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The licence key. Prefer it in the body, which no proxy logs.")
    ),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The device was heard of.", body = HeartbeatObject), Refusals)
)]
pub(super) async fn heartbeat_by_path(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, license)): InPath<(String, String)>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<HeartbeatObject>, Failure> {
    Ok(Answer(activations::heartbeat(&app.office, &actor, body.claim(slug, Some(license))?).await?))
}
