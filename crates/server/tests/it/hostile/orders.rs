//! Orders that ask for what they cannot have: times, profiles, certificates to replace (RFC 8555 §7.4, RFC 9773
//! §5), and pages of orders that there are not.

use std::time::Duration;

use chancery_time::{Clock, SystemClock};
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

/// The name of a certificate, and a host name.
type Replaced = fn(&World) -> (String, &str);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = times();
    cases.extend(profiles());
    cases.extend(replacements());
    cases.extend(pages());
    cases
}

/// An order for a name of its own with that member.
fn with(world: &World, nonce: &str, member: &str, value: Value) -> Draft {
    named(world, nonce, "wish.localhost", member, value)
}

fn named(world: &World, nonce: &str, name: &str, member: &str, value: Value) -> Draft {
    let mut payload = json!({ "identifiers": [{ "type": "dns", "value": name }] });
    payload[member] = value;
    world.post(&world.url("newOrder"), nonce, &payload.to_string())
}

fn times() -> Vec<Case> {
    let mut cases = Vec::new();
    for member in ["notBefore", "notAfter"] {
        for value in [
            json!(""),
            json!("tomorrow"),
            json!("2027-01-01"),
            json!("2027-01-01T00:00:00"),
            json!("2027-13-01T00:00:00Z"),
            json!("2027-02-30T00:00:00Z"),
            json!("2027-01-01T25:00:00Z"),
            json!("20270101000000Z"),
            json!("99999-01-01T00:00:00Z"),
            json!("-2027-01-01T00:00:00Z"),
            json!(1_800_000_000),
            json!(["2027-01-01T00:00:00Z"]),
            json!({}),
            json!(true),
        ] {
            cases.push(malformed(format!("`{member}` is {value}"), move |w, nonce| {
                with(w, nonce, member, value.clone())
            }));
        }
    }
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let now = SystemClock.now();
    let wishes = [
        ("`notAfter` in the past", json!({ "notAfter": now - hours(1) })),
        ("`notAfter` at the beginning of time", json!({ "notAfter": "1970-01-01T00:00:00Z" })),
        ("`notAfter` at the end of time", json!({ "notAfter": "9999-12-31T23:59:59Z" })),
        ("`notAfter` after two thousand days", json!({ "notAfter": now + hours(48_000) })),
        ("`notBefore` long ago", json!({ "notBefore": "2001-01-01T00:00:00Z" })),
        ("`notBefore` in a hundred years", json!({ "notBefore": now + hours(876_000) })),
        ("`notAfter` before `notBefore`", json!({ "notBefore": now + hours(2), "notAfter": now + hours(1) })),
    ];
    for (name, wishes) in wishes {
        cases.push(malformed(name, move |w, nonce| {
            let mut payload = wishes.clone();
            payload["identifiers"] = json!([{ "type": "dns", "value": "wish.localhost" }]);
            w.post(&w.url("newOrder"), nonce, &payload.to_string())
        }));
    }
    cases
}

fn profiles() -> Vec<Case> {
    let mut cases: Vec<Case> = ["", "nobody", "DEFAULT", "default ", "../default", "default\0", "'--"]
        .into_iter()
        .map(|profile| {
            case(format!("the profile {profile:?}"), 400, "invalidProfile", move |w, nonce| {
                with(w, nonce, "profile", json!(profile))
            })
        })
        .collect();
    cases.push(case("a profile of 40,000 characters", 400, "invalidProfile", |w, nonce| {
        with(w, nonce, "profile", json!("a".repeat(40_000)))
    }));
    for value in [json!(1), json!(["default"]), json!({}), json!(true)] {
        cases.push(malformed(format!("the profile {value}"), move |w, nonce| {
            with(w, nonce, "profile", value.clone())
        }));
    }
    cases.push(case("a profile other than its directory's", 400, "invalidProfile", |w, nonce| {
        let payload = with(w, nonce, "profile", json!("bound")).payload_text();
        w.post(&w.of_profile("default", "newOrder"), nonce, &payload)
    }));
    cases.push(case("a profile for bound accounts", 403, "externalAccountRequired", |w, nonce| {
        with(w, nonce, "profile", json!("bound"))
    }));
    cases.push(case(
        "the directory of a profile for bound accounts",
        403,
        "externalAccountRequired",
        |w, nonce| {
            let payload = super::world::order_payload("wish.localhost");
            w.post(&w.of_profile("bound", "newOrder"), nonce, &payload)
        },
    ));
    cases
}

/// `replaces` names a certificate of the account that shares a name with the order, and that no other order replaces.
fn replacements() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        "",
        ".",
        "a",
        "a.b.c",
        "AAAA.",
        ".AAAA",
        "AA==.AQ",
        "AAAA.AAAA=",
        "AAAA AQ",
        "AAAA.AA",
        "AAAA.gA",
        "AAAA.AAE",
        "+A.AQ",
        "ä.AQ",
    ]
    .into_iter()
    .map(|id| {
        malformed(format!("`replaces` is {id:?}"), move |w, nonce| with(w, nonce, "replaces", json!(id)))
            .says("`replaces`")
    })
    .collect();
    for value in [json!(1), json!(["AAAA.AQ"]), json!({})] {
        cases.push(malformed(format!("`replaces` is {value}"), move |w, nonce| {
            with(w, nonce, "replaces", value.clone())
        }));
    }
    cases.push(malformed("`replaces` has 40,000 characters", |w, nonce| {
        with(w, nonce, "replaces", json!(format!("AAAA.{}", "A".repeat(40_000))))
    }));
    cases.push(case("`replaces` names a certificate that there is not", 404, "malformed", |w, nonce| {
        with(w, nonce, "replaces", json!("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))
    }));
    let ids: Named<Replaced, 3> = [
        ("a certificate of another account", |w| (w.other.certificate.cert_id(), &w.other.valid.name)),
        ("its own serial number at another authority", |w| {
            let id = w.owner.certificate.cert_id();
            let (_, serial) = id.split_once('.').unwrap();
            (format!("aYhba4dGQEHhs3uEe6CuLN4ByNQ.{serial}"), &w.owner.valid.name)
        }),
        ("its own authority's other number", |w| {
            let id = w.owner.certificate.cert_id();
            let (key, _) = id.split_once('.').unwrap();
            (format!("{key}.AIdlQyE"), &w.owner.valid.name)
        }),
    ];
    for (name, which) in ids {
        cases.push(case(format!("`replaces` names {name}"), 404, "malformed", move |w, nonce| {
            let (id, name) = which(w);
            named(w, nonce, name, "replaces", json!(id))
        }));
    }
    cases.push(malformed("`replaces` names a certificate of other names", |w, nonce| {
        named(w, nonce, "wish.localhost", "replaces", json!(w.owner.certificate.cert_id()))
    }));
    cases
}

/// RFC 8555 §7.1.2.1: pages are reached by their links alone.
fn pages() -> Vec<Case> {
    ["cursor=", "cursor=1", "cursor=AAAAAAAAAAAAAAAAAAAAAA", "page=2", "cursor=%ff", "cursor=-1", ""]
        .into_iter()
        .map(|query| {
            case(format!("the page of orders {query:?}"), 404, "malformed", move |w, nonce| {
                w.post(&format!("{}/orders?{query}", w.owner.account.url), nonce, "")
            })
        })
        .collect()
}
