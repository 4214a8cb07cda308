//! tls-alpn-01 against TLS servers that behave and misbehave.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chancery_testkit::{AlpnManner, AlpnResponder, AlpnVisit};
use chancery_validation::egress::EgressPolicy;
use chancery_validation::resolver::Resolver;
use chancery_validation::tls_alpn01::{TlsAlpn01, TlsAlpn01Settings};
use chancery_validation::{Failure, FailureKind};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use tokio::net::TcpListener;

use crate::dns;

const NAME: &str = "host.localhost";
const KEY_AUTHORIZATION: &str = "DGyRejmCefe7v4NfDGDKfA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

const PASSING: bool = true;
const LASTING: bool = false;

fn key_authorization_digest() -> [u8; 32] {
    digest(&SHA256, KEY_AUTHORIZATION.as_bytes()).as_ref().try_into().unwrap()
}

/// Allows 127.0.0.0/8 and nothing else that the defaults refuse.
fn loopback() -> EgressPolicy {
    EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![], vec![])
}

fn settings(port: u16) -> TlsAlpn01Settings {
    TlsAlpn01Settings { port, ..TlsAlpn01Settings::default() }
}

async fn observe_name(port: u16, identifier: &str) -> Result<(), Failure> {
    let observer = TlsAlpn01::new(Resolver::system().unwrap(), loopback(), settings(port));
    observer.observe(identifier, &key_authorization_digest()).await
}

/// What an observer makes of `host.example`, whose addresses are those.
async fn observe_at(addresses: Vec<IpAddr>, egress: EgressPolicy, port: u16) -> Result<(), Failure> {
    let dns = dns::everywhere(&addresses);
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_secs(5)).unwrap();
    let observer = TlsAlpn01::new(resolver, egress, settings(port));
    observer.observe("host.example", &key_authorization_digest()).await
}

/// What an observer makes of a host that answers in that manner, over each version of TLS.
async fn observe_manner(manner: AlpnManner) -> Vec<Result<(), Failure>> {
    let mut outcomes = vec![];
    for responder in [AlpnResponder::start(), AlpnResponder::start_with_tls12()] {
        responder.serve_as(manner, NAME, KEY_AUTHORIZATION);
        outcomes.push(observe_name(responder.port(), NAME).await);
    }
    outcomes
}

#[tokio::test]
async fn a_certificate_made_for_the_challenge_proves_control() {
    for responder in [AlpnResponder::start(), AlpnResponder::start_with_tls12()] {
        responder.serve(NAME, KEY_AUTHORIZATION);
        assert_eq!(observe_name(responder.port(), NAME).await, Ok(()));
        let visit = AlpnVisit {
            server_name: Some(NAME.to_owned()),
            protocols: vec!["acme-tls/1".to_owned()],
            sent: Some(0),
        };
        assert_eq!(responder.wait_for_visits(1), [visit]);
    }
}

#[tokio::test]
async fn an_address_can_be_validated_too() {
    let responder = AlpnResponder::start();
    responder.serve("127.0.0.1", KEY_AUTHORIZATION);
    assert_eq!(observe_name(responder.port(), "127.0.0.1").await, Ok(()));
    let server_name = responder.wait_for_visits(1).remove(0).server_name;
    assert_eq!(server_name.as_deref(), Some("1.0.0.127.in-addr.arpa"));
}

#[tokio::test]
async fn the_name_of_an_address_does_not_stand_for_the_address() {
    let responder = AlpnResponder::start();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["1.0.0.127.in-addr.arpa".to_owned()]).unwrap();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&key_authorization_digest())];
    let certificate = params.self_signed(&key).unwrap().der().to_vec();
    responder.serve_certificate("127.0.0.1", certificate, key.serialize_der());
    let failure = observe_name(responder.port(), "127.0.0.1").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Mismatch);
    assert!(failure.to_string().contains("is not the iPAddress that is validated"), "{failure}");
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_taken() {
    assert_eq!(observe_manner(AlpnManner::Expired).await, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn every_sort_of_key_signs_a_handshake() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ECDSA_P521_SHA512,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(&key_authorization_digest())];
        let certificate = params.self_signed(&key).unwrap().der().to_vec();
        for responder in [AlpnResponder::start(), AlpnResponder::start_with_tls12()] {
            responder.serve_certificate(NAME, certificate.clone(), key.serialize_der());
            assert_eq!(observe_name(responder.port(), NAME).await, Ok(()), "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn each_wrong_certificate_is_told_apart() {
    for (manner, told) in [
        (AlpnManner::OtherDigest, "holds another digest than that of this challenge's key authorization"),
        (AlpnManner::NotCritical, "acmeIdentifier extension is not critical"),
        (AlpnManner::NoExtension, "has no acmeIdentifier extension (1.3.6.1.5.5.7.1.31)"),
        (AlpnManner::TwoNames, "has 2 names instead of the one that is validated"),
        (AlpnManner::OtherName, "is not the dNSName that is validated"),
        (AlpnManner::LongCertificate, "more than the 16384 that are read"),
    ] {
        for outcome in observe_manner(manner).await {
            let failure = outcome.unwrap_err();
            assert_eq!((failure.kind, failure.transient), (FailureKind::Mismatch, LASTING), "{manner:?}");
            let text = failure.to_string();
            assert!(text.contains(told) && text.contains(NAME), "{manner:?}: {text}");
            assert!(!text.contains("other.example"), "{text}");
        }
    }
}

#[tokio::test]
async fn each_wrong_handshake_is_told_apart() {
    for (manner, kind, transient, told) in [
        (AlpnManner::OtherKey, FailureKind::Tls, LASTING, "BadSignature"),
        (AlpnManner::HugeCertificate, FailureKind::Tls, LASTING, "HandshakePayloadTooLarge"),
        (AlpnManner::NoProtocol, FailureKind::Tls, LASTING, "did not choose the protocol `acme-tls/1`"),
        (AlpnManner::ForeignProtocol, FailureKind::Tls, LASTING, "SelectedUnofferedApplicationProtocol"),
        (AlpnManner::RefusedProtocol, FailureKind::Tls, LASTING, "NoApplicationProtocol"),
        (AlpnManner::Garbage, FailureKind::Tls, LASTING, "corrupt message"),
        (AlpnManner::Closed, FailureKind::Connection, PASSING, "no TLS connection"),
    ] {
        for outcome in observe_manner(manner).await {
            let failure = outcome.unwrap_err();
            assert_eq!((failure.kind, failure.transient), (kind, transient), "{manner:?}: {failure}");
            let text = failure.to_string();
            assert!(text.contains(told) && text.contains(NAME), "{manner:?}: {text}");
            assert!(text.contains("answers the protocol `acme-tls/1` (RFC 8737)"), "{manner:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_silent_host_is_a_passing_failure_within_the_time_allowed() {
    let responder = AlpnResponder::start();
    responder.serve_as(AlpnManner::Silent, NAME, KEY_AUTHORIZATION);
    let settings = TlsAlpn01Settings { total_timeout: Duration::from_secs(1), ..settings(responder.port()) };
    let observer = TlsAlpn01::new(Resolver::system().unwrap(), loopback(), settings);
    let failure = observer.observe(NAME, &key_authorization_digest()).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Timeout, PASSING));
    assert_eq!(responder.wait_for_visits(1).len(), 1, "the connection is closed");
}

#[tokio::test]
async fn a_refused_connection_is_a_passing_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failure = observe_name(address.port(), NAME).await.unwrap_err();
    assert_eq!((failure.kind, failure.transient), (FailureKind::Connection, PASSING));
    let text = failure.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("tls-alpn-01 of `host.localhost`"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_name_is_not_dialled() {
    let responder = AlpnResponder::start();
    for name in ["", "a b.localhost", "-", "*.localhost", "a..localhost"] {
        let failure = observe_name(responder.port(), name).await.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Dns | FailureKind::Tls), "{name}: {failure}");
        assert!(!failure.transient || failure.kind == FailureKind::Dns, "{name}: {failure}");
    }
    assert!(responder.visits().is_empty());
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_may_not_be_dialled_or_does_not_answer() {
    let responder = AlpnResponder::start();
    responder.serve("host.example", KEY_AUTHORIZATION);
    let addresses = ["169.254.169.254", "127.0.0.3", "127.0.0.1"].map(|ip| ip.parse().unwrap()).to_vec();
    assert_eq!(observe_at(addresses, loopback(), responder.port()).await, Ok(()));
}

#[tokio::test]
async fn a_forbidden_address_is_not_dialled() {
    let responder = AlpnResponder::start();
    responder.serve("host.example", KEY_AUTHORIZATION);
    let address = SocketAddr::from(([127, 0, 0, 1], responder.port()));
    let everywhere = SocketAddr::from(([0, 0, 0, 0], responder.port()));
    let loopback = || vec!["127.0.0.0/8".parse().unwrap()];
    for (egress, told) in [
        (EgressPolicy::new(vec![], vec![], vec![]), "it is a loopback address"),
        (EgressPolicy::new(loopback(), vec!["127.0.0.1/32".parse().unwrap()], vec![]), "denies 127.0.0.1/32"),
        (EgressPolicy::new(loopback(), vec![], vec![address]), "this server itself listens there"),
        (EgressPolicy::new(loopback(), vec![], vec![everywhere]), "this server itself listens there"),
    ] {
        let failure = observe_at(vec![address.ip()], egress, address.port()).await.unwrap_err();
        assert_eq!((failure.kind, failure.transient), (FailureKind::Egress, LASTING));
        assert!(failure.to_string().contains(told), "{failure}");
    }
    assert!(responder.visits().is_empty());
}

#[tokio::test]
async fn an_answer_that_changes_is_not_asked_for_twice() {
    let responder = AlpnResponder::start();
    responder.serve("host.example", KEY_AUTHORIZATION);
    let dns = dns::rebinding([127, 0, 0, 1].into(), [169, 254, 169, 254].into());
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_secs(5)).unwrap();
    let observer = TlsAlpn01::new(resolver, loopback(), settings(responder.port()));
    assert_eq!(observer.observe("host.example", &key_authorization_digest()).await, Ok(()));
    assert_eq!(dns.queries().len(), 2, "one A and one AAAA query: {:?}", dns.queries());
}
