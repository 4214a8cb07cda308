//! Web servers on loopback that answer exactly what a test says, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// What a server does with a request.
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes and stays silent with the connection open.
    ThenSilence(Vec<u8>),
    /// Sends the first bytes, and then the others over and over.
    Endless(&'static str, &'static str),
    /// Sends these bytes one at a time, with a pause before each.
    Slowly(Vec<u8>, Duration),
}

/// A running server; it stops when dropped.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Web {
    /// A server on 127.0.0.1 that answers each request path with `reply`.
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("127.0.0.1", None, reply).await
    }

    /// A server of that kind on `::1`.
    pub(crate) async fn start_v6(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("::1", None, reply).await
    }

    /// The same over TLS, with a certificate that it signed itself.
    pub(crate) async fn start_tls(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("127.0.0.1", Some(self_signed()), reply).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn listen(
        ip: &str,
        tls: Option<TlsAcceptor>,
        reply: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(vec![]));
        let (seen, reply) = (Arc::clone(&requests), Arc::new(reply));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, seen, reply) = (tls.clone(), Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &seen, &*reply).await,
                        Some(tls) => serve(tls.accept(stream).await?, &seen, &*reply).await,
                    }
                });
            }
        });
        Self { address, requests, task }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A complete response with this status line and body, closed by its length.
pub(crate) fn response(status: &str, body: &str) -> Reply {
    Reply::Bytes(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

pub(crate) fn redirect(status: u16, location: &str) -> Reply {
    Reply::Bytes(
        format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
            .into_bytes(),
    )
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Mutex<Vec<String>>,
    reply: &(impl Fn(&str) -> Reply + Sync),
) -> std::io::Result<()> {
    let mut head = vec![];
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    seen.lock().unwrap().push(head);
    match reply(&path) {
        Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
        Reply::ThenSilence(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            std::future::pending::<()>().await;
        }
        Reply::Endless(first, again) => {
            stream.write_all(first.as_bytes()).await?;
            let again = again.repeat(1024 / again.len() + 1);
            loop {
                stream.write_all(again.as_bytes()).await?;
            }
        }
        Reply::Slowly(bytes, pause) => {
            for byte in bytes {
                tokio::time::sleep(pause).await;
                stream.write_u8(byte).await?;
                stream.flush().await?;
            }
        }
    }
    stream.shutdown().await
}

fn self_signed() -> TlsAcceptor {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["some.other.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
