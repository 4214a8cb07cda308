//! A certificate that the operator brings in files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chancery_files::read_text;
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use super::certificate::{CurrentCertificate, from_pem};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);
/// Far more than a chain or a key takes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the certificate and its key are.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Names the file that cannot be read or used.
    pub(crate) fn load(&self) -> anyhow::Result<CertifiedKey> {
        let (chain, key) = (read_text(&self.certificate, MAX_BYTES)?, read_text(&self.key, MAX_BYTES)?);
        from_pem(&chain, &key)
            .with_context(|| format!("{} and {}", self.certificate.display(), self.key.display()))
    }

    /// What shows that a file was changed: cheap to get, other after each change.
    fn marks(&self) -> [Option<(std::time::SystemTime, u64)>; 2] {
        let mark = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [mark(&self.certificate), mark(&self.key)]
    }
}

/// Looks for changes until `stop`. Files that do not fit together (one of them is replaced already,
/// the other not yet) leave the certificate in use as it is, and are tried again.
pub(crate) async fn watch(
    files: CertificateFiles,
    current: Arc<CurrentCertificate>,
    stop: CancellationToken,
) {
    let mut loaded = files.marks();
    let mut told_of = None;
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let marks = files.marks();
        if marks == loaded {
            continue;
        }
        match files.load() {
            Ok(next) => {
                current.replace(next);
                loaded = marks;
                told_of = None;
                tracing::info!(certificate = %files.certificate.display(), "the listener's certificate was read again");
            }
            Err(error) => {
                if told_of.replace(marks) != Some(marks) {
                    let error = format!("{error:#}");
                    tracing::warn!(
                        error,
                        "the listener's certificate changed but cannot be used; the old one stays"
                    );
                }
            }
        }
    }
}
