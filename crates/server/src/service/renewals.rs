//! Renewal information, and orders that say what they renew (RFC 9773).

use std::time::Duration;

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::renewal::{CertId, Window, retry_after, suggested_window};
use chancery_acme::{Identifier, Problem, ProblemType};
use chancery_db::ReadTx;
use chancery_pki::certificate::{EndEntity, SerialNumber};
use chancery_time::Timestamp;

use super::{Failure, Signer};
use crate::app::App;
use crate::store::certificates::{self, Known};
use crate::store::orders;

/// When to renew a certificate, and when to ask again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Advice {
    pub(crate) window: Window,
    pub(crate) ask_again_after: Duration,
}

/// How old a certificate has to be before an order that replaces it is exempt from limits: a chain of certificates,
/// each revoked or short-lived and replaced by the next, is to go beyond them by no more than one in that time.
const MIN_AGE: Duration = Duration::from_hours(1);

/// The certificate that an order replaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replaced {
    /// Its row.
    pub(crate) id: i64,
    /// Whether no limit on orders holds the order up.
    pub(crate) is_exempt: bool,
}

/// The certificate that an order says it replaces.
pub(crate) fn read(text: &str) -> Result<CertId, Problem> {
    text.parse().map_err(|error| Problem::malformed(format!("`replaces`: {error}")))
}

/// When to renew a certificate (RFC 9773 §4.2). Anybody may ask.
pub(crate) async fn advise(app: &App, id: CertId) -> Result<Advice, Failure> {
    let now = app.now();
    let found = app.db.read(move |tx| find(tx, &id)).await?;
    let found = found.ok_or_else(|| Problem::not_found("the server issued no certificate of that name"))?;
    Ok(Advice {
        window: suggested_window(found.not_before, found.not_after, found.revoked_at, now),
        ask_again_after: retry_after(found.not_before, found.not_after),
    })
}

/// The certificate that an order is to replace (RFC 9773 §5).
///
/// The order is exempt from limits where the server's own advice is to renew by now, and it asks for no name that
/// the certificate lacks. That holds once for each certificate: if the order fails, those after it are like any
/// other, lest one certificate be worth any number of orders.
///
/// # Errors
/// `malformed` where the account has no such certificate, or it shares no name with the order;
/// `alreadyReplaced` where another order does.
pub(crate) fn replaced(
    tx: &mut ReadTx<'_>,
    signer: &Signer,
    id: &CertId,
    identifiers: &IdentifierSet,
    now: Timestamp,
) -> Result<Replaced, Failure> {
    let found = find(tx, id)?
        .filter(|found| found.account_id == Some(signer.account_id))
        .ok_or_else(|| Problem::not_found("`replaces` names no certificate of this account"))?;
    let names = IdentifierSet::from_canonical(&found.identifiers)
        .ok_or_else(|| anyhow::anyhow!("the names of certificate {} in the store are none", found.id))?;
    let is_known = |name: &Identifier| names.as_slice().contains(name);
    if !identifiers.as_slice().iter().any(is_known) {
        return Err(Problem::malformed("the order has no name of the certificate that it `replaces`").into());
    }
    if orders::is_replaced(tx, found.id, now)? {
        let detail = "another order replaces this certificate already: leave `replaces` out";
        return Err(Problem::new(ProblemType::AlreadyReplaced, detail).into());
    }
    let is_exempt = is_due(&found, now)
        && identifiers.as_slice().iter().all(is_known)
        && !orders::was_to_be_replaced(tx, found.id)?;
    Ok(Replaced { id: found.id, is_exempt })
}

/// Whether the window in which a certificate should be renewed has begun. That of a revoked one always has, and
/// that of one with a very short life nearly: so it has to be of a certain age as well.
fn is_due(certificate: &Known, now: Timestamp) -> bool {
    let Known { not_before, not_after, revoked_at, issued_at, .. } = certificate;
    *issued_at + MIN_AGE <= now && suggested_window(*not_before, *not_after, *revoked_at, now).start <= now
}

/// The certificate of that name: with its serial number, and its issuer's key identifier.
fn find(tx: &mut ReadTx<'_>, id: &CertId) -> Result<Option<Known>, Failure> {
    let Some(serial) = SerialNumber::from_integer(id.serial()) else { return Ok(None) };
    let Some(found) = certificates::by_serial(tx, &serial)? else { return Ok(None) };
    let certificate = EndEntity::from_der(&found.der).map_err(anyhow::Error::from)?;
    let is_its_issuer = certificate.authority_key_id.as_deref() == Some(id.key_identifier());
    Ok(is_its_issuer.then_some(found))
}
