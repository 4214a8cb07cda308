//! A number that a licence sets.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that a licence sets. In JSON: a number from 1 to [`Limit::MAX`], `"unlimited"` or `"forbidden"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No bound.
    Unlimited,
    /// At most that many.
    AtMost(u64),
    /// No entitlement at all.
    Forbidden,
}

impl Limit {
    /// The largest number that every reader of JSON reads alike, 2^53 − 1 (RFC 8259 §6).
    pub const MAX: u64 = (1 << 53) - 1;

    /// Whether `count` of the thing may exist.
    pub const fn allows(self, count: u64) -> bool {
        match self {
            Self::Unlimited => true,
            Self::AtMost(max) => count <= max,
            Self::Forbidden => count == 0,
        }
    }

    /// Whether not even one of the thing may exist.
    pub const fn allows_none(self) -> bool {
        !self.allows(1)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::AtMost(max) => write!(f, "{max}"),
            Self::Forbidden => f.write_str("forbidden"),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(max) if !self.allows_none() => serializer.serialize_u64(*max),
            Self::Unlimited => serializer.serialize_str("unlimited"),
            Self::AtMost(_) | Self::Forbidden => serializer.serialize_str("forbidden"),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}

struct LimitVisitor;

impl Visitor<'_> for LimitVisitor {
    type Value = Limit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"a number from 1 to {}, "unlimited" or "forbidden""#, Limit::MAX)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Limit, E> {
        if (1..=Limit::MAX).contains(&number) {
            return Ok(Limit::AtMost(number));
        }
        Err(E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Limit, E> {
        match text {
            "unlimited" => Ok(Limit::Unlimited),
            "forbidden" => Ok(Limit::Forbidden),
            _ => Err(E::custom(format_args!(
                "this text is no limit: use {}",
                &self as &dyn serde::de::Expected
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn limits_allow_what_they_say() {
        assert!(Limit::Unlimited.allows(u64::MAX));
        assert!(Limit::AtMost(2).allows(2));
        assert!(!Limit::AtMost(2).allows(3));
        assert!(Limit::Forbidden.allows(0));
        assert!(!Limit::Forbidden.allows(1));
        assert!(Limit::Forbidden.allows_none() && Limit::AtMost(0).allows_none());
        assert!(!Limit::AtMost(1).allows_none() && !Limit::Unlimited.allows_none());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for json in [
            "0",
            "-1",
            "1.0",
            "1e3",
            "9007199254740992",
            r#""25""#,
            r#""Unlimited""#,
            r#""""#,
            "null",
            "true",
            "[]",
            "{}",
        ] {
            assert!(serde_json::from_str::<Limit>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn limits_read_back(max in 1..=Limit::MAX) {
            for limit in [Limit::AtMost(max), Limit::Unlimited, Limit::Forbidden] {
                let json = serde_json::to_string(&limit).unwrap();
                prop_assert_eq!(serde_json::from_str::<Limit>(&json).unwrap(), limit);
            }
        }
    }
}
