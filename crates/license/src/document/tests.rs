use proptest::prelude::*;

use super::*;
use crate::testing::*;
use crate::{License, RevocationList};

fn sealed() -> String {
    seal(&document(license()), &[&root()]).unwrap()
}

/// The licence, signed by those keys as a payload of that type.
fn enveloped(payload_type: &str, payload: &[u8], keys: &[&SigningKey]) -> String {
    let envelope = Envelope::sign(payload_type, payload.to_vec(), keys).unwrap();
    armour::encode(Kind::License.label(), &envelope.write().unwrap())
}

fn payload() -> Vec<u8> {
    json::write(&document(license())).unwrap()
}

fn class(text: &str) -> &'static str {
    open::<License>(text, &keyring()).map_or_else(|error| error.class(), |_| "ok")
}

#[test]
fn every_kind_opens_as_it_was_sealed() {
    let license = document(license());
    let opened = open::<License>(&seal(&license, &[&root()]).unwrap(), &keyring()).unwrap();
    assert_eq!((opened.document(), opened.signer()), (&license, root().public().id()));
    assert_eq!(opened.into_document(), license);

    let list = document(revocations());
    let opened = open::<RevocationList>(&seal(&list, &[&root()]).unwrap(), &keyring()).unwrap();
    assert_eq!(opened.body(), &list.body);
}

#[test]
fn a_signature_for_one_kind_never_verifies_as_another() {
    let list = seal(&document(revocations()), &[&root()]).unwrap();
    let wrong_type = DocumentError::WrongType { found: Kind::Revocations, expected: Kind::License };
    assert_eq!(open::<License>(&list, &keyring()), Err(wrong_type.clone()));
    // In the armour of a licence, the signed type still tells.
    let relabelled = list.replace("CHANCERY REVOCATIONS", "CHANCERY LICENSE");
    assert_eq!(open::<License>(&relabelled, &keyring()), Err(wrong_type));
    // With the type altered as well, the signature does.
    let mut envelope = read_envelope(&list, Kind::Revocations).unwrap();
    envelope.payload_type = Kind::License.payload_type();
    assert_eq!(
        open_envelope::<License>(&envelope, &keyring()),
        Err(DocumentError::BadSignature(root().public().id()))
    );
}

#[test]
fn nothing_is_read_before_a_signature_is_found_right() {
    let license = Kind::License.payload_type();
    assert_eq!(class(&enveloped(&license, b"not JSON", &[&key(9)])), "unknown_key");
    assert_eq!(class(&enveloped(&license, b"not JSON", &[&root()])), "malformed");
    assert_eq!(class(&enveloped("text/plain", b"not JSON", &[&key(9)])), "unknown_key");
    assert_eq!(class(&enveloped("text/plain", b"not JSON", &[&root()])), "unknown_type");
    let later = license.replace("v1", "v2");
    assert_eq!(class(&enveloped(&later, b"not JSON", &[&root()])), "unsupported_version");
    // The private key of a development root may be public: its signature opens nothing elsewhere.
    assert_eq!(class(&enveloped(&license, b"not JSON", &[&dev_root()])), "wrong_environment");
}

#[test]
fn one_good_signature_is_enough_and_a_bad_one_too_many() {
    let kind = Kind::License.payload_type();
    let by = |keys: &[&SigningKey]| enveloped(&kind, &payload(), keys);
    assert_eq!(class(&by(&[&root()])), "ok");
    assert_eq!(class(&by(&[&key(9), &root()])), "ok", "a key that is not known is passed over");
    assert_eq!(class(&by(&[&dev_root(), &root()])), "ok");
    assert_eq!(class(&by(&[&key(3)])), "wrong_product");
    assert_eq!(class(&by(&[&key(9)])), "unknown_key");

    let mut envelope = Envelope::sign(&kind, payload(), &[&root(), &dev_root()]).unwrap();
    let opened =
        |envelope: &Envelope| open_envelope::<License>(envelope, &keyring()).map(|opened| opened.signer());
    assert_eq!(opened(&envelope), Ok(root().public().id()));
    envelope.signatures[1].bytes[0] ^= 1;
    assert_eq!(opened(&envelope), Err(DocumentError::BadSignature(dev_root().public().id())));
    // Under an id of another scheme, the bytes mean nothing here.
    envelope.signatures[1].key_id = "ml-dsa-65:00".to_owned();
    assert_eq!(opened(&envelope), Ok(root().public().id()));
}

#[test]
fn a_key_speaks_for_its_own_product_and_environment() {
    let by = |product: &str, environment, key: &SigningKey| {
        let mut document = document(license());
        document.product = product.to_owned();
        document.environment = environment;
        open::<License>(&seal(&document, &[key]).unwrap(), &keyring())
    };
    let wrong_environment =
        |found| Err(DocumentError::WrongEnvironment { found, expected: Environment::Prod });
    let wrong_product = Err(DocumentError::WrongProduct { found: "other".into(), expected: PRODUCT.into() });
    assert!(by(PRODUCT, Environment::Prod, &root()).is_ok());
    assert_eq!(by(PRODUCT, Environment::Dev, &root()), wrong_environment(Environment::Dev));
    assert_eq!(by(PRODUCT, Environment::Prod, &dev_root()), wrong_environment(Environment::Dev));
    assert_eq!(by("other", Environment::Prod, &root()), wrong_product);
    assert_eq!(by(PRODUCT, Environment::Prod, &key(3)), wrong_product);
}

#[test]
fn what_could_never_be_opened_is_not_sealed() {
    let license = document(license());
    assert_eq!(seal(&license, &[]), Err(SealError::NoKey));
    let rsa = SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap();
    assert_eq!(seal(&license, &[&rsa]), Err(SealError::NotEd25519(rsa.public().id())));
    let keys: Vec<SigningKey> = (1..=9).map(key).collect();
    let too_many = seal(&license, &keys.iter().collect::<Vec<_>>()).unwrap_err();
    assert!(matches!(too_many, SealError::Document(DocumentError::Envelope(_))), "{too_many}");
    let twice = seal(&license, &[&root(), &root()]).unwrap_err();
    assert!(matches!(twice, SealError::Document(DocumentError::Envelope(_))), "{twice}");
    for product in ["", "Chancery", "two words", &"x".repeat(65)] {
        let document = Document { product: product.to_owned(), ..license.clone() };
        let refused = seal(&document, &[&root()]).unwrap_err();
        assert!(matches!(refused, SealError::Document(DocumentError::Rule(_))), "{refused}");
    }
}

#[test]
fn errors_tell_what_to_look_at() {
    let wrong = DocumentError::WrongEnvironment { found: Environment::Dev, expected: Environment::Prod };
    assert_eq!(wrong.to_string(), "it is for the environment dev, and this is prod");
    assert_eq!(
        DocumentError::UnknownKey(vec!["a".to_owned(), "b".to_owned()]).to_string(),
        "signed by a, b and by no key that is known here"
    );
}

proptest! {
    #[test]
    fn any_altered_character_is_noticed(place in any::<prop::sample::Index>(), character in "[A-Za-z0-9+/=-]") {
        let text = sealed();
        let place = place.index(text.trim_end().len());
        let mut altered = text.clone();
        altered.replace_range(place..=place, &character);
        prop_assert_eq!(open::<License>(&altered, &keyring()).is_ok(), altered == text);
    }

    #[test]
    fn any_altered_bit_of_what_is_signed_is_noticed(place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut envelope = read_envelope(&sealed(), Kind::License).unwrap();
        let place = place.index(envelope.payload.len());
        envelope.payload[place] ^= 1 << bit;
        prop_assert_eq!(
            open_envelope::<License>(&envelope, &keyring()),
            Err(DocumentError::BadSignature(root().public().id()))
        );
    }

    #[test]
    fn no_text_makes_it_panic(payload in prop::collection::vec(any::<u8>(), 0..200), payload_type in "\\PC{0,60}") {
        let text = enveloped(&payload_type, &payload, &[&root()]);
        prop_assert!(open::<License>(&text, &keyring()).is_err());
    }
}
