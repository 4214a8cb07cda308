//! A vendor who signs whatever licence a test needs.

mod jwt;
mod license;
mod machine_file;
mod revocations;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use chancery_license::key::RANDOM_BYTES;
use chancery_license::{LicenseKey, SigningKey};
use chancery_time::{Clock, SystemClock, Timestamp};

pub use jwt::JwtBuilder;
pub use license::LicenseBuilder;
pub use machine_file::MachineFileBuilder;
pub use revocations::RevocationsBuilder;

/// The product that documents are for where a test does not say.
const PRODUCT: &str = "chancery";

/// Has an Ed25519 key, which signs every kind of document, and an RSA key, which signs licence JWTs.
#[derive(Debug)]
pub struct Vendor {
    ed25519: SigningKey,
    rsa: SigningKey,
}

impl Vendor {
    /// The vendor of the development environment, whose private keys are public: what it signs counts for
    /// builds that trust the development anchors, and for no others.
    pub fn new() -> Self {
        let key = |pem| SigningKey::from_pem(pem).expect("a private key in PEM");
        Self {
            ed25519: key(include_str!("../../../license/trust/dev/signing-key.pem")),
            rsa: key(include_str!("../../../license/trust/dev/jwt-signing-key.pem")),
        }
    }

    /// A vendor with new keys that nobody trusts.
    pub fn stranger() -> Self {
        let mut seed = [0; 32];
        rand::fill(&mut seed).expect("random bytes");
        let rsa = KeyPair::generate(KeySize::Rsa2048).expect("a new key");
        let rsa = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).expect("a key in memory has a DER form");
        Self {
            ed25519: SigningKey::from_ed25519_seed(&seed).expect("every seed makes a key"),
            rsa: SigningKey::from_pkcs8(rsa.as_ref()).expect("a new key is sound"),
        }
    }

    /// A new licence (`.lic`).
    pub fn license(&self) -> LicenseBuilder<'_> {
        LicenseBuilder::new(&self.ed25519, self.license_key())
    }

    /// A new licence JWT.
    pub fn jwt(&self) -> JwtBuilder<'_> {
        JwtBuilder::new(self)
    }

    /// A new machine file for the installation of that key (`INST-…`), or for any machine of that fingerprint.
    pub fn machine_file(&self, fingerprint: &str) -> MachineFileBuilder<'_> {
        MachineFileBuilder::new(&self.ed25519, self.license_key(), fingerprint)
    }

    /// The key of the licences in this vendor's documents, which machine files open with.
    pub fn license_key(&self) -> LicenseKey {
        LicenseKey::from_random(&[7; RANDOM_BYTES])
    }

    /// A new revocation list of that sequence number, empty as yet.
    pub fn revoke(&self, sequence: u64) -> RevocationsBuilder<'_> {
        RevocationsBuilder::new(&self.ed25519, sequence)
    }
}

impl Default for Vendor {
    fn default() -> Self {
        Self::new()
    }
}

/// The real time as documents have it.
fn now() -> Timestamp {
    SystemClock.now().whole_seconds()
}

#[cfg(test)]
mod tests;
