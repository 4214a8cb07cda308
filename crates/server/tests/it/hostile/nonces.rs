//! Nonces that are missing, spent, or not the server's (RFC 8555 §6.5).

use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("no nonce", 400, "badNonce", |w, nonce| read(w, nonce).without("nonce")),
        case("no nonce for a new account", 400, "badNonce", |w, nonce| {
            w.registration(nonce, "{}").without("nonce")
        }),
        // Of the right form, and not made by this server.
        case("a nonce of another server", 400, "badNonce", |w, nonce| {
            read(w, nonce).set("nonce", "oFvnlFP1wIhRlYS2jTaXbA")
        }),
        case("a nonce of nothing but A", 400, "badNonce", |w, nonce| {
            read(w, nonce).set("nonce", "AAAAAAAAAAAAAAAAAAAAAA")
        }),
        case("a nonce with a character changed", 400, "badNonce", |w, nonce| {
            let other = if nonce.starts_with('A') { "B" } else { "A" };
            read(w, nonce).set("nonce", format!("{other}{}", &nonce[1..]))
        }),
        case("a nonce cut short", 400, "badNonce", |w, nonce| read(w, nonce).set("nonce", &nonce[..20])),
        case("a nonce and more", 400, "badNonce", |w, nonce| {
            read(w, nonce).set("nonce", format!("{nonce}AAAA"))
        }),
        case("a nonce turned round", 400, "badNonce", |w, nonce| {
            // The last character of 22 has four bits that are zero.
            let turned: String = nonce[..21].chars().rev().collect();
            read(w, nonce).set("nonce", format!("{turned}A"))
        }),
        case("a nonce in the URL alone", 400, "badNonce", |w, nonce| {
            let url = format!("{}?nonce={nonce}", w.owner.account.url);
            read(w, nonce).without("nonce").set("url", url.clone()).to(url)
        }),
        case("a nonce in a header field alone", 400, "badNonce", |w, nonce| {
            read(w, nonce).without("nonce").field("replay-nonce", nonce)
        }),
    ];
    // RFC 8555 §6.5.2: what is not base64url is malformed.
    let spoiled: Named<fn(&str) -> String, 6> = [
        ("that is empty", |_| String::new()),
        ("with padding", |nonce| format!("{nonce}==")),
        ("with a space", |nonce| format!(" {nonce}")),
        ("in another alphabet", |nonce| format!("{}+/", &nonce[..20])),
        ("with a full stop", |nonce| format!("{}.a", &nonce[..20])),
        ("that is not ASCII", |nonce| format!("{}é", &nonce[..21])),
    ];
    for (name, spoil) in spoiled {
        let wanted = if name == "that is empty" { "badNonce" } else { "malformed" };
        cases.push(case(format!("a nonce {name}"), 400, wanted, move |w, nonce| {
            read(w, nonce).set("nonce", spoil(nonce))
        }));
    }
    for (name, value) in [
        ("null", Value::Null),
        ("a number", json!(1)),
        ("a list", json!(["AAAA"])),
        ("an object", json!({})),
        ("a truth value", json!(true)),
    ] {
        cases.push(malformed(format!("a nonce that is {name}"), move |w, nonce| {
            read(w, nonce).set("nonce", value.clone())
        }));
    }
    for (index, way) in
        ["a good request", "a wrong signature", "a wrong URL", "a wrong account", "a wrong payload"]
            .into_iter()
            .enumerate()
    {
        cases.push(case(format!("a nonce that was spent by {way}"), 400, "badNonce", move |w, nonce| {
            let (spent_by, spent) = &w.spent[index];
            assert_eq!(*spent_by, way);
            read(w, nonce).set("nonce", spent.as_str())
        }));
    }
    cases
}

fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}
