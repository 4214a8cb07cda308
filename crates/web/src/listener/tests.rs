//! A client that stalls, one that reads, and connections beyond the limit, with TLS and without.

use std::net::SocketAddr;

use axum::routing::get;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::*;
use crate::{CurrentCertificate, from_pem, server_config};

/// How long the machine may take, when it is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands in bodies alone.
const FILLING: u8 = b'~';
static BODY: [u8; 64 * 1024] = [FILLING; 64 * 1024];
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A client's end of a connection, with TLS or without.
trait Client: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Client for T {}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tls,
    Plain,
}

const KINDS: [Kind; 2] = [Kind::Tls, Kind::Plain];

/// The accept loop in front of a router with one large answer.
struct Server {
    address: SocketAddr,
    /// With TLS.
    certificate: Option<CertificateDer<'static>>,
    connections: TaskTracker,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(kind: Kind, limits: Limits) -> Self {
        let (transport, certificate) = match kind {
            Kind::Tls => {
                let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
                let own = from_pem(&key.cert.pem(), &key.signing_key.serialize_pem()).unwrap();
                let config = server_config(Arc::new(CurrentCertificate::new(own))).unwrap();
                (Transport::Tls(Arc::new(config)), Some(key.cert.der().clone()))
            }
            Kind::Plain => (Transport::Plain, None),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
        let router = Router::new().route("/", get(async || BODY.as_slice()));
        let serving =
            tokio::spawn(serve(listener, transport, router, limits, connections.clone(), stop.clone()));
        Self { address, certificate, connections, stop, serving }
    }

    async fn connect(&self) -> Box<dyn Client> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let Some(certificate) = &self.certificate else { return Box::new(stream) };
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap())
    }

    /// Connects, asks once, and has the answer.
    async fn round_trip(&self) -> Box<dyn Client> {
        let mut client = self.connect().await;
        client.write_all(REQUEST).await.unwrap();
        client.flush().await.unwrap();
        read_answers(&mut client, 1).await;
        client
    }

    /// Waits until every connection has ended, and stops.
    async fn end(self) {
        self.connections.close();
        within_patience(self.connections.wait()).await;
        self.stop.cancel();
        within_patience(self.serving).await.unwrap();
    }
}

async fn within_patience<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it does not take for ever")
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    for kind in KINDS {
        let limits = Limits { connections: 8, stall_time: Duration::from_millis(200) };
        let server = Server::start(kind, limits).await;
        let mut client = server.connect().await;
        let asking = async {
            // Ends when the server has closed the connection, or never.
            loop {
                if let Err(error) = client.write_all(REQUEST).await {
                    return error;
                }
            }
        };
        let error = within_patience(asking).await;
        assert!(
            matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe),
            "{kind:?}: {error:?}"
        );
        server.end().await;
    }
}

#[tokio::test]
async fn a_client_that_reads_gets_every_answer() {
    const REQUESTS: usize = 200;
    for kind in KINDS {
        let server = Server::start(kind, Limits::with_connections(8)).await;
        let (mut from_server, mut to_server) = tokio::io::split(server.connect().await);
        let asking = async {
            to_server.write_all(&REQUEST.repeat(REQUESTS)).await.unwrap();
            to_server.flush().await.unwrap();
        };
        let reading = async { read_answers(&mut from_server, REQUESTS).await };
        within_patience(async { tokio::join!(asking, reading) }).await;
        drop((from_server, to_server));
        server.end().await;
    }
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_another_to_end() {
    for kind in KINDS {
        let server = Server::start(kind, Limits::with_connections(1)).await;
        let mut first = within_patience(server.round_trip()).await;
        let mut second = Box::pin(server.round_trip());
        let again = async {
            first.write_all(REQUEST).await.unwrap();
            read_answers(&mut first, 1).await;
        };
        tokio::select! {
            biased;
            _ = &mut second => panic!("{kind:?}: two connections are open at once"),
            () = within_patience(again) => {}
        }
        drop(first);
        drop(within_patience(second).await);
        server.end().await;
    }
}

#[tokio::test]
async fn a_connection_that_rests_ends_with_the_server() {
    for kind in KINDS {
        let server = Server::start(kind, Limits::with_connections(8)).await;
        let mut client = within_patience(server.round_trip()).await;
        server.stop.cancel();
        assert_eq!(within_patience(client.read(&mut [0; 1])).await.unwrap(), 0, "{kind:?}");
        server.end().await;
    }
}

#[tokio::test]
async fn who_speaks_another_protocol_is_not_answered() {
    let server = Server::start(Kind::Tls, Limits::with_connections(8)).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    let mut said = Vec::new();
    within_patience(client.read_to_end(&mut said)).await.unwrap();
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    server.end().await;
}

/// Reads until so many answers have come in full.
async fn read_answers(from: &mut (impl AsyncRead + Unpin), answers: usize) {
    let mut buffer = vec![0; BODY.len()];
    let mut missing = answers * BODY.len();
    while missing > 0 {
        let length = from.read(&mut buffer).await.unwrap();
        assert_ne!(length, 0, "the connection ended with {missing} bytes to come");
        missing -= buffer[..length].iter().filter(|&&byte| byte == FILLING).count();
    }
}

#[tokio::test]
async fn a_request_that_is_refused_unread_leaves_the_connection_usable() {
    for kind in KINDS {
        let server = Server::start(kind, Limits::with_connections(8)).await;
        let mut client = server.connect().await;
        client.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n").await.unwrap();
        client.flush().await.unwrap();
        // The router has refused it by then, and the body is yet to come.
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.write_all(b"body").await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        within_patience(read_answers(&mut client, 1)).await;
        drop(client);
        server.end().await;
    }
}

#[tokio::test]
async fn a_client_is_told_that_a_long_body_will_not_be_read() {
    let server = Server::start(Kind::Plain, Limits::with_connections(8)).await;
    let mut client = server.connect().await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n").await.unwrap();
    client.write_all(&[b' '; 100_000]).await.unwrap();
    let mut answer = Vec::new();
    within_patience(client.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("connection: close"), "{answer}");
    server.end().await;
}
