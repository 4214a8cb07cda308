//! The server's side of the audit log: what it tells, and how that gets there.
//!
//! [`Trail::tell`](trail::Trail::tell) writes an event into the outbox in the transaction of the change.
//! The [`appender`] moves events from there into the log, in order and exactly once. The log itself, its
//! form and its proofs are those of `chancery-audit`.

pub(crate) mod appender;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod trail;
mod unpinned;

pub(crate) use trail::{Entry, Origin, Trail};

use std::path::{Path, PathBuf};

/// Where the log of the node lies that works in a directory.
pub(crate) fn directory(workdir: &Path) -> PathBuf {
    workdir.join("audit")
}
