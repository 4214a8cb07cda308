//! What the store knows of the audit logs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chancery_audit::{Head, NameError, Node};
use chancery_db::Db;
use chancery_time::Timestamp;

use crate::{Keys, directory, outbox};

/// The program's installation, opened for one command.
pub struct Site {
    pub(super) db: Db,
    pub(super) keys: Keys,
    /// This node.
    pub(super) node: Node,
    /// Where its log is.
    pub(super) directory: PathBuf,
}

/// Where a log ends, and what is still to come.
pub(super) struct Pinned {
    pub(super) head: Head,
    /// The events that wait for the log, by their numbers, and when they happened.
    pub(super) waiting: HashMap<u64, Timestamp>,
}

impl Site {
    /// The installation with that store, whose node of that name works in that directory.
    ///
    /// # Errors
    /// When the node's name cannot stand in a log.
    pub fn new(db: Db, keys: Keys, node: &str, workdir: &Path) -> Result<Self, NameError> {
        Ok(Self { db, keys, node: Node::new(node)?, directory: directory(workdir) })
    }

    /// The end of a node's log and what waits for it, both at one instant.
    pub(super) async fn pinned(&self, node: &Node) -> anyhow::Result<Pinned> {
        let (keys, node) = (self.keys.clone(), node.clone());
        self.db
            .read(move |tx| {
                let head = keys.pinned(tx, &node).with_context(|| format!("the log of node {node}"))?;
                let waiting = outbox::instants(tx, node.as_str(), i64::MIN, i64::MAX)?.into_iter();
                let waiting = waiting.map(|(id, at)| Ok((u64::try_from(id)?, at)));
                let waiting = waiting.collect::<anyhow::Result<_>>()?;
                Ok(Pinned { head, waiting })
            })
            .await
    }
}
