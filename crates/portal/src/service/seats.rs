//! The seats of a licence, as the vendor deals with them.

use chancery_db::WriteTx;
use chancery_time::Timestamp;
use serde_json::json;

use super::idempotency::{self, Once};
use super::licenses::{Which, find};
use super::{Failure, Note, Office, revocations};
use crate::domain::{Actor, Code, Permission, Refusal};
use crate::events;
use crate::store::activations::{self, Activation};
use crate::store::licenses::{self, License};
use crate::store::products::Product;
use crate::store::{Page, documents, installations};

#[cfg(test)]
mod tests;

/// The seats of a licence that are taken, or all that ever were; the newest first, and what the next part begins
/// behind.
///
/// # Errors
/// [`Permission::LicensesRead`]; a licence out of reach.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    which: Which,
    only_active: bool,
    page: Page,
) -> Result<(Vec<Activation>, Option<String>), Failure> {
    actor.require(Permission::LicensesRead)?;
    let actor = actor.clone();
    office
        .read(move |_, tx| {
            let (_, license) = find(tx, &actor, &which)?;
            let seats = activations::list(tx, &license.id, only_active, &page)?;
            Ok(page.cut(seats, |seat| &seat.id))
        })
        .await
}

/// Gives a seat back in place of the device that holds it, whatever became of the licence. A seat that was given back
/// already is answered as it is.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; a seat that is not of that licence; one that an installation holds.
pub(crate) async fn release(
    office: &Office,
    actor: &Actor,
    which: Which,
    activation_id: &str,
    once: Option<Once>,
) -> Result<Activation, Failure> {
    actor.require(Permission::LicensesUpdate)?;
    let (actor, id) = (actor.clone(), activation_id.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            let (product, license) = find(tx, &actor, &which)?;
            let seat = activations::by_id(tx, &id)?.filter(|seat| seat.license_id == license.id);
            let mut seat = seat.ok_or_else(|| {
                Refusal::new(
                    Code::ActivationNotFound,
                    "the licence has no such seat: its list of seats tells their ids",
                )
            })?;
            if idempotency::repeated(tx, &actor, once.as_ref(), &id, now)?.is_none()
                && seat.deactivated_at.is_none()
            {
                held_by_no_installation(tx, &seat)?;
                let serials = give_back(office, tx, &actor, &product, &license, &seat, now)?;
                revocations::tell_of(office, tx, &product, license.environment, &serials, now)?;
                seat.deactivated_at = Some(now);
                seat.metadata = None;
            }
            Ok(seat)
        })
        .await
}

/// Gives a seat that is taken back, and tells of it. What licensed its device is revoked, or one seat would license
/// any number of installations: the serials, which the caller has [`revocations::tell_of`]. Files of generic products
/// have none, and outlive their seat.
pub(super) fn give_back(
    office: &Office,
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    product: &Product,
    license: &License,
    seat: &Activation,
    now: Timestamp,
) -> Result<Vec<u64>, Failure> {
    let issues = documents::serials_of_seat(tx, &seat.id, now)?;
    let serials = revocations::supersede(tx, &product.id, license.environment, &issues, now)?;
    activations::deactivate(tx, &seat.id, now)?;
    licenses::release_seat(tx, &license.id)?;
    let details = json!({
        "activation": seat.id,
        "license": license.id,
        "product": product.slug,
        "fingerprint": seat.fingerprint,
    });
    let (kind, environment) = (events::ACTIVATION_DEACTIVATE, Some(license.environment));
    office.note(tx, &Note { kind, actor, environment, details }, now)?;
    Ok(serials)
}

/// An installation that is linked would go on being sent documents without a seat.
pub(super) fn held_by_no_installation(tx: &mut WriteTx<'_>, seat: &Activation) -> Result<(), Failure> {
    let holder = installations::by_key(tx, &seat.fingerprint)?;
    if holder.is_none_or(|holder| holder.activation_id.as_deref() != Some(seat.id.as_str())) {
        return Ok(());
    }
    let message =
        "an installation that is linked to the licence holds this seat: unlink or retire the installation";
    let refusal = Refusal::new(Code::InvalidArguments, message);
    Err(refusal.with("installation_key", seat.fingerprint.clone().into()).into())
}
