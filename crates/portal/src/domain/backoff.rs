//! When a delivery is tried again.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long to wait after each attempt that failed.
const WAITS: [Duration; 8] = [
    Duration::from_secs(10),
    Duration::from_secs(MINUTE),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(6 * HOUR),
    Duration::from_secs(12 * HOUR),
    Duration::from_secs(24 * HOUR),
];

/// How long to wait after so many attempts that failed; `None` once nothing more is tried. `jitter` is any number: it
/// makes the wait longer by up to a tenth, so that what failed together does not come again together.
pub(crate) fn wait_after(attempts: i64, jitter: u16) -> Option<Duration> {
    let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let wait = WAITS.get(index)?;
    Some(*wait + *wait / 10 * u32::from(jitter) / u32::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nine_attempts_take_two_days() {
        let waits: Vec<Option<u64>> =
            (1..=9).map(|attempts| wait_after(attempts, 0).map(|wait| wait.as_secs())).collect();
        let expected = [10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400];
        assert_eq!(waits[..8], expected.map(Some));
        assert_eq!(waits[8], None);
        assert_eq!(wait_after(1, u16::MAX), Some(Duration::from_secs(11)));
        assert_eq!(wait_after(8, u16::MAX), Some(Duration::from_secs(95_040)));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_nor_much_longer(attempts in any::<i64>(), jitter in any::<u16>()) {
            let (least, wait) = (wait_after(attempts, 0), wait_after(attempts, jitter));
            prop_assert_eq!(wait.is_some(), (1..=8).contains(&attempts));
            if let (Some(least), Some(wait)) = (least, wait) {
                prop_assert!(least <= wait && wait <= least * 11 / 10);
            }
        }
    }
}
