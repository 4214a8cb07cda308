//! A certificate that the operator brings in files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chancery_files::{FileError, read_text};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::certificate::{CertificateError, CurrentCertificate, from_pem};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(2);
/// Far more than a chain or a key takes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the certificate and its key are.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain, the listener's own certificate first.
    pub certificate: PathBuf,
    /// The key, unencrypted.
    pub key: PathBuf,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilesError {
    /// One of them cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// What is in them is no certificate with its key.
    #[error("{} and {}: {source}", .files.certificate.display(), .files.key.display())]
    Unusable {
        /// The files.
        files: CertificateFiles,
        /// What is wrong with them.
        source: CertificateError,
    },
}

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Names the file that cannot be read or used.
    pub fn load(&self) -> Result<CertifiedKey, FilesError> {
        let (chain, key) = (read_text(&self.certificate, MAX_BYTES)?, read_text(&self.key, MAX_BYTES)?);
        from_pem(&chain, &key).map_err(|source| FilesError::Unusable { files: self.clone(), source })
    }

    /// What shows that a file was changed: cheap to get, other after each change.
    fn marks(&self) -> [Option<(std::time::SystemTime, u64)>; 2] {
        let mark = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        [mark(&self.certificate), mark(&self.key)]
    }

    /// Looks for changes until `stop`. Files that do not fit together (one of them is replaced already,
    /// the other not yet) leave the certificate in use as it is, and are tried again.
    pub async fn watch(self, current: Arc<CurrentCertificate>, stop: CancellationToken) {
        let mut loaded = self.marks();
        let mut told_of = None;
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let marks = self.marks();
            if marks == loaded {
                continue;
            }
            match self.load() {
                Ok(next) => {
                    current.replace(next);
                    loaded = marks;
                    told_of = None;
                    tracing::info!(certificate = %self.certificate.display(), "the listener's certificate was read again");
                }
                Err(error) => {
                    if told_of.replace(marks) != Some(marks) {
                        tracing::warn!(
                            %error,
                            "the listener's certificate changed but cannot be used; the old one stays"
                        );
                    }
                }
            }
        }
    }
}
