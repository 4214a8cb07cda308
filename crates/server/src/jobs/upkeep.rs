//! What time alone brings about: orders that nobody approved lapse, and what limits and nonces no longer need is
//! removed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::service::{Failure, approval, limits, nonces};
use crate::store::rates::Key;

const INTERVAL: Duration = Duration::from_secs(60);

/// Looks every minute until `stop`.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    let mut after = Key::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match upkeep(&app, after.clone()).await {
            Ok(next) => after = next,
            Err(failure) => tracing::warn!(?failure, "upkeep failed; it is tried again in {INTERVAL:?}"),
        }
    }
}

async fn upkeep(app: &App, after: Key) -> Result<Key, Failure> {
    let now = app.now();
    nonces::prune(&app.db, now).await?;
    approval::lapse(&app.db, &app.trail, now).await?;
    limits::prune(&app.db, after, now).await
}
