//! The change of an account's key (RFC 8555 §7.3.5).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chancery_acme::Problem;
use http::StatusCode;

use super::account;
use super::admission::SignedByAccount;
use super::failure::problem_response;
use super::respond::located;
use super::urls::path;
use crate::app::App;
use crate::service::Failure;
use crate::service::key_change::{self, Outcome};

pub(super) async fn change(
    State(app): State<Arc<App>>,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let url = app.urls.of_path(path::KEY_CHANGE);
    let inner = request.payload.as_bytes();
    match key_change::change(&app, request.signer, &request.key, inner, &url).await? {
        Outcome::Changed(changed, key) => account::respond(&app, StatusCode::OK, &changed, key.jwk()),
        Outcome::Taken(other) => {
            let taken = Problem::malformed("the new key belongs to another account, that of `Location`")
                .with_status(StatusCode::CONFLICT.as_u16());
            located(problem_response(&taken), &app.urls.account(&app.sealer, other))
        }
    }
}
