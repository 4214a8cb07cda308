//! The trail from a change in a product's database to its audit log.
//!
//! [`Trail::tell`] writes an event into the outbox in the transaction of the change. The [`Appender`] moves
//! events from there into the log, in order and exactly once; the [`commands`] verify it and search it. The log
//! itself, its form and its proofs are those of `chancery-audit`; which events there are, each product lists with
//! [`events!`].
//!
//! Two tables are this crate's, and a product's migrations have to make them:
//!
//! ```sql
#![doc = include_str!("../schema.sql")]
//! ```

mod appender;
pub mod commands;
mod keys;
mod kind;
mod newest;
mod node;
pub mod outbox;
mod segments;
mod telling;
mod unpinned;

pub use appender::{Appender, Health, Policy};
pub use keys::{Keys, KeysError};
pub use kind::{Kind, faults, page};
pub use newest::{Newest, newest};
pub use node::node_name;
pub use telling::{Entry, MAX_USER_AGENT, Origin, Trail, operator};

use std::path::{Path, PathBuf};

/// Where the log of the node lies that works in a directory.
pub fn directory(workdir: &Path) -> PathBuf {
    workdir.join("audit")
}
