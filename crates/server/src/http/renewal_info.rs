//! When to renew a certificate (RFC 9773 §4).

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use chancery_acme::{Problem, resource};
use http::StatusCode;
use http::header::{CACHE_CONTROL, RETRY_AFTER};

use super::respond::{json, with_header};
use crate::app::App;
use crate::service::{Failure, renewals};

/// For how long an answer may be given to others who ask the same. That a certificate was revoked shall be
/// known soon.
const CACHEABLE: &str = "public, max-age=60";

pub(super) async fn get(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Failure> {
    // Percent-encoded bytes that are no UTF-8 are no name.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let id =
        name.parse().map_err(|error| Problem::malformed(format!("the last part of the URL: {error}")))?;
    let advice = renewals::advise(&app, id).await?;
    let info = resource::RenewalInfo { suggested_window: advice.window, explanation_url: None };
    let response = json(StatusCode::OK, &info)?;
    let response = with_header(response, RETRY_AFTER, &advice.ask_again_after.as_secs().to_string())?;
    with_header(response, CACHE_CONTROL, CACHEABLE)
}
