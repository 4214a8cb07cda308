//! The keys that a program trusts from the start: each for one product in one environment.

pub mod dev;

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::crypto::{KeyId, PublicKey};

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

    /// Whether any anchor speaks for the development environment, which a program says loudly.
    pub fn has_dev(&self) -> bool {
        self.iter().any(|anchor| anchor.environment == Environment::Dev)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;

    fn anchor(seed: u8, product: &str, environment: Environment) -> Anchor {
        let key = SigningKey::from_ed25519_seed(&[seed; 32]).unwrap().public().clone();
        Anchor { key, product: product.to_owned(), environment }
    }

    #[test]
    fn environments_have_one_spelling() {
        for environment in Environment::ALL {
            assert_eq!(environment.name().parse(), Ok(environment));
        }
        for text in ["", "Prod", "production", "prod "] {
            assert_eq!(text.parse::<Environment>(), Err(UnknownEnvironment), "{text}");
        }
    }

    #[test]
    fn one_key_is_one_anchor() {
        let prod = anchor(1, "chancery", Environment::Prod);
        for again in
            [prod.clone(), anchor(1, "other", Environment::Prod), anchor(1, "chancery", Environment::Dev)]
        {
            assert_eq!(TrustAnchors::new(vec![prod.clone(), again]), Err(AnchorTwice(prod.key.id())));
        }
        let anchors = TrustAnchors::new(vec![prod, anchor(2, "chancery", Environment::Prod)]).unwrap();
        assert_eq!(anchors.iter().count(), 2);
        assert!(!anchors.has_dev());
    }
}
