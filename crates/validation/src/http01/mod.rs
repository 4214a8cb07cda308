//! http-01 (RFC 8555 §8.3): does the host of a name answer with the key authorization?

mod any_certificate;
mod target;

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use self::any_certificate::AnyCertificate;
use self::target::Target;
use crate::capped::TooMuch;
use crate::dial::Dialer;
use crate::egress::EgressPolicy;
pub use crate::failure::{Failure, FailureKind};
use crate::resolver::Resolver;
use crate::tls::TlsClient;

/// The ports and limits of [`Http01`].
#[derive(Debug, Clone)]
pub struct Http01Settings {
    /// The port of the first request; 80 by RFC 8555 §8.3. Another port makes the CA one of its own kind.
    pub port: u16,
    /// A port that redirects may lead to, beside 80, 443 and `port`.
    pub https_port: u16,
    /// The time allowed for connecting to one address.
    pub connect_timeout: Duration,
    /// The time allowed for everything: look-ups, redirects, reading.
    pub total_timeout: Duration,
}

impl Default for Http01Settings {
    /// Ports 80 and 443, three seconds to connect, ten altogether.
    fn default() -> Self {
        Self {
            port: 80,
            https_port: 443,
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(10),
        }
    }
}

/// Observes http-01 challenges. Cheap to use for many at once; holds no connection between them.
#[derive(Debug)]
pub struct Http01 {
    dialer: Dialer,
    settings: Http01Settings,
    tls: TlsClient,
    http: http1::Builder,
}

impl Http01 {
    /// An observer that finds addresses with `resolver` and dials those that `egress` allows.
    pub fn new(resolver: Resolver, egress: EgressPolicy, settings: Http01Settings) -> Self {
        let mut http = http1::Builder::new();
        http.max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD_BYTES);
        let tls = TlsClient::new(
            |provider| AnyCertificate { provider },
            b"http/1.1",
            "check the TLS set-up of its host",
        );
        Self { dialer: Dialer { resolver, egress, timeout: settings.connect_timeout }, settings, tls, http }
    }

    /// Fetches `http://{name}/.well-known/acme-challenge/{token}` and compares what comes with
    /// `key_authorization`, white space at its end aside.
    ///
    /// `name` is a DNS name or an IP address (RFC 8738), `token` the challenge's. Redirects are
    /// followed, ten at most, over `http` and `https` (with any certificate: the proof is the content).
    ///
    /// # Errors
    /// What was observed instead.
    pub async fn observe(&self, name: &str, token: &str, key_authorization: &str) -> Result<(), Failure> {
        let first = Target::challenge(name, self.settings.port, token)?;
        let limit = self.settings.total_timeout;
        let Ok(outcome) = tokio::time::timeout(limit, self.follow(&first, key_authorization)).await else {
            let detail =
                format!("{first} did not answer in full within {limit:?}; make its host answer faster");
            return Err(Failure::passing(FailureKind::Timeout, detail));
        };
        outcome
            .inspect_err(|failure| tracing::debug!(%name, kind = ?failure.kind, %failure, "http-01 failed"))
    }

    async fn follow(&self, first: &Target, key_authorization: &str) -> Result<(), Failure> {
        let mut target = first.clone();
        for _ in 0..=MAX_REDIRECTS {
            target = match self.visit(&target, key_authorization).await? {
                Visit::Proven => return Ok(()),
                Visit::Redirect(next) => next,
            };
        }
        let detail =
            format!("{first} redirects more than {MAX_REDIRECTS} times; answer there or nearer to it");
        Err(Failure::lasting(FailureKind::Redirect, detail))
    }

    async fn visit(&self, target: &Target, key_authorization: &str) -> Result<Visit, Failure> {
        let tcp = self.dialer.connect(target.host(), target.port(), target).await?;
        if !target.is_https() {
            return self.exchange(tcp, target, key_authorization).await;
        }
        let tls = self.tls.connect(target.host(), tcp, target).await?;
        self.exchange(tls, target, key_authorization).await
    }

    /// One request and its answer. The connection is driven here and ends here.
    async fn exchange<S>(&self, stream: S, target: &Target, key_authorization: &str) -> Result<Visit, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let failed = |error: hyper::Error| transport_failure(target, &error);
        let (mut sender, connection) = self.http.handshake(TokioIo::new(stream)).await.map_err(failed)?;
        let request = request(target)?;
        let mut exchange = pin!(async {
            let response = sender.send_request(request).await.map_err(failed)?;
            self.read(response, target, key_authorization).await
        });
        tokio::select! {
            biased;
            visit = &mut exchange => visit,
            // The connection is over: whatever it had to tell has reached the exchange.
            _ = connection => exchange.await,
        }
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        target: &Target,
        key_authorization: &str,
    ) -> Result<Visit, Failure> {
        let status = response.status();
        if is_redirect(status) {
            let ports = [80, 443, self.settings.port, self.settings.https_port];
            return Ok(Visit::Redirect(target.redirected(response.headers().get(LOCATION), &ports)?));
        }
        if status != StatusCode::OK {
            return Err(status_failure(target, status));
        }
        let body = read_body(response.into_body(), target).await?;
        let proof = body.trim_ascii_end();
        if verify_slices_are_equal(proof, key_authorization.as_bytes()).is_ok() {
            return Ok(Visit::Proven);
        }
        let detail = format!(
            "{target} answered {} bytes that are not the key authorization of this challenge ({} bytes); \
             serve the one of this account's key",
            proof.len(),
            key_authorization.len()
        );
        Err(Failure::lasting(FailureKind::Mismatch, detail))
    }
}

/// What one request showed.
enum Visit {
    Proven,
    Redirect(Target),
}

const MAX_REDIRECTS: usize = 10;
/// A key authorization has 87 bytes; this leaves room for white space.
const MAX_BODY_BYTES: usize = 4 * 1024;
const MAX_HEADERS: usize = 64;
/// For the status line and all headers.
const MAX_HEAD_BYTES: usize = 16 * 1024;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("chancery/", env!("CARGO_PKG_VERSION")));

fn request(target: &Target) -> Result<Request<Empty<Bytes>>, Failure> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = Uri::from(target.path_and_query().clone());
    let headers = request.headers_mut();
    headers.insert(HOST, target.host_header()?);
    headers.insert(USER_AGENT, AGENT);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

async fn read_body(mut body: Incoming, target: &Target) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::with_capacity(128);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| transport_failure(target, &error))?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BODY_BYTES {
            let detail = format!(
                "{target} answered more than {MAX_BODY_BYTES} bytes; serve the key authorization and nothing else"
            );
            return Err(Failure::lasting(FailureKind::Mismatch, detail));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn status_failure(target: &Target, status: StatusCode) -> Failure {
    let detail = format!("{target} answered {status} instead of 200 with the key authorization");
    let kind = FailureKind::Response(status.as_u16());
    let busy = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if busy || status.is_server_error() {
        Failure::passing(kind, detail)
    } else {
        Failure::lasting(kind, detail)
    }
}

fn transport_failure(target: &Target, error: &hyper::Error) -> Failure {
    if TooMuch::caused(error) {
        let detail = format!("{target} has no end: {TooMuch}; serve the key authorization and nothing else");
        return Failure::lasting(FailureKind::Protocol, detail);
    }
    if error.is_parse() || error.is_parse_too_large() || is_garbled(error) {
        let detail = format!("{target} did not answer in HTTP/1.1 ({error}); check what listens there");
        return Failure::lasting(FailureKind::Protocol, detail);
    }
    let detail = format!("the connection for {target} broke ({error}); check what listens there");
    Failure::passing(FailureKind::Connection, detail)
}

/// Whether a body was cut into chunks in a way that makes no sense, rather than cut off.
fn is_garbled(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause
        .is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput))
}
