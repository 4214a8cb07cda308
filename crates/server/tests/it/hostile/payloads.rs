//! Payloads that are not what their resource takes, and those where none belongs (RFC 8555 §6.3, §7.3, §7.5).

use serde_json::{Value, json};

use super::case::{Case, case, malformed};
use super::world::World;

/// Which resource a case is about.
type Resource = fn(&World) -> String;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = where_none_belongs();
    cases.extend(where_one_belongs());
    cases.extend(json());
    cases.extend(registrations());
    cases.extend(updates());
    cases.extend(contacts());
    cases.extend(authorizations());
    cases.extend(challenges());
    cases
}

/// A resource that is only read takes the empty payload of a POST-as-GET.
fn where_none_belongs() -> Vec<Case> {
    let resources: [(&str, Resource); 6] = [
        ("the directory", |w| format!("{}/acme/directory", w.origin)),
        ("newNonce", |w| w.url("newNonce")),
        ("an order", |w| w.owner.pending.url.clone()),
        ("the orders of an account", |w| format!("{}/orders", w.owner.account.url)),
        ("a certificate", |w| w.owner.certificate.url.clone()),
        ("a finished order", |w| w.owner.valid.url.clone()),
    ];
    let mut cases = Vec::new();
    for (name, url) in resources {
        for payload in ["{}", "null", r#"{"status":"deactivated"}"#] {
            cases.push(
                malformed(format!("{name} with the payload {payload}"), move |w, nonce| {
                    w.post(&url(w), nonce, payload)
                })
                .says("POST-as-GET"),
            );
        }
    }
    cases
}

fn where_one_belongs() -> Vec<Case> {
    let resources: [(&str, Resource); 2] =
        [("newOrder", |w| w.url("newOrder")), ("finalize", |w| w.owner.ready.finalize.clone())];
    let mut cases: Vec<Case> = resources
        .into_iter()
        .map(|(name, url)| {
            malformed(format!("{name} without a payload"), move |w, nonce| w.post(&url(w), nonce, ""))
                .says("POST-as-GET")
        })
        .collect();
    cases.push(malformed("newAccount without a payload", |w, nonce| w.registration(nonce, "")));
    cases
}

/// What is no JSON object, whatever the resource.
fn json() -> Vec<Case> {
    let wrong: [(&str, &'static [u8]); 16] = [
        ("null", b"null"),
        ("a truth value", b"true"),
        ("a number", b"1"),
        ("a text", br#""{}""#),
        ("an empty array", b"[]"),
        ("an array of an object", b"[{}]"),
        ("half an object", b"{"),
        ("text after the object", b"{}x"),
        ("two objects", b"{}{}"),
        ("white space", b"  "),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("UTF-16", b"{\0}\0"),
        ("no text", b"\xff\xff"),
        ("a comment", b"{/**/}"),
        ("a member without quotation marks", b"{contact:[]}"),
        ("a lone surrogate", br#"{"contact":["\ud800"]}"#),
    ];
    let mut cases = Vec::new();
    for (name, payload) in wrong {
        cases.push(malformed(format!("an account is sent {name}"), move |w, nonce| {
            let url = w.owner.account.url.clone();
            w.post(&url, nonce, "").payload(payload)
        }));
    }
    for (name, payload) in wrong {
        // A lone surrogate stands in a member that orders do not know.
        if name != "a lone surrogate" {
            cases.push(malformed(format!("newOrder is sent {name}"), move |w, nonce| {
                w.post(&w.url("newOrder"), nonce, "").payload(payload)
            }));
        }
    }
    cases
}

fn registrations() -> Vec<Case> {
    let wrong = [
        json!({ "contact": "mailto:a@b.test" }),
        json!({ "contact": {} }),
        json!({ "contact": [1] }),
        json!({ "contact": [null] }),
        json!({ "contact": [["mailto:a@b.test"]] }),
        json!({ "termsOfServiceAgreed": "yes" }),
        json!({ "termsOfServiceAgreed": 1 }),
        json!({ "onlyReturnExisting": "true" }),
        json!({ "onlyReturnExisting": [] }),
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|payload| {
            malformed(format!("newAccount is sent {payload}"), move |w, nonce| {
                w.registration(nonce, &payload.to_string())
            })
        })
        .collect();
    cases.push(malformed("newAccount is sent a member twice", |w, nonce| {
        w.registration(nonce, r#"{"onlyReturnExisting":false,"onlyReturnExisting":true}"#)
    }));
    cases.push(
        malformed("newAccount is sent an array of its members", |w, nonce| {
            w.registration(nonce, "[[],true,false,null]")
        })
        .says("expected a JSON object"),
    );
    cases.push(case("an account that does not exist", 400, "accountDoesNotExist", |w, nonce| {
        w.registration(nonce, r#"{"onlyReturnExisting":true}"#)
    }));
    cases
}

fn updates() -> Vec<Case> {
    let wrong = [
        json!({ "contact": "mailto:a@b.test" }),
        json!({ "contact": [{}] }),
        json!({ "status": 1 }),
        json!({ "status": ["deactivated"] }),
        json!({ "status": { "deactivated": true } }),
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|payload| {
            malformed(format!("an account is sent {payload}"), move |w, nonce| {
                let url = w.owner.account.url.clone();
                w.post(&url, nonce, &payload.to_string())
            })
        })
        .collect();
    cases.push(malformed("an account is sent a status twice", |w, nonce| {
        let url = w.owner.account.url.clone();
        w.post(&url, nonce, r#"{"status":"valid","status":"deactivated"}"#)
    }));
    cases.push(
        malformed("an account is sent an array of its members", |w, nonce| {
            let url = w.owner.account.url.clone();
            w.post(&url, nonce, r#"[null,"deactivated"]"#)
        })
        .says("expected a JSON object"),
    );
    cases
}

/// RFC 8555 §7.3: `mailto:` with one address and no header fields, and nothing else.
fn contacts() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut of = |kind: &'static str, contact: String, name: String| {
        let payload = json!({ "contact": [contact] }).to_string();
        let update = payload.clone();
        cases.push(case(format!("a new account's contact {name}"), 400, kind, move |w, nonce| {
            w.registration(nonce, &payload)
        }));
        cases.push(case(format!("an account's new contact {name}"), 400, kind, move |w, nonce| {
            let url = w.owner.account.url.clone();
            w.post(&url, nonce, &update)
        }));
    };
    for contact in
        ["tel:+12025551212", "", "a@b.test", "https://a.test/", "javascript:alert(1)", "MAILTO:a@b.test"]
    {
        of("unsupportedContact", contact.to_owned(), format!("{contact:?}"));
    }
    for contact in [
        "mailto:",
        "mailto:a",
        "mailto:@b.test",
        "mailto:a@",
        "mailto:a@b@c.test",
        "mailto:a@b.test?subject=x",
        "mailto:a@b.test,c@d.test",
        "mailto:a @b.test",
        "mailto:a@b.test\r\nBcc: c@d.test",
        "mailto:ä@b.test",
    ] {
        of("invalidContact", contact.to_owned(), format!("{contact:?}"));
    }
    of("invalidContact", format!("mailto:{}@b.test", "a".repeat(20_000)), "of 20,000 characters".to_owned());
    let many = json!({ "contact": vec!["mailto:a@b.test"; 11] }).to_string();
    cases.push(case("eleven contacts", 400, "invalidContact", move |w, nonce| w.registration(nonce, &many)));
    let many = json!({ "contact": vec!["mailto:a@b.test"; 2_000] }).to_string();
    cases.push(case("two thousand contacts", 400, "invalidContact", move |w, nonce| {
        w.registration(nonce, &many)
    }));
    cases
}

/// RFC 8555 §7.5.2: an authorization can be given up, and nothing else.
fn authorizations() -> Vec<Case> {
    let wrong = [
        json!({}),
        json!({ "status": "valid" }),
        json!({ "status": "pending" }),
        json!({ "status": "revoked" }),
        json!({ "status": "DEACTIVATED" }),
        json!({ "status": "" }),
        json!({ "status": null }),
        json!({ "status": 1 }),
        json!({ "status": ["deactivated"] }),
        json!(["deactivated"]),
        Value::Null,
    ];
    wrong
        .into_iter()
        .map(|payload| {
            malformed(format!("an authorization is sent {payload}"), move |w, nonce| {
                w.post(&w.owner.pending.authorization, nonce, &payload.to_string())
            })
        })
        .collect()
}

/// RFC 8555 §7.5.1: an empty object, to begin with.
fn challenges() -> Vec<Case> {
    ["[]", "null", r#""x""#, "1", "true", "{", "{}{}", "[{}]", r#"{"a":}"#]
        .into_iter()
        .map(|payload| {
            malformed(format!("a challenge is sent {payload}"), move |w, nonce| {
                w.post(&w.owner.pending.challenge, nonce, payload)
            })
        })
        .collect()
}
