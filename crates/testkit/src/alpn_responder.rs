//! A tls-alpn-01 responder (RFC 8737) that also answers in all the ways in which it should not.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{Acceptor, ClientHello};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

const PROTOCOL: &[u8] = b"acme-tls/1";

static TLS12_ALONE: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];

/// How long a connection is waited on before its thread gives it up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Listens on a port of 127.0.0.1, on threads of its own, until it is dropped.
#[derive(Debug)]
pub struct AlpnResponder {
    state: Arc<State>,
    address: SocketAddr,
    listener: Option<JoinHandle<()>>,
}

/// How an [`AlpnResponder`] answers for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlpnManner {
    /// As RFC 8737 has it.
    Right,
    /// Nothing forbids this: the certificate is of 1990.
    Expired,
    /// The certificate is for another key authorization.
    OtherDigest,
    /// The extension with the digest is not critical.
    NotCritical,
    /// The extension with the digest is missing.
    NoExtension,
    /// The certificate names a second host.
    TwoNames,
    /// The certificate names another host.
    OtherName,
    /// The handshake is signed with another key than the certificate's.
    OtherKey,
    /// The certificate is longer than any needs to be, and fits into a handshake.
    LongCertificate,
    /// The certificate is longer than a handshake.
    HugeCertificate,
    /// The handshake goes well, and no protocol is chosen in it.
    NoProtocol,
    /// The answer chooses a protocol that was not offered.
    ForeignProtocol,
    /// The handshake is refused, since the protocol is not spoken.
    RefusedProtocol,
    /// The client's first message is never answered.
    Silent,
    /// The answer is not TLS.
    Garbage,
    /// The connection is closed without an answer.
    Closed,
}

/// What a client has asked for, and what it did once its handshake was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlpnVisit {
    /// The name it asked for.
    pub server_name: Option<String>,
    /// The protocols it offered, in its order.
    pub protocols: Vec<String>,
    /// How many bytes it sent after the handshake, if that came to its end.
    pub sent: Option<usize>,
}

#[derive(Debug)]
struct State {
    answers: Mutex<HashMap<String, Answer>>,
    versions: &'static [&'static SupportedProtocolVersion],
    visits: Mutex<Vec<AlpnVisit>>,
    visited: Condvar,
    stopping: AtomicBool,
}

#[derive(Debug, Clone)]
struct Answer {
    manner: AlpnManner,
    key: Arc<CertifiedKey>,
}

impl AlpnResponder {
    /// Listens, and speaks TLS 1.2 and 1.3.
    pub fn start() -> Self {
        Self::speaking(rustls::ALL_VERSIONS)
    }

    /// Listens, and speaks TLS 1.2 alone.
    pub fn start_with_tls12() -> Self {
        Self::speaking(TLS12_ALONE)
    }

    fn speaking(versions: &'static [&'static SupportedProtocolVersion]) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on 127.0.0.1 for tls-alpn-01");
        let address = listener.local_addr().expect("the address of a listener");
        let state = Arc::new(State {
            answers: Mutex::default(),
            versions,
            visits: Mutex::default(),
            visited: Condvar::new(),
            stopping: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        let listener = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stopping.load(Ordering::Relaxed) {
                    return;
                }
                let state = Arc::clone(&shared);
                // A validator that hangs up, or is killed, ends only its own connection.
                std::thread::spawn(move || state.answer(stream));
            }
        });
        Self { state, address, listener: Some(listener) }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on answers for `identifier`, a DNS name or an IP address, as RFC 8737 has it.
    pub fn serve(&self, identifier: &str, key_authorization: &str) {
        self.serve_as(AlpnManner::Right, identifier, key_authorization);
    }

    /// From now on answers for `identifier` in some manner.
    pub fn serve_as(&self, manner: AlpnManner, identifier: &str, key_authorization: &str) {
        let key = KeyPair::generate().expect("a key pair");
        let certificate = challenge(manner, identifier, key_authorization).self_signed(&key);
        let certificate = certificate.expect("a challenge certificate").der().to_vec();
        let signer = match manner {
            AlpnManner::OtherKey => KeyPair::generate().expect("a key pair"),
            _ => key,
        };
        self.insert(manner, identifier, certificate, signer.serialize_der());
    }

    /// From now on answers for `identifier` with that certificate, given as DER, and its private key,
    /// given as PKCS #8.
    pub fn serve_certificate(&self, identifier: &str, certificate: Vec<u8>, key: Vec<u8>) {
        self.insert(AlpnManner::Right, identifier, certificate, key);
    }

    fn insert(&self, manner: AlpnManner, identifier: &str, certificate: Vec<u8>, key: Vec<u8>) {
        let signer = any_supported_type(&PrivateKeyDer::Pkcs8(key.into())).expect("a key that TLS can use");
        let key = Arc::new(CertifiedKey::new(vec![CertificateDer::from(certificate)], signer));
        self.state.answers.lock().unwrap().insert(server_name(identifier), Answer { manner, key });
    }

    /// What has been seen of the clients that are gone, in the order in which they went.
    pub fn visits(&self) -> Vec<AlpnVisit> {
        self.state.visits.lock().unwrap().clone()
    }

    /// Waits until that many clients are gone, and tells what has been seen of them.
    pub fn wait_for_visits(&self, count: usize) -> Vec<AlpnVisit> {
        let visits = self.state.visits.lock().unwrap();
        let waited = self.state.visited.wait_timeout_while(visits, PATIENCE, |visits| visits.len() < count);
        let (visits, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "only {} of {count} clients came and went: {visits:?}", visits.len());
        visits.clone()
    }
}

impl Drop for AlpnResponder {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it shall stop.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl State {
    fn answer(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let mut acceptor = Acceptor::default();
        let accepted = loop {
            acceptor.read_tls(&mut stream).ok().filter(|count| *count > 0)?;
            match acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => break accepted,
                Err((_, mut alert)) => return alert.write_all(&mut stream).ok(),
            }
        };
        let mut visit = AlpnVisit::of(&accepted.client_hello());
        let answer = self.answers.lock().unwrap().get(visit.server_name.as_deref()?).cloned();
        let answer = answer?;
        match answer.manner {
            AlpnManner::Silent => {}
            AlpnManner::Garbage => stream.write_all(b"220 mail.example.com ESMTP\r\n").ok()?,
            AlpnManner::ForeignProtocol => stream.write_all(&hello_with_a_foreign_protocol()).ok()?,
            AlpnManner::Closed => {
                self.keep(visit);
                return None;
            }
            _ => {
                visit.sent = match accepted.into_connection(self.config(&answer)) {
                    Ok(connection) => handshake_and_listen(connection, &mut stream).ok(),
                    Err((_, mut alert)) => {
                        alert.write_all(&mut stream).ok()?;
                        None
                    }
                };
            }
        }
        // The end is the client's to make.
        let _ = io::copy(&mut stream, &mut io::sink());
        self.keep(visit);
        Some(())
    }

    fn keep(&self, visit: AlpnVisit) {
        self.visits.lock().unwrap().push(visit);
        self.visited.notify_all();
    }

    fn config(&self, answer: &Answer) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(self.versions).expect("versions that the provider has");
        let resolver = Arc::new(SingleCertAndKey::from(Arc::clone(&answer.key)));
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        // What the client leaves unread would make its going a reset, which eats what it sent before.
        config.send_tls13_tickets = 0;
        config.alpn_protocols = match answer.manner {
            AlpnManner::NoProtocol => vec![],
            AlpnManner::RefusedProtocol => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            _ => vec![PROTOCOL.to_vec()],
        };
        Arc::new(config)
    }
}

impl AlpnVisit {
    fn of(hello: &ClientHello<'_>) -> Self {
        let protocols = hello.alpn().into_iter().flatten();
        Self {
            server_name: hello.server_name().map(str::to_owned),
            protocols: protocols.map(|protocol| String::from_utf8_lossy(protocol).into_owned()).collect(),
            sent: None,
        }
    }
}

/// Finishes a handshake and counts what comes after it.
fn handshake_and_listen(mut connection: ServerConnection, stream: &mut TcpStream) -> io::Result<usize> {
    while connection.is_handshaking() {
        connection.complete_io(stream)?;
    }
    let mut sent = vec![];
    match rustls::Stream::new(&mut connection, stream).read_to_end(&mut sent) {
        // A client that goes without a goodbye has sent no less.
        Ok(_) => Ok(sent.len()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(sent.len()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(sent.len()),
        Err(error) => Err(error),
    }
}

fn challenge(manner: AlpnManner, identifier: &str, key_authorization: &str) -> CertificateParams {
    let names = match manner {
        AlpnManner::TwoNames => vec![identifier.to_owned(), "second.example".to_owned()],
        AlpnManner::OtherName => vec!["other.example".to_owned()],
        _ => vec![identifier.to_owned()],
    };
    let proven = match manner {
        AlpnManner::OtherDigest => "another key authorization",
        _ => key_authorization,
    };
    let mut acme_identifier =
        CustomExtension::new_acme_identifier(digest(&SHA256, proven.as_bytes()).as_ref());
    acme_identifier.set_criticality(manner != AlpnManner::NotCritical);
    let mut params = CertificateParams::new(names).expect("names that a certificate can hold");
    if manner != AlpnManner::NoExtension {
        params.custom_extensions.push(acme_identifier);
    }
    let padding = match manner {
        AlpnManner::LongCertificate => 20_000,
        AlpnManner::HugeCertificate => 70_000,
        _ => 0,
    };
    if padding > 0 {
        // An extension under the number for examples (RFC 5612), an OCTET STRING of zeros.
        let [.., a, b, c] = u32::try_from(padding).unwrap().to_be_bytes();
        let content = [vec![4, 0x83, a, b, c], vec![0; padding]].concat();
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], content));
    }
    if manner == AlpnManner::Expired {
        params.not_before = rcgen::date_time_ymd(1990, 1, 1);
        params.not_after = rcgen::date_time_ymd(1990, 1, 8);
    }
    params
}

/// The name by which a client asks for an identifier (RFC 8738 §6 for an address).
fn server_name(identifier: &str) -> String {
    match identifier.parse() {
        Ok(std::net::IpAddr::V4(ip)) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Ok(std::net::IpAddr::V6(ip)) => {
            let nibbles: Vec<String> =
                (0..32).map(|n| format!("{:x}.", (ip.to_bits() >> (4 * n)) & 0xf)).collect();
            format!("{}ip6.arpa", nibbles.concat())
        }
        Err(_) => identifier.to_ascii_lowercase(),
    }
}

/// A `ServerHello` of TLS 1.2 (RFC 5246 §7.4.1.3) that takes a common cipher suite and the protocol
/// `h2`. A library for servers would not say it to a client that did not offer that.
fn hello_with_a_foreign_protocol() -> Vec<u8> {
    let extensions = [
        [0x00, 0x17, 0, 0].as_slice(),            // extended_master_secret
        &[0xff, 0x01, 0, 1, 0],                   // renegotiation_info
        &[0x00, 0x10, 0, 5, 0, 3, 2, b'h', b'2'], // application_layer_protocol_negotiation
    ]
    .concat();
    let mut body = vec![3, 3];
    body.extend([7; 32]); // random
    body.extend([0]); // no session
    body.extend([0xc0, 0x2b, 0]); // ECDHE-ECDSA with AES-128-GCM, not compressed
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u16::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 3];
    record.extend((length + 4).to_be_bytes());
    record.extend([2, 0]);
    record.extend(length.to_be_bytes());
    record.extend(body);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_for_by_its_name_in_the_dns() {
        assert_eq!(server_name("WWW.example.com"), "www.example.com");
        assert_eq!(server_name("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        let v6 = server_name("2001:db8::1");
        assert_eq!(v6, format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(23)));
    }

    #[test]
    fn a_client_that_is_not_expected_is_sent_away() {
        let responder = AlpnResponder::start();
        responder.serve("www.example.com", "token.thumbprint");
        let mut stream = TcpStream::connect(responder.address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = vec![];
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.first(), Some(&21), "a TLS alert: {answer:?}");
        assert_eq!(responder.visits(), []);
    }
}
