//! Checkpoints: what a log says, under signature, about all its lines so far
//! (c2sp.org/tlog-checkpoint).

use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use chancery_files::Access;

use crate::crypto::{Hash, Mac};
use crate::head::Head;
use crate::hex;
use crate::names::Node;
use crate::note::{KeyError, NoteError, Signer, VerifierKey};

/// A signed statement about the first lines of a log, to be kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    node: Node,
    size: u64,
    root: Hash,
    mac: Mac,
    note: String,
    key: VerifierKey,
}

/// Why a checkpoint is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The note around it.
    #[error("the checkpoint is not to be believed: {0}")]
    Note(#[from] NoteError),
    /// The signed text is none of a checkpoint of this log.
    #[error("the signed text is no checkpoint of this log")]
    Malformed,
}

impl Checkpoint {
    /// Signs for the lines up to a head that is pinned. (A head that is not could still be lost, and a log
    /// must never be signed for in two ways.)
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn sign(signer: &Signer, head: &Head) -> Result<Self, KeyError> {
        let (node, size, root, mac) = (head.node().clone(), head.seq(), head.root(), *head.mac());
        let origin = signer.verifier_key().name();
        let note = signer.sign(&format!(
            "{origin}\n{size}\n{}\nnode {node}\nmac {}\n",
            Base64::encode_string(&root),
            hex::to_string(&mac)
        ))?;
        Ok(Self { node, size, root, mac, note, key: signer.verifier_key().clone() })
    }

    /// Reads a note and checks its signature.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let text = key.open(note)?;
        Self::read(text, note, key).ok_or(CheckpointError::Malformed)
    }

    /// Whose log it is about.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// How many lines it is about: those with seq 1 to `size`.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the Merkle tree over those lines.
    pub fn root(&self) -> &[u8; 32] {
        &self.root
    }

    /// The authenticator of the last of those lines.
    pub fn mac(&self) -> &[u8; 32] {
        &self.mac
    }

    /// The key that signed it.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The signed note.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Writes the note to `checkpoint.<node>.txt`, whole or not at all, in place of the one before.
    ///
    /// # Errors
    /// What the system refused.
    pub fn write_to(&self, directory: &Path) -> Result<PathBuf, chancery_files::FileError> {
        let path = directory.join(format!("checkpoint.{}.txt", self.node));
        chancery_files::replace(&path, self.note.as_bytes(), Access::Owner)?;
        Ok(path)
    }

    fn read(text: &str, note: &str, key: &VerifierKey) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != key.name() {
            return None;
        }
        let digits = lines.next()?;
        let size: u64 = digits.parse().ok().filter(|size: &u64| size.to_string() == digits)?;
        let mut root = Hash::default();
        let decoded = Base64::decode(lines.next()?, &mut root).ok()?.len();
        let node = Node::new(lines.next()?.strip_prefix("node ")?).ok()?;
        let mac = hex::decode(lines.next()?.strip_prefix("mac ")?.as_bytes().try_into().ok()?)?;
        let sound = decoded == root.len() && lines.next().is_none();
        sound.then(|| Self { node, size, root, mac, note: note.to_owned(), key: key.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    #[test]
    fn comes_back_from_its_note() {
        let node = Node::new("ca1").unwrap();
        let signer = Signer::new("example.com/log", &node, &[7; 32]).unwrap();
        let head = Head::genesis(&Secret::new(&[1; 32]), "installation", &node);
        let checkpoint = Checkpoint::sign(&signer, &head).unwrap();
        assert!(
            checkpoint.note().starts_with("example.com/log/ca1\n0\n47DEQpj8HBSa"),
            "{}",
            checkpoint.note()
        );
        assert_eq!(Checkpoint::open(checkpoint.note(), signer.verifier_key()), Ok(checkpoint));
    }

    #[test]
    fn signed_texts_that_are_no_checkpoints_are_refused() {
        let node = Node::new("ca1").unwrap();
        let signer = Signer::new("example.com/log", &node, &[7; 32]).unwrap();
        let (root, mac) = ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ab".repeat(32));
        for text in [
            format!("other/ca1\n1\n{root}\nnode ca1\nmac {mac}\n"),
            format!("example.com/log/ca1\n01\n{root}\nnode ca1\nmac {mac}\n"),
            format!("example.com/log/ca1\n1\nAAAA\nnode ca1\nmac {mac}\n"),
            format!("example.com/log/ca1\n1\n{root}\nmac {mac}\n"),
            format!("example.com/log/ca1\n1\n{root}\nnode ca1\nmac {mac}\nmore\n"),
        ] {
            let note = signer.sign(&text).unwrap();
            assert_eq!(
                Checkpoint::open(&note, signer.verifier_key()),
                Err(CheckpointError::Malformed),
                "{text}"
            );
        }
    }
}
