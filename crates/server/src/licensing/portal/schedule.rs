//! When the portal is asked: pure.

use std::time::Duration;

use chancery_time::Timestamp;

/// How long after a failure the portal is asked again, and how long where the licence is about to end.
const AFTER_FAILURE: Duration = Duration::from_secs(6 * 3_600);
const NEAR_THE_END: Duration = Duration::from_secs(3_600);
/// How long before its end a licence is about to end.
const ABOUT_TO_END: Duration = Duration::from_secs(7 * 86_400);

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// There was no answer, or none that was believed; whoever refused it may have said for how long.
    Failed {
        retry_after: Option<Duration>,
    },
}

/// When the portal is asked next. `interval` is what the configuration says, `ends` when the licence in
/// effect expires, and `random` spreads the questions of many installations over a tenth in both directions.
pub(crate) fn next_poll(
    outcome: Outcome,
    interval: Duration,
    ends: Option<Timestamp>,
    random: u16,
    now: Timestamp,
) -> Timestamp {
    let wait = match outcome {
        Outcome::Answered => interval,
        Outcome::Failed { retry_after } => {
            let is_about_to_end = ends.is_some_and(|ends| ends.since(now) <= ABOUT_TO_END);
            let wait = if is_about_to_end { NEAR_THE_END } else { AFTER_FAILURE };
            // Whoever asks often does not ask less often while it fails, whatever the portal says.
            wait.max(retry_after.unwrap_or_default()).min(interval)
        }
    };
    let tenth = wait / 10;
    now + (wait - tenth) + tenth * 2 * u32::from(random) / u32::from(u16::MAX)
}

/// Whether the portal is to be asked at `now`.
///
/// A time that lies further ahead than any that is set today was set by a clock that was ahead, or for another
/// interval; it does not count.
pub(crate) fn is_due(due_at: Option<Timestamp>, interval: Duration, now: Timestamp) -> bool {
    due_at.is_none_or(|due| due <= now || due > now + interval + interval / 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);
    /// Neither sooner nor later.
    const MIDDLE: u16 = u16::MAX / 2;

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_800_000_000)
    }

    #[test]
    fn the_next_question_comes_when_it_is_of_use() {
        use Outcome::{Answered, Failed};
        let failed = Failed { retry_after: None };
        let later = |hours: u32| Failed { retry_after: Some(hours * HOUR) };
        for (outcome, interval, ends_in, expected) in [
            (Answered, DAY, None, DAY),
            (Answered, DAY, Some(DAY), DAY),
            (Answered, HOUR, None, HOUR),
            (failed, DAY, None, 6 * HOUR),
            (failed, DAY, Some(30 * DAY), 6 * HOUR),
            (failed, DAY, Some(7 * DAY + HOUR), 6 * HOUR),
            (failed, DAY, Some(7 * DAY), HOUR),
            // In grace, or beyond.
            (failed, DAY, Some(Duration::ZERO), HOUR),
            (failed, 2 * HOUR, None, 2 * HOUR),
            (later(12), DAY, None, 12 * HOUR),
            (later(12), DAY, Some(DAY), 12 * HOUR),
            (later(2), DAY, None, 6 * HOUR),
            (later(1_000), DAY, None, DAY),
        ] {
            let ends = ends_in.map(|ends_in| now() + ends_in);
            let next = next_poll(outcome, interval, ends, MIDDLE, now());
            let off = next.since(now() + expected).max((now() + expected).since(next));
            assert!(off <= expected / 1_000, "{outcome:?} {interval:?} {ends_in:?}: {next}");
        }
    }

    #[test]
    fn a_question_is_due_at_its_time() {
        for (due_in, due) in
            [(None, true), (Some(0), true), (Some(1), false), (Some(86_400), false), (Some(105_000), true)]
        {
            let due_at = due_in.map(|seconds| now() + Duration::from_secs(seconds));
            assert_eq!(is_due(due_at, DAY, now()), due, "{due_in:?}");
        }
        assert!(is_due(Some(Timestamp::from_unix_seconds(0)), DAY, now()));
    }

    proptest! {
        #[test]
        fn it_is_spread_over_a_tenth_and_never_due_at_once(random in any::<u16>(), hours in 1..720_u32) {
            let interval = hours * HOUR;
            for outcome in [Outcome::Answered, Outcome::Failed { retry_after: None }] {
                let next = next_poll(outcome, interval, None, random, now());
                let wait = if outcome == Outcome::Answered { interval } else { interval.min(6 * HOUR) };
                prop_assert!(next >= now() + wait - wait / 10);
                prop_assert!(next <= now() + wait + wait / 10);
                prop_assert!(!is_due(Some(next), interval, now()));
            }
        }
    }
}
