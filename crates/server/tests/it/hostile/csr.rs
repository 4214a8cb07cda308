//! Certificate requests (PKCS #10, RFC 2986) that are sound until a case spoils them.

use std::sync::Arc;

use rcgen::{KeyPair, PublicKeyData, SigningKey};

use super::der::{bits, element, oid, sequence, set};

/// PKCS #9's attribute for extensions (RFC 2985 §5.4.2).
pub(super) const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
pub(super) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";

/// A request in the making.
pub(super) struct Csr {
    pub(super) version: Vec<u8>,
    /// The RDNs of the subject.
    pub(super) subject: Vec<Vec<u8>>,
    pub(super) spki: Vec<u8>,
    pub(super) attributes: Vec<Vec<u8>>,
    pub(super) algorithm: Vec<u8>,
    pub(super) key: Arc<KeyPair>,
    /// In place of the key's.
    pub(super) signature: Option<Vec<u8>>,
}

impl Csr {
    /// A sound request for DNS names, by a new key.
    pub(super) fn of(names: &[&str]) -> Self {
        let general: Vec<Vec<u8>> = names.iter().map(|name| dns(name)).collect();
        Self::with_extensions(vec![alt_names(&general)])
    }

    /// A request with these extensions, by a new key.
    pub(super) fn with_extensions(extensions: Vec<Vec<u8>>) -> Self {
        Self::by(Arc::new(KeyPair::generate().unwrap()), extensions)
    }

    /// A request with these extensions by a key on P-256.
    pub(super) fn by(key: Arc<KeyPair>, extensions: Vec<Vec<u8>>) -> Self {
        Self {
            version: vec![2, 1, 0],
            subject: Vec::new(),
            spki: key.subject_public_key_info(),
            attributes: vec![attribute(EXTENSION_REQUEST, &[sequence(&extensions)])],
            algorithm: sequence(&[oid(ECDSA_WITH_SHA256)]),
            key,
            signature: None,
        }
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let info = sequence(&[
            self.version.clone(),
            sequence(&self.subject),
            self.spki.clone(),
            element(0xa0, &self.attributes.concat()),
        ]);
        let signature = match &self.signature {
            Some(signature) => signature.clone(),
            None => self.key.sign(&info).unwrap(),
        };
        sequence(&[info, self.algorithm.clone(), bits(&signature)])
    }
}

/// An attribute with its values.
pub(super) fn attribute(kind: &str, values: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[oid(kind), set(values)])
}

/// An extension that is not critical.
pub(super) fn extension(kind: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[oid(kind), element(4, value)])
}

/// The extension of subject alternative names.
pub(super) fn alt_names(general_names: &[Vec<u8>]) -> Vec<u8> {
    extension(SUBJECT_ALT_NAME, &sequence(general_names))
}

/// A dNSName.
pub(super) fn dns(name: &str) -> Vec<u8> {
    element(0x82, name.as_bytes())
}

/// A relative distinguished name of one attribute, a UTF8String.
pub(super) fn rdn(kind: &str, text: &str) -> Vec<u8> {
    set(&[sequence(&[oid(kind), element(12, text.as_bytes())])])
}

/// The SubjectPublicKeyInfo of an RSA key.
pub(super) fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    use super::der::integer;
    let key = sequence(&[integer(modulus), integer(exponent)]);
    sequence(&[sequence(&[oid("1.2.840.113549.1.1.1"), vec![5, 0]]), bits(&key)])
}

/// The SubjectPublicKeyInfo of an EC key.
pub(super) fn ec_spki(curve: &str, point: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[oid("1.2.840.10045.2.1"), oid(curve)]), bits(point)])
}
