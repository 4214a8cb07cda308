//! How a failure is told to the client: always the envelope of the API.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, response};

use crate::domain::{Code, Refusal};
use crate::service::Failure;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Unavailable(error) => {
                tracing::warn!(%error, "a request could not be served now");
                try_again("the portal is busy: try again in a moment")
            }
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "a request failed");
                let envelope = ours("internal_error", "the portal failed: its log says why");
                answer(StatusCode::INTERNAL_SERVER_ERROR, &envelope)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = answer(self.code.status(), &self.envelope());
        if let Some(seconds) = self.details.get("retry_after").and_then(Value::as_u64) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn ours(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message, "details": {} } })
}

fn try_again(message: &str) -> Response {
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, &ours("unavailable", message));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) async fn no_such_resource() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such resource: docs/openapi.json lists those that there are")
}

/// `Allow` (RFC 9110 §15.5.6) is added by the router, which alone knows the methods of each resource.
pub(super) async fn wrong_method() -> Response {
    let refusal = Refusal::new(
        Code::InvalidArguments,
        "this resource does not have that method: `Allow` lists those that it has",
    );
    answer(StatusCode::METHOD_NOT_ALLOWED, &refusal.envelope())
}

/// The refusals that any resource may answer with, for the OpenAPI document.
pub(super) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> std::collections::BTreeMap<String, RefOr<response::Response>> {
        let told = [
            ("400", "A member is missing or wrong; `details.field` names it."),
            ("401", "No API key, or none that counts."),
            ("403", "The API key may not do this."),
            ("404", "There is no such object within reach."),
            ("422", "The state of the licence or of its seats does not allow it."),
            ("429", "Too many requests; `Retry-After` says when to try again."),
            ("503", "The portal is busy; try again in a moment."),
        ];
        let envelope = || {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorEnvelope"))).build();
            ("application/json", content)
        };
        let response = |(status, text): (&str, &str)| {
            let (kind, content) = envelope();
            let response = ResponseBuilder::new().description(text).content(kind, content).build();
            (status.to_owned(), RefOr::T(response))
        };
        told.map(response).into_iter().collect()
    }
}
