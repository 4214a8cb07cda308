//! newNonce (RFC 8555 §7.2). The nonce itself is added to every answer by `headers`.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use super::admission::SignedByAccount;
use crate::app::App;
use crate::service::{Failure, accounts};

pub(super) async fn head() -> StatusCode {
    StatusCode::OK
}

pub(super) async fn get() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// newNonce is one of the two resources that can be read in both ways (RFC 8555 §6.3).
pub(super) async fn post_as_get(
    State(app): State<Arc<App>>,
    request: SignedByAccount,
) -> Result<StatusCode, Failure> {
    request.payload.expect_post_as_get()?;
    accounts::confirm(&app, request.signer).await?;
    Ok(get().await)
}
