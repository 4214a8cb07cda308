//! Keys that are none, or none that the server takes, and accounts that are not the signer's (RFC 8555 §6.2).

use std::sync::Arc;

use chancery_testkit::{JwsKey, base64url};
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::moduli::{HONEST, NEIGHBOURS, ROCA, octets};
use super::world::World;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = curves();
    cases.extend(numbers());
    cases.extend(rsa());
    cases.extend(forms());
    cases.extend(secrets());
    cases.extend(references());
    cases
}

/// A registration with any key in its header.
fn with_key(name: &str, jwk: Value) -> Case {
    case(format!("a key {name}"), 400, "badPublicKey", move |w, nonce| {
        w.registration(nonce, "{}").set("jwk", jwk.clone())
    })
}

fn curves() -> Vec<Case> {
    let point = JwsKey::p256().jwk();
    let mut cases: Vec<Case> = ["oct", "ec", "", "DSA", "AKP", "RSA-PSS"]
        .into_iter()
        .map(|kty| {
            let mut jwk = point.clone();
            jwk["kty"] = json!(kty);
            with_key(&format!("of the type {kty:?}"), jwk)
        })
        .collect();
    for curve in ["secp256k1", "P-192", "P-224", "p-256", "P-256K", "brainpoolP256r1", "Ed25519", "", "P-384"]
    {
        let mut jwk = point.clone();
        jwk["crv"] = json!(curve);
        cases.push(with_key(&format!("on the curve {curve:?}"), jwk));
    }
    for curve in ["X25519", "Ed448", "X448", "P-256", ""] {
        let mut jwk = JwsKey::ed25519().jwk();
        jwk["crv"] = json!(curve);
        cases.push(with_key(&format!("of the type OKP on {curve:?}"), jwk));
    }
    for member in ["crv", "x", "y"] {
        let mut jwk = point.clone();
        jwk.as_object_mut().unwrap().remove(member);
        cases.push(with_key(&format!("without `{member}`"), jwk));
    }
    cases
}

fn numbers() -> Vec<Case> {
    let point =
        |x: &[u8], y: &[u8]| json!({ "kty": "EC", "crv": "P-256", "x": base64url(x), "y": base64url(y) });
    let good = JwsKey::p256().jwk();
    let spoiled = |member: &str, value: String| {
        let mut jwk = good.clone();
        jwk[member] = json!(value);
        jwk
    };
    let text = |member: &str| good[member].as_str().unwrap().to_owned();
    let mut of_order_384 = JwsKey::p384().jwk();
    of_order_384["y"] = of_order_384["x"].clone();
    let edwards = |octets: [u8; 32]| json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&octets) });
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut not_reduced = [0xff; 32];
    not_reduced[31] = 0x7f;
    vec![
        with_key("with x for y", spoiled("y", text("x"))),
        with_key("with y for x", spoiled("x", text("y"))),
        with_key("of zeros", point(&[0; 32], &[0; 32])),
        with_key("of ones, beyond the field", point(&[0xff; 32], &[0xff; 32])),
        with_key("with a coordinate too short", spoiled("x", base64url(&[1; 31]))),
        with_key("with a coordinate too long", spoiled("x", base64url(&[1; 33]))),
        with_key("with a zero before its coordinate", spoiled("x", format!("AA{}", text("x")))),
        with_key("with an empty coordinate", spoiled("y", String::new())),
        with_key("with a padded coordinate", spoiled("y", format!("{}=", text("y")))),
        with_key("with a coordinate in another alphabet", spoiled("y", "+/".repeat(21) + "A")),
        with_key("with a coordinate of 40,000 characters", spoiled("y", "A".repeat(40_000))),
        with_key("on P-384, off the curve", of_order_384),
        with_key(
            "on P-521 with the coordinates of P-256",
            json!({
                "kty": "EC", "crv": "P-521", "x": good["x"], "y": good["y"]
            }),
        ),
        with_key("on Edwards' curve that is the identity", edwards(identity)),
        with_key("on Edwards' curve of zeros", edwards([0; 32])),
        with_key("on Edwards' curve that is not reduced", edwards(not_reduced)),
        with_key(
            "on Edwards' curve that is too short",
            json!({
                "kty": "OKP", "crv": "Ed25519", "x": base64url(&[1; 31])
            }),
        ),
    ]
}

fn rsa() -> Vec<Case> {
    let key = |n: &[u8], e: &[u8]| json!({ "kty": "RSA", "n": base64url(n), "e": base64url(e) });
    let honest = octets(HONEST);
    let modulus = |name: &str, n: &[u8]| with_key(&format!("of RSA: {name}"), key(n, &[1, 0, 1]));
    let mut cases = vec![
        modulus("1024 bits", &honest[..128]),
        modulus("512 bits", &honest[..64]),
        modulus("2047 bits", &[&[0x7f], &honest[1..]].concat()),
        modulus("8200 bits", &[&[0xff; 769], honest.as_slice()].concat()),
        modulus("16384 bits", &honest.repeat(8)),
        modulus("an empty modulus", &[]),
        modulus("a zero before the modulus", &[&[0], honest.as_slice()].concat()),
        modulus("an even modulus", &[&honest[..255], &[0]].concat()),
        modulus("a modulus with the factor 3", &[0xff; 256]),
        modulus("a modulus of ROCA", &octets(ROCA)),
        modulus("a modulus of two neighbours", &octets(NEIGHBOURS)),
        with_key("of RSA without a modulus", json!({ "kty": "RSA", "e": "AQAB" })),
        with_key("of RSA without an exponent", json!({ "kty": "RSA", "n": base64url(&honest) })),
    ];
    let exponents: [(&str, &[u8]); 8] = [
        ("nothing", &[]),
        ("0", &[0]),
        ("1", &[1]),
        ("3", &[3]),
        ("65535", &[0xff, 0xff]),
        ("65538, which is even", &[1, 0, 2]),
        ("65537 with a zero before it", &[0, 1, 0, 1]),
        ("a number of 9 octets", &[1; 9]),
    ];
    for (name, exponent) in exponents {
        cases.push(with_key(&format!("of RSA with the exponent {name}"), key(&honest, exponent)));
    }
    cases
}

/// Keys that are not the JSON object they should be.
fn forms() -> Vec<Case> {
    let good = JwsKey::p256().jwk();
    let array = json!(["EC", "P-256", good["x"], good["y"], null, null, null, null]);
    let with = |member: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[member] = value;
        jwk
    };
    let mut without_type = good.clone();
    without_type.as_object_mut().unwrap().remove("kty");
    let wrong = [
        ("null", Value::Null),
        ("a text", json!("{}")),
        ("a number", json!(1)),
        ("an array of its members", array),
        ("an empty object", json!({})),
        ("without a type", without_type),
        ("with a number for its type", with("kty", json!(1))),
        ("with a number for a coordinate", with("x", json!(1))),
        ("with a list for a coordinate", with("y", json!([]))),
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|(name, jwk)| {
            malformed(format!("a key that is {name}"), move |w, nonce| {
                w.registration(nonce, "{}").set("jwk", jwk.clone())
            })
        })
        .collect();
    cases.push(
        malformed("a key with a coordinate twice", |w, nonce| {
            let draft = w.registration(nonce, "{}");
            let header = draft.header().to_string().replacen(r#""kty""#, r#""x":"AAAA","kty""#, 1);
            draft.protected(header)
        })
        .says("duplicate"),
    );
    cases
}

/// Private keys, and keys whose private half everybody can read.
fn secrets() -> Vec<Case> {
    let with = |member: &str, value: Value| {
        let mut jwk = JwsKey::p256().jwk();
        jwk[member] = value;
        jwk
    };
    vec![
        with_key("with its private part", with("d", json!(base64url(&[1; 32])))),
        with_key("with its private part as null", with("d", Value::Null)),
        with_key("with the secret of a MAC", with("k", json!(base64url(&[1; 32])))),
        case("the key of RFC 7515, appendix A.3", 400, "badPublicKey", |w, nonce| {
            let (x, y) = (
                "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            );
            let key = JwsKey::known_p256("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", x, y);
            Draft::new(&Arc::new(key), None, &w.url("newAccount"), nonce, "{}")
        })
        .says("compromised"),
    ]
}

/// `jwk` and `kid` (RFC 8555 §6.2): exactly one of them, and the one that the resource takes.
fn references() -> Vec<Case> {
    let mut cases = vec![
        malformed("both `jwk` and `kid`", |w, nonce| read(w, nonce).set("jwk", w.owner.account.key.jwk()))
            .says("`jwk` and `kid`"),
        malformed("neither `jwk` nor `kid`", |w, nonce| read(w, nonce).without("kid"))
            .says("`jwk` and `kid`"),
        malformed("`kid` for a new account", |w, nonce| w.post(&w.url("newAccount"), nonce, "{}")),
        malformed("`jwk` of an account to read it", |w, nonce| by_jwk(w, nonce, &w.owner.account.url)),
        malformed("`jwk` of an account to order", |w, nonce| by_jwk(w, nonce, &w.url("newOrder"))),
        malformed("`jwk` of a stranger to order", |w, nonce| {
            Draft::new(&w.stranger, None, &w.url("newOrder"), nonce, "{}")
        }),
        malformed("`kid` of another account", |w, nonce| {
            read(w, nonce).set("kid", w.other.account.url.as_str())
        }),
    ];
    for (name, value) in
        [("null", Value::Null), ("a number", json!(1)), ("a list", json!([])), ("an object", json!({}))]
    {
        cases.push(malformed(format!("a `kid` that is {name}"), move |w, nonce| {
            read(w, nonce).set("kid", value.clone())
        }));
    }
    let unknown: Named<fn(&World) -> String, 13> = [
        ("empty", |_| String::new()),
        ("of nobody", |w| format!("{}/acme/account/AAAAAAAAAAAAAAAAAAAAAA", w.origin)),
        ("of another server", |w| w.owner.account.url.replace(&w.origin, "https://ca.test")),
        ("of another scheme", |w| w.owner.account.url.replacen("https", "http", 1)),
        ("with a slash", |w| format!("{}/", w.owner.account.url)),
        ("with a query", |w| format!("{}?a=b", w.owner.account.url)),
        ("with a host in capitals", |w| w.owner.account.url.replacen("localhost", "LOCALHOST", 1)),
        ("that is a path", |w| w.owner.account.url.replace(&w.origin, "")),
        ("that is `1`", |_| "1".to_owned()),
        ("that is an order", |w| w.owner.pending.url.clone()),
        ("cut short", |w| w.owner.account.url[..w.owner.account.url.len() - 1].to_owned()),
        ("that is SQL", |_| "' OR '1'='1".to_owned()),
        ("of 40,000 characters", |w| format!("{}/acme/account/{}", w.origin, "A".repeat(40_000))),
    ];
    for (name, kid) in unknown {
        cases.push(case(format!("a `kid` {name}"), 400, "accountDoesNotExist", move |w, nonce| {
            let kid = kid(w);
            read(w, nonce).set("kid", kid)
        }));
    }
    for (name, url) in [
        ("newOrder", (|w: &World| w.url("newOrder")) as fn(&World) -> String),
        ("its account", |w| w.closed.url.clone()),
        ("newNonce", |w| w.url("newNonce")),
        ("the directory", |w| format!("{}/acme/directory", w.origin)),
    ] {
        // RFC 8555 §7.3.6: status 401.
        cases.push(case(
            format!("a closed account asks for {name}"),
            401,
            "unauthorized",
            move |w, nonce| {
                let payload = if name == "newOrder" {
                    super::world::order_payload("a.localhost")
                } else {
                    String::new()
                };
                w.closed.post(&url(w), nonce, &payload)
            },
        ));
    }
    cases.push(case("a closed account registers again", 401, "unauthorized", |w, nonce| {
        Draft::new(&w.closed.key, None, &w.url("newAccount"), nonce, "{}")
    }));
    cases
}

fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}

fn by_jwk(world: &World, nonce: &str, url: &str) -> Draft {
    Draft::new(&world.owner.account.key, None, url, nonce, "")
}
