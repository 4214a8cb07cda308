//! The directory (RFC 8555 §7.1.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use chancery_acme::resource::{Directory, DirectoryMeta};
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::admission::SignedByAccount;
use super::urls::{Urls, path};
use crate::app::App;
use crate::config::Server;
use crate::service::{Failure, accounts};

/// The directory as it is sent. It is made once: nothing in it changes while the server runs.
///
/// # Errors
/// Never in fact: it holds strings and a boolean.
pub(crate) fn directory(urls: &Urls, server: &Server) -> anyhow::Result<Bytes> {
    let directory = Directory {
        new_nonce: urls.of_path(path::NEW_NONCE),
        new_account: urls.of_path(path::NEW_ACCOUNT),
        new_order: urls.of_path(path::NEW_ORDER),
        meta: DirectoryMeta {
            terms_of_service: server.terms_of_service.clone(),
            website: server.website.clone(),
            external_account_required: false,
        },
    };
    Ok(serde_json::to_vec(&directory)?.into())
}

pub(super) async fn get(State(app): State<Arc<App>>) -> Response {
    let mut response = Response::new(Body::from(app.directory.clone()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The directory is one of the two resources that can be read in both ways (RFC 8555 §6.3).
pub(super) async fn post_as_get(
    State(app): State<Arc<App>>,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    request.payload.expect_post_as_get()?;
    accounts::confirm(&app, request.signer).await?;
    Ok(get(State(app)).await)
}
