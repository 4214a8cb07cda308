//! The armour and the envelope of a machine file: what can be read without its keys.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use super::MachineFileError;
use crate::armour::{self, ArmourError};
use crate::base64;
use crate::crypto::aes_gcm::{NONCE_LENGTH, TAG_LENGTH};
use crate::crypto::{PublicKey, SigningFailed, SigningKey};
use crate::json::{self, Bounds};
use crate::limits;

/// How a machine file is made: the one way that there is.
pub const ALGORITHM: &str = "aes-256-gcm+ed25519";

pub(super) const LABEL: &str = "MACHINE FILE";
/// The longest file, in bytes.
pub(super) const MAX_FILE_LENGTH: usize = 1_024 * 1_024;
const MAX_ENVELOPE_LENGTH: usize = 768 * 1_024;
pub(super) const MAX_CIPHERTEXT_LENGTH: usize = 512 * 1_024;
/// What the signed text begins with, so that no other signature of the key is one of a machine file.
const SIGNED_PREFIX: &str = "machine/";

/// The envelope, as it was received. In JSON it has one form: these members, in this order, without white
/// space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    enc: String,
    sig: String,
    alg: String,
    pub(super) kid: String,
}

/// What was encrypted, taken apart.
pub(super) struct Sealed {
    pub(super) ciphertext: Vec<u8>,
    pub(super) nonce: [u8; NONCE_LENGTH],
    pub(super) tag: [u8; TAG_LENGTH],
}

impl Envelope {
    pub(super) fn read(text: &str) -> Result<Self, MachineFileError> {
        if text.len() > MAX_FILE_LENGTH {
            return Err(MachineFileError::TooLarge { length: text.len() });
        }
        let content = armour::base64(text, LABEL, MAX_FILE_LENGTH)?;
        let content = base64::decode(&content).map_err(|_| ArmourError::Base64)?;
        let bounds = Bounds { bytes: MAX_ENVELOPE_LENGTH, depth: 1 };
        let envelope: Self = json::read(&content, bounds).map_err(MachineFileError::EnvelopeJson)?;
        if json::write(&envelope).map_err(MachineFileError::EnvelopeJson)? != content {
            const RULE: &str = "its members are enc, sig, alg and kid, in this order and without white space";
            return Err(MachineFileError::Envelope(RULE));
        }
        if envelope.alg != ALGORITHM {
            return Err(MachineFileError::Algorithm);
        }
        limits::key_id(&envelope.kid).map_err(|_| {
            MachineFileError::Envelope(
                "kid is 1 to 255 letters, digits, full stops, underscores, colons and hyphens",
            )
        })?;
        Ok(envelope)
    }

    pub(super) fn sign(
        ciphertext: &[u8],
        nonce: [u8; NONCE_LENGTH],
        tag: &[u8],
        kid: &str,
        key: &SigningKey,
    ) -> Result<Self, SigningFailed> {
        let enc = [ciphertext, &nonce, tag].map(Base64UrlUnpadded::encode_string).join(".");
        let sig = Base64UrlUnpadded::encode_string(&key.sign(&signed_bytes(&enc))?);
        Ok(Self { enc, sig, alg: ALGORITHM.to_owned(), kid: kid.to_owned() })
    }

    /// The file, which ends with its last line, without a line break.
    pub(super) fn write(&self) -> Result<String, MachineFileError> {
        let content = json::write(self).map_err(MachineFileError::EnvelopeJson)?;
        let mut text = armour::encode(LABEL, &content);
        text.truncate(text.trim_end().len());
        Ok(text)
    }

    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), MachineFileError> {
        let refused = || MachineFileError::BadSignature(self.kid.clone());
        let signature = base64::decode_url(&self.sig).map_err(|_| refused())?;
        if key.verifies(&signed_bytes(&self.enc), &signature) { Ok(()) } else { Err(refused()) }
    }

    /// What was encrypted. Only what was signed is taken apart.
    pub(super) fn sealed(&self) -> Result<Sealed, MachineFileError> {
        let mut parts = self.enc.split('.').map(base64::decode_url);
        let (Some(Ok(ciphertext)), Some(Ok(nonce)), Some(Ok(tag)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(MachineFileError::Sealed(
                "enc is three parts in base64url without padding, with full stops between them",
            ));
        };
        if ciphertext.len() > MAX_CIPHERTEXT_LENGTH {
            return Err(MachineFileError::Sealed("the ciphertext has at most 512 KiB"));
        }
        let nonce = nonce.try_into().map_err(|_| MachineFileError::Sealed("the nonce has 12 bytes"))?;
        let tag = tag.try_into().map_err(|_| MachineFileError::Sealed("the tag has 16 bytes"))?;
        Ok(Sealed { ciphertext, nonce, tag })
    }
}

fn signed_bytes(enc: &str) -> Vec<u8> {
    [SIGNED_PREFIX, enc].concat().into_bytes()
}
