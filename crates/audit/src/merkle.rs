//! The Merkle tree over the lines (RFC 6962 §2.1), kept as its right edge alone.

use crate::bulk::Bulk;
use crate::crypto::{HASH_LENGTH, Hash, sha256};

/// No tree of a `u64` of leaves has more hashes on its edge.
const MAX_HASHES: usize = 64;
/// What stands before the bytes of a leaf where it is hashed, and before the hashes of two subtrees.
const LEAF: &[u8] = &[0x00];
const PARENT: &[u8] = &[0x01];

/// A tree of any size in at most 64 hashes: those of its largest complete subtrees, left to right
/// (a compact range from leaf 0).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

impl Frontier {
    /// Puts together what [`Frontier::to_bytes`] took apart. `None` unless there is one hash for each
    /// one-bit of the size.
    pub(crate) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<HASH_LENGTH>();
        let fits = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        fits.then(|| Self { size, hashes: hashes.to_vec() })
    }

    /// The hashes, left to right.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.hashes.concat()
    }

    /// How many leaves there are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds the leaf of those bytes.
    pub(crate) fn push(&mut self, leaf: &[u8]) {
        self.push_hash(sha256(&[LEAF, leaf]));
    }

    /// Adds a leaf of which [`leaf_hashes`] made the hash.
    pub(crate) fn push_hash(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Like a carry in a binary counter: equal subtrees merge.
        let mut level = self.size;
        while level & 1 == 1 {
            let Some(left) = self.hashes.pop() else { break };
            hash = parent(&left, &hash);
            level >>= 1;
        }
        if self.hashes.capacity() == 0 {
            self.hashes.reserve_exact(MAX_HASHES);
        }
        self.hashes.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The root hash; of the empty tree that of the empty string.
    pub(crate) fn root(&self) -> Hash {
        let mut from_the_right = self.hashes.iter().rev();
        let Some(last) = from_the_right.next() else { return sha256(&[]) };
        from_the_right.fold(*last, |right, left| parent(left, &right))
    }
}

/// Makes the hashes of leaves.
pub(crate) fn leaf_hashes() -> Bulk {
    Bulk::sha256(LEAF)
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    sha256(&[PARENT, left, right])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 §2.1, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => sha256(&[&[0x00], leaf]),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                parent(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let mut frontier = Frontier::default();
        let mut leaves = Vec::new();
        for number in 0..200u8 {
            assert_eq!(frontier.root(), by_definition(&leaves), "{number} leaves");
            let again = Frontier::from_bytes(frontier.size(), &frontier.to_bytes());
            assert_eq!(again.as_ref(), Some(&frontier));
            frontier.push(&[number]);
            leaves.push(vec![number]);
        }
    }

    #[test]
    fn a_frontier_has_the_hashes_of_its_size() {
        assert!(Frontier::from_bytes(3, &[0; 64]).is_some());
        for (size, length) in [(3, 63), (3, 65), (3, 32), (4, 64), (0, 32)] {
            assert!(Frontier::from_bytes(size, &vec![0; length]).is_none(), "{size}, {length}");
        }
    }
}
