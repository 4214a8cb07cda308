use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::{KeyError, KeyKind, RANDOM_BYTES, from_document, from_random, from_typed};
use crate::crypto::same_secret;

/// The key of a licence, `CRT-…`. Whoever holds it can use the licence: it is not shown by `Debug`,
/// has no `Display`, compares in constant time and is wiped when dropped.
#[derive(Clone)]
pub struct LicenseKey(Zeroizing<String>);

impl LicenseKey {
    /// The key that random bytes make.
    pub fn from_random(random: &[u8; RANDOM_BYTES]) -> Self {
        Self(Zeroizing::new(from_random(KeyKind::License, random)))
    }

    /// The key in its canonical form, for whom it belongs to.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl PartialEq for LicenseKey {
    fn eq(&self, other: &Self) -> bool {
        same_secret(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for LicenseKey {}

impl fmt::Debug for LicenseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LicenseKey(CRT-…)")
    }
}

impl FromStr for LicenseKey {
    type Err = KeyError;

    /// Reads a key as a person types it: in either case, with O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        from_typed(KeyKind::License, text).map(|key| Self(Zeroizing::new(key)))
    }
}

impl Serialize for LicenseKey {
    /// Writes the key itself: into a signed document, never into a log.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for LicenseKey {
    /// Reads the canonical form alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let key = from_document(KeyKind::License, &text).map_err(serde::de::Error::custom)?;
        Ok(Self(Zeroizing::new(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_tell_the_key() {
        let key = LicenseKey::from_random(&[7; RANDOM_BYTES]);
        assert_eq!(format!("{key:?}"), "LicenseKey(CRT-…)");
        assert_ne!(key, LicenseKey::from_random(&[8; RANDOM_BYTES]));
        assert_eq!(key.reveal().parse(), Ok(key));
    }
}
