//! Signed notes (c2sp.org/signed-note) with one Ed25519 signature.

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64, Encoding as _};

use crate::crypto::{SIGNATURE_LENGTH, SigningKey, sha256, verifies};
use crate::names::Node;

/// The signature type of Ed25519.
const ED25519: u8 = 0x01;
/// An em dash and a space begin a signature line.
const SIGNATURE_PREFIX: &str = "\u{2014} ";
/// No note of ours is longer, not even with the signatures of sixteen witnesses.
const MAX_NOTE_LENGTH: usize = 64 * 1_024;
/// The most bytes of a key's name.
const MAX_KEY_NAME_LENGTH: usize = 255;

/// Signs the checkpoints of one node's log. Its Debug form shows the public key alone.
pub struct Signer {
    key: SigningKey,
    public: VerifierKey,
}

/// The public key of a [`Signer`]. Its text is the one that C2SP gives to verifier keys:
/// `NAME+KEY ID+KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name of the log cannot stand in a note.
    #[error("`{0}` cannot name a log: use visible ASCII characters other than `+`, at most 190")]
    Name(String),
    /// The text is no verifier key.
    #[error(
        "not a verifier key; it looks like `example.com/log/node+530d903a+AekyeRrm…`, as `audit checkpoint` prints it"
    )]
    Malformed,
    /// The library failed.
    #[error("the cryptographic library could not use the key")]
    Library,
}

/// Why a note is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is no signed note.
    #[error("not a signed note")]
    Malformed,
    /// No signature is by the key that was asked for.
    #[error("no signature by the wanted key")]
    UnknownKey,
    /// The signature by that key is wrong.
    #[error("the signature is wrong")]
    BadSignature,
}

impl Signer {
    /// The signer of a node's log. `log` names the logs of the installation, best as a URL without its
    /// scheme; every node signs under `log/node`, since each has a tree of its own.
    ///
    /// # Errors
    /// [`KeyError::Name`] and [`KeyError::Library`].
    pub fn new(log: &str, node: &Node, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let name = format!("{log}/{node}");
        if log.is_empty() || !is_key_name(&name) {
            return Err(KeyError::Name(log.chars().take(64).flat_map(char::escape_debug).collect()));
        }
        let key = SigningKey::from_seed(seed).ok_or(KeyError::Library)?;
        let public = VerifierKey::new(name, key.public());
        Ok(Self { key, public })
    }

    /// What an auditor needs to check the signatures.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs a text that ends in a line feed.
    pub(crate) fn sign(&self, text: &str) -> Result<String, KeyError> {
        let signature = self.key.sign(text.as_bytes()).ok_or(KeyError::Library)?;
        let signature = Base64::encode_string(&[&self.public.id[..], &signature].concat());
        Ok(format!("{text}\n{SIGNATURE_PREFIX}{} {signature}\n", self.public.name))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public)
    }
}

impl VerifierKey {
    fn new(name: String, public: [u8; 32]) -> Self {
        let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519], &public]);
        Self { name, id: [a, b, c, d], public }
    }

    /// The name under which the key signs, which is also the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key signed.
    pub(crate) fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let control = |byte: u8| byte < 0x20 && byte != b'\n';
        if note.len() > MAX_NOTE_LENGTH || note.bytes().any(control) {
            return Err(NoteError::Malformed);
        }
        let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, signatures) = note.split_at_checked(blank + 1).ok_or(NoteError::Malformed)?;
        let signatures = signatures.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        for line in signatures.ok_or(NoteError::Malformed)?.split('\n') {
            let (name, value) = line
                .strip_prefix(SIGNATURE_PREFIX)
                .and_then(|line| line.split_once(' '))
                .ok_or(NoteError::Malformed)?;
            let value = Base64::decode_vec(value).map_err(|_| NoteError::Malformed)?;
            let (id, signature) = value.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
            // Signatures by other keys, such as those of witnesses, are passed over.
            if name != self.name || *id != self.id {
                continue;
            }
            let sound =
                signature.len() == SIGNATURE_LENGTH && verifies(&self.public, text.as_bytes(), signature);
            return if sound { Ok(text) } else { Err(NoteError::BadSignature) };
        }
        Err(NoteError::UnknownKey)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Base64::encode_string(&[&[ED25519], &self.public[..]].concat());
        write!(f, "{}+{:08x}+{key}", self.name, u32::from_be_bytes(self.id))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let key = Base64::decode_vec(key).map_err(|_| KeyError::Malformed)?;
        let (algorithm, public) = key.split_first().ok_or(KeyError::Malformed)?;
        let public = public.try_into().map_err(|_| KeyError::Malformed)?;
        let key = Self::new(name.to_owned(), public);
        let sound =
            *algorithm == ED25519 && is_key_name(name) && id == format!("{:08x}", u32::from_be_bytes(key.id));
        if sound { Ok(key) } else { Err(KeyError::Malformed) }
    }
}

fn is_key_name(name: &str) -> bool {
    (1..=MAX_KEY_NAME_LENGTH).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new("example.com/log", &Node::new("ca1").unwrap(), &[7; 32]).unwrap()
    }

    /// The key and the note that the documentation of another implementation shows (`signed_note` 1.0.0
    /// for Elixir).
    #[test]
    fn opens_a_note_of_another_implementation() {
        let key: VerifierKey =
            "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().unwrap();
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
                    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        assert_eq!(key.open(note), Ok("This is an example message.\n"));
    }

    #[test]
    fn a_verifier_key_comes_back_from_its_text() {
        let key = signer().verifier_key().clone();
        let text = key.to_string();
        assert!(text.starts_with("example.com/log/ca1+"), "{text}");
        assert_eq!(text.parse(), Ok(key));
        for bad in ["", "a+b", &text.replace("/ca1", "/ca2"), &text.replace("log", "l g"), &text[1..]] {
            assert_eq!(bad.parse::<VerifierKey>(), Err(KeyError::Malformed), "{bad}");
        }
    }

    #[test]
    fn opens_what_was_signed_and_nothing_else() {
        let (signer, text) = (signer(), "origin\n5\nroot\n");
        let key = signer.verifier_key();
        let note = signer.sign(text).unwrap();
        assert_eq!(key.open(&note), Ok(text));

        let witnessed = format!("{note}{SIGNATURE_PREFIX}witness.example AAAAAAAA\n");
        assert_eq!(key.open(&witnessed), Ok(text));
        let other = Signer::new("example.com/log", &Node::new("ca1").unwrap(), &[8; 32]).unwrap();
        assert_eq!(other.verifier_key().open(&note), Err(NoteError::UnknownKey));
        assert_eq!(key.open(&note.replace("5", "6")), Err(NoteError::BadSignature));
        for bad in ["", "\n\n", text, &note[..note.len() - 1], &note.replace('\n', "\r\n")] {
            assert_eq!(key.open(bad), Err(NoteError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn a_log_that_cannot_be_named_in_a_note_is_refused() {
        for bad in ["", "a b", "a+b", "é", &"x".repeat(300)] {
            assert!(Signer::new(bad, &Node::new("ca1").unwrap(), &[7; 32]).is_err(), "{bad}");
        }
    }
}
