//! Whether a device may use a licence now.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;

use super::claims::ClientRequest;
use super::error::Refusals;
use super::extract::{Caller, InPath, Json};
use crate::api::validation::ValidationObject;
use crate::app::App;
use crate::service::{Failure, validation};

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/validate",
    operation_id = "validate",
    tag = "validations",
    params(("slug" = String, Path, description = "The product.")),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "Whether the device may use the licence.", body = ValidationObject), Refusals)
)]
pub(super) async fn validate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<ValidationObject>, Failure> {
    Ok(Answer(validation::validate(&app.office, &actor, body.claim(slug, None)?).await?))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/validate",
    operation_id = "validateByPath",
    tag = "validations",
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The licence key. Prefer it in the body, which no proxy logs.")
    ),
    request_body = ClientRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "Whether the device may use the licence.", body = ValidationObject), Refusals)
)]
pub(super) async fn validate_by_path(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, license)): InPath<(String, String)>,
    Json(body): Json<ClientRequest>,
) -> Result<Answer<ValidationObject>, Failure> {
    Ok(Answer(validation::validate(&app.office, &actor, body.claim(slug, Some(license))?).await?))
}
