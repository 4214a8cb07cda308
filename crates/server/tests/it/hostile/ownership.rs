//! Objects of others: nothing is said of them, not even that they exist (RFC 8555 §10.5).

use serde_json::json;

use chancery_testkit::base64url;

use super::case::{Case, Named, case};
use super::csr::Csr;
use super::world::{Party, World};

/// Which URL of a party a case is about.
type Url = fn(&Party) -> String;

/// Where an order is finalized, and for which name.
type Finalized = fn(&World) -> (&str, &str);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = objects();
    cases.extend(accounts());
    cases
}

fn objects() -> Vec<Case> {
    let urls: [(&str, Url); 10] = [
        ("pending order", |party| party.pending.url.clone()),
        ("ready order", |party| party.ready.url.clone()),
        ("valid order", |party| party.valid.url.clone()),
        ("invalid order", |party| party.invalid.url.clone()),
        ("pending authorization", |party| party.pending.authorization.clone()),
        ("valid authorization", |party| party.valid.authorization.clone()),
        ("authorization that was given up", |party| party.invalid.authorization.clone()),
        ("pending challenge", |party| party.pending.challenge.clone()),
        ("valid challenge", |party| party.valid.challenge.clone()),
        ("certificate", |party| party.certificate.url.clone()),
    ];
    let mut cases: Vec<Case> = urls
        .into_iter()
        .map(|(name, url)| {
            case(format!("the {name} of another"), 404, "malformed", move |w, nonce| {
                w.post(&url(&w.other), nonce, "")
            })
        })
        .collect();
    let changes: [(&str, Url, &str); 4] = [
        (
            "give up a pending authorization",
            |party| party.pending.authorization.clone(),
            r#"{"status":"deactivated"}"#,
        ),
        (
            "give up a valid authorization",
            |party| party.valid.authorization.clone(),
            r#"{"status":"deactivated"}"#,
        ),
        ("answer a pending challenge", |party| party.pending.challenge.clone(), "{}"),
        ("answer a valid challenge", |party| party.valid.challenge.clone(), "{}"),
    ];
    for (name, url, payload) in changes {
        cases.push(case(format!("{name} of another"), 404, "malformed", move |w, nonce| {
            w.post(&url(&w.other), nonce, payload)
        }));
    }
    let orders: Named<Finalized, 4> = [
        ("ready", |w| (&w.other.ready.finalize, &w.other.ready.name)),
        ("pending", |w| (&w.other.pending.finalize, &w.other.pending.name)),
        ("valid", |w| (&w.other.valid.finalize, &w.other.valid.name)),
        ("ready, with a request for a name of one's own", |w| (&w.other.ready.finalize, &w.owner.ready.name)),
    ];
    for (name, order) in orders {
        cases.push(case(
            format!("finalize an order of another that is {name}"),
            404,
            "malformed",
            move |w, nonce| {
                let (finalize, name) = order(w);
                let csr = base64url(&Csr::of(&[name]).der());
                w.post(finalize, nonce, &json!({ "csr": csr }).to_string())
            },
        ));
    }
    cases.push(case("a certificate that was revoked", 404, "malformed", |w, nonce| {
        w.post(&w.revoked.url, nonce, "")
    }));
    cases.push(case("an order that there is not", 404, "malformed", |w, nonce| {
        w.post(&format!("{}/acme/order/AAAAAAAAAAAAAAAAAAAAAA/finalize", w.origin), nonce, r#"{"csr":"AA"}"#)
    }));
    cases
}

fn accounts() -> Vec<Case> {
    let payloads = [
        ("read", ""),
        ("close", r#"{"status":"deactivated"}"#),
        ("change the contacts of", r#"{"contact":["mailto:mallory@a.test"]}"#),
    ];
    let mut cases: Vec<Case> = payloads
        .into_iter()
        .map(|(what, payload)| {
            case(format!("{what} the account of another"), 403, "unauthorized", move |w, nonce| {
                w.post(&w.other.account.url, nonce, payload)
            })
        })
        .collect();
    cases.push(case("the orders of another", 403, "unauthorized", |w, nonce| {
        w.post(&format!("{}/orders", w.other.account.url), nonce, "")
    }));
    cases.push(case("an account by the name of one's order", 404, "malformed", |w, nonce| {
        let name = w.owner.pending.url.rsplit('/').next().unwrap();
        w.post(&format!("{}/acme/account/{name}", w.origin), nonce, "")
    }));
    cases
}
