//! Accounts (RFC 8555 §7.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chancery_acme::jwk::Jwk;
use chancery_acme::{ObjectKind, Problem, resource};
use http::StatusCode;

use super::admission::{SignedByAccount, SignedByKey};
use super::path_id::PathId;
use super::respond::{json, located};
use crate::app::App;
use crate::service::{Failure, accounts};
use crate::store::accounts::Account;

pub(super) async fn register(State(app): State<Arc<App>>, request: SignedByKey) -> Result<Response, Failure> {
    let payload = request.payload.parse()?;
    let jwk = request.key.jwk().clone();
    let (account, new) =
        accounts::register(&app, request.key, payload, app.terms_of_service, request.origin).await?;
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
pub(super) fn require_own(app: &App, id: &PathId, request: &SignedByAccount) -> Result<(), Problem> {
    if id.open(app, ObjectKind::Account)? == request.signer.account_id {
        return Ok(());
    }
    Err(Problem::unauthorized("the request is signed for another account than the one of the URL"))
}

fn respond(app: &App, status: StatusCode, account: &Account, jwk: &Jwk) -> Result<Response, Failure> {
    let object = resource::Account {
        status: account.status,
        contact: &account.contact,
        key: jwk,
        orders: app.urls.orders(&app.sealer, account.id),
    };
    located(json(status, &object)?, &app.urls.account(&app.sealer, account.id))
}
