//! What the server owes and does in the background.
//!
//! A job is a row that is written in the transaction of the change that calls for it, and removed in
//! the transaction that settles it, so that no crash loses one. The node that writes it holds it by a
//! lease and begins at once. Jobs whose lease ran out (their node is gone, or was too busy to begin)
//! are taken over by a sweep.

mod in_hand;
mod sweep;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use chancery_time::Timestamp;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::service::challenges::{Observation, Settled};
use in_hand::{Hold, InHand};

pub(crate) use sweep::release_own;

/// How long a node holds a job. Longer than a validation with all its retries takes; one that waits for
/// a slot beyond that may be begun by another node as well, which changes nothing.
const LEASE: Duration = Duration::from_secs(90);
/// How many validations run at once on one node.
const CONCURRENT_VALIDATIONS: usize = 256;
/// How many validations may wait in memory; others wait in the store for the sweep.
const WAITING_VALIDATIONS: usize = 4_096;

/// A validation to be made, and whom the outcome is told once it is kept.
struct Validation {
    observation: Observation,
    settled: oneshot::Sender<Settled>,
    /// Lets go of the challenge when the validation has ended, however it ends.
    _hold: Hold,
}

/// Where requests leave the jobs that they called for.
pub(crate) struct JobQueue {
    /// The name that this node's leases stand under.
    owner: String,
    validations: mpsc::Sender<Validation>,
    in_hand: InHand,
}

/// The other end of a [`JobQueue`].
pub(crate) struct JobInbox {
    validations: mpsc::Receiver<Validation>,
}

impl JobQueue {
    /// A queue for the node called `owner`.
    pub(crate) fn new(owner: String) -> (Self, JobInbox) {
        let (sender, receiver) = mpsc::channel(WAITING_VALIDATIONS);
        (Self { owner, validations: sender, in_hand: InHand::default() }, JobInbox { validations: receiver })
    }

    /// Whose lease a job written at `now` is, and until when.
    pub(crate) fn lease(&self, now: Timestamp) -> (String, Timestamp) {
        (self.owner.clone(), now + LEASE)
    }

    /// Has a challenge validated; what is returned resolves to the outcome once that is kept. When too
    /// many wait, the job is left to the sweep.
    pub(crate) fn validate(&self, observation: Observation) -> oneshot::Receiver<Settled> {
        let (settled, outcome) = oneshot::channel();
        let Some(hold) = self.in_hand.take(observation.challenge_id) else { return outcome };
        if self.validations.try_send(Validation { observation, settled, _hold: hold }).is_err() {
            tracing::warn!(
                "over {WAITING_VALIDATIONS} validations wait; this one begins when its lease has run out"
            );
        }
        outcome
    }
}

/// Works on jobs until `stop`. Those under way then are finished as tasks of [`App::tasks`].
pub(crate) async fn run(app: Arc<App>, mut inbox: JobInbox, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONCURRENT_VALIDATIONS));
    let sweeping = app.tasks.spawn(sweep::run(Arc::clone(&app), stop.clone()));
    loop {
        let validation = tokio::select! {
            () = stop.cancelled() => break,
            validation = inbox.validations.recv() => validation,
        };
        let Some(validation) = validation else { break };
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let (app, stop) = (Arc::clone(&app), stop.clone());
        app.tasks.clone().spawn(async move {
            validate::run(&app, validation, &stop).await;
            drop(slot);
        });
    }
    if let Err(error) = sweeping.await {
        tracing::error!(%error, "the sweep for jobs ended with a panic");
    }
}
