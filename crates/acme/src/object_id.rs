//! The opaque last part of an object's URL.
//!
//! Objects are numbered in the store in the order they are made, which keeps its indexes dense. A URL
//! must not show that number: it would tell how many there are and let a client walk them (RFC 8555
//! §10.5 asks for capability-like URLs). So the number and the kind of the object are put through a
//! keyed permutation of 128 bits. Of a random URL, one in 2^64 names any object at all, and a forged
//! one is recognised without asking the store.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::crypto::{BlockCipher, RandomFailed, random};

/// What kind of object an identifier names; an identifier of one kind never opens another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// An account.
    Account = 1,
    /// An order.
    Order = 2,
    /// An authorization.
    Authorization = 3,
    /// A challenge.
    Challenge = 4,
    /// A certificate.
    Certificate = 5,
    /// A place in an account's list of orders.
    OrdersCursor = 6,
}

/// The opaque name of an object: 22 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectId(String);

impl ObjectId {
    /// The 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Turns row numbers into opaque names and back.
pub struct Sealer {
    cipher: BlockCipher,
}

impl Sealer {
    /// A sealer under a secret that all nodes of an installation share and that never changes, since
    /// the URLs that clients keep depend on it.
    ///
    /// # Errors
    /// When the cryptographic library refuses the key, which it does not for 32 bytes.
    pub fn new(secret: &[u8; 32]) -> Result<Self, RandomFailed> {
        Ok(Self { cipher: BlockCipher::new(secret).ok_or(RandomFailed)? })
    }

    /// A new secret for [`Sealer::new`].
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn random_secret() -> Result<[u8; 32], RandomFailed> {
        random()
    }

    /// The opaque name of row `row`.
    pub fn seal(&self, kind: ObjectKind, row: i64) -> ObjectId {
        let mut block = [0; 16];
        let (number, rest) = block.split_at_mut(8);
        number.copy_from_slice(&row.to_be_bytes());
        if let Some(first) = rest.first_mut() {
            *first = kind as u8;
        }
        // One block is always a multiple of the block length, the only thing the cipher can refuse.
        let sealed = self.cipher.encrypt(block).unwrap_or_default();
        ObjectId(Base64UrlUnpadded::encode_string(&sealed))
    }

    /// The row that an opaque name of this kind stands for; `None` for anything we did not make.
    pub fn open(&self, kind: ObjectKind, name: &str) -> Option<i64> {
        let mut block = [0; 16];
        if name.len() != 22 || Base64UrlUnpadded::decode(name, &mut block).ok()?.len() != 16 {
            return None;
        }
        let block = self.cipher.decrypt(block)?;
        let (number, rest) = block.split_first_chunk::<8>()?;
        (rest == [kind as u8, 0, 0, 0, 0, 0, 0, 0]).then(|| i64::from_be_bytes(*number))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32]).unwrap()
    }

    #[test]
    fn a_name_opens_only_as_its_own_kind_under_its_own_secret() {
        let name = sealer().seal(ObjectKind::Order, 42);
        assert_eq!(sealer().open(ObjectKind::Order, name.as_str()), Some(42));
        assert_eq!(sealer().open(ObjectKind::Certificate, name.as_str()), None);
        assert_eq!(Sealer::new(&[8; 32]).unwrap().open(ObjectKind::Order, name.as_str()), None);
    }

    #[test]
    fn neighbours_look_nothing_alike() {
        let (a, b) = (sealer().seal(ObjectKind::Order, 1), sealer().seal(ObjectKind::Order, 2));
        let same = a.as_str().bytes().zip(b.as_str().bytes()).filter(|(a, b)| a == b).count();
        assert!(same < 8, "{a} {b}");
    }

    proptest! {
        #[test]
        fn every_row_comes_back(row in any::<i64>()) {
            let name = sealer().seal(ObjectKind::Account, row);
            prop_assert_eq!(sealer().open(ObjectKind::Account, name.as_str()), Some(row));
        }

        #[test]
        fn no_foreign_text_opens(name in "\\PC{0,40}") {
            prop_assert_eq!(sealer().open(ObjectKind::Account, &name), None);
        }
    }
}
