//! The seats that programs in the field take, keep and give back.
//!
//! Every action may come twice, since clients try again: a device that holds a seat gets the same one.

use std::net::IpAddr;
use std::time::Duration;

use chancery_db::WriteTx;
use chancery_license::limits;
use chancery_time::Timestamp;
use serde_json::{Map, Value, json};

use super::claims::{Claim, Found};
use super::{Failure, Note, Office, installations, revocations, seats};
use crate::api::activation::{ActivationObject, DeactivationObject, HeartbeatObject};
use crate::api::license::LicenseObject;
use crate::domain::validation::not_activated;
use crate::domain::{Actor, Code, Permission, Refusal, fields};
use crate::events;
use crate::id::IdKind;
use crate::store::activations::{self, Activation};
use crate::store::licenses;

/// That a device was heard of is written again after so long: each word of it would cost a write.
const HEARD_OF: Duration = Duration::from_secs(60);

/// What a device says of itself when it takes a seat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Device {
    pub(crate) name: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    /// Where the request came from.
    pub(crate) ip_address: Option<IpAddr>,
}

impl Device {
    fn check(&self) -> Result<(), Refusal> {
        self.name.as_deref().map_or(Ok(()), limits::device_name)?;
        fields::metadata(self.metadata.as_ref())
    }
}

/// Takes a seat for the device, unless it holds one: whether it is new.
///
/// # Errors
/// A licence that cannot be used, or has no free seat; of a product of kind chancery, a fingerprint that names no
/// installation, or a retired one.
pub(crate) async fn activate(
    office: &Office,
    actor: &Actor,
    claim: Claim,
    device: Device,
) -> Result<(ActivationObject, bool), Failure> {
    actor.require(Permission::Use)?;
    device.check()?;
    let (id, actor) = (IdKind::Activation.fresh()?, actor.clone());
    office
        .write(move |office, tx| {
            let now = office.now();
            let mut found = claim.find(office, tx, &actor)?;
            found.license.status_at(now).usable(found.license.starts_at, now)?;
            installations::admit(tx, &found.product, &found.license, claim.fingerprint())?;
            let held = activations::active(tx, &found.license.id, claim.fingerprint())?;
            let is_new = held.is_none();
            let activation = if let Some(held) = held {
                refresh(tx, held, &device, now)?
            } else {
                let new = activation(&id, &found, claim.fingerprint(), &device, now);
                take_seat(office, tx, &mut found, &new, &actor, now)?;
                new
            };
            let license = LicenseObject::new(&found.license, claim.key(), &found.product, now);
            Ok((ActivationObject::new(&activation, claim.key(), license), is_new))
        })
        .await
}

/// Gives the seat of the device back, whatever became of the licence.
///
/// # Errors
/// A device that holds no seat, or no longer; an installation that is linked to the licence.
pub(crate) async fn deactivate(
    office: &Office,
    actor: &Actor,
    claim: Claim,
) -> Result<DeactivationObject, Failure> {
    actor.require(Permission::Use)?;
    let actor = actor.clone();
    office
        .write(move |office, tx| {
            let now = office.now();
            let Found { product, license } = claim.find(office, tx, &actor)?;
            let Some(held) = activations::active(tx, &license.id, claim.fingerprint())? else {
                let ended = activations::has_ended(tx, &license.id, claim.fingerprint())?;
                return Err(no_seat(ended).into());
            };
            seats::held_by_no_installation(tx, &held)?;
            let serials = seats::give_back(office, tx, &actor, &product, &license, &held, now)?;
            revocations::tell_of(office, tx, &product, license.environment, &serials, now)?;
            Ok(DeactivationObject::new(held.id, now))
        })
        .await
}

/// Notes that the device is there.
///
/// # Errors
/// A licence that cannot be used, or a device that holds no seat of it.
pub(crate) async fn heartbeat(
    office: &Office,
    actor: &Actor,
    claim: Claim,
) -> Result<HeartbeatObject, Failure> {
    actor.require(Permission::Use)?;
    let now = office.now();
    let actor = actor.clone();
    let (heartbeat, unwritten) = office
        .read(move |office, tx| {
            let Found { product, license } = claim.find(office, tx, &actor)?;
            license.status_at(now).usable(license.starts_at, now)?;
            let held =
                activations::active(tx, &license.id, claim.fingerprint())?.ok_or_else(not_activated)?;
            let license = LicenseObject::new(&license, claim.key(), &product, now);
            let unwritten = (now.since(held.last_seen_at) >= HEARD_OF).then_some(held.id);
            Ok((HeartbeatObject::new(now, license), unwritten))
        })
        .await?;
    if let Some(id) = unwritten {
        office.write(move |_, tx| Ok(activations::seen(tx, &id, now)?)).await?;
    }
    Ok(heartbeat)
}

fn activation(id: &str, found: &Found, fingerprint: &str, device: &Device, now: Timestamp) -> Activation {
    Activation {
        id: id.to_owned(),
        license_id: found.license.id.clone(),
        fingerprint: fingerprint.to_owned(),
        device_name: device.name.clone(),
        metadata: device.metadata.clone(),
        ip_address: device.ip_address.map(|address| address.to_canonical().to_string()),
        activated_at: now,
        last_seen_at: now,
        deactivated_at: None,
    }
}

/// Takes a seat for a device that holds none. A pending licence is active from then on.
fn take_seat(
    office: &Office,
    tx: &mut WriteTx<'_>,
    found: &mut Found,
    new: &Activation,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    let license = &mut found.license;
    if !licenses::take_seat(tx, &license.id, now)? {
        let message =
            "all seats of the licence are taken: deactivate another device, or ask the vendor for seats";
        return Err(Refusal::new(Code::SeatLimitExceeded, message)
            .with("seat_limit", license.terms.seat_limit.into())
            .with("active_seats", license.active_seats.into())
            .into());
    }
    activations::insert(tx, new)?;
    if let Some(changed) = licenses::by_id(tx, &license.id)? {
        *license = changed;
    }
    let details = json!({
        "activation": new.id,
        "license": license.id,
        "product": found.product.slug,
        "fingerprint": new.fingerprint,
        "device_name": new.device_name,
    });
    let (kind, environment) = (events::ACTIVATION_CREATE, Some(license.environment));
    office.note(tx, &Note { kind, actor, environment, details }, now)
}

/// Takes up what the device says of itself now, and writes it where it is news.
fn refresh(
    tx: &mut WriteTx<'_>,
    held: Activation,
    device: &Device,
    now: Timestamp,
) -> Result<Activation, Failure> {
    let mut current = held.clone();
    if device.name.is_some() {
        current.device_name.clone_from(&device.name);
    }
    if device.metadata.is_some() {
        current.metadata.clone_from(&device.metadata);
    }
    if current != held || now.since(held.last_seen_at) >= HEARD_OF {
        current.last_seen_at = now.max(held.last_seen_at);
        activations::update(tx, &current)?;
    }
    Ok(current)
}

fn no_seat(ended: bool) -> Refusal {
    if ended {
        let message = "the device has given its seat back already: there is nothing left to do";
        return Refusal::new(Code::AlreadyDeactivated, message);
    }
    let message = "the device never held a seat of this licence: check the fingerprint";
    Refusal::new(Code::ActivationNotFound, message)
}

#[cfg(test)]
mod tests;
