//! Revocation of certificates (RFC 8555 §7.6).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::admission::SignedByEither;
use crate::app::App;
use crate::service::Failure;
use crate::service::revocation::{self, Petitioner};

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    request: SignedByEither,
) -> Result<Response, Failure> {
    let (by, payload) = match request {
        SignedByEither::Account(request) => (Petitioner::Account(request.signer), request.payload),
        SignedByEither::Key(request) => {
            let spki = request.key.spki_der().to_vec();
            (Petitioner::Key { spki, origin: request.origin }, request.payload)
        }
    };
    revocation::revoke(&app, by, payload.parse()?).await?;
    Ok(Response::new(Body::empty()))
}
