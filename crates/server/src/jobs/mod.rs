//! What the server owes and does in the background.
//!
//! A job is a row that is written in the transaction of the change that calls for it, and removed in
//! the transaction that settles it, so that no crash loses one. The node that writes it holds it by a
//! lease and begins at once. Jobs whose lease ran out (their node is gone, or was too busy to begin)
//! are taken over by a sweep.

pub(crate) mod in_hand;
mod sweep;
mod turns;
mod upkeep;
mod validate;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_time::Timestamp;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::service::challenges::{Observation, Settled};
use in_hand::{Hold, InHand};
use turns::{Limits, Turns};

pub(crate) use sweep::release_own;

/// How long a node holds a job. Longer than a validation with all its retries takes; one that waits for
/// a slot beyond that may be begun by another node as well, which changes nothing.
const LEASE: Duration = Duration::from_secs(90);
/// How many validations run at once on one node, and how many may wait in memory; others wait in the
/// store for the sweep. An account whose hosts do not answer holds up nobody else.
const LIMITS: Limits = Limits { at_work: 256, at_work_of_one: 32, waiting: 4_096, waiting_of_one: 1_024 };

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
    validations: Arc<Validations>,
    in_hand: InHand,
}

/// The other end of a [`JobQueue`].
pub(crate) struct JobInbox {
    validations: Arc<Validations>,
}

/// The validations that wait in this process, and how many are at work.
struct Validations {
    turns: Mutex<Turns<Validation>>,
    /// Something waits that did not before, or something has ended.
    changed: Notify,
}

/// A validation at work, which makes room for another when it is dropped.
struct Turn {
    validations: Arc<Validations>,
    account_id: i64,
}

impl Validations {
    fn turns(&self) -> MutexGuard<'_, Turns<Validation>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.validations.turns().end(self.account_id);
        self.validations.changed.notify_one();
    }
}

impl JobQueue {
    /// A queue for the node called `owner`.
    pub(crate) fn new(owner: String) -> (Self, JobInbox) {
        let turns = Mutex::new(Turns::new(LIMITS));
        let validations = Arc::new(Validations { turns, changed: Notify::new() });
        let inbox = JobInbox { validations: Arc::clone(&validations) };
        (Self { owner, validations, in_hand: InHand::default() }, inbox)
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
        let account_id = observation.account_id;
        let validation = Validation { observation, settled, _hold: hold };
        if self.validations.turns().add(account_id, validation).is_err() {
            tracing::warn!(
                account_id,
                "too many validations wait; this one begins when its lease has run out"
            );
        }
        self.validations.changed.notify_one();
        outcome
    }
}

impl JobInbox {
    /// What is to begin now.
    fn begin(&self) -> Option<(Turn, Validation)> {
        let (account_id, validation) = self.validations.turns().begin()?;
        Some((Turn { validations: Arc::clone(&self.validations), account_id }, validation))
    }
}

/// Works on jobs until `stop`. Those under way then are finished as tasks of [`App::tasks`].
pub(crate) async fn run(app: Arc<App>, inbox: JobInbox, stop: CancellationToken) {
    let sweeping = app.tasks.spawn(sweep::run(Arc::clone(&app), stop.clone()));
    app.tasks.spawn(upkeep::run(Arc::clone(&app), stop.clone()));
    while !stop.is_cancelled() {
        while let Some((turn, validation)) = inbox.begin() {
            let (app, stop) = (Arc::clone(&app), stop.clone());
            app.tasks.clone().spawn(async move {
                validate::run(&app, validation, &stop).await;
                drop(turn);
            });
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = inbox.validations.changed.notified() => {}
        }
    }
    if let Err(error) = sweeping.await {
        tracing::error!(%error, "the sweep for jobs ended with a panic");
    }
}
