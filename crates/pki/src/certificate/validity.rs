//! From when to when a certificate is valid.

use std::time::Duration;

use chancery_time::Timestamp;
use der::DateTime;
use x509_cert::time::Time;

use crate::asn1::TimeRange;

/// A validity period, both ends included (RFC 5280 §4.1.2.5), in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

/// A period that ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the validity period ends at {not_after}, before it begins at {not_before}")]
pub struct ValidityError {
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Validity {
    /// The period from `not_before` to `not_after`; fractions of a second are cut off.
    ///
    /// # Errors
    /// When it ends before it begins.
    pub fn new(not_before: Timestamp, not_after: Timestamp) -> Result<Self, ValidityError> {
        let (not_before, not_after) = (not_before.whole_seconds(), not_after.whole_seconds());
        if not_after < not_before {
            return Err(ValidityError { not_before, not_after });
        }
        Ok(Self { not_before, not_after })
    }

    /// The period that begins at `not_before` and lasts `period` (at least one second), as both ends count.
    pub fn lasting(not_before: Timestamp, period: Duration) -> Self {
        let not_before = not_before.whole_seconds();
        let beyond_first_second = Duration::from_secs(period.as_secs().saturating_sub(1));
        Self { not_before, not_after: (not_before + beyond_first_second).whole_seconds() }
    }

    /// The first second of the period.
    pub const fn not_before(self) -> Timestamp {
        self.not_before
    }

    /// The last second of the period.
    pub const fn not_after(self) -> Timestamp {
        self.not_after
    }

    /// How long it lasts, the last second included.
    pub fn period(self) -> Duration {
        self.not_after.since(self.not_before) + Duration::from_secs(1)
    }

    /// Whether `instant` lies within.
    pub fn contains(self, instant: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&instant.whole_seconds())
    }

    /// What of it lies within `outer`.
    pub(crate) fn within(self, outer: Self) -> Result<Self, ValidityError> {
        Self::new(self.not_before.max(outer.not_before), self.not_after.min(outer.not_after))
    }

    pub(crate) fn to_range(self) -> der::Result<TimeRange> {
        Ok(TimeRange { not_before: time(self.not_before)?, not_after: time(self.not_after)? })
    }

    pub(crate) fn from_times(not_before: Time, not_after: Time) -> Result<Self, ValidityError> {
        Self::new(timestamp(not_before), timestamp(not_after))
    }
}

/// UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5).
fn time(instant: Timestamp) -> der::Result<Time> {
    let seconds = u64::try_from(instant.unix_seconds()).unwrap_or(0);
    Ok(Time::from(DateTime::from_unix_duration(Duration::from_secs(seconds))?))
}

pub(super) fn timestamp(time: Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_unix_seconds(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_count() {
        let start: Timestamp = "2026-06-14T13:23:00Z".parse().unwrap();
        let day = Validity::lasting(start, Duration::from_hours(24));
        assert_eq!(day.not_after().to_string(), "2026-06-15T13:22:59Z");
        assert_eq!(day.period(), Duration::from_hours(24));
        assert!(day.contains(day.not_after()) && !day.contains(day.not_after() + Duration::from_secs(1)));
    }

    #[test]
    fn the_form_of_a_time_goes_by_the_year() {
        let form = |text: &str| time(text.parse().unwrap()).unwrap();
        assert!(matches!(form("2049-12-31T23:59:59Z"), Time::UtcTime(_)));
        assert!(matches!(form("2050-01-01T00:00:00Z"), Time::GeneralTime(_)));
        let last = Timestamp::MAX.whole_seconds();
        assert_eq!(timestamp(time(last).unwrap()), last);
    }

    #[test]
    fn periods_are_cut_to_the_issuers() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds);
        let issuer = Validity::new(at(100), at(200)).unwrap();
        let cut = Validity::new(at(50), at(300)).unwrap().within(issuer);
        assert_eq!(cut, Ok(issuer));
        assert!(Validity::new(at(201), at(300)).unwrap().within(issuer).is_err());
    }
}
