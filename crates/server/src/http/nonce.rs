//! newNonce (RFC 8555 §7.2). The nonce itself is added to every answer by `headers`.

use http::StatusCode;

pub(super) async fn head() -> StatusCode {
    StatusCode::OK
}

pub(super) async fn get() -> StatusCode {
    StatusCode::NO_CONTENT
}
