//! From a ready order to its certificate (RFC 8555 §7.4).
//!
//! Read the order, hold the request against it, build and lint the certificate; then record what is
//! about to be signed, sign, and keep the certificate. Two durable steps: whatever the moment of a
//! crash, every serial number that was ever signed is on record, and an order that was acknowledged
//! as processing is picked up again by its job.

use std::sync::Arc;

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::state::OrderStatus;
use chancery_acme::{Identifier, Problem, ProblemType};
use chancery_db::{ReadTx, WriteTx};
use chancery_pki::certificate::{Prepared, Validity};
use chancery_pki::name::San;
use chancery_pki::request::{CertificateRequest, ValidatedRequest, check};
use chancery_time::Timestamp;
use serde_json::json;

use super::accounts::{self, require_valid};
use super::authorities::Authority;
use super::certificates::{self, facts};
use super::limits::Ordering;
use super::profiles::ProfileRef;
use super::{Failure, Signer, approval, caa, orders, revocation};
use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::config::policy;
use crate::licensing::{Licensed, StoredApplicant};
use crate::policy::{AccountPolicy, Request};
use crate::service::orders::OrderView;
use crate::store;
use crate::store::certificates::PreparedRecord;
use crate::store::external_accounts::policy_of_account;
use crate::store::jobs::{self, JobKind};
use crate::store::orders::Order;

/// Finalizes an order of the signer with a request in DER.
pub(crate) async fn finalize(
    app: &Arc<App>,
    signer: Signer,
    order_id: i64,
    csr: Vec<u8>,
) -> Result<OrderView, Failure> {
    let now = app.now();
    super::require_audit(app)?;
    let by = signer.clone();
    let (view, binding) = app
        .db
        .read(move |tx| {
            require_valid(tx, &by)?;
            let binding = policy_of_account(tx, by.account_id)?;
            Ok::<_, Failure>((orders::load(tx, &by, order_id, now)?, binding))
        })
        .await?;
    require_ready(view.status)?;
    let profile = serving(app, &view.order, binding.as_ref())?;
    let request = validate(profile.rules, &view.order.identifiers, &csr)?;
    caa::require(app, profile, &view.order, Some(&signer.origin), now).await?;
    let validity = validity(profile, &view.order, binding.as_ref(), now)?;
    let (authority, prepared) = profile.prepare(&request, validity, now)?;
    let record = record(&authority, &prepared, &view.order, now);
    let by = signer.clone();
    let (owner, until) = app.jobs.lease(now);
    let basis = app.licensing.basis(now);
    let (limits, trail, order) = (Arc::clone(&app.limits), app.trail.clone(), view.order.clone());
    let waits = profile.rules.require_approval;
    let recorded = app
        .db
        .write(move |tx| {
            require_valid(tx, &by)?;
            require_free_key(tx, &request)?;
            // An authorization may have lapsed since the order became ready.
            require_ready(orders::state_of_authorizations(tx, order_id, now)?)?;
            let ordering = Ordering {
                account_id: by.account_id,
                identifiers: &order.identifiers,
                is_exempt: order.is_exempt,
            };
            limits.ask_certificate(tx, ordering, now)?;
            if !store::orders::set_processing(tx, order_id, &csr)? {
                // Another request was faster, or the order failed since it was read.
                let detail = "the order changed meanwhile: read it again";
                return Err(Problem::new(ProblemType::OrderNotReady, detail).into());
            }
            if waits {
                approval::submit(tx, &trail, &by, &order, now)?;
                return Ok(None);
            }
            jobs::insert(tx, JobKind::Issue, order_id, &owner, until)?;
            // Other orders may have reached the limits since this one was made.
            let mut applicant =
                StoredApplicant { tx, account_id: by.account_id, identifiers: &record.identifiers, now };
            let licensed = basis.admit(&mut applicant)??;
            Ok::<_, Failure>(Some(record_ordered(tx, licensed, &record)?))
        })
        .await;
    orders::note_denial(app, &signer, now, &recorded).await;
    let Some(certificate_id) = recorded? else { return orders::view(app, signer, order_id).await };
    // A task of its own: a client that goes away does not leave the order half done.
    let ordered = Ordered {
        order_id,
        account_id: signer.account_id,
        certificate_id,
        authority,
        origin: Some(Arc::clone(&signer.origin)),
    };
    let issuing = app.tasks.spawn(complete(Arc::clone(app), ordered, prepared));
    if !issuing.await.map_err(anyhow::Error::from)?? {
        return orders::view(app, signer, order_id).await;
    }
    let mut order = view.order;
    order.status = OrderStatus::Valid;
    order.certificate_id = Some(certificate_id);
    Ok(OrderView { status: OrderStatus::Valid, order, authorization_ids: view.authorization_ids })
}

/// Records the certificate of an order that is about to be signed. Takes the permission to make it.
fn record_ordered(
    tx: &mut WriteTx<'_>,
    _licensed: Licensed,
    record: &PreparedRecord,
) -> Result<i64, chancery_db::Error> {
    store::certificates::insert_prepared(tx, record)
}

/// Finishes an order that a crash or a failure left processing. Its earlier serial number stays on
/// record and is not used again.
pub(crate) async fn resume(app: &Arc<App>, order_id: i64) -> Result<(), Failure> {
    let now = app.now();
    let found = app
        .db
        .read(move |tx| {
            let order = store::orders::by_id(tx, order_id)?;
            let csr = store::orders::csr(tx, order_id)?;
            Ok::<_, Failure>(order.zip(csr))
        })
        .await?;
    let Some((order, csr)) = found.filter(|(order, _)| order.status == OrderStatus::Processing) else {
        return Ok(app.db.write(move |tx| jobs::delete(tx, JobKind::Issue, order_id)).await?);
    };
    match issue_again(app, order, &csr, now).await {
        // What was acceptable when the order was finalized is no longer: time has passed.
        Err(Failure::Refused(problem)) => abandon(app, order_id, &problem).await,
        Err(Failure::Denied(denied)) => abandon(app, order_id, &denied.into()).await,
        outcome => outcome,
    }
}

async fn issue_again(app: &Arc<App>, order: Order, csr: &[u8], now: Timestamp) -> Result<(), Failure> {
    let (id, account_id) = (order.id, order.account_id);
    let binding = app.db.read(move |tx| policy_of_account(tx, account_id)).await?;
    let profile = serving(app, &order, binding.as_ref())?;
    let request = validate(profile.rules, &order.identifiers, csr)?;
    caa::require(app, profile, &order, None, now).await?;
    let validity = validity(profile, &order, binding.as_ref(), now)?;
    let (authority, prepared) = profile.prepare(&request, validity, now)?;
    let record = record(&authority, &prepared, &order, now);
    let approved = order.approval.is_some().then(|| app.licensing.basis(now));
    let certificate_id = app
        .db
        .write(move |tx| {
            // The account may have been closed since.
            accounts::require_open(tx, account_id)?;
            require_free_key(tx, &request)?;
            // The licence was asked when the order was finalized; this takes the place of what was
            // recorded then.
            store::certificates::give_up_prepared(tx, account_id, id)?;
            let Some(basis) = &approved else {
                return Ok(store::certificates::insert_prepared(tx, &record)?);
            };
            // Nothing was recorded before a person approved it, and much may have changed since.
            require_ready(orders::state_of_authorizations(tx, id, now)?)?;
            let mut applicant = StoredApplicant { tx, account_id, identifiers: &record.identifiers, now };
            let licensed = basis.admit(&mut applicant)??;
            Ok::<_, Failure>(record_ordered(tx, licensed, &record)?)
        })
        .await?;
    let ordered = Ordered { order_id: id, account_id, certificate_id, authority, origin: None };
    complete(Arc::clone(app), ordered, prepared).await.map(drop)
}

/// Gives up on an order that cannot be issued.
pub(crate) async fn abandon(app: &App, order_id: i64, why: &Problem) -> Result<(), Failure> {
    let (problem, error) = (why.to_json(), why.detail().to_owned());
    let (now, trail) = (app.now(), app.trail.clone());
    app.db
        .write(move |tx| {
            store::orders::fail_processing(tx, order_id, &problem)?;
            if let Some(order) = store::orders::by_id(tx, order_id)? {
                store::certificates::give_up_prepared(tx, order.account_id, order_id)?;
                let details = json!({ "order": order_id, "error": error });
                let entry = Entry::new(events::ORDER_INVALID, details).account(order.account_id);
                trail.tell(tx, &entry, now)?;
            }
            Ok(jobs::delete(tx, JobKind::Issue, order_id)?)
        })
        .await
}

/// A certificate that was recorded for an order.
struct Ordered {
    order_id: i64,
    account_id: i64,
    certificate_id: i64,
    /// The one that it was prepared for.
    authority: Arc<Authority>,
    /// Where the request came from that finalized the order, if that was just now.
    origin: Option<Arc<Origin>>,
}

/// Signs what was recorded, and keeps the certificate; `false` where the order had been settled by
/// another node, and this certificate was discarded.
async fn complete(app: Arc<App>, ordered: Ordered, prepared: Prepared) -> Result<bool, Failure> {
    let Ordered { order_id, account_id, certificate_id, authority, origin } = ordered;
    let details = facts(certificate_id, Some(order_id), &prepared);
    let (now, trail) = (app.now(), app.trail.clone());
    let certificate = authority.issue(prepared, now).map_err(anyhow::Error::from)?;
    let kept = app
        .db
        .write(move |tx| {
            let tell = |tx: &mut WriteTx<'_>, kind, details| {
                let entry = Entry::new(kind, details).account(account_id);
                let entry = match &origin {
                    Some(origin) => entry.from(origin),
                    None => entry,
                };
                trail.tell(tx, &entry, now)
            };
            jobs::delete(tx, JobKind::Issue, order_id)?;
            if !store::orders::set_valid(tx, order_id, certificate_id)? {
                store::certificates::give_up_prepared(tx, account_id, order_id)?;
                let details = json!({ "certificate": certificate_id, "order": order_id });
                tell(tx, events::CERTIFICATE_DISCARD, details)?;
                return Ok(false);
            }
            store::certificates::set_issued(tx, certificate_id, certificate.der(), now)?;
            tell(tx, events::CERTIFICATE_ISSUE, details.clone())?;
            Ok::<_, chancery_db::Error>(true)
        })
        .await?;
    if !kept {
        // Another node took the job over, since this one held it for longer than its lease.
        tracing::warn!(
            order_id,
            certificate_id,
            "a certificate was signed but its order had been settled; it was discarded"
        );
    }
    Ok(kept)
}

/// The profile that serves an order of an account with this binding. The order was made under the configuration of
/// then, which may have changed: what it allowed is asked of it again.
///
/// # Errors
/// `invalidProfile` where the configuration has it no more, else as [`select`](crate::policy::select).
fn serving<'a>(
    app: &'a App,
    order: &Order,
    binding: Option<&AccountPolicy>,
) -> Result<ProfileRef<'a>, Problem> {
    let profile = app.profiles.of(order.profile.as_deref()).ok_or_else(|| {
        let name = order.profile.as_deref().unwrap_or_default();
        let detail = format!("the profile `{name}` of this order is no more: make a new order");
        Problem::new(ProblemType::InvalidProfile, detail)
    })?;
    app.profiles.select(&Request {
        identifiers: &order.identifiers,
        profile: Some(&profile.rules.name),
        is_bound: binding.is_some(),
        account: binding,
    })
}

/// Makes sure that a certificate may be made for the key of a request.
///
/// # Errors
/// `badCSR` where it is the key of an account, or is known to be in the hands of others.
fn require_free_key(tx: &mut ReadTx<'_>, request: &ValidatedRequest) -> Result<(), Failure> {
    let spki = request.public_key().spki_der();
    // RFC 8555 §11.1: whoever holds an account's key should not thereby hold a certificate's.
    if store::accounts::has_key(tx, spki)? {
        let detail = "the request is for the key of an account: make another key for the certificate";
        return Err(Problem::new(ProblemType::BadCsr, detail).into());
    }
    if revocation::is_compromised(tx, spki)? {
        let detail = "a certificate for this key was revoked since the key was compromised: make another key";
        return Err(Problem::new(ProblemType::BadCsr, detail).into());
    }
    Ok(())
}

/// The lifetime of the certificate of an order.
fn validity(
    profile: ProfileRef<'_>,
    order: &Order,
    binding: Option<&AccountPolicy>,
    now: Timestamp,
) -> Result<Validity, Problem> {
    // A wish for notBefore was granted when the order was made, however long its client takes.
    let reference = order.not_before.map_or(now, |_| order.created_at);
    let at_most = binding.and_then(AccountPolicy::max_validity);
    let validity = profile.validity(reference, order.not_before, order.not_after, at_most)?;
    if validity.not_after() <= now {
        let over =
            "`notBefore` and `notAfter`: the certificate would be over before it began; make a new order";
        return Err(Problem::malformed(over));
    }
    Ok(validity)
}

fn record(authority: &Authority, prepared: &Prepared, order: &Order, now: Timestamp) -> PreparedRecord {
    PreparedRecord {
        ordered_by: Some((order.id, order.account_id)),
        profile: order.profile.clone(),
        identifiers: order.identifiers.canonical(),
        ..certificates::record(authority, prepared, now)
    }
}

fn validate(
    rules: &policy::Profile,
    identifiers: &IdentifierSet,
    csr: &[u8],
) -> Result<ValidatedRequest, Problem> {
    let bad = |reason: String| Problem::new(ProblemType::BadCsr, reason);
    let request = CertificateRequest::from_der(csr).map_err(|error| bad(error.to_string()))?;
    let names: Vec<San> = identifiers.as_slice().iter().map(san).collect();
    check(&request, &names, &rules.requests).map_err(|refusal| bad(refusal.to_string()))
}

fn require_ready(status: OrderStatus) -> Result<(), Failure> {
    let detail = match status {
        OrderStatus::Ready => return Ok(()),
        OrderStatus::Pending => "the order is pending: complete its authorizations first",
        OrderStatus::Processing => "the order is being issued already: read it until it is valid",
        OrderStatus::Valid => "the order is valid already: download its certificate",
        OrderStatus::Invalid => "the order is invalid: make a new one",
    };
    Err(Problem::new(ProblemType::OrderNotReady, detail).into())
}

fn san(identifier: &Identifier) -> San {
    match identifier {
        Identifier::Ip(address) => San::Ip(*address),
        name => San::Dns(name.value().into_owned()),
    }
}
