//! Orders (RFC 8555 §7.4, §7.1.2.1).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_acme::state::OrderStatus;
use chancery_acme::{ObjectKind, Problem, ProblemType, payload, resource};
use http::header::RETRY_AFTER;
use http::{StatusCode, Uri};
use serde_json::value::RawValue;

use super::account::require_own;
use super::admission::SignedByAccount;
use super::path_id::PathId;
use super::profile::OfProfile;
use super::respond::{json, linked, located, with_header};
use crate::app::App;
use crate::service::orders::{self, OrderView};
use crate::service::{Failure, issuance};
use crate::store::orders::Approval;

/// How long a client should wait before it asks again while a person has to approve its order, in seconds.
const APPROVAL_SECONDS: &str = "60";

pub(super) async fn create(
    State(app): State<Arc<App>>,
    profile: OfProfile,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let order = orders::create(&app, request.signer, request.payload.parse()?, profile.into_name()).await?;
    respond(&app, StatusCode::CREATED, &order)
}

pub(super) async fn view(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    request.payload.expect_post_as_get()?;
    let order = orders::view(&app, request.signer, id.open(&app, ObjectKind::Order)?).await?;
    respond(&app, StatusCode::OK, &order)
}

pub(super) async fn finalize(
    State(app): State<Arc<App>>,
    id: PathId,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    let payload: payload::Finalize = request.payload.parse()?;
    let csr = Base64UrlUnpadded::decode_vec(&payload.csr).map_err(|_| {
        Problem::new(ProblemType::BadCsr, "`csr` is not unpadded base64url of a PKCS#10 request in DER")
    })?;
    let order = issuance::finalize(&app, request.signer, id.open(&app, ObjectKind::Order)?, csr).await?;
    respond(&app, StatusCode::OK, &order)
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    id: PathId,
    uri: Uri,
    request: SignedByAccount,
) -> Result<Response, Failure> {
    require_own(&app, &id, &request)?;
    request.payload.expect_post_as_get()?;
    let before = cursor(&app, uri.query())?;
    let account_id = request.signer.account_id;
    let (orders, next) = orders::page(&app, request.signer, before).await?;
    let orders = orders.into_iter().map(|order| app.urls.order(&app.sealer, order)).collect();
    let response = json(StatusCode::OK, &resource::OrderList { orders })?;
    match next {
        Some(before) => linked(response, &app.urls.orders_before(&app.sealer, account_id, before), "next"),
        None => Ok(response),
    }
}

/// Where the page starts that a query asks for.
fn cursor(app: &App, query: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(query) = query else { return Ok(None) };
    query
        .strip_prefix("cursor=")
        .and_then(|cursor| app.sealer.open(ObjectKind::OrdersCursor, cursor))
        .map(Some)
        .ok_or_else(|| {
            Problem::not_found("there is no such page of orders: follow the links from the first one")
        })
}

fn respond(app: &App, status: StatusCode, view: &OrderView) -> Result<Response, Failure> {
    let OrderView { order, authorization_ids, .. } = view;
    let error = order.error.clone().map(RawValue::from_string).transpose().map_err(anyhow::Error::from)?;
    let certificate = order.certificate_id.filter(|_| view.status == OrderStatus::Valid);
    let object = resource::Order {
        status: view.status,
        expires: order.expires_at,
        identifiers: order.identifiers.as_slice(),
        not_before: order.not_before,
        not_after: order.not_after,
        profile: order.profile.as_deref(),
        replaces: order.replaces.as_deref(),
        error: error.as_deref(),
        authorizations: authorization_ids.iter().map(|id| app.urls.authorization(&app.sealer, *id)).collect(),
        finalize: app.urls.finalize(&app.sealer, order.id),
        certificate: certificate.map(|id| app.urls.certificate(&app.sealer, id)),
    };
    let response = located(json(status, &object)?, &app.urls.order(&app.sealer, order.id))?;
    match view.status {
        // RFC 8555 §7.4: how long the client should wait before it asks again, in seconds.
        OrderStatus::Processing if order.approval == Some(Approval::Waiting) => {
            with_header(response, RETRY_AFTER, APPROVAL_SECONDS)
        }
        OrderStatus::Processing => with_header(response, RETRY_AFTER, "1"),
        _ => Ok(response),
    }
}
