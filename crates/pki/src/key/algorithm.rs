//! The algorithms of keys and of signatures.

use std::fmt;
use std::str::FromStr;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der::asn1::AnyRef;
use spki::AlgorithmIdentifierRef;

use crate::key::KeyKind;

/// The kinds of key that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256, `ecdsa-p256`.
    EcdsaP256,
    /// ECDSA on P-384, `ecdsa-p384`.
    EcdsaP384,
    /// RSA with a modulus of 3072 bits, `rsa-3072`.
    Rsa3072,
    /// RSA with a modulus of 4096 bits, `rsa-4096`.
    Rsa4096,
    /// Ed25519, `ed25519`.
    Ed25519,
}

impl KeyAlgorithm {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::Rsa3072, Self::Rsa4096, Self::Ed25519];

    /// The name in configurations and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The method by which a key of this kind signs.
    pub const fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => SignatureAlgorithm::EcdsaSha256,
            Self::EcdsaP384 => SignatureAlgorithm::EcdsaSha384,
            Self::Rsa3072 | Self::Rsa4096 => SignatureAlgorithm::RsaSha256,
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of [`KeyAlgorithm`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a key algorithm; use ecdsa-p256, ecdsa-p384, rsa-3072, rsa-4096 or ed25519")]
pub struct UnknownKeyAlgorithm {
    name: String,
}

impl FromStr for KeyAlgorithm {
    type Err = UnknownKeyAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownKeyAlgorithm> {
        let known = Self::ALL.into_iter().find(|algorithm| algorithm.name() == name);
        known.ok_or_else(|| UnknownKeyAlgorithm { name: name.chars().take(64).collect() })
    }
}

/// The methods of signing that are understood. There is no SHA-1 and no RSA-PSS among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ecdsa-with-SHA256 (RFC 5758 §3.2).
    EcdsaSha256,
    /// ecdsa-with-SHA384 (RFC 5758 §3.2).
    EcdsaSha384,
    /// ecdsa-with-SHA512 (RFC 5758 §3.2).
    EcdsaSha512,
    /// sha256WithRSAEncryption (RFC 4055 §5).
    RsaSha256,
    /// sha384WithRSAEncryption (RFC 4055 §5).
    RsaSha384,
    /// sha512WithRSAEncryption (RFC 4055 §5).
    RsaSha512,
    /// Ed25519 (RFC 8410 §6).
    Ed25519,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::Ed25519,
    ];

    /// The object identifier.
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::EcdsaSha256 => rfc5912::ECDSA_WITH_SHA_256,
            Self::EcdsaSha384 => rfc5912::ECDSA_WITH_SHA_384,
            Self::EcdsaSha512 => rfc5912::ECDSA_WITH_SHA_512,
            Self::RsaSha256 => rfc5912::SHA_256_WITH_RSA_ENCRYPTION,
            Self::RsaSha384 => rfc5912::SHA_384_WITH_RSA_ENCRYPTION,
            Self::RsaSha512 => rfc5912::SHA_512_WITH_RSA_ENCRYPTION,
            Self::Ed25519 => rfc8410::ID_ED_25519,
        }
    }

    /// Whether keys of that kind sign by this method. ECDSA takes any of the three hashes on any curve.
    pub(crate) const fn suits(self, kind: KeyKind) -> bool {
        match kind {
            KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => {
                matches!(self, Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512)
            }
            KeyKind::Rsa { .. } => self.is_rsa(),
            KeyKind::Ed25519 => matches!(self, Self::Ed25519),
        }
    }

    /// The AlgorithmIdentifier to write: NULL parameters for RSA (RFC 4055 §5), none for the others
    /// (RFC 5758 §3.2, RFC 8410 §3).
    pub(crate) fn identifier(self) -> AlgorithmIdentifierRef<'static> {
        let parameters = self.is_rsa().then_some(AnyRef::NULL);
        AlgorithmIdentifierRef { oid: self.oid(), parameters }
    }

    /// Which one an AlgorithmIdentifier names. Absent parameters are accepted for RSA, as RFC 4055 §5 asks.
    pub(crate) fn from_identifier(identifier: &AlgorithmIdentifierRef<'_>) -> Option<Self> {
        let algorithm = Self::ALL.into_iter().find(|algorithm| algorithm.oid() == identifier.oid)?;
        match identifier.parameters {
            None => Some(algorithm),
            Some(parameters) if algorithm.is_rsa() && parameters.is_null() => Some(algorithm),
            Some(_) => None,
        }
    }

    const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_algorithms_are_named_both_ways() {
        for algorithm in KeyAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        let refused = "rsa-1024".parse::<KeyAlgorithm>().unwrap_err();
        assert!(refused.to_string().contains("rsa-1024"), "{refused}");
    }

    #[test]
    fn signature_algorithms_are_identified_both_ways() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_identifier(&algorithm.identifier()), Some(algorithm));
        }
    }

    #[test]
    fn parameters_that_do_not_belong_are_refused() {
        let identifier = AlgorithmIdentifierRef {
            oid: SignatureAlgorithm::EcdsaSha256.oid(),
            parameters: Some(AnyRef::NULL),
        };
        assert_eq!(SignatureAlgorithm::from_identifier(&identifier), None);
    }
}
