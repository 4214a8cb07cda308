//! What the store knows of the audit logs.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context;
use chancery_audit::{Head, Node};
use chancery_db::Db;
use chancery_time::Timestamp;

use super::ConfigArgs;
use crate::audit::directory;
use crate::audit::keys::Keys;
use crate::store::audit;

/// The installation, opened for one command.
pub(super) struct Site {
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
    /// Opens the installation for `act`, and closes it whatever comes of that.
    pub(super) fn visit<T>(
        config: &ConfigArgs,
        act: impl AsyncFnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        config.visit(async |on| {
            let site = Self {
                keys: Keys::open(&on.office.db, on.office.installation.key.clone()).await?,
                node: Node::new(on.office.trail.node())?,
                directory: directory(&on.config.server.workdir),
                db: on.office.db.clone(),
            };
            act(&site).await
        })
    }

    /// The end of a node's log and what waits for it, both at one instant.
    pub(super) async fn pinned(&self, node: &Node) -> anyhow::Result<Pinned> {
        let (keys, node) = (self.keys.clone(), node.clone());
        self.db
            .read(move |tx| {
                let head = keys.pinned(tx, &node).with_context(|| format!("the log of node {node}"))?;
                let waiting = audit::instants(tx, node.as_str(), i64::MIN, i64::MAX)?.into_iter();
                let waiting = waiting.map(|(id, at)| Ok((u64::try_from(id)?, at)));
                let waiting = waiting.collect::<anyhow::Result<_>>()?;
                Ok(Pinned { head, waiting })
            })
            .await
    }
}
