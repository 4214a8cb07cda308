use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;

use super::*;
use crate::problem::ProblemType;
use crate::test_client::{Client, flattened};

const URL: &str = "https://ca.test/acme/new-account";
const HEADER: &str = r#"{"alg":"HS256","kid":"kid-1","url":"https://ca.test/acme/new-account"}"#;

fn secret() -> EabSecret {
    EabSecret::from_bytes(&[7; 32]).unwrap()
}

fn bind(algorithm: hmac::Algorithm, header: &str, payload: &str) -> String {
    let key = hmac::Key::new(algorithm, secret().as_bytes());
    flattened(header, payload, |input| hmac::sign(&key, input).as_ref().to_vec())
}

fn refusal(client: &Client, json: &str) -> EabError {
    ExternalAccountBinding::parse(json, &client.key(), URL).unwrap_err()
}

#[test]
fn a_good_binding_is_believed_with_its_secret_alone() {
    let client = Client::new();
    for (name, algorithm) in
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
    {
        let json = bind(algorithm, &HEADER.replace("HS256", name), &client.jwk());
        let binding = ExternalAccountBinding::parse(&json, &client.key(), URL).unwrap();
        assert_eq!(binding.kid(), "kid-1");
        assert_eq!(binding.verify(Some(&secret())), Ok(()), "{name}");
        let other = EabSecret::from_bytes(&[8; 32]).unwrap();
        assert_eq!(binding.verify(Some(&other)), Err(EabError::Unauthorized), "{name}");
    }
}

/// RFC 7515 Appendix A.1.
#[test]
fn the_mac_is_that_of_the_rfc() {
    let secret = EabSecret::from_base64url(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    )
    .unwrap();
    let input = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let tag = Base64UrlUnpadded::decode_vec("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
    assert!(Mac::HmacSha256.verifies(secret.as_bytes(), input, &tag));
    assert!(!Mac::HmacSha384.verifies(secret.as_bytes(), input, &tag));
    assert!(!Mac::HmacSha256.verifies(secret.as_bytes(), input, &tag[..31]));
    assert!(!Mac::HmacSha256.verifies(secret.as_bytes(), input, b""));
}

#[test]
fn an_unknown_identifier_and_a_wrong_mac_are_told_the_same() {
    let client = Client::new();
    // What nobody's empty secret would make must not help either.
    let empty = hmac::Key::new(hmac::HMAC_SHA256, b"");
    let forged = flattened(HEADER, &client.jwk(), |input| hmac::sign(&empty, input).as_ref().to_vec());
    let good = bind(hmac::HMAC_SHA256, HEADER, &client.jwk());
    let parse = |json: &str| ExternalAccountBinding::parse(json, &client.key(), URL).unwrap();
    let wrong = EabSecret::from_bytes(&[0; 16]).unwrap();
    let refusals = [
        parse(&good).verify(None).unwrap_err(),
        parse(&forged).verify(None).unwrap_err(),
        parse(&good).verify(Some(&wrong)).unwrap_err(),
    ];
    for refused in refusals {
        let problem = Problem::from(refused);
        assert_eq!((problem.kind(), problem.status()), (ProblemType::Unauthorized, 403));
        assert_eq!(problem, Problem::from(EabError::Unauthorized));
    }
}

#[test]
fn the_header_has_three_members_and_no_other() {
    let client = Client::new();
    let refused = |header: &str| refusal(&client, &bind(hmac::HMAC_SHA256, header, &client.jwk()));
    for member in [
        r#""nonce":"n""#,
        r#""nonce":null"#,
        r#""jwk":{}"#,
        r#""crit":["b64"]"#,
        r#""b64":true"#,
        r#""typ":"JWT""#,
        r#""kid":"kid-1""#,
        r#""alg":"HS256""#,
    ] {
        let header = HEADER.replacen('{', &format!("{{{member},"), 1);
        assert!(matches!(refused(&header), EabError::Jws(JwsError::Header(_))), "{member}");
    }
    for header in [
        r#"{"kid":"kid-1","url":"https://ca.test/acme/new-account"}"#,
        r#"{"alg":"HS256","url":"https://ca.test/acme/new-account"}"#,
        r#"{"alg":"HS256","kid":"kid-1"}"#,
        r#"{"alg":"HS256","kid":null,"url":"https://ca.test/acme/new-account"}"#,
        r#"["HS256","kid-1","https://ca.test/acme/new-account"]"#,
        "",
    ] {
        assert!(matches!(refused(header), EabError::Jws(JwsError::Header(_))), "{header}");
    }
    for alg in ["none", "ES256", "hs256", "HS1", ""] {
        assert_eq!(refused(&HEADER.replace("HS256", alg)), EabError::Algorithm(alg.into()));
    }
    for kid in ["", "a\\u0000b", "a\\nb", &"k".repeat(257)] {
        assert_eq!(refused(&HEADER.replace("kid-1", kid)), EabError::Kid, "{kid}");
    }
    assert_eq!(refused(&HEADER.replace("new-account", "new-order")), EabError::Url);
}

#[test]
fn the_payload_is_the_key_of_the_account() {
    let client = Client::new();
    let refused = |payload: &str| refusal(&client, &bind(hmac::HMAC_SHA256, HEADER, payload));
    assert_eq!(refused(&Client::new().jwk()), EabError::OtherKey);
    assert_eq!(
        refused(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
        EabError::OtherKey
    );
    assert_eq!(refused(r#"{"kty":"oct","k":"AAAA"}"#), EabError::Payload(KeyRefusal::Private));
    assert_eq!(refused(""), EabError::Payload(KeyRefusal::NotAKey));
    assert_eq!(refused(r#""key""#), EabError::Payload(KeyRefusal::NotAKey));
}

#[test]
fn other_forms_and_too_much_are_refused() {
    let client = Client::new();
    let good = bind(hmac::HMAC_SHA256, HEADER, &client.jwk());
    for json in [
        good.replacen('{', r#"{"header":{},"#, 1),
        good.replacen('{', r#"{"payload":"","#, 1),
        "null".into(),
        "[]".into(),
        String::new(),
    ] {
        assert!(matches!(refusal(&client, &json), EabError::Jws(JwsError::Serialization(_))), "{json}");
    }
    let long = format!("{good}{}", " ".repeat(MAX_JSON));
    assert_eq!(refusal(&client, &long), EabError::TooLong(long.len()));
}

#[test]
fn what_is_echoed_is_bounded() {
    let client = Client::new();
    let header = format!(r#"{{"{}":1}}"#, "x".repeat(5000));
    let problem = Problem::from(refusal(&client, &bind(hmac::HMAC_SHA256, &header, "{}")));
    assert_eq!(problem.kind(), ProblemType::Malformed);
    assert!(problem.detail().len() < 400, "{}", problem.detail().len());
}

#[test]
fn secrets_are_made_and_imported_within_bounds() {
    let made = EabSecret::generate().unwrap();
    assert_eq!((made.as_bytes().len(), made.to_base64url().len()), (32, 43));
    assert_ne!(made.as_bytes(), EabSecret::generate().unwrap().as_bytes());
    let again = EabSecret::from_base64url(&made.to_base64url()).unwrap();
    assert_eq!(again.as_bytes(), made.as_bytes());
    for (length, accepted) in [(0, false), (15, false), (16, true), (128, true), (129, false)] {
        let imported = EabSecret::from_bytes(&vec![1; length]).map(|_| ()).map_err(|error| (error, length));
        let expected = if accepted { Ok(()) } else { Err((EabSecretError::Length(length), length)) };
        assert_eq!(imported, expected);
    }
    for text in ["AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAA+", "AAAAAAAAAAAAAAAAAAAAAB", " "] {
        assert_eq!(EabSecret::from_base64url(text).unwrap_err(), EabSecretError::Base64, "{text}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let secret = EabSecret::from_bytes(b"0123456789abcdef").unwrap();
    assert_eq!(format!("{secret:?}"), "EabSecret(hidden)");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(json in "\\PC{0,300}", header in "\\PC{0,200}", payload in "\\PC{0,200}") {
        let client = Client::new();
        let key = client.key();
        prop_assert!(ExternalAccountBinding::parse(&json, &key, URL).is_err());
        let bound = bind(hmac::HMAC_SHA256, &header, &payload);
        prop_assert!(ExternalAccountBinding::parse(&bound, &key, URL).is_err());
        let bound = bind(hmac::HMAC_SHA256, HEADER, &payload);
        prop_assert!(ExternalAccountBinding::parse(&bound, &key, URL).is_err());
    }

    #[test]
    fn a_mac_with_one_bit_changed_is_refused(bit in 0_usize..256) {
        let client = Client::new();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret().as_bytes());
        let json = flattened(HEADER, &client.jwk(), |input| {
            let mut tag = hmac::sign(&key, input).as_ref().to_vec();
            tag[bit / 8] ^= 1 << (bit % 8);
            tag
        });
        let binding = ExternalAccountBinding::parse(&json, &client.key(), URL).unwrap();
        prop_assert_eq!(binding.verify(Some(&secret())), Err(EabError::Unauthorized));
    }
}
