//! Revocation lists.

use std::collections::BTreeSet;
use std::time::Duration;

use chancery_license::revocations::{Reason, Revoked};
use chancery_license::{Document, Environment, RevocationList, SigningKey, seal};
use chancery_time::Timestamp;

use super::{PRODUCT, now};

/// A revocation list to be signed: of the development environment, issued now, with the next one promised
/// 30 days later. It says of each entry that it was revoked when the list was issued, and gives no reason.
#[derive(Debug)]
pub struct RevocationsBuilder<'a> {
    key: &'a SigningKey,
    sequence: u64,
    product: String,
    environment: Environment,
    issued: Timestamp,
    licenses: BTreeSet<String>,
    serials: BTreeSet<u64>,
}

impl<'a> RevocationsBuilder<'a> {
    pub(super) fn new(key: &'a SigningKey, sequence: u64) -> Self {
        Self {
            key,
            sequence,
            product: PRODUCT.to_owned(),
            environment: Environment::Dev,
            issued: now(),
            licenses: BTreeSet::new(),
            serials: BTreeSet::new(),
        }
    }

    /// Revokes every issue of the licence of that id, or the licence JWT of that `jti`.
    pub fn license(mut self, id: &str) -> Self {
        self.licenses.insert(id.to_owned());
        self
    }

    /// Revokes the issue of that serial.
    pub fn serial(mut self, serial: u64) -> Self {
        self.serials.insert(serial);
        self
    }

    /// Sets when it was signed.
    pub fn issued(mut self, issued: Timestamp) -> Self {
        self.issued = issued;
        self
    }

    /// Makes it one of another environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Makes it one of another product.
    pub fn product(mut self, product: &str) -> Self {
        self.product = product.to_owned();
        self
    }

    /// Signs it; gives the armoured text.
    pub fn mint(self) -> String {
        let Self { key, sequence, product, environment, issued, licenses, serials } = self;
        let body = RevocationList {
            sequence,
            next_update: issued + Duration::from_secs(30 * 86_400),
            licenses: entries(licenses, issued),
            serials: entries(serials, issued),
        };
        let document = Document { product, environment, issued, body };
        seal(&document, &[key]).expect("the list keeps the rules of its format")
    }
}

/// In ascending order, as the format wants it.
fn entries<T>(revoked: BTreeSet<T>, at: Timestamp) -> Vec<Revoked<T>> {
    revoked.into_iter().map(|what| Revoked { what, at, reason: Reason::Unspecified }).collect()
}
