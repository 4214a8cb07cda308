//! The opaque last part of an object's URL.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use chancery_acme::{ObjectKind, Problem};
use http::request::Parts;

use crate::app::App;
use crate::service::Failure;

/// What the segment is called in routes.
pub(super) const SEGMENT: &str = "id";

/// The text that names an object in the path of a request.
pub(super) struct PathId(String);

impl PathId {
    /// The row of the object; what was never handed out names none.
    pub(super) fn open(&self, app: &App, kind: ObjectKind) -> Result<i64, Problem> {
        app.sealer.open(kind, &self.0).ok_or_else(no_such_object)
    }
}

impl FromRequestParts<Arc<App>> for PathId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        // Percent-encoded bytes that are no UTF-8: no URL of ours.
        let segments = RawPathParams::from_request_parts(parts, app).await.map_err(|_| no_such_object())?;
        let named = segments.iter().find(|(segment, _)| *segment == SEGMENT);
        Ok(Self(named.map(|(_, id)| id.to_owned()).ok_or_else(no_such_object)?))
    }
}

fn no_such_object() -> Problem {
    Problem::not_found("there is no such object: use the URLs that the server gave")
}
