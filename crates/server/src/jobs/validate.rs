//! One validation: look, again if what went wrong may pass, and keep the outcome.

use std::time::Duration;

use chancery_acme::{Problem, ProblemType};
use chancery_validation::http01::{Failure as Observed, FailureKind};
use tokio_util::sync::CancellationToken;

use super::Validation;
use crate::app::App;
use crate::service::Failure;
use crate::service::challenges::{self, Observation};

/// The pauses before the second look and the third.
const BACK_OFF: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// How often it is tried to keep an outcome that the store cannot take, and the pause in between.
const KEEP_ATTEMPTS: u32 = 20;
const KEEP_PAUSE: Duration = Duration::from_millis(500);

/// Validates a challenge. When the server stops between two looks, the job stays for the next start.
pub(super) async fn run(app: &App, validation: Validation, stop: &CancellationToken) {
    let Validation { observation, settled, _hold } = validation;
    let id = observation.challenge_id;
    let Some(outcome) = look(app, &observation, stop).await else { return };
    for _ in 0..KEEP_ATTEMPTS {
        match challenges::settle(app, id, outcome.clone()).await {
            Ok(Some(outcome)) => {
                // Whoever waited for it may have gone.
                let _ = settled.send(outcome);
                return;
            }
            Ok(None) => return,
            Err(Failure::Unavailable(error)) => {
                tracing::warn!(challenge_id = id, %error, "an outcome cannot be kept yet; it is tried again");
            }
            Err(failure) => {
                tracing::error!(challenge_id = id, ?failure, "an outcome could not be kept");
                return;
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(KEEP_PAUSE) => {}
        }
    }
    // The job is still in the store, and the sweep comes back to it.
}

async fn look(app: &App, observation: &Observation, stop: &CancellationToken) -> Option<Result<(), Problem>> {
    let Observation { identifier, token, key_authorization, .. } = observation;
    for pause in BACK_OFF {
        match app.http01.observe(identifier.value(), token, key_authorization).await {
            Err(failure) if failure.transient => {
                tracing::debug!(%identifier, %failure, "a validation is tried again in {pause:?}");
            }
            outcome => return Some(outcome.map_err(|failure| problem(&failure))),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(pause) => {}
        }
    }
    let last = app.http01.observe(identifier.value(), token, key_authorization).await;
    Some(last.map_err(|failure| problem(&failure)))
}

/// What the client is told of what was observed (RFC 8555 §6.7).
fn problem(observed: &Observed) -> Problem {
    let kind = match observed.kind {
        FailureKind::Dns => ProblemType::Dns,
        FailureKind::Connection | FailureKind::Timeout | FailureKind::Egress | FailureKind::Redirect => {
            ProblemType::Connection
        }
        FailureKind::Tls => ProblemType::Tls,
        FailureKind::Response(_) | FailureKind::Protocol => ProblemType::Unauthorized,
        FailureKind::Mismatch => ProblemType::IncorrectResponse,
    };
    Problem::new(kind, observed.to_string())
}
