//! An HTTPS client over one connection per request, which can be told to send a request and never
//! read the answer.

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::MovableClock;
use crate::clock::Offset;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Speaks HTTP/1.1 over TLS with servers that one root certificate vouches for. Clones share
/// their [`Cut`].
#[derive(Clone)]
pub struct HttpsClient {
    tls: TlsConnector,
    cut: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

impl TimeProvider for Offset {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = UnixTime::now().as_secs().checked_add_signed(self.seconds())?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(since_epoch)))
    }
}

/// The moment at which a cut request has been written out. See [`HttpsClient::cut_next_post`].
#[derive(Debug)]
pub struct Cut {
    sent: oneshot::Receiver<()>,
}

impl Cut {
    /// Resolves when the request is in the hands of the operating system.
    pub async fn sent(self) {
        self.sent.await.expect("the client that was to send the request is still there");
    }
}

impl HttpsClient {
    /// A client that trusts the certificates in a PEM file and no other.
    pub fn trusting(root: &Path) -> Self {
        Self::ahead(root, Duration::ZERO)
    }

    /// A client of that kind whose time of day lies ahead of the real one.
    pub fn ahead(root: &Path, ahead: Duration) -> Self {
        Self::at(root, Offset::fixed(ahead))
    }

    /// A client of that kind whose time of day is what the clock shows, at every handshake anew. So it
    /// judges the certificate of a server under that clock as the server does.
    pub fn under(root: &Path, clock: &MovableClock) -> Self {
        Self::at(root, clock.offset())
    }

    /// The next POST will be sent whole, and its answer never be read: the request stays pending
    /// for good. So a test can kill the server at a moment at which it has, or is about to have,
    /// the request.
    pub fn cut_next_post(&self) -> Cut {
        let (sender, sent) = oneshot::channel();
        *self.cut.lock().unwrap() = Some(sender);
        Cut { sent }
    }

    /// A connection to the server of that URL, for a test that writes its own bytes.
    pub async fn connect(&self, url: &str) -> TlsStream<TcpStream> {
        self.dial(&url.parse().expect("a URL"))
            .await
            .unwrap_or_else(|error| panic!("connect to {url}: {error}"))
    }

    /// The certificate that the server of that URL shows, DER.
    pub async fn certificate(&self, url: &str) -> Vec<u8> {
        self.try_certificate(url).await.unwrap_or_else(|| panic!("no acceptable certificate at {url}"))
    }

    /// The certificate that the server of that URL shows, DER; `None` when this client refuses it.
    pub async fn try_certificate(&self, url: &str) -> Option<Vec<u8>> {
        let stream = self.dial(&url.parse().expect("a URL")).await.ok()?;
        let (_, session) = stream.get_ref();
        session.peer_certificates().map(|chain| chain[0].to_vec())
    }

    /// `GET url`: the status and the body.
    pub async fn get(&self, url: &str) -> (StatusCode, String) {
        let request = Request::get(url).body(Full::default()).expect("a URL");
        let response = self.exchange(request).await.unwrap_or_else(|error| panic!("GET {url}: {error}"));
        let (parts, body) = response.into_parts();
        (parts.status, String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }

    fn at(root: &Path, offset: Offset) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(root).expect("a PEM file of root certificates") {
            roots.add(certificate.expect("a PEM certificate")).expect("a root certificate");
        }
        let tls = ClientConfig::builder_with_details(
            Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            Arc::new(offset),
        )
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(tls)), cut: Arc::default() }
    }

    /// Any request to an absolute URL, and the answer read whole.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<http_body_util::Collected<Bytes>>, AnyError> {
        let stream = self.dial(request.uri()).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let response = sender.send_request(origin_form(request)).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?;
        driver.abort();
        Ok(Response::from_parts(parts, body))
    }

    /// Writes the request out, tells the [`Cut`], and never ends.
    async fn send_and_hang(
        &self,
        request: Request<Full<Bytes>>,
        cut: oneshot::Sender<()>,
    ) -> Result<Infallible, AnyError> {
        let mut stream = self.dial(request.uri()).await?;
        let request = origin_form(request);
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str()?));
        }
        let body = request.into_body().collect().await?.to_bytes();
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        stream.flush().await?;
        cut.send(()).map_err(|()| "nobody waits for the cut")?;
        pending().await
    }

    async fn dial(&self, url: &Uri) -> Result<TlsStream<TcpStream>, AnyError> {
        let host = url.host().ok_or("a URL with a host")?;
        let mut jumps = 0;
        loop {
            let tcp = TcpStream::connect((host, url.port_u16().unwrap_or(443))).await?;
            match self.tls.connect(ServerName::try_from(host.to_owned())?, tcp).await {
                // A server whose clock jumps gives up the handshake that is under way: its time is over.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof && jumps < 3 => jumps += 1,
                connected => return Ok(connected?),
            }
        }
    }
}

impl HttpClient for HttpsClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        let cut = if request.method() == Method::POST { self.cut.lock().unwrap().take() } else { None };
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.expect("a body in memory").to_bytes();
            let request = Request::from_parts(parts, Full::new(body));
            if let Some(cut) = cut {
                let Err(error) = client.send_and_hang(request, cut).await;
                return Err(Error::Other(error));
            }
            let response = client.exchange(request).await.map_err(Error::Other)?;
            Ok(BytesResponse::from(response.map(|body| Full::new(body.to_bytes()))))
        })
    }
}

/// A request as it goes to an origin server: the target without scheme and host, which stand in
/// the Host field (RFC 9112 §3.2.1).
fn origin_form(mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
    let authority = request.uri().authority().expect("an absolute URL").as_str().to_owned();
    request
        .headers_mut()
        .insert(http::header::HOST, authority.parse().expect("an authority is a field value"));
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse().expect("a path is a URI");
    request
}
