//! What every part of the running server shares.

use std::sync::Arc;

use chancery_acme::{Nonces, Sealer};
use chancery_db::Db;
use chancery_time::{Clock, Timestamp};
use chancery_validation::http01::Http01;
use http::HeaderValue;
use tokio_util::task::TaskTracker;

use crate::audit::Trail;
use crate::audit::appender::Health;
use crate::http::urls::Urls;
use crate::jobs::JobQueue;
use crate::licensing::Keeper;
use crate::service::account_keys::AccountKeys;
use crate::service::issuance::Issuance;

/// The running server; handlers and background tasks hold it in an [`Arc`].
pub(crate) struct App {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) db: Db,
    pub(crate) urls: Urls,
    /// Names the rows of the store in URLs.
    pub(crate) sealer: Sealer,
    pub(crate) nonces: Nonces,
    pub(crate) account_keys: AccountKeys,
    /// Where the audit log is told of what happens here.
    pub(crate) trail: Trail,
    /// Whether the audit log is written.
    pub(crate) audit: Health,
    /// What new orders are held against.
    pub(crate) licensing: Arc<Keeper>,
    pub(crate) issuance: Issuance,
    pub(crate) http01: Http01,
    pub(crate) jobs: JobQueue,
    /// Tasks that outlive the request that began them; shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// The directory, as it is sent.
    pub(crate) directory: bytes::Bytes,
    /// The value of the `Link` header that leads to the directory.
    pub(crate) directory_link: HeaderValue,
    /// Whether there are terms of service to agree to.
    pub(crate) terms_of_service: bool,
}

impl App {
    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
