//! Licence JWTs: as they come from outside, and with whatever header or claims signed.

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_license::jwt::{Claims, JwtError, MAX_GRACE_DAYS, MAX_LENGTH, Verified, mint, verify};
use serde_json::{Value, json};

use super::signer::{self, DEV, TRUSTED};
use super::{flipped, hold_reason, json as reference};

const MAX_NUMBER: u64 = (1 << 53) - 1;
const CLAIMS: &[u8] = br#"{"jti":"lic_01","sub":"ops@example.com","iss":"vendor.example","iat":1767225600,"exp":1798761600,"org_name":"Example Ltd","tier":"pro","cert_limit":500,"user_limit":10,"dtp_limit":5,"features":["acme","api"],"version":"0.1.0"}"#;

/// The bytes are a token as received; bytes that begin with a brace are a header, which is signed with good
/// claims.
pub fn jwt(data: &[u8]) {
    if data.starts_with(b"{") {
        hold(signer::token(data, CLAIMS).as_bytes());
    } else {
        hold(data);
    }
}

/// The bytes are signed as claims, under a good header.
pub fn claims(data: &[u8]) {
    let token = signer::token(br#"{"alg":"EdDSA"}"#, data);
    if let Err(error) = verify(token.as_bytes(), &*TRUSTED) {
        let is_of_claims = match error {
            JwtError::Claims(_) => true,
            JwtError::TooLong(length) => length > MAX_LENGTH,
            _ => false,
        };
        assert!(is_of_claims, "{error:?}");
    }
    let Some(claims) = hold(token.as_bytes()) else { return };
    reference::hold_one_reading(data, 2);
    let found = serde_json::from_slice(data).expect("JSON");
    let written = serde_json::to_value(&claims).expect("JSON");
    assert_eq!(
        with_all_said(found),
        with_all_said(written),
        "something was passed over, or read as what it is not"
    );
}

fn hold(token: &[u8]) -> Option<Claims> {
    let nobody = verify(token, &[]).expect_err("without a key, nothing verifies");
    hold_reason(&nobody);
    let verified = match verify(token, &*TRUSTED) {
        Ok(verified) => verified,
        Err(error) => {
            hold_reason(&error);
            assert_eq!(matches!(error, JwtError::TooLong(_)), token.len() > MAX_LENGTH);
            return None;
        }
    };
    assert!(token.len() <= MAX_LENGTH);
    hold_signed(token, &verified);
    hold_bounds(verified.claims());

    let token = std::str::from_utf8(token).expect("ASCII");
    if let Ok(again) = verify(flipped(token).as_bytes(), &*TRUSTED) {
        assert_eq!(again, verified, "with one bit flipped, it verifies as something else");
    }
    match mint(verified.claims(), &DEV) {
        Ok(minted) if minted.len() <= MAX_LENGTH => {
            let again = verify(minted.as_bytes(), &*TRUSTED).expect("what is minted verifies");
            assert_eq!(again.claims(), verified.claims());
        }
        // What is absent is written out, which can take a token over the edge.
        minted => assert!(token.len() > MAX_LENGTH / 2, "{minted:?}"),
    }
    Some(verified.claims().clone())
}

/// The key that is said to have signed did sign the token's first two parts, by the method that the header
/// names.
fn hold_signed(token: &[u8], verified: &Verified) {
    let token = std::str::from_utf8(token.trim_ascii()).expect("ASCII");
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    let bytes = |part: &str| Base64UrlUnpadded::decode_vec(part).expect("base64url");
    let key = TRUSTED.iter().find(|key| key.id() == verified.signer()).expect("a trusted key");
    assert!(key.verifies(format!("{header}.{claims}").as_bytes(), &bytes(signature)));

    let header = bytes(header);
    reference::hold_one_reading(&header, 1);
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    let is_ed25519 = key == DEV.public();
    assert_eq!(header["alg"], if is_ed25519 { "EdDSA" } else { "RS256" });
    let others = ["alg", "typ", "kid"];
    assert!(header.as_object().expect("an object").keys().all(|name| others.contains(&name.as_str())));
}

fn hold_bounds(claims: &Claims) {
    for text in [&claims.jti, &claims.sub, &claims.iss, &claims.org_name] {
        assert!((1..=256).contains(&text.len()) && !text.chars().any(char::is_control), "{text:?}");
    }
    assert!(claims.iat < claims.exp);
    assert!(claims.grace_days <= MAX_GRACE_DAYS);
    for limit in [claims.cert_limit, claims.user_limit, claims.dtp_limit] {
        assert!(limit <= MAX_NUMBER);
    }
    let terms = claims.terms();
    assert_eq!(terms.not_before.unix_seconds().unsigned_abs(), claims.iat);
    assert_eq!(terms.expires.unix_seconds().unsigned_abs(), claims.exp);
    let allowed = claims.entitlements();
    assert_eq!(allowed.max_certificates.allows_none(), claims.cert_limit == 0);
}

/// Claims with nothing left to defaults, and their features in one order.
fn with_all_said(mut claims: Value) -> Value {
    claims.as_object_mut().expect("an object").entry("grace_days").or_insert(json!(7));
    reference::sort(&mut claims["features"]);
    claims
}
