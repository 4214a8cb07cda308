//! Machine files, schema 2: what licenses one machine without a network.
//!
//! The contents are signed by the vendor, and encrypted under a key that whoever knows the licence key and the
//! fingerprint can make. See `docs/formats/machine-file.md`.

pub mod block;
mod contents;
mod envelope;
mod error;
mod payload;

use std::time::Duration;

use chancery_time::Timestamp;
use zeroize::Zeroizing;

use crate::armour;
use crate::crypto::{KeyId, Method, PublicKey, SigningKey, aes_gcm, same_secret};
use crate::limits;

pub use contents::{Contents, Entitlement, IncludedLicense, Machine, Metadata, Mode};
pub use envelope::ALGORITHM;
pub use error::{IssueError, MachineFileError};

use envelope::{Envelope, LABEL, Sealed};
use payload::Payload;

/// How far a machine's clock may be behind the issuer's.
const SKEW: Duration = Duration::from_secs(300);

/// What a machine file is held against.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The licence key that the machine was told.
    pub license_key: &'a str,
    /// The fingerprint of the machine.
    pub fingerprint: &'a str,
    /// The product that asks.
    pub product_slug: &'a str,
    /// The Ed25519 keys that are trusted, each under the name that files give it.
    pub keys: &'a [(String, PublicKey)],
    /// What the clock of the machine shows.
    pub now: Timestamp,
    /// The highest trustworthy time seen here, where something remembers it.
    pub watermark: Option<Timestamp>,
}

/// Whose a machine file has to be for [`read`].
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The licence key that the machine was told.
    pub license_key: &'a str,
    /// The fingerprint of the machine.
    pub fingerprint: &'a str,
    /// The product that asks.
    pub product_slug: &'a str,
    /// The Ed25519 keys that are trusted, each under the name that files give it.
    pub keys: &'a [(String, PublicKey)],
}

/// What the contents of a machine file are worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has not run out.
    Valid,
    /// It has run out, and counts all the same until then.
    Grace {
        /// The first instant at which it no longer counts.
        until: Timestamp,
    },
}

/// A machine file that was found right for this machine, now. Only [`open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFile {
    contents: Contents,
    standing: Standing,
    signer: KeyId,
}

/// A machine file for this machine, of which nobody has judged yet whether it counts now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// What it says.
    pub contents: Contents,
    /// The key whose signature was accepted.
    pub signer: KeyId,
}

/// A machine file as it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The file itself: its armour, without a line break at the end.
    pub certificate: String,
    /// When it says it was issued.
    pub issued: Timestamp,
    /// When it runs out.
    pub expires: Timestamp,
}

impl MachineFile {
    /// What it says.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What it is worth at the time at which it was opened.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// The key whose signature was accepted.
    pub fn signer(&self) -> KeyId {
        self.signer
    }
}

impl Issued {
    /// How many seconds it lives.
    pub fn ttl_seconds(&self) -> u64 {
        self.expires.since(self.issued).as_secs()
    }
}

/// Whether the text begins as a machine file does.
pub fn is_one(text: &str) -> bool {
    armour::label(text) == Some(LABEL)
}

/// Opens a machine file and holds it against what is expected, one step after the other.
///
/// # Errors
/// See [`MachineFileError`]; [`MachineFileError::class`] names the class that the test vectors use.
pub fn open(text: &str, expected: &Expected<'_>) -> Result<MachineFile, MachineFileError> {
    let &Expected { license_key, fingerprint, product_slug, keys, now, watermark } = expected;
    let identity = Identity { license_key, fingerprint, product_slug, keys };
    let decrypted = Decrypted::new(text, &identity)?;
    let standing = judge(&decrypted.contents, now, watermark)?;
    let Unjudged { contents, signer } = decrypted.hold_to(&identity)?;
    Ok(MachineFile { contents, standing, signer })
}

/// Opens a machine file, and leaves it to the caller to judge by its times whether it counts: what has run out is
/// read too, and so is what has not begun. For programs that judge it beside other documents, as `chancery` does
/// by [`state`](crate::state()); any other wants [`open`].
///
/// # Errors
/// As [`open`], but for the classes that speak of time.
pub fn read(text: &str, identity: &Identity<'_>) -> Result<Unjudged, MachineFileError> {
    Decrypted::new(text, identity)?.hold_to(identity)
}

/// Whose signature a machine file bears, which can be told without its licence key. What it says is not looked at.
///
/// # Errors
/// As [`open`], as far as the encrypted part.
pub fn signer(text: &str, keys: &[(String, PublicKey)]) -> Result<KeyId, MachineFileError> {
    Signed::new(text, keys).map(|signed| signed.signer)
}

/// Makes the machine file of those contents.
///
/// The nonce is of random bytes, and never used again for this licence key and fingerprint.
///
/// # Errors
/// Contents that [`open`] would refuse anywhere and at any time, a life beyond ten years or the licence's end,
/// and a key that cannot sign.
pub fn issue(
    contents: &Contents,
    license_key: &str,
    key: &SigningKey,
    nonce: [u8; 12],
) -> Result<Issued, IssueError> {
    if contents.expires.since(contents.issued) > Duration::from_secs(u64::from(limits::MAX_TTL_DAYS) * 86_400)
    {
        return Err(IssueError::TooLong);
    }
    if contents.license_expires.is_some_and(|end| end < contents.expires) {
        return Err(IssueError::OutlivesLicense);
    }
    let plaintext = Payload::write(contents, license_key)?;
    issue_plaintext(&plaintext, license_key, key, nonce)
}

/// Makes the machine file of a plaintext that is written already, and that is kept as it is, to the byte.
///
/// # Errors
/// As [`issue`], but for the length of the life.
pub fn issue_plaintext(
    plaintext: &[u8],
    license_key: &str,
    key: &SigningKey,
    nonce: [u8; 12],
) -> Result<Issued, IssueError> {
    if key.public().method() != Method::Ed25519 {
        return Err(IssueError::NotEd25519(key.public().id()));
    }
    let payload = Payload::read(plaintext)?;
    let contents = payload.claims(payload.key_id(), license_key)?;
    payload.included(&contents, license_key)?;
    let secret = encryption_key(license_key, &contents.machine.fingerprint);
    let (ciphertext, tag) =
        aes_gcm::seal(&secret, nonce, plaintext).map_err(|_| IssueError::EncryptionFailed)?;
    let certificate = Envelope::sign(&ciphertext, nonce, &tag, &contents.kid, key)?.write()?;
    Envelope::read(&certificate)?.sealed()?;
    Ok(Issued { certificate, issued: contents.issued, expires: contents.expires })
}

/// A machine file that a trusted key signed.
struct Signed {
    kid: String,
    signer: KeyId,
    sealed: Sealed,
}

/// Contents that are those of a file for this licence key and this product.
struct Decrypted {
    payload: Payload,
    contents: Contents,
    signer: KeyId,
}

impl Signed {
    fn new(text: &str, keys: &[(String, PublicKey)]) -> Result<Self, MachineFileError> {
        let envelope = Envelope::read(text)?;
        let key = keys
            .iter()
            .find(|(name, key)| *name == envelope.kid && key.method() == Method::Ed25519)
            .map(|(_, key)| key)
            .ok_or_else(|| MachineFileError::UnknownKey(envelope.kid.clone()))?;
        envelope.verify(key)?;
        Ok(Self { sealed: envelope.sealed()?, signer: key.id(), kid: envelope.kid })
    }
}

impl Decrypted {
    fn new(text: &str, identity: &Identity<'_>) -> Result<Self, MachineFileError> {
        let Signed { kid, signer, sealed } = Signed::new(text, identity.keys)?;
        let secret = encryption_key(identity.license_key, identity.fingerprint);
        let plaintext = aes_gcm::open(&secret, sealed.nonce, &sealed.ciphertext, &sealed.tag)
            .map_err(|_| MachineFileError::DecryptionFailed)?;
        let payload = Payload::read(&plaintext)?;
        let contents = payload.claims(&kid, identity.license_key)?;
        if contents.product_slug != identity.product_slug {
            let (found, expected) = (contents.product_slug, identity.product_slug.to_owned());
            return Err(MachineFileError::WrongProduct { found, expected });
        }
        Ok(Self { payload, contents, signer })
    }

    /// What comes after the rules of time.
    fn hold_to(self, identity: &Identity<'_>) -> Result<Unjudged, MachineFileError> {
        let Self { payload, mut contents, signer } = self;
        if !same_secret(contents.machine.fingerprint.as_bytes(), identity.fingerprint.as_bytes()) {
            return Err(MachineFileError::WrongFingerprint);
        }
        contents.license = payload.included(&contents, identity.license_key)?;
        Ok(Unjudged { contents, signer })
    }
}

/// SHA-256(licence key ‖ fingerprint): the format knows no salt.
fn encryption_key(license_key: &str, fingerprint: &str) -> Zeroizing<[u8; 32]> {
    let joined = Zeroizing::new([license_key.as_bytes(), fingerprint.as_bytes()].concat());
    Zeroizing::new(crate::crypto::sha256(&joined))
}

/// The rules of time. What has been seen before counts against a clock that shows less.
fn judge(
    contents: &Contents,
    now: Timestamp,
    watermark: Option<Timestamp>,
) -> Result<Standing, MachineFileError> {
    if let Some(watermark) = watermark.filter(|watermark| now + SKEW < *watermark) {
        return Err(MachineFileError::ClockSetBack { now, watermark });
    }
    if contents.issued > now + SKEW {
        return Err(MachineFileError::IssuedInTheFuture { issued: contents.issued, now });
    }
    if contents.not_before > now + SKEW {
        return Err(MachineFileError::NotYetValid { not_before: contents.not_before, now });
    }
    let now = watermark.map_or(now, |watermark| watermark.max(now));
    let until = contents.expires + contents.grace;
    if now >= until {
        return Err(MachineFileError::Expired { until });
    }
    if let Some(ended) = contents.license_expires.filter(|end| now >= *end) {
        return Err(MachineFileError::LicenseExpired { ended });
    }
    let until = contents.license_expires.map_or(until, |end| end.min(until));
    Ok(if now < contents.expires { Standing::Valid } else { Standing::Grace { until } })
}

#[cfg(test)]
mod tests;
