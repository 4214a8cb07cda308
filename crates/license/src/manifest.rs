//! The key manifest: the keys that a root vouches for, and the root that it hands over to.
//!
//! A build knows its anchors for as long as it runs; the keys that sign from day to day change more often,
//! and lie on machines that are easier to break into. See `docs/formats/key-manifest.md`.

use chancery_time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::crypto::{Method, PublicKey};
use crate::document::{Body, Content, Kind, rules};
use crate::json;

/// More keys than that no vendor signs with.
const MAX_KEYS: usize = 32;

/// The body of a key manifest. [`Keyring::admit`](crate::Keyring::admit) is what reads one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyManifest {
    /// Rises with every manifest of the product in the environment, from 1.
    pub sequence: u64,
    /// The Ed25519 key that takes the place of the roots from now on, and that signed this manifest too.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    pub next_root: Option<PublicKey>,
    /// The keys that may sign other documents. They replace those of earlier manifests.
    #[serde(deserialize_with = "json::objects")]
    pub keys: Vec<IssuingKey>,
}

/// A key that a root vouches for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuingKey {
    /// The key; an RSA key can sign licence JWTs alone.
    pub key: PublicKey,
    /// The first instant at which a document that it signed may have been issued.
    #[serde(deserialize_with = "json::instant")]
    pub not_before: Timestamp,
    /// The last such instant.
    #[serde(deserialize_with = "json::instant")]
    pub not_after: Timestamp,
    /// What it may sign.
    #[serde(deserialize_with = "read_uses")]
    pub uses: Vec<Use>,
}

/// What an issuing key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Use {
    /// Licences in armour, machine files, and responses to installations.
    License,
    /// Licence JWTs.
    LicenseJwt,
    /// Revocation lists.
    Revocations,
}

impl Content for KeyManifest {
    const KIND: Kind = Kind::Keys;
}

impl Body for KeyManifest {
    /// A root alone signs manifests.
    const USE: Option<Use> = None;
}

impl rules::Rules for KeyManifest {
    fn check(&self) -> Result<(), &'static str> {
        rules::number(self.sequence, "sequence is a number from 1 to 2^53 - 1")?;
        if self.next_root.as_ref().is_some_and(|root| root.method() != Method::Ed25519) {
            return Err("next_root is an Ed25519 key");
        }
        if self.keys.len() > MAX_KEYS {
            return Err("keys has at most 32 entries");
        }
        self.keys.iter().try_for_each(IssuingKey::check)
    }
}

impl IssuingKey {
    fn check(&self) -> Result<(), &'static str> {
        if self.not_after < self.not_before {
            return Err("not_after of a key comes before its not_before");
        }
        if self.uses.is_empty() || !self.uses.is_sorted_by(|one, next| one < next) {
            return Err("uses of a key is some of license, license_jwt and revocations, in this order");
        }
        if self.key.method() != Method::Ed25519 && self.uses != [Use::LicenseJwt] {
            return Err("a key that is not Ed25519 can sign licence JWTs alone");
        }
        Ok(())
    }
}

fn read_uses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Use>, D::Error> {
    let words = Vec::<json::Word<Use>>::deserialize(deserializer)?;
    Ok(words.into_iter().map(|json::Word(word)| word).collect())
}

#[cfg(test)]
mod tests;
