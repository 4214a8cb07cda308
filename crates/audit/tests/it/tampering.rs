//! One test for each kind of tampering: found, and located by file and line.
//!
//! The log has several segments of some eight lines; the journal's own lines begin each.

use std::fs;

use chancery_audit::{Checkpoint, FindingKind, Log, Malformation, Verification};

use crate::site::{Site, told};

/// Enough for four segments.
const EVENTS: usize = 32;

fn site() -> Site {
    let mut site = Site::new("ca1");
    site.append(EVENTS);
    assert!(site.segments().len() >= 4, "{:?}", site.segments());
    assert_eq!(told(&site, &site.verify()), [""; 0]);
    assert_eq!(told(&site, &site.verify_public()), [""; 0]);
    site
}

/// The seq of a line.
fn seq(line: &str) -> u64 {
    let (_, rest) = line.split_once("\"seq\":").unwrap();
    rest.split_once(',').unwrap().0.parse().unwrap()
}

/// The name of a segment begun a millisecond after another one.
fn a_millisecond_later(name: &str) -> String {
    let millis: u32 = name[21..24].parse().unwrap();
    assert!(millis < 999);
    format!("{}{:03}Z.jsonl", &name[..21], millis + 1)
}

/// A site whose second segment was edited.
fn edited(edit: impl FnOnce(&mut Vec<String>)) -> Site {
    let site = site();
    let mut lines = site.lines(1);
    edit(&mut lines);
    site.write_lines(1, &lines);
    site
}

#[track_caller]
fn expect(site: &Site, expected: &[String]) {
    assert_eq!(told(site, &site.verify()), expected);
}

#[test]
fn a_removed_line() {
    let mut removed = 0;
    let site = edited(|lines| removed = seq(&lines.remove(3)));
    expect(&site, &[format!("segment 1:4: Removed {{ first_seq: {removed}, count: 1 }}")]);
}

#[test]
fn the_first_line_of_a_segment_removed() {
    let mut removed = 0;
    let site = edited(|lines| removed = seq(&lines.remove(0)));
    expect(&site, &[format!("segment 1:1: Removed {{ first_seq: {removed}, count: 1 }}")]);
}

#[test]
fn the_first_line_of_the_log_removed() {
    let site = site();
    site.write_lines(0, &site.lines(0)[1..]);
    expect(&site, &["segment 0:1: NoSegmentLine".to_owned()]);
}

#[test]
fn a_changed_line() {
    let site = edited(|lines| lines[3] = lines[3].replace("host-", "h0st-"));
    expect(&site, &["segment 1:4: Changed".to_owned()]);
}

#[test]
fn a_changed_mac() {
    let site = edited(|lines| {
        let mac = lines[3].len() - 4;
        let other = if &lines[3][mac - 1..mac] == "0" { "1" } else { "0" };
        lines[3].replace_range(mac - 1..mac, other);
    });
    expect(&site, &["segment 1:4: MacChanged".to_owned()]);
}

#[test]
fn an_inserted_line() {
    let site = edited(|lines| {
        let forged = lines[3].replace("host-", "evil-");
        lines.insert(4, forged);
    });
    expect(&site, &["segment 1:5: Inserted".to_owned()]);
}

#[test]
fn swapped_lines() {
    let mut moved = 0;
    let site = edited(|lines| {
        lines.swap(3, 4);
        moved = seq(&lines[4]);
    });
    expect(&site, &[format!("segment 1:5: Reordered {{ seq: {moved} }}")]);
}

#[test]
fn a_duplicated_line() {
    let mut copied = 0;
    let site = edited(|lines| {
        lines.insert(4, lines[3].clone());
        copied = seq(&lines[3]);
    });
    expect(&site, &[format!("segment 1:5: Duplicated {{ seq: {copied} }}")]);
}

#[test]
fn the_tail_cut_by_a_line() {
    let site = site();
    let (last, mut lines) = (site.segments().len() - 1, site.lines(site.segments().len() - 1));
    lines.pop();
    site.write_lines(last, &lines);
    let pinned_seq = site.pinned.seq();
    let kind = FindingKind::TailCut { last_seq: pinned_seq - 1, pinned_seq };
    expect(&site, &[format!("segment {last}:{}: {kind:?}", lines.len() + 1)]);
}

#[test]
fn the_tail_cut_within_a_line() {
    let site = site();
    let (last, mut lines) = (site.segments().len() - 1, site.lines(site.segments().len() - 1));
    lines.last_mut().unwrap().truncate(20);
    site.write_lines(last, &lines);
    let pinned_seq = site.pinned.seq();
    let kind = FindingKind::TailCut { last_seq: pinned_seq - 1, pinned_seq };
    expect(&site, &[format!("segment {last}:{}: {kind:?}", lines.len())]);
}

#[test]
fn the_tail_cut_by_a_segment() {
    let site = site();
    let last = site.segments().len() - 1;
    let first_cut = seq(&site.lines(last)[0]);
    let remaining = site.lines(last - 1).len();
    fs::remove_file(&site.segments()[last]).unwrap();
    let kind = FindingKind::TailCut { last_seq: first_cut - 1, pinned_seq: site.pinned.seq() };
    expect(&site, &[format!("segment {}:{}: {kind:?}", last - 1, remaining + 1)]);
}

#[test]
fn all_segments_gone() {
    let site = site();
    let last = site.file_name(site.segments().len() - 1);
    site.segments().iter().for_each(|path| fs::remove_file(path).unwrap());
    let kind = FindingKind::TailCut { last_seq: 0, pinned_seq: site.pinned.seq() };
    expect(&site, &[format!("{last}:1: {kind:?}")]);
}

#[test]
fn a_segment_in_the_middle_gone() {
    let site = site();
    let first_seq = seq(&site.lines(1)[0]);
    let count = site.lines(1).len() as u64;
    fs::remove_file(&site.segments()[1]).unwrap();
    expect(&site, &[format!("segment 1:1: {:?}", FindingKind::Removed { first_seq, count })]);
}

#[test]
fn a_segment_chained_again_under_another_key() {
    let site = site();
    let mut forger = Site::with("ca1", [0x66; 32], site.options);
    forger.append(EVENTS);
    let forged = forger.lines(1);
    site.write_lines(1, &forged);
    expect(&site, &[format!("segment 1:1: Rekeyed x{}", forged.len())]);
}

#[test]
fn two_segments_chained_again_and_a_third_added() {
    let site = site();
    let mut forger = Site::with("ca1", [0x66; 32], site.options);
    forger.append(EVENTS);
    let (one, other) = (forger.lines(1), forger.lines(2));
    site.write_lines(1, &one);
    site.write_lines(2, &other);
    let added = a_millisecond_later(&site.file_name(2));
    fs::write(site.path().join(added), forger.lines(0).concat()).unwrap();
    expect(
        &site,
        &[
            format!("segment 1:1: Rekeyed x{}", one.len()),
            format!("segment 2:1: Rekeyed x{}", other.len()),
            format!("segment 3:1: Rekeyed x{}", forger.lines(0).len()),
        ],
    );
}

#[test]
fn lines_far_apart_exchanged() {
    let (mut low, mut high) = (0, 0);
    let site = edited(|lines| {
        lines.swap(2, 5);
        (low, high) = (seq(&lines[5]), seq(&lines[2]));
    });
    assert_eq!(high, low + 3);
    expect(&site, &[format!("segment 1:4: {:?} x3", FindingKind::Reordered { seq: low + 1 })]);
}

#[test]
fn one_missing_line_replaced_by_a_copy_of_another() {
    let (mut first_seq, mut copied) = (0, 0);
    let site = edited(|lines| {
        let moved = lines.remove(2);
        let lost = lines.remove(2);
        lines.insert(3, moved.clone());
        lines.insert(4, moved);
        (copied, first_seq) = (seq(&lines[3]), seq(&lost));
    });
    expect(
        &site,
        &[
            format!("segment 1:3: Removed {{ first_seq: {first_seq}, count: 1 }}"),
            format!("segment 1:4: Reordered {{ seq: {copied} }} x2"),
        ],
    );
}

#[test]
fn a_store_older_than_the_log() {
    let mut site = site();
    let old = site.pinned.clone();
    let line_of_old = site.lines(site.segments().len() - 1).len();
    let segment_of_old = site.segments().len() - 1;
    // Room for all that follows in the same segment.
    site.options.max_segment_bytes = 100_000_000;
    let mut journal = site.open();
    for _ in 0..3 {
        let events = site.events(500);
        journal.append(&events, site.now).unwrap();
    }
    let report = site.verify_against(old.clone());
    let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
    assert_eq!(finding.kind, FindingKind::HeadBehind { pinned_seq: old.seq() });
    assert_eq!(finding.file, site.file_name(segment_of_old));
    // One batch is allowed, with the checkpoints between.
    assert!(finding.line > line_of_old as u64 + 1_000, "{finding}");
}

#[test]
fn a_store_older_than_the_log_by_a_line() {
    let mut site = site();
    let (old, segment) = (site.pinned.clone(), site.segments().len() - 1);
    let next_line = site.lines(segment).len() + 1;
    site.options.max_segment_bytes = 100_000;
    site.append(1);
    let secret = site.secret();
    let (empty, waiting) = ([].into(), [site.next_id - 1].into());
    let mut against = Verification { secret: Some(&secret), head: Some(&old), ..Verification::default() };
    let log = Log::open(site.path()).unwrap();
    against.outbox = Some(&waiting);
    let report = log.verify(&against, |_| {}).unwrap();
    assert_eq!((told(&site, &report), report.in_flight), (vec![], vec![site.next_id - 1]));
    against.outbox = Some(&empty);
    let report = log.verify(&against, |_| {}).unwrap();
    let kind = FindingKind::HeadBehind { pinned_seq: old.seq() };
    assert_eq!(told(&site, &report), [format!("segment {segment}:{next_line}: {kind:?}")]);
}

#[test]
fn another_history_under_the_same_secret() {
    let site = site();
    let mut other = Site::with("ca1", site.secret, site.options);
    other.next_id = 1_000;
    other.append(EVENTS);
    let head = other.pinned;
    let last = site.segments().len() - 1;
    let report = site.verify_against(head.clone());
    let seq = head.seq();
    assert!(
        report.findings.iter().any(|finding| finding.kind == FindingKind::HeadMismatch { seq }
            && finding.file == site.file_name(last)),
        "{:?}",
        report.findings
    );
}

#[test]
fn a_segment_of_another_node() {
    let mut site = site();
    let mut other = Site::with("ca2", site.secret, site.options);
    other.now = site.now;
    other.append(6);
    let slipped_in = other.lines(0);
    fs::copy(&other.segments()[0], site.path().join(other.file_name(0))).unwrap();
    let number = site.segments().iter().position(|path| path.ends_with(other.file_name(0))).unwrap();
    let kind = FindingKind::ForeignNode { node: "ca2".to_owned() };
    site.now = other.now;
    // It lies beyond the pinned end, and is looked at all the same.
    expect(&site, &[format!("segment {number}:1: {kind:?} x{}", slipped_in.len())]);
}

#[test]
fn the_log_of_another_installation() {
    let site = site();
    let other = chancery_audit::Head::genesis(&site.secret(), "another installation", &site.node);
    let secret = site.secret();
    let against = Verification { secret: Some(&secret), genesis: Some(&other), ..Verification::default() };
    let report = Log::open(site.path()).unwrap().verify(&against, |_| {}).unwrap();
    assert_eq!(told(&site, &report), ["segment 0:1: ForeignInstallation"]);
}

#[test]
fn a_line_that_is_not_json() {
    let site = edited(|lines| lines[3].insert(0, 'x'));
    let kind = FindingKind::Malformed(Malformation::NotJson);
    expect(&site, &[format!("segment 1:4: {kind:?}")]);
}

#[test]
fn fields_in_another_order() {
    let site = edited(|lines| {
        lines[3] = lines[3].replacen("\"schema\":1,", "", 1).replacen("{", "{\"schema\":1,", 1);
    });
    let kind = FindingKind::Malformed(Malformation::WrongForm);
    expect(&site, &[format!("segment 1:4: {kind:?}")]);
}

#[test]
fn too_long_a_line() {
    let site = edited(|lines| lines[3].insert_str(1, &" ".repeat(70_000)));
    let bytes = site.lines(1)[3].len();
    expect(&site, &[format!("segment 1:4: TooLong {{ bytes: {bytes} }}")]);
}

#[test]
fn a_closed_segment_that_ends_within_a_line() {
    let mut bytes = 0;
    let site = edited(|lines| {
        let last = lines.last_mut().unwrap();
        last.pop();
        bytes = last.len();
    });
    let line = site.lines(1).len();
    expect(&site, &[format!("segment 1:{line}: Torn {{ bytes: {bytes} }}")]);
}

#[test]
fn a_renamed_segment() {
    let site = site();
    let old = site.file_name(1);
    let moved = a_millisecond_later(&old);
    fs::rename(&site.segments()[1], site.path().join(&moved)).unwrap();
    assert_eq!(site.file_name(1), moved);
    expect(&site, &[format!("segment 2:1: PreviousSegment {{ stated: {old:?} }}")]);
}

#[test]
fn the_newest_segment_renamed() {
    let site = site();
    let last = site.segments().len() - 1;
    let (old, lines) = (site.file_name(last), site.lines(last).len());
    fs::rename(&site.segments()[last], site.path().join("audit.20270101T000000000Z.jsonl")).unwrap();
    let kind = FindingKind::PinnedElsewhere { segment: old };
    expect(&site, &[format!("segment {last}:{lines}: {kind:?}")]);
}

#[test]
fn a_segment_split_into_two() {
    let site = site();
    let (name, mut lines) = (site.file_name(1), site.lines(1));
    let rest = lines.split_off(4);
    site.write_lines(1, &lines);
    fs::write(site.path().join(a_millisecond_later(&name)), rest.concat()).unwrap();
    let previous = FindingKind::PreviousSegment { stated: name };
    expect(&site, &["segment 2:1: NoSegmentLine".to_owned(), format!("segment 3:1: {previous:?}")]);
}

#[test]
fn two_segments_joined() {
    let site = site();
    let (mut lines, more) = (site.lines(1), site.lines(2));
    let line = lines.len() + 1;
    lines.extend(more);
    site.write_lines(1, &lines);
    fs::remove_file(&site.segments()[2]).unwrap();
    let report = site.verify();
    assert_eq!(told(&site, &report)[0], format!("segment 1:{line}: SegmentLineInside"));
}

#[test]
fn a_compressed_segment_that_was_changed() {
    let site = site();
    let compressed = chancery_audit::compress_closed(site.path()).unwrap();
    let path = site.path().join(format!("{}.zst", compressed[1]));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let report = site.verify();
    let file = format!("{}.zst", compressed[1]);
    assert!(report.findings.iter().any(|finding| finding.file == file), "{:?}", report.findings);
}

#[test]
fn a_changed_line_without_the_secret() {
    let site = edited(|lines| lines[3] = lines[3].replace("host-", "h0st-"));
    let lines = site.lines(1);
    let is_checkpoint = |line: &String| line.contains("audit.checkpoint");
    let before = site.lines(0).iter().rev().find(|line| is_checkpoint(line)).map(|line| seq(line)).unwrap();
    let at = lines.iter().position(is_checkpoint).unwrap();
    let kind = FindingKind::RootMismatch { from_seq: before, to_seq: seq(&lines[at]) - 1 };
    assert_eq!(told(&site, &site.verify_public()), [format!("segment 1:{}: {kind:?}", at + 1),]);
}

#[test]
fn a_removed_line_without_the_secret() {
    let mut removed = 0;
    let site = edited(|lines| removed = seq(&lines.remove(3)));
    let kind = FindingKind::Removed { first_seq: removed, count: 1 };
    assert_eq!(told(&site, &site.verify_public()), [format!("segment 1:4: {kind:?}")]);
}

#[test]
fn a_history_written_anew_by_one_who_has_the_secret() {
    let mut site = site();
    let mut journal = site.open();
    let events = site.events(1);
    journal.append(&events, site.now).unwrap();
    let closed = journal.close(site.now).unwrap().unwrap();
    let kept = closed.checkpoint.unwrap();

    let mut forger = Site::with("ca1", site.secret, site.options);
    forger.next_id = 1_000;
    forger.append(EVENTS + 16);
    let (secret, key) = (forger.secret(), forger.key());
    let kept = Checkpoint::open(kept.note(), &key).unwrap();
    let against = Verification {
        secret: Some(&secret),
        head: Some(&forger.pinned),
        key: Some(&key),
        checkpoint: Some(&kept),
        ..Verification::default()
    };
    let report = Log::open(forger.path()).unwrap().verify(&against, |_| {}).unwrap();
    let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
    assert_eq!(finding.kind, FindingKind::NotExtended { size: kept.size() });
    let located =
        (0..forger.segments().len()).find(|number| forger.file_name(*number) == finding.file).unwrap();
    let line = usize::try_from(finding.line).unwrap();
    assert_eq!(seq(&forger.lines(located)[line - 1]), kept.size());
}
