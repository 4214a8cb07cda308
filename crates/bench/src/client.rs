//! Signed requests: nonces, retries of `badNonce`, and problem documents.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::connection::{Connection, Response, Server};
use crate::jose::{AccountKey, Signer};

/// The URLs of the directory that a client needs (RFC 8555 §7.1.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Directory {
    pub(crate) new_nonce: String,
    pub(crate) new_account: String,
    pub(crate) new_order: String,
}

/// A connection that signs what it sends.
pub(crate) struct Client {
    connection: Connection,
    directory: Directory,
    nonce: Option<String>,
    /// HTTP requests sent so far.
    requests: u64,
}

/// Why an order ended without a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderError {
    /// The server answered with a problem document (RFC 8555 §6.7).
    #[error("{kind} ({status}): {detail}")]
    Problem { kind: String, status: u16, detail: String },
    /// An authorization or order is in a state that leads nowhere.
    #[error("the {object} is {status}: {detail}")]
    Failed { object: &'static str, status: String, detail: String },
    /// The server said something that RFC 8555 does not have.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// The connection failed.
    #[error("connection: {0:#}")]
    Connection(anyhow::Error),
    /// The generator itself failed.
    #[error("generator: {0:#}")]
    Generator(anyhow::Error),
    /// The order took longer than a client would wait.
    #[error("no certificate within {} s", ORDER_TIMEOUT.as_secs())]
    Timeout,
}

/// The time allowed for one order.
pub(crate) const ORDER_TIMEOUT: Duration = Duration::from_secs(60);

/// A problem document (RFC 7807), as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) detail: String,
}

impl OrderError {
    /// What errors are counted by.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Problem { kind, status, .. } => format!("{kind} ({status})"),
            Self::Failed { object, status, .. } => format!("{object} {status}"),
            Self::Unexpected(_) => "unexpected answer".to_owned(),
            Self::Connection(_) => "connection".to_owned(),
            Self::Generator(_) => "generator".to_owned(),
            Self::Timeout => "timeout".to_owned(),
        }
    }
}

impl Client {
    /// A client of the server whose directory is at `url`.
    pub(crate) async fn start(server: Server, url: &str) -> Result<Self, OrderError> {
        let mut connection = Connection::new(server);
        let response = connection.fetch(Method::GET, url).await.map_err(OrderError::Connection)?;
        let directory = parse(&success(response)?)?;
        Ok(Self { connection, directory, nonce: None, requests: 1 })
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// HTTP requests sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// Posts a signed `payload`, once more when the server did not like the nonce (RFC 8555 §6.5).
    pub(crate) async fn post(
        &mut self,
        key: &AccountKey,
        signer: Signer<'_>,
        url: &str,
        payload: &str,
    ) -> Result<Response, OrderError> {
        match self.post_once(key, signer, url, payload).await {
            Err(OrderError::Problem { kind, .. }) if kind == "badNonce" => {
                self.post_once(key, signer, url, payload).await
            }
            outcome => outcome,
        }
    }

    async fn post_once(
        &mut self,
        key: &AccountKey,
        signer: Signer<'_>,
        url: &str,
        payload: &str,
    ) -> Result<Response, OrderError> {
        let nonce = match self.nonce.take() {
            Some(nonce) => nonce,
            None => self.new_nonce().await?,
        };
        let jws = key.sign(signer, &nonce, url, payload).map_err(OrderError::Generator)?;
        self.requests += 1;
        let response = self.connection.post(url, jws).await.map_err(OrderError::Connection)?;
        self.nonce = response.header("replay-nonce").map(str::to_owned);
        success(response)
    }

    async fn new_nonce(&mut self) -> Result<String, OrderError> {
        self.requests += 1;
        let url = &self.directory.new_nonce;
        let response = self.connection.fetch(Method::HEAD, url).await.map_err(OrderError::Connection)?;
        let nonce = response.header("replay-nonce").map(str::to_owned);
        success(response)?;
        nonce.ok_or_else(|| OrderError::Unexpected("newNonce gave no nonce".to_owned()))
    }
}

/// The body of a response as JSON.
pub(crate) fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, OrderError> {
    serde_json::from_slice(&response.body)
        .map_err(|error| OrderError::Unexpected(format!("a body with status {}: {error}", response.status)))
}

fn success(response: Response) -> Result<Response, OrderError> {
    if response.status.is_success() {
        return Ok(response);
    }
    let problem: Problem = serde_json::from_slice(&response.body).unwrap_or_default();
    let kind = match problem.kind.rsplit_once(':') {
        Some((_, kind)) => kind.to_owned(),
        None => "no problem document".to_owned(),
    };
    Err(OrderError::Problem { kind, status: response.status.as_u16(), detail: problem.detail })
}
