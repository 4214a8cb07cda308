//! The server's HTTP interface: one file for each resource.

mod account;
mod admission;
mod authorization;
mod certificate;
mod challenge;
pub(crate) mod directories;
mod failure;
mod headers;
mod health;
mod key_change;
pub(crate) mod limits;
mod new_authz;
mod nonce;
mod order;
mod path_id;
mod profile;
mod renewal_info;
mod respond;
mod revocation;
pub(crate) mod urls;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use crate::app::App;
use urls::path;

/// The router with every resource that the server has.
pub(crate) fn router(app: Arc<App>) -> Router {
    let object = |prefix: &str, behind: &str| format!("{prefix}{{{}}}{behind}", path_id::SEGMENT);
    let of_profiles = format!("{}{{{}}}", path::ACME, profile::SEGMENT);
    let acme = Router::new()
        .merge(with_profile(path::ACME.trim_end_matches('/')))
        .merge(with_profile(&of_profiles))
        .route(path::NEW_NONCE, of(get(nonce::get).head(nonce::head).post(nonce::post_as_get)))
        .route(path::KEY_CHANGE, of(post(key_change::change)))
        .route(&object(path::ACCOUNT, ""), of(post(account::view_or_update)))
        .route(&object(path::ACCOUNT, path::ORDERS), of(post(order::list)))
        .route(&object(path::ORDER, ""), of(post(order::view)))
        .route(&object(path::ORDER, path::FINALIZE), of(post(order::finalize)))
        .route(&object(path::AUTHORIZATION, ""), of(post(authorization::view_or_deactivate)))
        .route(&object(path::CHALLENGE, ""), of(post(challenge::view_or_answer)))
        .route(&object(path::CERTIFICATE, ""), of(post(certificate::download)))
        .route(
            &object(path::CERTIFICATE, &format!("/{{{}}}", certificate::CHAIN)),
            of(post(certificate::download)),
        )
        .route(path::REVOKE_CERT, of(post(revocation::revoke)))
        .route(&object(path::RENEWAL_INFO, ""), of(get(renewal_info::get)))
        .fallback(failure::no_such_resource)
        .layer(from_fn_with_state(Arc::clone(&app), limits::hold))
        .layer(from_fn_with_state(Arc::clone(&app), headers::add));
    Router::new()
        .route(path::HEALTHZ, get(health::alive))
        .route(path::READYZ, get(health::ready))
        .merge(acme)
        .with_state(app)
}

/// The resources that the server has as a whole, and each profile for itself.
fn with_profile(under: &str) -> Router<Arc<App>> {
    let resource = |path: &str| format!("{under}{path}");
    Router::new()
        .route(&resource(path::DIRECTORY), of(get(directories::get).post(directories::post_as_get)))
        .route(&resource(path::NEW_ACCOUNT), of(post(account::register)))
        .route(&resource(path::NEW_ORDER), of(post(order::create)))
        .route(&resource(path::NEW_AUTHZ), of(post(new_authz::create)))
}

/// A resource that answers other methods with a problem document.
fn of(methods: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    methods.fallback(failure::wrong_method)
}
