//! How long a machine file counts.

use std::time::Duration;

use chancery_license::limits::{MAX_GRACE_SECONDS, MAX_TTL_DAYS};
use chancery_time::Timestamp;

use super::{Code, Refusal};

const DAY_SECONDS: u64 = 86_400;
const MAX_GRACE_DAYS: i64 = (MAX_GRACE_SECONDS / DAY_SECONDS).cast_signed();

/// Days of validity and of grace, each where it was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) ttl_days: Option<i64>,
    pub(crate) grace_days: Option<i64>,
}

/// Days of validity and of grace that the licence has for machine files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usual {
    pub(crate) ttl_days: i64,
    pub(crate) grace_days: i64,
}

/// The times of a machine file, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) issued: Timestamp,
    pub(crate) expires: Timestamp,
    /// The end of the licence.
    pub(crate) license_expires: Option<Timestamp>,
    pub(crate) grace: Duration,
}

impl Term {
    /// When no installation takes the file any longer, with a day for clocks that are behind. Nothing outlives the
    /// licence (`docs/formats/machine-file.md`).
    pub(crate) fn counts_until(&self) -> Timestamp {
        let end = self.expires + self.grace;
        self.license_expires.map_or(end, |ended| ended.min(end)) + days(1)
    }
}

/// The term of a machine file that is issued now for a licence with that end. What is asked for beyond ten years,
/// or beyond the licence, is cut to that.
///
/// # Errors
/// Days that are none, and a licence without a whole second left.
pub(crate) fn term(
    asked: Asked,
    usual: Usual,
    license_end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Term, Refusal> {
    if asked.ttl_days.is_some_and(|days| days < 1) {
        return Err(Refusal::field("ttl", format_args!("is a number of days from 1 to {MAX_TTL_DAYS}")));
    }
    if asked.grace_days.is_some_and(|days| !(0..=MAX_GRACE_DAYS).contains(&days)) {
        return Err(Refusal::field(
            "grace_period",
            format_args!("is a number of days from 0 to {MAX_GRACE_DAYS}"),
        ));
    }
    let issued = now.whole_seconds();
    let license_expires = license_end.map(Timestamp::whole_seconds);
    if license_expires.is_some_and(|end| end <= issued) {
        return Err(Refusal::new(Code::Expired, "the licence has expired: renew it"));
    }
    let ttl = asked.ttl_days.unwrap_or(usual.ttl_days).clamp(1, i64::from(MAX_TTL_DAYS));
    let wanted = issued + days(ttl);
    let grace = asked.grace_days.unwrap_or(usual.grace_days).clamp(0, MAX_GRACE_DAYS);
    let expires = license_expires.map_or(wanted, |end| end.min(wanted));
    Ok(Term { issued, expires, license_expires, grace: days(grace) })
}

fn days(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or_default().saturating_mul(DAY_SECONDS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL: Usual = Usual { ttl_days: 30, grace_days: 3 };
    const NOW: Timestamp = Timestamp::from_unix_millis(1_781_443_380_700);

    fn issued(ttl: Option<i64>, grace: Option<i64>, end: Option<Timestamp>) -> Result<(u64, u64), Code> {
        let term = term(Asked { ttl_days: ttl, grace_days: grace }, USUAL, end, NOW);
        term.map(|term| (term.expires.since(term.issued).as_secs(), term.grace.as_secs()))
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn days_are_asked_for_or_the_plans_and_cut_to_what_is_allowed() {
        let day = 86_400;
        let end = |days: u64| Some(NOW + Duration::from_secs(days * day));
        for (ttl, grace, license_end, expected) in [
            (None, None, None, Ok((30 * day, 3 * day))),
            (Some(1), Some(0), None, Ok((day, 0))),
            (Some(3_650), Some(30), None, Ok((3_650 * day, 30 * day))),
            (Some(3_651), None, None, Ok((3_650 * day, 3 * day))),
            (Some(i64::MAX), None, None, Ok((3_650 * day, 3 * day))),
            (Some(10), None, end(7), Ok((7 * day, 3 * day))),
            (None, None, end(31), Ok((30 * day, 3 * day))),
            (Some(0), None, None, Err(Code::InvalidArguments)),
            (Some(-1), None, None, Err(Code::InvalidArguments)),
            (None, Some(-1), None, Err(Code::InvalidArguments)),
            (None, Some(31), None, Err(Code::InvalidArguments)),
            // 200 ms are left, and no whole second.
            (None, None, Some(NOW + Duration::from_millis(200)), Err(Code::Expired)),
        ] {
            assert_eq!(issued(ttl, grace, license_end), expected, "{ttl:?} {grace:?} {license_end:?}");
        }
    }

    proptest! {
        #[test]
        fn no_file_outlives_its_licence_or_ten_years(
            ttl in proptest::option::of(1..i64::MAX), plan in any::<i64>(), grace in any::<i64>(), left in 1_000..400_000_000_000_u64,
        ) {
            let end = NOW + Duration::from_millis(left);
            let usual = Usual { ttl_days: plan, grace_days: grace };
            let term = term(Asked { ttl_days: ttl, grace_days: None }, usual, Some(end), NOW).unwrap();
            prop_assert!(term.issued < term.expires && term.expires <= end);
            prop_assert!(term.expires.since(term.issued) <= days(3_650) && term.grace <= days(30));
        }
    }
}
