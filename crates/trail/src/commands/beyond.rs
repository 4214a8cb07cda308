//! Lines beyond the pinned end of a log.

use std::collections::HashMap;
use std::path::Path;

use chancery_audit::{Filter, Finding, FindingKind, Log};
use chancery_time::Timestamp;

use super::site::Pinned;
use crate::segments;

/// The first line up to `last_seq`, beyond the pinned end of a log that is sound otherwise, whose event does not
/// wait in the store.
///
/// Its number alone does not tell: in a store that was put back to an older state numbers come again, for other
/// events. What no two events share is the number together with the time at which it happened.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn foreign(path: &Path, pinned: &Pinned, last_seq: u64) -> anyhow::Result<Option<Finding>> {
    let Pinned { head, waiting } = pinned;
    let oldest = head.segment().map(|(name, _)| name);
    for segment in segments::list(path)?.into_iter().filter(|segment| Some(&segment.name) >= oldest) {
        let records = Log::open(&segment.path)?.records(&Filter::default(), None)?;
        for (record, line) in records.zip(1..) {
            let record = record?;
            if record.seq > last_seq {
                return Ok(None);
            }
            if record.seq > head.seq() && !waits(waiting, record.event_id, record.ts) {
                let file = segment.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let kind = FindingKind::HeadBehind { pinned_seq: head.seq() };
                return Ok(Some(Finding { file, line, lines: 1, kind }));
            }
        }
    }
    Ok(None)
}

/// Whether that event waits; the log's own lines have no number and never do.
fn waits(waiting: &HashMap<u64, Timestamp>, id: Option<u64>, at: Timestamp) -> bool {
    id.is_none_or(|id| waiting.get(&id) == Some(&at))
}
