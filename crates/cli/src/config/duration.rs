//! Lengths of time as the configuration writes them: a whole number and a unit, `90d` or `12h`.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Reads a length of time: `s`, `m`, `h`, `d` (24 hours) or `w` (7 days).
///
/// # Errors
/// A sentence for the operator, also for a zero: a limit is left out, not set to nothing.
pub fn duration(text: &str) -> Result<Duration, String> {
    let shape =
        || format!("`{text}` is not a length of time: write a whole number and a unit, such as 90d or 12h");
    let unit = text.chars().last().ok_or_else(shape)?;
    let seconds_per_unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(shape()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(shape());
    }
    let count: u64 = digits.parse().map_err(|_| shape())?;
    if count == 0 {
        return Err("0 is not allowed: leave the key out for the default".to_owned());
    }
    count.checked_mul(seconds_per_unit).map(Duration::from_secs).ok_or_else(shape)
}

/// A length of time within bounds; `what` says what it is the length of, and `written` what it may be.
///
/// # Errors
/// A sentence for the operator.
pub fn within(
    text: &str,
    what: &str,
    range: RangeInclusive<Duration>,
    written: &str,
) -> Result<Duration, String> {
    let length = duration(text)?;
    if range.contains(&length) {
        return Ok(length);
    }
    Err(format!("`{text}` is outside what {what} may take: {written}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, seconds) in
            [("1s", 1), ("90d", 7_776_000), ("12h", 43_200), ("2w", 1_209_600), ("5m", 300)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn lengths_of_time_have_bounds() {
        let timeout =
            |text| within(text, "a question", Duration::from_secs(1)..=Duration::from_secs(30), "1s to 30s");
        assert_eq!(timeout("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(timeout("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(timeout("31s").unwrap_err(), "`31s` is outside what a question may take: 1s to 30s");
        assert!(timeout("0s").is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "d",
            "90",
            "90 d",
            "-1d",
            "+1d",
            "0d",
            "1.5h",
            "1y",
            "99999999999999999999d",
            "9999999999999999999w",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
