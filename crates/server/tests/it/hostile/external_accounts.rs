//! External account bindings that are missing, forged, or of another request (RFC 8555 §7.3.4).

use std::sync::Arc;

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_testkit::{JwsKey, base64url};
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case};
use super::world::{ExternalKey, World};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(headers());
    cases.extend(payloads());
    cases.extend(macs());
    cases
}

/// A binding in the making; sound until a case spoils it.
struct Binding {
    header: Value,
    payload: Vec<u8>,
    secret: Vec<u8>,
    algorithm: hmac::Algorithm,
}

impl Binding {
    /// Of a key to an external one, for the profile that wants one.
    fn of(world: &World, key: &JwsKey, external: &ExternalKey) -> Self {
        let url = world.of_profile("bound", "newAccount");
        Self {
            header: json!({ "alg": "HS256", "kid": external.kid, "url": url }),
            payload: key.jwk().to_string().into_bytes(),
            secret: Base64UrlUnpadded::decode_vec(&external.hmac_key).unwrap(),
            algorithm: hmac::HMAC_SHA256,
        }
    }

    fn jws(&self) -> Value {
        let (header, payload) = (base64url(self.header.to_string().as_bytes()), base64url(&self.payload));
        let key = hmac::Key::new(self.algorithm, &self.secret);
        let mac = hmac::sign(&key, format!("{header}.{payload}").as_bytes());
        json!({ "protected": header, "payload": payload, "signature": base64url(mac.as_ref()) })
    }
}

/// A registration with that binding.
fn register(world: &World, nonce: &str, binding: &Value) -> Draft {
    let url = world.of_profile("bound", "newAccount");
    Draft::new(&world.stranger, None, &url, nonce, &json!({ "externalAccountBinding": binding }).to_string())
}

/// A case of a binding that was spoilt before its MAC was made.
fn spoilt(
    name: &str,
    status: u16,
    kind: &'static str,
    spoil: impl Fn(&mut Binding, &World) + 'static,
) -> Case {
    case(name, status, kind, move |w, nonce| {
        let mut binding = Binding::of(w, &w.stranger, &w.external.usable);
        spoil(&mut binding, w);
        register(w, nonce, &binding.jws())
    })
}

/// A case of a binding that was changed after its MAC was made.
fn edited(name: &str, status: u16, kind: &'static str, edit: impl Fn(&mut Value) + 'static) -> Case {
    case(name, status, kind, move |w, nonce| {
        let mut jws = Binding::of(w, &w.stranger, &w.external.usable).jws();
        edit(&mut jws);
        register(w, nonce, &jws)
    })
}

fn forms() -> Vec<Case> {
    let mut cases = vec![
        case("no binding", 403, "externalAccountRequired", |w, nonce| {
            Draft::new(&w.stranger, None, &w.of_profile("bound", "newAccount"), nonce, "{}")
        }),
        case("a binding that is null", 403, "externalAccountRequired", |w, nonce| {
            register(w, nonce, &Value::Null)
        }),
    ];
    for binding in [json!(""), json!("a.b.c"), json!(1), json!(true), json!([]), json!({}), json!([{}])] {
        cases.push(case(format!("the binding {binding}"), 400, "malformed", move |w, nonce| {
            register(w, nonce, &binding)
        }));
    }
    for member in ["protected", "payload", "signature"] {
        cases.push(edited(&format!("a binding without its `{member}`"), 400, "malformed", move |jws| {
            jws.as_object_mut().unwrap().remove(member);
        }));
        cases.push(edited(&format!("a binding with a padded `{member}`"), 400, "malformed", move |jws| {
            jws[member] = json!(format!("{}=", jws[member].as_str().unwrap()));
        }));
    }
    cases.push(edited("a binding with an unprotected header", 400, "malformed", |jws| {
        jws["header"] = json!({})
    }));
    cases
        .push(edited("a binding in the general form", 400, "malformed", |jws| jws["signatures"] = json!([])));
    cases.push(edited("an array of a binding's members", 400, "malformed", |jws| {
        *jws = json!([jws["protected"], jws["payload"], jws["signature"]]);
    }));
    cases.push(edited("a binding in a text", 400, "malformed", |jws| *jws = json!(jws.to_string())));
    cases.push(edited("a binding of 17,000 characters", 400, "malformed", |jws| {
        jws["x"] = json!("a".repeat(17_000))
    }));
    cases.push(case("a binding given twice", 400, "malformed", |w, nonce| {
        let binding = Binding::of(w, &w.stranger, &w.external.usable).jws();
        let payload = format!(r#"{{"externalAccountBinding":{binding},"externalAccountBinding":{binding}}}"#);
        register(w, nonce, &Value::Null).payload(payload)
    }));
    cases
}

fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    for alg in ["none", "HS1", "hs256", "ES256", "RS256", "PBES2-HS256+A128KW", ""] {
        cases.push(spoilt(&format!("a binding by {alg:?}"), 400, "malformed", move |binding, _| {
            binding.header["alg"] = json!(alg);
        }));
    }
    for member in ["alg", "kid", "url"] {
        cases.push(spoilt(&format!("a binding without `{member}`"), 400, "malformed", move |binding, _| {
            binding.header.as_object_mut().unwrap().remove(member);
        }));
        for value in [Value::Null, json!(1), json!([])] {
            cases.push(spoilt(&format!("a binding whose `{member}` is {value}"), 400, "malformed", {
                let value = value.clone();
                move |binding, _| binding.header[member] = value.clone()
            }));
        }
    }
    // RFC 8555 §7.3.4: no nonce; and nothing that changes what the MAC means.
    for (member, value) in [
        ("nonce", json!("AAAA")),
        ("nonce", Value::Null),
        ("jwk", json!({})),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("x5u", json!("https://a.test/")),
    ] {
        cases.push(spoilt(
            &format!("a binding with `{member}` {value}"),
            400,
            "malformed",
            move |binding, _| {
                binding.header[member] = value.clone();
            },
        ));
    }
    let kids =
        [("empty", String::new()), ("of 257 characters", "a".repeat(257)), ("with a NUL", "a\0".to_owned())];
    for (name, kid) in kids {
        cases.push(spoilt(
            &format!("a binding whose `kid` is {name}"),
            400,
            "malformed",
            move |binding, _| {
                binding.header["kid"] = json!(kid);
            },
        ));
    }
    let urls: Named<fn(&World) -> String, 5> = [
        ("newOrder", |w| w.url("newOrder")),
        ("the newAccount of no profile", |w| w.url("newAccount")),
        ("the newAccount of another profile", |w| w.of_profile("default", "newAccount")),
        ("another server", |w| w.of_profile("bound", "newAccount").replace(&w.origin, "https://ca.test")),
        ("the same with a slash", |w| format!("{}/", w.of_profile("bound", "newAccount"))),
    ];
    for (name, url) in urls {
        cases.push(spoilt(&format!("a binding for {name}"), 400, "malformed", move |binding, w| {
            binding.header["url"] = json!(url(w));
        }));
    }
    cases
}

/// The payload is the account's key, and nothing else.
fn payloads() -> Vec<Case> {
    let fixed: [(&str, &'static [u8]); 6] = [
        ("nothing", b""),
        ("an empty object", b"{}"),
        ("null", b"null"),
        ("an array", b"[]"),
        ("no text", b"\xff\xff"),
        ("a thumbprint", b"\"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs\""),
    ];
    let mut cases: Vec<Case> = fixed
        .into_iter()
        .map(|(name, payload)| {
            spoilt(&format!("a binding of {name}"), 400, "malformed", move |binding, _| {
                binding.payload = payload.to_vec();
            })
        })
        .collect();
    let keys: Named<fn(&World) -> Value, 4> = [
        ("a new key", |_| JwsKey::p256().jwk()),
        ("the key of another account", |w| w.other.account.key.jwk()),
        ("a weak key", |_| json!({ "kty": "RSA", "n": base64url(&[0xff; 64]), "e": "AQAB" })),
        ("the key with a private part", |w| {
            let mut jwk = w.stranger.jwk();
            jwk["d"] = json!("AAAA");
            jwk
        }),
    ];
    for (name, key) in keys {
        cases.push(spoilt(&format!("a binding of {name}"), 400, "malformed", move |binding, w| {
            binding.payload = key(w).to_string().into_bytes();
        }));
    }
    // Overheard from somebody else.
    cases.push(case("a binding of another client", 400, "malformed", |w, nonce| {
        let thief = Arc::new(JwsKey::p256());
        let binding = Binding::of(w, &w.stranger, &w.external.usable).jws();
        let payload = json!({ "externalAccountBinding": binding }).to_string();
        Draft::new(&thief, None, &w.of_profile("bound", "newAccount"), nonce, &payload)
    }));
    cases
}

/// What is told of a wrong MAC and of a key that may not be used, whatever the reason.
const ALIKE: &str = "its `kid` is not known or its MAC is wrong";

fn macs() -> Vec<Case> {
    let wrong =
        |name: &str, spoil: fn(&mut Binding, &World)| spoilt(name, 403, "unauthorized", spoil).says(ALIKE);
    let unusable = |name: &str, which: fn(&World) -> &ExternalKey| {
        case(name, 403, "unauthorized", move |w, nonce| {
            register(w, nonce, &Binding::of(w, &w.stranger, which(w)).jws())
        })
        .says(ALIKE)
    };
    let forged = |name: &str, signature: Vec<u8>| {
        edited(name, 403, "unauthorized", move |jws| jws["signature"] = json!(base64url(&signature)))
            .says(ALIKE)
    };
    vec![
        wrong("a binding by a key that there is not", |binding, _| binding.header["kid"] = json!("nobody")),
        wrong("a binding by a key of another case", |binding, _| {
            let kid = binding.header["kid"].as_str().unwrap().to_uppercase();
            binding.header["kid"] = json!(format!("{kid}X"));
        }),
        wrong("a binding by a key that is SQL", |binding, _| binding.header["kid"] = json!("' OR 1=1 --")),
        wrong("a binding by another secret", |binding, _| binding.secret = vec![7; 32]),
        wrong("a binding by the empty secret", |binding, _| binding.secret = Vec::new()),
        wrong("a binding by the text of the secret", |binding, _| {
            binding.secret = Base64UrlUnpadded::encode_string(&binding.secret).into_bytes();
        }),
        wrong("a binding by the public key", |binding, w| {
            binding.secret = w.stranger.jwk().to_string().into_bytes();
        }),
        wrong("a binding of HS256 that says HS512", |binding, _| binding.header["alg"] = json!("HS512")),
        wrong("a binding of HS384 that says HS256", |binding, _| binding.algorithm = hmac::HMAC_SHA384),
        unusable("a binding by a revoked key", |w| &w.external.revoked),
        unusable("a binding by a key that is used up", |w| &w.external.used),
        forged("a binding with an empty MAC", Vec::new()),
        forged("a binding with a MAC of zeros", vec![0; 32]),
        forged("a binding with a MAC of one octet", vec![0]),
        forged("a binding with a MAC of 30,000 octets", vec![0; 8_000]),
        edited("a binding whose MAC is cut short", 403, "unauthorized", |jws| {
            let signature = jws["signature"].as_str().unwrap();
            jws["signature"] = json!(signature[..20]);
        })
        .says(ALIKE),
        edited("a binding whose header was changed", 403, "unauthorized", |jws| {
            let header = Base64UrlUnpadded::decode_vec(jws["protected"].as_str().unwrap()).unwrap();
            let header = [&header[..header.len() - 1], b" }"].concat();
            jws["protected"] = json!(base64url(&header));
        })
        .says(ALIKE),
    ]
}
