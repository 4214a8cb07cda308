//! Appending to a log.

mod recovery;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use chancery_time::Timestamp;

use crate::checkpoint::Checkpoint;
use crate::crypto::{Mac, Secret};
use crate::event::Event;
use crate::files::{self, FileError, refused};
use crate::head::{End, Head};
use crate::line::{Place, write_event, write_own};
use crate::names::{CHECKPOINT_EVENT, Node, SEGMENT_EVENT};
use crate::note::{KeyError, Signer};
use crate::segment::SegmentName;

/// The most events of one [`Journal::append`]. More lines than those of one batch are never beyond the
/// pinned head of a sound log.
pub const MAX_BATCH: usize = 1_024;
/// The most lines that the journal adds to a batch: a checkpoint that closes a segment, the line that
/// begins the next one, a checkpoint that is due, and one at shutdown.
pub(crate) const MAX_OWN_LINES: usize = 4;

/// When segments end and checkpoints are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A segment of that many bytes gets no more batches.
    pub max_segment_bytes: u64,
    /// Nor does one that was begun that long ago.
    pub max_segment_age: Duration,
    /// A checkpoint is written once that many lines follow the last one.
    pub checkpoint_every: u64,
}

impl Default for Options {
    /// 256 MiB, 30 days, 1,000 lines.
    fn default() -> Self {
        Self {
            max_segment_bytes: 256 * 1_024 * 1_024,
            max_segment_age: Duration::from_hours(30 * 24),
            checkpoint_every: 1_000,
        }
    }
}

/// The end of a node's log, open for appending. There is one for each directory: its lock is held.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    secret: Secret,
    signer: Signer,
    options: Options,
    head: Head,
    /// The newest segment.
    file: Option<File>,
    /// Lines that are not written yet.
    batch: Vec<u8>,
    failed: bool,
    _lock: File,
}

/// What an append came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The new end of the log, to be pinned.
    pub head: Head,
    /// The newest checkpoint, if the append wrote one, to be published ([`Checkpoint::write_to`]).
    pub checkpoint: Option<Checkpoint>,
}

/// What [`Journal::open`] found beyond the pinned head: the traces of a crash between an append and its
/// pin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The [`Event::id`]s that are lines already, in their order; at most [`MAX_BATCH`].
    pub event_ids: Vec<u64>,
    /// How many bytes of torn lines were cut off. Their events are in the outbox still.
    pub cut_bytes: u64,
}

/// Why a journal was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file or directory cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another process appends to this log.
    #[error("another process appends to the audit log in {}", .directory.display())]
    Locked {
        /// Where.
        directory: PathBuf,
    },
    /// The segment that the pinned head names is gone.
    #[error(
        "{segment} is gone, but the pinned head says that the log ends in it: put it back, and run `audit verify`"
    )]
    SegmentGone {
        /// The segment.
        segment: SegmentName,
    },
    /// The segment is shorter than the pinned head says.
    #[error(
        "{segment} has {found} bytes, but the pinned head says {pinned}: its end was cut off; run `audit verify`"
    )]
    TailCut {
        /// The segment.
        segment: SegmentName,
        /// Its length in bytes.
        found: u64,
        /// The pinned length in bytes.
        pinned: u64,
    },
    /// The last pinned line is not the one that was pinned.
    #[error(
        "the line that ends at byte {offset} of {segment} is not the pinned one: the log was changed, or the store belongs to another log; run `audit verify`"
    )]
    NotPinned {
        /// The segment.
        segment: SegmentName,
        /// In bytes.
        offset: u64,
    },
    /// The directory holds the log of another node, and this one has none yet.
    #[error(
        "the audit log in {} is that of node {found}, and this is node {node}: the working directory was moved, copied or put back. Its log is not gone on with. Put it aside with `mv '{0}' '{0}.{found}'`, and a new one is begun; the old one verifies with `chancery audit verify --node {found} --log '{0}.{found}'` (a portal's with `chancery-portal log verify` and the same arguments)",
        .directory.display()
    )]
    AnotherNode {
        /// Where.
        directory: PathBuf,
        /// Whose log it is.
        found: Node,
        /// Whose log was to be opened.
        node: Node,
    },
    /// There is a line beyond the pinned head that does not follow from it, and that no crash explains.
    #[error(
        "the line at byte {offset} of {segment}, beyond the pinned head, does not follow from it: the log was changed, or it is the log of another store; run `audit verify`"
    )]
    Unsound {
        /// The segment.
        segment: SegmentName,
        /// In bytes.
        offset: u64,
    },
    /// There are more lines beyond the pinned head than one batch has.
    #[error(
        "the log goes on beyond the pinned head for more than one batch ({segment}): the store is older than the log, as after a restore; run `audit verify`"
    )]
    HeadBehind {
        /// Where it goes on.
        segment: SegmentName,
    },
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// More events than one batch has.
    #[error("{0} events are too many for one batch: give at most {MAX_BATCH}")]
    TooMany(usize),
    /// A file cannot be written. Open the journal again from the pinned head: it tells how far it came.
    #[error(transparent)]
    File(#[from] FileError),
    /// A checkpoint cannot be signed. Open the journal again.
    #[error("the checkpoint cannot be signed")]
    Sign(#[from] KeyError),
    /// An earlier append failed.
    #[error("an earlier append failed: open the journal again from the pinned head")]
    Failed,
}

impl Journal {
    /// Opens the log in a directory (which must be there) at its pinned head, or at
    /// [`Head::genesis`] when none was pinned yet.
    ///
    /// Before it appends anything, the caller removes the [recovered](Recovered::event_ids) events from its
    /// outbox and pins [`Journal::head`], in one transaction. A recovered event that is *not* in the outbox
    /// was removed from it before: the store is older than the log, and the caller should refuse to
    /// go on.
    ///
    /// # Errors
    /// [`OpenError`]; whatever points to tampering is reported and left as it is.
    pub fn open(
        directory: &Path,
        secret: Secret,
        signer: Signer,
        options: Options,
        pinned: Head,
    ) -> Result<(Self, Recovered), OpenError> {
        let lock = lock(directory)?;
        let found = recovery::recover(directory, &secret, pinned)?;
        let journal = Self {
            directory: directory.to_owned(),
            secret,
            signer,
            options,
            head: found.head,
            file: found.file,
            batch: Vec::new(),
            failed: false,
            _lock: lock,
        };
        Ok((journal, found.recovered))
    }

    /// Where the log ends.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Makes events lines, in the order given, durably: when this returns they are on the disk. One write
    /// and one sync serve the whole batch, and a second pair the end of a segment.
    ///
    /// The caller then pins the returned head in the transaction that removes the events from its outbox. If
    /// that transaction fails it is tried again; the append is not.
    ///
    /// # Errors
    /// [`AppendError`]. After any but [`AppendError::TooMany`] the journal appends no more: the caller
    /// opens it again, which tells which events became lines all the same.
    pub fn append(&mut self, events: &[Event], now: Timestamp) -> Result<Appended, AppendError> {
        if events.len() > MAX_BATCH {
            return Err(AppendError::TooMany(events.len()));
        }
        if events.is_empty() {
            return Ok(Appended { head: self.head.clone(), checkpoint: None });
        }
        self.commit(|journal, draft| {
            let closing = journal.rotate_if_due(draft, now)?;
            for event in events {
                journal.add(draft, |out, secret, place| write_event(out, secret, place, event));
            }
            let due = draft.seq - draft.checkpoint >= journal.options.checkpoint_every;
            let checkpoint = if due { Some(journal.add_checkpoint(draft, now)?) } else { closing };
            Ok(checkpoint)
        })
    }

    /// Ends with a checkpoint, for an orderly shutdown. `None` when the last line is one already.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn close(mut self, now: Timestamp) -> Result<Option<Appended>, AppendError> {
        if self.head.checkpoint == self.head.seq {
            return Ok(None);
        }
        self.commit(|journal, draft| journal.add_checkpoint(draft, now).map(Some)).map(Some)
    }

    /// Lets `write` add lines to a copy of the head, which counts once they are on the disk.
    fn commit(
        &mut self,
        write: impl FnOnce(&mut Self, &mut Head) -> Result<Option<Checkpoint>, AppendError>,
    ) -> Result<Appended, AppendError> {
        if self.failed {
            return Err(AppendError::Failed);
        }
        self.failed = true;
        let mut draft = self.head.clone();
        let checkpoint = write(self, &mut draft)?;
        self.flush()?;
        self.head = draft;
        self.failed = false;
        Ok(Appended { head: self.head.clone(), checkpoint })
    }

    fn add(&mut self, draft: &mut Head, write: impl FnOnce(&mut Vec<u8>, &Secret, Place<'_>) -> Mac) {
        let from = self.batch.len();
        let place = Place { node: &draft.node, seq: draft.seq + 1, prev_mac: &draft.mac };
        let mac = write(&mut self.batch, &self.secret, place);
        let line = self.batch.get(from..).unwrap_or_default();
        draft.tree.push(line.strip_suffix(b"\n").unwrap_or(line));
        draft.seq += 1;
        draft.mac = mac;
        if let Some(end) = &mut draft.segment {
            end.length += line.len() as u64;
        }
    }

    /// The line of a checkpoint over all lines before it.
    fn add_checkpoint(&mut self, draft: &mut Head, now: Timestamp) -> Result<Checkpoint, AppendError> {
        let checkpoint = Checkpoint::sign(&self.signer, draft)?;
        self.add(draft, |out, secret, place| {
            write_own(out, secret, place, now, CHECKPOINT_EVENT, &[("note", checkpoint.note())])
        });
        draft.checkpoint = draft.seq;
        Ok(checkpoint)
    }

    fn rotate_if_due(&mut self, draft: &mut Head, now: Timestamp) -> Result<Option<Checkpoint>, AppendError> {
        let Some(end) = &draft.segment else {
            self.begin_segment(draft, now)?;
            return Ok(None);
        };
        let full = end.length >= self.options.max_segment_bytes;
        let old = now.since(end.segment.time()) >= self.options.max_segment_age;
        if !full && !old {
            return Ok(None);
        }
        let closed = draft.checkpoint == draft.seq;
        let closing = if closed { None } else { Some(self.add_checkpoint(draft, now)?) };
        // The old segment is whole on the disk before there is a new one.
        self.flush()?;
        self.begin_segment(draft, now)?;
        Ok(closing)
    }

    /// A new file, and its first line, which lets it be verified without the files before it.
    fn begin_segment(&mut self, draft: &mut Head, now: Timestamp) -> Result<(), AppendError> {
        let previous = draft.segment.take().map(|end| end.segment);
        let segment = SegmentName::begun(now, previous.as_ref());
        self.file = Some(files::create(&self.directory.join(segment.as_str()))?);
        files::sync_directory(&self.directory)?;
        draft.segment = Some(End { segment, length: 0 });
        let frontier = Base64::encode_string(&draft.tree.to_bytes());
        let mut details = vec![("frontier", frontier.as_str())];
        details.extend(previous.as_ref().map(|previous| ("previous", previous.as_str())));
        self.add(draft, |out, secret, place| write_own(out, secret, place, now, SEGMENT_EVENT, &details));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FileError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        if !self.batch.is_empty() {
            let written = file.write_all(&self.batch).and_then(|()| file.sync_data());
            written.map_err(refused("write to the audit log in", &self.directory))?;
            self.batch.clear();
        }
        Ok(())
    }
}

/// Held until the journal is dropped, by a process that dies too.
fn lock(directory: &Path) -> Result<File, OpenError> {
    let lock = File::open(directory).map_err(refused("open", directory))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::Locked { directory: directory.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(refused("lock", directory)(error).into()),
    }
}
