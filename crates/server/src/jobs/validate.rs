//! One validation: look, again if what went wrong may pass, and keep the outcome.

use std::time::Duration;

use chancery_acme::{Problem, ProblemType};
use tokio_util::sync::CancellationToken;

use super::Validation;
use crate::app::App;
use crate::service::Failure;
use crate::service::caa::{self, Question};
use crate::service::challenges::{self, Observation, Passed};
use crate::service::observer::{Unmet, patiently};

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

async fn look(
    app: &App,
    observation: &Observation,
    stop: &CancellationToken,
) -> Option<Result<Passed, Problem>> {
    let identifier = &observation.identifier;
    let Some(profile) = app.profiles.of(observation.profile.as_deref()) else {
        let detail = "the profile of this authorization is no more: make a new order";
        return Some(Err(Problem::new(ProblemType::RejectedIdentifier, detail)));
    };
    if !profile.rules.challenges.contains(&observation.kind) {
        // The challenge was offered before the configuration was changed.
        let (name, kind) = (&profile.rules.name, observation.kind.name());
        let detail = format!("the profile `{name}` does not take {kind} any more: make a new order");
        return Some(Err(Problem::unauthorized(detail)));
    }
    let observer = &profile.at_work.observer;
    let outcome = patiently(&BACK_OFF, stop, || observer.observe(observation, app.now())).await?;
    let until = match outcome {
        Ok(until) => until,
        Err(unmet) => return verdict(observation, unmet).map(Err),
    };
    // What rests on the authorization of an ancestor is another name, whose records are looked at before its
    // certificate is made.
    if !profile.rules.caa || observation.with_subdomains {
        return Some(Ok(Passed { until, caa_checked_at: None }));
    }
    let question = Question {
        identifier: identifier.clone(),
        account_url: observation.account_url.as_str().into(),
        method: observation.kind.name(),
    };
    let now = app.now();
    match patiently(&BACK_OFF, stop, || caa::look(observer, &question)).await? {
        Ok(()) => Some(Ok(Passed { until, caa_checked_at: Some(now) })),
        Err(unmet) => verdict(observation, unmet).map(Err),
    }
}

/// What the client is told; `None` where what was found says something of this machine alone.
fn verdict(observation: &Observation, unmet: Unmet) -> Option<Problem> {
    if unmet.problem.is_none() {
        let identifier = &observation.identifier;
        tracing::warn!(%identifier, found = unmet.found, "a validation is put off: this machine cannot look");
    }
    unmet.problem
}
