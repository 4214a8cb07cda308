//! Authorizations ahead of an order that cannot be had (RFC 8555 §7.4.1, RFC 9444 §4.2).

use serde_json::{Value, json};

use super::case::{Case, Draft, case, malformed};
use super::world::{DENIED, World};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(identifiers());
    cases.extend(refused());
    cases
}

fn of(world: &World, nonce: &str, identifier: &Value) -> Draft {
    world.post(&world.url("newAuthz"), nonce, &json!({ "identifier": identifier }).to_string())
}

fn forms() -> Vec<Case> {
    let name = json!({ "type": "dns", "value": "a.localhost" });
    let mut cases: Vec<Case> = [
        json!({}),
        json!([]),
        Value::Null,
        json!({ "identifier": null }),
        json!({ "identifier": "a.localhost" }),
        json!({ "identifier": ["dns", "a.localhost"] }),
        json!({ "identifier": [name] }),
        json!({ "identifier": {} }),
        json!({ "identifier": { "type": "dns" } }),
        json!({ "identifier": { "value": "a.localhost" } }),
        json!({ "identifiers": [name] }),
        json!([name]),
    ]
    .into_iter()
    .map(|payload| {
        malformed(format!("newAuthz is sent {payload}"), move |w, nonce| {
            w.post(&w.url("newAuthz"), nonce, &payload.to_string())
        })
    })
    .collect();
    cases.push(malformed("newAuthz without a payload", |w, nonce| w.post(&w.url("newAuthz"), nonce, "")));
    cases
}

fn identifiers() -> Vec<Case> {
    [
        json!({ "type": "dns", "value": "" }),
        json!({ "type": "dns", "value": "a_b" }),
        json!({ "type": "dns", "value": "192.0.2.1" }),
        // RFC 8555 §7.4.1: no wildcards.
        json!({ "type": "dns", "value": "*.a.localhost" }),
        json!({ "type": "dns", "value": "*.a.localhost", "subdomainAuthAllowed": true }),
        json!({ "type": "dns", "value": "a.localhost", "subdomainAuthAllowed": "yes" }),
        json!({ "type": "dns", "value": "a.localhost", "subdomainAuthAllowed": 1 }),
        json!({ "type": "ip", "value": "a.localhost" }),
        json!({ "type": "ip", "value": "192.0.2.1", "subdomainAuthAllowed": true }),
    ]
    .into_iter()
    .map(|identifier| {
        malformed(format!("an authorization for {identifier}"), move |w, nonce| of(w, nonce, &identifier))
    })
    .collect()
}

fn refused() -> Vec<Case> {
    vec![
        case("an authorization for an onion", 400, "unsupportedIdentifier", |w, nonce| {
            of(w, nonce, &json!({ "type": "onion", "value": "a.localhost" }))
        }),
        case("an authorization for a name that is denied", 403, "rejectedIdentifier", |w, nonce| {
            of(w, nonce, &json!({ "type": "dns", "value": DENIED }))
        }),
        case("an authorization for an address that is denied", 403, "rejectedIdentifier", |w, nonce| {
            of(w, nonce, &json!({ "type": "ip", "value": "10.0.0.1" }))
        }),
        case(
            "an authorization of a profile for bound accounts",
            403,
            "externalAccountRequired",
            |w, nonce| {
                let payload = json!({ "identifier": { "type": "dns", "value": "a.localhost" } }).to_string();
                w.post(&w.of_profile("bound", "newAuthz"), nonce, &payload)
            },
        ),
        case("an authorization for a closed account", 401, "unauthorized", |w, nonce| {
            let payload = json!({ "identifier": { "type": "dns", "value": "a.localhost" } }).to_string();
            w.closed.post(&w.url("newAuthz"), nonce, &payload)
        }),
        malformed("an authorization by `jwk`", |w, nonce| {
            Draft::new(&w.stranger, None, &w.url("newAuthz"), nonce, "{}")
        }),
    ]
}
