//! Public keys.

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der::asn1::{AnyRef, UintRef};
use der::{Decode, Sequence};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::asn1::Malformed;
use crate::crypto::{self, Refused, Verifier};
use crate::key::SignatureAlgorithm;

/// A public key of a kind that is understood.
///
/// It has the shape of its kind; whether it is sound (a point on its curve, say) shows when it verifies
/// a signature.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki_der: Vec<u8>,
    kind: KeyKind,
    key_id: [u8; 20],
}

/// The kinds of public key that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// An elliptic-curve key on P-256.
    EcdsaP256,
    /// An elliptic-curve key on P-384.
    EcdsaP384,
    /// An elliptic-curve key on P-521.
    EcdsaP521,
    /// An RSA key.
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// An Ed25519 key.
    Ed25519,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::EcdsaP521 => f.write_str("ECDSA P-521"),
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// Why a SubjectPublicKeyInfo was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// It is not DER of the right shape.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is a key of a kind that is not understood.
    #[error(
        "the public key has the unsupported algorithm {oid}; use ECDSA P-256, P-384 or P-521, RSA or Ed25519"
    )]
    Algorithm {
        /// The algorithm, or the curve of an elliptic-curve key.
        oid: ObjectIdentifier,
    },
    /// The parameters of the algorithm are not those that go with it.
    #[error("the public key's algorithm {oid} has the wrong parameters")]
    Parameters {
        /// The algorithm.
        oid: ObjectIdentifier,
    },
    /// The key itself has the wrong length or form.
    #[error("the public key is not a well-formed {kind} key; points have to be uncompressed")]
    Form {
        /// What it claims to be.
        kind: KeyKind,
    },
}

impl PublicKey {
    /// Reads a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, PublicKeyError> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(Malformed::in_a("the public key"))?;
        let bits = spki.subject_public_key.as_bytes().ok_or_else(|| Malformed {
            what: "the public key",
            source: der::Tag::BitString.value_error().into(),
        })?;
        let kind = kind(&spki.algorithm, bits)?;
        let well_formed = match kind {
            KeyKind::EcdsaP256 => is_uncompressed_point(bits, 32),
            KeyKind::EcdsaP384 => is_uncompressed_point(bits, 48),
            KeyKind::EcdsaP521 => is_uncompressed_point(bits, 66),
            KeyKind::Ed25519 => bits.len() == 32,
            KeyKind::Rsa { .. } => true,
        };
        if !well_formed {
            return Err(PublicKeyError::Form { kind });
        }
        Ok(Self { spki_der: der.to_vec(), kind, key_id: key_id(bits) })
    }

    /// The DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// What kind of key it is.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key identifier: RFC 7093 §2 method 1, the leftmost 160 bits of the SHA-256 of the key's bits.
    pub const fn key_id(&self) -> &[u8; 20] {
        &self.key_id
    }

    /// Modulus and public exponent, big-endian without leading zeros, if it is an RSA key.
    pub(crate) fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        let spki = SubjectPublicKeyInfoRef::from_der(&self.spki_der).ok()?;
        if spki.algorithm.oid != rfc5912::RSA_ENCRYPTION {
            return None;
        }
        let key = RsaPublicKey::from_der(spki.subject_public_key.as_bytes()?).ok()?;
        Some((key.modulus.as_bytes(), key.exponent.as_bytes()))
    }

    /// The encoded point, if it is an Ed25519 key.
    pub(crate) fn ed25519_point(&self) -> Option<[u8; 32]> {
        let spki = SubjectPublicKeyInfoRef::from_der(&self.spki_der).ok()?;
        if self.kind != KeyKind::Ed25519 {
            return None;
        }
        spki.subject_public_key.as_bytes()?.try_into().ok()
    }

    /// Makes the key ready to verify signatures of that method.
    pub(crate) fn verifier(&self, algorithm: SignatureAlgorithm) -> Result<Verifier, Refused> {
        Verifier::new(self.kind, &self.spki_der, algorithm)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, ", self.kind)?;
        self.key_id.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str(")")
    }
}

/// RFC 8017 §A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

fn kind(algorithm: &AlgorithmIdentifierRef<'_>, bits: &[u8]) -> Result<KeyKind, PublicKeyError> {
    let oid = algorithm.oid;
    match oid {
        rfc5912::ID_EC_PUBLIC_KEY => curve(algorithm.parameters),
        rfc5912::RSA_ENCRYPTION if algorithm.parameters.is_some_and(AnyRef::is_null) => {
            let key = RsaPublicKey::from_der(bits).map_err(Malformed::in_a("the RSA public key"))?;
            Ok(KeyKind::Rsa { bits: bit_length(key.modulus.as_bytes()) })
        }
        rfc8410::ID_ED_25519 if algorithm.parameters.is_none() => Ok(KeyKind::Ed25519),
        rfc5912::RSA_ENCRYPTION | rfc8410::ID_ED_25519 => Err(PublicKeyError::Parameters { oid }),
        _ => Err(PublicKeyError::Algorithm { oid }),
    }
}

/// Named curves only (RFC 5480 §2.1.1).
fn curve(parameters: Option<AnyRef<'_>>) -> Result<KeyKind, PublicKeyError> {
    let named = parameters.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    match named.ok_or(PublicKeyError::Parameters { oid: rfc5912::ID_EC_PUBLIC_KEY })? {
        rfc5912::SECP_256_R_1 => Ok(KeyKind::EcdsaP256),
        rfc5912::SECP_384_R_1 => Ok(KeyKind::EcdsaP384),
        rfc5912::SECP_521_R_1 => Ok(KeyKind::EcdsaP521),
        oid => Err(PublicKeyError::Algorithm { oid }),
    }
}

/// SEC 1 §2.3.3: `04`, then both coordinates.
fn is_uncompressed_point(bits: &[u8], coordinate_len: usize) -> bool {
    bits.first() == Some(&4) && bits.len() == 1 + 2 * coordinate_len
}

fn bit_length(big_endian: &[u8]) -> usize {
    let Some(first) = big_endian.first() else { return 0 };
    big_endian.len() * 8 - first.leading_zeros() as usize
}

fn key_id(bits: &[u8]) -> [u8; 20] {
    let hash = crypto::sha256(bits);
    let mut id = [0; 20];
    id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyAlgorithm, PrivateKey, Signer};

    #[test]
    fn knows_the_keys_made_here() {
        for (algorithm, kind) in [
            (KeyAlgorithm::EcdsaP256, KeyKind::EcdsaP256),
            (KeyAlgorithm::EcdsaP384, KeyKind::EcdsaP384),
            (KeyAlgorithm::Rsa3072, KeyKind::Rsa { bits: 3072 }),
            (KeyAlgorithm::Ed25519, KeyKind::Ed25519),
        ] {
            let key = PrivateKey::generate(algorithm).unwrap();
            assert_eq!(key.public_key().kind(), kind);
            let again = PublicKey::from_spki_der(key.public_key().spki_der()).unwrap();
            assert_eq!(&again, key.public_key());
            assert_eq!(again.rsa_numbers().is_some(), matches!(kind, KeyKind::Rsa { .. }));
        }
    }

    #[test]
    fn refuses_compressed_points_and_trailing_bytes() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let mut der = key.public_key().spki_der().to_vec();
        let point = der.len() - 65;
        der[point] = 2;
        assert_eq!(PublicKey::from_spki_der(&der), Err(PublicKeyError::Form { kind: KeyKind::EcdsaP256 }));
        der[point] = 4;
        der.push(0);
        assert!(matches!(PublicKey::from_spki_der(&der), Err(PublicKeyError::Malformed(_))));
    }

    /// Points that have the right length, and lie off their curve by one bit of the last coordinate. Keys on
    /// P-521 are not made here, so that one is the point with zero coordinates: `b` is not 0.
    #[test]
    fn a_point_off_the_curve_verifies_nothing() {
        let off = |algorithm| {
            let mut der = PrivateKey::generate(algorithm).unwrap().public_key().spki_der().to_vec();
            *der.last_mut().unwrap() ^= 1;
            der
        };
        let mut p521 =
            b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23".to_vec();
        p521.extend(b"\x03\x81\x86\x00\x04");
        p521.extend([0; 132]);
        for (der, method) in [
            (off(KeyAlgorithm::EcdsaP256), SignatureAlgorithm::EcdsaSha256),
            (off(KeyAlgorithm::EcdsaP384), SignatureAlgorithm::EcdsaSha384),
            (p521, SignatureAlgorithm::EcdsaSha512),
        ] {
            let off_curve = PublicKey::from_spki_der(&der).unwrap();
            assert!(method.suits(off_curve.kind()));
            assert!(off_curve.verifier(method).is_err(), "{off_curve:?}");
        }
    }
}
