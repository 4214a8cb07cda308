use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_license::state::{CallHome, Documents, Revocations, State, state};
use chancery_license::{Build, PublicKey, SigningKey, Watermark, jwt};
use serde_json::{Value, json};

use crate::vector::{Vector, hold};

const FORMAT: &str = "license-jwt";
/// A day within the term of the licence that the vectors carry.
const NOW: &str = "2026-06-14T13:23:00Z";

const ED25519: &str = include_str!("../../trust/dev/signing-key.pem");
const RSA: &str = include_str!("../../trust/dev/jwt-signing-key.pem");
const ED25519_ANCHOR: &str = include_str!("../../trust/dev/anchor.pem");
const RSA_ANCHOR: &str = include_str!("../../trust/dev/jwt-anchor.pem");

/// What comes of a vector: the state, or the reason why there is no licence.
fn outcome(vector: &Vector) -> &'static str {
    let trusted = vector.value("trusted").split(' ').map(|file| match file {
        "anchor.pem" => PublicKey::from_pem(ED25519_ANCHOR).unwrap(),
        "jwt-anchor.pem" => PublicKey::from_pem(RSA_ANCHOR).unwrap(),
        other => panic!("{other} is no anchor"),
    });
    let trusted: Vec<PublicKey> = trusted.collect();
    let verified = jwt::verify(vector.artefact.as_bytes(), &trusted);
    let license = verified.map(|token| token.claims().terms()).map_err(|error| error.reason());
    let revoked = vector.optional("revoked").map(str::to_owned);
    let documents = Documents {
        licenses: vec![license],
        revocations: Some(Revocations {
            sequence: 1,
            ids: revoked.into_iter().collect(),
            serials: [].into(),
        }),
        call_home: CallHome::Disabled,
    };
    let build = Build {
        version: vector.value("build").parse().unwrap(),
        date: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let watermark = Watermark::starting(&build);
    let watermark =
        vector.optional("watermark").map_or(watermark, |time| watermark.re_anchored(time.parse().unwrap()));
    match state(&documents, vector.value("now").parse().unwrap(), Some(watermark), &build).state {
        State::Invalid(reason) => reason.name(),
        state => state.name(),
    }
}

#[test]
fn the_vectors_hold() {
    let vectors = Vector::all(FORMAT);
    assert!(!vectors.is_empty());
    for vector in vectors {
        assert_eq!(outcome(&vector), vector.value("expect"), "{}", vector.name);
    }
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let mut made = times();
    made.extend(headers());
    made.extend(claims());
    made.extend(forgeries());
    hold(FORMAT, made);
}

fn payload() -> Value {
    json!({
        "jti": "lic_01", "sub": "ops@example.com", "iss": "vendor.example", "iat": 1_767_225_600,
        "exp": 1_798_761_600, "org_name": "Example Ltd", "tier": "pro", "cert_limit": 500, "user_limit": 10,
        "dtp_limit": 5, "grace_days": 14, "features": ["acme", "api"], "version": "0.1.0",
    })
}

fn token(header: &str, payload: &str, key: &str) -> String {
    let part = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let signed = format!("{}.{}", part(header), part(payload));
    let signature = SigningKey::from_pem(key).unwrap().sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
}

fn honest() -> String {
    token(r#"{"alg":"RS256","typ":"JWT"}"#, &payload().to_string(), RSA)
}

fn vector(name: &str, about: &str, expect: &str, more: &[(&str, &str)], artefact: &str) -> Vector {
    let mut header = vec![
        ("format", FORMAT),
        ("about", about),
        ("expect", expect),
        ("now", NOW),
        ("build", "0.1.0"),
        ("trusted", "jwt-anchor.pem anchor.pem"),
    ];
    header.extend(more);
    Vector::new(&format!("jwt-{name}"), &header, artefact)
}

fn times() -> Vec<Vector> {
    let eddsa = token(r#"{"alg":"EdDSA","typ":"JWT"}"#, &payload().to_string(), ED25519);
    let newer = payload().to_string().replace("0.1.0", "0.2.0");
    let newer = token(r#"{"alg":"RS256"}"#, &newer, RSA);
    vec![
        vector("valid-rs256", "a licence signed with RS256", "valid", &[], &honest()),
        vector("valid-eddsa", "a licence signed with EdDSA", "valid", &[], &eddsa),
        vector(
            "valid-last-second",
            "it is valid before exp",
            "valid",
            &[("now", "2026-12-31T23:59:59Z")],
            &honest(),
        ),
        vector("grace", "it is in grace from exp on", "grace", &[("now", "2027-01-01T00:00:00Z")], &honest()),
        vector(
            "expired",
            "exp and 14 days of grace are over",
            "expired",
            &[("now", "2027-01-15T00:00:00Z")],
            &honest(),
        ),
        vector(
            "clock-set-back",
            "the watermark counts, not the clock",
            "expired",
            &[("watermark", "2027-01-15T00:00:00Z")],
            &honest(),
        ),
        vector(
            "clock-behind-issue",
            "its issue time counts, not the clock",
            "valid",
            &[("now", "2020-01-01T00:00:00Z")],
            &honest(),
        ),
        vector(
            "revoked",
            "the revocation list names its jti",
            "revoked",
            &[("revoked", "lic_01")],
            &honest(),
        ),
        vector("too-new-for-build", "it needs a newer version", "too_new_for_build", &[], &newer),
    ]
}

fn headers() -> Vec<Vector> {
    let id = SigningKey::from_pem(RSA).unwrap().public().id().to_string();
    let headers = [
        ("alg-none-signed", "alg none over a good signature", "algorithm_refused", r#"{"alg":"none"}"#),
        ("alg-hs256-name", "HS256 is never used", "algorithm_refused", r#"{"alg":"HS256"}"#),
        ("alg-ps256", "PS256 is never used, though the key could", "algorithm_refused", r#"{"alg":"PS256"}"#),
        ("alg-other-key", "an RSA signature said to be EdDSA", "bad_signature", r#"{"alg":"EdDSA"}"#),
        ("crit", "a critical extension", "malformed", r#"{"alg":"RS256","crit":["exp"]}"#),
        ("jwk", "a key of the sender's own", "malformed", r#"{"alg":"RS256","jwk":{"kty":"RSA"}}"#),
        (
            "jku",
            "a key on the sender's server",
            "malformed",
            r#"{"alg":"RS256","jku":"https://example.com/k"}"#,
        ),
        ("alg-twice", "a duplicate member in the header", "malformed", r#"{"alg":"none","alg":"RS256"}"#),
        ("typ", "another type", "malformed", r#"{"alg":"RS256","typ":"at+jwt"}"#),
        (
            "kid-unknown",
            "a key nobody trusts",
            "unknown_key",
            r#"{"alg":"RS256","kid":"00000000000000000000000000000000"}"#,
        ),
    ];
    let mut made: Vec<Vector> = headers
        .into_iter()
        .map(|(name, about, expect, header)| {
            vector(name, about, expect, &[], &token(header, &payload().to_string(), RSA))
        })
        .collect();
    let named = token(&json!({ "alg": "RS256", "kid": id }).to_string(), &payload().to_string(), RSA);
    made.push(vector("kid", "the key is named", "valid", &[], &named));
    made.push(vector(
        "alg-not-the-anchors",
        "only the Ed25519 anchor is trusted",
        "algorithm_refused",
        &[("trusted", "anchor.pem")],
        &honest(),
    ));
    made
}

fn claims() -> Vec<Vector> {
    let altered = |name: &str, value: Value| {
        let mut payload = payload();
        payload[name] = value;
        payload.to_string()
    };
    let mut without = payload();
    without.as_object_mut().unwrap().remove("exp");
    let mut without_grace = payload();
    without_grace.as_object_mut().unwrap().remove("grace_days");
    let eighth_day = "2027-01-08T00:00:00Z";
    let rows = [
        ("grace-by-default", "no grace_days: seven", "expired", eighth_day, without_grace.to_string()),
        ("exp-missing", "every claim but grace_days is required", "malformed", NOW, without.to_string()),
        ("exp-text", "a time is an integer", "malformed", NOW, altered("exp", json!("1798761600"))),
        ("exp-fraction", "a time is an integer", "malformed", NOW, altered("exp", json!(1_798_761_600.5))),
        (
            "exp-twice",
            "a duplicate claim",
            "malformed",
            NOW,
            payload().to_string().replacen('{', r#"{"exp":4102444800,"#, 1),
        ),
        (
            "exp-before-iat",
            "it ends before it begins",
            "malformed",
            NOW,
            altered("exp", json!(1_767_225_599)),
        ),
        ("claim-unknown", "a claim that no licence has", "malformed", NOW, altered("nbf", json!(0))),
        ("tier-unknown", "a tier that nobody sells", "malformed", NOW, altered("tier", json!("ultimate"))),
        (
            "feature-unknown",
            "a feature that does not exist",
            "malformed",
            NOW,
            altered("features", json!(["acme", "mtlsm"])),
        ),
        (
            "limit-negative",
            "there is no limit below zero",
            "malformed",
            NOW,
            altered("cert_limit", json!(-1)),
        ),
    ];
    rows.into_iter()
        .map(|(name, about, expect, now, payload)| {
            vector(name, about, expect, &[("now", now)], &token(r#"{"alg":"RS256"}"#, &payload, RSA))
        })
        .collect()
}

fn forgeries() -> Vec<Vector> {
    let honest = honest();
    let parts: Vec<&str> = honest.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let longer =
        Base64UrlUnpadded::encode_string(self::payload().to_string().replace("500", "999").as_bytes());
    let unsigned = format!("{}.{payload}.", Base64UrlUnpadded::encode_string(br#"{"alg":"none"}"#));
    let hmac = {
        let signed = format!("{}.{payload}", Base64UrlUnpadded::encode_string(br#"{"alg":"HS256"}"#));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, RSA_ANCHOR.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(tag.as_ref()))
    };
    vec![
        vector(
            "payload-altered",
            "more certificates than were signed for",
            "bad_signature",
            &[],
            &format!("{header}.{longer}.{signature}"),
        ),
        vector(
            "signature-missing",
            "nothing after the last full stop",
            "bad_signature",
            &[],
            &format!("{header}.{payload}."),
        ),
        vector("unsigned", "alg none and no signature", "algorithm_refused", &[], &unsigned),
        vector(
            "hs256-with-public-key",
            "HS256 keyed with the PEM of the public key",
            "algorithm_refused",
            &[],
            &hmac,
        ),
        vector(
            "padded",
            "base64url with padding",
            "malformed",
            &[],
            &format!("{header}.{payload}.{signature}=="),
        ),
        vector("two-parts", "no signature at all", "malformed", &[], &format!("{header}.{payload}")),
        vector("four-parts", "one part too many", "malformed", &[], &format!("{honest}.{signature}")),
    ]
}
