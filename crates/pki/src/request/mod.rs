//! Certificate requests (PKCS#10, RFC 2986): reading one, and holding it against the order.

mod extensions;
mod refusal;
mod rules;
mod second_view;
#[cfg(test)]
mod tests;

pub use refusal::RequestRefusal;
pub use rules::{KeyType, RequestRules, ValidatedRequest, check};

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912;
use x509_cert::attr::Attribute;
use x509_cert::ext::Extension;
use x509_cert::name::Name;

use crate::asn1::{Malformed, RequestInfo, Signed};
use crate::key::{PublicKey, PublicKeyError, SignatureAlgorithm};

/// The longest request that is read, in octets: room for an RSA-8192 key and 200 names of full length.
pub const MAX_REQUEST_LEN: usize = 64 * 1024;

/// A certificate request as it was read. Nothing in it has been checked, not even its signature:
/// [`check`] does that.
#[derive(Debug, Clone)]
pub struct CertificateRequest {
    is_version_1: bool,
    subject: Name,
    public_key: PublicKey,
    extension_requests: Vec<Vec<Extension>>,
    other_attributes: Vec<ObjectIdentifier>,
    signature_oid: ObjectIdentifier,
    signature_algorithm: Option<SignatureAlgorithm>,
    signature: Vec<u8>,
    signed: Vec<u8>,
    /// All of it, for the second reading.
    der: Vec<u8>,
}

/// Why bytes are not a certificate request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There are too many of them.
    #[error("the certificate request has {length} octets; at most {MAX_REQUEST_LEN} are read")]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// They are not the DER of a request.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key in the request is not one that is understood.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
}

impl CertificateRequest {
    /// Reads a DER CertificationRequest that is all of `der`.
    ///
    /// # Errors
    /// [`RequestError`] says where the reader gave up.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        if der.len() > MAX_REQUEST_LEN {
            return Err(RequestError::TooLong { length: der.len() });
        }
        let envelope = Signed::from_der(der).map_err(Malformed::in_a("the certificate request"))?;
        let info = RequestInfo::from_der(envelope.message)
            .map_err(Malformed::in_a("the certificate request's body"))?;
        let (extension_requests, other_attributes) = sort_attributes(info.attributes.as_slice())?;
        Ok(Self {
            is_version_1: info.version.as_bytes() == [0],
            subject: info.subject,
            public_key: PublicKey::from_spki_der(info.public_key)?,
            extension_requests,
            other_attributes,
            signature_oid: envelope.algorithm.oid,
            signature_algorithm: SignatureAlgorithm::from_identifier(&envelope.algorithm),
            signature: envelope.signature.to_vec(),
            signed: envelope.message.to_vec(),
            der: der.to_vec(),
        })
    }

    /// The key that the certificate is wanted for.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// The extension requests (one for each value of the attribute), and the types of all other attributes.
fn sort_attributes(
    attributes: &[Attribute],
) -> Result<(Vec<Vec<Extension>>, Vec<ObjectIdentifier>), Malformed> {
    let mut requests = Vec::new();
    let mut others = Vec::new();
    for attribute in attributes {
        if attribute.oid != rfc5912::ID_EXTENSION_REQ {
            others.push(attribute.oid);
            continue;
        }
        for value in attribute.values.iter() {
            let extensions = value.decode_as().map_err(Malformed::in_a("the extension request"))?;
            requests.push(extensions);
        }
    }
    Ok((requests, others))
}
