//! `audit`: how the audit log is kept.

use std::time::Duration;

use chancery_cli::config::{Problems, number, within};

use super::super::Audit;
use super::super::raw::RawAudit;

/// The age at which the audit log begins a new segment, and what it may be set to.
const DEFAULT_SEGMENT_AGE: Duration = Duration::from_secs(30 * 86_400);
const MIN_SEGMENT_AGE: Duration = Duration::from_secs(3_600);
const MAX_SEGMENT_AGE: Duration = Duration::from_secs(366 * 86_400);

pub(super) fn audit(raw: &RawAudit, problems: &mut Problems) -> Audit {
    const MIB: u64 = 1_024 * 1_024;
    let segment_mib = number("audit.segment_mib", raw.segment_mib.as_ref(), 65_536, 256, problems);
    let lines = raw.checkpoint_every.as_ref();
    let checkpoint_every = number("audit.checkpoint_every", lines, 1_000_000, 1_000, problems);
    let backlog = number("audit.backlog", raw.backlog.as_ref(), 100_000_000, 100_000, problems);
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
