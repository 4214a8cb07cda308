//! The versions of a program, and the build that a licence is held against.

use std::fmt;
use std::str::FromStr;

use chancery_time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of a program: `major.minor.patch`, three numbers without signs or leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Rises when something that worked no longer does.
    pub major: u32,
    /// Rises with new abilities.
    pub minor: u32,
    /// Rises with mended faults.
    pub patch: u32,
}

/// A text that is no [`Version`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is three numbers such as 1.4.0, without leading zeros")]
pub struct NotAVersion;

/// The program that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// Its version.
    pub version: Version,
    /// When it was built: no clock can honestly show less.
    pub date: Timestamp,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = text.split('.').map(number);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(major), Some(minor), Some(patch), None) => {
                Ok(Self { major: major?, minor: minor?, patch: patch? })
            }
            _ => Err(NotAVersion),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn number(text: &str) -> Result<u32, NotAVersion> {
    let is_canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_canonical { text.parse().map_err(|_| NotAVersion) } else { Err(NotAVersion) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_version_has_one_spelling(major: u32, minor: u32, patch: u32, text in "[0-9+]{1,3}(\\.[0-9 v]{0,3}){2,3}") {
            let version = Version { major, minor, patch };
            prop_assert_eq!(version.to_string().parse(), Ok(version));
            if let Ok(read) = text.parse::<Version>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,20}") {
            let _ = text.parse::<Version>();
        }
    }

    #[test]
    fn versions_read_back_and_are_ordered_by_number() {
        for text in ["0.0.0", "1.4.0", "10.20.4294967295"] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), text);
        }
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("1.10.0") > version("1.9.9") && version("2.0.0") > version("1.10.0"));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "1",
            "1.4",
            "1.4.0.0",
            "v1.4.0",
            "1.4.0-rc1",
            "01.4.0",
            "1..0",
            "1.4.+1",
            "1.4.4294967296",
            "1.4.0 ",
        ] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text}");
        }
    }
}
