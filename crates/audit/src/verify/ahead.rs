//! The hashes of lines, made before the lines are looked at: for a hash it does not matter what stands around a
//! line, and many at once take less time than one after the other.

use std::collections::VecDeque;

use crate::bulk::Bulk;
use crate::crypto::{Hash, Mac, Secret};
use crate::line::{MAC_PART_LENGTH, macs_of};
use crate::merkle::leaf_hashes;

/// So many lines are hashed at once: enough to keep all lanes busy, and few enough to be in the cache still when they
/// are looked at.
pub(super) const MAX_AHEAD: usize = 256;

/// Hashes of the next lines.
pub(super) struct Ahead {
    macs: Option<Bulk>,
    leaves: Option<Bulk>,
    ready: VecDeque<Hashed>,
}

/// What is made of one line, as far as it is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hashed {
    /// The authenticator that it should have, if it has the form of a line.
    pub(super) mac: Option<Mac>,
    /// The hash of its leaf in the tree.
    pub(super) leaf: Option<Hash>,
}

impl Ahead {
    /// With a secret it makes authenticators, and for a tree its leaves.
    pub(super) fn new(secret: Option<&Secret>, tree: bool) -> Self {
        Self { macs: secret.map(macs_of), leaves: tree.then(leaf_hashes), ready: VecDeque::new() }
    }

    /// Whether it is to be told of the next lines.
    pub(super) fn has_run_out(&self) -> bool {
        self.ready.is_empty()
    }

    /// These lines are next.
    pub(super) fn hash(&mut self, lines: &[&[u8]]) {
        self.ready.resize(lines.len(), Hashed::default());
        if let Some(macs) = &self.macs {
            let covered: Vec<&[u8]> = lines.iter().map(|line| before_mac(line)).collect();
            for (hashed, mac) in self.ready.iter_mut().zip(macs.hash_all(&covered)) {
                hashed.mac = Some(mac);
            }
        }
        if let Some(leaves) = &self.leaves {
            for (hashed, leaf) in self.ready.iter_mut().zip(leaves.hash_all(lines)) {
                hashed.leaf = Some(leaf);
            }
        }
    }

    /// Of the next line.
    pub(super) fn next(&mut self, line: &[u8]) -> Hashed {
        if self.ready.is_empty() {
            self.hash(&[line]);
        }
        self.ready.pop_front().unwrap_or_default()
    }
}

/// What the authenticator covers, if the line has one.
fn before_mac(line: &[u8]) -> &[u8] {
    line.len().checked_sub(MAC_PART_LENGTH).and_then(|length| line.get(..length)).unwrap_or_default()
}
