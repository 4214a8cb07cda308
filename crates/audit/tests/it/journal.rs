//! Appending, as the caller sees it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chancery_audit::{AppendError, Head, Log, MAX_BATCH, OpenError, Verification};
use serde_json::Value;

use crate::site::Site;

#[test]
fn lines_are_numbered_and_chained_across_segments_and_restarts() {
    let mut site = Site::new("ca1");
    for _ in 0..4 {
        site.append(7);
    }
    let mut prev_mac = None;
    let mut number = 0;
    let mut events = 0;
    for segment in 0..site.segments().len() {
        for (at, line) in site.lines(segment).iter().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            number += 1;
            assert_eq!(line["seq"], number);
            assert_eq!(line["event"] == "audit.segment", at == 0);
            if let Some(prev_mac) = prev_mac {
                assert_eq!(line["prev_mac"], prev_mac);
            }
            prev_mac = Some(line["mac"].clone());
            if let Some(id) = line["details"]["event_id"].as_u64() {
                events += 1;
                assert_eq!(id, events);
            }
        }
    }
    assert_eq!((events, number), (28, site.pinned.seq()));
    assert!(site.verify().is_sound());
}

#[test]
fn segments_are_the_owners_alone_and_rotate_by_size_and_age() {
    let mut site = Site::new("ca1");
    site.append(2);
    assert_eq!(site.segments().len(), 1);
    let mode = fs::metadata(&site.segments()[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    site.now = site.now + Duration::from_hours(25);
    site.append(2);
    assert_eq!(site.segments().len(), 2, "by age");
    site.append(20);
    assert!(site.segments().len() > 2, "by size");
    // The clock goes back a year; names still rise.
    site.now = site.now - Duration::from_hours(365 * 24);
    let before = site.segments().len();
    site.append(20);
    assert!(site.segments().len() > before);
    assert!(site.verify().is_sound());
}

#[test]
fn a_full_segment_ends_with_a_checkpoint() {
    let mut site = Site::new("ca1");
    site.append(24);
    for segment in 0..site.segments().len() - 1 {
        assert!(site.lines(segment).last().unwrap().contains("\"event\":\"audit.checkpoint\""));
    }
}

#[test]
fn shutting_down_writes_one_checkpoint() {
    let mut site = Site::new("ca1");
    assert!(site.open().close(site.now).unwrap().is_none(), "nothing to vouch for");
    site.append(2);
    let closed = site.open().close(site.now).unwrap().unwrap();
    assert_eq!(closed.checkpoint.unwrap().size(), site.pinned.seq());
    site.pinned = closed.head;
    assert!(site.open().close(site.now).unwrap().is_none(), "one is enough");
}

#[test]
fn one_process_appends_at_a_time() {
    let site = Site::new("ca1");
    let journal = site.open();
    assert!(matches!(site.try_open(), Err(OpenError::Locked { .. })));
    drop(journal);
    site.open();
}

#[test]
fn a_batch_has_its_bounds() {
    let mut site = Site::new("ca1");
    let mut journal = site.open();
    assert_eq!(journal.append(&[], site.now).unwrap().head, site.genesis());
    let events = site.events(MAX_BATCH + 1);
    assert!(matches!(journal.append(&events, site.now), Err(AppendError::TooMany(_))));
    let appended = journal.append(&events[..MAX_BATCH], site.now).unwrap();
    assert_eq!(appended.head.seq(), MAX_BATCH as u64 + 2, "with a segment line and a checkpoint");
}

#[test]
fn a_directory_that_cannot_be_written_fails_and_heals() {
    let mut site = Site::new("ca1");
    site.append(2);
    let mut journal = site.open();
    let events = site.events(1);
    // A file in the way of the next segment.
    site.now = site.now + Duration::from_hours(25);
    let millis = site.now.unix_millis().rem_euclid(1_000);
    let instant = site.now.to_string().replace(['-', ':'], "").replace('Z', &format!("{millis:03}Z"));
    let in_the_way = site.path().join(format!("audit.{instant}.jsonl"));
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(journal.append(&events, site.now), Err(AppendError::File(_))));
    assert!(matches!(journal.append(&events, site.now), Err(AppendError::Failed)));
    drop(journal);
    fs::remove_dir(&in_the_way).unwrap();

    let (mut journal, recovered) = site.try_open().unwrap();
    assert!(recovered.event_ids.is_empty(), "{recovered:?}");
    site.pinned = journal.append(&events, site.now).unwrap().head;
    drop(journal);
    assert!(site.verify().is_sound());
}

#[test]
fn tampering_is_reported_at_opening_and_left_as_it_is() {
    let mut site = Site::new("ca1");
    site.append(5);
    let last = site.segments().len() - 1;
    let path = site.segments()[last].clone();
    let sound = fs::read(&path).unwrap();
    let refused = |contents: &[u8]| {
        fs::write(&path, contents).unwrap();
        let error = site.try_open().map(drop).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), contents, "{error}");
        error
    };

    assert!(matches!(refused(&sound[..sound.len() - 1]), OpenError::TailCut { .. }));
    let mut changed = sound.clone();
    let at = changed.len() - 10;
    changed[at] ^= 1;
    assert!(matches!(refused(&changed), OpenError::NotPinned { .. }));
    let foreign = [&sound[..], b"{}\n"].concat();
    assert!(matches!(refused(&foreign), OpenError::Unsound { .. }));
    let last_line = site.lines(last).pop().unwrap();
    let repeated = [&sound[..], last_line.as_bytes()].concat();
    assert!(matches!(refused(&repeated), OpenError::Unsound { .. }));

    fs::remove_file(&path).unwrap();
    assert!(matches!(site.try_open(), Err(OpenError::SegmentGone { .. })));
}

/// As after a working directory was moved: the message says what to type.
#[test]
fn the_log_of_another_node_is_told_from_one_that_was_changed() {
    let mut old = Site::new("ca1");
    for batches in 1..=3 {
        old.append(7);
        let mut moved = Site::new("ca2");
        moved.directory = std::mem::replace(&mut old.directory, moved.directory);
        let before = moved.segments().iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
        let error = moved.try_open().unwrap_err();
        let directory = moved.path().display();
        let said = error.to_string();
        assert!(matches!(error, OpenError::AnotherNode { .. }), "{batches}: {said}");
        for part in [
            "is that of node ca1, and this is node ca2".to_owned(),
            format!("`mv '{directory}' '{directory}.ca1'`"),
            format!("`chancery audit verify --node ca1 --log '{directory}.ca1'`"),
        ] {
            assert!(said.contains(&part), "{said}");
        }
        assert_eq!(moved.segments().iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>(), before);
        old.directory = moved.directory;
    }

    // Where a node has a log of its own, nothing was moved: somebody put the lines there.
    let mut own = Site::new("ca2");
    own.append(1);
    fs::copy(&old.segments()[0], own.path().join("audit.20990101T000000000Z.jsonl")).unwrap();
    assert!(matches!(own.try_open(), Err(OpenError::Unsound { .. })));
}

#[test]
fn a_store_that_is_much_older_than_the_log_is_refused() {
    let mut site = Site::new("ca1");
    site.append(3);
    let old = site.pinned.clone();
    site.append(24);
    site.pinned = old;
    assert!(matches!(site.try_open(), Err(OpenError::HeadBehind { .. })), "by segments");

    let mut site = Site::new("ca1");
    site.options.max_segment_bytes = 100_000_000;
    site.append(3);
    let old = site.pinned.clone();
    let mut journal = site.open();
    for _ in 0..2 {
        let events = site.events(1_000);
        journal.append(&events, site.now).unwrap();
    }
    drop(journal);
    site.pinned = old;
    assert!(matches!(site.try_open(), Err(OpenError::HeadBehind { .. })), "by lines");

    site.pinned = Head::genesis(&site.secret(), "another installation", &site.node);
    assert!(matches!(site.try_open(), Err(OpenError::Unsound { .. })), "a fresh store beside an old log");
}

#[test]
fn a_log_verifies_while_it_grows() {
    let mut site = Site::new("ca1");
    site.append(5);
    let secret = site.secret();
    let verified = |log: &Log, head: &Head| {
        let against = Verification { secret: Some(&secret), head: Some(head), ..Verification::default() };
        let mut last = None;
        let report = log.verify(&against, |progress| last = Some(progress)).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        let last = last.unwrap();
        assert_eq!((last.bytes, last.lines), (last.total_bytes, report.lines));
        report
    };
    let log = Log::open(site.path()).unwrap();
    let early = site.pinned.clone();
    for _ in 0..3 {
        site.append(9);
    }
    assert_eq!(verified(&log, &early).last_seq, Some(early.seq()), "what came later is not looked at");
    assert_eq!(verified(&log, &site.pinned).last_seq, Some(site.pinned.seq()), "up to the pinned head it is");
}
