//! The end of a node's log, for those who ask a program that runs.

use std::collections::VecDeque;
use std::path::Path;

use chancery_audit::{Filter, Log, QueryError, Record};

use crate::segments::{self, Segment};

/// The last lines that were wanted.
#[derive(Debug)]
pub struct Newest {
    /// The newest first. Nothing of them was verified.
    pub records: Vec<Record>,
    /// Whether the search ended before it had found enough or seen everything.
    pub is_cut: bool,
}

/// The last `limit` lines of the log in the directory that the filter lets through. Whole segments are read, from the
/// newest on, until there are enough or their files have more than `max_bytes` together; one is read in any case.
///
/// It reads files, so that it belongs where waiting for a disk keeps nobody else from working.
///
/// # Errors
/// When the log cannot be read.
pub fn newest(directory: &Path, filter: &Filter, limit: usize, max_bytes: u64) -> anyhow::Result<Newest> {
    let mut newest = Newest { records: Vec::new(), is_cut: false };
    let mut bytes = 0;
    for segment in segments::list(directory)?.into_iter().rev() {
        if newest.records.len() >= limit {
            break;
        }
        let length = segment.path.metadata().map(|about| about.len()).unwrap_or_default();
        if bytes > 0 && bytes + length > max_bytes {
            newest.is_cut = true;
            break;
        }
        bytes += length;
        newest.records.extend(last(&segment, filter, limit - newest.records.len())?);
    }
    Ok(newest)
}

/// The last lines of a segment, the newest first.
fn last(segment: &Segment, filter: &Filter, limit: usize) -> anyhow::Result<impl Iterator<Item = Record>> {
    let mut last = VecDeque::new();
    for record in Log::open(&segment.path)?.records(filter, None)? {
        match record {
            Ok(record) => {
                if last.len() >= limit {
                    last.pop_front();
                }
                last.push_back(record);
            }
            // Whoever verifies the log is told of it.
            Err(QueryError::Malformed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(last.into_iter().rev())
}

#[cfg(test)]
mod tests {
    use chancery_audit::{Event, EventName, Head, Journal, Node, Options, Secret, Signer};
    use chancery_time::Timestamp;

    use super::*;

    /// A log of events 1 to 9 in segments that end soon.
    fn log(directory: &Path) {
        let (secret, node) = (Secret::new(&[1; 32]), Node::new("n1").unwrap());
        let genesis = Head::genesis(&secret, "installation", &node);
        let signer = Signer::new("test", &node, &[2; 32]).unwrap();
        let options = Options { max_segment_bytes: 1, ..Options::default() };
        let (mut journal, _) = Journal::open(directory, secret, signer, options, genesis).unwrap();
        for id in 1..=9 {
            let name = if id % 2 == 0 { "test.even" } else { "test.odd" };
            let at = Timestamp::from_unix_seconds(1_781_443_380 + id);
            let event = Event::new(id.unsigned_abs(), at, EventName::new(name).unwrap());
            journal.append(&[event], at).unwrap();
        }
    }

    #[test]
    fn the_newest_come_first_across_segments() {
        let directory = tempfile::tempdir().unwrap();
        log(directory.path());
        let filter = Filter { event: Some("test.".to_owned()), ..Filter::default() };
        let ids = |filter: &Filter, limit, max_bytes| {
            let found = newest(directory.path(), filter, limit, max_bytes).unwrap();
            let ids: Vec<u64> = found.records.iter().filter_map(|record| record.event_id).collect();
            (ids, found.is_cut)
        };
        assert!(segments::list(directory.path()).unwrap().len() > 2);
        assert_eq!(ids(&filter, 100, u64::MAX), ((1..=9).rev().collect(), false));
        assert_eq!(ids(&filter, 3, u64::MAX), (vec![9, 8, 7], false));
        let even = Filter { event: Some("test.even".to_owned()), ..Filter::default() };
        assert_eq!(ids(&even, 3, u64::MAX), (vec![8, 6, 4], false));
        let (some, is_cut) = ids(&filter, 100, 1);
        assert!(is_cut && !some.is_empty() && some.len() < 9 && some[0] == 9, "{some:?}");
        assert!(newest(&directory.path().join("none"), &filter, 1, 1).is_err());
    }
}
