//! Every error type of ACME (RFC 8555 §6.7, RFC 9773 §7.4, draft-ietf-acme-profiles §6), with the request that
//! earns it.

use std::net::Ipv4Addr;

use chancery_testkit::{AlpnManner, Answer, DnsManner, Engine, JwsKey, RawClient, base64url};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{finish, revocation};
use crate::on_both_engines;
use crate::validation_site::*;

on_both_engines!(each_type_is_earned);

/// Where a client reads the problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// In the answer, with that status.
    Answer(u16),
    /// In the challenge that it asked to be looked at (RFC 8555 §8).
    Challenge,
    /// Nowhere: no request earns it.
    Nowhere,
}
use Told::{Answer as In, Challenge, Nowhere};

/// Each type, where it is told, and what earns it.
const TABLE: [(&str, Told, &str); 26] = [
    ("accountDoesNotExist", In(400), "newAccount with `onlyReturnExisting`, by a key that has no account"),
    ("alreadyReplaced", In(409), "newOrder with the `replaces` of another order"),
    ("alreadyRevoked", In(400), "revokeCert with a certificate that was revoked"),
    ("badCSR", In(400), "finalize with a request for another name than the order's"),
    ("badNonce", In(400), "any request with a nonce that was spent"),
    ("badPublicKey", In(400), "newAccount by an RSA key of 1,024 bits"),
    ("badRevocationReason", In(400), "revokeCert with the reason 6 (certificateHold)"),
    ("badSignatureAlgorithm", In(400), "any request with the algorithm `none`"),
    ("caa", Challenge, "a right answer for a name whose CAA record lets nobody issue"),
    ("compound", In(400), "newOrder with two identifiers that are bad for two reasons"),
    ("connection", Challenge, "an answer for a name at whose address nobody listens"),
    ("dns", Challenge, "an answer for a name whose name server fails"),
    ("externalAccountRequired", In(403), "newOrder with a profile for bound accounts, by one that is not"),
    ("incorrectResponse", Challenge, "an answer for a name whose host shows something else"),
    ("invalidContact", In(400), "newAccount with a `mailto:` contact without an address"),
    ("invalidProfile", In(400), "newOrder with a profile that there is not"),
    ("malformed", In(400), "newOrder with an array for its payload"),
    ("orderNotReady", In(403), "finalize of a pending order"),
    ("rateLimited", In(429), "newOrder with more pending authorizations than there may be"),
    ("rejectedIdentifier", In(403), "newOrder with a name that no profile serves"),
    // It says that the server failed: a request that could bring it about would be a bug.
    ("serverInternal", Nowhere, "nothing: what fails is the disk, the database or the authority"),
    ("tls", Challenge, "an answer for a name whose host does not speak TLS"),
    ("unauthorized", In(403), "the account of another"),
    ("unsupportedContact", In(400), "newAccount with a telephone number"),
    ("unsupportedIdentifier", In(400), "newOrder with an identifier of the type `onion`"),
    ("userActionRequired", In(403), "newAccount without agreement to the terms of service"),
];

/// How many authorizations of an account may be pending.
const PENDING: usize = 5;

fn each_type_is_earned(engine: Engine) {
    block_on(async {
        let site = Site::new(engine, &[HTTP_01, TLS_ALPN_01, DNS_01]).await;
        site.installation.configure(|config| {
            config["server"]["terms_of_service"] = json!("https://ca.test/terms");
            config["server"]["caa_identities"] = json!(["ca.test"]);
            config["limits"]["pending_authorizations"] = json!(PENDING.to_string());
            config["profiles"][0]["caa"] = json!(true);
            config["profiles"][0]["deny"] = json!(["=denied.test"]);
            let mut bound = config["profiles"][0].clone();
            bound["name"] = json!("bound");
            bound["require_eab"] = json!(true);
            config["profiles"].as_array_mut().unwrap().push(bound);
        });
        let mut server = site.installation.serve();
        let first = RawClient::new(&site.installation).await;
        for (kind, told, request) in TABLE {
            match told {
                In(status) => {
                    let answer = earn(&site, &first, kind).await;
                    assert_eq!(answer.status.as_u16(), status, "{request}: {answer:?}");
                    answer.problem(status, kind);
                }
                Challenge => {
                    let challenge = fail(&site, &first, kind).await;
                    assert_eq!(challenge["status"], "invalid", "{request}: {challenge}");
                    let earned = &challenge["error"]["type"];
                    assert_eq!(
                        *earned,
                        format!("urn:ietf:params:acme:error:{kind}"),
                        "{request}: {challenge}"
                    );
                }
                Nowhere => {}
            }
        }
        server.terminate();
    });
}

#[test]
fn each_type_has_one_line_in_order() {
    assert!(TABLE.is_sorted_by(|(one, ..), (next, ..)| one < next));
    let nowhere: Vec<&str> =
        TABLE.iter().filter(|(_, told, _)| *told == Nowhere).map(|(kind, ..)| *kind).collect();
    assert_eq!(nowhere, ["serverInternal"]);
}

/// Makes the request whose answer is of that type, from an account of its own.
async fn earn(site: &Site, first: &RawClient, kind: &str) -> Answer {
    match kind {
        "accountDoesNotExist" => first.another().register(&json!({ "onlyReturnExisting": true })).await,
        "badPublicKey" => {
            with_header(first, "jwk", json!({ "kty": "RSA", "e": "AQAB", "n": base64url(&[0xff; 128]) }))
                .await
        }
        "badSignatureAlgorithm" => with_header(first, "alg", json!("none")).await,
        "invalidContact" => contact(first, "mailto:").await,
        "unsupportedContact" => contact(first, "tel:+12025551212").await,
        "userActionRequired" => first.another().register(&json!({})).await,
        "alreadyReplaced" | "alreadyRevoked" | "badCSR" | "badRevocationReason" | "orderNotReady" => {
            of_certificate(site, first, kind).await
        }
        _ => of_account(first, kind).await,
    }
}

async fn with_header(first: &RawClient, member: &str, value: Value) -> Answer {
    let mut client = first.another();
    let url = client.url("newAccount");
    let mut header = client.header(&url).await;
    header[member] = value;
    let body = client.sign(&header, "{}");
    client.send(&url, &body).await
}

async fn contact(first: &RawClient, contact: &str) -> Answer {
    first.another().register(&json!({ "termsOfServiceAgreed": true, "contact": [contact] })).await
}

/// Those that need an account alone.
async fn of_account(first: &RawClient, kind: &str) -> Answer {
    let mut client = agreed(first).await;
    let ordered = |identifiers: Value, profile: Option<&str>| {
        json!({ "identifiers": identifiers, "profile": profile }).to_string()
    };
    let dns = |name: &str| json!({ "type": "dns", "value": name });
    let onion = json!({ "type": "onion", "value": "a.test" });
    let payload = match kind {
        "compound" => ordered(json!([dns("a_b"), onion]), None),
        "externalAccountRequired" => ordered(json!([dns("a.test")]), Some("bound")),
        "invalidProfile" => ordered(json!([dns("a.test")]), Some("nobody")),
        "malformed" => "[]".to_owned(),
        "rejectedIdentifier" => ordered(json!([dns("denied.test")]), None),
        "unsupportedIdentifier" => ordered(json!([onion]), None),
        "rateLimited" => {
            for number in 0..PENDING {
                order(&mut client, &[&format!("pending{number}.test")]).await;
            }
            ordered(json!([dns("more.test")]), None)
        }
        "badNonce" => {
            let url = client.account();
            let header = client.header(&url).await;
            let body = client.sign(&header, "");
            assert_eq!(client.send(&url, &body).await.status, 200);
            return client.send(&url, &body).await;
        }
        "unauthorized" => return client.post(&agreed(first).await.account(), "").await,
        _ => panic!("{kind} has no request"),
    };
    let url = client.url("newOrder");
    client.post(&url, &payload).await
}

/// Those that need an order or its certificate.
async fn of_certificate(site: &Site, first: &RawClient, kind: &str) -> Answer {
    let mut client = agreed(first).await;
    let name = format!("{}.test", kind.to_lowercase());
    site.host(&name);
    let made = order(&mut client, &[&name]).await;
    if kind == "orderNotReady" {
        return finalize(&mut client, &made).await;
    }
    site.make_ready(&mut client, &made, HTTP_01).await;
    let url = made.object["finalize"].as_str().unwrap();
    if kind == "badCSR" {
        return client.finalize(url, "other.test").await;
    }
    let certificate = finish(&mut client, url, &name, JwsKey::p256()).await;
    let revoke_cert = client.url("revokeCert");
    match kind {
        "alreadyReplaced" => {
            let wishes = json!({ "replaces": certificate.cert_id() });
            let replacing = client.new_order(&name, wishes.clone()).await;
            assert_eq!(replacing.status, 201, "{replacing:?}");
            client.new_order(&name, wishes).await
        }
        "alreadyRevoked" => {
            let payload = revocation(&certificate.der, Value::Null);
            assert_eq!(client.post(&revoke_cert, &payload).await.status, 200);
            client.post(&revoke_cert, &payload).await
        }
        _ => client.post(&revoke_cert, &revocation(&certificate.der, 6)).await,
    }
}

/// Asks for a challenge to be looked at that fails in that way, and gives it once it did.
async fn fail(site: &Site, first: &RawClient, kind: &str) -> Value {
    let mut client = agreed(first).await;
    let name = format!("{}.test", kind.to_lowercase());
    site.host(&name);
    let made = order(&mut client, &[&name]).await;
    let authorization = read(&mut client, &authorizations(&made.object)[0]).await;
    let (http, alpn) = (challenge(&authorization, HTTP_01), challenge(&authorization, TLS_ALPN_01));
    let token = http["token"].as_str().unwrap();
    let looked_at = match kind {
        "caa" => {
            site.show(&client, &authorization, HTTP_01);
            site.dns.add_caa(&name, 0, "issue", ";");
            http
        }
        "connection" => {
            site.dns.set_addresses(&name, &[Ipv4Addr::new(127, 0, 0, 2).into()]);
            http
        }
        "dns" => {
            site.dns.misbehave(&format!("_acme-challenge.{name}"), DnsManner::ServFail);
            challenge(&authorization, DNS_01)
        }
        "incorrectResponse" => {
            site.http.serve(token, "something else");
            http
        }
        "tls" => {
            site.alpn.serve_as(AlpnManner::Garbage, &name, &client.key_authorization(token));
            alpn
        }
        _ => panic!("{kind} is not of a challenge"),
    };
    answer(&mut client, &looked_at).await
}

/// A client with an account, which takes that it agrees to the terms.
async fn agreed(first: &RawClient) -> RawClient {
    let mut client = first.another();
    let answer = client.register(&json!({ "termsOfServiceAgreed": true })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}
