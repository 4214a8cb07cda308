//! From a validated request to a certificate: built, linted, signed.

use std::sync::Arc;

use chancery_time::Timestamp;
use const_oid::db::rfc4519;
use der::asn1::{Any, AnyRef, UintRef};
use der::{Decode, Encode, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

use crate::asn1::{Signed, TbsCertificate};
use crate::certificate::issuer::IssuerKey;
use crate::certificate::{
    Issuer, MustStaple, Profile, SerialNumber, SubjectRule, Validity, ValidityError, ca, extension,
};
use crate::crypto::Refused;
use crate::key::{SignError, Signer};
use crate::lint::{self, LintFailure};
use crate::name::San;
use crate::request::ValidatedRequest;

/// A certificate in all but its signature: built, signed with a throw-away key, and linted.
///
/// It is the only thing that can be signed, and is used up by that.
#[derive(Debug)]
pub struct Prepared {
    tbs: Vec<u8>,
    issuer: Arc<IssuerKey>,
    serial: SerialNumber,
    validity: Validity,
    names: Vec<San>,
}

/// A finished end-entity certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    serial: SerialNumber,
    validity: Validity,
    names: Vec<San>,
}

/// Why a certificate could not be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The issuing certificate is not valid at any time of the wanted period.
    #[error("the issuing certificate is not valid in the wanted period: {0}")]
    OutsideIssuer(#[from] ValidityError),
    /// What was asked for cannot be encoded.
    #[error("the certificate cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
    /// The throw-away key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was built breaks a rule: a fault of this program, or a profile that no certificate can follow.
    #[error(transparent)]
    Lint(#[from] LintFailure),
}

/// Why a prepared certificate was not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// The signer holds another key than the issuing certificate certifies.
    #[error("the signer's key is not the key of the issuing certificate")]
    WrongKey,
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signer's signature does not verify.
    #[error("the signer returned a signature that does not verify; check the device that holds the key")]
    BadSignature,
    /// The finished certificate cannot be encoded.
    #[error("the certificate cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
}

/// Builds the certificate for a request, signs it with the issuer's throw-away key, and lints the result.
///
/// The validity is cut to the issuing certificate's where it goes beyond it.
///
/// # Errors
/// Why there is nothing to issue.
pub fn prepare(
    profile: &Profile,
    request: &ValidatedRequest,
    issuer: &Issuer,
    validity: Validity,
    serial: SerialNumber,
) -> Result<Prepared, PrepareError> {
    let validity = validity.within(issuer.validity())?;
    let tbs = build(profile, request, issuer, validity, serial)?;
    let signature = issuer.throw_away_key().sign(&tbs)?;
    let algorithm = issuer.signature_algorithm().identifier();
    let rehearsal = Signed { message: &tbs, algorithm, signature: &signature }.to_der()?;
    lint::check(&rehearsal, &lint::Expected { profile, request, issuer, validity, serial })?;
    let (issuer, names) = (Arc::clone(issuer.key()), request.names().to_vec());
    Ok(Prepared { tbs, issuer, serial, validity, names })
}

impl Prepared {
    /// The serial number, to be recorded before anything is signed.
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// The first second of validity.
    pub const fn not_before(&self) -> Timestamp {
        self.validity.not_before()
    }

    /// The last second of validity.
    pub const fn not_after(&self) -> Timestamp {
        self.validity.not_after()
    }

    /// The names, sorted.
    pub fn names(&self) -> &[San] {
        &self.names
    }

    /// The bytes to be signed: the DER TBSCertificate.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs
    }

    /// Has the linted bytes signed, and checks the signature.
    ///
    /// # Errors
    /// Why there is no certificate; the serial number is spent all the same.
    pub fn issue(self, signer: &dyn Signer) -> Result<Certificate, IssueError> {
        let IssuerKey { public_key, algorithm, verifier } = &*self.issuer;
        if signer.public_key() != public_key || signer.signature_algorithm() != *algorithm {
            return Err(IssueError::WrongKey);
        }
        let signature = signer.sign(&self.tbs)?;
        verifier.verify(&self.tbs, &signature).map_err(|Refused| IssueError::BadSignature)?;
        let signed = Signed { message: &self.tbs, algorithm: algorithm.identifier(), signature: &signature };
        let der = signed.to_der()?;
        Ok(Certificate { der, serial: self.serial, validity: self.validity, names: self.names })
    }
}

impl Certificate {
    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, a PEM block with a newline at its end.
    pub fn to_pem(&self) -> String {
        ca::pem(&self.der)
    }

    /// The serial number.
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// The first second of validity.
    pub const fn not_before(&self) -> Timestamp {
        self.validity.not_before()
    }

    /// The last second of validity.
    pub const fn not_after(&self) -> Timestamp {
        self.validity.not_after()
    }

    /// The names, sorted.
    pub fn names(&self) -> &[San] {
        &self.names
    }
}

fn build(
    profile: &Profile,
    request: &ValidatedRequest,
    issuer: &Issuer,
    validity: Validity,
    serial: SerialNumber,
) -> der::Result<Vec<u8>> {
    let (spec, key) = (profile.spec(), request.public_key());
    let common_name = common_name(spec.subject, request.names());
    let subject = subject(common_name)?;
    let mut extensions = vec![
        extension::basic_constraints(false, None)?,
        extension::key_usage(spec, key.kind())?,
        extension::extended_key_usage(spec)?,
        extension::subject_alt_name(request.names(), common_name.is_none())?,
        extension::subject_key_id(key.key_id())?,
        extension::authority_key_id(issuer.certificate().key_id())?,
    ];
    extensions.extend(extension::authority_info_access(spec)?);
    extensions.extend(extension::crl_distribution_points(spec)?);
    if request.must_staple() || spec.must_staple == MustStaple::Always {
        extensions.push(extension::must_staple()?);
    }
    let tbs = TbsCertificate {
        version: 2,
        serial: UintRef::new(serial.as_bytes())?,
        signature: issuer.signature_algorithm().identifier(),
        issuer: AnyRef::from_der(issuer.certificate().subject_der())?,
        validity: validity.to_range()?,
        subject: AnyRef::from_der(&subject)?,
        public_key: AnyRef::from_der(key.spki_der())?,
        extensions,
    };
    tbs.to_der()
}

/// The name that becomes the common name, where the profile wants one.
fn common_name(rule: SubjectRule, names: &[San]) -> Option<&str> {
    match rule {
        SubjectRule::Empty => None,
        SubjectRule::CommonName => names.iter().find_map(|name| match name {
            San::Dns(name) if name.len() <= MAX_COMMON_NAME => Some(name.as_str()),
            _ => None,
        }),
    }
}

/// The DER of a subject with that common name, or of an empty one. Text is UTF8String (RFC 5280 §4.1.2.4).
pub(super) fn subject(common_name: Option<&str>) -> der::Result<Vec<u8>> {
    let mut subject = RdnSequence::default();
    if let Some(name) = common_name {
        let value = Any::new(Tag::Utf8String, name.as_bytes())?;
        let attribute = AttributeTypeAndValue { oid: rfc4519::COMMON_NAME, value };
        subject.push(RelativeDistinguishedName::try_from(vec![attribute])?);
    }
    subject.to_der()
}

/// `ub-common-name` (RFC 5280 §A.1).
pub(super) const MAX_COMMON_NAME: usize = 64;
