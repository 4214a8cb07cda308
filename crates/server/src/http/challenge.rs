//! Challenges (RFC 8555 §7.5.1).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chancery_acme::payload::ChallengeAnswer;
use chancery_acme::state::ChallengeStatus;
use chancery_acme::{ObjectKind, resource};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::value::RawValue;

use super::admission::SignedByAccount;
use super::path_id::PathId;
use super::respond::{json, linked, with_header};
use crate::app::App;
use crate::service::{Failure, challenges};
use crate::store::authorizations::Challenge;

/// How long a client should wait before it asks again (RFC 8555 §8.2).
pub(super) const RETRY_AFTER_SECONDS: &str = "1";

pub(super) async fn view_or_answer(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let id = id.open(&app, ObjectKind::Challenge)?;
    let account_url = app.urls.account(&app.sealer, request.signer.account_id);
    let challenge = if request.payload.is_post_as_get() {
        challenges::view(&app, request.signer, id).await?
    } else {
        let ChallengeAnswer {} = request.payload.parse()?;
        challenges::answer(&app, request.signer, id).await?
    };
    let error = error(&challenge)?;
    let object = object(&app, &challenge, error.as_deref(), &account_url);
    let response = json(StatusCode::OK, &object)?;
    let authorization = app.urls.authorization(&app.sealer, challenge.authorization_id);
    let response = linked(response, &authorization, "up")?;
    match challenge.status {
        ChallengeStatus::Processing => with_header(response, RETRY_AFTER, RETRY_AFTER_SECONDS),
        _ => Ok(response),
    }
}

pub(super) fn object<'a>(
    app: &'a App,
    challenge: &'a Challenge,
    error: Option<&'a RawValue>,
    account_url: &'a str,
) -> resource::Challenge<'a> {
    resource::Challenge {
        kind: challenge.kind,
        url: app.urls.challenge(&app.sealer, challenge.id),
        status: challenge.status,
        token: challenge.kind.has_token().then_some(&*challenge.token),
        dns_persist: (!challenge.kind.has_token())
            .then_some(resource::DnsPersist { issuer_domain_names: app.issuer.for_persist(), account_url }),
        validated: challenge.validated_at,
        error,
    }
}

/// The problem document that is kept with a failed challenge.
pub(super) fn error(challenge: &Challenge) -> Result<Option<Box<RawValue>>, Failure> {
    Ok(challenge.error.clone().map(RawValue::from_string).transpose().map_err(anyhow::Error::from)?)
}
