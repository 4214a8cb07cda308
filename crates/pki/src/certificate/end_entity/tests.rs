//! What is read from certificates, and which are refused.

#![expect(clippy::unwrap_in_result, reason = "in a test, a panic is a verdict")]

use std::time::Duration;

use chancery_time::Timestamp;
use der::asn1::UintRef;

use super::*;
use crate::asn1::{Signed, TbsCertificate};
use crate::certificate::{
    CaCertificate, Certificate, Issuer, Profile, ProfileSpec, basic_constraints, prepare,
};
use crate::hierarchy;
use crate::key::{KeyAlgorithm, PrivateKey, SignatureAlgorithm, Signer};
use crate::name::San;
use crate::request::ValidatedRequest;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);
const SERIAL: [u8; 16] = [0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];

fn issued() -> (CaCertificate, PrivateKey, Certificate) {
    let root_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let root = hierarchy::root("Test Root", &root_key, NOW, Duration::from_hours(1000)).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let request = ValidatedRequest::for_own_key(&key, vec![San::Dns("host.example.test".into())]);
    let profile = Profile::new(ProfileSpec::default()).unwrap();
    let validity = profile.validity(NOW, None, None).unwrap();
    let serial = SerialNumber::from_bytes(SERIAL).unwrap();
    let issuer = Issuer::new(root.clone()).unwrap();
    let certificate =
        prepare(&profile, &request, &issuer, validity, serial).unwrap().issue(&root_key).unwrap();
    (root, key, certificate)
}

/// The verdict on a certificate after `spoil` had its way with it. Its signature is not looked at.
fn verdict(der: &[u8], spoil: impl FnOnce(&mut TbsCertificate<'_>)) -> Result<EndEntity, EndEntityError> {
    let signed = Signed::from_der(der).unwrap();
    let mut tbs = TbsCertificate::from_der(signed.message).unwrap();
    spoil(&mut tbs);
    let message = tbs.to_der().unwrap();
    let algorithm = SignatureAlgorithm::EcdsaSha256.identifier();
    EndEntity::from_der(&Signed { message: &message, algorithm, signature: &[0; 8] }.to_der().unwrap())
}

#[test]
fn what_was_issued_is_found_again() {
    let (root, key, certificate) = issued();
    let found = EndEntity::from_der(certificate.der()).unwrap();
    assert_eq!(found.serial, SERIAL[1..]);
    assert_eq!(found.serial_number(), Some(certificate.serial()));
    assert_eq!(found.authority_key_id.as_deref(), Some(root.key_id()));
    assert_eq!(found.spki_der, key.public_key().spki_der());
    assert_eq!(found.issuer_der, root.subject_der());
}

#[test]
fn other_certificates_are_read_or_refused() {
    let (root, _, certificate) = issued();
    let der = certificate.der();
    let without_key_id = verdict(der, |tbs| {
        tbs.extensions
            .retain(|extension| extension.extn_id != const_oid::db::rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER);
    });
    assert_eq!(without_key_id.unwrap().authority_key_id, None);
    let long_serial = verdict(der, |tbs| tbs.serial = UintRef::new(&[7; 20]).unwrap()).unwrap();
    assert_eq!((long_serial.serial.len(), long_serial.serial_number()), (20, None));

    let too_long = EndEntity::from_der(&vec![0x30; MAX_CERTIFICATE_LEN + 1]);
    assert_eq!(too_long, Err(EndEntityError::TooLong { length: MAX_CERTIFICATE_LEN + 1 }));
    assert_eq!(EndEntity::from_der(root.der()), Err(EndEntityError::Authority));
    let authority = verdict(der, |tbs| tbs.extensions[0] = basic_constraints(true, None).unwrap());
    assert_eq!(authority, Err(EndEntityError::Authority));
    let zero = verdict(der, |tbs| tbs.serial = UintRef::new(&[0]).unwrap());
    assert!(matches!(zero, Err(EndEntityError::Serial | EndEntityError::Malformed(_))), "{zero:?}");
    let huge = verdict(der, |tbs| tbs.serial = UintRef::new(&[7; 21]).unwrap());
    assert!(matches!(huge, Err(EndEntityError::Serial | EndEntityError::Malformed(_))), "{huge:?}");
    let mut trailing = der.to_vec();
    trailing.push(0);
    assert!(matches!(EndEntity::from_der(&trailing), Err(EndEntityError::Malformed(_))));
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..256)) {
        proptest::prop_assert!(EndEntity::from_der(&bytes).is_err());
    }
}
