use proptest::prelude::*;

use super::*;
use crate::problem::ProblemType;
use crate::test_client::Client;

const URL: &str = "https://ca.test/acme/key-change";
const ACCOUNT: &str = "https://ca.test/acme/account/1";

fn header(new: &Client) -> String {
    format!(r#"{{"alg":"ES256","url":"{URL}","jwk":{}}}"#, new.jwk())
}

fn payload(old: &Client) -> String {
    format!(r#"{{"account":"{ACCOUNT}","oldKey":{}}}"#, old.jwk())
}

fn check(inner: &str, old: &Client) -> Result<AccountKey, KeyChangeError> {
    verify(inner.as_bytes(), URL, ACCOUNT, &old.key())
}

#[test]
fn a_good_change_gives_the_new_key() {
    let (old, new) = (Client::new(), Client::new());
    let key = check(&new.sign(&header(&new), &payload(&old)), &old).unwrap();
    assert_eq!(key.thumbprint(), new.key().thumbprint());
}

#[test]
fn each_broken_rule_of_the_header_has_its_refusal() {
    let (old, new) = (Client::new(), Client::new());
    let refused = |header: &str| check(&new.sign(header, &payload(&old)), &old).unwrap_err();
    let good = header(&new);
    let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    assert_eq!(refused(&with(r#""nonce":"n""#)), KeyChangeError::Nonce);
    assert_eq!(refused(&with(r#""nonce":"""#)), KeyChangeError::Nonce);
    assert!(matches!(refused(&with(r#""nonce":null"#)), KeyChangeError::Inner(JwsError::Header(_))));
    assert!(matches!(refused(&with(r#""crit":[]"#)), KeyChangeError::Inner(JwsError::Header(_))));
    assert_eq!(refused(&with(r#""kid":"k""#)), KeyChangeError::Inner(JwsError::KeyReference("both")));
    assert_eq!(refused(&good.replace("key-change", "revoke")), KeyChangeError::Url);
    assert_eq!(
        refused(&format!(r#"{{"alg":"ES256","url":"{URL}","kid":"{ACCOUNT}"}}"#)),
        KeyChangeError::Kid
    );
    for alg in ["none", "HS256"] {
        assert_eq!(
            refused(&good.replace("ES256", alg)),
            KeyChangeError::Inner(JwsError::Algorithm(alg.into()))
        );
    }
}

#[test]
fn each_broken_rule_of_the_payload_has_its_refusal() {
    let (old, new) = (Client::new(), Client::new());
    let refused = |payload: &str| check(&new.sign(&header(&new), payload), &old).unwrap_err();
    let good = payload(&old);
    assert_eq!(refused(&good.replace("account/1", "account/2")), KeyChangeError::Account);
    assert_eq!(refused(&good.replace("https://ca.test", "https://CA.test")), KeyChangeError::Account);
    assert_eq!(refused(&payload(&new)), KeyChangeError::OldKey);
    assert_eq!(
        refused(&format!(r#"{{"account":"{ACCOUNT}","oldKey":{{"kty":"oct"}}}}"#)),
        KeyChangeError::OldKey
    );
    for bad in [
        "",
        "{}",
        "[]",
        &format!(r#"{{"account":"{ACCOUNT}"}}"#),
        &format!(r#"{{"account":"{ACCOUNT}","oldKey":null}}"#),
        &format!(r#"{{"account":null,"oldKey":{}}}"#, old.jwk()),
        &good.replacen('{', &format!(r#"{{"account":"{ACCOUNT}","#), 1),
    ] {
        assert!(matches!(refused(bad), KeyChangeError::Payload(_)), "{bad}");
    }
}

#[test]
fn the_new_key_signs_and_is_new() {
    let (old, new) = (Client::new(), Client::new());
    let by_the_old_key = old.sign(&header(&new), &payload(&old));
    assert_eq!(check(&by_the_old_key, &old).unwrap_err(), KeyChangeError::Inner(JwsError::Signature));
    let to_itself = old.sign(&header(&old), &payload(&old));
    assert_eq!(check(&to_itself, &old).unwrap_err(), KeyChangeError::SameKey);
}

#[test]
fn an_old_key_is_known_by_its_numbers_whatever_else_its_jwk_says() {
    let (old, new) = (Client::new(), Client::new());
    let old_key = old.jwk().replacen('{', r#"{"use":"sig","kid":"mine","#, 1);
    let payload = format!(r#"{{"account":"{ACCOUNT}","oldKey":{old_key}}}"#);
    assert!(check(&new.sign(&header(&new), &payload), &old).is_ok());
}

#[test]
fn problems_have_the_types_of_the_rfc() {
    let (old, new) = (Client::new(), Client::new());
    let problem = |header: &str| Problem::from(check(&new.sign(header, &payload(&old)), &old).unwrap_err());
    let good = header(&new);
    let algorithm = problem(&good.replace("ES256", "HS256"));
    assert_eq!(algorithm.kind(), ProblemType::BadSignatureAlgorithm);
    assert!(algorithm.to_json().contains(r#""algorithms":["#));
    let key = problem(&good.replace("P-256", "P-255"));
    assert_eq!(key.kind(), ProblemType::BadPublicKey);
    let url = problem(&good.replace("key-change", "revoke"));
    assert_eq!((url.kind(), url.status()), (ProblemType::Malformed, 400));
    assert!(url.detail().contains("same `url`"), "{}", url.detail());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
        let (old, new) = (Client::new(), Client::new());
        prop_assert!(verify(&bytes, URL, ACCOUNT, &old.key()).is_err());
        prop_assert!(check(&new.sign(&text, &payload(&old)), &old).is_err());
        prop_assert!(check(&new.sign(&header(&new), &text), &old).is_err());
    }
}
