//! How a failure is told to the client: the one table.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use chancery_acme::Problem;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};

use crate::service::Failure;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem_response(&problem),
            Self::Abusive(abuse, problem) => {
                let mut response = problem_response(&problem);
                // For the layer that knows the address.
                response.extensions_mut().insert(abuse);
                response
            }
            Self::Denied(denied) => problem_response(&denied.into()),
            Self::Limited(reached) => {
                let mut response = problem_response(&reached.problem());
                if let Some(after) = reached.after {
                    response.headers_mut().insert(RETRY_AFTER, whole_seconds(after).into());
                }
                response.extensions_mut().insert(reached);
                response
            }
            // The appender says loudly enough what is wrong.
            Self::NoAudit => try_again(HeaderValue::from_static("60")),
            Self::Busy(with) => {
                tracing::warn!(with, "a request could not be served now");
                try_again(HeaderValue::from_static("5"))
            }
            Self::Unavailable(error) => {
                tracing::warn!(%error, "a request could not be served now");
                try_again(HeaderValue::from_static("2"))
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "a request failed");
                problem_response(&Problem::internal())
            }
        }
    }
}

/// The seconds of `Retry-After` (RFC 9110 §10.2.3), rounded up: a client that waits as told is not early.
fn whole_seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0)
}

/// The answer to a request that may succeed after so many seconds.
fn try_again(after: HeaderValue) -> Response {
    let busy = Problem::internal().with_status(StatusCode::SERVICE_UNAVAILABLE.as_u16());
    let mut response = problem_response(&busy);
    response.headers_mut().insert(RETRY_AFTER, after);
    response
}

/// A problem document as a response.
pub(super) fn problem_response(problem: &Problem) -> Response {
    let mut response = Response::new(Body::from(problem.to_json()));
    *response.status_mut() =
        StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
    response
}

pub(super) async fn no_such_resource() -> Response {
    problem_response(&Problem::not_found(
        "there is no such resource: the directory lists those that there are",
    ))
}

/// The answer to a method that a resource does not have. `Allow` (RFC 9110 §15.5.6) is added by the
/// router, which alone knows the methods of each resource.
pub(super) async fn wrong_method(method: Method) -> Response {
    let detail = if method == Method::GET {
        "this resource is read by POST-as-GET: a signed POST with an empty payload (RFC 8555 §6.3)"
    } else {
        "this resource does not have that method: `Allow` lists those that it has"
    };
    problem_response(&Problem::malformed(detail).with_status(405))
}
