//! Certificates (RFC 8555 §7.4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use chancery_acme::ObjectKind;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::admission::SignedByAccount;
use super::path_id::PathId;
use crate::app::App;
use crate::service::{Failure, issuance};

pub(super) async fn download(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    request.payload.expect_post_as_get()?;
    let id = id.open(&app, ObjectKind::Certificate)?;
    let pem = issuance::download(&app, request.signer, id).await?;
    let mut response = Response::new(Body::from(pem));
    // RFC 8555 §9.1.
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/pem-certificate-chain"));
    Ok(response)
}
