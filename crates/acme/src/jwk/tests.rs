use super::*;

/// The key of RFC 7517 Appendix A.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#;
/// The key of RFC 7638 §3.1.
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
/// The key of RFC 8037 Appendix A.2.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let thumbprint = |json| AccountKey::from_json(json).unwrap().thumbprint().to_string();
    assert_eq!(thumbprint(RSA), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(thumbprint(ED25519), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn what_is_written_reads_back() {
    for json in [P256, RSA, ED25519] {
        let key = AccountKey::from_json(json).unwrap();
        let again = AccountKey::from_json(&key.to_json()).unwrap();
        assert_eq!(key.jwk(), again.jwk());
        assert_eq!(key.thumbprint(), again.thumbprint());
    }
}

#[test]
fn each_bad_key_has_its_own_refusal() {
    let cases: &[(&str, KeyRefusal)] = &[
        (r#"{"kty":"oct","k":"AAAA"}"#, KeyRefusal::Private),
        (r#"{"kty":"oct"}"#, KeyRefusal::Type("oct".into())),
        (r#"{"kty":"oct","k":null}"#, KeyRefusal::Private),
        (r#"{"kty":"RSA","n":"_w","e":"AQAB","d":null}"#, KeyRefusal::Private),
        (r#"{"kty":"OKP","crv":"Ed25519","x":null}"#, KeyRefusal::Member("x")),
        (
            r#"["OKP","Ed25519","11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",null,null,null]"#,
            KeyRefusal::NotAKey,
        ),
        (r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#, KeyRefusal::Curve("secp256k1".into())),
        (r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, KeyRefusal::Curve("X25519".into())),
        (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, KeyRefusal::Member("x")),
        (r#"{"kty":"EC","crv":"P-256","y":"AA"}"#, KeyRefusal::Member("x")),
        (
            r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"}"#,
            KeyRefusal::NotAKey,
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#,
            KeyRefusal::Private,
        ),
        (r#"{"kty":"RSA","n":"_w","e":"AQAB"}"#, KeyRefusal::RsaSize(8)),
        (r#"{"kty":"RSA","n":"AP8","e":"AQAB"}"#, KeyRefusal::Member("n")),
    ];
    for (json, refusal) in cases {
        assert_eq!(AccountKey::from_json(json).unwrap_err(), *refusal, "{json}");
    }
}

/// The base point of each curve (SEC 2 §2.4–2.6) is a key; with its coordinates exchanged, with one
/// bit changed, or with a zero, it is none.
#[test]
fn points_off_the_curve_are_refused() {
    for (curve, x, y) in [
        (
            "P-256",
            "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
        ),
        (
            "P-384",
            "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
            "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
        ),
        (
            "P-521",
            "AMaFjga3BATpzZ4-y2YjlbRCnGSBOQU_tSH4KK9ga009uqFLXnfv51ko_h3BJ6L_qN4zSLPBhWpCm_l-fjHC5b1m",
            "ARg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT-tB2E1PHCGonLCQIi-lHaf0WZQ",
        ),
    ] {
        let key = |x: &str, y: &str| {
            AccountKey::from_json(&format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#))
                .map(|key| key.algorithm())
        };
        assert!(key(x, y).is_ok(), "{curve}");
        let changed = format!("B{}", &x[1..]);
        let zero = "A".repeat(x.len());
        for (x, y) in [(y, x), (changed.as_str(), y), (x, &zero), (&zero, &zero)] {
            assert_eq!(key(x, y), Err(KeyRefusal::NotAKey), "{curve} {x} {y}");
        }
    }
}

fn ed25519(raw: &[u8; 32]) -> Result<AccountKey, KeyRefusal> {
    let x = Base64UrlUnpadded::encode_string(raw);
    AccountKey::from_json(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#))
}

#[test]
fn points_of_small_order_are_refused() {
    // Why they must be: with R the identity and S zero, this verifies for every message.
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let key = VerifyingKey::new(Scheme::Ed25519, &identity).unwrap();
    assert!(key.verifies(b"anything", &signature) && key.verifies(b"", &signature));

    assert_eq!(ed25519(&identity).unwrap_err(), KeyRefusal::NotAKey);
    assert_eq!(ed25519(&[0; 32]).unwrap_err(), KeyRefusal::NotAKey);
}

#[test]
fn ed25519_coordinates_are_reduced() {
    let mut raw = [0xff; 32];
    for (first, last, accepted) in [
        (0xeb, 0x7f, true),
        (0xed, 0x7f, false),
        (0xee, 0x7f, false),
        (0xff, 0x7f, false),
        (0xff, 0xff, false),
        (0xff, 0x7e, true),
    ] {
        (raw[0], raw[31]) = (first, last);
        assert_eq!(ed25519(&raw).is_ok(), accepted, "{first:02x} {last:02x}");
    }
}

#[test]
fn nothing_verifies_under_a_point_off_the_curve() {
    // 2 is no y coordinate of a point of the curve.
    let mut raw = [0; 32];
    raw[0] = 2;
    let key = ed25519(&raw).unwrap();
    let mut signature = [0; 64];
    for first in 0..=255 {
        signature[0] = first;
        assert!(!key.verifies(b"anything", &signature));
    }
}

#[test]
fn weak_rsa_exponents_are_refused() {
    let verdict = |exponent| AccountKey::from_json(&RSA.replace("AQAB", exponent)).unwrap_err();
    for exponent in ["Aw", "AQAA", "AQ", "____________"] {
        assert_eq!(verdict(exponent), KeyRefusal::WeakRsa(RsaWeakness::Exponent), "{exponent}");
    }
    for exponent in ["", "AAEAAQ"] {
        assert_eq!(verdict(exponent), KeyRefusal::Member("e"), "{exponent}");
    }
}

/// Each rule has its tests in `chancery-keycheck`; this one sees that account keys are held against them.
#[test]
fn weak_rsa_moduli_are_refused() {
    // 2^2048 - 1 is divisible by 3.
    let n = Base64UrlUnpadded::encode_string(&[0xff; 256]);
    let refused = AccountKey::from_json(&format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#));
    assert_eq!(refused.unwrap_err(), KeyRefusal::WeakRsa(RsaWeakness::SmallFactor { prime: 3 }));
}

#[test]
fn compromised_keys_are_refused() {
    let known = CompromisedKeys::published();
    for json in [P256, RSA, ED25519] {
        let key = AccountKey::from_json(json).unwrap();
        assert_eq!(key.refuse_compromised(&known), Err(KeyRefusal::Compromised), "{json}");
    }
    let base_point = r#"{"kty":"EC","crv":"P-256","x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY","y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}"#;
    assert_eq!(AccountKey::from_json(base_point).unwrap().refuse_compromised(&known), Ok(()));
}

/// A modulus of that many bits, and odd.
fn modulus(bits: usize) -> String {
    let mut bytes = vec![0; bits.div_ceil(8)];
    bytes[0] = 1 << ((bits - 1) % 8);
    *bytes.last_mut().unwrap() |= 1;
    Base64UrlUnpadded::encode_string(&bytes)
}

#[test]
fn rsa_keys_have_2048_to_8192_bits() {
    for (bits, accepted) in
        [(1024, false), (2047, false), (2048, true), (8192, true), (8193, false), (16_384, false)]
    {
        let json = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, modulus(bits));
        let refused_for_size =
            AccountKey::from_json(&json).is_err_and(|refusal| refusal == KeyRefusal::RsaSize(bits));
        assert_eq!(refused_for_size, !accepted, "{bits}");
    }
}
