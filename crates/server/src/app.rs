//! What every part of the running server shares.

use std::sync::Arc;

use chancery_acme::Sealer;
use chancery_db::Db;
use chancery_keycheck::CompromisedKeys;
use chancery_time::{Clock, Timestamp};
use chancery_web::Proxies;
use http::HeaderValue;
use tokio_util::task::TaskTracker;

use crate::audit::Trail;
use crate::config::policy::Limits;
use crate::http::directories::Directories;
use crate::http::limits::Addresses;
use crate::http::urls::Urls;
use crate::jobs::JobQueue;
use crate::licensing::Keeper;
use crate::service::account_keys::AccountKeys;
use crate::service::caa::Looks;
use crate::service::nonces::NonceDesk;
use crate::service::observer::Issuer;
use crate::service::profiles::Profiles;
use chancery_trail::Health;

/// The running server; handlers and background tasks hold it in an [`Arc`].
pub(crate) struct App {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) db: Db,
    pub(crate) urls: Urls,
    /// Names the rows of the store in URLs.
    pub(crate) sealer: Sealer,
    pub(crate) nonces: NonceDesk,
    pub(crate) account_keys: AccountKeys,
    /// Keys that no account may get.
    pub(crate) compromised_keys: Arc<CompromisedKeys>,
    /// Where the audit log is told of what happens here.
    pub(crate) trail: Trail,
    /// Whether the audit log is written.
    pub(crate) audit: Health,
    /// What clients may ask for in a length of time.
    pub(crate) limits: Arc<Limits>,
    /// The same of addresses, as far as this node keeps it in memory.
    pub(crate) addresses: Addresses,
    pub(crate) proxies: Proxies,
    /// What new orders are held against.
    pub(crate) licensing: Arc<Keeper>,
    pub(crate) profiles: Arc<Profiles>,
    pub(crate) jobs: JobQueue,
    /// The looks at CAA records that requests wait for.
    pub(crate) looks: Looks,
    /// Tasks that outlive the request that began them; shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// The directories, as they are sent.
    pub(crate) directories: Directories,
    /// The value of the `Link` header that leads to the directory.
    pub(crate) directory_link: HeaderValue,
    /// Whether there are terms of service to agree to.
    pub(crate) terms_of_service: bool,
    /// How records in the DNS name this CA and its accounts.
    pub(crate) issuer: Arc<Issuer>,
}

impl App {
    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
