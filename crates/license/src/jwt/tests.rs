use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::entitlements::{Entitlements, Feature, Limit};
use crate::plan::Plan;

fn ed25519() -> SigningKey {
    SigningKey::from_pem(include_str!("../../trust/dev/signing-key.pem")).unwrap()
}

fn rsa() -> SigningKey {
    SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap()
}

fn stranger() -> SigningKey {
    SigningKey::from_ed25519_seed(&[9; 32]).unwrap()
}

fn trusted() -> [PublicKey; 2] {
    [ed25519().public().clone(), rsa().public().clone()]
}

fn claims() -> Claims {
    Claims::read(payload().to_string().as_bytes()).unwrap()
}

fn payload() -> Value {
    json!({
        "jti": "lic_1", "sub": "ops@example.com", "iss": "vendor.example", "iat": 1_767_225_600,
        "exp": 1_798_761_600, "org_name": "Example Ltd", "tier": "pro", "cert_limit": 500, "user_limit": 10,
        "dtp_limit": 0, "grace_days": 14, "features": ["acme", "api"], "version": "0.1.0",
    })
}

/// A token with any header and payload, signed as the key signs.
fn token(header: &str, payload: &str, key: &SigningKey) -> String {
    let signed = format!(
        "{}.{}",
        Base64UrlUnpadded::encode_string(header.as_bytes()),
        Base64UrlUnpadded::encode_string(payload.as_bytes())
    );
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn with_header(header: &str, key: &SigningKey) -> Result<Verified, JwtError> {
    verify(token(header, &payload().to_string(), key).as_bytes(), &trusted())
}

fn with_payload(payload: &str) -> Result<Verified, JwtError> {
    verify(token(r#"{"alg":"RS256","typ":"JWT"}"#, payload, &rsa()).as_bytes(), &trusted())
}

#[test]
fn what_is_minted_verifies_and_reads_back() {
    for key in [ed25519(), rsa()] {
        let minted = mint(&claims(), &key).unwrap();
        let expected = Verified { signer: key.public().id(), claims: claims() };
        assert_eq!(verify(minted.as_bytes(), &trusted()), Ok(expected.clone()));
        assert_eq!(verify(format!("\n{minted}\r\n").as_bytes(), &trusted()), Ok(expected));
        let parts: Vec<&str> = minted.split('.').collect();
        assert_eq!(parts.len(), 3);
    }
    assert_eq!(claims().grace_days, 14);
}

#[test]
fn a_header_without_type_and_key_id_is_enough() {
    assert!(with_header(r#"{"alg":"RS256"}"#, &rsa()).is_ok());
    assert!(with_header(r#"{"alg":"EdDSA"}"#, &ed25519()).is_ok());
}

#[test]
fn the_key_decides_the_method() {
    for alg in ["none", "None", "HS256", "RS384", "PS256", "ES256", "rs256", ""] {
        let header = json!({ "alg": alg }).to_string();
        for key in [rsa(), ed25519()] {
            assert_eq!(with_header(&header, &key), Err(JwtError::Algorithm(alg.to_owned())));
        }
    }
    // An unsigned token.
    let unsigned = token(r#"{"alg":"none"}"#, &payload().to_string(), &rsa());
    let (unsigned, _) = unsigned.rsplit_once('.').unwrap();
    let refused = verify(format!("{unsigned}.").as_bytes(), &trusted());
    assert_eq!(refused, Err(JwtError::Algorithm("none".to_owned())));
    let bare = token(r#"{"alg":"RS256"}"#, &payload().to_string(), &rsa());
    let (bare, _) = bare.rsplit_once('.').unwrap();
    assert_eq!(verify(format!("{bare}.").as_bytes(), &trusted()), Err(JwtError::BadSignature));

    // A key under the other's name.
    assert_eq!(with_header(r#"{"alg":"EdDSA"}"#, &rsa()), Err(JwtError::BadSignature));
    assert_eq!(with_header(r#"{"alg":"RS256"}"#, &ed25519()), Err(JwtError::BadSignature));
    let as_eddsa = token(r#"{"alg":"EdDSA"}"#, &payload().to_string(), &rsa());
    assert_eq!(
        verify(as_eddsa.as_bytes(), &[rsa().public().clone()]),
        Err(JwtError::OtherMethod(Algorithm::EdDsa))
    );
    let named = json!({ "alg": "EdDSA", "kid": rsa().public().id().to_string() }).to_string();
    assert_eq!(with_header(&named, &rsa()), Err(JwtError::OtherMethod(Algorithm::EdDsa)));
}

#[test]
fn the_public_key_is_no_shared_secret() {
    use aws_lc_rs::hmac;
    let rsa = rsa();
    for secret in [rsa.public().to_pem().into_bytes(), rsa.public().spki().to_vec()] {
        for (alg, expected) in
            [("HS256", JwtError::Algorithm("HS256".to_owned())), ("RS256", JwtError::BadSignature)]
        {
            let header = json!({ "alg": alg }).to_string();
            let honest = token(&header, &payload().to_string(), &rsa);
            let (signed, _) = honest.rsplit_once('.').unwrap();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
            let forged = format!("{signed}.{}", Base64UrlUnpadded::encode_string(tag.as_ref()));
            assert_eq!(verify(forged.as_bytes(), &trusted()), Err(expected));
        }
    }
}

#[test]
fn a_key_that_is_not_trusted_gets_nowhere() {
    let minted = mint(&claims(), &stranger()).unwrap();
    let id = stranger().public().id().to_string();
    assert_eq!(verify(minted.as_bytes(), &trusted()), Err(JwtError::UnknownKey(id)));
    assert_eq!(with_header(r#"{"alg":"EdDSA"}"#, &stranger()), Err(JwtError::BadSignature));
    let borrowed = json!({ "alg": "EdDSA", "kid": ed25519().public().id().to_string() }).to_string();
    assert_eq!(with_header(&borrowed, &stranger()), Err(JwtError::BadSignature));
    assert!(matches!(verify(minted.as_bytes(), &[]), Err(JwtError::UnknownKey(_))));
}

#[test]
fn the_header_has_three_members_at_most() {
    for header in [
        r#"{"alg":"RS256","crit":["exp"]}"#,
        r#"{"alg":"RS256","b64":false}"#,
        r#"{"alg":"RS256","jwk":{"kty":"OKP"}}"#,
        r#"{"alg":"RS256","jku":"https://example.com"}"#,
        r#"{"alg":"RS256","x5u":"https://example.com"}"#,
        r#"{"alg":"RS256","x5c":[]}"#,
        r#"{"alg":"RS256","cty":"JWT"}"#,
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"none","alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":null}"#,
        r#"{"alg":["RS256"]}"#,
        r#"["RS256"]"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"RS256"} {}"#,
        "",
    ] {
        assert!(matches!(with_header(header, &rsa()), Err(JwtError::Header(_))), "{header}");
    }
    assert_eq!(with_header(r#"{"alg":"RS256","typ":"jwt"}"#, &rsa()), Err(JwtError::Type("jwt".to_owned())));
    let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "a".repeat(500));
    assert!(matches!(with_header(&long, &rsa()), Err(JwtError::Header(JsonError::TooLong { .. }))));
}

#[test]
fn what_is_not_compact_is_refused() {
    let good = mint(&claims(), &ed25519()).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    for text in [
        String::new(),
        "a".to_owned(),
        "..".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{good}=="),
        format!("{}\n.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], parts[2].replace(['-', '_'], "+")),
        good.replace('.', ","),
    ] {
        let refused = verify(text.as_bytes(), &trusted());
        assert!(matches!(refused, Err(JwtError::NotCompact | JwtError::Header(_))), "{text}: {refused:?}");
    }
    assert_eq!(verify(b"\xff.\xff.\xff", &trusted()), Err(JwtError::NotCompact));
    let long = " ".repeat(MAX_LENGTH + 1);
    assert_eq!(verify(long.as_bytes(), &trusted()), Err(JwtError::TooLong(MAX_LENGTH + 1)));
}

#[test]
fn one_token_has_one_spelling() {
    // 64 bytes leave four unused bits in the last character, which have to be zero.
    let good = mint(&claims(), &ed25519()).unwrap();
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.find(last).unwrap();
    assert_eq!(position % 16, 0);
    let respelt = format!("{}{}", &good[..good.len() - 1], &alphabet[position + 1..=position + 1]);
    assert_eq!(verify(respelt.as_bytes(), &trusted()), Err(JwtError::NotCompact));
}

#[test]
fn each_claim_is_required_but_grace_days() {
    for name in payload().as_object().unwrap().keys() {
        let mut without = payload();
        without.as_object_mut().unwrap().remove(name);
        let read = with_payload(&without.to_string());
        if name == "grace_days" {
            assert_eq!(read.unwrap().claims.grace_days, 7);
        } else {
            let missing = format!("the claims: missing field `{name}`");
            assert!(read.unwrap_err().to_string().starts_with(&missing), "{name}");
        }
    }
    let mut more = payload();
    more["nbf"] = json!(1);
    assert!(with_payload(&more.to_string()).unwrap_err().to_string().contains("unknown field `nbf`"));
}

#[test]
fn a_claim_of_the_wrong_kind_is_refused() {
    for (name, value) in [
        ("exp", json!("1798761600")),
        ("exp", json!(1_798_761_600.0)),
        ("exp", json!(-1)),
        ("exp", json!(null)),
        ("iat", json!("2026-01-01T00:00:00Z")),
        ("cert_limit", json!("unlimited")),
        ("cert_limit", json!(-1)),
        ("user_limit", json!(1.5)),
        ("dtp_limit", json!(null)),
        ("grace_days", json!(null)),
        ("grace_days", json!(-7)),
        ("tier", json!("Pro")),
        ("tier", json!("free")),
        ("tier", json!(["pro"])),
        ("tier", json!({ "pro": null })),
        ("features", json!("acme")),
        ("features", json!(["acme", "acme"])),
        ("features", json!(["mtlsm"])),
        ("features", json!({ "acme": true })),
        ("version", json!("1.0")),
        ("version", json!(1)),
        ("jti", json!(7)),
    ] {
        let mut altered = payload();
        altered[name] = value;
        let refused = with_payload(&altered.to_string());
        assert!(matches!(refused, Err(JwtError::Claims(ClaimsError::Json(_)))), "{altered}: {refused:?}");
    }
    let array = format!(
        "[{}]",
        payload().as_object().unwrap().values().map(Value::to_string).collect::<Vec<_>>().join(",")
    );
    assert!(matches!(with_payload(&array), Err(JwtError::Claims(ClaimsError::Json(_)))));
}

#[test]
fn a_claim_out_of_bounds_is_refused_when_read_and_when_minted() {
    for (name, value, error) in [
        ("jti", json!(""), ClaimsError::Text("jti")),
        ("sub", json!("a\u{0}b"), ClaimsError::Text("sub")),
        ("iss", json!("i".repeat(257)), ClaimsError::Text("iss")),
        ("org_name", json!("\u{85}"), ClaimsError::Text("org_name")),
        ("iat", json!(1_767_225_600_000_u64), ClaimsError::Time("iat")),
        ("exp", json!(u64::MAX), ClaimsError::Time("exp")),
        ("exp", json!(1_767_225_600), ClaimsError::Order),
        ("cert_limit", json!(Limit::MAX + 1), ClaimsError::Limit("cert_limit")),
        ("user_limit", json!(u64::MAX), ClaimsError::Limit("user_limit")),
        ("dtp_limit", json!(u64::MAX), ClaimsError::Limit("dtp_limit")),
        ("grace_days", json!(367), ClaimsError::Grace(367)),
    ] {
        let mut altered = payload();
        altered[name] = value;
        assert_eq!(with_payload(&altered.to_string()), Err(JwtError::Claims(error.clone())));
        let claims: Claims = serde_json::from_value(altered).unwrap();
        assert_eq!(mint(&claims, &rsa()), Err(MintError::Claims(error)));
    }
}

#[test]
fn duplicate_claims_are_refused() {
    let twice = payload().to_string().replacen('{', r#"{"exp":1,"#, 1);
    let refused = with_payload(&twice);
    assert_eq!(
        refused,
        Err(JwtError::Claims(ClaimsError::Json(JsonError::DuplicateMember("exp".to_owned()))))
    );
}

#[test]
fn nothing_is_read_before_the_signature_is_right() {
    let malformed = token(r#"{"alg":"RS256"}"#, "no JSON", &rsa());
    assert!(matches!(verify(malformed.as_bytes(), &trusted()), Err(JwtError::Claims(_))));
    let (signed, _) = malformed.rsplit_once('.').unwrap();
    assert_eq!(verify(format!("{signed}.AAAA").as_bytes(), &trusted()), Err(JwtError::BadSignature));
}

#[test]
fn what_the_claims_allow() {
    let expected = Entitlements {
        max_certificates: Limit::AtMost(500),
        max_users: Limit::AtMost(10),
        max_profiles: Limit::Forbidden,
        features: [Feature::Acme, Feature::Api].into(),
        ..Plan::Pro.entitlements()
    };
    assert_eq!(claims().entitlements(), expected);
    let trial = Claims { tier: Tier::Trial, ..claims() }.entitlements();
    assert_eq!(trial.max_managed_servers, Plan::Free.entitlements().max_managed_servers);
    for tier in [Tier::Trial, Tier::Starter, Tier::Pro, Tier::Enterprise] {
        assert_eq!(serde_json::to_value(tier).unwrap(), tier.name());
    }
}

#[test]
fn what_the_claims_mean_for_the_state() {
    let terms = claims().terms();
    assert_eq!(terms.not_before, terms.edition.issued);
    assert_eq!(terms.not_before.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(terms.grace_ends().to_string(), "2027-01-15T00:00:00Z");
    assert_eq!((terms.edition.serial, terms.after_grace), (0, crate::state::AfterGrace::Block));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_changed_byte_is_noticed(place in any::<prop::sample::Index>(), shift in 1..64_usize) {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for key in [ed25519(), rsa()] {
            let mut bytes = mint(&claims(), &key).unwrap().into_bytes();
            let place = place.index(bytes.len());
            if let Some(position) = alphabet.iter().position(|byte| *byte == bytes[place]) {
                bytes[place] = alphabet[(position + shift) % 64];
                prop_assert!(verify(&bytes, &trusted()).is_err());
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(text in "[A-Za-z0-9_.-]{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = verify(text.as_bytes(), &trusted());
        let _ = verify(&bytes, &trusted());
        let _ = with_payload(&text);
    }
}
