//! The listener's certificate, which can be replaced while connections come in.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The certificate that new connections are given.
#[derive(Debug)]
pub(crate) struct CurrentCertificate {
    current: RwLock<Arc<CertifiedKey>>,
}

impl CurrentCertificate {
    pub(crate) fn new(first: CertifiedKey) -> Self {
        Self { current: RwLock::new(Arc::new(first)) }
    }

    /// Gives connections from now on another certificate.
    pub(crate) fn replace(&self, next: CertifiedKey) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A chain and its key from PEM; the key must be the first certificate's.
///
/// # Errors
/// What is wrong with either; nothing of the key is repeated.
pub(crate) fn from_pem(chain: &str, key: &str) -> anyhow::Result<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the certificate chain is not PEM")?;
    anyhow::ensure!(!chain.is_empty(), "the certificate chain has no certificate");
    let key =
        PrivateKeyDer::from_pem_slice(key.as_bytes()).context("the private key is not unencrypted PEM")?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .context("the private key and the certificate cannot be used together")
}
