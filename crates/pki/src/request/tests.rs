//! Each rule with a request that breaks it.

#![expect(clippy::unwrap_in_result, reason = "in a test, a panic is a verdict")]

use chancery_keycheck::CompromisedKeys;
use chancery_keycheck::ed25519::SmallOrder;
use der::asn1::{BitStringRef, ContextSpecific, OctetString, SetOfVec};
use der::{Any, Encode, Tag, TagMode, TagNumber};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

use super::*;
use crate::key::{KeyAlgorithm, KeyKind, PrivateKey, Signer};
use crate::name::San;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const CHALLENGE_PASSWORD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.7");
const MICROSOFT_EXTENSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.14");

/// A request in the making; sound until a test spoils it.
struct Draft {
    version: u8,
    subject: Vec<(ObjectIdentifier, &'static str)>,
    key: PrivateKey,
    spki: Vec<u8>,
    attributes: Vec<Attribute>,
    algorithm: SignatureAlgorithm,
}

impl Draft {
    fn sound() -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        Self {
            version: 0,
            subject: Vec::new(),
            spki: key.public_key().spki_der().to_vec(),
            algorithm: key.signature_algorithm(),
            key,
            attributes: vec![extension_request(&["a.test", "b.test"])],
        }
    }

    fn with_subject(subject: &[(ObjectIdentifier, &'static str)]) -> Self {
        Self { subject: subject.to_vec(), ..Self::sound() }
    }

    fn to_der(&self) -> Vec<u8> {
        let mut subject = RdnSequence::default();
        for (oid, text) in &self.subject {
            let value = Any::new(Tag::Utf8String, text.as_bytes()).unwrap();
            let attribute = AttributeTypeAndValue { oid: *oid, value };
            subject.push(RelativeDistinguishedName::try_from(vec![attribute]).unwrap());
        }
        let attributes = ContextSpecific {
            tag_number: TagNumber(0),
            tag_mode: TagMode::Implicit,
            value: SetOfVec::try_from(self.attributes.clone()).unwrap(),
        };
        let info = sequence(&[
            self.version.to_der().unwrap(),
            subject.to_der().unwrap(),
            self.spki.clone(),
            attributes.to_der().unwrap(),
        ]);
        let signature = self.key.sign(&info).unwrap();
        let algorithm = self.algorithm.identifier().to_der().unwrap();
        sequence(&[info, algorithm, BitStringRef::from_bytes(&signature).unwrap().to_der().unwrap()])
    }

    fn verdict(&self) -> Result<ValidatedRequest, RequestRefusal> {
        let request = CertificateRequest::from_der(&self.to_der()).unwrap();
        check(&request, &names(&["a.test", "b.test"]), &RequestRules::default())
    }
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    Any::new(Tag::Sequence, parts.concat()).unwrap().to_der().unwrap()
}

fn attribute(oid: ObjectIdentifier, value: Any) -> Attribute {
    Attribute { oid, values: SetOfVec::try_from(vec![value]).unwrap() }
}

fn extension_request(dns_names: &[&str]) -> Attribute {
    attribute(rfc5912::ID_EXTENSION_REQ, Any::encode_from(&vec![alt_names(dns_names)]).unwrap())
}

fn alt_names(dns_names: &[&str]) -> Extension {
    let general = names(dns_names).iter().map(|name| name.to_general_name().unwrap()).collect();
    let value = SubjectAltName(general).to_der().unwrap();
    let extn_id = ObjectIdentifier::new_unwrap("2.5.29.17");
    Extension { extn_id, critical: false, extn_value: OctetString::new(value).unwrap() }
}

fn names(dns_names: &[&str]) -> Vec<San> {
    dns_names.iter().map(|name| San::Dns((*name).to_owned())).collect()
}

#[test]
fn a_sound_request_passes() {
    let draft = Draft::sound();
    let validated = draft.verdict().unwrap();
    assert_eq!(validated.names(), names(&["a.test", "b.test"]));
    assert_eq!(validated.public_key(), draft.key.public_key());
    assert!(!validated.must_staple());
}

#[test]
fn version() {
    for version in [1, 2] {
        let draft = Draft { version, ..Draft::sound() };
        assert_eq!(draft.verdict(), Err(RequestRefusal::Version));
    }
}

#[test]
fn kinds_of_key_have_to_be_allowed() {
    let request = CertificateRequest::from_der(&Draft::sound().to_der()).unwrap();
    let rules = RequestRules { key_types: vec![KeyType::Rsa], ..RequestRules::default() };
    let refused = check(&request, &names(&["a.test", "b.test"]), &rules);
    assert_eq!(refused, Err(RequestRefusal::KeyNotAllowed { kind: KeyKind::EcdsaP256 }));
}

#[test]
fn compromised_keys_are_refused() {
    let draft = Draft::sound();
    let digest: String =
        crate::crypto::sha256(&draft.spki).iter().map(|octet| format!("{octet:02x}")).collect();
    let rules = RequestRules {
        compromised_keys: CompromisedKeys::with_list(&digest).unwrap().into(),
        ..RequestRules::default()
    };
    let request = CertificateRequest::from_der(&draft.to_der()).unwrap();
    let ordered = names(&["a.test", "b.test"]);
    assert_eq!(check(&request, &ordered, &rules), Err(RequestRefusal::CompromisedKey));
    assert!(check(&request, &ordered, &RequestRules::default()).is_ok());
}

/// The first reading, spoilt in one place each, differs from the second.
#[test]
fn both_readings_have_to_agree() {
    let mut draft = Draft::with_subject(&[(COMMON_NAME, "a.test")]);
    let text = Any::new(Tag::Utf8String, &b"secret"[..]).unwrap();
    draft.attributes.push(attribute(CHALLENGE_PASSWORD, text));
    let sound = CertificateRequest::from_der(&draft.to_der()).unwrap();
    let ordered = names(&["a.test", "b.test"]);
    let verdict = |spoil: &dyn Fn(&mut CertificateRequest)| {
        let mut request = sound.clone();
        spoil(&mut request);
        second_view::agrees(&request, &ordered)
    };
    assert_eq!(verdict(&|_| ()), Ok(()));
    type Spoil = Box<dyn Fn(&mut CertificateRequest)>;
    let spoils: Vec<(&str, Spoil)> = vec![
        ("what is signed", Box::new(|request| request.signed.truncate(1))),
        ("what is signed", Box::new(|request| request.signature.truncate(1))),
        ("the signature's method", Box::new(|request| request.signature_oid = ORGANISATION)),
        ("the version", Box::new(|request| request.is_version_1 = false)),
        ("the subject", Box::new(|request| request.subject = Name::default())),
        (
            "the public key",
            Box::new(|request| {
                request.public_key =
                    PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().public_key().clone();
            }),
        ),
        ("the types of attributes", Box::new(|request| request.other_attributes.clear())),
        ("the extensions", Box::new(|request| request.extension_requests.clear())),
        ("the extensions", Box::new(|request| request.extension_requests[0][0].critical = true)),
        ("its structure", Box::new(|request| request.der.push(0))),
    ];
    for (what, spoil) in spoils {
        assert_eq!(verdict(&*spoil), Err(RequestRefusal::Ambiguous { what }));
    }
    let others = second_view::agrees(&sound, &names(&["a.test"]));
    assert_eq!(others, Err(RequestRefusal::Ambiguous { what: "the names" }));
}

#[test]
fn other_attributes_are_passed_over_unless_they_hold_extensions() {
    let mut draft = Draft::sound();
    let text = Any::new(Tag::Utf8String, &b"secret"[..]).unwrap();
    draft.attributes.push(attribute(CHALLENGE_PASSWORD, text.clone()));
    assert!(draft.verdict().is_ok());
    draft.attributes.push(attribute(MICROSOFT_EXTENSIONS, text));
    assert_eq!(draft.verdict(), Err(RequestRefusal::ForeignExtensions { oid: MICROSOFT_EXTENSIONS }));
}

#[test]
fn one_extension_request_only() {
    let mut draft = Draft::sound();
    draft.attributes.push(extension_request(&["c.test"]));
    assert_eq!(draft.verdict(), Err(RequestRefusal::ExtensionRequests { count: 2 }));

    let values = ["a.test", "b.test"].map(|name| Any::encode_from(&vec![alt_names(&[name])]).unwrap());
    let values = SetOfVec::try_from(values.to_vec()).unwrap();
    let two_values = Attribute { oid: rfc5912::ID_EXTENSION_REQ, values };
    let draft = Draft { attributes: vec![two_values], ..Draft::sound() };
    assert_eq!(draft.verdict(), Err(RequestRefusal::ExtensionRequests { count: 2 }));
}

#[test]
fn names_in_the_common_name_alone_do_not_count() {
    let mut draft = Draft::with_subject(&[(COMMON_NAME, "a.test")]);
    draft.attributes.clear();
    let refused = draft.verdict().unwrap_err();
    assert_eq!(refused, RequestRefusal::NoNames);
    assert!(refused.to_string().contains("-addext subjectAltName"), "{refused}");
    draft.attributes = vec![extension_request(&[])];
    assert_eq!(draft.verdict(), Err(RequestRefusal::NoNames));
}

#[test]
fn exactly_the_orders_names() {
    let verdict =
        |dns_names| Draft { attributes: vec![extension_request(dns_names)], ..Draft::sound() }.verdict();
    assert!(verdict(&["B.test", "a.TEST", "a.test"]).is_ok());
    let surplus = RequestRefusal::SurplusNames { names: "`c.test`".into() };
    assert_eq!(verdict(&["a.test", "b.test", "c.test"]), Err(surplus));
    let empty = RequestRefusal::SurplusNames { names: "``".into() };
    assert_eq!(verdict(&["a.test", "b.test", ""]), Err(empty));
    let missing = RequestRefusal::MissingNames { names: "`b.test`".into() };
    assert_eq!(verdict(&["a.test"]), Err(missing));
}

#[test]
fn a_point_under_which_anybody_can_sign_is_no_key() {
    // RFC 8410 §4, with the identity as its point.
    let mut spki = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, 1];
    spki.resize(44, 0);
    let refused = Draft { spki, ..Draft::sound() }.verdict();
    assert_eq!(refused, Err(RequestRefusal::SmallOrder(SmallOrder)));
}

#[test]
fn the_common_name_is_empty_or_one_of_the_names() {
    for sound in ["a.test", "B.Test", ""] {
        assert!(Draft::with_subject(&[(COMMON_NAME, sound)]).verdict().is_ok(), "{sound}");
    }
    let verdict = |subject| Draft::with_subject(subject).verdict();
    assert_eq!(verdict(&[(COMMON_NAME, "c.test")]), Err(RequestRefusal::CommonName));
    let two = [(COMMON_NAME, "a.test"), (COMMON_NAME, "b.test")];
    assert_eq!(verdict(&two), Err(RequestRefusal::CommonNames));
    let organisation = [(COMMON_NAME, "a.test"), (ORGANISATION, "Example")];
    assert_eq!(verdict(&organisation), Err(RequestRefusal::SubjectAttribute { oid: ORGANISATION }));
}

#[test]
fn the_signature_has_to_suit_the_key_and_verify() {
    let kind = KeyKind::EcdsaP256;
    let draft = Draft { algorithm: SignatureAlgorithm::RsaSha256, ..Draft::sound() };
    let oid = SignatureAlgorithm::RsaSha256.oid();
    assert_eq!(draft.verdict(), Err(RequestRefusal::SignatureAlgorithm { oid, kind }));

    let draft = Draft { algorithm: SignatureAlgorithm::EcdsaSha384, ..Draft::sound() };
    assert_eq!(draft.verdict(), Err(RequestRefusal::Signature));

    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let draft = Draft { spki: other.public_key().spki_der().to_vec(), ..Draft::sound() };
    assert_eq!(draft.verdict(), Err(RequestRefusal::Signature));

    let mut draft = Draft::sound();
    *draft.spki.last_mut().unwrap() ^= 1;
    assert_eq!(draft.verdict(), Err(RequestRefusal::InvalidKey { kind }));
}

#[test]
fn bytes_behind_the_request_and_too_many_bytes_are_refused() {
    let mut der = Draft::sound().to_der();
    der.push(0);
    assert!(matches!(CertificateRequest::from_der(&der), Err(RequestError::Malformed(_))));
    let long = vec![0x30; MAX_REQUEST_LEN + 1];
    let refused = CertificateRequest::from_der(&long).unwrap_err();
    assert_eq!(refused, RequestError::TooLong { length: MAX_REQUEST_LEN + 1 });
}

/// RSA keys that cannot be generated, so their numbers are made up. The signature is never reached.
mod rsa {
    use der::asn1::{AnyRef, UintRef};
    use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

    use super::*;
    use chancery_keycheck::RsaWeakness;

    fn verdict(modulus: &[u8], exponent: &[u8]) -> RequestRefusal {
        let numbers = [modulus, exponent].map(|number| UintRef::new(number).unwrap().to_der().unwrap());
        let key = sequence(&numbers);
        let algorithm =
            AlgorithmIdentifierRef { oid: rfc5912::RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
        let subject_public_key = BitStringRef::from_bytes(&key).unwrap();
        let spki = SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().unwrap();
        Draft { spki, ..Draft::sound() }.verdict().unwrap_err()
    }

    #[test]
    fn lengths_have_bounds() {
        for (octets, bits) in [(128, 1024), (255, 2040), (1025, 8200)] {
            let refused = verdict(&vec![0xff; octets], &[1, 0, 1]);
            assert_eq!(refused, RequestRefusal::RsaBits { bits, min: 2048, max: 8192 });
        }
    }

    #[test]
    fn weak_numbers_are_refused() {
        let mut even = [0xff; 256];
        even[255] = 0xfe;
        let factor_2 = RequestRefusal::WeakRsa(RsaWeakness::SmallFactor { prime: 2 });
        assert_eq!(verdict(&even, &[1, 0, 1]), factor_2);
        let exponent = RequestRefusal::WeakRsa(RsaWeakness::Exponent);
        assert_eq!(verdict(&[0xff; 256], &[3]), exponent);
        assert_eq!(verdict(&[0xff; 256], &[1, 0, 2]), exponent);
    }
}
