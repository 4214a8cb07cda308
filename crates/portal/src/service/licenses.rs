//! Licences, as the vendor deals with them: made, found, changed, renewed, suspended, revoked, handed on.

mod change;
mod course;
mod create;
mod difference;
mod terms;
#[cfg(test)]
mod tests;

use chancery_db::{ReadTx, WriteTx};
use chancery_license::LicenseKey;
use chancery_time::Timestamp;
use chancery_trail::Kind;
use serde_json::Value;

use super::idempotency::{self, Once};
use super::{Failure, Note, Office, scope};
use crate::api::license::LicenseDetails;
use crate::domain::{Actor, Code, Permission, Refusal, fields};
use crate::store::licenses::{self, License, Wanted};
use crate::store::products::{self, Product};
use crate::store::{Page, organisations};
use crate::vault::Purpose;

pub(crate) use change::{LicenseChanges, change};
pub(crate) use course::{
    Reinstatement, Renewal, Revocation, Suspension, Transfer, reinstate, renew, revoke, suspend, transfer,
};
pub(crate) use create::{NewLicense, create};

/// As of an organisation.
const MAX_REFERENCE: usize = 100;

/// Which licence is meant: by its id, and by the slug of its product where a request says that too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Which {
    pub(crate) slug: Option<String>,
    pub(crate) id: String,
}

/// A licence as it was found or left.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) license: License,
    pub(crate) product: Product,
    /// For whom may see it.
    pub(crate) key: Option<LicenseKey>,
    pub(crate) at: Timestamp,
}

impl Found {
    /// The licence, as the API writes it.
    pub(crate) fn details(&self) -> LicenseDetails {
        let key = self.key.as_ref().map(LicenseKey::reveal);
        LicenseDetails::new(&self.license, key, &self.product, self.at)
    }
}

/// A licence with its key.
///
/// # Errors
/// [`Permission::LicensesRead`]; a licence out of reach.
pub(crate) async fn show(office: &Office, actor: &Actor, which: Which) -> Result<Found, Failure> {
    actor.require(Permission::LicensesRead)?;
    let actor = actor.clone();
    office
        .read(move |office, tx| {
            let (product, license) = find(tx, &actor, &which)?;
            let key = Some(open_key(office, tx, &license.id)?);
            Ok(Found { license, product, key, at: office.now() })
        })
        .await
}

/// Licences of a product without their keys, the newest first, and what the next part begins behind.
///
/// # Errors
/// [`Permission::LicensesRead`]; a product out of reach.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    slug: &str,
    wanted: Wanted,
    page: Page,
) -> Result<(Vec<Found>, Option<String>), Failure> {
    actor.require(Permission::LicensesRead)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |office, tx| {
            let now = office.now();
            let product = scope::product(tx, &actor, &slug)?;
            let wanted = Wanted { live: actor.live, ..wanted.clone() };
            let licenses = licenses::list(tx, &product.id, &wanted, &page, now)?;
            let (licenses, next) = page.cut(licenses, |license| &license.id);
            let found = |license| Found { license, product: product.clone(), key: None, at: now };
            Ok((licenses.into_iter().map(found).collect(), next))
        })
        .await
}

/// A licence within reach, and its product.
///
/// # Errors
/// What is out of reach is answered like what there is not.
pub(super) fn find(tx: &mut ReadTx<'_>, actor: &Actor, which: &Which) -> Result<(Product, License), Failure> {
    let named = which.slug.as_ref().map(|slug| scope::product(tx, actor, slug)).transpose()?;
    let license = licenses::by_id(tx, &which.id)?.filter(|license| actor.reaches(license.environment));
    let license = license.ok_or_else(no_license)?;
    let product = match named {
        Some(product) => Some(product).filter(|product| product.id == license.product_id),
        None => {
            products::by_id(tx, &license.product_id)?.filter(|product| actor.reaches_product(&product.id))
        }
    };
    Ok((product.ok_or_else(no_license)?, license))
}

fn no_license() -> Refusal {
    Refusal::new(
        Code::LicenseNotFound,
        "there is no licence of that id: the list of licences tells their ids",
    )
}

fn revoked() -> Refusal {
    Refusal::new(Code::Revoked, "the licence was revoked, which is for good: make a new one")
}

fn open_key(office: &Office, tx: &mut ReadTx<'_>, id: &str) -> Result<LicenseKey, Failure> {
    let sealed = licenses::sealed_key(tx, id)?;
    let key = office.vault.open_text(Purpose::LicenseKey, id, &sealed)?;
    Ok(key.parse().map_err(anyhow::Error::from)?)
}

/// What was done to a licence, for the issuance log.
type Done = (Kind, Value);

/// A change to a licence in the transaction that makes it.
struct Step<'a, 'tx> {
    office: &'a Office,
    tx: &'a mut WriteTx<'tx>,
    product: &'a Product,
    now: Timestamp,
}

/// Does something to one licence, and writes what became of it. Whatever its documents show otherwise than before
/// raises its revision. A step that says `None` found nothing to do.
async fn act(
    office: &Office,
    actor: &Actor,
    permission: Permission,
    which: Which,
    once: Option<Once>,
    step: impl Fn(Step<'_, '_>, &mut License) -> Result<Option<Done>, Failure> + Send + 'static,
) -> Result<Found, Failure> {
    actor.require(permission)?;
    let actor = actor.clone();
    office
        .write(move |office, tx| {
            let now = office.now();
            let (product, mut license) = find(tx, &actor, &which)?;
            if idempotency::repeated(tx, &actor, once.as_ref(), &license.id, now)?.is_none() {
                let before = license.clone();
                let around = Step { office, tx, product: &product, now };
                if let Some((kind, details)) = step(around, &mut license)? {
                    if difference::is_shown(&before, &license) {
                        license.revision = before.revision + 1;
                    }
                    licenses::update(tx, &license)?;
                    let environment = Some(license.environment);
                    office.note(tx, &Note { kind, actor: &actor, environment, details }, now)?;
                }
            }
            let may_see = actor.permissions.contains(Permission::LicensesRead);
            let key = may_see.then(|| open_key(office, tx, &license.id)).transpose()?;
            Ok(Found { license, product, key, at: now })
        })
        .await
}

/// An organisation that a request names.
fn existing_organisation(tx: &mut ReadTx<'_>, id: &str) -> Result<(), Failure> {
    match organisations::by_id(tx, id)? {
        Some(_) => Ok(()),
        None => {
            Err(Refusal::field("organisation_id", "there is no such organisation: create it first").into())
        }
    }
}

/// A reference that no other licence of the product in the environment has.
fn free_reference(tx: &mut ReadTx<'_>, license: &License) -> Result<(), Failure> {
    let Some(reference) = &license.reference else { return Ok(()) };
    fields::line("reference", reference, MAX_REFERENCE)?;
    match licenses::by_reference(tx, &license.product_id, license.environment, reference)? {
        Some(id) if id != license.id => {
            let refusal = Refusal::field("reference", "another licence of the product has it already");
            Err(refusal.with("license", id.into()).into())
        }
        _ => Ok(()),
    }
}
