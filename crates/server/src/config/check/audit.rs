//! `audit`: how the audit log is kept.

use std::time::Duration;

use serde_saphyr::Spanned;

use super::super::Audit;
use super::super::error::Problems;
use super::super::raw::RawAudit;
use super::within;

/// The age at which the audit log begins a new segment, and what it may be set to.
const DEFAULT_SEGMENT_AGE: Duration = Duration::from_secs(30 * 86_400);
const MIN_SEGMENT_AGE: Duration = Duration::from_secs(3_600);
const MAX_SEGMENT_AGE: Duration = Duration::from_secs(366 * 86_400);

pub(super) fn audit(raw: &RawAudit, problems: &mut Problems) -> Audit {
    const MIB: u64 = 1_024 * 1_024;
    let mut number = |field: &str, given: Option<&Spanned<i64>>, most: u64, default: u64| {
        let Some(given) = given else { return default };
        match u64::try_from(given.value) {
            Ok(number) if (1..=most).contains(&number) => return number,
            _ => {}
        }
        let wrong = format!("{} is outside 1 to {most}; leave the key out for {default}", given.value);
        problems.add(given.referenced, field, wrong);
        default
    };
    let segment_mib = number("audit.segment_mib", raw.segment_mib.as_ref(), 65_536, 256);
    let checkpoint_every = number("audit.checkpoint_every", raw.checkpoint_every.as_ref(), 1_000_000, 1_000);
    let backlog = number("audit.backlog", raw.backlog.as_ref(), 100_000_000, 100_000);
    let age = raw.segment_age.as_ref();
    let age =
        age.and_then(|age| problems.accept(age.referenced, "audit.segment_age", segment_age(&age.value)));
    Audit {
        required: raw.required.unwrap_or(false),
        backlog,
        segment_bytes: segment_mib * MIB,
        segment_age: age.unwrap_or(DEFAULT_SEGMENT_AGE),
        checkpoint_every,
        compress: raw.compress.unwrap_or(false),
    }
}

fn segment_age(text: &str) -> Result<Duration, String> {
    within(text, "a segment of the audit log", MIN_SEGMENT_AGE..=MAX_SEGMENT_AGE, "1h to 366d")
}
