//! Moving events from the outbox into the log.
//!
//! A batch is written and synced first, and then, in one transaction, its events are taken out of the
//! outbox and the new end of the log is pinned. A crash in between leaves lines beyond the pinned end;
//! the journal finds them when it is opened again, and they are taken out of the outbox then.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use chancery_audit::{
    Appended, Decision, Event, EventName, Head, Journal, MAX_BATCH, NameError, Node, Options, compress_closed,
};
use chancery_db::Db;
use chancery_files::create_directory;
use chancery_time::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::keys::Keys;
use crate::outbox::{self, Waiting};
use crate::unpinned::{self, runs};

/// How often the outbox is looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// How long a log that cannot be written rests before it is tried again. The backlog is counted as often.
const RETRY: Duration = Duration::from_secs(1);
/// How long the disk may take for a batch before it is said to hang: it took well under a second, or is no use.
const DISK_PATIENCE: Duration = Duration::from_secs(30);
/// How long until the same is said again.
const REMINDER: Duration = Duration::from_secs(60);

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where it lies.
    pub directory: PathBuf,
    /// When a segment ends, and how often there is a checkpoint.
    pub options: Options,
    /// Whether closed segments are compressed.
    pub compress: bool,
    /// Whether nothing is issued while the log cannot be written.
    pub required: bool,
    /// How many events may wait before nothing is issued any more.
    pub backlog: u64,
}

/// Whether the log is written, for those who depend on it. Clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<AtomicU8>);

const WRITING: u8 = 0;
const BEHIND: u8 = 1;
const CLOSED: u8 = 2;
const ENDED: u8 = 3;

impl Health {
    /// Whether changes may be made that the log has to tell of.
    pub fn allows_changes(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), WRITING | BEHIND)
    }

    /// Whether what happens is in the log a moment later.
    pub fn is_writing(&self) -> bool {
        self.0.load(Ordering::Relaxed) == WRITING
    }

    /// Whether nothing will be written any more before the server is started again.
    pub fn has_ended(&self) -> bool {
        self.0.load(Ordering::Relaxed) == ENDED
    }

    fn set(&self, to: u8) {
        self.0.store(to, Ordering::Relaxed);
    }
}

/// The one writer of a node's log.
pub struct Appender {
    db: Db,
    node: Node,
    keys: Keys,
    policy: Policy,
    clock: Arc<dyn Clock>,
    health: Health,
    journal: Option<Journal>,
    said: Option<Instant>,
    patience: Duration,
    compressing: Option<JoinHandle<()>>,
}

impl Appender {
    /// The appender of a node.
    ///
    /// # Errors
    /// When the node's name cannot stand in a log.
    pub fn new(
        db: Db,
        node: &str,
        keys: Keys,
        policy: Policy,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NameError> {
        let node = Node::new(node)?;
        let health = Health::default();
        Ok(Self {
            db,
            node,
            keys,
            policy,
            clock,
            health,
            journal: None,
            said: None,
            patience: DISK_PATIENCE,
            compressing: None,
        })
    }

    /// What shows others whether the log is written.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Works until `stop`, and then once more for what is left. Where it fails in a way that nobody thought of,
    /// nothing is issued any more: nobody would count what waits.
    pub async fn run(self, stop: CancellationToken) {
        let health = self.health();
        if let Err(error) = tokio::spawn(self.work(stop)).await {
            health.set(ENDED);
            tracing::error!(
                %error,
                "THE AUDIT LOG IS NOT WRITTEN ANY MORE: what writes it has failed; events wait in the store, and nothing is issued until the server is started again"
            );
        }
    }

    async fn work(mut self, stop: CancellationToken) {
        loop {
            let pause = if self.attempt().await { INTERVAL } else { RETRY };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.finish().await;
    }

    /// Writes what waits, and ends the log with a checkpoint.
    pub async fn finish(mut self) {
        // What is closed now is compressed after the next start.
        self.policy.compress = false;
        if !self.attempt().await {
            return;
        }
        let Some(journal) = self.journal.take() else { return };
        let now = self.clock.now();
        let closed = self.on_disk(move || journal.close(now)).await.and_then(|closed| Ok(closed?));
        let pinned = match closed {
            Ok(Some(appended)) => self.pin(&[], appended).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = pinned {
            tracing::error!(
                error = format!("{error:#}"),
                "the audit log was not closed; the next start goes on with it"
            );
        }
    }

    /// Writes what waits; `false` where that was not possible.
    async fn attempt(&mut self) -> bool {
        match self.drain().await {
            Ok(()) => {
                if !self.health.is_writing() {
                    tracing::warn!("the audit log is written again, and holds all that happened meanwhile");
                }
                self.health.set(WRITING);
                self.said = None;
                true
            }
            Err(error) => {
                self.journal = None;
                self.complain(&error).await;
                false
            }
        }
    }

    async fn drain(&mut self) -> anyhow::Result<()> {
        if self.journal.is_none() {
            self.open().await?;
        }
        loop {
            let node = self.node.clone();
            let limit = i64::try_from(MAX_BATCH)?;
            let waiting = self.db.read(move |tx| outbox::waiting(tx, node.as_str(), limit)).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            let is_last = waiting.len() < MAX_BATCH;
            self.append(waiting).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// Opens the log where it ends, and takes out of the outbox what a crash left in both.
    async fn open(&mut self) -> anyhow::Result<()> {
        create_directory(&self.policy.directory)?;
        let (keys, node) = (self.keys.clone(), self.node.clone());
        let pinned: Head = self.db.read(move |tx| keys.pinned(tx, &node)).await?;
        let (directory, secret, options) =
            (self.policy.directory.clone(), self.keys.secret(), self.policy.options);
        let signer = self.keys.signer(&self.node)?;
        let opening = self.on_disk(move || {
            let (journal, recovered) = Journal::open(&directory, secret, signer, options, pinned.clone())?;
            let unpinned = unpinned::events(&directory, &pinned, journal.head())?;
            anyhow::Ok((journal.head() != &pinned, journal, recovered.cut_bytes, unpinned))
        });
        let (is_beyond, journal, cut_bytes, events) = opening.await??;
        // What this process did not write to the end is no crash, and said already.
        if self.health.is_writing() {
            if cut_bytes > 0 {
                tracing::warn!(
                    bytes = cut_bytes,
                    "a torn line was cut off the audit log; its event is written anew"
                );
            }
            if !events.is_empty() {
                tracing::warn!(
                    events = events.len(),
                    "events that a crash left in log and outbox are taken out of the outbox"
                );
            }
        }
        if is_beyond {
            let (node, head) = (self.node.clone(), journal.head().to_bytes());
            self.db.write(move |tx| unpinned::settle(tx, node.as_str(), &events, &head)).await?;
        }
        self.journal = Some(journal);
        Ok(())
    }

    async fn append(&mut self, waiting: Vec<Waiting>) -> anyhow::Result<()> {
        let ids: Vec<i64> = waiting.iter().map(|event| event.id).collect();
        let events = waiting.into_iter().map(event).collect::<anyhow::Result<Vec<Event>>>()?;
        let mut journal = self.journal.take().context("the log is not open")?;
        let now: Timestamp = self.clock.now();
        let appending = self.on_disk(move || {
            let appended = journal.append(&events, now);
            (journal, appended)
        });
        let (journal, appended) = appending.await?;
        let appended = appended?;
        self.pin(&ids, appended).await?;
        self.journal = Some(journal);
        Ok(())
    }

    /// Takes events out of the outbox and pins the end of the log, at once. Where that fails the log is
    /// opened again, which finds the lines.
    async fn pin(&mut self, ids: &[i64], appended: Appended) -> anyhow::Result<()> {
        let (node, runs) = (self.node.clone(), runs(ids));
        let head = appended.head.to_bytes();
        self.db
            .write(move |tx| {
                for (first, last) in &runs {
                    outbox::remove(tx, node.as_str(), *first, *last)?;
                }
                outbox::pin(tx, node.as_str(), &head)
            })
            .await?;
        if let Some(checkpoint) = appended.checkpoint {
            let directory = self.policy.directory.clone();
            self.on_disk(move || {
                if let Err(error) = checkpoint.write_to(&directory) {
                    tracing::warn!(%error, "a checkpoint of the audit log is in the log only: its file was not written");
                }
            })
            .await?;
            self.compress();
        }
        Ok(())
    }

    /// Does what may have to wait for the disk. One that hangs is told of like one that fails, and waited for all the
    /// same: what it was given may yet be written.
    async fn on_disk<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let begun = Instant::now();
        let mut working = tokio::task::spawn_blocking(work);
        let mut patience = self.patience;
        loop {
            match tokio::time::timeout(patience, &mut working).await {
                Ok(done) => return Ok(done?),
                Err(_) => {
                    let seconds = begun.elapsed().as_secs();
                    let directory = self.policy.directory.display();
                    let hangs = anyhow!("the disk under {directory} has not answered for {seconds} seconds");
                    self.complain(&hangs).await;
                    patience = RETRY;
                }
            }
        }
    }

    /// Compresses what is closed, aside: a large segment takes minutes, in which events are to be written. The
    /// end of the process does not wait for it, and may cut it off.
    fn compress(&mut self) {
        if !self.policy.compress || self.compressing.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let directory = self.policy.directory.clone();
        let thread = std::thread::Builder::new().name("audit-compress".to_owned());
        let started = thread.spawn(move || {
            if let Err(error) = compress_closed(&directory) {
                let error = anyhow::Error::from(error);
                tracing::warn!("a closed segment of the audit log was not compressed: {error:#}");
            }
        });
        self.compressing = started.ok();
    }

    /// Says that the log is not written, and whether changes may be made all the same.
    async fn complain(&mut self, error: &anyhow::Error) {
        let node = self.node.clone();
        let backlog = self.db.read(move |tx| outbox::backlog(tx, node.as_str()));
        // The database may be on the disk that hangs.
        let backlog = tokio::time::timeout(RETRY, backlog).await.ok().and_then(Result::ok);
        let is_full = backlog.is_some_and(|backlog| backlog >= self.policy.backlog);
        let allowed_changes = self.health.allows_changes();
        self.health.set(if self.policy.required || is_full { CLOSED } else { BEHIND });
        let is_news = self.health.allows_changes() != allowed_changes;
        if !is_news && self.said.is_some_and(|said| said.elapsed() < REMINDER) {
            return;
        }
        self.said = Some(Instant::now());
        let waiting = backlog.unwrap_or_default();
        tracing::error!(
            waiting,
            "THE AUDIT LOG IS NOT WRITTEN: {error:#}; events wait in the store{}",
            if self.health.allows_changes() {
                ""
            } else {
                ", and nothing is issued until it is written again"
            }
        );
    }
}

fn event(waiting: Waiting) -> anyhow::Result<Event> {
    let mut event = Event::new(u64::try_from(waiting.id)?, waiting.at, EventName::new(waiting.event)?);
    event.account_id = waiting.account_id.map(|id| id.to_string());
    event.source_ip = waiting.source_ip.and_then(|ip| ip.parse().ok());
    event.user_agent = waiting.user_agent;
    event.actor = waiting.actor;
    event.decision = match waiting.decision.as_deref() {
        Some("allow") => Some(Decision::Allow),
        Some("deny") => Some(Decision::Deny),
        _ => None,
    };
    event.reason = waiting.reason;
    event.details = serde_json::from_str(&waiting.details)?;
    Ok(event)
}
