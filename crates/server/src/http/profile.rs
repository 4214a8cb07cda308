//! The profile that a resource belongs to, where it stands in the path: `/acme/{profile}/new-order`.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use chancery_acme::Problem;
use http::request::Parts;

use crate::app::App;
use crate::service::Failure;

/// What the segment is called in routes.
pub(super) const SEGMENT: &str = "profile";

/// The profile in the path of a request; none for the resources of the server as a whole.
pub(super) struct OfProfile(Option<String>);

impl OfProfile {
    pub(super) fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) fn into_name(self) -> Option<String> {
        self.0
    }
}

impl FromRequestParts<Arc<App>> for OfProfile {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let unknown =
            || Problem::not_found("there is no such profile: the directory of the server lists them");
        let segments = RawPathParams::from_request_parts(parts, app).await.map_err(|_| unknown())?;
        let named = segments.iter().find(|(segment, _)| *segment == SEGMENT);
        let Some((_, name)) = named else { return Ok(Self(None)) };
        if app.profiles.of(Some(name)).is_none() {
            return Err(unknown().into());
        }
        Ok(Self(Some(name.to_owned())))
    }
}
