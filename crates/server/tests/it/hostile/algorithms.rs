//! Algorithms that are not taken, algorithms of another key, and signatures that are none (RFC 8555 §6.2).

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use chancery_testkit::JwsKey;
use serde_json::{Value, json};

use super::case::{Case, Draft, Named, case, malformed};
use super::world::World;

/// What signs in a wrong way.
type Forge = fn(&JwsKey, &[u8]) -> Vec<u8>;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = not_taken();
    cases.extend(of_another_key());
    cases.extend(signatures());
    cases.extend(other_encodings());
    cases
}

fn read(world: &World, nonce: &str) -> Draft {
    let url = world.owner.account.url.clone();
    world.post(&url, nonce, "")
}

/// RFC 8555 §6.2: a MAC, `none`, or what the server does not know is `badSignatureAlgorithm`.
fn not_taken() -> Vec<Case> {
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS256",
        "HS384",
        "HS512",
        "ES256K",
        "PS256",
        "PS384",
        "PS512",
        "RS384",
        "RS512",
        "RS1",
        "es256",
        "ES256 ",
        "ES256\u{0}",
        "Ed25519",
        "Ed448",
        "ML-DSA-44",
        "dir",
        "A128KW",
        "RSA1_5",
        "ECDH-ES",
    ];
    let mut cases: Vec<Case> = names
        .into_iter()
        .map(|name| {
            case(format!("the algorithm {name:?}"), 400, "badSignatureAlgorithm", move |w, nonce| {
                read(w, nonce).set("alg", name)
            })
        })
        .collect();
    cases.push(case("`none` with an empty signature", 400, "badSignatureAlgorithm", |w, nonce| {
        read(w, nonce).set("alg", "none").signature(Vec::new())
    }));
    cases.push(case("`none` for a new account", 400, "badSignatureAlgorithm", |w, nonce| {
        w.registration(nonce, "{}").set("alg", "none").signature(Vec::new())
    }));
    // The public key is nobody's secret: whoever takes it for one believes everybody.
    cases.push(case("a MAC under the public key", 400, "badSignatureAlgorithm", |w, nonce| {
        let secret = w.owner.account.key.jwk().to_string();
        read(w, nonce).set("alg", "HS256").sign(move |input| mac(secret.as_bytes(), input))
    }));
    cases.push(case("a MAC under an empty key", 400, "badSignatureAlgorithm", |w, nonce| {
        w.registration(nonce, "{}").set("alg", "HS256").sign(|input| mac(b"", input))
    }));
    cases.push(case("an algorithm of 60,000 characters", 400, "badSignatureAlgorithm", |w, nonce| {
        read(w, nonce).set("alg", "A".repeat(40_000))
    }));
    for (name, value) in [
        ("null", Value::Null),
        ("a number", json!(256)),
        ("a list", json!(["ES256"])),
        ("an object", json!({})),
    ] {
        cases.push(malformed(format!("`alg` is {name}"), move |w, nonce| {
            read(w, nonce).set("alg", value.clone())
        }));
    }
    cases.push(malformed("`alg` is missing", |w, nonce| read(w, nonce).without("alg")).says("alg"));
    cases
}

/// The key decides the algorithm; what the header says can only agree.
fn of_another_key() -> Vec<Case> {
    let kinds: Named<fn() -> JwsKey, 5> = [
        ("P-256", JwsKey::p256),
        ("P-384", JwsKey::p384),
        ("P-521", JwsKey::p521),
        ("Ed25519", JwsKey::ed25519),
        ("RSA", JwsKey::rsa),
    ];
    let mut cases = Vec::new();
    for (kind, make) in kinds {
        let key = Arc::new(make());
        for alg in ["ES256", "ES384", "ES512", "EdDSA", "RS256"] {
            if alg == key.alg() {
                continue;
            }
            let key = Arc::clone(&key);
            cases.push(
                malformed(format!("{alg} with a key of {kind}"), move |w, nonce| {
                    Draft::new(&key, None, &w.url("newAccount"), nonce, "{}").set("alg", alg)
                })
                .says(alg),
            );
        }
    }
    cases
}

/// Signatures that do not verify: `malformed`, as we have it.
fn signatures() -> Vec<Case> {
    let fixed: Named<fn() -> Vec<u8>, 8> = [
        ("an empty one", Vec::new),
        ("one octet", || vec![0]),
        // CVE-2022-21449: r = s = 0 verified for every message.
        ("all zeros", || vec![0; 64]),
        ("all ones", || vec![0xff; 64]),
        ("63 octets", || vec![1; 63]),
        ("65 octets", || vec![1; 65]),
        ("96 octets", || vec![1; 96]),
        ("40,000 octets", || vec![1; 40_000]),
    ];
    let mut cases: Vec<Case> = fixed
        .into_iter()
        .map(|(name, make)| {
            malformed(format!("a signature: {name}"), move |w, nonce| read(w, nonce).signature(make()))
        })
        .collect();
    cases.push(malformed("a signature by r and s of the order of the curve", |w, nonce| {
        read(w, nonce).signature([P256_ORDER, P256_ORDER].concat())
    }));
    let made: Named<Forge, 5> = [
        ("with an octet more", |key, input| [key.sign(input), vec![0]].concat()),
        ("with its halves exchanged", |key, input| {
            let signature = key.sign(input);
            [&signature[32..], &signature[..32]].concat()
        }),
        ("with one bit changed", |key, input| {
            let mut signature = key.sign(input);
            signature[40] ^= 1;
            signature
        }),
        ("in DER", |key, input| {
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &key.pkcs8()).unwrap();
            key.sign(&SystemRandom::new(), input).unwrap().as_ref().to_vec()
        }),
        ("over nothing", |key, _| key.sign(b"")),
    ];
    for (name, make) in made {
        cases.push(malformed(format!("a signature {name}"), move |w, nonce| {
            let key = Arc::clone(&w.owner.account.key);
            read(w, nonce).sign(move |input| make(&key, input))
        }));
    }
    cases.push(malformed("a signature by another account", |w, nonce| {
        read(w, nonce).signed_by(&w.other.account.key)
    }));
    cases.push(malformed("a signature by another key than the header's", |w, nonce| {
        w.registration(nonce, "{}").signed_by(&w.owner.account.key)
    }));
    cases.push(malformed("the payload is another than was signed", |w, nonce| {
        read(w, nonce).edit(|jws| jws["payload"] = json!("e30"))
    }));
    cases.push(malformed("the header is another than was signed", |w, nonce| {
        let other = w.registration(nonce, "{}").jws();
        read(w, nonce).edit(|jws| jws["signature"] = other["signature"].clone())
    }));
    cases
}

/// Signatures of a sound key by another method than its one.
fn other_encodings() -> Vec<Case> {
    let methods: [(&str, &'static dyn RsaEncoding); 2] =
        [("RSASSA-PSS", &RSA_PSS_SHA256), ("SHA-512", &RSA_PKCS1_SHA512)];
    let key = Arc::new(JwsKey::rsa());
    let mut cases: Vec<Case> = methods
        .into_iter()
        .map(|(name, encoding)| {
            let key = Arc::clone(&key);
            malformed(format!("RS256 that is {name}"), move |w, nonce| {
                let signing = RsaKeyPair::from_pkcs8(&key.pkcs8()).unwrap();
                Draft::new(&key, None, &w.url("newAccount"), nonce, "{}").sign(move |input| {
                    let mut signature = vec![0; signing.public_modulus_len()];
                    signing.sign(encoding, &SystemRandom::new(), input, &mut signature).unwrap();
                    signature
                })
            })
        })
        .collect();
    let ed25519 = Arc::new(JwsKey::ed25519());
    cases.push(malformed("EdDSA of zeros", move |w, nonce| {
        Draft::new(&ed25519, None, &w.url("newAccount"), nonce, "{}").signature(vec![0; 64])
    }));
    cases
}

/// SP 800-186 §3.2.1.3: the order n of P-256.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn mac(secret: &[u8], input: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input).as_ref().to_vec()
}
