//! Rates as the configuration writes them: `300/3h`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::Rate;

/// Why a text or two numbers are no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Not a number, a slash and a length of time.
    #[error(
        "`{0}` is not a rate: write a whole number, a slash and a length of time in s, m, h or d, such as 300/3h"
    )]
    Shape(String),
    /// A rate that allows nothing.
    #[error("`{0}` allows nothing, and 0 is not allowed: leave the key out for the default")]
    Zero(String),
    /// A length of time out of range.
    #[error("the length of time of a rate must be whole seconds, from 1s to 366d")]
    Length,
    /// More than one in a microsecond.
    #[error("the rate is more than 1000000 in a second: write a smaller number")]
    TooFast,
}

/// The units, the largest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let shown = || text.chars().filter(|c| !c.is_control()).take(40).collect::<String>();
        let shape = || RateError::Shape(shown());
        let (count, per) = text.split_once('/').ok_or_else(shape)?;
        let (number, seconds) = UNITS
            .into_iter()
            .find_map(|(unit, seconds)| Some((per.strip_suffix(unit)?, seconds)))
            .ok_or_else(shape)?;
        let count: u32 = whole_number(count).ok_or_else(shape)?;
        let number: u64 = whole_number(number).ok_or_else(shape)?;
        if number == 0 {
            return Err(RateError::Zero(shown()));
        }
        let count = NonZeroU32::new(count).ok_or_else(|| RateError::Zero(shown()))?;
        let seconds = number.checked_mul(seconds).ok_or(RateError::Length)?;
        Self::new(count, Duration::from_secs(seconds))
    }
}

impl fmt::Display for Rate {
    /// The shortest text that reads back as the same rate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.per.as_secs();
        let (unit, length) =
            UNITS.into_iter().find(|(_, length)| seconds.is_multiple_of(*length)).unwrap_or(('s', 1));
        write!(f, "{}/{}{unit}", self.count, seconds / length)
    }
}

/// Digits alone: `parse` would also take a sign.
fn whole_number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
