//! Taking over jobs that were left behind.

use std::sync::Arc;
use std::time::Duration;

use chancery_acme::{Problem, ProblemType};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::service::{Failure, challenges, issuance};
use crate::store::jobs::{self, Job, JobKind};

/// How often the sweep looks.
const INTERVAL: Duration = Duration::from_secs(5);
/// How many jobs one sweep takes over.
const BATCH: i64 = 64;
/// After this many tries a job is given up.
const MAX_ATTEMPTS: i64 = 10;

/// Ends the leases of this node's earlier run, so that its jobs are taken up at once.
///
/// # Errors
/// When the store fails.
pub(crate) async fn release_own(app: &App) -> anyhow::Result<()> {
    let (owner, _) = app.jobs.lease(app.now());
    Ok(app.db.write(move |tx| jobs::release(tx, &owner)).await?)
}

/// Sweeps until `stop`.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(failure) = sweep(&app).await {
            tracing::warn!(?failure, "jobs could not be swept; the next sweep is in {INTERVAL:?}");
        }
    }
}

async fn sweep(app: &Arc<App>) -> Result<(), Failure> {
    let now = app.now();
    // A read first: nearly always there is nothing, and a write would collide with those at work.
    if !app.db.read(move |tx| jobs::any_expired(tx, now)).await? {
        return Ok(());
    }
    let (owner, until) = app.jobs.lease(now);
    let claimed = app.db.write(move |tx| jobs::claim(tx, &owner, now, until, BATCH)).await?;
    for job in claimed {
        // One job that cannot be taken up must not hold up the others; it comes round again.
        if let Err(failure) = take_up(app, job).await {
            tracing::error!(?job, ?failure, "a job failed; it is tried again when its lease has run out");
        }
    }
    Ok(())
}

async fn take_up(app: &Arc<App>, job: Job) -> Result<(), Failure> {
    let Job { kind, subject_id, attempts } = job;
    tracing::info!(kind = kind.name(), subject_id, attempts, "a job that was left behind is taken up");
    match kind {
        JobKind::Validate if attempts > MAX_ATTEMPTS => {
            let detail = "the server could not look whether the challenge is passed; its operator finds why in the log";
            let problem = Problem::new(ProblemType::Connection, detail);
            challenges::settle(app, subject_id, Err(problem)).await?;
        }
        JobKind::Validate => match challenges::resume(app, subject_id).await? {
            Some(observation) => drop(app.jobs.validate(observation)),
            None => app.db.write(move |tx| jobs::delete(tx, kind, subject_id)).await?,
        },
        JobKind::Issue if attempts > MAX_ATTEMPTS => {
            tracing::error!(
                order_id = subject_id,
                "an order is given up after {MAX_ATTEMPTS} tries to issue it"
            );
            issuance::abandon(app, subject_id, &Problem::internal()).await?;
        }
        JobKind::Issue => issuance::resume(app, subject_id).await?,
    }
    Ok(())
}
