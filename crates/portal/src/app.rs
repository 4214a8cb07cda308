//! What every part of the running portal shares.

use chancery_web::Proxies;
use tokio_util::task::TaskTracker;

use crate::http::{KeyCache, Meters};
use crate::service::Office;

/// The running portal; handlers and background tasks hold it in an [`Arc`](std::sync::Arc).
pub(crate) struct App {
    pub(crate) office: Office,
    /// The API keys that were seen of late.
    pub(crate) keys: KeyCache,
    /// What callers may ask for in a length of time.
    pub(crate) meters: Meters,
    pub(crate) proxies: Proxies,
    /// Tasks that outlive the request that began them; shutdown waits for them.
    pub(crate) tasks: TaskTracker,
}
