//! The certificate that the portal signs itself.

use std::path::Path;

use anyhow::Context;
use chancery_files::{self as files, Access, read_text};
use chancery_time::Timestamp;
use chancery_web::{from_pem, self_signed};
use rustls::sign::CertifiedKey;

/// Far more than a certificate or a key takes.
const MAX_BYTES: u64 = 64 * 1_024;

/// The certificate in `tls/portal.pem` with its key; a new one where there is none.
///
/// # Errors
/// When a file cannot be read, written or used.
pub(super) fn own_certificate(workdir: &Path, host: &str, now: Timestamp) -> anyhow::Result<CertifiedKey> {
    let directory = workdir.join("tls");
    let (certificate, key) = (directory.join("portal.pem"), directory.join("portal.key"));
    if !certificate.exists() || !key.exists() {
        files::create_directory(&directory)?;
        let (chain, private) = self_signed(host, now)?;
        // The certificate last: where it is, its key is too.
        files::replace(&key, private.as_bytes(), Access::Owner)?;
        files::replace(&certificate, chain.as_bytes(), Access::Everybody)?;
    }
    let (chain, key) = (read_text(&certificate, MAX_BYTES)?, read_text(&key, MAX_BYTES)?);
    from_pem(&chain, &key).with_context(|| {
        format!("{}: remove it and its key, and the portal makes new ones", certificate.display())
    })
}
