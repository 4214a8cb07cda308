//! Certificate keys, made beforehand and used again, and the requests they sign.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use clap::ValueEnum;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};

use crate::jose::base64url;

/// The keys that certificates are ordered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
}

/// Keys taken in turn, so that making them costs the measurement nothing.
pub(crate) struct KeyPool {
    keys: Vec<KeyPair>,
    next: AtomicUsize,
}

const KEYS: usize = 64;

impl KeyPool {
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> anyhow::Result<Self> {
        let algorithm = match algorithm {
            KeyAlgorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
        };
        let keys = (0..KEYS).map(|_| KeyPair::generate_for(algorithm)).collect::<Result<_, _>>()?;
        Ok(Self { keys, next: AtomicUsize::new(0) })
    }

    /// A CSR for this one name with the next key, in base64url as finalization wants it (RFC 8555 §7.4).
    pub(crate) fn csr(&self, name: &str) -> anyhow::Result<String> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % KEYS;
        let key = self.keys.get(turn).context("the pool of keys is empty")?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        Ok(base64url(params.serialize_request(key)?.der()))
    }
}
