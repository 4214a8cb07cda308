use super::*;
use crate::crypto::SigningKey;
use crate::document::{open, seal};
use crate::manifest::IssuingKey;
use crate::testing::*;
use crate::{License, RevocationList};

fn sealed(manifest: KeyManifest, keys: &[&SigningKey]) -> String {
    seal(&document(manifest), keys).unwrap()
}

/// The class of the licence of the tests, signed by that key and issued at that time.
fn license_by(keyring: &Keyring, key: &SigningKey, issued: &str) -> &'static str {
    let document = Document { issued: at(issued), ..document(license()) };
    let sealed = seal(&document, &[key]).unwrap();
    open::<License>(&sealed, keyring).map_or_else(|error| error.class(), |_| "ok")
}

#[test]
fn an_environment_without_an_anchor_is_refused_by_name() {
    let refused = Keyring::new(&anchors(), PRODUCT, Environment::Uat).unwrap_err();
    assert_eq!(refused, NoAnchor { product: PRODUCT.to_owned(), environment: Environment::Uat });
    assert!(refused.to_string().contains("`chancery` in the environment uat"), "{refused}");
    assert!(Keyring::new(&anchors(), "other", Environment::Dev).is_err());
    assert!(Keyring::new(&anchors(), "other", Environment::Prod).is_ok());
}

#[test]
fn an_issuing_key_signs_what_it_may_while_it_may() {
    let issuing = key(5);
    assert_eq!(license_by(&keyring(), &issuing, "2026-03-01T00:00:00Z"), "unknown_key");
    let keyring = keyring().admit(&sealed(manifest(1, 5), &[&root()])).unwrap();
    assert_eq!(keyring.sequence(), 1);
    for (issued, class) in [
        ("2025-12-31T23:59:59Z", "key_not_valid_then"),
        ("2026-01-01T00:00:00Z", "ok"),
        ("2026-12-31T00:00:00Z", "ok"),
        ("2026-12-31T00:00:01Z", "key_not_valid_then"),
    ] {
        assert_eq!(license_by(&keyring, &issuing, issued), class, "{issued}");
    }
    assert_eq!(license_by(&keyring, &root(), "2030-01-01T00:00:00Z"), "ok", "the root goes on signing");

    let list = seal(&document(revocations()), &[&issuing]).unwrap();
    assert!(open::<RevocationList>(&list, &keyring).is_ok());
    let mut licenses_alone = manifest(2, 5);
    licenses_alone.keys[0].uses = vec![Use::License];
    let keyring = keyring.admit(&sealed(licenses_alone, &[&root()])).unwrap();
    let refused = open::<RevocationList>(&list, &keyring).unwrap_err();
    assert_eq!(refused, DocumentError::KeyNotForThis { key: issuing.public().id(), kind: Kind::Revocations });
}

#[test]
fn a_key_for_licences_signs_machine_files() {
    let names = |keyring: &Keyring| -> Vec<String> {
        keyring.machine_file_keys().into_iter().map(|(name, _)| name).collect()
    };
    let (root_id, issuing_id) = (root().public().id(), key(5).public().id());
    assert_eq!(names(&keyring()), [root_id.to_string()], "keys of other environments are no candidates");
    let mut jwt_alone = manifest(1, 5);
    jwt_alone.keys[0].uses = vec![Use::LicenseJwt];
    for (manifest, class) in [(manifest(1, 5), "ok"), (jwt_alone, "key_not_for_this")] {
        let keyring = keyring().admit(&sealed(manifest, &[&root()])).unwrap();
        assert_eq!(names(&keyring), [root_id, issuing_id].map(|id| id.to_string()));
        let judged = |id, issued| {
            keyring.judge_machine_file(id, at(issued)).map_or_else(|error| error.class(), |()| "ok")
        };
        assert_eq!(judged(issuing_id, "2026-03-01T00:00:00Z"), class);
        assert_eq!(judged(root_id, "2030-03-01T00:00:00Z"), "ok");
        assert_eq!(judged(key(6).public().id(), "2026-03-01T00:00:00Z"), "unknown_key");
        if class == "ok" {
            assert_eq!(judged(issuing_id, "2027-01-01T00:00:00Z"), "key_not_valid_then");
        }
    }
}

#[test]
fn a_root_alone_vouches_for_keys() {
    let vouched = keyring().admit(&sealed(manifest(1, 5), &[&root()])).unwrap();
    let refused = vouched.admit(&sealed(manifest(2, 6), &[&key(5)])).unwrap_err();
    assert_eq!(refused, DocumentError::KeyNotForThis { key: key(5).public().id(), kind: Kind::Keys });
    assert_eq!(keyring().admit(&sealed(manifest(1, 5), &[&key(5)])).unwrap_err().class(), "unknown_key");
    assert_eq!(
        keyring().admit(&sealed(manifest(1, 5), &[&dev_root()])).unwrap_err().class(),
        "wrong_environment"
    );
}

#[test]
fn a_newer_manifest_takes_the_place_of_an_older_one() {
    let first = keyring().admit(&sealed(manifest(4, 5), &[&root()])).unwrap();
    let second = first.admit(&sealed(manifest(6, 6), &[&root()])).unwrap();
    assert_eq!(license_by(&second, &key(5), "2026-03-01T00:00:00Z"), "unknown_key");
    assert_eq!(license_by(&second, &key(6), "2026-03-01T00:00:00Z"), "ok");
    for found in [1, 6] {
        let refused = second.admit(&sealed(manifest(found, 5), &[&root()])).unwrap_err();
        assert_eq!(refused, DocumentError::StaleSequence { found, held: 6 });
    }
}

#[test]
fn a_root_hands_over_to_one_that_agrees() {
    let next = key(7);
    let handover = || KeyManifest { next_root: Some(next.public().clone()), ..manifest(1, 5) };
    let alone = keyring().admit(&sealed(handover(), &[&root()])).unwrap_err();
    assert_eq!(alone, DocumentError::NextRootDidNotSign(next.public().id()));
    assert_eq!(keyring().admit(&sealed(handover(), &[&next])).unwrap_err().class(), "unknown_key");

    let keyring = keyring().admit(&sealed(handover(), &[&root(), &next])).unwrap();
    // The handover was on 1 March 2026: what the old root signed until then counts, and nothing after.
    assert_eq!(license_by(&keyring, &root(), "2026-03-01T00:00:00Z"), "ok");
    assert_eq!(license_by(&keyring, &root(), "2026-03-01T00:00:01Z"), "key_not_valid_then");
    assert_eq!(license_by(&keyring, &next, "2026-03-01T00:00:01Z"), "ok");
    assert_eq!(keyring.admit(&sealed(manifest(2, 6), &[&root()])).unwrap_err().class(), "key_not_for_this");
    let onward = keyring.admit(&sealed(manifest(2, 6), &[&next])).unwrap();
    assert_eq!(license_by(&onward, &key(6), "2026-04-01T00:00:00Z"), "ok");
}

#[test]
fn no_key_is_trusted_twice() {
    for seed in [1, 2, 3] {
        let refused = keyring().admit(&sealed(manifest(1, seed), &[&root()])).unwrap_err();
        assert_eq!(refused, DocumentError::KeyTwice(key(seed).public().id()));
    }
    let mut twice = manifest(1, 5);
    twice.keys.push(twice.keys[0].clone());
    assert_eq!(
        keyring().admit(&sealed(twice, &[&root()])),
        Err(DocumentError::KeyTwice(key(5).public().id()))
    );
}

#[test]
fn licence_jwts_have_keys_of_their_own() {
    let rsa = SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap();
    let jwt_key = IssuingKey {
        key: rsa.public().clone(),
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2026-12-31T00:00:00Z"),
        uses: vec![Use::LicenseJwt],
    };
    let mut listed = manifest(1, 5);
    listed.keys.push(jwt_key);
    let keyring = keyring().admit(&sealed(listed, &[&root()])).unwrap();
    assert_eq!(keyring.jwt_keys(), [root().public().clone(), rsa.public().clone()]);

    let judge = |key: &SigningKey, issued: &str| keyring.judge_jwt(key.public().id(), at(issued));
    assert_eq!(judge(&rsa, "2026-03-01T00:00:00Z"), Ok(()));
    assert_eq!(judge(&rsa, "2027-03-01T00:00:00Z").unwrap_err().class(), "key_not_valid_then");
    assert_eq!(judge(&root(), "2027-03-01T00:00:00Z"), Ok(()));
    assert_eq!(judge(&key(5), "2026-03-01T00:00:00Z").unwrap_err().class(), "key_not_for_this");
    assert_eq!(judge(&dev_root(), "2026-03-01T00:00:00Z").unwrap_err().class(), "unknown_key");
}

#[test]
fn an_rsa_key_signs_no_document() {
    let environment = Environment::Dev;
    let anchors = crate::anchors::dev::anchors(PRODUCT).unwrap();
    let keyring = Keyring::new(&anchors, PRODUCT, environment).unwrap();
    let rsa = SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap();
    let document = Document { environment, ..document(license()) };
    let payload = crate::json::write(&document).unwrap();
    let envelope = Envelope::sign(&Kind::License.payload_type(), payload, &[&rsa]).unwrap();
    let refused = crate::document::open_envelope::<License>(&envelope, &keyring).unwrap_err();
    assert_eq!(refused, DocumentError::UnknownKey(vec![rsa.public().id().to_string()]));
}
