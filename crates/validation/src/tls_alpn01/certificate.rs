//! The rules for a challenge certificate (RFC 8737 §3).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use x509_cert::der::asn1::OctetStringRef;
use x509_cert::der::oid::{AssociatedOid as _, ObjectIdentifier};
use x509_cert::der::{self, Decode as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::{Certificate, Version};

use super::identity::Identity;

/// RFC 8737 §6.1: `id-pe-acmeIdentifier`.
const ACME_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.31");

/// With an RSA key of 8192 bits a challenge certificate has less than 3 KiB.
const MAX_BYTES: usize = 16 * 1024;

/// Why a certificate does not answer a challenge. Nothing of what it says is repeated: it may be that
/// of a host which has nothing to do with the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it has {0} bytes, more than the {MAX_BYTES} that are read")]
    TooLong(usize),
    #[error("its {what} is not valid DER ({source})")]
    Malformed { what: &'static str, source: der::Error },
    #[error("it is not an X.509 certificate of version 3")]
    NotVersion3,
    #[error("it has the extension {0} more than once")]
    Duplicate(ObjectIdentifier),
    #[error("it has no subjectAltName")]
    NoNames,
    #[error("its subjectAltName has {0} names instead of the one that is validated")]
    ManyNames(usize),
    #[error("its subjectAltName is not the {0} that is validated")]
    OtherName(&'static str),
    #[error("it has no acmeIdentifier extension ({ACME_IDENTIFIER})")]
    NoAcmeIdentifier,
    #[error("its acmeIdentifier extension is not critical")]
    NotCritical,
    #[error("its acmeIdentifier extension holds {0} bytes instead of the 32 of a SHA-256 digest")]
    DigestLength(usize),
    #[error(
        "its acmeIdentifier extension holds another digest than that of this challenge's key authorization"
    )]
    OtherDigest,
}

/// Whether a certificate answers the challenge for `identity` with the digest of its key authorization.
pub(super) fn check(
    certificate: &[u8],
    identity: Identity<'_>,
    key_authorization_digest: &[u8; 32],
) -> Result<(), Refusal> {
    if certificate.len() > MAX_BYTES {
        return Err(Refusal::TooLong(certificate.len()));
    }
    let certificate = Certificate::from_der(certificate).map_err(malformed("content"))?;
    let certificate = certificate.tbs_certificate();
    if certificate.version() != Version::V3 {
        return Err(Refusal::NotVersion3);
    }
    let extensions = certificate.extensions().map_or(&[][..], Vec::as_slice);
    no_duplicates(extensions)?;
    check_names(find(extensions, SubjectAltName::OID).ok_or(Refusal::NoNames)?, identity)?;
    let acme_identifier = find(extensions, ACME_IDENTIFIER).ok_or(Refusal::NoAcmeIdentifier)?;
    check_digest(acme_identifier, key_authorization_digest)
}

/// RFC 5280 §4.2: at most one of each.
fn no_duplicates(extensions: &[Extension]) -> Result<(), Refusal> {
    let mut seen: Vec<ObjectIdentifier> = extensions.iter().map(|extension| extension.extn_id).collect();
    seen.sort_unstable();
    match seen.array_windows().find(|[one, next]| one == next) {
        Some([oid, _]) => Err(Refusal::Duplicate(*oid)),
        None => Ok(()),
    }
}

fn find(extensions: &[Extension], oid: ObjectIdentifier) -> Option<&Extension> {
    extensions.iter().find(|extension| extension.extn_id == oid)
}

fn check_names(extension: &Extension, identity: Identity<'_>) -> Result<(), Refusal> {
    let names =
        SubjectAltName::from_der(extension.extn_value.as_bytes()).map_err(malformed("subjectAltName"))?;
    match names.0.as_slice() {
        [name] if identity.is_named(name) => Ok(()),
        [_] => Err(Refusal::OtherName(identity.kind())),
        names => Err(Refusal::ManyNames(names.len())),
    }
}

fn check_digest(extension: &Extension, key_authorization_digest: &[u8; 32]) -> Result<(), Refusal> {
    if !extension.critical {
        return Err(Refusal::NotCritical);
    }
    // `Authorization ::= OCTET STRING (SIZE (32))`
    let digest = <&OctetStringRef>::from_der(extension.extn_value.as_bytes())
        .map_err(malformed("acmeIdentifier extension"))?;
    if digest.as_bytes().len() != key_authorization_digest.len() {
        return Err(Refusal::DigestLength(digest.as_bytes().len()));
    }
    verify_slices_are_equal(digest.as_bytes(), key_authorization_digest).map_err(|_| Refusal::OtherDigest)
}

fn malformed(what: &'static str) -> impl Fn(der::Error) -> Refusal {
    move |source| Refusal::Malformed { what, source }
}

#[cfg(test)]
mod tests;
