//! Answers that are not refusals.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, LINK, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use crate::service::Failure;

/// An object as JSON.
pub(super) fn json(status: StatusCode, object: &impl Serialize) -> Result<Response, Failure> {
    let body = serde_json::to_vec(object).map_err(anyhow::Error::from)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Says where the object of the response is.
pub(super) fn located(response: Response, url: &str) -> Result<Response, Failure> {
    with_header(response, LOCATION, url)
}

/// Links the object of the response to another.
pub(super) fn linked(mut response: Response, url: &str, relation: &str) -> Result<Response, Failure> {
    let link = HeaderValue::try_from(format!("<{url}>;rel=\"{relation}\"")).map_err(anyhow::Error::from)?;
    response.headers_mut().append(LINK, link);
    Ok(response)
}

pub(super) fn with_header(
    mut response: Response,
    name: HeaderName,
    value: &str,
) -> Result<Response, Failure> {
    let value = HeaderValue::try_from(value).map_err(anyhow::Error::from)?;
    response.headers_mut().insert(name, value);
    Ok(response)
}
