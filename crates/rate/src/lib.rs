//! Rates such as 300 in three hours, and the rule that holds a client to one: the generic cell rate
//! algorithm (GCRA; ITU-T I.371 Annex A).
//!
//! One number is kept for each client and rate, the theoretical arrival time ([`Tat`]): the moment
//! at which all that was taken has been paid off. Each unit costs one interval, `per / count`. A
//! client may be in debt for `count` intervals, so `count` at once are allowed, and after that one in
//! each interval.
//!
//! What is taken in any stretch of time `d` is at most `count + d / interval`; so in a stretch of `per`
//! never more than `2 × count`, and over a long time never more than `count` in `per` on average.

#[cfg(test)]
mod tests;
mod text;

pub use text::RateError;

use std::num::NonZeroU32;
use std::time::Duration;

use chancery_time::Timestamp;

/// So many in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: NonZeroU32,
    per: Duration,
    /// What one unit costs, in microseconds: rounded up, so that never more than `count` in `per` are
    /// allowed on average.
    interval: i64,
}

/// The theoretical arrival time: when all that was taken is paid off. One that is not after `now` is
/// worth as much as none at all, and can be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tat {
    unix_micros: i64,
}

impl Tat {
    /// The time that many microseconds after 1970-01-01T00:00:00Z, as [`Tat::unix_micros`] gave it.
    pub const fn from_unix_micros(unix_micros: i64) -> Self {
        Self { unix_micros }
    }

    /// Microseconds since 1970-01-01T00:00:00Z, to be stored.
    pub const fn unix_micros(self) -> i64 {
        self.unix_micros
    }
}

impl From<Timestamp> for Tat {
    fn from(instant: Timestamp) -> Self {
        // The range of `Timestamp` ends at 2.6 × 10^17 microseconds.
        Self { unix_micros: instant.unix_millis().saturating_mul(MICROS_PER_MILLI) }
    }
}

/// Why something may not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The same request would be allowed at `until`, and not a millisecond earlier.
    // Written in whole seconds, so rounded up: a client that comes at the time it reads is not early.
    #[error("the limit of {rate} is reached until {}", *until + Duration::from_millis(999))]
    Wait {
        /// The rate that was exceeded.
        rate: Rate,
        /// When to try again.
        until: Timestamp,
        /// How long that is from now.
        after: Duration,
    },
    /// No waiting helps: more is asked for at once than the rate ever allows.
    #[error("{cost} at once can never be allowed: the limit is {rate}")]
    TooMuch {
        /// The rate that is exceeded.
        rate: Rate,
        /// What was asked for.
        cost: u32,
    },
}

const MICROS_PER_MILLI: i64 = 1_000;
const LONGEST: Duration = Duration::from_hours(366 * 24);

impl Rate {
    /// `count` in each `per`.
    ///
    /// # Errors
    /// A [`RateError`] for a time that is not whole seconds from one second to 366 days, or more than
    /// one in a microsecond.
    pub fn new(count: NonZeroU32, per: Duration) -> Result<Self, RateError> {
        if per < Duration::from_secs(1) || per > LONGEST || per.subsec_nanos() != 0 {
            return Err(RateError::Length);
        }
        let micros = i64::try_from(per.as_micros()).map_err(|_| RateError::Length)?;
        let count_micros = i64::from(count.get());
        if count_micros > micros {
            return Err(RateError::TooFast);
        }
        let interval = micros / count_micros + i64::from(micros % count_micros != 0);
        Ok(Self { count, per, interval })
    }

    /// How many are allowed at once.
    pub fn count(self) -> NonZeroU32 {
        self.count
    }

    /// The time that the count is for.
    pub fn per(self) -> Duration {
        self.per
    }

    /// Takes `cost`, where `tat` is what was stored for this client and rate, `None` at first. The new
    /// value is to be stored; after a refusal the old one stays. What was stored under another rate, before
    /// the configuration changed, is a debt to be paid off like any other.
    ///
    /// # Errors
    /// [`Refusal::Wait`] with the moment from which the same request is allowed if nothing else is taken
    /// until then; [`Refusal::TooMuch`] where no moment will do.
    pub fn take(self, tat: Option<Tat>, cost: u32, now: Timestamp) -> Result<Tat, Refusal> {
        if cost > self.count.get() {
            return Err(Refusal::TooMuch { rate: self, cost });
        }
        let start = tat.map_or(Tat::from(now), |tat| tat.max(now.into())).unix_micros;
        let next = start.saturating_add(self.price(cost));
        let allowed_from = next.saturating_sub(self.price(self.count.get()));
        if allowed_from <= Tat::from(now).unix_micros {
            return Ok(Tat { unix_micros: next });
        }
        let until = Timestamp::from_unix_millis(
            allowed_from.saturating_add(MICROS_PER_MILLI - 1).div_euclid(MICROS_PER_MILLI),
        );
        Err(Refusal::Wait { rate: self, until, after: until.since(now) })
    }

    /// How many more could be taken at `now`, where `tat` is what is stored.
    pub fn left(self, tat: Tat, now: Timestamp) -> u32 {
        let debt = tat.unix_micros.saturating_sub(Tat::from(now).unix_micros).max(0);
        let owed = debt.saturating_add(self.interval - 1) / self.interval;
        self.count.get().saturating_sub(u32::try_from(owed).unwrap_or(u32::MAX))
    }

    /// At most `u32::MAX` times 366 days: no overflow within the range of `i64`, and none beyond.
    fn price(self, cost: u32) -> i64 {
        self.interval.saturating_mul(i64::from(cost))
    }
}
