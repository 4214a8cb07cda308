//! Encrypted keys travel to OpenSSL and back.

use chancery_pki::key::{KeyAlgorithm, KeyError, KeyFileError, PrivateKey, Signer};

use crate::openssl::OpenSsl;

const TOPK8: &str = "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -passout pass:pass";

#[test]
fn openssl_reads_what_we_write() {
    let openssl = OpenSsl::new();
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        openssl.write("key.pem", key.to_encrypted_pem("correct-horse").unwrap());
        openssl.run("pkey -in key.pem -passin pass:correct-horse -pubout -outform DER -out public.der");
        assert_eq!(openssl.read("public.der"), key.public_key().spki_der(), "{algorithm}");
        let info = openssl.run("asn1parse -in key.pem");
        assert!(info.contains("0927C0") && info.contains("aes-256-cbc"), "600,000 iterations: {info}");
    }
}

#[test]
fn we_read_what_openssl_writes() {
    let openssl = OpenSsl::new();
    for (generate, algorithm) in [
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", KeyAlgorithm::EcdsaP256),
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", KeyAlgorithm::EcdsaP384),
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:3072", KeyAlgorithm::Rsa3072),
        ("-algorithm Ed25519", KeyAlgorithm::Ed25519),
    ] {
        openssl.run(&format!("genpkey {generate} -out plain.pem"));
        openssl.run(&format!("{TOPK8} -in plain.pem -out key.pem"));
        openssl.run("pkey -in plain.pem -pubout -outform DER -out public.der");
        let key = PrivateKey::from_encrypted_pem(&openssl.read_text("key.pem"), "pass").unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(key.public_key().spki_der(), openssl.read("public.der"));
        let plain = PrivateKey::from_pem(&openssl.read_text("plain.pem")).unwrap();
        assert_eq!(plain.public_key(), key.public_key());
    }
}

#[test]
fn keys_that_are_too_short_or_on_other_curves_are_refused() {
    let openssl = OpenSsl::new();
    openssl.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem");
    let refused = PrivateKey::from_pem(&openssl.read_text("key.pem")).unwrap_err();
    assert_eq!(refused, KeyError::RsaBits { bits: 2048 });
    openssl.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out key.pem");
    let refused = PrivateKey::from_pem(&openssl.read_text("key.pem")).unwrap_err();
    assert!(matches!(refused, KeyError::Algorithm { .. }), "{refused}");
}

#[test]
fn other_ways_of_encrypting_are_refused_with_help() {
    let openssl = OpenSsl::new();
    openssl.run("genpkey -algorithm Ed25519 -out plain.pem");
    openssl.run("pkcs8 -topk8 -scrypt -passout pass:pass -in plain.pem -out key.pem");
    let refused = PrivateKey::from_encrypted_pem(&openssl.read_text("key.pem"), "pass").unwrap_err();
    assert_eq!(refused, KeyFileError::Scheme { what: "not PBKDF2" });
}
