//! The listener's certificate from the server's own authority, renewed in time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chancery_files::{self as files, Access, read_text};
use chancery_pki::certificate::CertificateFacts;
use chancery_pki::key::{KeyAlgorithm, PrivateKey};
use chancery_pki::name::San;
use chancery_pki::request::ValidatedRequest;
use chancery_time::Timestamp;
use chancery_web::{CurrentCertificate, from_pem};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::app::App;
use crate::service::certificates;

/// How often the certificate's age is looked at; the shortest lives are minutes long.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long a renewal rests after it failed.
const RETRY: Duration = Duration::from_secs(60);
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
    pub(crate) async fn load_or_issue(&self, app: &App) -> anyhow::Result<Fresh> {
        let profile = app.profiles.of(None).context("there is no profile")?;
        let authority = profile.at_work.signers.leading(app.now()).context("the profile has no authority")?;
        match self.load(authority.local().chain_pem(), app.now()) {
            Some(kept) => Ok(kept),
            None => self.issue(app).await,
        }
    }

    fn load(&self, chain_pem: &str, now: Timestamp) -> Option<Fresh> {
        let pem = read_text(&self.file, MAX_BYTES).ok()?;
        let kept = Fresh::from_pem(&pem, &pem).ok()?;
        let usable = kept.facts.not_before <= now && now < kept.renew_at();
        (usable && kept.facts.names == [self.host.clone()] && pem.ends_with(chain_pem)).then_some(kept)
    }

    async fn issue(&self, app: &App) -> anyhow::Result<Fresh> {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
        let request = ValidatedRequest::for_own_key(&key, vec![self.host.clone()]);
        let chain = certificates::issue_own(app, &request).await?;
        let key = key.to_pem()?;
        if let Some(directory) = self.file.parent() {
            files::create_directory(directory)?;
        }
        let pem = Zeroizing::new([key.as_str(), &chain].concat());
        files::replace(&self.file, pem.as_bytes(), Access::Owner)?;
        let issued = Fresh::from_pem(&chain, &key)?;
        tracing::info!(host = %self.host, not_after = %issued.facts.not_after, "the server issued a certificate to itself");
        Ok(issued)
    }
}

/// A certificate of the server's own, and how long it is good for.
pub(crate) struct Fresh {
    key: CertifiedKey,
    facts: CertificateFacts,
}

impl Fresh {
    fn from_pem(chain: &str, key: &str) -> anyhow::Result<Self> {
        let key = from_pem(chain, key)?;
        let facts = CertificateFacts::from_der(key.cert.first().context("the chain is empty")?)?;
        Ok(Self { key, facts })
    }

    /// After two thirds of its life.
    fn renew_at(&self) -> Timestamp {
        self.facts.not_before + self.facts.not_after.since(self.facts.not_before) * 2 / 3
    }
}

/// Puts `first` into use, and renews it in time until `stop`.
pub(crate) fn keep_fresh(
    own: OwnCertificate,
    app: &Arc<App>,
    first: Fresh,
    stop: CancellationToken,
) -> Arc<CurrentCertificate> {
    let mut renew_at = first.renew_at();
    let current = Arc::new(CurrentCertificate::new(first.key));
    let (app, in_use) = (Arc::clone(app), Arc::clone(&current));
    app.tasks.clone().spawn(async move {
        let mut ticks = tokio::time::interval(INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if app.now() < renew_at {
                continue;
            }
            match own.issue(&app).await {
                Ok(next) => {
                    renew_at = next.renew_at();
                    in_use.replace(next.key);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(
                        error,
                        "the listener's certificate could not be renewed; it is tried again in {RETRY:?}"
                    );
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        }
    });
    current
}
