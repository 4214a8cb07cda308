//! tls-alpn-01 (RFC 8737): does the TLS server of a name show a certificate made for the challenge?

mod certificate;
mod identity;
mod signed_handshake;

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio_rustls::client::TlsStream;

use self::identity::Identity;
use self::signed_handshake::SignedHandshake;
use crate::dial::{Connection, Dialer};
use crate::egress::EgressPolicy;
use crate::failure::{Failure, FailureKind};
use crate::resolver::Resolver;
use crate::tls::TlsClient;

/// RFC 8737 §6.2.
const PROTOCOL: &[u8] = b"acme-tls/1";

const ADVICE: &str =
    "check that what listens there answers the protocol `acme-tls/1` (RFC 8737) for this name";

/// The port and limits of [`TlsAlpn01`].
#[derive(Debug, Clone)]
pub struct TlsAlpn01Settings {
    /// The port that is dialled; 443 by RFC 8737 §3. Another port makes the CA one of its own kind.
    pub port: u16,
    /// The time allowed for connecting to one address.
    pub connect_timeout: Duration,
    /// The time allowed for everything: look-up, connecting, handshake.
    pub total_timeout: Duration,
}

impl Default for TlsAlpn01Settings {
    /// Port 443, three seconds to connect, ten altogether.
    fn default() -> Self {
        Self { port: 443, connect_timeout: Duration::from_secs(3), total_timeout: Duration::from_secs(10) }
    }
}

/// Observes tls-alpn-01 challenges. Cheap to use for many at once; holds no connection between them.
#[derive(Debug)]
pub struct TlsAlpn01 {
    dialer: Dialer,
    port: u16,
    total_timeout: Duration,
    tls: TlsClient,
}

impl TlsAlpn01 {
    /// An observer that finds addresses with `resolver` and dials those that `egress` allows.
    pub fn new(resolver: Resolver, egress: EgressPolicy, settings: TlsAlpn01Settings) -> Self {
        let TlsAlpn01Settings { port, connect_timeout, total_timeout } = settings;
        let tls = TlsClient::new(|provider| SignedHandshake { provider }, PROTOCOL, ADVICE);
        Self { dialer: Dialer { resolver, egress, timeout: connect_timeout }, port, total_timeout, tls }
    }

    /// Makes a handshake for `acme-tls/1` with the host of `identifier` and holds the certificate it
    /// shows against the SHA-256 digest of the key authorization. Nothing is sent once it is shown.
    ///
    /// `identifier` is a DNS name or an IP address (RFC 8738 §6).
    ///
    /// # Errors
    /// What was observed instead.
    pub async fn observe(
        &self,
        identifier: &str,
        key_authorization_digest: &[u8; 32],
    ) -> Result<(), Failure> {
        let limit = self.total_timeout;
        let look = self.look(identifier, key_authorization_digest);
        let Ok(outcome) = tokio::time::timeout(limit, look).await else {
            let detail = format!(
                "the TLS server of `{identifier}` on port {} did not finish its handshake within {limit:?}; {ADVICE}",
                self.port
            );
            return Err(Failure::passing(FailureKind::Timeout, detail));
        };
        outcome.inspect_err(
            |failure| tracing::debug!(%identifier, kind = ?failure.kind, %failure, "tls-alpn-01 failed"),
        )
    }

    async fn look(&self, identifier: &str, key_authorization_digest: &[u8; 32]) -> Result<(), Failure> {
        let identity = Identity::of(identifier);
        let wanted = format!("tls-alpn-01 of `{identifier}`");
        let tcp = self.dialer.connect(identifier, self.port, &wanted).await?;
        let mut tls = self.tls.connect(&identity.server_name(), tcp, &wanted).await?;
        let outcome = check(&tls, identity, key_authorization_digest);
        // What was to be seen has been seen, whatever becomes of the goodbye.
        let _ = tls.shutdown().await;
        outcome.map_err(|(kind, reason)| {
            let host = identifier;
            let detail = format!(
                "the TLS server of `{host}` on port {} did not answer tls-alpn-01: {reason}",
                self.port
            );
            Failure::lasting(kind, detail)
        })
    }
}

/// What a finished handshake shows.
fn check(
    tls: &TlsStream<Connection>,
    identity: Identity<'_>,
    key_authorization_digest: &[u8; 32],
) -> Result<(), (FailureKind, String)> {
    let (_, connection) = tls.get_ref();
    if connection.alpn_protocol() != Some(PROTOCOL) {
        let reason = format!("it did not choose the protocol `acme-tls/1`; {ADVICE}");
        return Err((FailureKind::Tls, reason));
    }
    let shown = connection.peer_certificates().and_then(<[_]>::first);
    let shown = shown.ok_or_else(|| (FailureKind::Tls, format!("it showed no certificate; {ADVICE}")))?;
    certificate::check(shown, identity, key_authorization_digest).map_err(|refusal| {
        let reason = format!(
            "the certificate it showed is not the one for this challenge: {refusal}; let the ACME client \
             make it anew"
        );
        (FailureKind::Mismatch, reason)
    })
}
