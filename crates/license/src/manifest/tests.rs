use super::*;
use crate::crypto::SigningKey;
use crate::document::{DocumentError, SealError, seal};
use crate::testing::{at, document, key, manifest, root};

fn rule(alter: impl FnOnce(&mut KeyManifest)) -> Result<(), &'static str> {
    let mut manifest = manifest(1, 5);
    alter(&mut manifest);
    match seal(&document(manifest), &[&root()]) {
        Ok(_) => Ok(()),
        Err(SealError::Document(DocumentError::Rule(rule))) => Err(rule),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_manifest_is_held_to_its_rules() {
    let rsa = SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap();
    let rsa = rsa.public();
    assert_eq!(rule(|_| {}), Ok(()));
    assert_eq!(rule(|manifest| manifest.keys.clear()), Ok(()));
    assert_eq!(rule(|manifest| manifest.next_root = Some(key(6).public().clone())), Ok(()));
    assert_eq!(rule(|manifest| manifest.sequence = 0), Err("sequence is a number from 1 to 2^53 - 1"));
    assert_eq!(rule(|manifest| manifest.next_root = Some(rsa.clone())), Err("next_root is an Ed25519 key"));
    let listed = manifest(1, 5).keys.remove(0);
    assert_eq!(rule(|manifest| manifest.keys = vec![listed; 33]), Err("keys has at most 32 entries"));
    assert_eq!(
        rule(|manifest| manifest.keys[0].not_after = at("2025-12-31T00:00:00Z")),
        Err("not_after of a key comes before its not_before")
    );
    for uses in [vec![], vec![Use::Revocations, Use::License], vec![Use::License, Use::License]] {
        let found = rule(|manifest| manifest.keys[0].uses = uses);
        assert_eq!(
            found,
            Err("uses of a key is some of license, license_jwt and revocations, in this order")
        );
    }
    assert_eq!(
        rule(|manifest| manifest.keys[0].key = rsa.clone()),
        Err("a key that is not Ed25519 can sign licence JWTs alone")
    );
    let for_jwts = |manifest: &mut KeyManifest| {
        manifest.keys[0].key = rsa.clone();
        manifest.keys[0].uses = vec![Use::LicenseJwt];
    };
    assert_eq!(rule(for_jwts), Ok(()));
}

#[test]
fn keys_are_written_as_their_subject_public_key_info() {
    let written = serde_json::to_value(manifest(1, 5)).unwrap();
    let spki = written["keys"][0]["key"].as_str().unwrap();
    assert_eq!(
        key(5).public().to_pem(),
        format!("-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----\n")
    );
    let mut altered = written.clone();
    for wrong in ["", "AAAA", &spki.replace('=', "")] {
        altered["keys"][0]["key"] = wrong.into();
        assert!(serde_json::from_value::<KeyManifest>(altered.clone()).is_err(), "{wrong}");
    }
    altered = written;
    altered["keys"][0]["uses"][0] = serde_json::json!({"license": null});
    assert!(serde_json::from_value::<KeyManifest>(altered).is_err());
}
