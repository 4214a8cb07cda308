//! Changes of an account's key that are not the holder's wish (RFC 8555 §7.3.5).

use std::sync::Arc;

use chancery_testkit::{JwsKey, base64url};
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(headers());
    cases.extend(payloads());
    cases.extend(keys());
    cases.extend(outer());
    cases
}

/// The inner JWS in the making; sound until a case spoils it.
struct Inner {
    key: Arc<JwsKey>,
    header: Value,
    payload: Value,
    signer: Arc<JwsKey>,
}

impl Inner {
    /// The owner takes the stranger's key.
    fn of(world: &World) -> Self {
        Self::with(world, &world.stranger)
    }

    fn with(world: &World, key: &Arc<JwsKey>) -> Self {
        let account = &world.owner.account;
        Self {
            key: Arc::clone(key),
            header: json!({ "alg": key.alg(), "jwk": key.jwk(), "url": world.url("keyChange") }),
            payload: json!({ "account": account.url, "oldKey": account.key.jwk() }),
            signer: Arc::clone(key),
        }
    }

    fn jws(&self) -> Value {
        self.signer.flattened(&self.header, self.payload.to_string().as_bytes())
    }
}

/// The request around an inner JWS.
fn change(world: &World, nonce: &str, inner: &Value) -> Draft {
    world.post(&world.url("keyChange"), nonce, &inner.to_string())
}

/// A case whose inner JWS was spoilt before it was signed.
fn spoilt(name: &str, kind: &'static str, spoil: impl Fn(&mut Inner, &World) + 'static) -> Case {
    case(name, 400, kind, move |w, nonce| {
        let mut inner = Inner::of(w);
        spoil(&mut inner, w);
        change(w, nonce, &inner.jws())
    })
}

/// A case whose inner JWS was changed after it was signed.
fn edited(name: &str, edit: impl Fn(&mut Value) + 'static) -> Case {
    malformed(name, move |w, nonce| {
        let mut jws = Inner::of(w).jws();
        edit(&mut jws);
        change(w, nonce, &jws)
    })
}

fn forms() -> Vec<Case> {
    let mut cases: Vec<Case> = ["", "{}", "null", "[]", "1", "{", r#""a.b.c""#, "a.b.c"]
        .into_iter()
        .map(|payload| {
            malformed(format!("keyChange is sent {payload:?}"), move |w, nonce| {
                w.post(&w.url("keyChange"), nonce, payload)
            })
        })
        .collect();
    for member in ["protected", "payload", "signature"] {
        cases.push(edited(&format!("the inner JWS without its `{member}`"), move |jws| {
            jws.as_object_mut().unwrap().remove(member);
        }));
        cases.push(edited(&format!("the inner JWS with a padded `{member}`"), move |jws| {
            jws[member] = json!(format!("{}=", jws[member].as_str().unwrap()));
        }));
    }
    cases.push(edited("the inner JWS with an unprotected header", |jws| jws["header"] = json!({})));
    cases.push(edited("the inner JWS in the general form", |jws| jws["signatures"] = json!([])));
    cases.push(edited("an array of the inner JWS's members", |jws| {
        *jws = json!([jws["protected"], jws["payload"], jws["signature"]]);
    }));
    cases.push(edited("the inner JWS in a text", |jws| *jws = json!(jws.to_string())));
    cases.push(edited("the inner JWS with another payload", |jws| jws["payload"] = json!("e30")));
    cases
}

fn headers() -> Vec<Case> {
    let mut cases = vec![
        spoilt("the inner JWS with a nonce", "malformed", |inner, _| inner.header["nonce"] = json!("AAAA")),
        spoilt("the inner JWS with a `kid` beside its key", "malformed", |inner, w| {
            inner.header["kid"] = json!(w.owner.account.url);
        }),
        spoilt("the inner JWS with a `kid` for its key", "malformed", |inner, w| {
            inner.header = json!({ "alg": "ES256", "kid": w.owner.account.url, "url": w.url("keyChange") });
        }),
        spoilt("the inner JWS with `crit`", "malformed", |inner, _| inner.header["crit"] = json!(["b64"])),
        spoilt("the inner JWS for another URL", "malformed", |inner, w| {
            inner.header["url"] = json!(w.url("newOrder"));
        }),
        spoilt("the inner JWS for the URL with a slash", "malformed", |inner, w| {
            inner.header["url"] = json!(format!("{}/", w.url("keyChange")));
        }),
        spoilt("the inner JWS by `none`", "badSignatureAlgorithm", |inner, _| {
            inner.header["alg"] = json!("none")
        }),
        spoilt("the inner JWS by a MAC", "badSignatureAlgorithm", |inner, _| {
            inner.header["alg"] = json!("HS256")
        }),
        spoilt("the inner JWS by the algorithm of another key", "malformed", |inner, _| {
            inner.header["alg"] = json!("ES384");
        }),
    ];
    for member in ["alg", "jwk", "url"] {
        cases.push(spoilt(&format!("the inner JWS without `{member}`"), "malformed", move |inner, _| {
            inner.header.as_object_mut().unwrap().remove(member);
        }));
        cases.push(spoilt(
            &format!("the inner JWS whose `{member}` is null"),
            "malformed",
            move |inner, _| {
                inner.header[member] = Value::Null;
            },
        ));
    }
    cases
}

fn payloads() -> Vec<Case> {
    let mut cases = Vec::new();
    for member in ["account", "oldKey"] {
        cases.push(spoilt(&format!("a change without `{member}`"), "malformed", move |inner, _| {
            inner.payload.as_object_mut().unwrap().remove(member);
        }));
        for value in [Value::Null, json!(1), json!([]), json!(""), json!({})] {
            cases.push(spoilt(
                &format!("a change whose `{member}` is {value}"),
                "malformed",
                move |inner, _| {
                    inner.payload[member] = value.clone();
                },
            ));
        }
    }
    for payload in [json!({}), json!([]), json!("x"), Value::Null] {
        cases.push(spoilt(&format!("a change that is {payload}"), "malformed", move |inner, _| {
            inner.payload = payload.clone();
        }));
    }
    let accounts: Named<fn(&World) -> String, 4> = [
        ("of another", |w| w.other.account.url.clone()),
        ("of nobody", |w| format!("{}/acme/account/AAAAAAAAAAAAAAAAAAAAAA", w.origin)),
        ("with a slash", |w| format!("{}/", w.owner.account.url)),
        ("of another server", |w| w.owner.account.url.replace(&w.origin, "https://ca.test")),
    ];
    for (name, account) in accounts {
        cases.push(spoilt(&format!("a change for the account {name}"), "malformed", move |inner, w| {
            inner.payload["account"] = json!(account(w));
        }));
    }
    cases.push(spoilt("a change from the key of another", "malformed", |inner, w| {
        inner.payload["oldKey"] = w.other.account.key.jwk();
    }));
    cases.push(spoilt("a change from the new key", "malformed", |inner, _| {
        inner.payload["oldKey"] = inner.key.jwk();
    }));
    cases
}

/// New keys that no account gets.
fn keys() -> Vec<Case> {
    let taken = |name: &str, which: fn(&World) -> &Arc<JwsKey>| {
        case(name, 409, "malformed", move |w, nonce| {
            let inner = Inner::with(w, which(w));
            change(w, nonce, &inner.jws())
        })
    };
    let known = Arc::new(JwsKey::known_p256(
        "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    ));
    vec![
        taken("the key of another account", |w| &w.other.account.key),
        taken("the key of a closed account", |w| &w.closed.key),
        malformed("the key that the account has", |w, nonce| {
            change(w, nonce, &Inner::with(w, &w.owner.account.key).jws())
        }),
        case("a compromised key", 400, "badPublicKey", move |w, nonce| {
            change(w, nonce, &Inner::with(w, &known).jws())
        }),
        spoilt("a weak key", "badPublicKey", |inner, _| {
            inner.header["jwk"] = json!({ "kty": "RSA", "n": base64url(&[0xff; 256]), "e": "AQAB" });
        }),
        spoilt("a key off its curve", "badPublicKey", |inner, _| {
            inner.header["jwk"]["y"] = inner.header["jwk"]["x"].clone();
        }),
        spoilt("a key with its private part", "badPublicKey", |inner, _| {
            inner.header["jwk"]["d"] = json!("AAAA");
        }),
        spoilt("the inner JWS signed by the old key", "malformed", |inner, w| {
            inner.signer = Arc::clone(&w.owner.account.key);
        }),
        spoilt("the inner JWS signed by a third key", "malformed", |inner, _| {
            inner.signer = Arc::new(JwsKey::p256());
        }),
    ]
}

/// The request around it.
fn outer() -> Vec<Case> {
    vec![
        malformed("a change in a request by `jwk`", |w, nonce| {
            let inner = Inner::of(w).jws().to_string();
            Draft::new(&w.owner.account.key, None, &w.url("keyChange"), nonce, &inner)
        }),
        malformed("a change in a request that the new key signed", |w, nonce| {
            change(w, nonce, &Inner::of(w).jws()).signed_by(&w.stranger)
        }),
        malformed("a change in a request of another account", |w, nonce| {
            let inner = Inner::of(w).jws().to_string();
            w.other.account.post(&w.url("keyChange"), nonce, &inner)
        }),
        case("a change in a request of a closed account", 401, "unauthorized", |w, nonce| {
            let mut inner = Inner::of(w);
            inner.payload = json!({ "account": w.closed.url, "oldKey": w.closed.key.jwk() });
            w.closed.post(&w.url("keyChange"), nonce, &inner.jws().to_string())
        }),
        case("a change in a request for another URL", 401, "unauthorized", |w, nonce| {
            change(w, nonce, &Inner::of(w).jws()).set("url", w.url("newOrder"))
        }),
    ]
}
