//! What a program in the field says of itself: its product, the key of a licence, the fingerprint of its device.

use chancery_db::ReadTx;
use chancery_license::{LicenseKey, limits};

use super::{Failure, Office, scope};
use crate::domain::{Actor, Code, Refusal};
use crate::store::licenses::{self, License};
use crate::store::products::Product;

/// A device of somebody who has the key of a licence.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    slug: String,
    key: LicenseKey,
    fingerprint: String,
}

/// The licence that a claim is about.
pub(super) struct Found {
    pub(super) product: Product,
    pub(super) license: License,
}

impl Claim {
    /// A claim as it came in.
    ///
    /// # Errors
    /// A fingerprint that is none, and a text that is the key of no licence.
    pub(crate) fn new(slug: String, key: &str, fingerprint: String) -> Result<Self, Refusal> {
        limits::fingerprint(&fingerprint)?;
        let key = key.parse().map_err(|_| no_license())?;
        Ok(Self { slug, key, fingerprint })
    }

    /// The canonical licence key. It goes into answers to whoever sent it, and nowhere else.
    pub(crate) fn key(&self) -> &str {
        self.key.reveal()
    }

    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The licence of that key.
    ///
    /// # Errors
    /// No such product, no such licence within reach, or a licence of another product.
    pub(super) fn find(&self, office: &Office, tx: &mut ReadTx<'_>, actor: &Actor) -> Result<Found, Failure> {
        let product = scope::product(tx, actor, &self.slug)?;
        let license = licenses::by_key_hash(tx, &office.vault.key_hash(&self.key))?;
        let license = license.filter(|license| actor.reaches(license.environment)).ok_or_else(no_license)?;
        if license.product_id != product.id {
            let message = "the licence is for another product: use the key that was bought for this one";
            return Err(Refusal::new(Code::ProductMismatch, message).into());
        }
        Ok(Found { product, license })
    }
}

fn no_license() -> Refusal {
    Refusal::new(Code::LicenseNotFound, "there is no licence of that key: check that it was typed in full")
}
