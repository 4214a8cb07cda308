//! The Merkle tree over the lines, held against the checkpoints in the log and one kept elsewhere.

use base64ct::{Base64, Encoding as _};
use serde_json::{Map, Value};

use super::chain::Standing;
use super::finding::FindingKind;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::crypto::Hash;
use crate::hex;
use crate::merkle::Frontier;
use crate::names::{CHECKPOINT_EVENT, SEGMENT_EVENT};
use crate::note::VerifierKey;
use crate::scan::Fields;

/// What checking a tree needs, and how far it has come.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    key: &'a VerifierKey,
    kept: Option<&'a Checkpoint>,
    /// `None` after a break, until the next segment begins.
    frontier: Option<Frontier>,
    /// Up to here the tree was vouched for by a signature.
    pub(super) signed_to: u64,
    pub(super) checkpoints: u64,
    /// Whether the kept checkpoint was held against the log.
    pub(super) kept_judged: bool,
}

impl<'a> Tree<'a> {
    pub(super) fn new(key: &'a VerifierKey, kept: Option<&'a Checkpoint>) -> Self {
        Self { key, kept, frontier: None, signed_to: 0, checkpoints: 0, kept_judged: false }
    }

    /// Looks at the next line of the chain, and says what is wrong with it.
    pub(super) fn add(
        &mut self,
        fields: &Fields<'_>,
        leaf: Option<Hash>,
        standing: Standing,
    ) -> Vec<FindingKind> {
        let mut wrong = Vec::new();
        if standing == Standing::AfterBreak {
            self.frontier = None;
        }
        if fields.header.event == SEGMENT_EVENT.as_bytes() {
            wrong.extend(self.begin_segment(fields));
        }
        if fields.header.event == CHECKPOINT_EVENT.as_bytes() {
            wrong.extend(self.check(fields));
        }
        if let (Some(frontier), Some(leaf)) = (&mut self.frontier, leaf) {
            frontier.push_hash(leaf);
            wrong.extend(self.hold_against_kept(&hex::decode(fields.header.mac)));
        }
        wrong
    }

    fn begin_segment(&mut self, fields: &Fields<'_>) -> Option<FindingKind> {
        let size = fields.header.seq.saturating_sub(1);
        let stated = detail(fields, "frontier").and_then(|text| {
            let bytes = Base64::decode_vec(&text).ok()?;
            Frontier::from_bytes(size, &bytes)
        });
        let before = std::mem::replace(&mut self.frontier, stated);
        let wrong =
            self.frontier.is_none() || before.is_some_and(|before| Some(&before) != self.frontier.as_ref());
        if wrong {
            return Some(FindingKind::FrontierMismatch);
        }
        if self.kept.is_some_and(|kept| kept.size() == size) && !self.kept_judged {
            return self.hold_against_kept(&hex::decode(fields.header.prev_mac));
        }
        None
    }

    fn check(&mut self, fields: &Fields<'_>) -> Option<FindingKind> {
        self.checkpoints += 1;
        let note = detail(fields, "note").unwrap_or_default();
        let checkpoint = match Checkpoint::open(&note, self.key) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Some(FindingKind::BadCheckpoint(error)),
        };
        let header = fields.header;
        let at_home = checkpoint.size() == header.seq.saturating_sub(1)
            && checkpoint.node().as_str().as_bytes() == header.node;
        if !at_home {
            return Some(FindingKind::BadCheckpoint(CheckpointError::Malformed));
        }
        let frontier = self.frontier.as_ref()?;
        let agrees = frontier.root() == *checkpoint.root()
            && hex::decode(header.prev_mac).as_ref() == Some(checkpoint.mac());
        if agrees {
            self.signed_to = checkpoint.size();
            return None;
        }
        self.frontier = None;
        Some(FindingKind::RootMismatch { from_seq: self.signed_to + 1, to_seq: checkpoint.size() })
    }

    /// `mac` is that of the last line of the tree.
    fn hold_against_kept(&mut self, mac: &Option<[u8; 32]>) -> Option<FindingKind> {
        let kept = self.kept.filter(|_| !self.kept_judged)?;
        let frontier = self.frontier.as_ref().filter(|frontier| frontier.size() == kept.size())?;
        self.kept_judged = true;
        let extends = frontier.root() == *kept.root() && mac.as_ref() == Some(kept.mac());
        (!extends).then_some(FindingKind::NotExtended { size: kept.size() })
    }
}

/// A text among the details.
pub(super) fn detail(fields: &Fields<'_>, name: &str) -> Option<String> {
    let mut details: Map<String, Value> = serde_json::from_slice(fields.details?).ok()?;
    match details.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}
