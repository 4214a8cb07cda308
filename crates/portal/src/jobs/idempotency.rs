//! Forgetting idempotency keys that are older than a day.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::service::{Office, idempotency};

const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Works until `stop`. Every node does; who comes second finds nothing left.
pub(super) async fn run(office: Office, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match idempotency::sweep(&office).await {
            Ok(0) => {}
            Ok(keys) => tracing::info!(keys, "old idempotency keys were forgotten"),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "old idempotency keys could not be forgotten");
            }
        }
    }
}
