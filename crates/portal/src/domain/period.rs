//! From when until when a licence is valid.

use std::time::Duration;

use chancery_time::Timestamp;

use super::{Code, Refusal};

const DAY: Duration = Duration::from_secs(86_400);

/// The end of a licence that begins then and is valid for so many days, as its plan says; `None` for ever.
pub(crate) fn end(begins: Timestamp, valid_days: Option<i64>) -> Option<Timestamp> {
    let days = u32::try_from(valid_days?).unwrap_or(u32::MAX);
    Some(begins.whole_seconds() + DAY.saturating_mul(days))
}

/// Holds a licence to beginning before it ends.
pub(crate) fn check(starts_at: Option<Timestamp>, expires_at: Option<Timestamp>) -> Result<(), Refusal> {
    match (starts_at, expires_at) {
        (Some(start), Some(end)) if start >= end => {
            Err(Refusal::field("expires_at", format_args!("comes after starts_at ({start})")))
        }
        _ => Ok(()),
    }
}

/// The end of a renewed licence: `wanted`, or as much later as its plan says, counted from its end, or from now where
/// it has ended.
///
/// # Errors
/// A licence without end, an end that is not later, and no end where the plan says nothing.
pub(crate) fn renewed(
    expires_at: Option<Timestamp>,
    wanted: Option<Timestamp>,
    valid_days: Option<i64>,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let Some(old) = expires_at else {
        return Err(Refusal::field("expires_at", "the licence has no end, so there is nothing to renew"));
    };
    let begins = old.max(now.whole_seconds());
    let Some(new) = wanted.map(Timestamp::whole_seconds).or_else(|| end(begins, valid_days)) else {
        let message = "expires_at is missing: the plan says for how many days it renews nowhere (valid_days)";
        return Err(Refusal::new(Code::ParameterMissing, message).with("field", "expires_at".into()));
    };
    // The same end again is the same request again.
    if new == old && wanted.is_some() {
        return Ok(old);
    }
    if new <= begins {
        let rule = format_args!("comes after {begins}: to end a licence earlier, change it instead");
        return Err(Refusal::field("expires_at", rule));
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_plan_counts_days_from_a_whole_second() {
        let begins = at("2026-02-28T12:00:00.900Z");
        assert_eq!(end(begins, Some(1)), Some(at("2026-03-01T12:00:00Z")));
        assert_eq!(end(begins, None), None);
        assert!(end(begins, Some(i64::MAX)).is_some_and(|end| end <= Timestamp::MAX));
    }

    #[test]
    fn a_licence_begins_before_it_ends() {
        let (one, two) = (at("2026-06-14T12:00:00Z"), at("2026-06-14T12:00:01Z"));
        for (starts, ends, fits) in [
            (Some(one), Some(two), true),
            (Some(one), Some(one), false),
            (Some(two), Some(one), false),
            (None, Some(one), true),
            (Some(two), None, true),
            (None, None, true),
        ] {
            assert_eq!(check(starts, ends).is_ok(), fits, "{starts:?} {ends:?}");
        }
    }

    #[test]
    fn a_renewal_counts_from_the_end_or_from_now_where_that_is_later() {
        let now = at("2026-06-14T12:00:00Z");
        let (past, soon) = (at("2026-06-01T00:00:00Z"), at("2026-06-20T00:00:00Z"));
        for (end, wanted, days, expected) in [
            (soon, None, Some(10), Ok(at("2026-06-30T00:00:00Z"))),
            (past, None, Some(10), Ok(at("2026-06-24T12:00:00Z"))),
            (now, None, Some(1), Ok(at("2026-06-15T12:00:00Z"))),
            (soon, Some(at("2026-07-01T00:00:00.5Z")), Some(10), Ok(at("2026-07-01T00:00:00Z"))),
            (soon, Some(soon), None, Ok(soon)),
            (past, Some(past), None, Ok(past)),
            (soon, Some(at("2026-06-19T00:00:00Z")), None, Err(Code::InvalidArguments)),
            (past, Some(now), None, Err(Code::InvalidArguments)),
            (past, Some(at("2026-06-14T12:00:01Z")), None, Ok(at("2026-06-14T12:00:01Z"))),
            (soon, None, None, Err(Code::ParameterMissing)),
            (Timestamp::MAX, None, Some(1), Err(Code::InvalidArguments)),
        ] {
            let renewed = renewed(Some(end), wanted, days, now).map_err(|refusal| refusal.code);
            assert_eq!(renewed, expected, "{end} {wanted:?} {days:?}");
        }
        assert_eq!(renewed(None, Some(soon), Some(1), now).unwrap_err().code, Code::InvalidArguments);
    }
}
