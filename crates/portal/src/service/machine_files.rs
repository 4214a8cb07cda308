//! Machine files: what licenses one device without a network.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chancery_db::WriteTx;
use chancery_license::machine_file::block::{Block, BlockError};
use chancery_license::machine_file::{
    self, Contents, Entitlement, IncludedLicense, Issued, Machine, Metadata, Mode as FileMode,
};
use chancery_license::manifest::Use;
use chancery_license::{SigningKey, limits};
use chancery_time::Timestamp;
use serde_json::json;

use super::claims::{Claim, Found};
use super::particulars::{Particulars, next_serial};
use super::{Failure, Note, Office, installations, signing};
use crate::api::machine_file::MachineFileObject;
use crate::digest::sha256_hex;
use crate::domain::machine_file::{Asked, Term, Usual, term};
use crate::domain::validation::not_activated;
use crate::domain::{Actor, Code, Mode, Permission, Refusal};
use crate::events;
use crate::id::IdKind;
use crate::random;
use crate::store::activations::{self, Activation};
use crate::store::documents::{self, DocumentKind, NewDocument};
use crate::store::licenses::License;
use crate::store::products::Kind;

/// The component of a fingerprint that says what the device runs.
const PLATFORM: &str = "platform";

/// So many machine files a seat of a product of kind chancery is given in a day.
const FILES_A_DAY: i64 = 24;

const DAY: Duration = Duration::from_secs(86_400);

/// What is to be in a machine file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    pub(crate) asked: Asked,
    /// What the fingerprint was made of.
    pub(crate) components: BTreeMap<String, String>,
    /// Whether the licence goes along. That of a product of kind chancery always does: it is what licenses an
    /// installation.
    pub(crate) includes_license: bool,
}

/// Signs a machine file for a device that holds a seat.
///
/// The row and the event are durable before the file is handed out: no file is in the world that the log does not
/// know.
///
/// # Errors
/// A licence that cannot be used, a device that holds no seat of it, and an order beyond its bounds; of a product of
/// kind chancery, a retired installation, and one that had too many files today.
pub(crate) async fn issue(
    office: &Office,
    actor: &Actor,
    claim: Claim,
    order: Order,
) -> Result<MachineFileObject, Failure> {
    actor.require(Permission::Use)?;
    let components = order.components.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    limits::components(components).map_err(Refusal::from)?;
    let (id, actor) = (IdKind::Document.fresh()?, actor.clone());
    office
        .write(move |office, tx| {
            let now = office.now();
            let found = claim.find(office, tx, &actor)?;
            let Found { product, license } = &found;
            license.status_at(now).usable(license.starts_at, now)?;
            let held =
                activations::active(tx, &license.id, claim.fingerprint())?.ok_or_else(not_activated)?;
            installations::admit(tx, product, license, &held.fingerprint)?;
            if product.kind == Kind::Chancery {
                within_a_day(tx, license, &held, now)?;
            }
            let usual =
                Usual { ttl_days: license.terms.file_days, grace_days: license.terms.file_grace_days };
            let term = term(order.asked, usual, license.expires_at, now)?;
            let key = signing::issuing_key(office, tx, product, license.environment, Use::License, now)?;
            let block = match product.kind {
                Kind::Chancery => Some(block(tx, license)?),
                Kind::Generic => None,
            };
            let file = sign(&found, &held, &order, block.as_ref(), term, claim.key(), &key)?;
            let kid = key.public().id().to_string();
            let installation = installations::known(tx, product, license, &held.fingerprint)?;
            let serial = block.map(|block| block.serial);
            let digest = digest(&SHA256, file.certificate.as_bytes());
            documents::insert(
                tx,
                &NewDocument {
                    id: &id,
                    kind: DocumentKind::MachineFile,
                    product_id: &product.id,
                    environment: license.environment,
                    license_id: &license.id,
                    installation_id: installation.as_ref().map(|row| row.id.as_str()),
                    activation_id: Some(&held.id),
                    serial,
                    revision: license.revision,
                    kid: &kid,
                    digest: digest.as_ref(),
                    body: None,
                    issued_at: file.issued,
                    expires_at: Some(file.expires),
                    counts_until: Some(term.counts_until()),
                },
            )?;
            let details = json!({
                "document": id,
                "license": license.id,
                "activation": held.id,
                "serial": serial,
                "kid": kid,
                "digest": sha256_hex(file.certificate.as_bytes()),
                "expires_at": file.expires,
            });
            let (kind, environment) = (events::MACHINE_FILE_ISSUE, Some(license.environment));
            office.note(tx, &Note { kind, actor: &actor, environment, details }, now)?;
            Ok(MachineFileObject::new(file, claim.key(), &held.fingerprint))
        })
        .await
}

fn sign(
    found: &Found,
    held: &Activation,
    order: &Order,
    block: Option<&Block>,
    term: Term,
    license_key: &str,
    key: &SigningKey,
) -> Result<Issued, Failure> {
    let Found { product, license } = found;
    let is_included = order.includes_license || block.is_some();
    let included = is_included.then(|| included(license, block, term)).transpose()?;
    let platform = order.components.get(PLATFORM).filter(|platform| limits::platform(platform).is_ok());
    let metadata = held.metadata.as_ref().map_or_else(|| Ok(Metadata::default()), Metadata::try_from);
    let contents = Contents {
        kid: key.public().id().to_string(),
        issued: term.issued,
        not_before: term.issued,
        expires: term.expires,
        grace: term.grace,
        license_expires: term.license_expires,
        product_slug: product.slug.clone(),
        machine: Machine {
            activation_id: held.id.clone(),
            fingerprint: held.fingerprint.clone(),
            fingerprint_components: order.components.clone(),
            name: held.device_name.clone(),
            platform: platform.cloned(),
            created: held.activated_at.whole_seconds(),
            metadata: metadata.map_err(Refusal::from)?,
        },
        license: included,
    };
    // A transaction may run again, with contents that have changed: each of them has a nonce of its own.
    let issued = machine_file::issue(&contents, license_key, key, random::bytes()?);
    Ok(issued.map_err(anyhow::Error::from)?)
}

fn included(license: &License, block: Option<&Block>, term: Term) -> Result<IncludedLicense, Failure> {
    let own = license.metadata.clone().unwrap_or_default();
    let metadata = match block {
        Some(block) => block.beside(own).map_err(too_large)?,
        None => Metadata::try_from(&own).map_err(Refusal::from)?,
    };
    let entitlements = license.terms.entitlements.iter();
    let active =
        entitlements.filter(|entitlement| entitlement.expires_at.is_none_or(|end| term.issued < end));
    Ok(IncludedLicense {
        mode: match license.terms.mode {
            Mode::HardwareLocked => FileMode::HardwareLocked,
            Mode::Floating => FileMode::Floating,
            Mode::NamedUser => FileMode::NamedUser,
        },
        seat_limit: license.terms.seat_limit.map(seats),
        plan_key: license.terms.plan_key.clone(),
        starts_at: license.starts_at.map(|start| start.whole_seconds()),
        entitlements: active
            .map(|entitlement| Entitlement {
                key: entitlement.key.clone(),
                expires_at: entitlement.expires_at.map(|end| end.whole_seconds()),
            })
            .collect(),
        metadata,
    })
}

/// What licenses an installation of a product of kind chancery.
fn block(tx: &mut WriteTx<'_>, license: &License) -> Result<Block, Failure> {
    let Particulars { allowed, holder, clock_tolerance_hours } = Particulars::of(tx, license)?;
    Ok(Block {
        id: license.id.clone(),
        serial: next_serial(tx, &license.product_id, license.environment)?,
        plan: allowed.plan,
        holder,
        after_grace: license.terms.after_grace,
        clock_tolerance_hours,
        entitlements: allowed.entitlements,
        newest_build: None,
        minimum_version: None,
    })
}

/// The refusal where the block leaves the licence's own metadata no room.
fn too_large(error: BlockError) -> Failure {
    match error {
        BlockError::Metadata(broken) => {
            let message = format!(
                "the metadata of the licence leaves no room for what licenses an installation, and {}: shorten it",
                broken.rule
            );
            Refusal::field("metadata", message).into()
        }
        error => anyhow::Error::from(error).into(),
    }
}

/// Each file has a serial of its own, which may have to be revoked: who could make them without end could make the
/// revocation list longer than it may be. The bound of the licence holds for seats that come and go.
fn within_a_day(
    tx: &mut WriteTx<'_>,
    license: &License,
    held: &Activation,
    now: Timestamp,
) -> Result<(), Failure> {
    let (of_seat, of_license) = documents::machine_files_since(tx, &license.id, &held.id, now - DAY)?;
    let seats = license.terms.seat_limit.unwrap_or_default().max(license.active_seats).max(1);
    let full = [(of_seat, FILES_A_DAY), (of_license, seats.saturating_mul(FILES_A_DAY))]
        .into_iter()
        .find(|(issued, most)| issued.count >= *most);
    let Some((issued, most)) = full else { return Ok(()) };
    let wait = issued.first_at.map_or(DAY, |first| (first + DAY).since(now));
    let message =
        format!("there were {most} machine files in a day: use the newest of them, or ask again later");
    let seconds = wait.as_secs().saturating_add(1);
    Err(Refusal::new(Code::RateLimited, message).with("retry_after", seconds.into()).into())
}

/// A number of seats, as machine files hold it.
fn seats(limit: i64) -> NonZeroU32 {
    let limit = u32::try_from(limit.max(1)).unwrap_or(u32::MAX);
    NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests;
