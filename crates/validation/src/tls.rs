//! TLS with hosts that nobody vouches for.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::capped::TooMuch;
use crate::dial::Connection;
use crate::failure::{Failure, FailureKind};

/// A client that offers one application protocol, judges certificates as `verifier` does, and keeps
/// nothing from one connection to the next.
///
/// When it could not be set up, every connection fails with that reason.
#[derive(Debug)]
pub(crate) struct TlsClient {
    config: Result<Arc<ClientConfig>, rustls::Error>,
    /// What the people behind a host can do when a handshake fails.
    advice: &'static str,
}

impl TlsClient {
    /// TLS 1.2 or 1.3, whichever the host has.
    pub(crate) fn new<V: ServerCertVerifier + 'static>(
        verifier: impl FnOnce(Arc<CryptoProvider>) -> V,
        protocol: &[u8],
        advice: &'static str,
    ) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Arc::new(verifier(Arc::clone(&provider)));
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map(|builder| {
            let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
            let mut config = builder.with_no_client_auth();
            config.resumption = Resumption::disabled();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        });
        Self { config, advice }
    }

    /// Asks for `host`, a name or an address, over a new connection. A failure tells what it was
    /// `wanted` for.
    pub(crate) async fn connect(
        &self,
        host: &str,
        tcp: Connection,
        wanted: &(impl fmt::Display + Sync),
    ) -> Result<TlsStream<Connection>, Failure> {
        let told =
            |reason: &dyn fmt::Display| format!("no TLS connection for {wanted}: {reason}; {}", self.advice);
        let lasting = |reason: &dyn fmt::Display| Failure::lasting(FailureKind::Tls, told(reason));
        let config = self.config.clone().map_err(|error| lasting(&error))?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| lasting(&"its host is not a name that TLS can ask for"))?;
        let handshake = TlsConnector::from(config).connect(name, tcp);
        handshake.await.map_err(|error| {
            if speaks(&error) {
                lasting(&error)
            } else {
                Failure::passing(FailureKind::Connection, told(&error))
            }
        })
    }
}

/// Whether a handshake failed by what the other side said, and not because the connection broke.
fn speaks(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>() || inner.is::<TooMuch>())
}
