//! The accept loop: bounded connections, bounded waits for a client, and an orderly end.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to send the head of a request, and a connection may stay idle.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// How long a client may take nothing of what is sent to it.
const STALL_TIME: Duration = Duration::from_secs(30);
/// How long the loop rests when the system has no descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// What the clients together and each of them may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many connections may be open; further ones wait in the kernel's queue.
    connections: usize,
    /// How long a client may take nothing of what is sent to it before its connection is closed.
    stall_time: Duration,
}

impl Limits {
    /// The usual limits with so many connections open at once, at least one.
    pub(crate) fn with_connections(connections: usize) -> Self {
        Self { connections, stall_time: STALL_TIME }
    }
}

/// The other end of the connection that a request came over; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Accepts connections until `stop`, then lets every request that has begun come to its end.
/// The connections are tasks of `connections`.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: ServerConfig,
    router: Router,
    limits: Limits,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let slots = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Some((stream, slot)) = accept(&listener, &slots, &stop).await else { return };
        let connection =
            connection(stream, limits.stall_time, acceptor.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }
}

/// The next connection and its slot; `None` once the server stops.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // Warned of once until a connection is accepted again: it may go on for as long as clients please.
    let mut warned = false;
    loop {
        let slot = tokio::select! {
            () = stop.cancelled() => return None,
            slot = Arc::clone(slots).acquire_owned() => slot.ok()?,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => return Some((stream, slot)),
            // The client went away before it was accepted.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                if !warned {
                    tracing::warn!(%error, "no connection can be accepted now");
                    warned = true;
                }
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    stall_time: Duration,
    acceptor: TlsAcceptor,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let peer = Peer(stream.peer_addr()?.ip().to_canonical());
    // Below TLS, where a write stalls when the client's window is full. The timer runs only then.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(stall_time));
    let stream = Box::pin(stream);
    let stream = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await??;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::*;
    use crate::tls::certificate::{CurrentCertificate, from_pem};
    use crate::tls::server_config;

    /// How long the machine may take, when it is busy with other tests.
    const PATIENCE: Duration = Duration::from_secs(60);
    /// Stands in bodies alone.
    const FILLING: u8 = b'~';
    static BODY: [u8; 64 * 1024] = [FILLING; 64 * 1024];
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// The accept loop in front of a router with one large answer.
    struct Server {
        address: SocketAddr,
        certificate: CertificateDer<'static>,
        connections: TaskTracker,
        stop: CancellationToken,
        serving: JoinHandle<()>,
    }

    impl Server {
        async fn start(limits: Limits) -> Self {
            let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let own = from_pem(&key.cert.pem(), &key.signing_key.serialize_pem()).unwrap();
            let tls = server_config(Arc::new(CurrentCertificate::new(own))).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (connections, stop) = (TaskTracker::new(), CancellationToken::new());
            let router = Router::new().route("/", get(async || BODY.as_slice()));
            let serving =
                tokio::spawn(serve(listener, tls, router, limits, connections.clone(), stop.clone()));
            Self { address, certificate: key.cert.der().clone(), connections, stop, serving }
        }

        async fn connect(&self) -> TlsStream<TcpStream> {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.clone()).unwrap();
            let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            let stream = TcpStream::connect(self.address).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
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
        let limits = Limits { connections: 8, stall_time: Duration::from_millis(200) };
        let server = Server::start(limits).await;
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
            "{error:?}"
        );
        server.end().await;
    }

    #[tokio::test]
    async fn a_client_that_reads_gets_every_answer() {
        const REQUESTS: usize = 200;
        let server = Server::start(Limits::with_connections(8)).await;
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

    #[tokio::test]
    async fn a_connection_beyond_the_limit_waits_for_another_to_end() {
        let server = Server::start(Limits::with_connections(1)).await;
        let mut first = server.connect().await;
        let mut second = Box::pin(server.connect());
        let round_trip = async {
            first.write_all(REQUEST).await.unwrap();
            read_answers(&mut first, 1).await;
        };
        tokio::select! {
            biased;
            _ = &mut second => panic!("two connections are open at once"),
            () = within_patience(round_trip) => {}
        }
        drop(first);
        drop(within_patience(second).await);
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
}
