//! Crashes at every byte: nothing that was pinned is lost, nothing torn is accepted, and every event
//! becomes one line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chancery_audit::{Event, Filter, Head, Log};

use crate::site::Site;

/// The files of a directory, to be put back.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn restore(directory: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in snapshot(directory).keys() {
        fs::remove_file(path).unwrap();
    }
    for (path, contents) in files {
        fs::write(path, contents).unwrap();
    }
}

/// What an appender does when it starts: remove what was written from the outbox, pin, append the rest.
fn start(site: &mut Site, outbox: &[Event]) -> u64 {
    let (mut journal, recovered) = site.try_open().unwrap();
    for id in &recovered.event_ids {
        assert!(outbox.iter().any(|event| event.id == *id), "{id} was never in the outbox");
    }
    let left: Vec<_> =
        outbox.iter().filter(|event| !recovered.event_ids.contains(&event.id)).cloned().collect();
    assert_eq!(&outbox[recovered.event_ids.len()..], left, "the first ones are written first");
    journal.append(&left, site.now).unwrap();
    site.pinned = journal.head().clone();
    recovered.cut_bytes
}

fn event_ids(site: &Site) -> Vec<u64> {
    let records = Log::open(site.path()).unwrap().records(&Filter::default(), None).unwrap();
    records.filter_map(|record| record.unwrap().event_id).collect()
}

/// Leaves the disk as each crash during the last append might have, and starts again from there.
fn crash_everywhere(mut site: Site, batch: usize) {
    let (pinned, before) = (site.pinned.clone(), snapshot(site.path()));
    let outbox = site.events(batch);
    let mut journal = site.open();
    journal.append(&outbox, site.now).unwrap();
    drop(journal);
    let after = snapshot(site.path());
    let all: Vec<u64> = (1..site.next_id).collect();

    // Each file grows in turn, in the order of its name.
    let mut disk = before.clone();
    for (path, contents) in &after {
        let from = before.get(path).map_or(0, Vec::len);
        for length in from..=contents.len() {
            disk.insert(path.clone(), contents[..length].to_vec());
            restore(site.path(), &disk);
            site.pinned = Head::from_bytes(&pinned.to_bytes()).unwrap();
            let cut = start(&mut site, &outbox);
            assert_eq!(event_ids(&site), all, "crashed after {length} bytes of {}", path.display());
            let report = site.verify();
            assert!(report.is_sound(), "{:?}", report.findings);
            let line_ended = length == from || contents[length - 1] == b'\n';
            assert_eq!(cut == 0, line_ended, "{cut} bytes cut after {length}");
        }
    }
}

#[test]
fn within_the_first_batch() {
    crash_everywhere(Site::new("ca1"), 3);
}

#[test]
fn within_a_batch() {
    let mut site = Site::new("ca1");
    site.append(3);
    assert_eq!(site.segments().len(), 1);
    crash_everywhere(site, 3);
}

#[test]
fn within_a_batch_that_begins_a_segment() {
    let mut site = Site::new("ca1");
    site.append(7);
    let segments = site.segments().len();
    site.options.max_segment_bytes = 1_000;
    crash_everywhere(site, 2);
    assert_eq!(segments, 1);
}

#[test]
fn after_a_power_failure_that_left_zeros() {
    let mut site = Site::new("ca1");
    site.append(3);
    let pinned = site.pinned.clone();
    let path = site.segments()[0].clone();
    let from = fs::metadata(&path).unwrap().len() as usize;
    let outbox = site.events(3);
    let mut journal = site.open();
    journal.append(&outbox, site.now).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for at in (from..whole.len() - 16).step_by(37) {
        let mut holed = whole.clone();
        holed[at..at + 16].fill(0);
        fs::write(&path, holed).unwrap();
        site.pinned = pinned.clone();
        assert!(start(&mut site, &outbox) > 0);
        assert_eq!(event_ids(&site), [1, 2, 3, 4, 5, 6]);
        assert!(site.verify().is_sound());
    }
}

#[test]
fn a_lost_pin_is_found_again_as_often_as_needed() {
    let mut site = Site::new("ca1");
    site.append(3);
    let pinned = site.pinned.clone();
    let outbox = site.events(4);
    let mut journal = site.open();
    let appended = journal.append(&outbox, site.now).unwrap();
    drop(journal);
    for _ in 0..3 {
        site.pinned = pinned.clone();
        let (journal, recovered) = site.try_open().unwrap();
        assert_eq!(recovered.event_ids, [4, 5, 6, 7]);
        assert_eq!(recovered.cut_bytes, 0);
        assert_eq!(*journal.head(), appended.head);
    }
}
