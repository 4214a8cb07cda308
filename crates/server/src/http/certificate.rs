//! Certificates (RFC 8555 §7.4.2).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::response::Response;
use chancery_acme::{ObjectKind, Problem};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::admission::SignedByAccount;
use super::path_id::PathId;
use super::respond::linked;
use crate::app::App;
use crate::service::{Failure, certificates};

/// What the segment with the number of a chain is called in routes.
pub(super) const CHAIN: &str = "chain";

/// Which of the chains is meant, in the path of a request: 0 for the authority's own, which is not named there.
pub(super) struct ChainNumber(usize);

impl FromRequestParts<Arc<App>> for ChainNumber {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let unknown =
            || Problem::not_found("there is no such chain: follow the links of the certificate's own URL");
        let segments = RawPathParams::from_request_parts(parts, app).await.map_err(|_| unknown())?;
        let Some((_, number)) = segments.iter().find(|(segment, _)| *segment == CHAIN) else {
            return Ok(Self(0));
        };
        // Each chain has one URL.
        let chain = number.parse().ok().filter(|chain: &usize| *chain > 0 && chain.to_string() == number);
        Ok(Self(chain.ok_or_else(unknown)?))
    }
}

pub(super) async fn download(
    State(app): State<Arc<App>>,
    id: PathId,
    ChainNumber(chain): ChainNumber,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    request.payload.expect_post_as_get()?;
    let id = id.open(&app, ObjectKind::Certificate)?;
    let download = certificates::download(&app, request.signer, id, chain).await?;
    let mut response = Response::new(Body::from(download.pem));
    // RFC 8555 §9.1.
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/pem-certificate-chain"));
    for other in (0..download.chains).filter(|other| *other != chain) {
        response = linked(response, &app.urls.chain(&app.sealer, id, other), "alternate")?;
    }
    Ok(response)
}
