//! The headers that every answer of an ACME resource carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, LINK};
use http::{HeaderName, HeaderValue, Method};

use super::urls::path;
use crate::app::App;

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// Adds a fresh nonce (RFC 8555 §6.5), the link to the directory (§7.1), and forbids caching (§7.2).
///
/// An answer to a signed request has its nonce even where the request was refused, so that the client
/// can try again at once.
pub(super) async fn add(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let wants_nonce = request.method() == Method::POST || request.uri().path() == path::NEW_NONCE;
    let is_directory = request.uri().path().ends_with(path::DIRECTORY);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if wants_nonce && let Ok(nonce) = HeaderValue::try_from(app.nonces.issue(app.now())) {
        headers.insert(REPLAY_NONCE, nonce);
    }
    if !is_directory {
        headers.append(LINK, app.directory_link.clone());
    }
    // What may be kept says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
