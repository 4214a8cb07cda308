//! Instants in UTC, and the one place where they are read.
//!
//! Every rule of the project takes `now: Timestamp` as an argument. Only the edge (the server's
//! requests, its background tasks and its commands) asks a [`Clock`]; `clippy.toml` bans every other
//! way to the time of day.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC with millisecond precision, from 1970-01-01T00:00:00Z to 9999-12-30T22:00:00Z.
///
/// The upper end is the last instant that can be shown in every time zone with four digits of a year,
/// as RFC 3339 and X.509 (RFC 5280 §4.1.2.5) want them. Arithmetic saturates at both ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_millis: i64,
}

impl Timestamp {
    /// The last instant that can be represented, 9999-12-30T22:00:00Z.
    pub const MAX: Self = Self { unix_millis: 253_402_207_200_000 };
    /// The first instant that can be represented, 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self { unix_millis: 0 };

    /// The instant that many milliseconds after 1970-01-01T00:00:00Z, brought into range.
    pub const fn from_unix_millis(unix_millis: i64) -> Self {
        if unix_millis < Self::MIN.unix_millis {
            return Self::MIN;
        }
        if unix_millis > Self::MAX.unix_millis {
            return Self::MAX;
        }
        Self { unix_millis }
    }

    /// The instant that many seconds after 1970-01-01T00:00:00Z, brought into range.
    pub const fn from_unix_seconds(unix_seconds: i64) -> Self {
        Self::from_unix_millis(unix_seconds.saturating_mul(1_000))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_millis(self) -> i64 {
        self.unix_millis
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.unix_millis.div_euclid(1_000)
    }

    /// The same instant with its fraction of a second cut off, as X.509 and RFC 8555 write it.
    pub const fn whole_seconds(self) -> Self {
        Self::from_unix_seconds(self.unix_seconds())
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.unix_millis.saturating_sub(earlier.unix_millis);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// `2026-06-14 13:23 UTC`: how commands print an instant to a person.
    pub fn to_minutes(self) -> String {
        self.to_jiff().strftime("%Y-%m-%d %H:%M UTC").to_string()
    }

    fn to_jiff(self) -> jiff::Timestamp {
        // The range of this type lies within jiff's, so the fallback is never taken.
        jiff::Timestamp::from_millisecond(self.unix_millis).unwrap_or_default()
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        let millis = i64::try_from(after.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.unix_millis.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        let millis = i64::try_from(before.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(self.unix_millis.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds: `2026-06-14T13:23:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an RFC 3339 instant within the range of [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time such as 2026-06-14T13:23:00Z")]
pub struct ParseError {
    text: String,
}

impl FromStr for Timestamp {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let refused = || ParseError { text: text.chars().take(64).collect() };
        let instant: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        let unix_millis = instant.as_millisecond();
        if (Self::MIN.unix_millis..=Self::MAX.unix_millis).contains(&unix_millis) {
            Ok(Self { unix_millis })
        } else {
            Err(refused())
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the time of day comes from.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge where the clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::MIN + since_epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_rfc_3339() {
        let instant = Timestamp::from_unix_seconds(1_781_443_380);
        assert_eq!(instant.to_string(), "2026-06-14T13:23:00Z");
        assert_eq!(instant.to_minutes(), "2026-06-14 13:23 UTC");
        assert_eq!("2026-06-14T13:23:00Z".parse(), Ok(instant));
        assert_eq!("2026-06-14T15:23:00+02:00".parse(), Ok(instant));
    }

    #[test]
    fn refuses_what_is_no_instant() {
        for text in ["", "2026-06-14", "tomorrow", "2026-06-14T13:23:00", "1969-12-31T23:59:59Z"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::from_secs(1), Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::from_unix_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00Z");
    }
}
