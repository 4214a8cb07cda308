//! The one client of this program that calls somebody for licences.
//!
//! Nothing else makes a client, and [`Client::of`] makes one only where the configuration names a portal and is
//! not offline: without the value there is nothing to call with.

use std::time::Duration;

use anyhow::Context as _;
use chancery_license::InstallationKey;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::failure::{Failure, Refused};
use crate::config::license::{License, Portal, Proxy};
use crate::config::{PassphraseSource, secret_in};

/// The longest answer: the longest response, with its newlines escaped and manifests beside it.
const MAX_ANSWER_BYTES: usize = 11 * 1_024 * 1_024;
/// The longest answer that says what was wrong.
const MAX_ERROR_BYTES: usize = 64 * 1_024;
/// How many manifests are read of one answer, the first ones; the next answer goes on from there.
const MAX_KEYS: usize = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const WHOLE_TIMEOUT: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!("chancery/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What calls the portal.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// An answer, as far as it was read.
pub(super) struct Sealed {
    /// The response, in its armour.
    pub(super) response: String,
    /// Key manifests by which the response is verified, where the installation has not got them yet.
    pub(super) keys: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    object: String,
    response: String,
    #[serde(default)]
    keys: Vec<String>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: String,
}

impl Client {
    /// The client of a configuration; `None` where nobody is to be called.
    ///
    /// # Errors
    /// When the files that the configuration names cannot be used.
    pub(crate) fn of(license: &License) -> anyhow::Result<Option<Self>> {
        license.portal().map(|portal| Self::calling(portal, WHOLE_TIMEOUT)).transpose()
    }

    fn calling(portal: &Portal, patience: Duration) -> anyhow::Result<Self> {
        let mut builder = chancery_web::client(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(ACCEPT, JSON)]))
            .https_only(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(patience)
            // One question a day leaves no connection behind.
            .pool_max_idle_per_host(0);
        if let Some(proxy) = &portal.proxy {
            builder = builder.proxy(way_through(proxy).context("license.portal.proxy")?);
        }
        if let Some(file) = &portal.ca_file {
            // These alone vouch for the portal, and for a proxy that speaks TLS.
            builder = builder.tls_certs_only(chancery_web::roots(file).context("license.portal.ca_file")?);
        }
        let http = builder.build().context("the client for the licence portal cannot be made")?;
        Ok(Self { http, base: portal.url.clone() })
    }

    /// Sends a sealed request, and returns the sealed response.
    pub(super) async fn sync(
        &self,
        installation: &InstallationKey,
        request: &str,
    ) -> Result<Sealed, Failure> {
        let url = format!("{}/api/v1/installations/{installation}/sync", self.base);
        let body = json!({ "request": request }).to_string();
        let sent = self.http.post(url).header(CONTENT_TYPE, JSON).body(body).send().await;
        let response = sent.map_err(unreachable)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Failure::Redirected { status: status.as_u16() });
        }
        if status != StatusCode::OK {
            return Err(refusal(status, response).await);
        }
        let answer = bounded(response, MAX_ANSWER_BYTES).await?;
        Sealed::of(&answer)
    }
}

impl Sealed {
    fn of(answer: &[u8]) -> Result<Self, Failure> {
        let Answer { object, response, mut keys } =
            serde_json::from_slice(answer).map_err(|_| Failure::NotAnAnswer)?;
        if object != "installation_sync" {
            return Err(Failure::NotAnAnswer);
        }
        keys.truncate(MAX_KEYS);
        Ok(Self { response, keys })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

fn way_through(proxy: &Proxy) -> anyhow::Result<reqwest::Proxy> {
    let way = reqwest::Proxy::all(&proxy.url)?;
    let Some(credentials) = &proxy.credentials else { return Ok(way) };
    let password: SecretString = match &credentials.password {
        PassphraseSource::Environment(password) => password.clone(),
        PassphraseSource::File(path) => secret_in(path, "the password for the proxy")?,
    };
    Ok(way.basic_auth(&credentials.username, password.expose_secret()))
}

/// A body of at most so many bytes; what is behind that is not read.
async fn bounded(mut response: Response, most: usize) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > most) {
        return Err(Failure::TooLong(most));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > most {
            return Err(Failure::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an answer with another status than 200 says.
async fn refusal(status: StatusCode, response: Response) -> Failure {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    // RFC 9110 §10.2.3 allows a date as well, which the portal does not send.
    let retry_after = retry_after.and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let code = match bounded(response, MAX_ERROR_BYTES).await {
        Ok(body) => {
            serde_json::from_slice(&body).ok().and_then(|answer: ErrorAnswer| named(answer.error.code))
        }
        Err(_) => None,
    };
    let refused = code.as_deref().and_then(|code| Refused::of_code(code, retry_after));
    match refused {
        Some(refused) if status.is_client_error() => Failure::Refused(refused),
        _ => Failure::Status { status: status.as_u16(), code, retry_after },
    }
}

/// A code that looks like one, and can be shown.
fn named(code: String) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (!code.is_empty() && code.len() <= 64 && code.bytes().all(is_name)).then_some(code)
}

/// Why there was no answer.
fn unreachable(error: reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::TimedOut;
    }
    Failure::Unreachable(chancery_web::why(error))
}

#[cfg(test)]
mod tests;
