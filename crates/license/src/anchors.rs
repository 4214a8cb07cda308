//! The keys that a program trusts from the start: each for one product in one environment.
//!
//! They are compiled in: a build takes them from the folder that the environment variable `CHANCERY_TRUST_DIR`
//! names, or else the development anchors, which lie with the sources. `trust/dev/README.md` describes such a
//! folder.

#[cfg(test)]
pub(crate) mod dev;
#[cfg(test)]
#[path = "../build/trust_folder.rs"]
mod trust_folder;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::crypto::{KeyId, KeyRejected, PublicKey};

/// What the build script found in the folder of the build, each key in PEM; no key is there twice.
const COMPILED: &[(Environment, &str)] = include!(concat!(env!("OUT_DIR"), "/anchors.rs"));

/// Where documents are meant to count. A document of one environment is nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Development: its private key may be public, so it proves nothing.
    Dev,
    /// Production.
    Prod,
    /// Staging.
    Staging,
    /// User acceptance tests.
    Uat,
}

/// A text that names no [`Environment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an environment is one of prod, dev, staging and uat")]
pub struct UnknownEnvironment;

/// A key that is trusted without anybody vouching for it, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Ed25519 for documents and licence JWTs, RSA for licence JWTs alone.
    pub key: PublicKey,
    /// The product whose documents it may sign.
    pub product: String,
    /// The environment whose documents it may sign.
    pub environment: Environment,
}

/// All the anchors of a program, no key among them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchors(Vec<Anchor>);

/// The same key was given as two anchors, which would leave open what it may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key {0} is an anchor twice: each product and environment needs its own")]
pub struct AnchorTwice(pub KeyId);

/// The anchors that this build was made with, which then are that product's.
///
/// # Errors
/// Where a key of the folder is none that can be trusted, such as an Ed25519 point of small order. The build
/// refuses what is no public key at all.
pub fn compiled(product: &str) -> Result<TrustAnchors, KeyRejected> {
    let anchor = |(environment, pem): &(Environment, &str)| {
        let key = PublicKey::from_pem(pem)?;
        Ok(Anchor { key, product: product.to_owned(), environment: *environment })
    };
    COMPILED.iter().map(anchor).collect::<Result<_, _>>().map(TrustAnchors)
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 4] = [Self::Prod, Self::Dev, Self::Staging, Self::Uat];

    /// The name that commands and documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
            Self::Staging => "staging",
            Self::Uat => "uat",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        Self::ALL.into_iter().find(|environment| environment.name() == text).ok_or(UnknownEnvironment)
    }
}

impl Serialize for Environment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl TrustAnchors {
    /// A program's anchors; none at all is allowed, and then nothing verifies.
    pub fn new(anchors: Vec<Anchor>) -> Result<Self, AnchorTwice> {
        for (position, anchor) in anchors.iter().enumerate() {
            if anchors.iter().skip(position + 1).any(|later| later.key == anchor.key) {
                return Err(AnchorTwice(anchor.key.id()));
            }
        }
        Ok(Self(anchors))
    }

    /// The anchors, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Anchor> {
        self.0.iter()
    }

    /// The environments in which that product has an anchor, in the order of [`Environment::ALL`].
    pub fn environments(&self, product: &str) -> impl Iterator<Item = Environment> {
        Environment::ALL.into_iter().filter(move |environment| {
            self.iter().any(|anchor| anchor.environment == *environment && anchor.product == product)
        })
    }

    /// Whether any anchor speaks for the development environment, which a program says loudly.
    pub fn has_dev(&self) -> bool {
        self.iter().any(|anchor| anchor.environment == Environment::Dev)
    }
}

#[cfg(test)]
mod tests;
