//! Telling webhooks: what is due is taken and sent, several deliveries of a webhook at a time and those of each webhook
//! whatever becomes of the others.

mod courier;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::service::deliveries::{self, Batch};
use crate::service::{Failure, Office};

pub(crate) use courier::Courier;

#[cfg(test)]
mod tests;

/// How often the store is asked for what is due. It bounds how long an event waits.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many deliveries of one webhook this process has under way.
const AT_ONCE: usize = 4;
const SWEEP_INTERVAL: Duration = Duration::from_secs(3_600);

/// Delivers until `stop`, and then finishes what is under way. Every node does; the store decides which of them sends
/// what.
pub(super) async fn run(office: Office, courier: Arc<Courier>, stop: CancellationToken) {
    let mut round = Round { office, courier, tasks: JoinSet::new(), of: HashMap::new() };
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            true = round.end_one() => {}
            _ = ticks.tick() => {}
        }
        if let Err(error) = round.begin().await {
            tracing::warn!(error = format!("{error:#}"), "webhooks could not be looked at");
        }
    }
    while round.end_one().await {}
}

/// Removes old deliveries until `stop`.
pub(super) async fn sweep(office: Office, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = deliveries::sweep(&office).await {
            tracing::warn!(error = format!("{error:#}"), "old deliveries could not be removed");
        }
    }
}

/// The deliveries that are under way.
struct Round {
    office: Office,
    courier: Arc<Courier>,
    tasks: JoinSet<()>,
    /// The webhook of each.
    of: HashMap<Id, String>,
}

impl Round {
    /// Waits for a delivery to end; `false` where none is under way.
    async fn end_one(&mut self) -> bool {
        let (id, panicked) = match self.tasks.join_next_with_id().await {
            None => return false,
            Some(Ok((id, ()))) => (id, None),
            Some(Err(error)) => (error.id(), Some(error)),
        };
        if let Some(error) = panicked {
            tracing::error!(%error, "a delivery panicked; it is tried again when its lease has run out");
        }
        self.of.remove(&id);
        true
    }

    /// Begins what is due, as far as each webhook has room.
    async fn begin(&mut self) -> Result<(), Failure> {
        for webhook_id in deliveries::waiting(&self.office).await? {
            let under_way = self.of.values().filter(|of| **of == webhook_id).count();
            let room = i64::try_from(AT_ONCE.saturating_sub(under_way)).unwrap_or_default();
            if room > 0
                && let Some(batch) = deliveries::take(&self.office, &webhook_id, room).await?
            {
                self.send(batch);
            }
        }
        Ok(())
    }

    fn send(&mut self, batch: Batch) {
        let Batch { receiver, taken } = batch;
        let receiver = Arc::new(receiver);
        for taken in taken {
            let (office, courier, receiver) =
                (self.office.clone(), Arc::clone(&self.courier), Arc::clone(&receiver));
            let of = receiver.webhook_id.clone();
            let task = self.tasks.spawn(async move {
                let outcome = courier.deliver(&receiver, &taken, office.now()).await;
                tracing::debug!(
                    webhook = receiver.webhook_id,
                    delivery = taken.id,
                    ?outcome,
                    "a delivery was tried"
                );
                if let Err(error) = deliveries::settle(&office, &receiver.webhook_id, &taken, outcome).await {
                    let error = format!("{error:#}");
                    tracing::warn!(
                        error,
                        delivery = taken.id,
                        "what came of a delivery could not be kept; it is tried again"
                    );
                }
            });
            self.of.insert(task.id(), of);
        }
    }
}
