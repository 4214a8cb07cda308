//! Offline roots and key manifests.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use chancery_license::PublicKey;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::Refusals;
use super::extract::{Caller, EnvironmentQuery, InPath, InQuery, Json, environment};
use crate::api::published::{KeyManifestObject, SigningRootObject};
use crate::app::App;
use crate::domain::Refusal;
use crate::service::{Failure, manifests};

#[utoipa::path(
    get,
    path = "/products/{slug}/signing_root",
    operation_id = "rootManifest",
    tag = "signing_keys",
    params(("slug" = String, Path), EnvironmentQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "The offline root that programs are built with.", body = SigningRootObject), Refusals)
)]
pub(super) async fn root(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<EnvironmentQuery>,
) -> Result<Answer<SigningRootObject>, Failure> {
    Ok(Answer((&manifests::root(&app.office, &actor, &slug, query.environment()?).await?).into()))
}

/// An offline root.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RootRequest {
    /// `prod`, `dev`, `staging` or `uat`; where it is missing `prod`, with a test key `dev`.
    environment: Option<String>,
    /// The public half of an Ed25519 key in PEM.
    public_key: String,
}

#[utoipa::path(
    post,
    path = "/products/{slug}/signing_root",
    operation_id = "setRootManifest",
    tag = "signing_keys",
    params(("slug" = String, Path)),
    request_body = RootRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "The root is known; another one takes over by a manifest alone.", body = SigningRootObject), Refusals)
)]
pub(super) async fn set_root(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<RootRequest>,
) -> Result<Answer<SigningRootObject>, Failure> {
    let environment = environment(body.environment.as_deref())?;
    let key = PublicKey::from_pem(&body.public_key).map_err(|error| Refusal::field("public_key", error))?;
    let set = manifests::set_root(&app.office, &actor, &slug, environment, &key, false).await?;
    Ok(Answer((&set).into()))
}

#[utoipa::path(
    get,
    path = "/products/{slug}/manifest",
    operation_id = "newestManifest",
    tag = "signing_keys",
    params(("slug" = String, Path), EnvironmentQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "The newest key manifest.", body = KeyManifestObject), Refusals)
)]
pub(super) async fn newest(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<EnvironmentQuery>,
) -> Result<Answer<KeyManifestObject>, Failure> {
    let (environment, manifest) = manifests::newest(&app.office, &actor, &slug, query.environment()?).await?;
    Ok(Answer(KeyManifestObject::new(environment, &manifest)))
}

/// A key manifest to be taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeRequest {
    /// `prod`, `dev`, `staging` or `uat`; where it is missing `prod`, with a test key `dev`.
    environment: Option<String>,
    /// In its armour (docs/formats/key-manifest.md).
    manifest: String,
}

#[utoipa::path(
    post,
    path = "/products/{slug}/manifest",
    operation_id = "takeManifest",
    tag = "signing_keys",
    params(("slug" = String, Path)),
    request_body = TakeRequest,
    security(("api_key" = [])),
    responses((status = 200, description = "It is the newest one now.", body = KeyManifestObject), Refusals)
)]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<TakeRequest>,
) -> Result<Answer<KeyManifestObject>, Failure> {
    let environment = environment(body.environment.as_deref())?;
    let (environment, manifest) =
        manifests::take(&app.office, &actor, &slug, environment, &body.manifest).await?;
    Ok(Answer(KeyManifestObject::new(environment, &manifest)))
}
