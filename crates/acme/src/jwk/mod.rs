//! Account keys: JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2) and thumbprints (RFC 7638).

#[cfg(test)]
mod tests;

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_keycheck::{CompromisedKeys, RsaWeakness, ed25519, rsa};
use serde::{Deserialize, Serialize};

use crate::crypto::{Scheme, VerifyingKey, sha256};
use crate::jws::Algorithm;
use crate::object::{Object, Presence};
use crate::problem::{Problem, ProblemType};

/// The public key of an account, as a JWK with only the members that its thumbprint covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub enum Jwk {
    /// An elliptic-curve key.
    #[serde(rename = "EC")]
    Ec {
        /// The curve.
        crv: EcCurve,
        /// The point's x coordinate, base64url.
        x: String,
        /// The point's y coordinate, base64url.
        y: String,
    },
    /// An Ed25519 key.
    #[serde(rename = "OKP")]
    Okp {
        /// The curve, always Ed25519.
        crv: OkpCurve,
        /// The key, base64url.
        x: String,
    },
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa {
        /// The public exponent, base64url.
        e: String,
        /// The modulus, base64url.
        n: String,
    },
}

/// The curves of an EC account key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EcCurve {
    /// NIST P-256.
    #[serde(rename = "P-256")]
    P256,
    /// NIST P-384.
    #[serde(rename = "P-384")]
    P384,
    /// NIST P-521.
    #[serde(rename = "P-521")]
    P521,
}

/// The curves of an OKP account key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum OkpCurve {
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// Why a key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// A key type other than EC, OKP and RSA.
    #[error("the key type `{0}` is not supported: use EC, OKP or RSA")]
    Type(String),
    /// A curve that is not supported for its key type.
    #[error("the curve `{0}` is not supported: use P-256, P-384, P-521 or Ed25519")]
    Curve(String),
    /// A member is missing, has the wrong length or is not base64url.
    #[error("the member `{0}` of the key is missing or is not base64url of the right length")]
    Member(&'static str),
    /// The key carries a private member; it must be treated as compromised.
    #[error("the key holds its private part, which was sent to the server: throw it away and make a new one")]
    Private,
    /// The RSA modulus is outside 2048–8192 bits.
    #[error("the RSA key has {0} bits: use 2048 to 8192")]
    RsaSize(usize),
    /// The RSA key is weak by its numbers.
    #[error("the RSA key is weak: {0}; make a new one")]
    WeakRsa(RsaWeakness),
    /// Others have the private key too.
    #[error("the key is known to be compromised: throw it away and make a new one")]
    Compromised,
    /// The numbers are no key: an off-curve point, say.
    #[error("the key is not valid for its type: its numbers are not a public key")]
    NotAKey,
}

impl From<KeyRefusal> for Problem {
    fn from(refusal: KeyRefusal) -> Self {
        Problem::new(ProblemType::BadPublicKey, refusal.to_string())
    }
}

/// A JWK as it arrives, before anything is believed of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RawJwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    e: Option<String>,
    n: Option<String>,
    #[serde(default)]
    d: Presence,
    #[serde(default)]
    k: Presence,
}

impl RawJwk {
    pub(crate) fn check(self) -> Result<AccountKey, KeyRefusal> {
        if self.d.is_there() || self.k.is_there() {
            return Err(KeyRefusal::Private);
        }
        let jwk = match self.kty.as_str() {
            "EC" => Jwk::Ec {
                crv: EcCurve::named(self.crv.as_deref().unwrap_or_default())?,
                x: self.x.ok_or(KeyRefusal::Member("x"))?,
                y: self.y.ok_or(KeyRefusal::Member("y"))?,
            },
            "OKP" => Jwk::Okp {
                crv: OkpCurve::named(self.crv.as_deref().unwrap_or_default())?,
                x: self.x.ok_or(KeyRefusal::Member("x"))?,
            },
            "RSA" => Jwk::Rsa {
                e: self.e.ok_or(KeyRefusal::Member("e"))?,
                n: self.n.ok_or(KeyRefusal::Member("n"))?,
            },
            other => return Err(KeyRefusal::Type(other.chars().take(32).collect())),
        };
        AccountKey::new(jwk)
    }
}

impl EcCurve {
    fn named(name: &str) -> Result<Self, KeyRefusal> {
        match name {
            "P-256" => Ok(Self::P256),
            "P-384" => Ok(Self::P384),
            "P-521" => Ok(Self::P521),
            other => Err(KeyRefusal::Curve(other.chars().take(32).collect())),
        }
    }

    /// The length of a coordinate, fixed by RFC 7518 §6.2.1.2.
    const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl OkpCurve {
    fn named(name: &str) -> Result<Self, KeyRefusal> {
        match name {
            "Ed25519" => Ok(Self::Ed25519),
            other => Err(KeyRefusal::Curve(other.chars().take(32).collect())),
        }
    }
}

/// The SHA-256 thumbprint of a key (RFC 7638), in base64url: the name by which a key is looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key that was checked, with what follows from it computed once.
#[derive(Debug, Clone)]
pub struct AccountKey {
    jwk: Jwk,
    algorithm: Algorithm,
    thumbprint: Thumbprint,
    verifying: VerifyingKey,
    spki_der: Vec<u8>,
}

impl AccountKey {
    /// Checks a key.
    ///
    /// # Errors
    /// A [`KeyRefusal`] for a key that the server does not accept.
    pub fn new(jwk: Jwk) -> Result<Self, KeyRefusal> {
        let (algorithm, verifying) = match &jwk {
            Jwk::Ec { crv, x, y } => ec_key(*crv, x, y)?,
            Jwk::Okp { crv: OkpCurve::Ed25519, x } => (Algorithm::EdDsa, ed25519_key(x)?),
            Jwk::Rsa { e, n } => (Algorithm::Rs256, rsa_key(e, n)?),
        };
        let thumbprint = Thumbprint(Base64UrlUnpadded::encode_string(&sha256(jwk.canonical().as_bytes())));
        let spki_der = verifying.spki_der().ok_or(KeyRefusal::NotAKey)?;
        Ok(Self { jwk, algorithm, thumbprint, verifying, spki_der })
    }

    /// Reads a key from the JSON that [`AccountKey::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is no JWK, or one that is refused.
    pub fn from_json(json: &str) -> Result<Self, KeyRefusal> {
        let Object(raw): Object<RawJwk> = serde_json::from_str(json).map_err(|_| KeyRefusal::NotAKey)?;
        raw.check()
    }

    /// The key as JSON, with the required members only, in the order of RFC 7638.
    pub fn to_json(&self) -> String {
        self.jwk.canonical()
    }

    /// The key as a JWK.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The one signature algorithm that the key is used with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The thumbprint.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The key as a SubjectPublicKeyInfo in DER, the form in which certificate requests carry keys.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// Refuses the key where its private half is known to others. To be asked where an account is about to get
    /// the key, and not where a certificate is revoked with it, which is the best use of such a key.
    ///
    /// # Errors
    /// [`KeyRefusal::Compromised`].
    pub fn refuse_compromised(&self, known: &CompromisedKeys) -> Result<(), KeyRefusal> {
        if known.contains(&self.spki_der) { Err(KeyRefusal::Compromised) } else { Ok(()) }
    }

    /// Whether `signature` over `message` is this key's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifying.verifies(message, signature)
    }
}

impl Jwk {
    /// The input of the thumbprint: required members, sorted, no white space (RFC 7638 §3.2).
    ///
    /// The members hold base64url only (checked before a `Jwk` is used), so nothing needs escaping.
    fn canonical(&self) -> String {
        match self {
            Self::Ec { crv, x, y } => {
                let crv = match crv {
                    EcCurve::P256 => "P-256",
                    EcCurve::P384 => "P-384",
                    EcCurve::P521 => "P-521",
                };
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Okp { crv: OkpCurve::Ed25519, x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)
            }
            Self::Rsa { e, n } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        }
    }
}

fn ec_key(curve: EcCurve, x: &str, y: &str) -> Result<(Algorithm, VerifyingKey), KeyRefusal> {
    let (algorithm, scheme) = match curve {
        EcCurve::P256 => (Algorithm::Es256, Scheme::EcdsaP256Sha256),
        EcCurve::P384 => (Algorithm::Es384, Scheme::EcdsaP384Sha384),
        EcCurve::P521 => (Algorithm::Es512, Scheme::EcdsaP521Sha512),
    };
    // SEC 1 §2.3.3: an uncompressed point is 04 ‖ x ‖ y.
    let mut point = vec![4];
    point.extend(fixed_member("x", x, curve.coordinate_bytes())?);
    point.extend(fixed_member("y", y, curve.coordinate_bytes())?);
    Ok((algorithm, VerifyingKey::new(scheme, &point).ok_or(KeyRefusal::NotAKey)?))
}

fn ed25519_key(x: &str) -> Result<VerifyingKey, KeyRefusal> {
    let raw = fixed_member("x", x, 32)?;
    let point = raw.as_slice().try_into().map_err(|_| KeyRefusal::Member("x"))?;
    ed25519::examine(point).map_err(|ed25519::SmallOrder| KeyRefusal::NotAKey)?;
    // Whether the point is on the curve is only found out when a signature is checked, and then none
    // verifies; so a point off the curve becomes no account's key.
    VerifyingKey::new(Scheme::Ed25519, &raw).ok_or(KeyRefusal::NotAKey)
}

fn rsa_key(e: &str, n: &str) -> Result<VerifyingKey, KeyRefusal> {
    // RFC 7518 §6.3.1: big-endian with no leading zero octets; zero, one octet, is none of an RSA key's numbers.
    let modulus = Base64UrlUnpadded::decode_vec(n).map_err(|_| KeyRefusal::Member("n"))?;
    let exponent = Base64UrlUnpadded::decode_vec(e).map_err(|_| KeyRefusal::Member("e"))?;
    let leading = *modulus.first().ok_or(KeyRefusal::Member("n"))?;
    if leading == 0 {
        return Err(KeyRefusal::Member("n"));
    }
    let bits = modulus.len() * 8 - leading.leading_zeros() as usize;
    if !(2048..=8192).contains(&bits) {
        return Err(KeyRefusal::RsaSize(bits));
    }
    if exponent.first().is_none_or(|first| *first == 0) {
        return Err(KeyRefusal::Member("e"));
    }
    rsa::examine(&modulus, &exponent).map_err(KeyRefusal::WeakRsa)?;
    VerifyingKey::rsa(&modulus, &exponent).ok_or(KeyRefusal::NotAKey)
}

fn fixed_member(name: &'static str, text: &str, bytes: usize) -> Result<Vec<u8>, KeyRefusal> {
    let decoded = Base64UrlUnpadded::decode_vec(text).map_err(|_| KeyRefusal::Member(name))?;
    if decoded.len() == bytes { Ok(decoded) } else { Err(KeyRefusal::Member(name)) }
}
