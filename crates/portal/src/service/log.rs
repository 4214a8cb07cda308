//! The issuance log, for those who ask the running portal. What it says is proven by `chancery-portal log verify`.

use std::path::PathBuf;

use anyhow::anyhow;
use chancery_audit::{Checkpoint, Filter, Node};
use chancery_trail::{Keys, Newest};
use tokio::sync::Semaphore;

use super::{Failure, Office};
use crate::domain::{Actor, Permission, Refusal};
use crate::store::MAX_PAGE;

#[cfg(test)]
mod tests;

/// How much of the log a search reads, in bytes of its files.
const MAX_BYTES: u64 = 64 * 1_024 * 1_024;

/// The log of this node.
pub(crate) struct Log {
    keys: Keys,
    directory: PathBuf,
    /// A search keeps a disk busy: one at a time.
    searching: Semaphore,
}

/// A signed statement about the whole log so far.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) node: String,
    /// How many lines it is about.
    pub(crate) size: u64,
    /// The note, every byte of which counts.
    pub(crate) note: String,
    /// What verifies it.
    pub(crate) key: String,
}

/// What is searched for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    /// 1 to [`MAX_PAGE`].
    pub(crate) limit: i64,
}

impl Log {
    /// The log that lies in that directory.
    pub(crate) fn new(keys: Keys, directory: PathBuf) -> Self {
        Self { keys, directory, searching: Semaphore::new(1) }
    }
}

/// The newest checkpoint of this node.
///
/// # Errors
/// [`Permission::LogRead`] with a live key for all products; a log without lines.
pub(crate) async fn checkpoint(office: &Office, actor: &Actor) -> Result<Signed, Failure> {
    require(actor)?;
    let node = Node::new(office.trail.node()).map_err(anyhow::Error::from)?;
    let log = &office.log;
    let signer = log.keys.signer(&node).map_err(anyhow::Error::from)?;
    let keys = log.keys.clone();
    let pinned = office.read(move |_, tx| Ok(keys.pinned(tx, &node).map_err(anyhow::Error::from)?));
    let head = pinned.await?;
    if head.seq() == 0 {
        return Err(Refusal::not_found("checkpoint: the log of this node has no lines yet").into());
    }
    let checkpoint = Checkpoint::sign(&signer, &head).map_err(anyhow::Error::from)?;
    Ok(Signed {
        node: head.node().to_string(),
        size: checkpoint.size(),
        note: checkpoint.note().to_owned(),
        key: signer.verifier_key().to_string(),
    })
}

/// The newest events of this node that are wanted, the newest first.
///
/// # Errors
/// As [`checkpoint`]; a limit that is none; when the log cannot be read.
pub(crate) async fn events(office: &Office, actor: &Actor, wanted: Wanted) -> Result<Newest, Failure> {
    require(actor)?;
    let log = &office.log;
    let limit = usize::try_from(wanted.limit.clamp(1, MAX_PAGE)).unwrap_or(1);
    let _turn = log.searching.acquire().await.map_err(anyhow::Error::from)?;
    let directory = log.directory.clone();
    // Nothing was written before the first event.
    if !directory.exists() {
        return Ok(Newest { records: Vec::new(), is_cut: false });
    }
    let search = move || chancery_trail::newest(&directory, &wanted.filter, limit, MAX_BYTES);
    let found = tokio::task::spawn_blocking(search).await;
    Ok(found.map_err(|_| anyhow!("the search of the log failed"))??)
}

/// The log tells of every product, of live and of test data.
fn require(actor: &Actor) -> Result<(), Refusal> {
    actor.require_live(Permission::LogRead)?;
    actor.require_every_product(Permission::LogRead)
}
