//! Orders (RFC 8555 §7.4).

use std::sync::Arc;

use chancery_acme::identifier::{AncestorWishes, IdentifierSet};
use chancery_acme::payload::NewOrder;
use chancery_acme::renewal::CertId;
use chancery_acme::state::OrderStatus;
use chancery_acme::{Problem, ProblemType};
use chancery_db::ReadTx;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::accounts::{require_standing, require_valid};
use super::limits::Ordering;
use super::proofs::{LIFETIME, Proofs};
use super::renewals::Replaced;
use super::{Failure, Signer, renewals};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::licensing::{Licensed, StoredApplicant};
use crate::policy::{AccountPolicy, Request};
use crate::store::orders::{self, Order};
use crate::store::{authorizations, external_accounts};

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

/// Makes an order, with an authorization for each identifier. `profile` is that of the directory which the
/// client found, if it is a profile's own.
pub(crate) async fn create(
    app: &App,
    signer: Signer,
    request: NewOrder,
    profile: Option<String>,
) -> Result<OrderView, Failure> {
    let now = app.now();
    let (identifiers, ancestors) = IdentifierSet::new(request.identifiers)?;
    let wanted = Wanted {
        identifiers,
        ancestors,
        not_before: request.not_before,
        not_after: request.not_after,
        replaces: request.replaces.as_deref().map(renewals::read).transpose()?,
        profile: one_profile(profile, request.profile)?,
    };
    let basis = app.licensing.basis(now);
    super::require_audit(app)?;
    let (by, trail, profiles) = (signer.clone(), app.trail.clone(), Arc::clone(&app.profiles));
    let limits = Arc::clone(&app.limits);
    let made = app
        .db
        .write(move |tx| {
            let is_bound = require_standing(tx, &signer)?;
            let policy =
                if is_bound { external_accounts::policy_of_account(tx, signer.account_id)? } else { None };
            let profile = profiles.select(&Request {
                identifiers: &wanted.identifiers,
                profile: wanted.profile.as_deref(),
                is_bound,
                account: policy.as_ref(),
            })?;
            let at_most = policy.as_ref().and_then(AccountPolicy::max_validity);
            profile.validity(now, wanted.not_before, wanted.not_after, at_most)?;
            let replaces = match &wanted.replaces {
                Some(id) => {
                    let replaced = renewals::replaced(tx, &signer, id, &wanted.identifiers, now)?;
                    Some((id.to_string(), replaced))
                }
                None => None,
            };
            let ordering = Ordering {
                account_id: signer.account_id,
                identifiers: &wanted.identifiers,
                is_exempt: replaces.as_ref().is_some_and(|(_, replaced)| replaced.is_exempt),
            };
            limits.take_order(tx, ordering, now)?;
            let mut applicant = StoredApplicant {
                tx,
                account_id: signer.account_id,
                identifiers: &wanted.identifiers.canonical(),
                now,
            };
            let licensed = basis.admit(&mut applicant)??;
            let proofs = Proofs {
                account_id: signer.account_id,
                profile: profile.rules,
                skipped: policy.as_ref().is_some_and(|policy| policy.skip_validation),
                lapse_at: now + LIFETIME,
                limits: &limits,
                now,
            };
            let view = insert(tx, licensed, &wanted, &proofs, replaces.as_ref())?;
            let mut details = json!({
                "order": view.order.id,
                "identifiers": wanted.identifiers.canonical(),
                "profile": profile.rules.name,
            });
            if let (Some((_, replaced)), Value::Object(members)) = (replaces, &mut details) {
                members.insert("replaces".to_owned(), json!(replaced.id));
            }
            let entry = Entry::new(events::ORDER_CREATE, details).account(signer.account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            Ok(view)
        })
        .await;
    note_denial(app, &by, now, &made).await;
    made
}

/// What a client orders.
struct Wanted {
    identifiers: IdentifierSet,
    ancestors: AncestorWishes,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    replaces: Option<CertId>,
    profile: Option<String>,
}

/// The profile of the directory and the one that the payload names have to be the same.
fn one_profile(of_directory: Option<String>, named: Option<String>) -> Result<Option<String>, Problem> {
    match (of_directory, named) {
        (Some(directory), Some(named)) if directory != named => Err(Problem::new(
            ProblemType::InvalidProfile,
            format!("`profile` is another one than `{directory}`, whose directory this resource belongs to"),
        )),
        (directory, named) => Ok(directory.or(named)),
    }
}

/// Inserts an order and what belongs to it. Takes the permission to make it.
fn insert(
    tx: &mut chancery_db::WriteTx<'_>,
    _licensed: Licensed,
    wanted: &Wanted,
    proofs: &Proofs<'_>,
    replaces: Option<&(String, Replaced)>,
) -> Result<OrderView, Failure> {
    let authorizations = proofs.of_order(tx, &wanted.identifiers, &wanted.ancestors)?;
    // Several names can rest on one authorization, that of their common ancestor.
    let mut authorization_ids: Vec<i64> =
        authorizations.iter().map(|authorization| authorization.id).collect();
    authorization_ids.sort_unstable();
    authorization_ids.dedup();
    let lapses = authorizations.iter().map(|authorization| authorization.expires_at);
    let expires_at = lapses.chain([proofs.lapse_at]).min().unwrap_or(proofs.lapse_at);
    let is_ready = authorizations.iter().all(|authorization| authorization.is_valid);
    let new = orders::NewOrder {
        account_id: proofs.account_id,
        identifiers: &wanted.identifiers,
        expires_at,
        not_before: wanted.not_before,
        not_after: wanted.not_after,
        created_at: proofs.now,
        profile: &proofs.profile.name,
        replaces: replaces.map(|(name, replaced)| (name.as_str(), replaced.id)),
        is_exempt: replaces.is_some_and(|(_, replaced)| replaced.is_exempt),
        status: if is_ready { OrderStatus::Ready } else { OrderStatus::Pending },
    };
    let id = orders::insert(tx, &new)?;
    for authorization_id in &authorization_ids {
        orders::add_authorization(tx, id, *authorization_id)?;
    }
    let order = Order {
        id,
        account_id: new.account_id,
        status: new.status,
        identifiers: new.identifiers.clone(),
        expires_at: new.expires_at,
        not_before: new.not_before,
        not_after: new.not_after,
        error: None,
        certificate_id: None,
        created_at: new.created_at,
        profile: Some(new.profile.to_owned()),
        replaces: replaces.map(|(name, _)| name.clone()),
        is_exempt: new.is_exempt,
        approval: None,
    };
    Ok(OrderView { status: order.status, order, authorization_ids })
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
        .ok_or_else(|| Failure::foreign("this account has no such order"))?;
    let authorization_ids = orders::authorization_ids(tx, id)?;
    Ok(OrderView { status: order.status_at(now), order, authorization_ids })
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
