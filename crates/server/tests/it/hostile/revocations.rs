//! Revocations that are not the petitioner's to ask for, and reasons that cannot be given (RFC 8555 §7.6); names of
//! certificates that there are not (RFC 9773 §4.1).

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use chancery_testkit::{JwsKey, base64url};
use http::Method;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::csr::Csr;
use super::world::World;

/// What makes other bytes of a certificate.
type Spoil = fn(&[u8]) -> Vec<u8>;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = payloads();
    cases.extend(reasons());
    cases.extend(petitioners());
    cases.extend(renewal_info());
    cases
}

fn payload(der: &[u8]) -> Value {
    json!({ "certificate": base64url(der) })
}

/// The owner asks for the revocation of their certificate, or what was made of it.
fn of(world: &World, nonce: &str, der: &[u8]) -> Draft {
    world.post(&world.url("revokeCert"), nonce, &payload(der).to_string())
}

fn payloads() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        json!({}),
        json!([]),
        Value::Null,
        json!({ "certificate": null }),
        json!({ "certificate": 1 }),
        json!({ "certificate": ["AA"] }),
        json!({ "certificate": "" }),
        json!({ "certificate": "AA" }),
        json!({ "certificate": "AA==" }),
        json!({ "certificate": "-----BEGIN CERTIFICATE-----" }),
        json!(["AA", 1]),
    ]
    .into_iter()
    .map(|payload| {
        malformed(format!("revokeCert is sent {payload}"), move |w, nonce| {
            w.post(&w.url("revokeCert"), nonce, &payload.to_string())
        })
    })
    .collect();
    cases.push(malformed("revokeCert without a payload", |w, nonce| w.post(&w.url("revokeCert"), nonce, "")));
    cases.push(malformed("revokeCert is sent a certificate twice", |w, nonce| {
        w.post(&w.url("revokeCert"), nonce, r#"{"certificate":"AA","certificate":"AA"}"#)
    }));
    let spoiled: Named<Spoil, 5> = [
        ("with an octet behind it", |der| [der, &[0]].concat()),
        ("cut short", |der| der[..der.len() - 1].to_vec()),
        ("given twice in one", |der| der.repeat(2)),
        ("of zeros", |der| vec![0; der.len()]),
        ("of open sequences", |_| [0x30, 0x80].repeat(5_000)),
    ];
    for (name, spoil) in spoiled {
        cases.push(malformed(format!("a certificate {name}"), move |w, nonce| {
            of(w, nonce, &spoil(&w.owner.certificate.der))
        }));
    }
    cases
        .push(malformed("a request for a certificate", |w, nonce| of(w, nonce, &Csr::of(&["a.test"]).der())));
    cases.push(malformed("a certificate in PEM", |w, nonce| {
        let body = Base64::encode_string(&w.owner.certificate.der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        w.post(&w.url("revokeCert"), nonce, &json!({ "certificate": pem }).to_string())
    }));
    cases.push(malformed("a certificate with padding", |w, nonce| {
        let padded = format!("{}=", base64url(&w.owner.certificate.der));
        w.post(&w.url("revokeCert"), nonce, &json!({ "certificate": padded }).to_string())
    }));
    cases
}

/// RFC 5280 §5.3.1, and RFC 8555 §7.6: badRevocationReason.
fn reasons() -> Vec<Case> {
    let with = |world: &World, nonce: &str, reason: &str| {
        let certificate = base64url(&world.owner.certificate.der);
        let payload = format!(r#"{{"certificate":"{certificate}","reason":{reason}}}"#);
        world.post(&world.url("revokeCert"), nonce, &payload)
    };
    let mut cases: Vec<Case> = ["2", "6", "7", "8", "11", "12", "255", "256", "-1", "9223372036854775807"]
        .into_iter()
        .map(|reason| {
            case(format!("the reason {reason}"), 400, "badRevocationReason", move |w, nonce| {
                with(w, nonce, reason)
            })
            .says("keyCompromise")
        })
        .collect();
    for reason in ["\"1\"", "1.5", "true", "[1]", "{}", "1e400", "99999999999999999999", "01", "+1", "NaN"] {
        cases.push(malformed(format!("the reason {reason}"), move |w, nonce| with(w, nonce, reason)));
    }
    // Whoever may not revoke it at all learns no more by a bad reason.
    cases.push(case(
        "a bad reason for the certificate of another",
        400,
        "badRevocationReason",
        |w, nonce| {
            let mut payload = payload(&w.other.certificate.der);
            payload["reason"] = json!(2);
            w.post(&w.url("revokeCert"), nonce, &payload.to_string())
        },
    ));
    cases
}

fn petitioners() -> Vec<Case> {
    let by_key = |world: &World, nonce: &str, key: &Arc<JwsKey>, der: &[u8]| {
        Draft::new(key, None, &world.url("revokeCert"), nonce, &payload(der).to_string())
    };
    vec![
        case("the certificate of another", 403, "unauthorized", |w, nonce| {
            of(w, nonce, &w.other.certificate.der)
        }),
        case("by a stranger's key", 403, "unauthorized", move |w, nonce| {
            by_key(w, nonce, &w.stranger, &w.owner.certificate.der)
        }),
        case("by the key of its account as `jwk`", 403, "unauthorized", move |w, nonce| {
            by_key(w, nonce, &w.owner.account.key, &w.owner.certificate.der)
        }),
        case("by the key of another certificate", 403, "unauthorized", move |w, nonce| {
            by_key(w, nonce, w.other.certificate.holder.key(), &w.owner.certificate.der)
        }),
        malformed("by its key under the account's `kid`", |w, nonce| {
            of(w, nonce, &w.owner.certificate.der).signed_by(w.owner.certificate.holder.key())
        }),
        malformed("by its key as `jwk`, signed by another", move |w, nonce| {
            by_key(w, nonce, w.owner.certificate.holder.key(), &w.owner.certificate.der)
                .signed_by(&w.stranger)
        }),
        case("by an account that was closed", 401, "unauthorized", |w, nonce| {
            w.closed.post(&w.url("revokeCert"), nonce, &payload(&w.owner.certificate.der).to_string())
        }),
        case("by an account that there is not", 400, "accountDoesNotExist", |w, nonce| {
            of(w, nonce, &w.owner.certificate.der).set("kid", format!("{}/acme/account/a", w.origin))
        }),
        case("with another signature in it", 403, "unauthorized", |w, nonce| {
            let mut der = w.owner.certificate.der.clone();
            *der.last_mut().unwrap() ^= 1;
            of(w, nonce, &der)
        }),
        case("of another authority", 403, "unauthorized", |w, nonce| of(w, nonce, &foreign().0)),
        case("of another authority, by its key", 404, "malformed", move |w, nonce| {
            let (der, key) = foreign();
            by_key(w, nonce, &Arc::new(key), &der)
        }),
        case("the server's own", 403, "unauthorized", |w, nonce| of(w, nonce, &w.own_certificate)),
        case("revoked before", 400, "alreadyRevoked", |w, nonce| of(w, nonce, &w.revoked.der)),
        case("revoked before, by its key", 400, "alreadyRevoked", move |w, nonce| {
            by_key(w, nonce, w.revoked.holder.key(), &w.revoked.der)
        }),
        case("revoked before, by another account", 403, "unauthorized", |w, nonce| {
            w.other.account.post(&w.url("revokeCert"), nonce, &payload(&w.revoked.der).to_string())
        }),
    ]
}

/// A certificate that signs itself, and its key.
fn foreign() -> (Vec<u8>, JwsKey) {
    let key = JwsKey::p256();
    let pair = KeyPair::try_from(key.pkcs8()).unwrap();
    let certificate =
        CertificateParams::new(["valid.owner.localhost".to_owned()]).unwrap().self_signed(&pair);
    (certificate.unwrap().der().to_vec(), key)
}

/// RFC 9773 §4.1: read by GET, by anybody.
fn renewal_info() -> Vec<Case> {
    let get = |world: &World, nonce: &str, id: &str| {
        world.post(&format!("{}/{id}", world.url("renewalInfo")), nonce, "").method(Method::GET)
    };
    let mut cases: Vec<Case> = [
        "a",
        "AAAA",
        ".",
        "AAAA.",
        ".AAAA",
        "AAAA.AAAA.AAAA",
        "AA==.AQ",
        "AAAA.AQ==",
        "A+A.AQ",
        "AAAA.AA",
        "AAAA.gA",
        "AAAA.AAE",
        "AAAA.%ff",
        "%ff",
        "%00",
        "AAAA%20.AQ",
        "AAAA.AB",
    ]
    .into_iter()
    .map(|id| malformed(format!("renewal information of {id:?}"), move |w, nonce| get(w, nonce, id)))
    .collect();
    cases.push(malformed("renewal information of 5,000 characters", move |w, nonce| {
        get(w, nonce, &format!("AAAA.{}", "A".repeat(5_000)))
    }));
    cases.push(case("renewal information of another authority", 404, "malformed", move |w, nonce| {
        get(w, nonce, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    }));
    cases.push(case(
        "renewal information of a number of another authority",
        404,
        "malformed",
        move |w, nonce| {
            let id = w.owner.certificate.cert_id();
            let (_, serial) = id.split_once('.').unwrap();
            get(w, nonce, &format!("aYhba4dGQEHhs3uEe6CuLN4ByNQ.{serial}"))
        },
    ));
    cases.push(case("renewal information of nothing", 404, "malformed", move |w, nonce| get(w, nonce, "")));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        cases.push(
            case(format!("{method} of renewal information"), 405, "malformed", move |w, nonce| {
                get(w, nonce, &w.owner.certificate.cert_id()).method(method.clone())
            })
            .allows(&["GET", "HEAD"]),
        );
    }
    cases
}
