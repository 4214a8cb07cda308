use std::fmt;

use crate::armour;

use super::DocumentError;

/// What comes before the name of a kind in a payload type.
const TYPE_PREFIX: &str = "application/vnd.chancery.";
/// The one format version of every kind.
const VERSION: u32 = 1;

/// A kind of signed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The keys that a root vouches for.
    Keys,
    /// A licence.
    License,
    /// What an installation tells and asks the vendor.
    Request,
    /// The vendor's answer to a request.
    Response,
    /// The licences that no longer count.
    Revocations,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Keys, Self::License, Self::Request, Self::Response, Self::Revocations];

    /// The kind that an armoured text says it is, whatever follows its first line.
    pub fn of(text: &str) -> Option<Self> {
        let label = armour::label(text)?;
        Self::ALL.into_iter().find(|kind| kind.label() == label)
    }

    /// The label of its armour.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Keys => "CHANCERY KEYS",
            Self::License => "CHANCERY LICENSE",
            Self::Request => "CHANCERY REQUEST",
            Self::Response => "CHANCERY RESPONSE",
            Self::Revocations => "CHANCERY REVOCATIONS",
        }
    }

    /// The type and version that its envelope names and its signatures cover.
    pub fn payload_type(self) -> String {
        format!("{TYPE_PREFIX}{}.v{VERSION}+json", self.name())
    }

    /// How long an armoured document of this kind may be, in bytes.
    ///
    /// A licence has room for a post-quantum signature of 50 kB; a revocation list of that length has
    /// some 20,000 entries, and a response has room for one of them and more.
    pub const fn max_length(self) -> usize {
        match self {
            Self::Keys | Self::License => 256 * 1_024,
            Self::Request => 16 * 1_024,
            Self::Response => 10 * 1_024 * 1_024,
            Self::Revocations => 4 * 1_024 * 1_024,
        }
    }

    /// Holds a signed payload type to this kind and version.
    pub(crate) fn expect(self, payload_type: &str) -> Result<(), DocumentError> {
        // It is shown in the error, so it may carry nothing that a terminal obeys.
        let unknown = || {
            DocumentError::UnknownType(payload_type.chars().flat_map(char::escape_debug).take(100).collect())
        };
        let (name, version) = payload_type
            .strip_prefix(TYPE_PREFIX)
            .and_then(|rest| rest.strip_suffix("+json"))
            .and_then(|rest| rest.split_once(".v"))
            .ok_or_else(unknown)?;
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(unknown)?;
        if found != self {
            return Err(DocumentError::WrongType { found, expected: self });
        }
        let found: u32 = version.parse().map_err(|_| unknown())?;
        // The comparison of the whole text leaves no second spelling, such as `v01`.
        if payload_type == self.payload_type() {
            return Ok(());
        }
        Err(if found == VERSION {
            unknown()
        } else {
            DocumentError::UnsupportedVersion { kind: self, found }
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::License => "license",
            Self::Request => "request",
            Self::Response => "response",
            Self::Revocations => "revocations",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "key manifest",
            Self::License => "licence",
            Self::Request => "request of an installation",
            Self::Response => "response to a request",
            Self::Revocations => "revocation list",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_names_one_kind_and_version() {
        for kind in Kind::ALL {
            assert_eq!(kind.expect(&kind.payload_type()), Ok(()));
            assert_eq!(Kind::of(&format!("-----BEGIN {}-----\n", kind.label())), Some(kind));
        }
        let expect = |text: &str| Kind::License.expect(text).unwrap_err();
        assert_eq!(
            expect("application/vnd.chancery.keys.v1+json"),
            DocumentError::WrongType { found: Kind::Keys, expected: Kind::License }
        );
        assert_eq!(
            expect("application/vnd.chancery.license.v2+json"),
            DocumentError::UnsupportedVersion { kind: Kind::License, found: 2 }
        );
        for text in [
            "",
            "application/json",
            "application/vnd.chancery.license+json",
            "application/vnd.chancery.license.v01+json",
            "application/vnd.chancery.license.v+1+json",
            "application/vnd.chancery.license.vx+json",
            "application/vnd.chancery.invoice.v1+json",
            "application/vnd.chancery.license.v1+json ",
            "APPLICATION/vnd.chancery.license.v1+json",
        ] {
            assert_eq!(expect(text), DocumentError::UnknownType(text.to_owned()));
        }
        assert_eq!(expect("\u{1b}[2J"), DocumentError::UnknownType("\\u{1b}[2J".to_owned()));
    }
}
