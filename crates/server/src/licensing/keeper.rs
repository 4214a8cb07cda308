//! Licensing in the running server: what new orders are held against at every moment, what changed in
//! the store since, and the time that has passed.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chancery_license::State;
use chancery_license::state::Warning;
use chancery_time::{Clock, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::basis::Basis;
use super::change::Office;
use super::installation::Installation;
use super::intake;
use super::record::{Record, Times};
use super::snapshot::{Snapshot, changes};
use crate::audit::Entry;
use crate::audit::{Kind, events};

/// How often the store is asked whether something changed.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// How often the times are stored; the rule asks for once an hour at least.
const TIMES_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// How often what is wrong is said again.
const REMINDER_INTERVAL: Duration = Duration::from_secs(24 * 3_600);

/// What the running server knows of its licence.
pub(crate) struct Keeper {
    office: Office,
    /// Where a licence JWT may be put.
    jwt_file: PathBuf,
    clock: Arc<dyn Clock>,
    current: RwLock<Arc<Snapshot>>,
    mark: Mutex<Mark>,
    /// Whether the first account is noted in the record.
    is_anchored: AtomicBool,
}

/// The times of the record as of an instant of the monotonic clock.
#[derive(Clone, Copy)]
struct Mark {
    times: Option<Times>,
    at: Instant,
}

impl Keeper {
    /// Keeps what the server was started under.
    pub(crate) fn new(office: Office, jwt_file: PathBuf, snapshot: Snapshot, clock: Arc<dyn Clock>) -> Self {
        let times = snapshot.record.map(|record| record.times);
        Self {
            office,
            jwt_file,
            clock,
            mark: Mutex::new(Mark { times, at: Instant::now() }),
            is_anchored: AtomicBool::new(
                snapshot.record.is_some_and(|record| record.first_account_at.is_some()),
            ),
            current: RwLock::new(Arc::new(snapshot)),
        }
    }

    /// What new orders are held against at `now`.
    pub(crate) fn basis(&self, now: Timestamp) -> Basis {
        let Office { configuration, build, .. } = &self.office;
        Basis::new(&self.current(), *configuration, now, self.times(now), build)
    }

    /// The installation, while its record still waits for the first account to be noted.
    pub(crate) fn unanchored(&self) -> Option<Arc<Installation>> {
        (!self.is_anchored.load(Ordering::Relaxed)).then(|| self.office.installation.clone())
    }

    /// Says that the first account is noted for good.
    pub(crate) fn set_anchored(&self) {
        self.is_anchored.store(true, Ordering::Relaxed);
    }

    /// Follows the store, the file and the time until `stop`.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(WATCH_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut watcher = Watcher {
            state: self.state(),
            is_rolled_back: false,
            reminded: Instant::now(),
            stored: Instant::now(),
            file: modified(&self.jwt_file),
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(&mut watcher).await {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the state of the licence could not be followed"
                );
            }
        }
        if let Err(error) = self.store_times().await {
            tracing::warn!(%error, "how far the time has come could not be stored");
        }
    }

    async fn look(&self, watcher: &mut Watcher) -> anyhow::Result<()> {
        let file = modified(&self.jwt_file);
        if file != watcher.file {
            watcher.file = file;
            self.take_jwt_file().await;
        }
        if self.office.db.read(changes).await? != self.current().changes {
            self.reload().await?;
        }
        if watcher.stored.elapsed() >= TIMES_INTERVAL {
            watcher.stored = Instant::now();
            self.store_times().await?;
        }
        let rollback = self.rollback();
        if let Some((clock, watermark)) = rollback.filter(|_| !watcher.is_rolled_back) {
            let details = json!({ "clock": clock, "watermark": watermark });
            self.tell(events::LICENSE_CLOCK_ROLLBACK, details).await?;
            self.remind();
        }
        watcher.is_rolled_back = rollback.is_some();
        let state = self.state();
        if state.name() != watcher.state.name() {
            let (from, to) = (watcher.state.name(), state.name());
            tracing::warn!(event = "license.change", from, to, "the state of the licence changed");
            self.tell(events::LICENSE_CHANGE, json!({ "from": from, "to": to })).await?;
            watcher.reminded = Instant::now();
            self.remind();
        } else if watcher.reminded.elapsed() >= REMINDER_INTERVAL {
            watcher.reminded = Instant::now();
            self.remind();
        }
        watcher.state = state;
        Ok(())
    }

    /// Says what the operator should hear of.
    pub(crate) fn remind(&self) {
        let now = self.clock.now();
        let snapshot = self.current();
        let judged = snapshot.judge_under(now, self.times(now), &self.office.build);
        if let State::Grace { until } = judged.state {
            let until = until.to_minutes();
            tracing::warn!(
                until,
                "the licence has expired and is in grace: everything works until it ends; install a renewal"
            );
        }
        if let State::Expired { then, .. } = judged.state {
            tracing::warn!(?then, "the licence has expired and its grace is over; install a renewal");
        }
        for warning in judged.warnings {
            tracing::warn!("{warning}");
        }
    }

    async fn tell(&self, kind: Kind, details: Value) -> Result<(), chancery_db::Error> {
        let entry = Entry::new(kind, details).allowed("observed");
        self.office.trail.tell_alone(&self.office.db, entry, self.clock.now()).await
    }

    async fn take_jwt_file(&self) {
        let taken = match intake::read_jwt_file(&self.jwt_file) {
            // One that does not fit is not taken while another is in effect.
            Ok(brought) => {
                let force = self.current().held.licenses.is_empty();
                self.office.install(brought, force, self.clock.now()).await.map_err(anyhow::Error::from)
            }
            // It was taken away, which removes nothing from the store.
            Err(_) if !self.jwt_file.exists() => return,
            Err(error) => Err(error),
        };
        match taken {
            Ok(_) => tracing::info!(file = %self.jwt_file.display(), "the licence JWT was read"),
            Err(error) => {
                tracing::warn!(file = %self.jwt_file.display(), "the licence JWT is not taken: {error:#}");
            }
        }
    }

    async fn reload(&self) -> anyhow::Result<()> {
        let snapshot = self.office.snapshot().await?;
        let now = self.clock.now();
        let mine = self.times(now);
        let times = snapshot.record.map(|record| match mine {
            Some(mine) => record.times.at_least(mine),
            None => record.times,
        });
        self.set_mark(times);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        tracing::info!(state = self.state().name(), "the licence was read again");
        Ok(())
    }

    /// Stores how far the time has come; takes up what another hand did to the record.
    async fn store_times(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let Some(mine) = self.times(now) else { return self.reload().await };
        let installation = self.office.installation.clone();
        let found = self
            .office
            .db
            .write(move |tx| {
                let Some(record) = installation.record(tx)? else { return Ok(None) };
                let times = record.times.at_least(mine);
                if times != record.times {
                    installation.keep(tx, &Record { times, ..record })?;
                }
                Ok::<_, chancery_db::Error>(Some(times))
            })
            .await?;
        match found {
            Some(times) => self.set_mark(Some(times)),
            None => self.reload().await?,
        }
        Ok(())
    }

    /// What the clock shows and the highest time seen, where the clock was set back.
    fn rollback(&self) -> Option<(Timestamp, Timestamp)> {
        let now = self.clock.now();
        let snapshot = self.current();
        let warnings = snapshot.judge_under(now, self.times(now), &self.office.build).warnings;
        warnings.into_iter().find_map(|warning| match warning {
            Warning::ClockRollback { now, watermark } => Some((now, watermark)),
            _ => None,
        })
    }

    fn state(&self) -> State {
        let now = self.clock.now();
        self.current().judge_under(now, self.times(now), &self.office.build).state
    }

    /// The times of the record, moved on by what has passed since they were read.
    fn times(&self, now: Timestamp) -> Option<Times> {
        let mark = *self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        mark.times.map(|times| times.ran(now, mark.at.elapsed()))
    }

    fn set_mark(&self, times: Option<Times>) {
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = Mark { times, at: Instant::now() };
    }

    fn current(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the last look found.
struct Watcher {
    state: State,
    is_rolled_back: bool,
    reminded: Instant,
    stored: Instant,
    file: Option<(i64, i64)>,
}

/// When a file was last changed, its contents or its mode; it may be there and not be readable yet.
fn modified(file: &std::path::Path) -> Option<(i64, i64)> {
    std::fs::metadata(file).ok().map(|metadata| (metadata.ctime(), metadata.ctime_nsec()))
}
