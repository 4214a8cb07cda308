//! Certificate requests that do not fit their order, and orders that are not ready (RFC 8555 §7.4).

use std::sync::Arc;

use base64ct::{Base64, Encoding};
use chancery_testkit::{JwsKey, base64url};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::csr::{Csr, EXTENSION_REQUEST, alt_names, attribute, dns, ec_spki, extension, rdn, rsa_spki};
use super::der::{element, oid, sequence, set};
use super::moduli::{HONEST, NEIGHBOURS, ROCA, octets};
use super::world::{Order, World};

/// The name of the owner's order that is ready.
const NAME: &str = "ready.owner.localhost";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = payloads();
    cases.extend(bytes());
    cases.extend(names());
    cases.extend(subjects());
    cases.extend(extensions());
    cases.extend(keys());
    cases.extend(signatures());
    cases.extend(states());
    cases
}

/// Finalizes the ready order with that request.
fn finalize(world: &World, nonce: &str, request: &[u8]) -> Draft {
    of(world, nonce, &world.owner.ready, request)
}

fn of(world: &World, nonce: &str, order: &Order, request: &[u8]) -> Draft {
    world.post(&order.finalize, nonce, &json!({ "csr": base64url(request) }).to_string())
}

/// A request that is refused for what it is.
fn bad(name: impl Into<String>, make: impl Fn() -> Csr + 'static) -> Case {
    case(format!("a request {}", name.into()), 400, "badCSR", move |w, nonce| {
        finalize(w, nonce, &make().der())
    })
}

fn payloads() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        json!({}),
        json!({ "csr": null }),
        json!({ "csr": 1 }),
        json!({ "csr": ["AA"] }),
        json!({ "csr": {} }),
        json!(["AA"]),
        json!("AA"),
        Value::Null,
    ]
    .into_iter()
    .map(|payload| {
        malformed(format!("finalize is sent {payload}"), move |w, nonce| {
            w.post(&w.owner.ready.finalize, nonce, &payload.to_string())
        })
    })
    .collect();
    cases.push(
        malformed("finalize is sent two requests", |w, nonce| {
            w.post(&w.owner.ready.finalize, nonce, r#"{"csr":"AA","csr":"AA"}"#)
        })
        .says("duplicate"),
    );
    let texts: Named<fn(&[u8]) -> String, 6> = [
        ("in PEM", |der| {
            let body = Base64::encode_string(der);
            format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
        }),
        ("in the other alphabet", |der| format!("{}+/", Base64::encode_string(der))),
        ("with padding", |der| format!("{}=", base64url(der))),
        ("with a line break", |der| format!("{}\n", base64url(der))),
        ("in hexadecimal with a colon", |_| "30:82".to_owned()),
        ("that is not ASCII", |_| "é".to_owned()),
    ];
    for (name, write) in texts {
        cases.push(case(format!("a request {name}"), 400, "badCSR", move |w, nonce| {
            let payload = json!({ "csr": write(&Csr::of(&[NAME]).der()) });
            w.post(&w.owner.ready.finalize, nonce, &payload.to_string())
        }));
    }
    cases
}

/// Bytes that are no DER of a request.
fn bytes() -> Vec<Case> {
    let fixed: [(&str, &'static [u8]); 6] = [
        ("empty", b""),
        ("of zeros", &[0; 100]),
        ("of an empty sequence", b"\x30\x00"),
        ("of an indefinite length", b"\x30\x80\x00\x00"),
        ("of a length beyond its end", b"\x30\x84\xff\xff\xff\xff\x00"),
        ("of a text", b"-----BEGIN CERTIFICATE REQUEST-----"),
    ];
    let mut cases: Vec<Case> = fixed
        .into_iter()
        .map(|(name, bytes)| {
            case(format!("a request {name}"), 400, "badCSR", move |w, nonce| finalize(w, nonce, bytes))
        })
        .collect();
    let spoiled: Named<fn(Vec<u8>) -> Vec<u8>, 6> = [
        ("with an octet behind it", |der| [der, vec![0]].concat()),
        ("with another behind it", |der| [der.clone(), der].concat()),
        ("cut short", |der| der[..der.len() - 1].to_vec()),
        ("in an OCTET STRING", |der| element(4, &der)),
        ("of open sequences", |_| [0x30, 0x80].repeat(5_000)),
        ("of nested sequences", |_| (0..2_000).fold(Vec::new(), |inner, _| element(0x30, &inner))),
    ];
    for (name, spoil) in spoiled {
        cases.push(case(format!("a request {name}"), 400, "badCSR", move |w, nonce| {
            finalize(w, nonce, &spoil(Csr::of(&[NAME]).der()))
        }));
    }
    cases.push(case("a certificate for a request", 400, "badCSR", |w, nonce| {
        finalize(w, nonce, &w.owner.certificate.der)
    }));
    cases.push(bad("of version 2", || Csr { version: vec![2, 1, 1], ..Csr::of(&[NAME]) }));
    cases.push(bad("of version -1", || Csr { version: vec![2, 1, 0xff], ..Csr::of(&[NAME]) }));
    cases
}

/// Exactly the names of the order, as DNS names.
fn names() -> Vec<Case> {
    let lists: [(&str, &'static [&'static str]); 11] = [
        ("for another name", &["other.localhost"]),
        ("for a name more", &[NAME, "other.localhost"]),
        ("for a denied name more", &[NAME, "denied.localhost"]),
        ("for a wildcard of the name", &["*.ready.owner.localhost"]),
        ("for a wildcard more", &[NAME, "*.ready.owner.localhost"]),
        ("for a name below", &["a.ready.owner.localhost"]),
        ("for the name above", &["owner.localhost"]),
        ("for a name with a NUL", &["ready.owner.localhost\0.evil.test"]),
        ("for a name with a space", &["ready.owner.localhost "]),
        ("for an empty name", &[""]),
        ("for an empty name more", &[NAME, ""]),
    ];
    let mut cases: Vec<Case> =
        lists.into_iter().map(|(name, names)| bad(name, move || Csr::of(names))).collect();
    cases.push(bad("for no name at all", || Csr::of(&[])));
    let kinds: [(&str, u8, &'static [u8]); 8] = [
        ("an e-mail address", 0x81, b"a@ready.owner.localhost"),
        ("a URI", 0x86, b"https://ready.owner.localhost"),
        ("an IPv4 address", 0x87, &[192, 0, 2, 1]),
        ("an IPv6 address", 0x87, &[0; 16]),
        ("an address of five octets", 0x87, &[1; 5]),
        ("a registered identifier", 0x88, &[0x2a, 3]),
        ("another kind of name", 0xa0, &[0x06, 1, 0x2a, 0xa0, 2, 5, 0]),
        ("a directory name", 0xa4, &[0x30, 0]),
    ];
    for (name, tag, content) in kinds {
        cases.push(bad(format!("for {name} more"), move || {
            Csr::with_extensions(vec![alt_names(&[dns(NAME), element(tag, content)])])
        }));
    }
    cases.push(bad("without extensions", || Csr { attributes: Vec::new(), ..Csr::of(&[NAME]) }));
    cases.push(bad("with its name in the common name alone", || Csr {
        attributes: Vec::new(),
        subject: vec![rdn("2.5.4.3", NAME)],
        ..Csr::of(&[NAME])
    }));
    cases.push(bad("with two thousand names", || {
        let names: Vec<Vec<u8>> = (0..2_000).map(|n| dns(&format!("a{n}.localhost"))).collect();
        Csr::with_extensions(vec![alt_names(&names)])
    }));
    cases
}

fn subjects() -> Vec<Case> {
    let attributes: [(&str, &'static [(&'static str, &'static str)]); 8] = [
        ("with another common name", &[("2.5.4.3", "other.localhost")]),
        ("with a person for its common name", &[("2.5.4.3", "Jane Doe")]),
        ("with its common name twice", &[("2.5.4.3", NAME), ("2.5.4.3", NAME)]),
        ("with an organisation", &[("2.5.4.10", "Bank of A")]),
        ("with a country", &[("2.5.4.3", NAME), ("2.5.4.6", "DE")]),
        ("with a serial number", &[("2.5.4.5", "1")]),
        ("with an e-mail address in its subject", &[("1.2.840.113549.1.9.1", "a@b.test")]),
        ("with a NUL in its common name", &[("2.5.4.3", "ready.owner.localhost\0.evil.test")]),
    ];
    let mut cases: Vec<Case> = attributes
        .into_iter()
        .map(|(name, attributes)| {
            bad(name, move || Csr {
                subject: attributes.iter().map(|(kind, text)| rdn(kind, text)).collect(),
                ..Csr::of(&[NAME])
            })
        })
        .collect();
    cases.push(bad("with its common name in UTF-16", || {
        let text: Vec<u8> = NAME.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let name = set(&[sequence(&[oid("2.5.4.3"), element(30, &text)])]);
        Csr { subject: vec![name], ..Csr::of(&[NAME]) }
    }));
    cases
}

fn extensions() -> Vec<Case> {
    let more: [(&str, &str, &'static [u8]); 15] = [
        ("to be an authority", "2.5.29.19", b"\x30\x03\x01\x01\xff"),
        ("to sign certificates", "2.5.29.15", b"\x03\x02\x02\x04"),
        ("to sign revocation lists", "2.5.29.15", b"\x03\x02\x01\x02"),
        ("to encipher only", "2.5.29.15", b"\x03\x02\x00\x01"),
        ("to sign code", "2.5.29.37", b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03"),
        ("for any purpose", "2.5.29.37", b"\x30\x06\x06\x04\x55\x1d\x25\x00"),
        ("to answer for OCSP", "2.5.29.37", b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09"),
        ("to be stapled", "1.3.6.1.5.5.7.1.24", b"\x30\x03\x02\x01\x05"),
        ("for a TLS feature that there is not", "1.3.6.1.5.5.7.1.24", b"\x30\x03\x02\x01\x11"),
        ("with name constraints", "2.5.29.30", b"\x30\x00"),
        ("with certificate policies", "2.5.29.32", b"\x30\x08\x30\x06\x06\x04\x55\x1d\x20\x00"),
        ("with a key identifier of its own", "2.5.29.14", b"\x04\x01\x01"),
        ("with an authority of its own", "2.5.29.35", b"\x30\x03\x80\x01\x01"),
        ("with an extension that nobody knows", "1.3.6.1.4.1.99999.1", b"\x05\x00"),
        ("with constraints that are none", "2.5.29.19", b"\x05\x00"),
    ];
    let mut cases: Vec<Case> = more
        .into_iter()
        .map(|(name, kind, value)| {
            bad(name, move || Csr::with_extensions(vec![alt_names(&[dns(NAME)]), extension(kind, value)]))
        })
        .collect();
    cases.push(bad("with its names twice", || {
        Csr::with_extensions(vec![alt_names(&[dns(NAME)]), alt_names(&[dns(NAME)])])
    }));
    cases.push(bad("with names and other names", || {
        Csr::with_extensions(vec![alt_names(&[dns(NAME)]), alt_names(&[dns("other.localhost")])])
    }));
    let list = || sequence(&[alt_names(&[dns(NAME)])]);
    cases.push(bad("with two lists of extensions", move || Csr {
        attributes: vec![attribute(EXTENSION_REQUEST, &[list()]), attribute(EXTENSION_REQUEST, &[list()])],
        ..Csr::of(&[NAME])
    }));
    cases.push(bad("with two values of extensions", move || Csr {
        attributes: vec![attribute(EXTENSION_REQUEST, &[list(), sequence(&[])])],
        ..Csr::of(&[NAME])
    }));
    cases.push(bad("with Microsoft's list of extensions", move || Csr {
        attributes: vec![
            attribute("1.3.6.1.4.1.311.2.1.14", &[list()]),
            attribute(EXTENSION_REQUEST, &[list()]),
        ],
        ..Csr::of(&[NAME])
    }));
    cases.push(bad("with names that are no list", || {
        Csr::with_extensions(vec![extension("2.5.29.17", &dns(NAME))])
    }));
    cases.push(bad("with bytes behind its names", || {
        let names = [sequence(&[dns(NAME)]), vec![5, 0]].concat();
        Csr::with_extensions(vec![extension("2.5.29.17", &names)])
    }));
    cases
}

fn keys() -> Vec<Case> {
    let with = |name: &str, spki: Vec<u8>| {
        bad(format!("for a key {name}"), move || Csr { spki: spki.clone(), ..Csr::of(&[NAME]) })
    };
    let (honest, f4) = (octets(HONEST), [1, 0, 1]);
    let edwards =
        |curve: &str, length: usize| sequence(&[sequence(&[oid(curve)]), super::der::bits(&vec![7; length])]);
    let mut cases = vec![
        with("of RSA with 1024 bits", rsa_spki(&honest[..128], &f4)),
        with("of RSA with 16384 bits", rsa_spki(&honest.repeat(8), &f4)),
        with("of RSA with the exponent 1", rsa_spki(&honest, &[1])),
        with("of RSA with the exponent 3", rsa_spki(&honest, &[3])),
        with("of RSA with an even exponent", rsa_spki(&honest, &[1, 0, 0])),
        with("of RSA with a factor of 3", rsa_spki(&[0xff; 256], &f4)),
        with("of ROCA", rsa_spki(&octets(ROCA), &f4)),
        with("of two neighbours", rsa_spki(&octets(NEIGHBOURS), &f4)),
        with("on secp256k1", ec_spki("1.3.132.0.10", &[4; 65])),
        with("on P-224", ec_spki("1.3.132.0.33", &[4; 57])),
        with("on P-256, off the curve", ec_spki("1.2.840.10045.3.1.7", &[4; 65])),
        with("on P-256 at infinity", ec_spki("1.2.840.10045.3.1.7", &[0])),
        with("on P-256 that is compressed", ec_spki("1.2.840.10045.3.1.7", &[2; 33])),
        with("on P-256 that is too short", ec_spki("1.2.840.10045.3.1.7", &[4; 10])),
        with("on X25519", edwards("1.3.101.110", 32)),
        with("on Ed448", edwards("1.3.101.113", 57)),
        with("on Ed25519 that is too short", edwards("1.3.101.112", 31)),
        with("of DSA", edwards("1.2.840.10040.4.1", 128)),
        with("that is empty", sequence(&[])),
        with("that is compromised", Base64::decode_vec(COMPROMISED).unwrap()),
    ];
    let own = |name: &str, which: fn(&World) -> Arc<JwsKey>| {
        case(format!("a request for the key {name}"), 400, "badCSR", move |w, nonce| {
            let key = KeyPair::try_from(which(w).pkcs8()).unwrap();
            finalize(w, nonce, &Csr::by(Arc::new(key), vec![alt_names(&[dns(NAME)])]).der())
        })
        .says("key of an account")
    };
    // RFC 8555 §11.1.
    cases.push(own("of the account", |w| Arc::clone(&w.owner.account.key)));
    cases.push(own("of another account", |w| Arc::clone(&w.other.account.key)));
    cases.push(own("of a closed account", |w| Arc::clone(&w.closed.key)));
    cases
}

/// RFC 7515, appendix A.3, whose private half is printed there.
const COMPROMISED: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTN\
                           G72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";

fn signatures() -> Vec<Case> {
    let algorithm = |name: &str, kind: &'static str| {
        bad(format!("signed with {name}"), move || Csr {
            algorithm: sequence(&[oid(kind)]),
            ..Csr::of(&[NAME])
        })
    };
    vec![
        bad("signed by another key", || Csr {
            key: Arc::new(KeyPair::generate().unwrap()),
            ..Csr::of(&[NAME])
        }),
        bad("without a signature", || Csr { signature: Some(Vec::new()), ..Csr::of(&[NAME]) }),
        bad("signed with zeros", || Csr {
            signature: Some(sequence(&[vec![2, 1, 0], vec![2, 1, 0]])),
            ..Csr::of(&[NAME])
        }),
        bad("with the signature of another", || {
            let der = Csr::of(&["other.localhost"]).der();
            Csr { signature: Some(der[der.len() - 64..].to_vec()), ..Csr::of(&[NAME]) }
        }),
        algorithm("SHA-1", "1.2.840.10045.4.1"),
        algorithm("MD5 and RSA", "1.2.840.113549.1.1.4"),
        algorithm("RSA, and a key on P-256", "1.2.840.113549.1.1.11"),
        algorithm("Ed25519, and a key on P-256", "1.3.101.112"),
        algorithm("nothing (RFC 9925)", "1.3.6.1.5.5.7.6.36"),
        bad("with parameters for its algorithm", || Csr {
            algorithm: sequence(&[oid("1.2.840.10045.4.3.2"), vec![5, 0]]),
            ..Csr::of(&[NAME])
        }),
    ]
}

/// RFC 8555 §7.4: 403 and orderNotReady.
fn states() -> Vec<Case> {
    let orders: Named<fn(&World) -> &Order, 3> =
        [("pending", |w| &w.owner.pending), ("valid", |w| &w.owner.valid), ("invalid", |w| &w.owner.invalid)];
    let mut cases: Vec<Case> = orders
        .into_iter()
        .map(|(status, order)| {
            case(format!("an order that is {status}"), 403, "orderNotReady", move |w, nonce| {
                let order = order(w);
                of(w, nonce, order, &Csr::of(&[&order.name]).der())
            })
        })
        .collect();
    cases.push(case("a pending order with a bad request", 403, "orderNotReady", |w, nonce| {
        of(w, nonce, &w.owner.pending, b"")
    }));
    cases
}
