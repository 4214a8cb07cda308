//! The highest trustworthy time seen, which a clock that was set back cannot hide.
//!
//! Two sources move it. Signed evidence (the issue time of a document) moves it at once. Live evidence
//! moves it in bounded steps: over a stretch of running that the process measured with its monotonic
//! clock, the watermark moves by at least that stretch, since so much time has passed whatever the clock
//! of the machine says, and by at most [`FASTEST`] times that, so that a clock ten years ahead for an
//! hour leaves a watermark that is one hour ahead. `docs/formats/state.md` tells it in full.

use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::Edition;
use crate::version::Build;

/// How many times faster than the time that passes live evidence may move the watermark.
pub const FASTEST: u32 = 2;

/// The highest trustworthy time seen, and the newest documents. The store keeps it under a MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watermark {
    #[serde(with = "unix_millis")]
    pub(crate) time: Timestamp,
    /// The newest licence document ever accepted.
    pub(crate) newest: Option<Edition>,
    /// The newest licence document that was in effect: not the same while a renewal waits for its day.
    pub(crate) in_effect: Option<Edition>,
    /// The sequence number of the newest revocation list seen; 0 where there was none.
    pub(crate) revocations: u64,
}

/// A remembered time after `elapsed` was measured with a monotonic clock, when the clock of the machine
/// shows `now`: moved by at least `elapsed`, and by at most [`FASTEST`] times that.
pub fn moved(time: Timestamp, now: Timestamp, elapsed: Duration) -> Timestamp {
    now.clamp(time + elapsed, time + elapsed.saturating_mul(FASTEST))
}

impl Watermark {
    /// The watermark of an installation that has just been made: the build's date, which no clock can
    /// honestly be before. The machine's clock is not asked, for it may be wrong.
    pub const fn starting(build: &Build) -> Self {
        Self { time: build.date, newest: None, in_effect: None, revocations: 0 }
    }

    /// The highest trustworthy time seen.
    pub const fn time(self) -> Timestamp {
        self.time
    }

    /// The newest licence document ever accepted.
    pub const fn newest(self) -> Option<Edition> {
        self.newest
    }

    /// The sequence number of the newest revocation list seen; 0 where there was none.
    pub const fn revocations(self) -> u64 {
        self.revocations
    }

    /// The watermark after the process ran for `elapsed`, measured with a monotonic clock since the last
    /// call, when the clock of the machine shows `now`.
    ///
    /// The caller calls it at least once an hour and when it stops, and stores the result; what is not
    /// stored is lost. `now` may be any live evidence: a certificate just issued, a record just written.
    #[must_use]
    pub fn ran(self, now: Timestamp, elapsed: Duration) -> Self {
        Self { time: moved(self.time, now, elapsed), ..self }
    }

    /// The watermark with a time that is not before that of `other`, the same installation's as another
    /// process knows it.
    #[must_use]
    pub fn at_least(self, other: Self) -> Self {
        Self { time: self.time.max(other.time), ..self }
    }

    /// The watermark after the vendor told the time, in an answer whose **freshness is proven**: it is
    /// bound to a nonce of this installation, or came just now over an authenticated connection.
    /// `answered` is the time at which the answer was made, not the issue time of a document in it.
    ///
    /// Only this moves a watermark back. A document that was merely carried in proves nothing: it may
    /// have lain in a drawer for a year.
    #[must_use]
    pub const fn re_anchored(self, answered: Timestamp) -> Self {
        Self { time: answered, ..self }
    }
}

/// To the millisecond: a text in whole seconds would lose a part of one with every store.
mod unix_millis {
    use chancery_time::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.unix_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_unix_millis)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::version::Version;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);
    const YEAR: Duration = Duration::from_secs(365 * 86_400);

    fn at(time: &str) -> Watermark {
        let version = Version { major: 1, minor: 0, patch: 0 };
        Watermark::starting(&Build { version, date: time.parse().unwrap() })
    }

    #[test]
    fn it_follows_an_honest_clock_and_catches_up_after_a_rest() {
        let start = at("2026-01-01T00:00:00Z");
        assert_eq!(start.ran(start.time() + HOUR, HOUR).time(), start.time() + HOUR);
        let rested = start.time() + 30 * DAY;
        assert_eq!(start.ran(rested, DAY).time(), start.time() + 2 * DAY);
        assert_eq!(start.ran(rested, Duration::ZERO), start);
    }

    #[test]
    fn ten_years_ahead_for_three_hours_leaves_it_three_hours_ahead() {
        let start = at("2026-01-01T00:00:00Z");
        let mut watermark = start;
        for hour in 1..=3 {
            watermark = watermark.ran(start.time() + 10 * YEAR + hour * HOUR, HOUR);
        }
        assert_eq!(watermark.time(), start.time() + 6 * HOUR);
    }

    #[test]
    fn the_record_reads_back_and_takes_no_stranger() {
        let edition = Edition { serial: 7, issued: Timestamp::from_unix_seconds(100) };
        let start = at("2026-01-01T00:00:00Z").ran(Timestamp::MIN, Duration::from_millis(1));
        let watermark = Watermark { newest: Some(edition), revocations: 3, ..start };
        let json = serde_json::to_string(&watermark).unwrap();
        assert_eq!(serde_json::from_str::<Watermark>(&json).unwrap(), watermark);
        let stranger = json.replacen('{', r#"{"more":1,"#, 1);
        assert!(serde_json::from_str::<Watermark>(&stranger).is_err());
    }

    #[test]
    fn only_a_fresh_answer_moves_it_back() {
        let ahead = at("2036-01-01T00:00:00Z");
        let answered = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(ahead.ran(answered, HOUR).time(), ahead.time() + HOUR);
        assert_eq!(ahead.re_anchored(answered), at("2026-01-01T00:00:00Z"));
    }

    proptest! {
        /// However the clock is turned: never slower than the time that passes, never faster than twice it.
        #[test]
        fn it_moves_with_the_time_that_passes(steps in prop::collection::vec((0..i64::MAX / 2_000, 0..100_000_u64), 1..50)) {
            let start = at("2026-01-01T00:00:00Z");
            let mut watermark = start;
            let mut passed = Duration::ZERO;
            for (clock, elapsed) in steps {
                let elapsed = Duration::from_secs(elapsed);
                watermark = watermark.ran(Timestamp::from_unix_seconds(clock), elapsed);
                passed += elapsed;
                prop_assert!(watermark.time() >= start.time() + passed);
                prop_assert!(watermark.time() <= start.time() + passed * FASTEST);
            }
        }
    }
}
