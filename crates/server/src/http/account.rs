//! Accounts (RFC 8555 §7.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chancery_acme::jwk::Jwk;
use chancery_acme::{ObjectKind, Problem, resource};
use http::StatusCode;

use super::admission::{SignedByAccount, SignedByKey};
use super::path_id::PathId;
use super::profile::OfProfile;
use super::respond::{json, located};
use super::urls::path;
use crate::app::App;
use crate::service::Failure;
use crate::service::accounts::{self, Registration};
use crate::service::failure::Abuse;
use crate::store::accounts::Account;

pub(super) async fn register(
    State(app): State<Arc<App>>,
    profile: OfProfile,
    request: SignedByKey,
) -> Result<Response, Failure> {
    let payload = request.payload.parse()?;
    let jwk = request.key.jwk().clone();
    let registration = Registration {
        key: request.key,
        request: payload,
        url: app.urls.of_profile(profile.name(), path::NEW_ACCOUNT),
        profile: profile.into_name(),
        origin: request.origin,
    };
    let (account, new) = accounts::register(&app, registration).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    respond(&app, status, &account, &jwk)
}

pub(super) async fn view_or_update(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    require_own(&app, &id, &request)?;
    let account = if request.payload.is_post_as_get() {
        accounts::view(&app, request.signer).await?
    } else {
        accounts::update(&app, request.signer, request.payload.parse()?).await?
    };
    respond(&app, StatusCode::OK, &account, request.key.jwk())
}

/// Makes sure that the account in the URL is the one that signs.
pub(super) fn require_own(app: &App, id: &PathId, request: &SignedByAccount) -> Result<(), Failure> {
    if id.open(app, ObjectKind::Account)? == request.signer.account_id {
        return Ok(());
    }
    let problem = Problem::unauthorized("the request is signed for another account than the one of the URL");
    Err(Failure::Abusive(Abuse::ForeignObject, problem))
}

/// The account, whose key that is.
pub(super) fn respond(
    app: &App,
    status: StatusCode,
    account: &Account,
    jwk: &Jwk,
) -> Result<Response, Failure> {
    let object = resource::Account {
        status: account.status,
        contact: &account.contact,
        key: jwk,
        terms_of_service_agreed: app.terms_of_service.then_some(true),
        // Optional (RFC 8555 §7.1.2), and not kept: once the account is made, nothing needs it.
        external_account_binding: None,
        orders: app.urls.orders(&app.sealer, account.id),
    };
    located(json(status, &object)?, &app.urls.account(&app.sealer, account.id))
}
