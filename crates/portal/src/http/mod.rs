//! The portal's HTTP interface: one file for each resource, and the OpenAPI document that is made from them.

mod activations;
mod admission;
mod api_keys;
mod claims;
mod error;
mod extract;
mod health;
mod installations;
mod licenses;
mod log;
mod machine_files;
mod manifests;
mod organisations;
mod plans;
mod products;
mod revocations;
mod seats;
mod signing_keys;
mod users;
mod validations;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(crate) use admission::{KeyCache, Meters};

/// Where the API begins.
const BASE: &str = "/api/v1";
/// The longest body of a request: metadata of 128 KiB, however it is escaped, and what is around it.
const MAX_BODY_BYTES: usize = 1_024 * 1_024;

#[derive(OpenApi)]
#[openapi(
    info(title = "Chancery portal", description = "Licences, seats, machine files, and the calls of installations."),
    components(schemas(crate::api::ErrorEnvelope)),
    modifiers(&BearerKeys)
)]
struct Document;

/// How requests say who they are.
struct BearerKeys;

impl utoipa::Modify for BearerKeys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("api_key", bearer);
    }
}

/// The resources that need no key.
fn public() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(installations::call))
        .routes(routes!(signing_keys::published))
}

/// The resources that need a key.
fn authenticated() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(activations::activate))
        .routes(routes!(activations::activate_by_path))
        .routes(routes!(activations::deactivate))
        .routes(routes!(activations::deactivate_by_path))
        .routes(routes!(activations::heartbeat))
        .routes(routes!(activations::heartbeat_by_path))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(api_keys::show))
        .routes(routes!(installations::list))
        .routes(routes!(installations::show))
        .routes(routes!(installations::link))
        .routes(routes!(installations::unlink))
        .routes(routes!(installations::retire))
        .routes(routes!(installations::unpin))
        .routes(routes!(licenses::list, licenses::create))
        .routes(routes!(licenses::show, licenses::change))
        .routes(routes!(licenses::renew))
        .routes(routes!(licenses::suspend))
        .routes(routes!(licenses::reinstate))
        .routes(routes!(licenses::revoke))
        .routes(routes!(licenses::transfer))
        .routes(routes!(machine_files::machine_file))
        .routes(routes!(machine_files::machine_file_by_path))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::events))
        .routes(routes!(manifests::newest, manifests::take))
        .routes(routes!(manifests::root, manifests::set_root))
        .routes(routes!(organisations::list, organisations::create))
        .routes(routes!(organisations::show, organisations::update))
        .routes(routes!(plans::archive))
        .routes(routes!(plans::list, plans::create))
        .routes(routes!(plans::show, plans::update))
        .routes(routes!(plans::unarchive))
        .routes(routes!(products::archive))
        .routes(routes!(products::list, products::create))
        .routes(routes!(products::show, products::update))
        .routes(routes!(products::unarchive))
        .routes(routes!(revocations::newest, revocations::issue))
        .routes(routes!(seats::list))
        .routes(routes!(seats::release))
        .routes(routes!(signing_keys::activate))
        .routes(routes!(signing_keys::list, signing_keys::create))
        .routes(routes!(signing_keys::withdraw))
        .routes(routes!(users::disable))
        .routes(routes!(users::enable))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::update))
        .routes(routes!(validations::validate))
        .routes(routes!(validations::validate_by_path))
        .routes(routes!(webhooks::disable))
        .routes(routes!(webhooks::enable))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::list_deliveries))
        .routes(routes!(webhooks::redeliver))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::show, webhooks::update))
        .routes(routes!(webhooks::test))
        // Clients ask for these, and there is no such thing here: not even as the name of a licence.
        .route("/products/{slug}/licenses/offline-token", any(error::no_such_resource))
        .route("/products/{slug}/licenses/{license}/offline-token", any(error::no_such_resource))
}

/// The OpenAPI document, as it is committed in `docs/openapi.json`.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let api = public().merge(authenticated());
    OpenApiRouter::with_openapi(Document::openapi()).nest(BASE, api).split_for_parts().1
}

/// The router with every resource that the portal has.
pub(crate) fn router(app: Arc<App>) -> Router {
    let public = public().layer(from_fn_with_state(Arc::clone(&app), admission::by_address));
    let authenticated = authenticated().layer(from_fn_with_state(Arc::clone(&app), admission::by_key));
    let (router, _) =
        OpenApiRouter::<Arc<App>>::new().nest(BASE, public.merge(authenticated)).split_for_parts();
    router
        .fallback(error::no_such_resource)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

#[cfg(test)]
mod tests;
