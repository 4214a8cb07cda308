//! Whole chains, as OpenSSL sees them.

use std::time::Duration;

use chancery_pki::certificate::{
    Certificate, IssueError, Issuer, Profile, ProfileSpec, Purpose, SerialNumber, prepare,
};
use chancery_pki::hierarchy;
use chancery_pki::key::{KeyAlgorithm, PrivateKey, SignError, SignatureAlgorithm, Signer};
use chancery_pki::name::San;
use chancery_pki::request::{CertificateRequest, RequestRules, ValidatedRequest, check};
use chancery_time::Timestamp;

use crate::openssl::OpenSsl;

/// 2026-06-14T13:23:00Z.
const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);
const YEAR: Duration = Duration::from_hours(365 * 24);
const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";

struct Authority {
    root_pem: String,
    issuer: Issuer,
    key: PrivateKey,
}

fn authority(algorithm: KeyAlgorithm) -> Authority {
    let root_key = PrivateKey::generate(algorithm).unwrap();
    let root = hierarchy::root("Test Root", &root_key, NOW, YEAR * 10).unwrap();
    let key = PrivateKey::generate(algorithm).unwrap();
    let issuing =
        hierarchy::intermediate("Test Issuing", key.public_key(), &root, &root_key, NOW, YEAR).unwrap();
    Authority { root_pem: root.to_pem(), issuer: Issuer::from_pem(&issuing.to_pem()).unwrap(), key }
}

fn request(openssl: &OpenSsl, new_key: &str) -> ValidatedRequest {
    openssl.run(&format!("genpkey {new_key} -out leaf.key"));
    openssl.run(
        "req -new -key leaf.key -outform DER -out leaf.csr -subj /CN=host.example.test \
         -addext subjectAltName=DNS:host.example.test,IP:192.0.2.1",
    );
    let request = CertificateRequest::from_der(&openssl.read("leaf.csr")).unwrap();
    let names = [San::Dns("host.example.test".into()), San::Ip("192.0.2.1".parse().unwrap())];
    check(&request, &names, &RequestRules::default()).unwrap()
}

fn issue(authority: &Authority, profile: &Profile, request: &ValidatedRequest) -> Certificate {
    let validity = profile.validity(NOW, None, None).unwrap();
    let serial = SerialNumber::random().unwrap();
    prepare(profile, request, &authority.issuer, validity, serial).unwrap().issue(&authority.key).unwrap()
}

#[test]
fn openssl_verifies_chains_of_every_algorithm() {
    let openssl = OpenSsl::new();
    let profile = Profile::new(ProfileSpec::default()).unwrap();
    for (algorithm, leaf) in [
        (KeyAlgorithm::EcdsaP256, P256),
        (KeyAlgorithm::EcdsaP384, "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
        (KeyAlgorithm::Rsa3072, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        (KeyAlgorithm::Ed25519, "-algorithm Ed25519"),
    ] {
        let authority = authority(algorithm);
        let certificate = issue(&authority, &profile, &request(&openssl, leaf));
        openssl.write("root.pem", &authority.root_pem);
        openssl.write("issuing.pem", authority.issuer.certificate().to_pem());
        openssl.write("leaf.pem", certificate.to_pem());
        let at = NOW.unix_seconds();
        let verified = openssl.run(&format!(
            "verify -x509_strict -check_ss_sig -purpose sslserver -verify_hostname host.example.test \
             -attime {at} -CAfile root.pem -untrusted issuing.pem leaf.pem"
        ));
        assert!(verified.contains("leaf.pem: OK"), "{verified}");
    }
}

#[test]
fn a_certificate_says_what_it_should() {
    let openssl = OpenSsl::new();
    let authority = authority(KeyAlgorithm::EcdsaP256);
    let spec = ProfileSpec {
        extended_key_usages: vec![Purpose::SERVER_AUTH, Purpose::CLIENT_AUTH],
        ocsp_url: Some("http://ca.example.test/ocsp".into()),
        ca_issuers_url: Some("http://ca.example.test/issuing.der".into()),
        crl_url: Some("http://ca.example.test/crl".into()),
        ..ProfileSpec::default()
    };
    let rsa = request(&openssl, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    let certificate = issue(&authority, &Profile::new(spec).unwrap(), &rsa);
    openssl.write("leaf.pem", certificate.to_pem());
    let text = openssl.run("x509 -in leaf.pem -noout -text");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for expected in [
        "Version: 3 (0x2)",
        "Issuer: CN = Test Issuing",
        "Subject:",
        // The backdate reaches before the issuing certificate's first second.
        "Not Before: Jun 14 13:23:00 2026 GMT",
        "Not After : Sep 12 12:22:59 2026 GMT",
        "X509v3 Basic Constraints: critical",
        "CA:FALSE",
        "X509v3 Key Usage: critical",
        "Digital Signature, Key Encipherment",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Subject Alternative Name: critical",
        "DNS:host.example.test, IP Address:192.0.2.1",
        "OCSP - URI:http://ca.example.test/ocsp",
        "CA Issuers - URI:http://ca.example.test/issuing.der",
        "URI:http://ca.example.test/crl",
    ] {
        assert!(lines.contains(&expected), "`{expected}` is missing from\n{text}");
    }
}

#[test]
fn authorities_say_what_they_should() {
    let openssl = OpenSsl::new();
    let authority = authority(KeyAlgorithm::EcdsaP256);
    openssl.write("root.pem", &authority.root_pem);
    let root = openssl.run("x509 -in root.pem -noout -text");
    assert!(root.contains("CA:TRUE\n") && root.contains("Certificate Sign, CRL Sign"), "{root}");
    openssl.write("issuing.pem", authority.issuer.certificate().to_pem());
    let issuing = openssl.run("x509 -in issuing.pem -noout -text");
    assert!(issuing.contains("CA:TRUE, pathlen:0") && !issuing.contains("Extended Key Usage"), "{issuing}");
}

#[test]
fn nothing_outlives_its_issuer() {
    let openssl = OpenSsl::new();
    let authority = authority(KeyAlgorithm::EcdsaP256);
    let profile = Profile::new(ProfileSpec::default()).unwrap();
    let request = request(&openssl, P256);
    let late = NOW + YEAR - Duration::from_hours(24);
    let validity = profile.validity(late, None, None).unwrap();
    let serial = SerialNumber::random().unwrap();
    let prepared = prepare(&profile, &request, &authority.issuer, validity, serial).unwrap();
    assert_eq!(prepared.not_after(), authority.issuer.validity().not_after());
    let validity = profile.validity(NOW + YEAR * 2, None, None).unwrap();
    assert!(prepare(&profile, &request, &authority.issuer, validity, serial).is_err());
}

/// Signs something other than what it was given.
struct Faulty<'a>(&'a PrivateKey);

impl Signer for Faulty<'_> {
    fn public_key(&self) -> &chancery_pki::key::PublicKey {
        self.0.public_key()
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.0.signature_algorithm()
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.sign(b"something else")
    }
}

#[test]
fn another_key_and_a_faulty_signer_are_refused() {
    let openssl = OpenSsl::new();
    let authority = authority(KeyAlgorithm::EcdsaP256);
    let profile = Profile::new(ProfileSpec::default()).unwrap();
    let request = request(&openssl, P256);
    let prepared = || {
        let validity = profile.validity(NOW, None, None).unwrap();
        prepare(&profile, &request, &authority.issuer, validity, SerialNumber::random().unwrap()).unwrap()
    };
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    assert_eq!(prepared().issue(&other), Err(IssueError::WrongKey));
    assert_eq!(prepared().issue(&Faulty(&authority.key)), Err(IssueError::BadSignature));
}
