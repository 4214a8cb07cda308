//! The envelope of every signed document: DSSE v1 (Dead Simple Signing Envelope), in its strict form.
//!
//! What is signed is not the payload alone but its type with it, so a signature for one type of document
//! never verifies as another. Nothing of the payload is looked at here. See `docs/formats/envelope.md`.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};

use crate::base64;
use crate::crypto::{SigningFailed, SigningKey};
use crate::json::{self, Bounds, JsonError};

/// More signatures than that no document has: one each by an old and a new key, in two schemes, leaves room.
pub(crate) const MAX_SIGNATURES: usize = 8;

/// The envelope, its `signatures`, and a signature.
const DEPTH: usize = 3;
const MAX_KEY_ID_LENGTH: usize = 128;

/// What is wrong with an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It is not the JSON object that it must be.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// Something, if only white space, stands before or behind the JSON object.
    #[error("the envelope must begin with `{{` and end with `}}`, with nothing around it")]
    Surrounded,
    /// The payload or a signature is not base64.
    #[error("`{0}` is not canonical base64 with padding")]
    Base64(&'static str),
    /// It has no signature, or too many.
    #[error("{0} signatures: there must be 1 to {MAX_SIGNATURES}")]
    SignatureCount(usize),
    /// The id of a key is empty, too long, or not in visible ASCII.
    #[error("a key id has 1 to {MAX_KEY_ID_LENGTH} visible ASCII characters")]
    KeyId,
    /// Two signatures name the same key.
    #[error("two signatures name the key {0}")]
    KeyTwice(String),
}

/// An envelope as it was received; nothing in it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) payload_type: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) signatures: Vec<Signature>,
}

/// One signature, by a key that may well be unknown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

impl Envelope {
    /// Puts the payload into an envelope signed by each of those keys.
    pub(crate) fn sign(
        payload_type: &str,
        payload: Vec<u8>,
        keys: &[&SigningKey],
    ) -> Result<Self, SigningFailed> {
        let signed = signed_bytes(payload_type, &payload);
        let sign = |key: &&SigningKey| {
            Ok(Signature { key_id: key.public().id().to_string(), bytes: key.sign(&signed)? })
        };
        let signatures = keys.iter().map(sign).collect::<Result<_, _>>()?;
        Ok(Self { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// Reads an envelope of at most `max` bytes.
    pub(crate) fn read(bytes: &[u8], max: usize) -> Result<Self, EnvelopeError> {
        // White space there would be the one alteration of an armour that nobody notices.
        if !bytes.starts_with(b"{") || !bytes.ends_with(b"}") {
            return Err(EnvelopeError::Surrounded);
        }
        let wire: Wire = json::read(bytes, Bounds { bytes: max, depth: DEPTH })?;
        if !(1..=MAX_SIGNATURES).contains(&wire.signatures.len()) {
            return Err(EnvelopeError::SignatureCount(wire.signatures.len()));
        }
        let mut signatures: Vec<Signature> = Vec::with_capacity(wire.signatures.len());
        for WireSignature { keyid, sig } in wire.signatures {
            // Ids are shown in errors, so they may carry nothing that a terminal obeys.
            let is_visible = keyid.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_visible || !(1..=MAX_KEY_ID_LENGTH).contains(&keyid.len()) {
                return Err(EnvelopeError::KeyId);
            }
            if signatures.iter().any(|earlier| earlier.key_id == keyid) {
                return Err(EnvelopeError::KeyTwice(keyid));
            }
            let bytes = base64::decode(&sig).map_err(|_| EnvelopeError::Base64("sig"))?;
            signatures.push(Signature { key_id: keyid, bytes });
        }
        let payload = base64::decode(&wire.payload).map_err(|_| EnvelopeError::Base64("payload"))?;
        Ok(Self { payload_type: wire.payload_type, payload, signatures })
    }

    pub(crate) fn write(&self) -> Result<Vec<u8>, JsonError> {
        let signatures = self.signatures.iter().map(|signature| WireSignature {
            keyid: signature.key_id.clone(),
            sig: Base64::encode_string(&signature.bytes),
        });
        json::write(&Wire {
            payload_type: self.payload_type.clone(),
            payload: Base64::encode_string(&self.payload),
            signatures: signatures.collect(),
        })
    }

    /// The bytes that every signature covers.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        signed_bytes(&self.payload_type, &self.payload)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    #[serde(deserialize_with = "json::objects")]
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: String,
    sig: String,
}

/// The pre-authentication encoding of DSSE v1: each part behind its length, so no two pairs of type and
/// payload look alike.
fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 4_096;

    #[test]
    fn what_is_signed_is_the_encoding_of_the_dsse_protocol() {
        // The worked example of the DSSE v1 protocol.
        assert_eq!(
            signed_bytes("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_reads_back_with_each_signature_verifying() {
        let keys = [1, 2].map(|seed| SigningKey::from_ed25519_seed(&[seed; 32]).unwrap());
        let envelope = Envelope::sign("text/plain", b"hello".to_vec(), &[&keys[0], &keys[1]]).unwrap();
        let read = Envelope::read(&envelope.write().unwrap(), MAX).unwrap();
        assert_eq!(read, envelope);
        for (key, signature) in keys.iter().zip(&read.signatures) {
            assert_eq!(signature.key_id, key.public().id().to_string());
            assert!(key.public().verifies(&read.signed_bytes(), &signature.bytes));
            assert!(!key.public().verifies(b"hello", &signature.bytes));
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let envelope = |payload: &str, signatures: &str| {
            let json = format!(r#"{{"payloadType":"t","payload":"{payload}","signatures":[{signatures}]}}"#);
            Envelope::read(json.as_bytes(), MAX)
        };
        let signature = |key: usize| format!(r#"{{"keyid":"k{key}","sig":"AAAA"}}"#);
        let signatures = |count: usize| (0..count).map(signature).collect::<Vec<_>>().join(",");
        assert!(envelope("e30=", &signatures(1)).is_ok());
        assert!(envelope("e30=", &signatures(8)).is_ok());
        for (found, error) in [
            (envelope("e30=", ""), EnvelopeError::SignatureCount(0)),
            (envelope("e30=", &signatures(9)), EnvelopeError::SignatureCount(9)),
            (envelope("e30", &signatures(1)), EnvelopeError::Base64("payload")),
            (envelope("e31=", &signatures(1)), EnvelopeError::Base64("payload")),
            (envelope("e3-_", &signatures(1)), EnvelopeError::Base64("payload")),
            (envelope("e30=", r#"{"keyid":"k","sig":"AAA"}"#), EnvelopeError::Base64("sig")),
            (envelope("e30=", r#"{"keyid":"","sig":"AAAA"}"#), EnvelopeError::KeyId),
            (envelope("e30=", r#"{"keyid":"\u001b[2J","sig":"AAAA"}"#), EnvelopeError::KeyId),
            (
                envelope("e30=", &format!(r#"{{"keyid":"{}","sig":"AAAA"}}"#, "k".repeat(129))),
                EnvelopeError::KeyId,
            ),
            (
                envelope("e30=", &[signature(1), signature(1)].join(",")),
                EnvelopeError::KeyTwice("k1".to_owned()),
            ),
        ] {
            assert_eq!(found, Err(error));
        }
        let whole = r#"{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"k","sig":"AAAA"}]}"#;
        assert!(Envelope::read(whole.as_bytes(), MAX).is_ok());
        for surrounded in ["", "[]", &format!("{whole}\t"), &format!(" {whole}"), &format!("{whole}$")] {
            assert_eq!(
                Envelope::read(surrounded.as_bytes(), MAX),
                Err(EnvelopeError::Surrounded),
                "{surrounded}"
            );
        }
        for json in [
            "{}",
            r#"{"payload":"e30=","signatures":[{"keyid":"k","sig":"AAAA"}]}"#,
            r#"{"payloadType":"t","payload":"e30=","signatures":[{"sig":"AAAA"}]}"#,
            r#"{"payloadType":"t","payload":"e30=","signatures":[{"keyid":"k","sig":"AAAA","alg":"none"}]}"#,
            r#"{"payloadType":"t","payload":"e30=","payload":"e30=","signatures":[{"keyid":"k","sig":"AAAA"}]}"#,
        ] {
            let found = Envelope::read(json.as_bytes(), MAX);
            assert!(matches!(found, Err(EnvelopeError::Json(_))), "{json}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_documents_are_signed_alike(
            types in any::<[String; 2]>(), payloads in any::<[Vec<u8>; 2]>(),
        ) {
            let alike = types[0] == types[1] && payloads[0] == payloads[1];
            let signed = [0, 1].map(|index| signed_bytes(&types[index], &payloads[index]));
            prop_assert_eq!(signed[0] == signed[1], alike);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Envelope::read(&bytes, MAX);
        }
    }
}
