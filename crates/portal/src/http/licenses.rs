//! Licences, for those who hold a secret key.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use chancery_time::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, JsonOnce, environment, page};
use crate::api::List;
use crate::api::license::LicenseDetails;
use crate::app::App;
use crate::domain::Status;
use crate::domain::fields::one_of;
use crate::service::Failure;
use crate::service::licenses::{
    self, Found, LicenseChanges, NewLicense, Reinstatement, Renewal, Revocation, Suspension, Transfer, Which,
};
use crate::store::licenses::Wanted;

/// Which licences.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `pending`, `active`, `suspended`, `revoked` or `expired`, as it is now.
    status: Option<String>,
    plan_key: Option<String>,
    organisation_id: Option<String>,
    /// What the vendor's own books call it.
    reference: Option<String>,
    /// `prod`, `dev`, `staging` or `uat`
    environment: Option<String>,
    /// Those that end before that, or have ended.
    #[param(value_type = Option<String>, format = DateTime)]
    expires_before: Option<Timestamp>,
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

#[utoipa::path(
    get,
    path = "/products/{slug}/licenses",
    tag = "licenses",
    operation_id = "listLicenses",
    security(("api_key" = [])),
    params(("slug" = String, Path, description = "The product."), ListQuery),
    responses((status = 200, description = "The licences, the newest first, without their keys.", body = List<LicenseDetails>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<ListQuery>,
) -> Result<Answer<List<LicenseDetails>>, Failure> {
    let status =
        query.status.map(|status| one_of("status", &status, &Status::ALL, Status::name)).transpose()?;
    let wanted = Wanted {
        live: None,
        environment: environment(query.environment.as_deref())?,
        status,
        plan_key: query.plan_key,
        organisation_id: query.organisation_id,
        reference: query.reference,
        expires_before: query.expires_before,
    };
    let page = page(query.limit, query.after)?;
    let (found, next) = licenses::list(&app.office, &actor, &slug, wanted, page).await?;
    Ok(Answer(List::new(found.iter().map(Found::details).collect(), next)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses",
    tag = "licenses",
    operation_id = "createLicense",
    security(("api_key" = [])),
    params(
        ("slug" = String, Path, description = "The product."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters: the same request under the same key is done once in 24 hours.")
    ),
    request_body = NewLicense,
    responses((status = 201, description = "The licence, with its key.", body = LicenseDetails), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    JsonOnce(new, once): JsonOnce<NewLicense>,
) -> Result<(StatusCode, Answer<LicenseDetails>), Failure> {
    let found = licenses::create(&app.office, &actor, &slug, new, once).await?;
    Ok((StatusCode::CREATED, Answer(found.details())))
}

#[utoipa::path(
    get,
    path = "/products/{slug}/licenses/{license}",
    tag = "licenses",
    operation_id = "showLicense",
    security(("api_key" = [])),
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The id of the licence, not its key.")
    ),
    responses((status = 200, description = "The licence, with its key.", body = LicenseDetails), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(which): InPath<(String, String)>,
) -> Result<Answer<LicenseDetails>, Failure> {
    Ok(Answer(licenses::show(&app.office, &actor, which.into()).await?.details()))
}

#[utoipa::path(
    patch,
    path = "/products/{slug}/licenses/{license}",
    tag = "licenses",
    operation_id = "changeLicense",
    security(("api_key" = [])),
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The id of the licence, not its key.")
    ),
    request_body = LicenseChanges,
    responses((status = 200, description = "The licence as it is now.", body = LicenseDetails), Refusals)
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(which): InPath<(String, String)>,
    Json(changes): Json<LicenseChanges>,
) -> Result<Answer<LicenseDetails>, Failure> {
    Ok(Answer(licenses::change(&app.office, &actor, which.into(), changes).await?.details()))
}

/// An action on one licence: where it is, what it takes, and which service does it.
macro_rules! action {
    ($(#[$doc:meta])* $action:ident, $path:literal, $id:literal, $body:ty) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "licenses",
            operation_id = $id,
            security(("api_key" = [])),
            params(
                ("slug" = String, Path, description = "The product."),
                ("license" = String, Path, description = "The id of the licence, not its key."),
                ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters: the same request under the same key is done once in 24 hours.")
            ),
            request_body = $body,
            responses((status = 200, description = "The licence as it is now.", body = LicenseDetails), Refusals)
        )]
        pub(super) async fn $action(
            State(app): State<Arc<App>>,
            Caller(actor): Caller,
            InPath(which): InPath<(String, String)>,
            JsonOnce(body, once): JsonOnce<$body>,
        ) -> Result<Answer<LicenseDetails>, Failure> {
            Ok(Answer(licenses::$action(&app.office, &actor, which.into(), body, once).await?.details()))
        }
    };
}

action! {
    /// Gives the licence a later end.
    renew, "/products/{slug}/licenses/{license}/renew", "renewLicense", Renewal
}
action! {
    /// Suspends the licence until it is reinstated.
    suspend, "/products/{slug}/licenses/{license}/suspend", "suspendLicense", Suspension
}
action! {
    /// Takes a suspension back.
    reinstate, "/products/{slug}/licenses/{license}/reinstate", "reinstateLicense", Reinstatement
}
action! {
    /// Revokes the licence for good.
    revoke, "/products/{slug}/licenses/{license}/revoke", "revokeLicense", Revocation
}
action! {
    /// Hands the licence on to another organisation.
    transfer, "/products/{slug}/licenses/{license}/transfer", "transferLicense", Transfer
}

impl From<(String, String)> for Which {
    fn from((slug, id): (String, String)) -> Self {
        Self { slug: Some(slug), id }
    }
}
