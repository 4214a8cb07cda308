//! Authorizations (RFC 8555 §7.5).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chancery_acme::state::ChallengeStatus;
use chancery_acme::{ObjectKind, resource};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::value::RawValue;

use super::admission::SignedByAccount;
use super::challenge;
use super::path_id::PathId;
use super::respond::{json, with_header};
use crate::app::App;
use crate::service::Failure;
use crate::service::authorizations::{self, AuthorizationView};

pub(super) async fn view_or_deactivate(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let id = id.open(&app, ObjectKind::Authorization)?;
    let view = if request.payload.is_post_as_get() {
        authorizations::view(&app, request.signer, id).await?
    } else {
        authorizations::deactivate(&app, request.signer, id, request.payload.parse()?).await?
    };
    respond(&app, &view)
}

fn respond(app: &App, view: &AuthorizationView) -> Result<Response, Failure> {
    let errors = view.challenges.iter().map(challenge::error).collect::<Result<Vec<_>, _>>()?;
    let object = resource::Authorization {
        status: view.status,
        expires: view.authorization.expires_at,
        identifier: &view.authorization.identifier,
        challenges: view
            .challenges
            .iter()
            .zip(&errors)
            .map(|(challenge, error)| {
                challenge::object(app, challenge, error.as_deref() as Option<&RawValue>)
            })
            .collect(),
    };
    let response = json(StatusCode::OK, &object)?;
    if view.challenges.iter().any(|challenge| challenge.status == ChallengeStatus::Processing) {
        return with_header(response, RETRY_AFTER, challenge::RETRY_AFTER_SECONDS);
    }
    Ok(response)
}
