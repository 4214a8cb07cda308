//! Requests that are odd, and that the RFCs want served all the same, or that change nothing.

use http::Method;
use serde_json::{Value, json};

use super::case::{Case, Draft, harmless};
use super::runner::FOREIGN_HOST;
use super::world::World;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = around();
    cases.extend(members());
    cases.extend(repeated());
    cases
}

fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}

/// Header fields, which say nothing of the request's sender.
fn around() -> Vec<Case> {
    let media =
        ["application/jose+json; charset=utf-8", "Application/JOSE+JSON", " application/jose+json ;x=y"];
    let mut cases: Vec<Case> = media
        .into_iter()
        .map(|media| {
            harmless(format!("the media type {media:?}"), 200, move |w, nonce| read(w, nonce).media(media))
        })
        .collect();
    for (name, value) in [
        ("x-forwarded-host", FOREIGN_HOST.to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-forwarded-for", "192.0.2.1, not an address".to_owned()),
        ("forwarded", format!("for=192.0.2.1;host={FOREIGN_HOST};proto=http")),
        ("x-original-url", "/healthz".to_owned()),
        ("x-http-method-override", "DELETE".to_owned()),
        ("accept", "text/html".to_owned()),
        ("accept-language", "x".repeat(2_000)),
        ("replay-nonce", "AAAA".to_owned()),
        ("authorization", "Bearer AAAA".to_owned()),
        ("cookie", "admin=1".to_owned()),
        ("origin", format!("https://{FOREIGN_HOST}")),
    ] {
        cases.push(harmless(format!("the field {name}"), 200, move |w, nonce| {
            read(w, nonce).field(name, &value)
        }));
    }
    cases.push(harmless("a body with GET of the directory", 200, |w, nonce| {
        let url = format!("{}/acme/directory?host={FOREIGN_HOST}", w.origin);
        w.post(&url, nonce, "{}").method(Method::GET)
    }));
    cases
}

/// Members that are not known are ignored (RFC 7515 §4.2, RFC 8555 §7.3), however deep they go.
fn members() -> Vec<Case> {
    let deep = || format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
    let mut cases = vec![
        harmless("an unknown member beside the JWS", 200, |w, nonce| {
            read(w, nonce).edit(|jws| jws["extra"] = json!({ "protected": 1 }))
        }),
        harmless("an unknown member of the header", 200, |w, nonce| {
            read(w, nonce).set("x5u", format!("https://{FOREIGN_HOST}/key"))
        }),
        harmless("an unknown member of many levels beside the JWS", 200, move |w, nonce| {
            read(w, nonce).rewrite(|jws| jws.replacen('{', &format!(r#"{{"x":{},"#, deep()), 1))
        }),
        harmless("an unknown member of many levels in the header", 200, move |w, nonce| {
            let draft = read(w, nonce);
            let header = draft.header().to_string().replacen('{', &format!(r#"{{"x":{},"#, deep()), 1);
            draft.protected(header)
        }),
        harmless("an unknown member of many levels in the payload", 200, move |w, nonce| {
            read(w, nonce).payload(format!(r#"{{"x":{}}}"#, deep()))
        }),
    ];
    for payload in [json!({ "status": "revoked" }), json!({ "status": "valid" }), json!({ "orders": 1 })] {
        // RFC 8555 §7.3.2: other members than those that can be changed are ignored.
        cases.push(harmless(format!("the account is sent {payload}"), 200, move |w, nonce| {
            let url = w.owner.account.url.clone();
            w.post(&url, nonce, &payload.to_string())
        }));
    }
    cases
}

/// What was done already is not done again.
fn repeated() -> Vec<Case> {
    let payload = |identifiers: Value| json!({ "identifiers": identifiers }).to_string();
    let twice = |name: &str| json!([{ "type": "dns", "value": name }, { "type": "dns", "value": name.to_uppercase() }]);
    vec![
        harmless("an order for the same name in two spellings", 201, move |w, nonce| {
            w.post(&w.url("newOrder"), nonce, &payload(twice("twice.localhost")))
        }),
        harmless("an answer to a challenge that is valid", 200, |w, nonce| {
            w.post(&w.owner.valid.challenge, nonce, "{}")
        }),
        harmless("an answer to a challenge whose authorization was given up", 200, |w, nonce| {
            w.post(&w.owner.invalid.challenge, nonce, "{}")
        }),
        harmless("an authorization is given up again", 200, |w, nonce| {
            w.post(&w.owner.invalid.authorization, nonce, r#"{"status":"deactivated"}"#)
        }),
        harmless("an account is asked for again", 200, |w, nonce| {
            Draft::new(&w.owner.account.key, None, &w.url("newAccount"), nonce, r#"{"contact":["tel:+1"]}"#)
        }),
    ]
}
