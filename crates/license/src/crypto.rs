//! The cryptography of licences, in one place (aws-lc-rs).
//!
//! A key brings its own method: an Ed25519 key verifies Ed25519 signatures, an RSA key RSASSA-PKCS1-v1_5
//! with SHA-256, and nothing that comes from outside can ask for another.

pub(crate) mod aes_gcm;
mod ed25519;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RsaKeyPair, RsaParameters};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::armour::{self, ArmourError};

/// The shortest RSA modulus that is accepted, in bits.
pub(crate) const RSA_MIN_BITS: u32 = 2_048;
/// The longest RSA modulus that is accepted, in bits.
pub(crate) const RSA_MAX_BITS: u32 = 8_192;

/// No key in PEM is longer: an RSA private key of 8192 bits takes some 6400 characters.
const MAX_PEM_LENGTH: usize = 16 * 1_024;
const PUBLIC_KEY_LABEL: &str = "PUBLIC KEY";
const PRIVATE_KEY_LABEL: &str = "PRIVATE KEY";

/// The name of a public key: the first 16 bytes of the SHA-256 of its SubjectPublicKeyInfo in DER,
/// in 32 lower-case hexadecimal digits.
///
/// The SubjectPublicKeyInfo names the algorithm too, so no two keys of different methods share a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Ed25519 (RFC 8032 §5.1).
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    RsaPkcs1Sha256,
}

/// A public key, checked once: a sound Ed25519 point, or an RSA modulus of 2048 to 8192 bits.
#[derive(Clone)]
pub struct PublicKey {
    method: Method,
    spki: Box<[u8]>,
    id: KeyId,
    parsed: ParsedPublicKey,
}

/// A private key with its public half. Its Debug form shows the key id alone.
pub struct SigningKey {
    public: PublicKey,
    secret: Secret,
}

enum Secret {
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRejected {
    /// The PEM around the key is wrong.
    #[error("the PEM of the key: {0}")]
    Armour(#[from] ArmourError),
    /// It is no key of a known algorithm, or its DER has more than one reading.
    #[error("not an Ed25519 or RSA key in DER")]
    Unreadable,
    /// The RSA modulus has that many bits.
    #[error("an RSA key of {0} bits: use one of {RSA_MIN_BITS} to {RSA_MAX_BITS}")]
    RsaSize(u32),
    /// The Ed25519 point has a small order: signatures by it can be made without any private key.
    #[error("an Ed25519 key of small order or in a second encoding, which anybody could sign for")]
    WeakPoint,
}

/// The cryptographic library could not make a key, or not write it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library could not make the key")]
pub struct GenerationFailed;

/// The cryptographic library could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signing failed in the cryptographic library")]
pub struct SigningFailed;

/// A text that is no [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 32 lower-case hexadecimal digits")]
pub struct KeyIdError;

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Whether two secrets are the same, in a time that tells nothing but their lengths.
pub(crate) fn same_secret(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

impl KeyId {
    fn of_spki(spki: &[u8]) -> Self {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(sha256(spki)) {
            *to = from;
        }
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let mut id = [0; 16];
        if text.len() != 2 * id.len() {
            return Err(KeyIdError);
        }
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = digits
                .iter()
                .try_fold(0, |value, digit| Some(value * 16 + hex(*digit)?))
                .ok_or(KeyIdError)?;
        }
        Ok(Self(id))
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7, RFC 8410 §4).
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyRejected> {
        if let Some(raw) = ed25519::raw_of_spki(spki) {
            return Self::from_ed25519(&raw);
        }
        let rsa = rsa::PublicKey::from_der(spki).map_err(|_| KeyRejected::Unreadable)?;
        let canonical = AsDer::<PublicKeyX509Der<'_>>::as_der(&rsa).map_err(|_| KeyRejected::Unreadable)?;
        // One key has one encoding, so that it has one id.
        if canonical.as_ref() != spki {
            return Err(KeyRejected::Unreadable);
        }
        let bits = RsaParameters::public_modulus_len(rsa.as_ref()).map_err(|_| KeyRejected::Unreadable)?;
        if !(RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits) {
            return Err(KeyRejected::RsaSize(bits));
        }
        let parsed = ParsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, spki)
            .map_err(|_| KeyRejected::Unreadable)?;
        Ok(Self::new(Method::RsaPkcs1Sha256, spki, parsed))
    }

    /// The Ed25519 key of those 32 bytes (RFC 8032 §5.1.5).
    pub fn from_ed25519(raw: &[u8; 32]) -> Result<Self, KeyRejected> {
        if !ed25519::is_sound(raw) {
            return Err(KeyRejected::WeakPoint);
        }
        let parsed = ParsedPublicKey::new(&signature::ED25519, raw).map_err(|_| KeyRejected::Unreadable)?;
        Ok(Self::new(Method::Ed25519, &ed25519::spki_of_raw(raw), parsed))
    }

    /// Reads PEM: `-----BEGIN PUBLIC KEY-----` round a SubjectPublicKeyInfo (RFC 7468 §13).
    pub fn from_pem(pem: &str) -> Result<Self, KeyRejected> {
        Self::from_spki(&armour::decode(pem, PUBLIC_KEY_LABEL, MAX_PEM_LENGTH)?)
    }

    /// The key as PEM, as [`PublicKey::from_pem`] reads it.
    pub fn to_pem(&self) -> String {
        armour::encode(PUBLIC_KEY_LABEL, &self.spki)
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// The 32 bytes of an Ed25519 key (RFC 8032 §5.1.2); `None` for any other.
    pub fn to_ed25519(&self) -> Option<[u8; 32]> {
        ed25519::raw_of_spki(&self.spki)
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// How this key signs, which nothing else decides.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether this key signed those very bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    fn new(method: Method, spki: &[u8], parsed: ParsedPublicKey) -> Self {
        Self { method, spki: spki.into(), id: KeyId::of_spki(spki), parsed }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:?} {})", self.method, self.id)
    }
}

impl Serialize for PublicKey {
    /// Writes the SubjectPublicKeyInfo in base64.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(&self.spki))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spki = Base64::decode_vec(&String::deserialize(deserializer)?);
        let spki = spki.map_err(|_| serde::de::Error::custom("a key is written in canonical base64"))?;
        Self::from_spki(&spki).map_err(serde::de::Error::custom)
    }
}

impl SigningKey {
    /// A new random key; RSA with a modulus of 3072 bits, which NIST SP 800-57 rates at 128 bits of security, as
    /// it does Ed25519.
    pub fn generate(method: Method) -> Result<Self, GenerationFailed> {
        let key = match method {
            Method::Ed25519 => {
                Self::from_ed25519_pair(Ed25519KeyPair::generate().map_err(|_| GenerationFailed)?)
            }
            Method::RsaPkcs1Sha256 => {
                Self::from_rsa_pair(RsaKeyPair::generate(KeySize::Rsa3072).map_err(|_| GenerationFailed)?)
            }
        };
        key.map_err(|_| GenerationFailed)
    }

    /// Reads an unencrypted PKCS#8 private key in DER (RFC 5958), Ed25519 or RSA.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Self::from_ed25519_pair(pair);
        }
        Self::from_rsa_pair(RsaKeyPair::from_pkcs8(der).map_err(|_| KeyRejected::Unreadable)?)
    }

    /// Reads PEM: `-----BEGIN PRIVATE KEY-----` round a PKCS#8 key (RFC 7468 §10).
    pub fn from_pem(pem: &str) -> Result<Self, KeyRejected> {
        let der = Zeroizing::new(armour::decode(pem, PRIVATE_KEY_LABEL, MAX_PEM_LENGTH)?);
        Self::from_pkcs8(&der)
    }

    /// The Ed25519 key that grows from this seed (RFC 8032 §5.1.5).
    pub fn from_ed25519_seed(seed: &[u8; 32]) -> Result<Self, KeyRejected> {
        Self::from_ed25519_pair(
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyRejected::Unreadable)?,
        )
    }

    /// The private key as PEM, unencrypted, as [`SigningKey::from_pem`] and OpenSSL read it.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, GenerationFailed> {
        let der: Result<Pkcs8V1Der<'_>, _> = match &self.secret {
            Secret::Ed25519(pair) => pair.as_der(),
            Secret::Rsa(pair) => pair.as_der(),
        };
        let der = der.map_err(|_| GenerationFailed)?;
        Ok(Zeroizing::new(armour::encode(PRIVATE_KEY_LABEL, der.as_ref())))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs those bytes by the key's method: 64 bytes for Ed25519, as many as the modulus for RSA.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        match &self.secret {
            Secret::Ed25519(pair) => {
                pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(|_| SigningFailed)
            }
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SigningFailed)?;
                Ok(signature)
            }
        }
    }

    fn from_ed25519_pair(pair: Ed25519KeyPair) -> Result<Self, KeyRejected> {
        let raw = pair.public_key().as_ref().try_into().map_err(|_| KeyRejected::Unreadable)?;
        Ok(Self { public: PublicKey::from_ed25519(raw)?, secret: Secret::Ed25519(pair) })
    }

    fn from_rsa_pair(pair: RsaKeyPair) -> Result<Self, KeyRejected> {
        let spki =
            AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map_err(|_| KeyRejected::Unreadable)?;
        Ok(Self { public: PublicKey::from_spki(spki.as_ref())?, secret: Secret::Rsa(pair) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?} {})", self.public.method, self.public.id)
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
