//! Revocation lists: signed when something is revoked, and anew before they grow old.

use chancery_db::{ReadTx, WriteTx};
use chancery_license::manifest::Use;
use chancery_license::revocations::{Reason, Revoked};
use chancery_license::{Environment, RevocationList};
use chancery_time::Timestamp;
use serde_json::json;

use super::{Failure, Note, Office, scope, signing};
use crate::digest::sha256_hex;
use crate::domain::{Actor, Code, Permission, Refusal};
use crate::events;
use crate::store::products::{self, Product};
use crate::store::revocation_lists::{self, Outlook, SignedList};
use crate::store::revocations::NewRevocation;
use crate::store::{revocations, settings};

#[cfg(test)]
mod tests;

/// Signs the list that follows on the newest one, and says who asked for it.
///
/// # Errors
/// [`Permission::SigningManage`]; a product or environment out of reach; where nothing can be signed.
pub(crate) async fn issue(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<(Environment, SignedList), Failure> {
    actor.require(Permission::SigningManage)?;
    let environment = scope::environment(actor, environment)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .write(move |office, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            Ok((environment, sign(office, tx, &actor, &product, environment, office.now())?))
        })
        .await
}

/// Tells of entries that were just added by a new list. Where none can be signed now the entries stay, and
/// the list follows as soon as one can.
///
/// # Errors
/// When the portal fails.
pub(crate) fn issue_in(
    office: &Office,
    tx: &mut WriteTx<'_>,
    product: &Product,
    environment: Environment,
    now: Timestamp,
) -> Result<Option<SignedList>, Failure> {
    match sign(office, tx, &Actor::portal(), product, environment, now) {
        Ok(list) => Ok(Some(list)),
        Err(Failure::Refused(refusal)) => {
            unsigned(product, environment, &refusal);
            let details =
                json!({ "product": product.slug, "environment": environment, "reason": refusal.message });
            let (kind, actor) = (events::REVOCATIONS_FAIL, &Actor::portal());
            office.note(tx, &Note { kind, actor, environment: Some(environment), details }, now)?;
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn unsigned(product: &Product, environment: Environment, refusal: &Refusal) {
    tracing::error!(
        product = product.slug,
        environment = environment.name(),
        reason = refusal.message,
        "no revocation list can be signed: what was revoked counts on"
    );
}

/// Revokes these issues, each with its licence: their serials. The caller has [`tell_of`] them, once for all that it
/// does.
pub(super) fn supersede(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
    issues: &[(u64, String)],
    now: Timestamp,
) -> Result<Vec<u64>, Failure> {
    for (serial, license_id) in issues {
        let new = NewRevocation {
            product_id,
            environment,
            license_id,
            serial: Some(*serial),
            reason: Reason::Superseded,
            revoked_at: now,
        };
        revocations::insert(tx, &new)?;
    }
    Ok(issues.iter().map(|(serial, _)| *serial).collect())
}

/// Signs a list where something was revoked.
pub(super) fn tell_of(
    office: &Office,
    tx: &mut WriteTx<'_>,
    product: &Product,
    environment: Environment,
    serials: &[u64],
    now: Timestamp,
) -> Result<(), Failure> {
    if !serials.is_empty() {
        issue_in(office, tx, product, environment, now)?;
    }
    Ok(())
}

/// Signs a list that is out, or that has something to tell, with the key that signs now.
///
/// # Errors
/// Where it cannot be signed.
pub(super) fn issue_again(
    office: &Office,
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    product: &Product,
    environment: Environment,
    now: Timestamp,
) -> Result<(), Failure> {
    let is_out = revocation_lists::newest(tx, &product.id, environment)?.is_some();
    if is_out || !revocations::all(tx, &product.id, environment, now)?.is_empty() {
        sign(office, tx, actor, product, environment, now)?;
    }
    Ok(())
}

/// Signs every list that is due. Any node may; one that comes second finds nothing left to do.
///
/// # Errors
/// When the store fails. A list that cannot be signed is told to the log, and keeps no other from it.
pub(crate) async fn issue_due(office: &Office) -> Result<usize, Failure> {
    let now = office.now();
    let due = office.read(move |_, tx| Ok(revocation_lists::outlooks(tx, now)?)).await?;
    let mut issued = 0;
    for outlook in due.into_iter().filter(|outlook| is_due(outlook, now)) {
        let is_new = office
            .write(move |office, tx| {
                let now = office.now();
                // Another node may have done it meanwhile.
                let outlooks = revocation_lists::outlooks(tx, now)?;
                let same = |other: &&Outlook| {
                    other.product_id == outlook.product_id && other.environment == outlook.environment
                };
                if !outlooks.iter().find(same).is_some_and(|outlook| is_due(outlook, now)) {
                    return Ok(false);
                }
                let Some(product) = products::by_id(tx, &outlook.product_id)? else { return Ok(false) };
                // Whoever revoked something put it into the log: it would be there anew with every look.
                match sign(office, tx, &Actor::portal(), &product, outlook.environment, now) {
                    Ok(_) => Ok(true),
                    Err(Failure::Refused(refusal)) => {
                        unsigned(&product, outlook.environment, &refusal);
                        Ok(false)
                    }
                    Err(failure) => Err(failure),
                }
            })
            .await?;
        issued += usize::from(is_new);
    }
    Ok(issued)
}

/// The newest list, for programs.
///
/// # Errors
/// [`Permission::Use`], and where there is none.
pub(crate) async fn newest(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<(Environment, SignedList), Failure> {
    actor.require(Permission::Use)?;
    let environment = scope::environment(actor, environment)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let newest = revocation_lists::newest(tx, &product.id, environment)?;
            Ok((environment, newest.ok_or_else(|| Refusal::not_found("revocation list"))?))
        })
        .await
}

/// The newest list, where it is newer than that number.
pub(crate) fn newer_than(
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
    sequence: u64,
) -> Result<Option<String>, Failure> {
    let newest = revocation_lists::newest(tx, &product.id, environment)?;
    Ok(newest.filter(|newest| newest.sequence > sequence).map(|newest| newest.body))
}

/// Whether a list has to be signed: it does not tell of everything, or half of its time has passed.
fn is_due(outlook: &Outlook, now: Timestamp) -> bool {
    let Some((entries, issued_at, next_update)) = outlook.told else { return outlook.entries > 0 };
    let half = next_update.since(issued_at) / 2;
    // That there are fewer is no news: they wait for the next list.
    let is_untold = outlook.entries > entries || outlook.revoked_at.is_some_and(|at| at > issued_at);
    is_untold || now >= issued_at + half
}

fn sign(
    office: &Office,
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    product: &Product,
    environment: Environment,
    now: Timestamp,
) -> Result<SignedList, Failure> {
    let issuer = signing::issuer(office, tx, product, environment, Use::Revocations, now)?;
    let mut list = RevocationList {
        sequence: settings::next_number(tx, &format!("revocations:{}:{environment}", product.id))?,
        next_update: (now + office.revocations.next_update).whole_seconds(),
        licenses: Vec::new(),
        serials: Vec::new(),
    };
    let entries = revocations::all(tx, &product.id, environment, now)?;
    let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    for entry in entries {
        let (at, reason) = (entry.revoked_at.whole_seconds(), entry.reason);
        match entry.serial {
            Some(what) => list.serials.push(Revoked { what, at, reason }),
            None => list.licenses.push(Revoked { what: entry.license_id, at, reason }),
        }
    }
    list.licenses.sort_unstable_by(|one, other| one.what.cmp(&other.what));
    list.serials.sort_unstable_by_key(|entry| entry.what);
    let (sequence, next_update) = (list.sequence, list.next_update);
    let body = issuer.revocations(list, now).map_err(|error| {
        let message = format!("no revocation list can be signed of {count} entries: {error}");
        Refusal::new(Code::InvalidArguments, message)
    })?;
    let details = json!({
        "product": product.slug,
        "environment": environment,
        "sequence": sequence,
        "entries": count,
        "kid": issuer.public_key().id().to_string(),
        "digest": sha256_hex(body.as_bytes()),
    });
    let signed = SignedList { sequence, body, entries: count, issued_at: now, next_update };
    revocation_lists::replace(tx, &product.id, environment, &signed)?;
    let kind = events::REVOCATIONS_ISSUE;
    office.note(tx, &Note { kind, actor, environment: Some(environment), details }, now)?;
    Ok(signed)
}
