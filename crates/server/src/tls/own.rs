//! The listener's certificate from the server's own authority, renewed in time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chancery_authority::files::{self, Access, read_text};
use chancery_pki::certificate::CertificateFacts;
use chancery_pki::key::{KeyAlgorithm, PrivateKey};
use chancery_pki::name::San;
use chancery_pki::request::ValidatedRequest;
use chancery_time::Timestamp;
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use super::certificate::{CurrentCertificate, from_pem};
use crate::app::App;
use crate::service::issuance::Issuance;

/// How often the certificate's age is looked at.
const INTERVAL: Duration = Duration::from_secs(600);
const MAX_BYTES: u64 = 64 * 1024;

/// The server's own certificate, kept in the working directory with its key.
#[derive(Debug, Clone)]
pub(crate) struct OwnCertificate {
    /// One file holds key and chain, so that they can only change together.
    file: PathBuf,
    host: San,
}

impl OwnCertificate {
    pub(crate) fn new(workdir: &Path, host: &str) -> Self {
        let host = host.parse().map_or_else(|_| San::Dns(host.to_owned()), San::Ip);
        Self { file: workdir.join("tls").join("server.pem"), host }
    }

    /// The certificate that is kept, or a new one where it is missing, old, another host's, or issued
    /// under a chain that the authority no longer has.
    ///
    /// # Errors
    /// When no certificate can be issued or kept.
    pub(crate) async fn load_or_issue(
        &self,
        issuance: &Issuance,
        db: &chancery_db::Db,
        now: Timestamp,
    ) -> anyhow::Result<CertifiedKey> {
        match self.load_fresh(issuance.chain_pem(), now) {
            Some(kept) => Ok(kept),
            None => self.issue(issuance, db, now).await,
        }
    }

    fn load_fresh(&self, chain_pem: &str, now: Timestamp) -> Option<CertifiedKey> {
        let pem = read_text(&self.file, MAX_BYTES).ok()?;
        let kept = from_pem(&pem, &pem).ok()?;
        let certificate = CertificateFacts::from_der(kept.cert.first()?).ok()?;
        let fresh = now < renewal_time(certificate.not_before, certificate.not_after)
            && certificate.not_before <= now;
        (fresh && certificate.names == [self.host.clone()] && pem.ends_with(chain_pem)).then_some(kept)
    }

    async fn issue(
        &self,
        issuance: &Issuance,
        db: &chancery_db::Db,
        now: Timestamp,
    ) -> anyhow::Result<CertifiedKey> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let request = ValidatedRequest::for_own_key(&key, vec![self.host.clone()]);
        let chain = issuance.issue_own(db, &request, now).await?;
        let key = key.to_pem()?;
        if let Some(directory) = self.file.parent() {
            files::create_directory(directory)?;
        }
        let pem = zeroize::Zeroizing::new([key.as_str(), &chain].concat());
        files::replace(&self.file, pem.as_bytes(), Access::Owner)?;
        tracing::info!(host = %self.host, "the server issued a certificate to itself");
        from_pem(&chain, &key)
    }
}

/// When a certificate is renewed: after two thirds of its life.
fn renewal_time(not_before: Timestamp, not_after: Timestamp) -> Timestamp {
    not_before + not_after.since(not_before) * 2 / 3
}

/// Renews the certificate in time until `stop`.
pub(crate) async fn keep_fresh(
    own: OwnCertificate,
    app: Arc<App>,
    current: Arc<CurrentCertificate>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = app.now();
        if own.load_fresh(app.issuance.chain_pem(), now).is_some() {
            continue;
        }
        match own.issue(&app.issuance, &app.db, now).await {
            Ok(next) => current.replace(next),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(
                    error,
                    "the listener's certificate could not be renewed; it is tried again in {INTERVAL:?}"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_life() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(renewal_time(at(1_000), at(4_000)), at(3_000));
    }
}
