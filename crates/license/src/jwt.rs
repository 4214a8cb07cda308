//! The licence JWT (`license.jwt`): a compact JWS (RFC 7515 §3.1) with the claims of the licence.
//!
//! The anchor decides how a signature is checked; the header's `alg` has to agree with it and decides
//! nothing. The signature covers the bytes received and is checked before the claims are read.
//! `docs/formats/license-jwt.md` is the normative text.

mod claims;

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

pub use claims::{Claims, ClaimsError, MAX_GRACE_DAYS, Tier};

use crate::crypto::{KeyId, Method, PublicKey, SigningFailed, SigningKey};
use crate::json::{self, Bounds, JsonError};
use crate::state::InvalidReason;

/// The longest token that is read, in bytes.
pub const MAX_LENGTH: usize = 16 * 1_024;

const HEADER: Bounds = Bounds { bytes: 512, depth: 1 };

/// A licence JWT whose signature was found right. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    signer: KeyId,
    claims: Claims,
}

impl Verified {
    /// What it says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The key that signed it, which decides product and environment.
    pub fn signer(&self) -> KeyId {
        self.signer
    }
}

/// Why a licence JWT is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// It is longer than any licence.
    #[error("a licence JWT has at most {MAX_LENGTH} bytes, and this has {0}")]
    TooLong(usize),
    /// It is not three parts in base64url.
    #[error("not a compact JWS: three parts in base64url without padding, with full stops between them")]
    NotCompact,
    /// The header is not the one that goes with a licence.
    #[error("the header: {0}")]
    Header(JsonError),
    /// The header asks for a method that no licence is signed with.
    #[error("the header names the algorithm {0:?}: a licence is signed with RS256 or EdDSA")]
    Algorithm(String),
    /// The header names a type other than JWT.
    #[error("the header names the type {0:?}: a licence JWT has the type JWT, or none")]
    Type(String),
    /// The header names a key that is not trusted.
    #[error("it is signed by the key {0:?}, which is not trusted here")]
    UnknownKey(String),
    /// The header's algorithm is not that of the key.
    #[error("the header says {0}, and no trusted key that it could be signed with does")]
    OtherMethod(Algorithm),
    /// The signature is wrong.
    #[error("the signature is wrong: the licence was altered, or is signed by a key that is not trusted")]
    BadSignature,
    /// The signature is right, and the claims are not those of a licence.
    #[error("the claims: {0}")]
    Claims(#[from] ClaimsError),
}

impl JwtError {
    /// The class of the error, as the state function takes it.
    pub const fn reason(&self) -> InvalidReason {
        match self {
            Self::TooLong(_) | Self::NotCompact | Self::Header(_) | Self::Type(_) | Self::Claims(_) => {
                InvalidReason::Malformed
            }
            Self::Algorithm(_) | Self::OtherMethod(_) => InvalidReason::AlgorithmRefused,
            Self::BadSignature => InvalidReason::BadSignature,
            Self::UnknownKey(_) => InvalidReason::UnknownKey,
        }
    }
}

/// Why a licence JWT is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// The claims would not be accepted.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// The cryptographic library could not sign.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

/// A method as a JOSE header names it (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::EdDsa, Self::Rs256];

    const fn of(method: Method) -> Self {
        match method {
            Method::Ed25519 => Self::EdDsa,
            Method::RsaPkcs1Sha256 => Self::Rs256,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The three members a header may have. Every other one is refused: `crit` and `b64` change what is
/// signed (RFC 7515 §4.1.11, RFC 7797), `jwk`, `jku`, `x5c` and `x5u` offer a key of the sender's.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "json::not_null", skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "json::not_null", skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
}

/// Verifies a licence JWT under the keys that are trusted, and then reads it.
///
/// White space round the token is allowed, since files end with a line break. A `kid` in the header
/// narrows the choice to the trusted key of that id.
///
/// # Errors
/// [`JwtError`]; nothing of the claims is read before the signature is found right. Whether the licence
/// has begun, ended or was revoked is for [`state`](crate::state::state) to say.
pub fn verify(token: &[u8], trusted: &[PublicKey]) -> Result<Verified, JwtError> {
    if token.len() > MAX_LENGTH {
        return Err(JwtError::TooLong(token.len()));
    }
    let token = std::str::from_utf8(token.trim_ascii()).map_err(|_| JwtError::NotCompact)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::NotCompact)?;
    let (header, payload) = signed.split_once('.').ok_or(JwtError::NotCompact)?;
    let [header, payload, signature] = [base64url(header)?, base64url(payload)?, base64url(signature)?];

    let header: Header = json::read(&header, HEADER).map_err(JwtError::Header)?;
    let claimed = claimed_algorithm(&header)?;
    let mut candidates: Vec<&PublicKey> = trusted.iter().collect();
    if let Some(kid) = &header.kid {
        candidates.retain(|key| key.id().to_string() == *kid);
        if candidates.is_empty() {
            return Err(JwtError::UnknownKey(cut(kid)));
        }
    }
    candidates.retain(|key| Algorithm::of(key.method()) == claimed);
    if candidates.is_empty() {
        return Err(JwtError::OtherMethod(claimed));
    }
    let key = candidates.into_iter().find(|key| key.verifies(signed.as_bytes(), &signature));
    let signer = key.ok_or(JwtError::BadSignature)?.id();
    Ok(Verified { signer, claims: Claims::read(&payload)? })
}

/// Signs a licence JWT, with the key's own method and its id in the header.
///
/// # Errors
/// When the claims would not be accepted by [`verify`], or the cryptographic library fails.
pub fn mint(claims: &Claims, key: &SigningKey) -> Result<String, MintError> {
    let header = Header {
        alg: Algorithm::of(key.public().method()).name().to_owned(),
        typ: Some("JWT".to_owned()),
        kid: Some(key.public().id().to_string()),
    };
    // A struct of texts always has a JSON form.
    let header = serde_json::to_vec(&header).unwrap_or_default();
    let claims = claims.write()?;
    let signed = format!(
        "{}.{}",
        Base64UrlUnpadded::encode_string(&header),
        Base64UrlUnpadded::encode_string(&claims)
    );
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature)))
}

fn claimed_algorithm(header: &Header) -> Result<Algorithm, JwtError> {
    if let Some(typ) = &header.typ
        && typ != "JWT"
    {
        return Err(JwtError::Type(cut(typ)));
    }
    let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == header.alg);
    known.ok_or_else(|| JwtError::Algorithm(cut(&header.alg)))
}

/// Only the canonical encoding is read: one token has one spelling.
fn base64url(part: &str) -> Result<Vec<u8>, JwtError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| JwtError::NotCompact)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
