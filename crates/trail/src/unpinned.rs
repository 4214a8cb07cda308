//! Events that are in the log beyond its pinned end, and perhaps in the outbox still.

use std::path::Path;

use chancery_audit::{Filter, Head, Log};
use chancery_db::WriteTx;
use chancery_time::Timestamp;

use crate::outbox;

/// An event by its number in the outbox and by when it happened, which together no other has: after a restore
/// of the store, numbers come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
}

/// The events in lines beyond the pinned end of the log, to its end as it was found.
///
/// # Errors
/// When the log cannot be read.
pub(crate) fn events(directory: &Path, pinned: &Head, found: &Head) -> anyhow::Result<Vec<Told>> {
    let mut events = Vec::new();
    if found.seq() == pinned.seq() {
        return Ok(events);
    }
    let mut segments: Vec<&str> =
        [pinned, found].into_iter().filter_map(|head| Some(head.segment()?.0.as_str())).collect();
    segments.dedup();
    for segment in segments {
        for record in Log::open(&directory.join(segment))?.records(&Filter::default(), None)? {
            let record = record?;
            if record.seq > pinned.seq()
                && let Some(id) = record.event_id
            {
                events.push(Told { id: i64::try_from(id)?, at: record.ts });
            }
        }
    }
    Ok(events)
}

/// Takes events that are in the log out of the outbox, and pins the end of the log.
///
/// # Errors
/// When one of them is not in the outbox, or the store fails.
pub(crate) fn settle(tx: &mut WriteTx<'_>, node: &str, events: &[Told], head: &[u8]) -> anyhow::Result<()> {
    for stretch in events.chunk_by(|one, next| one.id + 1 == next.id) {
        let [first, ..] = stretch else { continue };
        let last = stretch.last().unwrap_or(first);
        let waiting = outbox::instants(tx, node, first.id, last.id)?;
        let waiting = waiting.into_iter().map(|(id, at)| Told { id, at });
        anyhow::ensure!(
            waiting.eq(stretch.iter().copied()),
            "the audit log holds events that the store does not know: the database is older than the log, as after a restore; verify the log (`chancery audit verify`, `chancery-portal log verify`)"
        );
        outbox::remove(tx, node, first.id, last.id)?;
    }
    Ok(outbox::pin(tx, node, head)?)
}

/// Numbers in ascending order as stretches without a gap, each by its first and last.
pub(crate) fn runs(ids: &[i64]) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => runs.push((*id, *id)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_stretches() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[7]), [(7, 7)]);
        assert_eq!(runs(&[1, 2, 3, 5, 9, 10]), [(1, 3), (5, 5), (9, 10)]);
    }
}
