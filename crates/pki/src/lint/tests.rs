//! Each rule with a certificate that breaks it.

#![expect(clippy::unwrap_in_result, reason = "in a test, a panic is a verdict")]

use std::time::Duration;

use chancery_time::Timestamp;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280;
use der::asn1::{AnyRef, GeneralizedTime, OctetString, UintRef};
use der::{DateTime, Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::time::Time;

use super::*;
use crate::asn1::{Signed, TbsCertificate};
use crate::certificate::{
    CaCertificate, EndEntityUsage, MustStaple, ProfileSpec, Purpose, SubjectRule, basic_constraints, prepare,
    subject_key_id,
};
use crate::hierarchy;
use crate::key::{KeyAlgorithm, KeyKind, PrivateKey, SignatureAlgorithm, Signer};
use crate::name::San;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);
const DAY: Duration = Duration::from_hours(24);

/// Everything that a certificate is made from.
struct Stage {
    issuer: Issuer,
    profile: Profile,
    request: ValidatedRequest,
    validity: Validity,
    serial: SerialNumber,
}

impl Stage {
    fn new() -> Self {
        let root_key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let root = hierarchy::root("Test Root", &root_key, NOW - DAY, DAY * 1000).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let names = vec![San::Dns("host.example.test".into()), San::Ip("192.0.2.1".parse().unwrap())];
        let spec = ProfileSpec {
            ocsp_url: Some("http://ca.example.test/ocsp".into()),
            ca_issuers_url: Some("http://ca.example.test/issuing.der".into()),
            crl_url: Some("http://ca.example.test/crl".into()),
            ..ProfileSpec::default()
        };
        let profile = Profile::new(spec).unwrap();
        Self {
            issuer: Issuer::new(root).unwrap(),
            validity: profile.validity(NOW, None, None).unwrap(),
            profile,
            request: ValidatedRequest::for_tests(key.public_key().clone(), names, true),
            serial: SerialNumber::from_bytes([0x7a; 16]).unwrap(),
        }
    }

    fn expected(&self) -> Expected<'_> {
        let Self { issuer, profile, request, validity, serial } = self;
        Expected { profile, request, issuer, validity: *validity, serial: *serial }
    }

    /// The sound TBSCertificate, as it is prepared.
    fn tbs(&self) -> Vec<u8> {
        let Self { issuer, profile, request, validity, serial } = self;
        prepare(profile, request, issuer, *validity, *serial).unwrap().tbs_der().to_vec()
    }

    /// The verdict on the sound certificate after `spoil` had its way with it.
    fn verdict(&self, spoil: impl FnOnce(&mut TbsCertificate<'_>)) -> Result<(), LintFailure> {
        let sound = self.tbs();
        let mut tbs = TbsCertificate::from_der(&sound).unwrap();
        spoil(&mut tbs);
        self.verdict_on(&tbs.to_der().unwrap())
    }

    fn verdict_on(&self, tbs: &[u8]) -> Result<(), LintFailure> {
        let algorithm = SignatureAlgorithm::EcdsaSha256.identifier();
        let signed = Signed { message: tbs, algorithm, signature: &[0; 8] };
        check(&signed.to_der().unwrap(), &self.expected())
    }

    /// Asserts that the spoilt certificate breaks that rule.
    fn breaks(&self, rule: &str, spoil: impl FnOnce(&mut TbsCertificate<'_>)) {
        let verdict = self.verdict(spoil);
        assert_eq!(verdict.as_ref().map_err(|failure| failure.rule), Err(rule), "{verdict:?}");
    }
}

/// Replaces the value of one extension.
fn set(tbs: &mut TbsCertificate<'_>, oid: ObjectIdentifier, value: Vec<u8>) {
    find(tbs, oid).extn_value = OctetString::new(value).unwrap();
}

fn find<'t>(tbs: &'t mut TbsCertificate<'_>, oid: ObjectIdentifier) -> &'t mut Extension {
    tbs.extensions.iter_mut().find(|extension| extension.extn_id == oid).unwrap()
}

#[test]
fn a_sound_certificate_passes() {
    assert_eq!(Stage::new().verdict(|_| ()), Ok(()));
}

#[test]
fn version() {
    Stage::new().breaks("version", |tbs| tbs.version = 1);
}

#[test]
fn serial() {
    let stage = Stage::new();
    stage.breaks("serial", |tbs| tbs.serial = UintRef::new(&[1, 2, 3]).unwrap());
    stage.breaks("serial", |tbs| tbs.serial = UintRef::new(&[0]).unwrap());
    stage.breaks("serial", |tbs| tbs.serial = UintRef::new(&[0x7a; 21]).unwrap());
    // The sign of the number is in its first octet.
    let mut negative = stage.tbs();
    let at = negative.windows(16).position(|window| window == [0x7a; 16]).unwrap();
    negative[at] |= 0x80;
    assert_eq!(stage.verdict_on(&negative).unwrap_err().rule, "serial");
}

#[test]
fn signature_algorithm() {
    let stage = Stage::new();
    stage.breaks("signature-algorithm", |tbs| tbs.signature = SignatureAlgorithm::Ed25519.identifier());
    stage.breaks("signature-algorithm", |tbs| tbs.signature.parameters = Some(AnyRef::NULL));
}

#[test]
fn issuer() {
    let stage = Stage::new();
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let other: CaCertificate = hierarchy::root("Test root", &key, NOW, DAY).unwrap();
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    tbs.issuer = AnyRef::from_der(other.subject_der()).unwrap();
    assert_eq!(stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err().rule, "issuer");
}

#[test]
fn validity() {
    let mut stage = Stage::new();
    stage.breaks("validity", |tbs| tbs.validity.not_after = tbs.validity.not_before);
    let sound = stage.tbs();
    for (too_long, problem) in [(90, "profile"), (900, "hard cap")] {
        stage.validity = Validity::lasting(NOW, DAY * too_long + Duration::from_secs(1));
        let mut tbs = TbsCertificate::from_der(&sound).unwrap();
        tbs.validity = stage.validity.to_range().unwrap();
        let failure = stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err();
        assert!(failure.rule == "validity" && failure.problem.contains(problem), "{failure}");
    }
    stage.validity = Validity::lasting(NOW + DAY * 999, DAY);
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    tbs.validity = stage.validity.to_range().unwrap();
    let failure = stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err();
    assert!(failure.problem.contains("issuer"), "{failure}");
}

#[test]
fn validity_form() {
    Stage::new().breaks("validity-form", |tbs| {
        let seconds = tbs.validity.not_before.to_unix_duration();
        let date = DateTime::from_unix_duration(seconds).unwrap();
        tbs.validity.not_before = Time::GeneralTime(GeneralizedTime::from_date_time(date));
    });
}

#[test]
fn subject() {
    let stage = Stage::new();
    let name = stage.issuer.certificate().subject_der().to_vec();
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    tbs.subject = AnyRef::from_der(&name).unwrap();
    assert_eq!(stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err().rule, "subject");
}

#[test]
fn public_key() {
    let stage = Stage::new();
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    tbs.public_key = AnyRef::from_der(other.public_key().spki_der()).unwrap();
    assert_eq!(stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err().rule, "public-key");
}

#[test]
fn extensions() {
    let stage = Stage::new();
    stage.breaks("extensions", |tbs| {
        find(tbs, rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER).extn_id = rfc5280::ID_CE_NAME_CONSTRAINTS;
    });
    stage.breaks("extensions", |tbs| {
        let repeated = find(tbs, rfc5280::ID_CE_KEY_USAGE).clone();
        tbs.extensions.push(repeated);
    });
}

#[test]
fn basic_constraints_rule() {
    let stage = Stage::new();
    stage.breaks("basic-constraints", |tbs| tbs.extensions[0] = basic_constraints(true, None).unwrap());
    stage.breaks("basic-constraints", |tbs| tbs.extensions[0].critical = false);
    stage.breaks("basic-constraints", |tbs| drop(tbs.extensions.remove(0)));
}

#[test]
fn key_usage() {
    let stage = Stage::new();
    // keyCertSign alone.
    stage.breaks("key-usage", |tbs| set(tbs, rfc5280::ID_CE_KEY_USAGE, vec![3, 2, 2, 4]));
    stage.breaks("key-usage", |tbs| find(tbs, rfc5280::ID_CE_KEY_USAGE).critical = false);
}

/// What the default profile decides, octet for octet: subject, key usage, purposes, and the names' criticality.
#[test]
fn the_default_profile() {
    let mut stage = Stage::new();
    stage.profile = Profile::new(ProfileSpec::default()).unwrap();
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    assert_eq!(tbs.subject.to_der().unwrap(), [0x30, 0]);
    let mut written = |oid| {
        let extension = find(&mut tbs, oid);
        (extension.critical, extension.extn_value.as_bytes().to_vec())
    };
    assert_eq!(written(rfc5280::ID_CE_KEY_USAGE), (true, vec![3, 2, 7, 0x80]));
    let server_auth = b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01".to_vec();
    assert_eq!(written(rfc5280::ID_CE_EXT_KEY_USAGE), (false, server_auth));
    assert!(written(rfc5280::ID_CE_SUBJECT_ALT_NAME).0);
    assert_eq!(tbs.extensions.len(), 7);

    let rsa = KeyKind::Rsa { bits: 2048 };
    let usage = crate::certificate::key_usage(stage.profile.spec(), rsa).unwrap();
    assert_eq!((usage.critical, usage.extn_value.as_bytes()), (true, [3, 2, 5, 0xa0].as_slice()));
}

#[test]
fn key_usage_follows_the_profile() {
    let mut stage = Stage::new();
    let spec = ProfileSpec {
        key_usages: EndEntityUsage::ALL.to_vec(),
        extended_key_usages: vec![Purpose::CLIENT_AUTH, "1.3.6.1.5.2.3.5".parse().unwrap()],
        ..stage.profile.spec().clone()
    };
    stage.profile = Profile::new(spec).unwrap();
    // digitalSignature, nonRepudiation and keyAgreement, which is all that an ECDSA key can do.
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    assert_eq!(find(&mut tbs, rfc5280::ID_CE_KEY_USAGE).extn_value.as_bytes(), [3, 2, 3, 0b1100_1000]);
    stage.breaks("key-usage", |tbs| set(tbs, rfc5280::ID_CE_KEY_USAGE, vec![3, 2, 7, 0b1000_0000]));
    stage.breaks("key-usage", |tbs| set(tbs, rfc5280::ID_CE_KEY_USAGE, vec![3, 2, 3, 0b1110_1000]));
    stage.breaks("extended-key-usage", |tbs| {
        set(tbs, rfc5280::ID_CE_EXT_KEY_USAGE, vec![rfc5280::ID_KP_CLIENT_AUTH].to_der().unwrap());
    });
    stage.breaks("extended-key-usage", |tbs| find(tbs, rfc5280::ID_CE_EXT_KEY_USAGE).critical = true);
}

#[test]
fn common_name() {
    let long = format!("{}.example.test", "a".repeat(60));
    let mut stage = Stage::new();
    let spec = ProfileSpec { subject: SubjectRule::CommonName, ..stage.profile.spec().clone() };
    stage.profile = Profile::new(spec).unwrap();
    let named = |stage: &mut Stage, names: Vec<San>| {
        let key = stage.request.public_key().clone();
        stage.request = ValidatedRequest::for_tests(key, names, false);
        let sound = stage.tbs();
        let mut tbs = TbsCertificate::from_der(&sound).unwrap();
        let subject = tbs.subject.to_der().unwrap();
        (subject, find(&mut tbs, rfc5280::ID_CE_SUBJECT_ALT_NAME).critical)
    };
    let nothing_fits = vec![San::Dns(long.clone()), San::Ip("192.0.2.1".parse().unwrap())];
    assert_eq!(named(&mut stage, nothing_fits), (vec![0x30, 0], true));
    let names = vec![San::Dns(long), San::Dns("b.test".into()), San::Dns("c.test".into())];
    let (subject, critical) = named(&mut stage, names);
    assert_eq!(
        subject,
        [b"\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04\x03\x0c\x06".as_slice(), b"b.test"].concat()
    );
    assert!(!critical);

    stage.breaks("subject-alt-name", |tbs| find(tbs, rfc5280::ID_CE_SUBJECT_ALT_NAME).critical = true);
    stage.breaks("subject", |tbs| tbs.subject = AnyRef::from_der(&[0x30, 0]).unwrap());
    let other = [&subject[..subject.len() - 6], b"c.test"].concat();
    let sound = stage.tbs();
    let mut tbs = TbsCertificate::from_der(&sound).unwrap();
    tbs.subject = AnyRef::from_der(&other).unwrap();
    assert_eq!(stage.verdict_on(&tbs.to_der().unwrap()).unwrap_err().rule, "subject");
}

#[test]
fn must_staple_for_all() {
    let mut stage = Stage::new();
    let spec = ProfileSpec { must_staple: MustStaple::Always, ..stage.profile.spec().clone() };
    stage.profile = Profile::new(spec).unwrap();
    let names = stage.request.names().to_vec();
    stage.request = ValidatedRequest::for_tests(stage.request.public_key().clone(), names, false);
    assert_eq!(stage.verdict(|_| ()), Ok(()));
    stage.breaks("must-staple", |tbs| drop(tbs.extensions.pop()));
}

#[test]
fn extended_key_usage() {
    Stage::new().breaks("extended-key-usage", |tbs| {
        let purposes = vec![rfc5280::ID_KP_SERVER_AUTH, rfc5280::ID_KP_CODE_SIGNING];
        set(tbs, rfc5280::ID_CE_EXT_KEY_USAGE, purposes.to_der().unwrap());
    });
}

#[test]
fn subject_alt_name() {
    let stage = Stage::new();
    let san = rfc5280::ID_CE_SUBJECT_ALT_NAME;
    stage.breaks("subject-alt-name", |tbs| find(tbs, san).critical = false);
    stage.breaks("subject-alt-name", |tbs| set(tbs, san, b"\x30\x03\x82\x01a".to_vec()));
    for name in ["Host.example.test", "host_1.test", "-a.test", "a..test", "a.*.test", ""] {
        let key = stage.request.public_key().clone();
        let request = ValidatedRequest::for_tests(key, vec![San::Dns(name.into())], false);
        let refused = prepare(&stage.profile, &request, &stage.issuer, stage.validity, stage.serial);
        assert!(refused.unwrap_err().to_string().contains("subject-alt-name"), "{name}");
    }
}

#[test]
fn key_ids() {
    let stage = Stage::new();
    stage.breaks("subject-key-id", |tbs| {
        *find(tbs, rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER) = subject_key_id(&[1; 20]).unwrap();
    });
    stage.breaks("authority-key-id", |tbs| {
        set(tbs, rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, vec![0x30, 3, 0x80, 1, 1]);
    });
}

#[test]
fn must_staple() {
    let stage = Stage::new();
    stage.breaks("must-staple", |tbs| drop(tbs.extensions.pop()));
}

#[test]
fn urls() {
    let stage = Stage::new();
    for oid in [rfc5280::ID_PE_AUTHORITY_INFO_ACCESS, rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS] {
        stage.breaks("urls", |tbs| tbs.extensions.retain(|extension| extension.extn_id != oid));
    }
}

#[test]
fn other_bytes_are_no_certificate() {
    let stage = Stage::new();
    for bytes in [&[][..], &[0x30, 0], b"-----BEGIN"] {
        assert_eq!(check(bytes, &stage.expected()).unwrap_err().rule, "der");
    }
}
