//! Requests made by OpenSSL, and damaged ones.

use std::sync::LazyLock;

use chancery_pki::key::KeyKind;
use chancery_pki::name::San;
use chancery_pki::request::{CertificateRequest, RequestRefusal, RequestRules, check};
use proptest::prelude::*;

use crate::openssl::OpenSsl;

const SAN: &str =
    "-addext subjectAltName=DNS:host.example.test,DNS:*.example.test,IP:192.0.2.1,IP:2001:db8::1";

fn ordered() -> Vec<San> {
    vec![
        San::Dns("*.example.test".into()),
        San::Dns("host.example.test".into()),
        San::Ip("192.0.2.1".parse().unwrap()),
        San::Ip("2001:db8::1".parse().unwrap()),
    ]
}

fn request(new_key: &str, options: &str) -> Vec<u8> {
    let openssl = OpenSsl::new();
    openssl.run(&format!("genpkey {new_key} -out key.pem"));
    openssl.run(&format!("req -new -key key.pem -outform DER -out request.der {options}"));
    openssl.read("request.der")
}

#[test]
fn requests_of_every_kind_of_key_pass() {
    let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    let ec = |curve: &str| format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
    for (key, digest, kind) in [
        (ec("P-256"), "-sha256", KeyKind::EcdsaP256),
        (ec("P-256"), "-sha512", KeyKind::EcdsaP256),
        (ec("P-384"), "-sha384", KeyKind::EcdsaP384),
        (ec("P-521"), "-sha256", KeyKind::EcdsaP521),
        (ec("P-521"), "-sha512", KeyKind::EcdsaP521),
        (rsa.to_owned(), "-sha256", KeyKind::Rsa { bits: 2048 }),
        (rsa.to_owned(), "-sha384", KeyKind::Rsa { bits: 2048 }),
        (rsa.to_owned(), "-sha512", KeyKind::Rsa { bits: 2048 }),
        ("-algorithm Ed25519".to_owned(), "", KeyKind::Ed25519),
    ] {
        let der = request(&key, &format!("-subj /CN=HOST.example.test {SAN} {digest}"));
        let request = CertificateRequest::from_der(&der).unwrap();
        let validated = check(&request, &ordered(), &RequestRules::default()).unwrap();
        assert_eq!(validated.public_key().kind(), kind);
        assert_eq!(validated.names(), ordered());
    }
}

/// What acme.sh and OpenSSL's stock configuration put into their requests.
#[test]
fn usual_extensions_pass() {
    let der = request(
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        &format!(
            "-subj / {SAN} -addext basicConstraints=CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
             -addext keyUsage=nonRepudiation,digitalSignature,keyEncipherment -addext tlsfeature=status_request"
        ),
    );
    let request = CertificateRequest::from_der(&der).unwrap();
    let rules = RequestRules { must_staple: true, ..RequestRules::default() };
    assert!(check(&request, &ordered(), &rules).unwrap().must_staple());
}

#[test]
fn old_and_exotic_signatures_are_refused() {
    let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    for options in ["-sha1", "-sha256 -sigopt rsa_padding_mode:pss"] {
        let der = request(rsa, &format!("-subj / {SAN} {options}"));
        let request = CertificateRequest::from_der(&der).unwrap();
        let refused = check(&request, &ordered(), &RequestRules::default());
        assert!(matches!(refused, Err(RequestRefusal::SignatureAlgorithm { .. })), "{refused:?}");
    }
}

#[test]
fn a_short_rsa_key_is_refused() {
    let der = request("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", &format!("-subj / {SAN}"));
    let request = CertificateRequest::from_der(&der).unwrap();
    let refused = check(&request, &ordered(), &RequestRules::default());
    assert_eq!(refused, Err(RequestRefusal::RsaBits { bits: 1024, min: 2048, max: 8192 }));
}

static SOUND: LazyLock<Vec<u8>> =
    LazyLock::new(|| request("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", &format!("-subj / {SAN}")));

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        if let Ok(request) = CertificateRequest::from_der(&bytes) {
            prop_assert!(check(&request, &ordered(), &RequestRules::default()).is_err());
        }
    }

    #[test]
    fn a_flipped_bit_never_panics_and_never_passes(position: prop::sample::Index, bit in 0..8_u32) {
        let mut damaged = SOUND.clone();
        let position = position.index(damaged.len());
        damaged[position] ^= 1 << bit;
        if let Ok(request) = CertificateRequest::from_der(&damaged) {
            let verdict = check(&request, &ordered(), &RequestRules::default());
            prop_assert!(verdict.is_err(), "octet {position}, bit {bit}");
        }
    }

    #[test]
    fn a_cut_request_is_refused(length: prop::sample::Index) {
        let cut = &SOUND[..length.index(SOUND.len())];
        prop_assert!(CertificateRequest::from_der(cut).is_err());
    }
}
