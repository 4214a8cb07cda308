//! The audit log: a chain of lines that nobody can cut, change or add to unseen.
//!
//! A caller keeps its events in an outbox until [`Journal::append`] has made them lines, and pins the
//! returned [`Head`] in the transaction that empties the outbox. Whoever has the log can then
//! [verify](Log::verify) it: with the secret and the pinned head down to the last byte, or with a public
//! key alone up to the last signed [`Checkpoint`].
//!
//! The format is specified in `docs/formats/audit-log.md`. Nothing here knows what the events mean, reads
//! a clock or draws random numbers; files are read and written through the standard library, and calls
//! block.
//!
//! | room | what it holds |
//! |---|---|
//! | `journal` | appending, rotation, and what is found again after a crash |
//! | `log`, `verify` | reading a log and finding what was done to it |
//! | `query` | lines as records |
//! | `event`, `names` | what a caller gives |
//! | `line`, `scan`, `json` | one line, written and read |
//! | `head`, `merkle` | where a log ends |
//! | `checkpoint`, `note` | signed statements about a log |
//! | `segment`, `reader`, `compress`, `files` | the files |
//! | `crypto`, `bulk`, `lanes`, `hex` | hashes, authenticators and signatures |

mod bulk;
mod checkpoint;
mod compress;
mod crypto;
mod event;
mod files;
mod head;
mod hex;
mod journal;
mod json;
#[cfg(any(test, target_arch = "x86_64"))]
mod lanes;
mod line;
mod log;
mod merkle;
mod names;
mod note;
mod query;
mod reader;
mod scan;
mod segment;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use compress::{CompressError, compress_closed};
pub use crypto::Secret;
pub use event::{Decision, Event};
pub use files::FileError;
pub use head::{Head, HeadError};
pub use journal::{AppendError, Appended, Journal, MAX_BATCH, OpenError, Options, Recovered};
pub use line::MAX_LINE_LENGTH;
pub use log::Log;
pub use names::{EventName, NameError, Node};
pub use note::{KeyError, NoteError, Signer, VerifierKey};
pub use query::{Filter, Position, QueryError, Record, Records};
pub use scan::Malformation;
pub use segment::{SegmentName, SegmentNameError};
pub use verify::{Finding, FindingKind, Progress, Report, Verification};
