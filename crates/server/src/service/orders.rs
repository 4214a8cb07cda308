//! Orders (RFC 8555 §7.4).

use std::time::Duration;

use chancery_acme::Problem;
use chancery_acme::challenge::{self, ChallengeType};
use chancery_acme::identifier::IdentifierSet;
use chancery_acme::payload::NewOrder;
use chancery_acme::state::OrderStatus;
use chancery_db::ReadTx;
use chancery_time::Timestamp;
use serde_json::json;

use super::accounts::require_valid;
use super::{Failure, Signer};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::licensing::{Licensed, StoredApplicant};
use crate::store::authorizations;
use crate::store::orders::{self, Order};

/// How long an order waits for its client.
const LIFETIME: Duration = Duration::from_secs(7 * 86_400);
/// How many orders a page of an account's list has.
const PAGE: i64 = 100;

/// An order with the names of what belongs to it, as of a time.
#[derive(Debug, Clone)]
pub(crate) struct OrderView {
    pub(crate) order: Order,
    /// What the order is now; the stored status may be older.
    pub(crate) status: OrderStatus,
    pub(crate) authorization_ids: Vec<i64>,
}

/// Makes an order, with an authorization for each identifier.
pub(crate) async fn create(app: &App, signer: Signer, request: NewOrder) -> Result<OrderView, Failure> {
    let now = app.now();
    let identifiers = IdentifierSet::new(request.identifiers)?;
    app.issuance.check_wishes(now, request.not_before, request.not_after)?;
    let tokens = identifiers
        .as_slice()
        .iter()
        .map(|_| challenge::token())
        .collect::<Result<Vec<_>, _>>()
        .map_err(anyhow::Error::from)?;
    let basis = app.licensing.basis(now);
    super::require_audit(app)?;
    let (by, trail) = (signer.clone(), app.trail.clone());
    let made = app
        .db
        .write(move |tx| {
            require_valid(tx, &signer)?;
            let mut applicant = StoredApplicant {
                tx,
                account_id: signer.account_id,
                identifiers: &identifiers.canonical(),
                now,
            };
            let licensed = basis.admit(&mut applicant)??;
            let order = orders::NewOrder {
                account_id: signer.account_id,
                identifiers: &identifiers,
                expires_at: now + LIFETIME,
                not_before: request.not_before,
                not_after: request.not_after,
                created_at: now,
            };
            let view = insert(tx, licensed, &order, &tokens)?;
            let details = json!({ "order": view.order.id, "identifiers": identifiers.canonical() });
            let entry = Entry::new(events::ORDER_CREATE, details).account(signer.account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            Ok(view)
        })
        .await;
    note_denial(app, &by, now, &made).await;
    made
}

/// Inserts an order and what belongs to it. Takes the permission to make it.
fn insert(
    tx: &mut chancery_db::WriteTx<'_>,
    _licensed: Licensed,
    new: &orders::NewOrder<'_>,
    tokens: &[String],
) -> Result<OrderView, Failure> {
    let id = orders::insert(tx, new)?;
    let mut authorization_ids = Vec::with_capacity(tokens.len());
    for (identifier, token) in new.identifiers.as_slice().iter().zip(tokens) {
        let authorization_id =
            authorizations::insert(tx, new.account_id, identifier, new.expires_at, new.created_at)?;
        authorizations::insert_challenge(tx, authorization_id, ChallengeType::Http01, token)?;
        orders::add_authorization(tx, id, authorization_id)?;
        authorization_ids.push(authorization_id);
    }
    let order = Order {
        id,
        account_id: new.account_id,
        status: OrderStatus::Pending,
        identifiers: new.identifiers.clone(),
        expires_at: new.expires_at,
        not_before: new.not_before,
        not_after: new.not_after,
        error: None,
        certificate_id: None,
        created_at: new.created_at,
    };
    Ok(OrderView { order, status: OrderStatus::Pending, authorization_ids })
}

/// Tells the audit log where it is the licence that did not allow what was asked for.
pub(crate) async fn note_denial<T>(app: &App, by: &Signer, now: Timestamp, outcome: &Result<T, Failure>) {
    let Err(Failure::Denied(denied)) = outcome else { return };
    let reasons = denied.reasons();
    let reason = reasons.join(" ");
    tracing::warn!(
        event = "license.deny",
        account_id = by.account_id,
        reasons = reason,
        "an order was refused"
    );
    let details = json!({ "reasons": reasons, "limits": denied.limits() });
    let entry = Entry::new(events::LICENSE_DENY, details).account(by.account_id);
    let entry = entry.from(&by.origin).denied(reason);
    if let Err(error) = app.trail.tell_alone(&app.db, entry, now).await {
        tracing::error!(%error, "a refusal could not be told to the audit log");
    }
}

/// An order of the signer's account.
pub(crate) async fn view(app: &App, signer: Signer, id: i64) -> Result<OrderView, Failure> {
    let now = app.now();
    app.db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            load(tx, &signer, id, now)
        })
        .await
}

/// A page of the account's orders, newest first, and where the next page starts if there is one.
pub(crate) async fn page(
    app: &App,
    signer: Signer,
    before: Option<i64>,
) -> Result<(Vec<i64>, Option<i64>), Failure> {
    let ids = app
        .db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            Ok::<_, Failure>(orders::page(tx, signer.account_id, before.unwrap_or(i64::MAX), PAGE + 1)?)
        })
        .await?;
    let page: Vec<i64> = ids.iter().copied().take(usize::try_from(PAGE).unwrap_or(usize::MAX)).collect();
    let next = page.last().copied().filter(|_| ids.len() > page.len());
    Ok((page, next))
}

/// Loads an order that must be the signer's. One that is not, is not said to exist.
pub(crate) fn load(
    tx: &mut ReadTx<'_>,
    signer: &Signer,
    id: i64,
    now: Timestamp,
) -> Result<OrderView, Failure> {
    let order = orders::by_id(tx, id)?
        .filter(|order| order.account_id == signer.account_id)
        .ok_or_else(|| Problem::not_found("this account has no such order"))?;
    let authorization_ids = orders::authorization_ids(tx, id)?;
    Ok(OrderView { status: order.status.at(now, order.expires_at), order, authorization_ids })
}

/// Brings the orders that rest on an authorization up to date after it changed.
pub(crate) fn settle_open(
    tx: &mut chancery_db::WriteTx<'_>,
    authorization_id: i64,
    why_invalid: &Problem,
    now: Timestamp,
) -> Result<(), chancery_db::Error> {
    for order_id in orders::open_for_authorization(tx, authorization_id)? {
        match state_of_authorizations(tx, order_id, now)? {
            OrderStatus::Ready => orders::set_ready(tx, order_id)?,
            OrderStatus::Invalid => orders::set_invalid(tx, order_id, &why_invalid.to_json())?,
            _ => {}
        }
    }
    Ok(())
}

/// What the authorizations of an order make of it at `now`.
pub(crate) fn state_of_authorizations(
    tx: &mut ReadTx<'_>,
    order_id: i64,
    now: Timestamp,
) -> Result<OrderStatus, chancery_db::Error> {
    let states = authorizations::states_of_order(tx, order_id)?;
    Ok(OrderStatus::from_authorizations(
        states.into_iter().map(|(status, expires_at)| status.at(now, expires_at)),
    ))
}
