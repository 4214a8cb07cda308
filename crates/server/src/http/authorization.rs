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
    respond(&app, StatusCode::OK, &view)
}

pub(super) fn respond(app: &App, status: StatusCode, view: &AuthorizationView) -> Result<Response, Failure> {
    let errors = view.challenges.iter().map(challenge::error).collect::<Result<Vec<_>, _>>()?;
    let account_url = app.urls.account(&app.sealer, view.authorization.account_id);
    let object = resource::Authorization {
        status: view.status,
        expires: view.authorization.expires_at,
        identifier: resource::Authorized(&view.authorization.identifier),
        subdomain_auth_allowed: view.authorization.with_subdomains,
        challenges: view
            .challenges
            .iter()
            .zip(&errors)
            .map(|(challenge, error)| {
                challenge::object(app, challenge, error.as_deref() as Option<&RawValue>, &account_url)
            })
            .collect(),
    };
    let response = json(status, &object)?;
    if view.challenges.iter().any(|challenge| challenge.status == ChallengeStatus::Processing) {
        return with_header(response, RETRY_AFTER, challenge::RETRY_AFTER_SECONDS);
    }
    Ok(response)
}
