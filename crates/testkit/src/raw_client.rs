//! An ACME client that sends what it is told to, right or wrong: for the requests that no real
//! client sends.

mod binding;

mod key;

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{Collected, Full};
use hyper::body::Bytes;
use serde_json::{Value, json};

pub use key::{JwsKey, base64url};

use crate::{HttpsClient, Installation, MovableClock};

/// Signs with a key of its own, on P-256 (ES256) unless it was given another. Each request spends the nonce
/// of the answer before it, refused or not, so that a chain of requests also shows that every answer brought
/// a fresh one.
pub struct RawClient {
    https: HttpsClient,
    directory: Value,
    key: Arc<JwsKey>,
    account: Option<String>,
    nonce: Option<String>,
}

/// An answer of the server, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl RawClient {
    /// A client of a running server, with a new key and no account.
    pub async fn new(installation: &Installation) -> Self {
        Self::over(installation.https_client(), installation).await
    }

    /// A client of that kind whose time of day is the clock's, for a server under that clock.
    pub async fn under(clock: &MovableClock, installation: &Installation) -> Self {
        Self::over(installation.https_client_under(clock), installation).await
    }

    /// A further client of the same server, with a new key and no account. Making it costs no request.
    pub fn another(&self) -> Self {
        self.with_key(JwsKey::p256())
    }

    /// A client of that kind with a key of the caller's.
    pub fn with_key(&self, key: JwsKey) -> Self {
        Self::assembled(self.https.clone(), self.directory.clone(), key)
    }

    /// The key that it signs with.
    pub fn key(&self) -> &Arc<JwsKey> {
        &self.key
    }

    /// The URL of a resource, by its name in the directory: `newOrder`, say.
    pub fn url(&self, resource: &str) -> String {
        self.directory[resource]
            .as_str()
            .unwrap_or_else(|| panic!("the directory names `{resource}`"))
            .to_owned()
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        self.key.jwk()
    }

    /// What this client shows for a challenge with that token (RFC 8555 §8.1).
    pub fn key_authorization(&self, token: &str) -> String {
        format!("{token}.{}", self.key.thumbprint())
    }

    /// The URL of the account that [`register`](Self::register) made or found.
    pub fn account(&self) -> String {
        self.account.clone().expect("register comes first")
    }

    /// Whether [`register`](Self::register) made or found an account.
    pub fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// Asks for an account (RFC 8555 §7.3). Where the server gives one, the requests from then on
    /// name it as their `kid`.
    pub async fn register(&mut self, payload: &Value) -> Answer {
        let url = self.url("newAccount");
        self.account = None;
        let answer = self.post(&url, &payload.to_string()).await;
        self.account = answer.header("location").map(str::to_owned);
        answer
    }

    /// Sends a payload in a request that is signed as RFC 8555 §6.2 wants it; the empty text makes
    /// it a POST-as-GET.
    pub async fn post(&mut self, url: &str, payload: &str) -> Answer {
        let header = self.header(url).await;
        let body = self.sign(&header, payload);
        self.send(url, &body).await
    }

    /// A good protected header for a request to that URL.
    pub async fn header(&mut self, url: &str) -> Value {
        let mut header = json!({ "alg": self.key.alg(), "nonce": self.nonce().await, "url": url });
        match &self.account {
            Some(account) => header["kid"] = json!(account),
            None => header["jwk"] = self.jwk(),
        }
        header
    }

    /// A JWS in flattened form (RFC 7515 §7.2.2) with any protected header.
    pub fn sign(&self, header: &Value, payload: &str) -> Value {
        self.key.flattened(header, payload.as_bytes())
    }

    /// Posts any body as a signed request, and keeps the nonce of the answer.
    pub async fn send(&mut self, url: &str, body: &Value) -> Answer {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/jose+json")
            .body(Full::from(body.to_string()));
        let answer = self.exchange(request.expect("a URL")).await;
        self.nonce = answer.header("replay-nonce").map(str::to_owned);
        answer
    }

    /// Sends any request whatever. The nonce of its answer is not kept.
    pub async fn exchange(&self, request: Request<Full<Bytes>>) -> Answer {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self.https.exchange(request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        Answer::read(response)
    }

    /// The nonce of the last answer, or else a new one; the caller spends it.
    pub async fn nonce(&mut self) -> String {
        if let Some(nonce) = self.nonce.take() {
            return nonce;
        }
        let answer = self.unsigned(Method::HEAD, &self.url("newNonce")).await;
        answer.header("replay-nonce").expect("newNonce gives a nonce").to_owned()
    }

    /// Sends a request without body or signature.
    pub async fn unsigned(&self, method: Method, url: &str) -> Answer {
        let request = Request::builder().method(method).uri(url).body(Full::default());
        self.exchange(request.expect("a URL")).await
    }

    async fn over(https: HttpsClient, installation: &Installation) -> Self {
        let (_, directory) = https.get(&installation.directory_url()).await;
        Self::assembled(
            https,
            serde_json::from_str(&directory).expect("the directory is JSON"),
            JwsKey::p256(),
        )
    }

    fn assembled(https: HttpsClient, directory: Value, key: JwsKey) -> Self {
        Self { https, directory, key: Arc::new(key), account: None, nonce: None }
    }
}

impl Answer {
    pub(crate) fn read(response: Response<Collected<Bytes>>) -> Self {
        let (parts, body) = response.into_parts();
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// A header field, if the answer has it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header field is text"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The detail of the problem document that this answer must be: with that status and ACME error
    /// type (`malformed`, say; RFC 8555 §6.7).
    pub fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:ietf:params:acme:error:{kind}"), "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        problem["detail"].as_str().unwrap_or_else(|| panic!("no detail: {self:?}")).to_owned()
    }
}
