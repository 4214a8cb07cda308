//! The accept loop: bounded connections, bounded waits for a client, and an orderly end.

#[cfg(test)]
mod tests;
mod unread;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::HeaderValue;
use http::header::CONNECTION;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
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
pub struct Limits {
    /// How many connections may be open; further ones wait in the kernel's queue.
    connections: usize,
    /// How long a client may take nothing of what is sent to it before its connection is closed.
    stall_time: Duration,
}

impl Limits {
    /// The usual limits with so many connections open at once, at least one.
    pub fn with_connections(connections: usize) -> Self {
        Self { connections, stall_time: STALL_TIME }
    }
}

/// The other end of the connection that a request came over; an extension of every request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(
    /// Its address; one of IPv4 never in the form of IPv6.
    pub IpAddr,
);

/// What lies between TCP and HTTP.
#[derive(Debug, Clone)]
pub enum Transport {
    /// TLS, as `server_config` sets it up.
    Tls(Arc<ServerConfig>),
    /// Nothing. For a proxy on the same machine that speaks TLS with the clients.
    Plain,
}

/// Accepts connections until `stop`, then lets every request that has begun come to its end.
/// The connections are tasks of `connections`.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    limits: Limits,
    connections: TaskTracker,
    stop: CancellationToken,
) {
    let acceptor = match transport {
        Transport::Tls(config) => Some(TlsAcceptor::from(config)),
        Transport::Plain => None,
    };
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

type ConnectionError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    stall_time: Duration,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stop: CancellationToken,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let peer = Peer(stream.peer_addr()?.ip().to_canonical());
    // Below TLS, where a write stalls when the client's window is full. The timer runs only then.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(stall_time));
    let stream = Box::pin(stream);
    let Some(acceptor) = acceptor else { return http(stream, peer, router, stop).await };
    let stream = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await??;
    http(stream, peer, router, stop).await
}

/// Answers the requests of a connection.
async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    stop: CancellationToken,
) -> Result<(), ConnectionError> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (head, body) = request.into_parts();
        let (body, lender) = unread::lend(body);
        let answered = router.call(Request::from_parts(head, body));
        async move {
            let mut response = answered.await?;
            if !lender.read_rest().await {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    Ok(connection.await?)
}
