//! One validation: look, again if what went wrong may pass, and keep the outcome.

use std::time::Duration;

use chancery_acme::{Identifier, Problem, ProblemType};
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

/// Validates a challenge. When the server stops between two looks, the job stays for the next start;
/// when this machine cannot look, for the sweep.
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
            outcome => return verdict(identifier, outcome),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(pause) => {}
        }
    }
    let last = app.http01.observe(identifier.value(), token, key_authorization).await;
    verdict(identifier, last)
}

/// What an observation says of the challenge; `None` where it says something of this machine alone.
fn verdict(identifier: &Identifier, outcome: Result<(), Observed>) -> Option<Result<(), Problem>> {
    let Err(observed) = outcome else { return Some(Ok(())) };
    let Some(kind) = problem_type(observed.kind) else {
        tracing::warn!(%identifier, failure = %observed, "a validation is put off: this machine cannot look");
        return None;
    };
    Some(Err(Problem::new(kind, observed.to_string())))
}

/// What the client is told of what was observed (RFC 8555 §6.7); nothing of what is not its fault.
fn problem_type(observed: FailureKind) -> Option<ProblemType> {
    Some(match observed {
        FailureKind::Dns => ProblemType::Dns,
        FailureKind::Connection | FailureKind::Timeout | FailureKind::Egress | FailureKind::Redirect => {
            ProblemType::Connection
        }
        FailureKind::Tls => ProblemType::Tls,
        FailureKind::Response(_) | FailureKind::Protocol => ProblemType::Unauthorized,
        FailureKind::Mismatch => ProblemType::IncorrectResponse,
        FailureKind::Local => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_answers_for_all_but_this_machine() {
        for (observed, told) in [
            (FailureKind::Dns, Some(ProblemType::Dns)),
            (FailureKind::Connection, Some(ProblemType::Connection)),
            (FailureKind::Timeout, Some(ProblemType::Connection)),
            (FailureKind::Egress, Some(ProblemType::Connection)),
            (FailureKind::Redirect, Some(ProblemType::Connection)),
            (FailureKind::Tls, Some(ProblemType::Tls)),
            (FailureKind::Response(404), Some(ProblemType::Unauthorized)),
            (FailureKind::Protocol, Some(ProblemType::Unauthorized)),
            (FailureKind::Mismatch, Some(ProblemType::IncorrectResponse)),
            (FailureKind::Local, None),
        ] {
            assert_eq!(problem_type(observed), told, "{observed:?}");
        }
    }
}
