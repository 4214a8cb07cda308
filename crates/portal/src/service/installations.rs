//! Installations of products of kind chancery: linked to licences, unlinked, retired.
//!
//! A link takes a seat of the licence, under the installation's key as the fingerprint; the installation's next call
//! is then answered with a licence document.

use chancery_db::WriteTx;
use chancery_license::{Environment, InstallationKey, limits};
use chancery_time::Timestamp;
use serde_json::json;

use super::{Failure, Note, Office, revocations, scope, seats};
use crate::domain::{Actor, Code, Permission, Refusal};
use crate::events;
use crate::id::IdKind;
use crate::store::activations::{self, Activation};
use crate::store::installations::{self, Installation};
use crate::store::licenses::License;
use crate::store::products::{Kind, Product};
use crate::store::{Page, documents, licenses, products};

/// Ids that a change may use up. They are drawn before the transaction, which may run more than once.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) installation: String,
    pub(super) activation: String,
}

impl Ids {
    pub(super) fn fresh() -> anyhow::Result<Self> {
        Ok(Self { installation: IdKind::Installation.fresh()?, activation: IdKind::Activation.fresh()? })
    }
}

/// Links an installation to a licence, whether it has called yet or not. One that is linked to another licence
/// moves, and gives the seat of that one back; one that was retired comes back.
pub(crate) async fn link(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
    license_id: &str,
    name: Option<String>,
) -> Result<Installation, Failure> {
    actor.require(Permission::InstallationsWrite)?;
    if let Some(name) = &name {
        // It goes into machine files.
        limits::device_name(name).map_err(|broken| Refusal::field("name", broken.rule))?;
    }
    let ids = Ids::fresh()?;
    let (actor, key, license_id) = (actor.clone(), key.clone(), license_id.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            let license =
                licenses::by_id(tx, &license_id)?.filter(|license| actor.reaches(license.environment));
            let license =
                license.ok_or_else(|| Refusal::new(Code::LicenseNotFound, "there is no such licence"))?;
            let product = product_of(tx, &license)?;
            if !actor.reaches_product(&product.id) {
                return Err(Refusal::new(Code::LicenseNotFound, "there is no such licence").into());
            }
            let mut row = match installations::by_key(tx, key.as_str())? {
                Some(row) => fitting(row, &license)?,
                None => new_row(&ids.installation, &key, &product.id, license.environment, now),
            };
            row.retired_at = None;
            if name.is_some() {
                row.name = name.clone();
            }
            link_in(office, tx, &mut row, &license, &ids, &actor, now)?;
            installations::save(tx, &row)?;
            Ok(row)
        })
        .await
}

/// Unlinks an installation: its seat is free again, and the licence documents that it was sent are revoked.
pub(crate) async fn unlink(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
) -> Result<Installation, Failure> {
    end(office, actor, key, false).await
}

/// Retires an installation: as [`unlink`], and it cannot register again by itself.
pub(crate) async fn retire(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
) -> Result<Installation, Failure> {
    end(office, actor, key, true).await
}

async fn end(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
    retires: bool,
) -> Result<Installation, Failure> {
    actor.require(Permission::InstallationsWrite)?;
    let (actor, key) = (actor.clone(), key.clone());
    office
        .write(move |office, tx| {
            let now = office.now();
            let mut row = within_reach(installations::by_key(tx, key.as_str())?, &actor)?;
            let license_id = row.license_id.take();
            // A second time there is nothing left to do.
            if license_id.is_none() && (!retires || row.retired_at.is_some()) {
                return Ok(row);
            }
            // The seat's are among them, and are revoked with it.
            let issues = documents::serials_of_installation(tx, &row, now)?;
            let serials = revocations::supersede(tx, &row.product_id, row.environment, &issues, now)?;
            release_seat(office, tx, &mut row, &actor, now)?;
            row.linked_at = None;
            row.document = None;
            if retires {
                row.retired_at = Some(now);
            }
            installations::save(tx, &row)?;
            let kind = if retires { events::INSTALLATION_RETIRE } else { events::INSTALLATION_UNLINK };
            let details =
                json!({ "installation": row.installation_key, "license": license_id, "serials": serials });
            office.note(
                tx,
                &Note { kind, actor: &actor, environment: Some(row.environment), details },
                now,
            )?;
            tell_of(office, tx, &row, &serials, now)?;
            Ok(row)
        })
        .await
}

/// Forgets the key pair of an installation that was set up anew: its next call pins the one that it brings.
pub(crate) async fn unpin(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
) -> Result<Installation, Failure> {
    actor.require(Permission::InstallationsWrite)?;
    let (actor, key) = (actor.clone(), key.clone());
    office
        .write(move |office, tx| {
            let now = office.now();
            let mut row = within_reach(installations::by_key(tx, key.as_str())?, &actor)?;
            let Some(public_key) = row.public_key.take() else { return Ok(row) };
            row.counter = 0;
            row.clone_seen_at = None;
            row.unpinned_key = Some(public_key.clone());
            installations::save(tx, &row)?;
            let kid = chancery_license::PublicKey::from_pem(&public_key).map(|key| key.id().to_string()).ok();
            let details = json!({ "installation": row.installation_key, "kid": kid });
            let (kind, environment) = (events::INSTALLATION_UNPIN, Some(row.environment));
            office.note(tx, &Note { kind, actor: &actor, environment, details }, now)?;
            Ok(row)
        })
        .await
}

/// An installation within reach.
pub(crate) async fn show(
    office: &Office,
    actor: &Actor,
    key: &InstallationKey,
) -> Result<Installation, Failure> {
    actor.require(Permission::InstallationsRead)?;
    let (actor, key) = (actor.clone(), key.clone());
    office.read(move |_, tx| Ok(within_reach(installations::by_key(tx, key.as_str())?, &actor)?)).await
}

/// The installations of a product within reach, the newest first, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    slug: &str,
    license_id: Option<String>,
    page: Page,
) -> Result<(Vec<Installation>, Option<String>), Failure> {
    actor.require(Permission::InstallationsRead)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let found = installations::list(tx, &product.id, license_id.as_deref(), actor.live, &page)?;
            Ok(page.cut(found, |row| &row.id))
        })
        .await
}

/// Links a row to a licence in the transaction of the caller, who saves the row.
///
/// # Errors
/// A licence that no device may use, and one whose seats are all taken.
pub(super) fn link_in(
    office: &Office,
    tx: &mut WriteTx<'_>,
    row: &mut Installation,
    license: &License,
    ids: &Ids,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Failure> {
    if row.license_id.as_deref() == Some(license.id.as_str()) {
        return Ok(());
    }
    license.status_at(now).usable(license.starts_at, now)?;
    let mut serials = leave(tx, row, now)?;
    serials.extend(release_seat(office, tx, row, actor, now)?);
    let activation = match activations::active(tx, &license.id, &row.installation_key)? {
        // It was activated for a machine file before.
        Some(activation) => activation.id,
        None => {
            if !licenses::take_seat(tx, &license.id, now)? {
                let message = "all seats of the licence are taken: release one, or raise the limit";
                return Err(Refusal::new(Code::SeatLimitExceeded, message)
                    .with("seat_limit", license.terms.seat_limit.into())
                    .with("active_seats", license.active_seats.into())
                    .into());
            }
            activations::insert(tx, &activation(row, license, ids, now))?;
            ids.activation.clone()
        }
    };
    row.license_id = Some(license.id.clone());
    row.activation_id = Some(activation);
    row.linked_at = Some(now);
    row.document = None;
    let details = json!({ "installation": row.installation_key, "license": license.id, "by": actor.name });
    let (kind, environment) = (events::INSTALLATION_LINK, Some(row.environment));
    office.note(tx, &Note { kind, actor, environment, details }, now)?;
    tell_of(office, tx, row, &serials, now)
}

/// Revokes what an installation was given under the licence that it leaves: what is left of it would count beside the
/// next one's.
fn leave(tx: &mut WriteTx<'_>, row: &Installation, now: Timestamp) -> Result<Vec<u64>, Failure> {
    let Some(left) = &row.license_id else { return Ok(Vec::new()) };
    let mut issues = documents::serials_of_installation(tx, row, now)?;
    issues.retain(|(_, license_id)| license_id == left);
    revocations::supersede(tx, &row.product_id, row.environment, &issues, now)
}

fn tell_of(
    office: &Office,
    tx: &mut WriteTx<'_>,
    row: &Installation,
    serials: &[u64],
    now: Timestamp,
) -> Result<(), Failure> {
    let product = products::by_id(tx, &row.product_id)?;
    let product = product.ok_or_else(|| Refusal::new(Code::ProductNotFound, "there is no such product"))?;
    revocations::tell_of(office, tx, &product, row.environment, serials, now)
}

/// The installation of that key, where it is known as one of the licence's product and environment.
pub(super) fn known(
    tx: &mut WriteTx<'_>,
    product: &Product,
    license: &License,
    key: &str,
) -> Result<Option<Installation>, Failure> {
    let is_ours = |row: &Installation| row.product_id == product.id && row.environment == license.environment;
    Ok(installations::by_key(tx, key)?.filter(is_ours))
}

/// Whether a device may be licensed. That of a product of kind chancery is an installation, by its canonical key, and
/// none that was retired: it would come back by itself.
///
/// # Errors
/// Where it may not.
pub(super) fn admit(
    tx: &mut WriteTx<'_>,
    product: &Product,
    license: &License,
    fingerprint: &str,
) -> Result<(), Failure> {
    if product.kind == Kind::Generic {
        return Ok(());
    }
    if !fingerprint.parse::<InstallationKey>().is_ok_and(|key| key.as_str() == fingerprint) {
        let message = "is the key of the installation, `INST-…`, as `chancery license status` prints it";
        return Err(Refusal::field("fingerprint", message).into());
    }
    if known(tx, product, license, fingerprint)?.is_some_and(|row| row.retired_at.is_some()) {
        return Err(retired().into());
    }
    Ok(())
}

/// The refusal of an installation that was retired.
pub(super) fn retired() -> Refusal {
    let message = "this installation was retired: only the vendor can link it again";
    Refusal::new(Code::Forbidden, message)
}

fn activation(row: &Installation, license: &License, ids: &Ids, now: Timestamp) -> Activation {
    Activation {
        id: ids.activation.clone(),
        license_id: license.id.clone(),
        fingerprint: row.installation_key.clone(),
        device_name: row.name.clone(),
        metadata: None,
        ip_address: None,
        activated_at: now,
        last_seen_at: now,
        deactivated_at: None,
    }
}

/// Gives back the seat that an installation takes, if it takes any: the serials that this revokes.
fn release_seat(
    office: &Office,
    tx: &mut WriteTx<'_>,
    row: &mut Installation,
    actor: &Actor,
    now: Timestamp,
) -> Result<Vec<u64>, Failure> {
    let Some(id) = row.activation_id.take() else { return Ok(Vec::new()) };
    let Some(seat) = activations::by_id(tx, &id)?.filter(|seat| seat.deactivated_at.is_none()) else {
        return Ok(Vec::new());
    };
    let license = licenses::by_id(tx, &seat.license_id)?;
    let product = products::by_id(tx, &row.product_id)?;
    match license.zip(product) {
        Some((license, product)) => seats::give_back(office, tx, actor, &product, &license, &seat, now),
        None => Ok(Vec::new()),
    }
}

/// The row of an installation that nobody has heard of.
pub(super) fn new_row(
    id: &str,
    key: &InstallationKey,
    product_id: &str,
    environment: Environment,
    now: Timestamp,
) -> Installation {
    Installation {
        id: id.to_owned(),
        installation_key: key.to_string(),
        product_id: product_id.to_owned(),
        environment,
        name: None,
        license_id: None,
        activation_id: None,
        linked_at: None,
        retired_at: None,
        public_key: None,
        unpinned_key: None,
        counter: 0,
        clone_seen_at: None,
        metrics: None,
        document: None,
        created_at: now,
        last_seen_at: None,
    }
}

/// The row, where it can be linked to that licence.
fn fitting(row: Installation, license: &License) -> Result<Installation, Refusal> {
    if row.product_id != license.product_id {
        return Err(Refusal::new(Code::ProductMismatch, "the installation is of another product"));
    }
    if row.environment != license.environment {
        let message = format!(
            "the installation is of the environment {}, and the licence of {}",
            row.environment, license.environment
        );
        return Err(Refusal::new(Code::ProductMismatch, message));
    }
    Ok(row)
}

fn within_reach(row: Option<Installation>, actor: &Actor) -> Result<Installation, Refusal> {
    row.filter(|row| actor.reaches(row.environment) && actor.reaches_product(&row.product_id))
        .ok_or_else(|| Refusal::not_found("installation"))
}

/// The product of a licence, which is of kind chancery.
fn product_of(tx: &mut WriteTx<'_>, license: &License) -> Result<Product, Failure> {
    let product = products::by_id(tx, &license.product_id)?;
    let product = product.ok_or_else(|| Refusal::new(Code::ProductNotFound, "there is no such product"))?;
    if product.kind != Kind::Chancery {
        let message = "only a product of kind chancery has installations: activate devices instead";
        return Err(Refusal::new(Code::ProductMismatch, message).into());
    }
    Ok(product)
}

#[cfg(test)]
mod tests;
