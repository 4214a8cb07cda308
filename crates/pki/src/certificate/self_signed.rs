//! A server's certificate under its own key alone, for the first start and for where there is no authority.

use const_oid::db::rfc5280;
use der::asn1::{AnyRef, UintRef};
use der::{Decode, Encode};
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::asn1::{Signed, TbsCertificate};
use crate::certificate::prepare::{MAX_COMMON_NAME, subject};
use crate::certificate::{SerialError, SerialNumber, Validity, extension};
use crate::key::{SignError, Signer};
use crate::name::San;

/// Why there is no self-signed certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelfSignedError {
    /// No serial number could be drawn.
    #[error(transparent)]
    Serial(#[from] SerialError),
    /// The name or the validity cannot be encoded.
    #[error("the certificate cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
    /// The signer did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// The DER of a certificate for one host, signed with the host's own key. It is for TLS servers, and no authority's:
/// whoever trusts it trusts nothing else by that.
///
/// The host is its common name too, cut to 64 characters, since an issuer's name is never empty (RFC 5280
/// §4.1.2.4).
///
/// # Errors
/// Why there is no certificate.
pub fn self_signed(host: &San, key: &dyn Signer, validity: Validity) -> Result<Vec<u8>, SelfSignedError> {
    let name: String = host.to_string().chars().take(MAX_COMMON_NAME).collect();
    let (name, serial) = (subject(Some(&name))?, SerialNumber::random()?);
    let (public_key, algorithm) = (key.public_key(), key.signature_algorithm().identifier());
    let tbs = TbsCertificate {
        version: 2,
        serial: UintRef::new(serial.as_bytes())?,
        signature: algorithm,
        issuer: AnyRef::from_der(&name)?,
        validity: validity.to_range()?,
        subject: AnyRef::from_der(&name)?,
        public_key: AnyRef::from_der(public_key.spki_der())?,
        extensions: vec![
            extension::basic_constraints(false, None)?,
            extension::encode(true, &KeyUsage(KeyUsages::DigitalSignature.into()))?,
            extension::encode(false, &ExtendedKeyUsage(vec![rfc5280::ID_KP_SERVER_AUTH]))?,
            extension::subject_alt_name(std::slice::from_ref(host), false)?,
            extension::subject_key_id(public_key.key_id())?,
        ],
    };
    let message = tbs.to_der()?;
    let signature = key.sign(&message)?;
    Ok(Signed { message: &message, algorithm, signature: &signature }.to_der()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chancery_time::Timestamp;
    use x509_cert::ext::pkix::BasicConstraints;

    use super::*;
    use crate::certificate::{CaCertificate, CaCertificateError, CertificateFacts, EndEntity};
    use crate::key::{KeyAlgorithm, PrivateKey};

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);

    #[test]
    fn it_is_a_servers_own_and_no_authoritys() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let validity = Validity::lasting(NOW, Duration::from_hours(24));
        let hosts = [
            San::Dns("portal.example.test".into()),
            San::Dns(format!("{0}.{0}.test", "x".repeat(60))),
            San::Ip("192.0.2.1".parse().unwrap()),
            San::Ip("2001:db8::1".parse().unwrap()),
        ];
        for host in hosts {
            let der = self_signed(&host, &key, validity).unwrap();
            let facts = CertificateFacts::from_der(&der).unwrap();
            assert_eq!(facts.names, [host]);
            assert_eq!((facts.not_before, facts.not_after), (validity.not_before(), validity.not_after()));
            assert_eq!(EndEntity::from_der(&der).unwrap().spki_der, key.public_key().spki_der());
            let refused = CaCertificate::from_der(&der);
            assert!(matches!(refused, Err(CaCertificateError::NotCa { .. })), "{refused:?}");

            let certificate = x509_cert::Certificate::from_der(&der).unwrap();
            let tbs = certificate.tbs_certificate();
            assert_eq!(tbs.issuer(), tbs.subject());
            let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
            assert!(critical && !constraints.ca);
            let (_, purposes) = tbs.get_extension::<ExtendedKeyUsage>().unwrap().unwrap();
            assert_eq!(purposes.0, [rfc5280::ID_KP_SERVER_AUTH]);
            let signed = Signed::from_der(&der).unwrap();
            let verifier = key.public_key().verifier(key.signature_algorithm()).unwrap();
            assert_eq!(verifier.verify(signed.message, signed.signature), Ok(()));
        }
    }
}
