//! The pinned head: how far the log of a node has come.

use std::str::FromStr;

use crate::crypto::{HASH_LENGTH, Hash, Mac, Secret};
use crate::line;
use crate::merkle::Frontier;
use crate::names::Node;
use crate::segment::SegmentName;

const VERSION: u8 = 1;

/// The end of a node's log, as its store pins it. What is pinned can no longer be cut off unseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub(crate) node: Node,
    pub(crate) seq: u64,
    pub(crate) mac: Mac,
    /// The seq of the last checkpoint, or 0.
    pub(crate) checkpoint: u64,
    /// Over the lines 1 to `seq`.
    pub(crate) tree: Frontier,
    pub(crate) segment: Option<End>,
}

/// How far a segment goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    pub(crate) segment: SegmentName,
    /// In bytes.
    pub(crate) length: u64,
}

/// Bytes that are no [`Head`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// A version that this build does not know.
    #[error("the pinned head is of version {0}, this build reads version {VERSION}: use the newer build")]
    Version(u8),
    /// The bytes are not those of a head.
    #[error("the pinned head cannot be read: restore the store from a backup, then verify the log")]
    Malformed,
}

impl Head {
    /// The head of a log without lines, which the first line is chained to.
    ///
    /// `installation_key` is whatever names the installation for ever.
    pub fn genesis(secret: &Secret, installation_key: &str, node: &Node) -> Self {
        Self {
            node: node.clone(),
            seq: 0,
            mac: line::genesis(secret, installation_key, node),
            checkpoint: 0,
            tree: Frontier::default(),
            segment: None,
        }
    }

    /// Whose log it is.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The number of the last line; the first line is 1, and 0 means none.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The authenticator of the last line; of a log without lines what its first line is chained to.
    pub fn mac(&self) -> &[u8; 32] {
        &self.mac
    }

    /// The root of the Merkle tree over all lines.
    pub fn root(&self) -> [u8; 32] {
        self.tree.root()
    }

    /// The file that holds the last line, and its length in bytes.
    pub fn segment(&self) -> Option<(&SegmentName, u64)> {
        self.segment.as_ref().map(|end| (&end.segment, end.length))
    }

    /// The head as bytes for the store, at most 2.3 KiB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        write_short(&mut bytes, self.node.as_str());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.mac);
        bytes.extend_from_slice(&self.checkpoint.to_be_bytes());
        bytes.extend_from_slice(&self.tree.to_bytes());
        if let Some(end) = &self.segment {
            write_short(&mut bytes, end.segment.as_str());
            bytes.extend_from_slice(&end.length.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`Head::to_bytes`] made, strictly.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let (version, rest) = bytes.split_first().ok_or(HeadError::Malformed)?;
        if *version != VERSION {
            return Err(HeadError::Version(*version));
        }
        Self::read(rest).ok_or(HeadError::Malformed)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let node = Node::new(read_short(&mut rest)?).ok()?;
        let seq = read_number(&mut rest)?;
        let mac: Hash = *rest.split_off(..HASH_LENGTH)?.as_array()?;
        let checkpoint = read_number(&mut rest)?;
        let tree = rest.split_off(..HASH_LENGTH * seq.count_ones() as usize)?;
        let tree = Frontier::from_bytes(seq, tree)?;
        let segment = if seq == 0 { None } else { Some(read_end(&mut rest)?) };
        let sound = rest.is_empty() && checkpoint <= seq;
        sound.then_some(Self { node, seq, mac, checkpoint, tree, segment })
    }
}

fn read_end(bytes: &mut &[u8]) -> Option<End> {
    let segment = SegmentName::from_str(read_short(bytes)?).ok()?;
    Some(End { segment, length: read_number(bytes)? })
}

/// A text of at most 255 bytes after its length.
fn write_short(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(text.as_bytes());
}

fn read_short<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = bytes.split_off_first()?;
    str::from_utf8(bytes.split_off(..usize::from(*length))?).ok()
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.split_off(..8)?.as_array()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads() -> Vec<Head> {
        let node = Node::new("ca1").unwrap();
        let mut head = Head::genesis(&Secret::new(&[1; 32]), "installation", &node);
        let mut heads = vec![head.clone()];
        for seq in 1..40u64 {
            head.tree.push(&seq.to_be_bytes());
            head.seq = seq;
            head.checkpoint = seq / 2;
            let segment = "audit.20260614T132300125Z.jsonl".parse().unwrap();
            head.segment = Some(End { segment, length: seq * 100 });
            heads.push(head.clone());
        }
        heads
    }

    #[test]
    fn comes_back_from_its_bytes_and_from_no_others() {
        for head in heads() {
            let bytes = head.to_bytes();
            assert_eq!(Head::from_bytes(&bytes), Ok(head));
            for length in 0..bytes.len() {
                assert!(Head::from_bytes(&bytes[..length]).is_err(), "{length}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(Head::from_bytes(&longer), Err(HeadError::Malformed));
        }
        assert_eq!(Head::from_bytes(&[2, 0]), Err(HeadError::Version(2)));
    }

    #[test]
    fn genesis_depends_on_all_that_it_names() {
        let (secret, node) = (Secret::new(&[1; 32]), Node::new("ca1").unwrap());
        let genesis = Head::genesis(&secret, "installation", &node);
        assert_ne!(genesis.mac(), Head::genesis(&Secret::new(&[2; 32]), "installation", &node).mac());
        assert_ne!(genesis.mac(), Head::genesis(&secret, "other", &node).mac());
        assert_ne!(genesis.mac(), Head::genesis(&secret, "installation", &Node::new("ca2").unwrap()).mac());
    }
}
