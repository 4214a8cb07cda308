//! Asking the portal in the running server.

use std::time::Duration;

use chancery_license::exchange::Verdict;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::failure::Failure;
use super::taking::Answer;
use crate::licensing::intake::Taken;

/// How often the store is asked whether it is time. When that is lies there, so that neither a restart nor another
/// node asks again.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// Asks the portal whenever it is time, until `stop`.
pub(crate) async fn run(desk: Desk, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = stop.cancelled() => {
                if let Err(error) = desk.give_up().await {
                    tracing::warn!(%error, "the question to the licence portal could not be given up");
                }
                return;
            }
            _ = poll(&desk) => {}
        }
    }
}

/// Asks where it is time, and tells what came of it; `true` where there was an answer.
pub(crate) async fn poll(desk: &Desk) -> bool {
    match desk.poll().await {
        Ok(None) => false,
        Ok(Some(answer)) => {
            tell(&answer);
            true
        }
        Err(Failure::Store(error)) => {
            tracing::warn!(%error, "the licence portal could not be asked");
            false
        }
        Err(failure) => {
            tracing::warn!(
                event = "license.call_home_failed",
                failure = failure.name(),
                "the licence portal gave no answer, which changes nothing for now: {failure}"
            );
            false
        }
    }
}

fn tell(answer: &Answer) {
    let verdict = answer.verdict;
    if verdict == Verdict::Licensed {
        tracing::info!(%verdict, new = answer.taken.len(), "the licence portal answered");
    } else {
        tracing::warn!(%verdict, new = answer.taken.len(), "the licence portal answered: this installation is {verdict}");
    }
    for warning in &answer.warnings {
        tracing::warn!("the licence portal says: {warning}");
    }
    for taken in &answer.taken {
        match taken {
            Taken::License { facts, .. } => tracing::info!(
                plan = facts.plan,
                serial = facts.terms.edition.serial,
                expires = %facts.terms.expires,
                "a licence came from the portal"
            ),
            Taken::Revocations { sequence, revokes_installed: true } => tracing::error!(
                sequence,
                "a revocation list came from the portal that REVOKES THE INSTALLED LICENCE: orders are refused from now on"
            ),
            Taken::Revocations { sequence, .. } => {
                tracing::info!(sequence, "a revocation list came from the portal");
            }
            Taken::Keys { sequence, withdraws_installed: true } => tracing::error!(
                sequence,
                "a key manifest came from the portal that withdraws the key of THE INSTALLED LICENCE, which no longer counts"
            ),
            Taken::Keys { sequence, .. } => tracing::info!(sequence, "a key manifest came from the portal"),
            Taken::Unchanged => {}
        }
    }
    for rejected in answer.rejected.iter().filter(|rejected| !rejected.is_known) {
        tracing::error!(
            event = "license.refresh_rejected",
            form = rejected.form,
            "A DOCUMENT CAME FROM THE LICENCE PORTAL AND IS NOT TAKEN: {}",
            rejected.reason
        );
    }
}
