//! The listener: TLS in front of the router, under a certificate that is kept fresh.

pub(crate) mod certificate;
pub(crate) mod descriptors;
pub(crate) mod files;
pub(crate) mod listener;
pub(crate) mod own;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;

use certificate::CurrentCertificate;

/// TLS 1.2 and 1.3 with the certificate that is current at each handshake. HTTP/1.1 alone is offered:
/// an ACME client has one request under way at a time, and a smaller protocol is less to attack.
///
/// # Errors
/// When the cryptographic library offers no suitable cipher, which would be a fault of the build.
pub(crate) fn server_config(certificate: Arc<CurrentCertificate>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
