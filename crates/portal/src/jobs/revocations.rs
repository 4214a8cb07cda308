//! Signing revocation lists anew before they grow old, and those that could not be signed when they were due.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::service::revocations;

/// How often the lists are looked at. It bounds how long a revocation waits for a list that could not be signed
/// at once.
const INTERVAL: Duration = Duration::from_secs(60);

/// Works until `stop`. Every node does; the store decides which of them signs.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match revocations::issue_due(&app.office).await {
            Ok(0) => {}
            Ok(lists) => tracing::info!(lists, "revocation lists were signed anew"),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "revocation lists could not be looked at")
            }
        }
    }
}
