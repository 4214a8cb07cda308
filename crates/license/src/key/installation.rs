use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KeyError, KeyKind, RANDOM_BYTES, from_document, from_random, from_typed};

/// The key that names an installation, `INST-…`. It is no secret: the operator tells it to the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstallationKey(String);

impl InstallationKey {
    /// The key that random bytes make.
    pub fn from_random(random: &[u8; RANDOM_BYTES]) -> Self {
        Self(from_random(KeyKind::Installation, random))
    }

    /// The key in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstallationKey {
    type Err = KeyError;

    /// Reads a key as a person types it: in either case, with O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        from_typed(KeyKind::Installation, text).map(Self)
    }
}

impl Serialize for InstallationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for InstallationKey {
    /// Reads the canonical form alone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_document(KeyKind::Installation, &text).map(Self).map_err(serde::de::Error::custom)
    }
}
