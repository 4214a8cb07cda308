//! An account, and the way of an order through RFC 8555 §7.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::client::{Client, ORDER_TIMEOUT, OrderError, Problem, parse};
use crate::connection::Response;
use crate::csr::KeyPool;
use crate::jose::{AccountKey, Signer};
use crate::responder::Tokens;

/// An account of the server.
pub(crate) struct Account {
    key: AccountKey,
    thumbprint: Arc<str>,
    url: String,
}

/// A client that makes one order at a time.
pub(crate) struct Session {
    client: Client,
    account: Arc<Account>,
    tokens: Tokens,
    keys: Arc<KeyPool>,
}

/// The pauses before the first polls; the last one repeats. Retry-After counts in whole seconds: a real
/// client sleeps them, but a measurement would then be of the sleep.
const POLL_PAUSES: [Duration; 3] =
    [Duration::from_millis(2), Duration::from_millis(5), Duration::from_millis(10)];

#[derive(Deserialize)]
struct Order {
    status: String,
    #[serde(default)]
    authorizations: Vec<String>,
    finalize: String,
    certificate: Option<String>,
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Authorization {
    status: String,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    #[serde(default)]
    token: String,
    error: Option<Problem>,
}

impl Account {
    /// Makes an account with a new key (RFC 8555 §7.3).
    pub(crate) async fn register(client: &mut Client) -> Result<Self, OrderError> {
        let key = AccountKey::generate().map_err(OrderError::Generator)?;
        let url = client.directory().new_account.clone();
        let response = client.post(&key, Signer::Jwk, &url, r#"{"termsOfServiceAgreed":true}"#).await?;
        let url = location(&response)?;
        Ok(Self { thumbprint: key.thumbprint().into(), key, url })
    }
}

impl Session {
    pub(crate) fn new(client: Client, account: Arc<Account>, tokens: Tokens, keys: Arc<KeyPool>) -> Self {
        Self { client, account, tokens, keys }
    }

    /// HTTP requests sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.client.requests()
    }

    /// Orders a certificate for `name` and downloads it.
    pub(crate) async fn order(&mut self, name: &str) -> Result<(), OrderError> {
        tokio::time::timeout(ORDER_TIMEOUT, self.order_in_any_time(name))
            .await
            .unwrap_or(Err(OrderError::Timeout))
    }

    async fn order_in_any_time(&mut self, name: &str) -> Result<(), OrderError> {
        let new_order = self.client.directory().new_order.clone();
        let payload = json!({"identifiers": [{"type": "dns", "value": name}]}).to_string();
        let response = self.post(&new_order, &payload).await?;
        let url = location(&response)?;
        let order: Order = parse(&response)?;
        for authorization in &order.authorizations {
            self.authorize(authorization).await?;
        }
        let csr = self.keys.csr(name).map_err(OrderError::Generator)?;
        let order = parse(&self.post(&order.finalize, &json!({"csr": csr}).to_string()).await?)?;
        let certificate = self.issued(&url, order).await?;
        let chain = self.post(&certificate, "").await?;
        if chain.body.starts_with(b"-----BEGIN CERTIFICATE-----") {
            return Ok(());
        }
        Err(OrderError::Unexpected("the certificate is not in PEM".to_owned()))
    }

    /// Has the server validate http-01, unless the authorization is valid already.
    async fn authorize(&mut self, url: &str) -> Result<(), OrderError> {
        let authorization: Authorization = parse(&self.post(url, "").await?)?;
        if authorization.status == "valid" {
            return Ok(());
        }
        let challenge = authorization.challenges.iter().find(|challenge| challenge.kind == "http-01");
        let challenge =
            challenge.ok_or_else(|| OrderError::Unexpected("the server offers no http-01".to_owned()))?;
        self.tokens.publish(&challenge.token, Arc::clone(&self.account.thumbprint));
        let outcome = self.validate(url, &challenge.url).await;
        self.tokens.withdraw(&challenge.token);
        outcome
    }

    async fn validate(&mut self, authorization_url: &str, challenge_url: &str) -> Result<(), OrderError> {
        self.post(challenge_url, "{}").await?;
        for pause in poll_pauses() {
            tokio::time::sleep(pause).await;
            let authorization: Authorization = parse(&self.post(authorization_url, "").await?)?;
            match authorization.status.as_str() {
                "valid" => break,
                "pending" => {}
                _ => {
                    let problem = authorization.challenges.into_iter().find_map(|challenge| challenge.error);
                    return Err(failed("authorization", authorization.status, problem));
                }
            }
        }
        Ok(())
    }

    /// Waits until the order has a certificate, and tells where.
    async fn issued(&mut self, url: &str, mut order: Order) -> Result<String, OrderError> {
        let mut pauses = poll_pauses();
        loop {
            match (order.status.as_str(), order.certificate, pauses.next()) {
                ("valid", Some(certificate), _) => return Ok(certificate),
                ("processing", _, Some(pause)) => tokio::time::sleep(pause).await,
                _ => return Err(failed("order", order.status, order.error)),
            }
            order = parse(&self.post(url, "").await?)?;
        }
    }

    async fn post(&mut self, url: &str, payload: &str) -> Result<Response, OrderError> {
        self.client.post(&self.account.key, Signer::Kid(&self.account.url), url, payload).await
    }
}

/// Without an end: the time allowed for an order ends it.
fn poll_pauses() -> impl Iterator<Item = Duration> {
    let last = POLL_PAUSES.last().copied().unwrap_or_default();
    POLL_PAUSES.into_iter().chain(std::iter::repeat(last))
}

fn location(response: &Response) -> Result<String, OrderError> {
    let location = response.header("location").map(str::to_owned);
    location.ok_or_else(|| OrderError::Unexpected("a new object has no Location".to_owned()))
}

fn failed(object: &'static str, status: String, problem: Option<Problem>) -> OrderError {
    OrderError::Failed { object, status, detail: problem.unwrap_or_default().detail }
}
