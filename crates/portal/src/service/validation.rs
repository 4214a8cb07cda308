//! Whether a device may use a licence now. Nothing is written, so that asking costs little.

use super::claims::{Claim, Found};
use super::{Failure, Office};
use crate::api::activation::ActivationObject;
use crate::api::license::LicenseObject;
use crate::api::validation::ValidationObject;
use crate::domain::validation::{Facts, judge};
use crate::domain::{Actor, Permission};
use crate::store::activations;

/// Judges a licence for a device: whatever is wrong with either is an answer, not a refusal.
///
/// # Errors
/// A claim that names no licence of the product.
pub(crate) async fn validate(
    office: &Office,
    actor: &Actor,
    claim: Claim,
) -> Result<ValidationObject, Failure> {
    actor.require(Permission::Use)?;
    let actor = actor.clone();
    office
        .read(move |office, tx| {
            let now = office.now();
            let Found { product, license } = claim.find(office, tx, &actor)?;
            let held = activations::active(tx, &license.id, claim.fingerprint())?;
            let facts = Facts {
                status: license.status_at(now),
                starts_at: license.starts_at,
                expires_at: license.expires_at,
                seat_limit: license.terms.seat_limit,
                active_seats: license.active_seats,
                is_activated: held.is_some(),
            };
            let license = LicenseObject::new(&license, claim.key(), &product, now);
            let activation = held.map(|held| ActivationObject::new(&held, claim.key(), license.clone()));
            Ok(ValidationObject::new(judge(&facts, now), license, activation))
        })
        .await
}

#[cfg(test)]
mod tests;
