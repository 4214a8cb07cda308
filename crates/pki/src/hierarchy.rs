//! The certificates at the top: a self-signed root, and an issuing intermediate under it.

use std::time::Duration;

use chancery_time::Timestamp;
use const_oid::db::rfc4519;
use der::asn1::{Any, AnyRef, UintRef};
use der::{Decode, Encode, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

use crate::asn1::{Signed, TbsCertificate};
use crate::certificate::{
    CaCertificate, CaCertificateError, ChainError, SerialError, SerialNumber, Validity, ValidityError,
    authority_key_id, basic_constraints, encode, subject_key_id,
};
use crate::key::{PublicKey, SignError, Signer};

/// The longest validity of a CA certificate: 30 years of 365 days.
pub const MAX_CA_VALIDITY: Duration = Duration::from_hours(30 * 365 * 24);

/// Why the certificate of an authority could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HierarchyError {
    /// The name cannot be a common name (RFC 5280, appendix A.1: `ub-common-name`).
    #[error("a CA's name has 1 to 64 characters, none of them a control character")]
    Name,
    /// The validity is not one that makes sense.
    #[error("a CA certificate is valid for at least one day and at most {} days", MAX_CA_VALIDITY.as_secs() / 86_400)]
    Period,
    /// The root is not valid in the wanted period.
    #[error("the root is not valid in the wanted period: {0}")]
    OutsideRoot(#[from] ValidityError),
    /// No serial number could be drawn.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// The certificate cannot be encoded.
    #[error("the CA certificate cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// What was signed is not the certificate of an authority.
    #[error(transparent)]
    Certificate(#[from] CaCertificateError),
    /// What was signed does not follow from the certificate above it; the signer may hold another key.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A self-signed root with the common name `name`, valid from `now` for `period`.
///
/// It sets no path length, so that a successor can be cross-signed under it.
///
/// # Errors
/// Why there is no root.
pub fn root(
    name: &str,
    key: &dyn Signer,
    now: Timestamp,
    period: Duration,
) -> Result<CaCertificate, HierarchyError> {
    let subject = common_name(name)?;
    let validity = Validity::lasting(now, checked(period)?);
    let draft = Draft {
        issuer: &subject,
        authority_key_id: key.public_key().key_id(),
        subject: &subject,
        public_key: key.public_key(),
        path_len: None,
        validity,
    };
    let certificate = CaCertificate::from_der(&draft.sign(key)?)?;
    certificate.verify_issued_by(&certificate)?;
    Ok(certificate)
}

/// An issuing intermediate with the common name `name` for `public_key`, signed with the root's key, valid
/// from `now` for `period` but not beyond the root.
///
/// Its path length is 0. It has no extended key usage: what its certificates are for is the business of
/// profiles, and whether it is trusted at all that of whoever installs the root.
///
/// # Errors
/// Why there is no intermediate.
pub fn intermediate(
    name: &str,
    public_key: &PublicKey,
    root: &CaCertificate,
    root_key: &dyn Signer,
    now: Timestamp,
    period: Duration,
) -> Result<CaCertificate, HierarchyError> {
    let subject = common_name(name)?;
    let validity = Validity::lasting(now, checked(period)?).within(root.validity())?;
    let draft = Draft {
        issuer: root.subject_der(),
        authority_key_id: root.key_id(),
        subject: &subject,
        public_key,
        path_len: Some(0),
        validity,
    };
    let certificate = CaCertificate::from_der(&draft.sign(root_key)?)?;
    certificate.verify_issued_by(root)?;
    Ok(certificate)
}

/// What the two kinds differ in.
struct Draft<'a> {
    issuer: &'a [u8],
    authority_key_id: &'a [u8],
    subject: &'a [u8],
    public_key: &'a PublicKey,
    path_len: Option<u8>,
    validity: Validity,
}

impl Draft<'_> {
    fn sign(&self, key: &dyn Signer) -> Result<Vec<u8>, HierarchyError> {
        let serial = SerialNumber::random()?;
        let algorithm = key.signature_algorithm().identifier();
        let tbs = TbsCertificate {
            version: 2,
            serial: UintRef::new(serial.as_bytes())?,
            signature: algorithm,
            issuer: AnyRef::from_der(self.issuer)?,
            validity: self.validity.to_range()?,
            subject: AnyRef::from_der(self.subject)?,
            public_key: AnyRef::from_der(self.public_key.spki_der())?,
            extensions: vec![
                basic_constraints(true, self.path_len)?,
                encode(true, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
                subject_key_id(self.public_key.key_id())?,
                authority_key_id(self.authority_key_id)?,
            ],
        };
        let message = tbs.to_der()?;
        let signature = key.sign(&message)?;
        Ok(Signed { message: &message, algorithm, signature: &signature }.to_der()?)
    }
}

fn checked(period: Duration) -> Result<Duration, HierarchyError> {
    if (Duration::from_hours(24)..=MAX_CA_VALIDITY).contains(&period) {
        return Ok(period);
    }
    Err(HierarchyError::Period)
}

/// A name of one UTF8String (RFC 5280 §4.1.2.4), DER.
fn common_name(name: &str) -> Result<Vec<u8>, HierarchyError> {
    if !(1..=64).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(HierarchyError::Name);
    }
    let value = Any::new(Tag::Utf8String, name.as_bytes())?;
    let attribute = AttributeTypeAndValue { oid: rfc4519::COMMON_NAME, value };
    let mut names = RdnSequence::default();
    names.push(RelativeDistinguishedName::try_from(vec![attribute])?);
    Ok(names.to_der()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyAlgorithm, PrivateKey};

    const DAY: Duration = Duration::from_hours(24);
    const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);

    #[test]
    fn an_intermediate_does_not_outlive_its_root() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let root = root("Root", &key, NOW, DAY * 10).unwrap();
        let lower = intermediate("Issuing", key.public_key(), &root, &key, NOW, DAY * 20).unwrap();
        assert_eq!(lower.validity(), root.validity());
        assert!(root.is_self_issued() && !lower.is_self_issued());
        let late = intermediate("Issuing", key.public_key(), &root, &key, NOW + DAY * 11, DAY);
        assert!(matches!(late, Err(HierarchyError::OutsideRoot(_))), "{late:?}");
    }

    #[test]
    fn another_key_than_the_roots_is_noticed() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let root = root("Root", &key, NOW, DAY).unwrap();
        let refused = intermediate("Issuing", other.public_key(), &root, &other, NOW, DAY);
        assert!(matches!(refused, Err(HierarchyError::Chain(ChainError::Signature { .. }))), "{refused:?}");
    }

    #[test]
    fn nothing_is_issued_under_an_intermediate_of_path_length_0() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let root = root("Root", &key, NOW, DAY).unwrap();
        let lower = intermediate("Issuing", key.public_key(), &root, &key, NOW, DAY).unwrap();
        let lowest = intermediate("Lowest", key.public_key(), &lower, &key, NOW, DAY);
        assert!(matches!(lowest, Err(HierarchyError::Chain(ChainError::PathLen { .. }))), "{lowest:?}");
    }

    #[test]
    fn names_and_periods_have_bounds() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        for name in ["", "line\nbreak", &"x".repeat(65)] {
            assert_eq!(root(name, &key, NOW, DAY), Err(HierarchyError::Name));
        }
        for period in [Duration::ZERO, MAX_CA_VALIDITY + DAY] {
            assert_eq!(root("Root", &key, NOW, period), Err(HierarchyError::Period));
        }
        assert!(root(&"ü".repeat(64), &key, NOW, MAX_CA_VALIDITY).is_ok());
    }
}
