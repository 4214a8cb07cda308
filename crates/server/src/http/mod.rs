//! The server's HTTP interface: one file for each resource.

mod account;
mod admission;
mod authorization;
mod certificate;
mod challenge;
mod directory;
mod failure;
mod headers;
mod health;
mod nonce;
mod order;
mod path_id;
mod respond;
pub(crate) mod urls;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

pub(crate) use directory::directory;

use crate::app::App;
use urls::path;

/// The router with every resource that the server has.
pub(crate) fn router(app: Arc<App>) -> Router {
    let object = |prefix: &str, behind: &str| format!("{prefix}{{id}}{behind}");
    let acme = Router::new()
        .route(path::DIRECTORY, of(get(directory::get).post(directory::post_as_get)))
        .route(path::NEW_NONCE, of(get(nonce::get).head(nonce::head).post(nonce::post_as_get)))
        .route(path::NEW_ACCOUNT, of(post(account::register)))
        .route(path::NEW_ORDER, of(post(order::create)))
        .route(&object(path::ACCOUNT, ""), of(post(account::view_or_update)))
        .route(&object(path::ACCOUNT, path::ORDERS), of(post(order::list)))
        .route(&object(path::ORDER, ""), of(post(order::view)))
        .route(&object(path::ORDER, path::FINALIZE), of(post(order::finalize)))
        .route(&object(path::AUTHORIZATION, ""), of(post(authorization::view_or_deactivate)))
        .route(&object(path::CHALLENGE, ""), of(post(challenge::view_or_answer)))
        .route(&object(path::CERTIFICATE, ""), of(post(certificate::download)))
        .fallback(failure::no_such_resource)
        .layer(from_fn_with_state(Arc::clone(&app), headers::add));
    Router::new()
        .route(path::HEALTHZ, get(health::alive))
        .route(path::READYZ, get(health::ready))
        .merge(acme)
        .with_state(app)
}

/// A resource that answers other methods with a problem document.
fn of(methods: MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>> {
    methods.fallback(failure::wrong_method)
}
