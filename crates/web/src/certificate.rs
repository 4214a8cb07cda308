//! The listener's certificate, which can be replaced while connections come in.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The certificate that new connections are given.
#[derive(Debug)]
pub struct CurrentCertificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl CurrentCertificate {
    /// At first that one.
    pub fn new(first: CertifiedKey) -> Self {
        Self { current: RwLock::new(Arc::new(first)) }
    }

    /// Gives connections from now on another certificate.
    pub fn replace(&self, next: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Why a chain and a key cannot be used. Nothing of the key is repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The chain is not PEM.
    #[error("the certificate chain is not PEM: {0}")]
    ChainNotPem(pem::Error),
    /// The chain is PEM, but of other things.
    #[error("the certificate chain has no certificate")]
    NoCertificate,
    /// The key is not PEM, or under a passphrase.
    #[error("the private key is not unencrypted PEM: {0}")]
    KeyNotPem(pem::Error),
    /// One is not the other's, or of a kind that is not understood.
    #[error("the private key and the certificate cannot be used together: {0}")]
    Pair(rustls::Error),
}

/// A chain and its key from PEM; the key must be the first certificate's.
///
/// # Errors
/// What is wrong with either.
pub fn from_pem(chain: &str, key: &str) -> Result<CertifiedKey, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(CertificateError::ChainNotPem)?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(CertificateError::KeyNotPem)?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(CertificateError::Pair)
}

/// TLS 1.2 and 1.3 with the certificate that is current at each handshake. HTTP/1.1 alone is offered:
/// a smaller protocol is less to attack.
///
/// # Errors
/// When the cryptographic library offers no suitable cipher, which would be a fault of the build.
pub fn server_config(certificate: Arc<CurrentCertificate>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
