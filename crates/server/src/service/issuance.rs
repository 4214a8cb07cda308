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
use chancery_authority::local::LocalAuthority;
use chancery_db::{Db, WriteTx};
use chancery_pki::certificate::{Prepared, Profile, SerialNumber, Validity};
use chancery_pki::name::San;
use chancery_pki::request::{CertificateRequest, RequestRules, ValidatedRequest, check};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::accounts::require_valid;
use super::{Failure, Signer, orders};
use crate::app::App;
use crate::audit::{Entry, Origin, Trail, events};
use crate::licensing::{Licensed, StoredApplicant};
use crate::service::orders::OrderView;
use crate::store;
use crate::store::certificates::{Issued, PreparedRecord};
use crate::store::jobs::{self, JobKind};
use crate::store::orders::Order;

/// The authority of the profile, and the rules by which it issues.
pub(crate) struct Issuance {
    authority: LocalAuthority,
    /// The number of the authority's chain in the store.
    issuer_id: i64,
    profile: Profile,
    rules: RequestRules,
}

impl Issuance {
    /// An issuance under `profile`; records the authority's chain.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn new(
        db: &Db,
        name: &str,
        authority: LocalAuthority,
        profile: Profile,
    ) -> anyhow::Result<Self> {
        let (name, chain) = (name.to_owned(), authority.chain_pem().to_owned());
        let issuer_id = db.write(move |tx| store::certificates::issuer_id(tx, &name, &chain)).await?;
        Ok(Self { authority, issuer_id, profile, rules: RequestRules::default() })
    }

    /// The chain behind every certificate: the intermediate, without the root.
    pub(crate) fn chain_pem(&self) -> &str {
        self.authority.chain_pem()
    }

    /// Whether an order's wishes for its certificate's lifetime can be granted.
    pub(crate) fn check_wishes(
        &self,
        now: Timestamp,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
    ) -> Result<(), Problem> {
        self.profile
            .validity(now, not_before, not_after)
            .map(drop)
            .map_err(|refusal| wishes_refused(&refusal))
    }

    /// The lifetime of the certificate of an order.
    fn validity(&self, order: &Order, now: Timestamp) -> Result<Validity, Problem> {
        // A wish for notBefore was granted when the order was made, however long its client takes.
        let reference = order.not_before.map_or(now, |_| order.created_at);
        let validity = self.profile.validity(reference, order.not_before, order.not_after);
        let validity = validity.map_err(|refusal| wishes_refused(&refusal))?;
        if validity.not_after() <= now {
            return Err(wishes_refused(&"the certificate would be over before it began; make a new order"));
        }
        Ok(validity)
    }

    fn prepare(&self, request: &ValidatedRequest, validity: Validity) -> anyhow::Result<Prepared> {
        let serial = SerialNumber::random()?;
        let issuer = self.authority.issuer();
        Ok(chancery_pki::certificate::prepare(&self.profile, request, issuer, validity, serial)?)
    }

    fn record(&self, prepared: &Prepared, ordered_by: Option<(i64, i64)>, now: Timestamp) -> PreparedRecord {
        let names: Vec<String> = prepared.names().iter().map(san_text).collect();
        PreparedRecord {
            issuer_id: self.issuer_id,
            ordered_by,
            identifiers: names.join(","),
            serial: prepared.serial().as_bytes().to_vec(),
            not_before: prepared.not_before(),
            not_after: prepared.not_after(),
            prepared_at: now,
        }
    }

    /// Issues the server's own certificate; returns its chain in PEM.
    ///
    /// # Errors
    /// When the store or the authority fails.
    pub(crate) async fn issue_own(
        &self,
        db: &Db,
        trail: &Trail,
        request: &ValidatedRequest,
        now: Timestamp,
    ) -> anyhow::Result<String> {
        let prepared = self.prepare(request, self.profile.validity(now, None, None)?)?;
        let record = self.record(&prepared, None, now);
        let id = db.write(move |tx| store::certificates::insert_prepared(tx, &record)).await?;
        let details = facts(id, None, &prepared);
        let certificate = self.authority.issue(prepared)?;
        let (der, trail) = (certificate.der().to_vec(), trail.clone());
        db.write(move |tx| {
            store::certificates::set_issued(tx, id, &der, now)?;
            trail.tell(tx, &Entry::new(events::CERTIFICATE_ISSUE_OWN, details.clone()), now)
        })
        .await?;
        Ok(certificate.to_pem() + self.chain_pem())
    }
}

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
    let view = app
        .db
        .read(move |tx| {
            require_valid(tx, &by)?;
            orders::load(tx, &by, order_id, now)
        })
        .await?;
    require_ready(view.status)?;
    let request = validate(app, &view.order.identifiers, &csr)?;
    let prepared = app.issuance.prepare(&request, app.issuance.validity(&view.order, now)?)?;
    let record = app.issuance.record(&prepared, Some((order_id, signer.account_id)), now);
    let (by, spki) = (signer.clone(), request.public_key().spki_der().to_vec());
    let (owner, until) = app.jobs.lease(now);
    let basis = app.licensing.basis(now);
    let recorded = app
        .db
        .write(move |tx| {
            require_valid(tx, &by)?;
            // RFC 8555 §11.1: whoever holds an account's key should not thereby hold a certificate's.
            if store::accounts::has_key(tx, &spki)? {
                let detail = "the request is for the key of an account: make another key for the certificate";
                return Err(Problem::new(ProblemType::BadCsr, detail).into());
            }
            // An authorization may have lapsed since the order became ready.
            require_ready(orders::state_of_authorizations(tx, order_id, now)?)?;
            if !store::orders::set_processing(tx, order_id, &csr)? {
                // Another request was faster, or the order failed since it was read.
                let detail = "the order changed meanwhile: read it again";
                return Err(Problem::new(ProblemType::OrderNotReady, detail).into());
            }
            jobs::insert(tx, JobKind::Issue, order_id, &owner, until)?;
            // Other orders may have reached the limits since this one was made.
            let mut applicant =
                StoredApplicant { tx, account_id: by.account_id, identifiers: &record.identifiers, now };
            let licensed = basis.admit(&mut applicant)??;
            Ok::<_, Failure>(record_ordered(tx, licensed, &record)?)
        })
        .await;
    orders::note_denial(app, &signer, now, &recorded).await;
    let certificate_id = recorded?;
    // A task of its own: a client that goes away does not leave the order half done.
    let ordered = Ordered {
        order_id,
        account_id: signer.account_id,
        certificate_id,
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
        outcome => outcome,
    }
}

async fn issue_again(app: &Arc<App>, order: Order, csr: &[u8], now: Timestamp) -> Result<(), Failure> {
    let request = validate(app, &order.identifiers, csr)?;
    let prepared = app.issuance.prepare(&request, app.issuance.validity(&order, now)?)?;
    let record = app.issuance.record(&prepared, Some((order.id, order.account_id)), now);
    let (id, account_id) = (order.id, order.account_id);
    let certificate_id = app
        .db
        .write(move |tx| {
            // The licence was asked when the order was finalized; this takes the place of what was
            // recorded then.
            store::certificates::give_up_prepared(tx, account_id, id)?;
            store::certificates::insert_prepared(tx, &record)
        })
        .await?;
    let ordered = Ordered { order_id: id, account_id, certificate_id, origin: None };
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

/// A certificate of the signer's account, as PEM with its chain (RFC 8555 §7.4.2).
pub(crate) async fn download(app: &App, signer: Signer, id: i64) -> Result<String, Failure> {
    let issued: Issued = app
        .db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            store::certificates::issued_by_id(tx, id)?
                .filter(|issued| issued.account_id == signer.account_id)
                .ok_or_else(|| Failure::from(Problem::not_found("this account has no such certificate")))
        })
        .await?;
    Ok(chancery_pki::certificate::pem(&issued.der) + &issued.chain_pem)
}

/// A certificate that was recorded for an order.
struct Ordered {
    order_id: i64,
    account_id: i64,
    certificate_id: i64,
    /// Where the request came from that finalized the order, if that was just now.
    origin: Option<Arc<Origin>>,
}

/// Signs what was recorded, and keeps the certificate; `false` where the order had been settled by
/// another node, and this certificate was discarded.
async fn complete(app: Arc<App>, ordered: Ordered, prepared: Prepared) -> Result<bool, Failure> {
    let Ordered { order_id, account_id, certificate_id, origin } = ordered;
    let details = facts(certificate_id, Some(order_id), &prepared);
    let certificate = app.issuance.authority.issue(prepared).map_err(anyhow::Error::from)?;
    let (now, trail) = (app.now(), app.trail.clone());
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

fn validate(app: &App, identifiers: &IdentifierSet, csr: &[u8]) -> Result<ValidatedRequest, Problem> {
    let bad = |reason: String| Problem::new(ProblemType::BadCsr, reason);
    let request = CertificateRequest::from_der(csr).map_err(|error| bad(error.to_string()))?;
    let names: Vec<San> = identifiers.as_slice().iter().map(san).collect();
    check(&request, &names, &app.issuance.rules).map_err(|refusal| bad(refusal.to_string()))
}

fn wishes_refused(why: &dyn std::fmt::Display) -> Problem {
    Problem::malformed(format!("`notBefore` and `notAfter`: {why}"))
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
    San::Dns(identifier.value().to_owned())
}

/// What the audit log is told of a certificate.
fn facts(id: i64, order_id: Option<i64>, prepared: &Prepared) -> Value {
    let serial: String = prepared.serial().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let identifiers: Vec<String> = prepared.names().iter().map(san_text).collect();
    let mut details = json!({
        "certificate": id,
        "serial": serial,
        "identifiers": identifiers.join(","),
        "not_before": prepared.not_before(),
        "not_after": prepared.not_after(),
    });
    if let (Some(order_id), Value::Object(members)) = (order_id, &mut details) {
        members.insert("order".to_owned(), json!(order_id));
    }
    details
}

/// A name in the form of [`IdentifierSet::canonical`].
fn san_text(name: &San) -> String {
    match name {
        San::Dns(name) => format!("dns:{name}"),
        San::Ip(address) => format!("ip:{address}"),
    }
}
