//! Authorizations ahead of any order (RFC 8555 §7.4.1).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::admission::SignedByAccount;
use super::authorization;
use super::profile::OfProfile;
use super::respond::located;
use crate::app::App;
use crate::service::{Failure, pre_authorization};

pub(super) async fn create(
    State(app): State<Arc<App>>,
    profile: OfProfile,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let payload = request.payload.parse()?;
    let (id, view, is_new) =
        pre_authorization::create(&app, request.signer, payload, profile.into_name()).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    located(authorization::respond(&app, status, &view)?, &app.urls.authorization(&app.sealer, id))
}
