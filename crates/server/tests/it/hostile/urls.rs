//! Protected headers whose `url` is not where the request goes (RFC 8555 §6.4), and URLs that name nothing.

use http::Method;
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

/// The URL of an object, and the kind that it is asked for as.
type Mistaken = fn(&World) -> (&str, &str);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = mismatches();
    cases.extend(targets());
    cases.extend(nothing_there());
    cases.extend(methods());
    cases
}

fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}

/// `url` is another than that of the resource, which is told.
fn mismatches() -> Vec<Case> {
    let otherwise: Named<fn(&World, &str) -> String, 22> = [
        ("empty", |_, _| String::new()),
        ("of another host", |w, url| url.replace(&w.origin, "https://ca.test")),
        ("of another scheme", |_, url| url.replacen("https", "http", 1)),
        ("of a scheme in capitals", |_, url| url.replacen("https", "HTTPS", 1)),
        ("of a host in capitals", |_, url| url.replacen("localhost", "LOCALHOST", 1)),
        ("of a host with a full stop", |_, url| url.replacen("localhost", "localhost.", 1)),
        ("of an address", |_, url| url.replacen("localhost", "127.0.0.1", 1)),
        ("of another port", |w, url| url.replace(&w.origin, "https://localhost:1")),
        ("without its port", |w, url| url.replace(&w.origin, "https://localhost")),
        ("with a user", |_, url| url.replacen("localhost", "a:b@localhost", 1)),
        ("of another resource", |w, _| w.url("newOrder")),
        ("of the directory", |w, _| format!("{}/acme/directory", w.origin)),
        ("with a query", |_, url| format!("{url}?a=b")),
        ("with an empty query", |_, url| format!("{url}?")),
        ("with a fragment", |_, url| format!("{url}#a")),
        ("with a slash", |_, url| format!("{url}/")),
        ("with two slashes", |_, url| url.replace("/acme/", "//acme/")),
        ("with dots", |_, url| url.replace("/acme/", "/acme/../acme/")),
        ("with its percent-encoding", |_, url| url.replace("/acme/", "/%61cme/")),
        ("in capitals", |_, url| url.replace("/acme/", "/ACME/")),
        ("relative", |w, url| url.replace(&w.origin, "")),
        ("with white space", |_, url| format!(" {url} ")),
    ];
    let mut cases: Vec<Case> = otherwise
        .into_iter()
        .map(|(name, other)| {
            case(format!("a `url` {name}"), 401, "unauthorized", move |w, nonce| {
                let url = other(w, &w.owner.account.url);
                read(w, nonce).set("url", url)
            })
            .says("`url`")
        })
        .collect();
    cases.push(case("a `url` of 40,000 characters", 401, "unauthorized", |w, nonce| {
        read(w, nonce).set("url", "a".repeat(40_000))
    }));
    cases.push(case("a `url` of another profile", 401, "unauthorized", |w, nonce| {
        w.order(nonce, "a.localhost").to(w.of_profile("default", "newOrder"))
    }));
    for (name, value) in
        [("null", Value::Null), ("a number", json!(1)), ("a list", json!([])), ("an object", json!({}))]
    {
        cases.push(malformed(format!("a `url` that is {name}"), move |w, nonce| {
            read(w, nonce).set("url", value.clone())
        }));
    }
    cases.push(malformed("no `url`", |w, nonce| read(w, nonce).without("url")).says("url"));
    cases
}

/// The request goes elsewhere than it says.
fn targets() -> Vec<Case> {
    vec![
        case("a target with a query that is not signed", 401, "unauthorized", |w, nonce| {
            read(w, nonce).to(format!("{}?admin=1", w.owner.account.url))
        }),
        case("a request for the account, sent to its orders", 401, "unauthorized", |w, nonce| {
            read(w, nonce).to(format!("{}/orders", w.owner.account.url))
        }),
        case("a request for an order, sent to another", 401, "unauthorized", |w, nonce| {
            w.post(&w.owner.pending.url, nonce, "").to(w.owner.ready.url.clone())
        }),
        case("a request to read an order, sent to finalize it", 401, "unauthorized", |w, nonce| {
            w.post(&w.owner.ready.url, nonce, "").to(w.owner.ready.finalize.clone())
        }),
        case("a registration, sent to newOrder", 401, "unauthorized", |w, nonce| {
            w.registration(nonce, "{}").to(w.url("newOrder"))
        }),
    ]
}

/// Paths without a resource: 404.
fn nothing_there() -> Vec<Case> {
    let paths: [(&str, &str); 14] = [
        ("a resource that there is not", "/acme/new-admin"),
        ("the folder", "/acme/"),
        ("a resource with a slash", "/acme/new-order/"),
        ("a resource with two slashes", "/acme//new-order"),
        ("a resource in capitals", "/acme/NEW-ORDER"),
        ("a profile that there is not", "/acme/nobody/new-order"),
        ("a profile of spaces", "/acme/%20%20/new-order"),
        ("a profile that is no text", "/acme/%ff/new-order"),
        ("an order that is no text", "/acme/order/%ff"),
        ("an order to finalize that is no text", "/acme/order/%ff/finalize"),
        ("orders of an account that is no text", "/acme/account/%ff/orders"),
        ("an order by its number", "/acme/order/1"),
        ("an order by a wrong name", "/acme/order/AAAAAAAAAAAAAAAAAAAAAA"),
        ("an order above the folder", "/acme/order/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
    ];
    let mut cases: Vec<Case> = paths
        .into_iter()
        .map(|(name, path)| {
            case(name, 404, "malformed", move |w, nonce| w.post(&format!("{}{path}", w.origin), nonce, ""))
        })
        .collect();
    cases.push(case("an order of 20,000 characters", 404, "malformed", |w, nonce| {
        w.post(&format!("{}/acme/order/{}", w.origin, "a".repeat(20_000)), nonce, "")
    }));
    cases.push(case("a target in percent-encoding", 404, "malformed", |w, nonce| {
        w.order(nonce, "a.localhost").to(w.url("newOrder").replace("new-order", "new%2Dorder"))
    }));
    let kinds: Named<Mistaken, 5> = [
        ("an authorization asked for as an order", |w| (&w.owner.pending.authorization, "order")),
        ("an order asked for as an authorization", |w| (&w.owner.pending.url, "authorization")),
        ("a challenge asked for as a certificate", |w| (&w.owner.pending.challenge, "certificate")),
        ("an order asked for as a challenge", |w| (&w.owner.pending.url, "challenge")),
        ("an account asked for as an order", |w| (&w.owner.account.url, "order")),
    ];
    for (name, which) in kinds {
        cases.push(case(name, 404, "malformed", move |w, nonce| {
            let (url, kind) = which(w);
            let name = url.rsplit('/').next().unwrap();
            w.post(&format!("{}/acme/{kind}/{name}", w.origin), nonce, "")
        }));
    }
    cases
}

/// RFC 8555 §6.3: nothing but the directory, newNonce and what others RFCs say is read by GET.
fn methods() -> Vec<Case> {
    let resources: Named<fn(&World) -> String, 11> = [
        ("newAccount", |w| w.url("newAccount")),
        ("newOrder", |w| w.url("newOrder")),
        ("newAuthz", |w| w.url("newAuthz")),
        ("revokeCert", |w| w.url("revokeCert")),
        ("keyChange", |w| w.url("keyChange")),
        ("an account", |w| w.owner.account.url.clone()),
        ("an order", |w| w.owner.pending.url.clone()),
        ("finalize", |w| w.owner.pending.finalize.clone()),
        ("an authorization", |w| w.owner.pending.authorization.clone()),
        ("a challenge", |w| w.owner.pending.challenge.clone()),
        ("a certificate", |w| w.owner.certificate.url.clone()),
    ];
    let mut cases = Vec::new();
    for (name, url) in resources {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            cases.push(
                case(format!("{method} of {name}"), 405, "malformed", move |w, nonce| {
                    w.post(&url(w), nonce, "").method(method.clone())
                })
                .allows(&["POST"]),
            );
        }
    }
    for method in [Method::OPTIONS, Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
        cases.push(
            case(format!("{method} of newOrder"), 405, "malformed", move |w, nonce| {
                w.order(nonce, "a.localhost").method(method.clone())
            })
            .allows(&["POST"]),
        );
    }
    for name in ["newNonce", "the directory"] {
        for method in [Method::PUT, Method::DELETE] {
            cases.push(
                case(format!("{method} of {name}"), 405, "malformed", move |w, nonce| {
                    let url =
                        if name == "newNonce" { w.url(name) } else { format!("{}/acme/directory", w.origin) };
                    w.post(&url, nonce, "").method(method.clone())
                })
                .allows(&["GET", "HEAD", "POST"]),
            );
        }
    }
    cases
}
