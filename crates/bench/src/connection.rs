//! One kept-alive HTTPS connection to the server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What is needed to connect to the server; shared by all clients.
#[derive(Clone)]
pub(crate) struct Server {
    tls: TlsConnector,
    name: ServerName<'static>,
    address: SocketAddr,
    host: HeaderValue,
}

/// A connection that opens on the first request, and again after the server closed it.
pub(crate) struct Connection {
    server: Server,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// A response in full.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

const MAX_BODY_BYTES: usize = 1024 * 1024;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("chancery-bench/", env!("CARGO_PKG_VERSION")));
const JOSE: HeaderValue = HeaderValue::from_static("application/jose+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Server {
    /// The server at `url`, trusted when it chains to a certificate in `ca_file`.
    pub(crate) async fn find(url: &str, ca_file: &Path) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        let host = uri.host().with_context(|| format!("`{url}` has no host"))?;
        anyhow::ensure!(uri.scheme_str() == Some("https"), "`{url}` is not an https URL");
        let address = tokio::net::lookup_host((host, uri.port_u16().unwrap_or(443)))
            .await
            .with_context(|| format!("cannot find the address of {host}"))?
            .min_by_key(SocketAddr::is_ipv6)
            .with_context(|| format!("{host} has no address"))?;
        let authority = uri.authority().map_or(host, |authority| authority.as_str());
        Ok(Self {
            tls: TlsConnector::from(Arc::new(trusting(ca_file)?)),
            name: ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?,
            address,
            host: HeaderValue::from_str(authority)?,
        })
    }
}

impl Connection {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, sender: None }
    }

    /// Sends a request without a body.
    pub(crate) async fn fetch(&mut self, method: Method, url: &str) -> anyhow::Result<Response> {
        let request = self.request(method, url, Bytes::new())?;
        self.send(request).await
    }

    /// Posts a JWS.
    pub(crate) async fn post(&mut self, url: &str, jws: String) -> anyhow::Result<Response> {
        let mut request = self.request(Method::POST, url, Bytes::from(jws))?;
        request.headers_mut().insert(CONTENT_TYPE, JOSE);
        self.send(request).await
    }

    /// Posts JSON, with what the server knows the sender by.
    pub(crate) async fn post_json(
        &mut self,
        url: &str,
        authorization: &HeaderValue,
        body: String,
    ) -> anyhow::Result<Response> {
        let mut request = self.request(Method::POST, url, Bytes::from(body))?;
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        self.send(request).await
    }

    fn request(&self, method: Method, url: &str, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let uri: Uri = url.parse().with_context(|| format!("the server names `{url}`, which is no URL"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse()?;
        request.headers_mut().insert(HOST, self.server.host.clone());
        request.headers_mut().insert(USER_AGENT, AGENT);
        Ok(request)
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response> {
        let mut sender = match self.reuse().await {
            Some(open) => open,
            None => self.open().await?,
        };
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(anyhow::Error::from_boxed)?;
        self.sender = Some(sender);
        Ok(Response { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// The connection of the request before, when the server keeps it open.
    async fn reuse(&mut self) -> Option<SendRequest<Full<Bytes>>> {
        let mut sender = self.sender.take()?;
        sender.ready().await.ok()?;
        Some(sender)
    }

    async fn open(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let Server { tls, name, address, .. } = &self.server;
        let tcp =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        tcp.set_nodelay(true)?;
        let stream = tls
            .connect(name.clone(), tcp)
            .await
            .with_context(|| format!("no TLS connection to {address}; is the CA file the server's root?"))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors reach the request that meets them.
        tokio::spawn(connection);
        Ok(sender)
    }
}

impl Response {
    /// The value of a header, when it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn trusting(ca_file: &Path) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let in_file = || format!("cannot read certificates from {}", ca_file.display());
    for certificate in CertificateDer::pem_file_iter(ca_file).with_context(in_file)? {
        roots.add(certificate.with_context(in_file)?).with_context(in_file)?;
    }
    anyhow::ensure!(!roots.is_empty(), "{} holds no certificate", ca_file.display());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
