//! Identifiers that cannot be ordered (RFC 8555 §7.1.4, §7.4; RFC 8738).

use serde_json::{Value, json};

use super::case::{Case, case, malformed};
use super::world::DENIED;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(addresses());
    cases.extend(types());
    cases.extend(forms());
    cases.extend(lists());
    cases.extend(ancestors());
    cases.extend(rejected());
    cases
}

/// An order for the one identifier.
fn of(name: &str, identifier: Value) -> Case {
    let payload = json!({ "identifiers": [identifier] }).to_string();
    malformed(name, move |w, nonce| w.post(&w.url("newOrder"), nonce, &payload))
}

fn names() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        "",
        ".",
        "..",
        "a..localhost",
        ".localhost",
        "a.localhost..",
        "-a.localhost",
        "a-.localhost",
        "a_b.localhost",
        "a b.localhost",
        " a.localhost",
        "a.localhost ",
        "a\tb.localhost",
        "a\0.localhost",
        "a\n.localhost",
        "a.localhost:443",
        "https://a.localhost",
        "a.localhost/",
        "user@a.localhost",
        "a.localhost#b",
        "a%2elocalhost",
        "a,b.localhost",
        "a.localhost;b.localhost",
        "<script>",
        "'; DROP TABLE orders; --",
        "${jndi:ldap://a}",
        "bücher.localhost",
        "BÜCHER.localhost",
        "a\u{3002}localhost",
        "а.localhost",
        "a\u{200b}.localhost",
        "a\u{202e}.localhost",
        "xn--.localhost",
        "xn--a.localhost",
        "xn--a-ecp.localhost",
        "ab--c.localhost",
        "*",
        "*.",
        "*.*.localhost",
        "a.*.localhost",
        "a*.localhost",
        "*a.localhost",
        "**.localhost",
        "*.*",
        "\u{ff0a}.localhost",
        "192.0.2.1",
        "192.0.2.1.",
        "*.192.0.2.1",
        "[2001:db8::1]",
        "2001:db8::1",
        "1",
        "a.123",
    ]
    .into_iter()
    .map(|name| of(&format!("the name {name:?}"), json!({ "type": "dns", "value": name })))
    .collect();
    for (what, name) in [
        ("a label of 64 characters", format!("{}.localhost", "a".repeat(64))),
        ("a name of 254 characters", format!("{}aaaa.localhost", "a2345678.".repeat(27))),
        ("a name of 40,000 characters", "a.".repeat(20_000)),
        ("a wildcard of 254 characters", format!("*.{}aa.localhost", "a2345678.".repeat(27))),
    ] {
        cases.push(of(what, json!({ "type": "dns", "value": name })));
    }
    cases
}

fn addresses() -> Vec<Case> {
    [
        "",
        "192.0.2",
        "192.0.2.01",
        "192.0.2.256",
        "192.0.2.1.1",
        "0xC0.0.2.1",
        "0300.0.2.1",
        "3221225985",
        "192.0.2.1:80",
        "192.0.2.1/32",
        " 192.0.2.1",
        "192.0.2.1 ",
        "[2001:db8::1]",
        "fe80::1%eth0",
        "2001:db8:::1",
        "2001:db8::1/128",
        "1:2:3:4:5:6:7:8:9",
        "::ffff:192.0.2.1",
        "::ffff:c000:201",
        "localhost",
        "a.localhost",
        "*.192.0.2.1",
        "192.0.2.1\0",
    ]
    .into_iter()
    .map(|address| of(&format!("the address {address:?}"), json!({ "type": "ip", "value": address })))
    .collect()
}

fn types() -> Vec<Case> {
    ["", "DNS", "Dns", "IP", "email", "onion", "uri", "TNAuthList", "dns ", "*"]
        .into_iter()
        .map(|kind| {
            let payload = json!({ "identifiers": [{ "type": kind, "value": "a.localhost" }] }).to_string();
            case(format!("the type {kind:?}"), 400, "unsupportedIdentifier", move |w, nonce| {
                w.post(&w.url("newOrder"), nonce, &payload)
            })
        })
        .collect()
}

fn forms() -> Vec<Case> {
    let wrong = [
        json!("a.localhost"),
        json!(["dns", "a.localhost"]),
        json!(["dns", "a.localhost", null, false]),
        json!({}),
        json!({ "type": "dns" }),
        json!({ "value": "a.localhost" }),
        json!({ "type": null, "value": "a.localhost" }),
        json!({ "type": "dns", "value": null }),
        json!({ "type": "dns", "value": 1 }),
        json!({ "type": "dns", "value": ["a.localhost"] }),
        json!({ "type": ["dns"], "value": "a.localhost" }),
        json!({ "dns": "a.localhost" }),
        json!({ "type": "dns", "value": "a.localhost", "subdomainAuthAllowed": "yes" }),
        json!({ "type": "dns", "value": "a.localhost", "ancestorDomain": 1 }),
        Value::Null,
    ];
    let mut cases: Vec<Case> =
        wrong.into_iter().map(|identifier| of(&format!("the identifier {identifier}"), identifier)).collect();
    for payload in [
        r#"{"identifiers":[{"type":"dns","value":"a.localhost","value":"b.localhost"}]}"#,
        r#"{"identifiers":[{"type":"ip","type":"dns","value":"a.localhost"}]}"#,
    ] {
        let case = malformed(format!("the order {payload}"), move |w, nonce| {
            w.post(&w.url("newOrder"), nonce, payload)
        });
        cases.push(case.says("duplicate"));
    }
    cases
}

fn lists() -> Vec<Case> {
    let many = |count: usize| -> Vec<Value> {
        (0..count).map(|n| json!({ "type": "dns", "value": format!("a{n}.localhost") })).collect()
    };
    let one = json!({ "type": "dns", "value": "a.localhost" });
    let wrong = [
        ("no `identifiers`", json!({})),
        ("`identifiers` null", json!({ "identifiers": null })),
        ("`identifiers` empty", json!({ "identifiers": [] })),
        ("`identifiers` an object", json!({ "identifiers": one })),
        ("`identifiers` a text", json!({ "identifiers": "a.localhost" })),
        ("`identifiers` a list of lists", json!({ "identifiers": [[one]] })),
        ("101 identifiers", json!({ "identifiers": many(101) })),
        ("1,000 identifiers", json!({ "identifiers": many(1_000) })),
        ("101 times the same", json!({ "identifiers": vec![one.clone(); 101] })),
        ("an array of the order's members", json!([[one], null, null, null, null])),
    ];
    let mut cases: Vec<Case> = wrong
        .into_iter()
        .map(|(name, payload)| {
            let payload = payload.to_string();
            malformed(format!("an order with {name}"), move |w, nonce| {
                w.post(&w.url("newOrder"), nonce, &payload)
            })
        })
        .collect();
    let beside = json!({ "identifiers": [one, { "type": "dns", "value": "a_b" }] }).to_string();
    cases.push(
        malformed("a bad name beside a good one", move |w, nonce| w.post(&w.url("newOrder"), nonce, &beside))
            .says("subproblems"),
    );
    let mixed =
        json!({ "identifiers": [{ "type": "dns", "value": "a_b" }, { "type": "onion", "value": "b" }] });
    let mixed = mixed.to_string();
    cases.push(
        case("two that are bad for two reasons", 400, "compound", move |w, nonce| {
            w.post(&w.url("newOrder"), nonce, &mixed)
        })
        .says("subproblems"),
    );
    cases
}

/// RFC 9444 §4.3: an ancestor domain lies above the name.
fn ancestors() -> Vec<Case> {
    let below = |kind: &str, value: &str, ancestor: &str| {
        of(
            &format!("{value:?} below {ancestor:?}"),
            json!({ "type": kind, "value": value, "ancestorDomain": ancestor }),
        )
    };
    vec![
        below("dns", "a.b.localhost", "c.localhost"),
        below("dns", "ab.localhost", "b.localhost"),
        below("dns", "b.localhost", "a.b.localhost"),
        below("dns", "a.b.localhost", "*.b.localhost"),
        below("dns", "a.b.localhost", ""),
        below("dns", "a.b.localhost", "."),
        below("dns", "a.b.localhost", "192.0.2.1"),
        below("ip", "192.0.2.1", "localhost"),
    ]
}

/// Names that no profile serves.
fn rejected() -> Vec<Case> {
    let refused = |name: &str, identifiers: Value| {
        let payload = json!({ "identifiers": identifiers }).to_string();
        case(name, 403, "rejectedIdentifier", move |w, nonce| w.post(&w.url("newOrder"), nonce, &payload))
    };
    let dns = |value: &str| json!({ "type": "dns", "value": value });
    vec![
        refused("a name that is denied", json!([dns(DENIED)])).says(DENIED),
        refused("a name that is denied, in capitals", json!([dns(&DENIED.to_uppercase())])).says(DENIED),
        refused("a name that is denied, with a full stop", json!([dns(&format!("{DENIED}."))])).says(DENIED),
        refused("a name that is denied, beside another", json!([dns("a.localhost"), dns(DENIED)]))
            .says("subproblems"),
        refused("an address that is denied", json!([{ "type": "ip", "value": "10.1.2.3" }])).says("10.1.2.3"),
    ]
}
