//! What signatures prove, with no secret and no database.

use std::fs;

use chancery_audit::{
    Checkpoint, FindingKind, Head, Log, Node, Report, Signer, Verification, VerifierKey, compress_closed,
};

use crate::site::{SEED, Site, told};

/// Verifies against a kept note, as an auditor does.
fn extends(site: &Site, note: &str) -> Report {
    let key: VerifierKey = site.key().to_string().parse().unwrap();
    let kept = Checkpoint::open(note, &key).unwrap();
    let against = Verification { checkpoint: Some(&kept), ..Verification::default() };
    Log::open(site.path()).unwrap().verify(&against, |_| {}).unwrap()
}

#[test]
fn the_public_key_vouches_up_to_the_last_checkpoint() {
    let mut site = Site::new("ca1");
    site.append(24);
    let report = site.verify_public();
    assert_eq!(told(&site, &report), [""; 0]);
    assert!(report.checkpoints >= 4, "{report:?}");
    assert!(report.signed_to > site.pinned.seq() - 6 && report.signed_to < site.pinned.seq(), "{report:?}");
    let journal = site.open();
    let closed = journal.close(site.now).unwrap().unwrap();
    assert_eq!(site.verify_public().signed_to, closed.head.seq() - 1);
}

#[test]
fn todays_log_extends_every_checkpoint_that_was_kept() {
    let mut site = Site::new("ca1");
    let appended = site.append(24);
    let notes: Vec<_> = appended.iter().filter_map(|appended| appended.checkpoint.as_ref()).collect();
    assert!(notes.len() >= 4);
    for checkpoint in notes {
        assert_eq!(told(&site, &extends(&site, checkpoint.note())), [""; 0]);
    }
}

#[test]
fn a_log_that_was_cut_before_the_checkpoint_shows() {
    let mut site = Site::new("ca1");
    let appended = site.append(24);
    let kept = appended.iter().rev().find_map(|appended| appended.checkpoint.clone()).unwrap();
    let last = site.segments().len() - 1;
    fs::remove_file(&site.segments()[last]).unwrap();
    fs::remove_file(&site.segments()[last - 1]).unwrap();
    let report = extends(&site, kept.note());
    assert!(
        matches!(report.findings.as_slice(), [finding]
            if matches!(finding.kind, FindingKind::ShorterThanCheckpoint { size, .. } if size == kept.size())),
        "{:?}",
        report.findings
    );
}

#[test]
fn segments_that_were_moved_away_are_missed_by_nobody_but_old_checkpoints() {
    let mut site = Site::new("ca1");
    let appended = site.append(24);
    let first = appended.iter().find_map(|appended| appended.checkpoint.clone()).unwrap();
    let moved = site.file_name(1);
    fs::remove_file(&site.segments()[1]).unwrap();
    fs::remove_file(&site.segments()[0]).unwrap();
    for report in [site.verify(), site.verify_public()] {
        assert_eq!(told(&site, &report), [""; 0]);
        assert!(report.first_seq > Some(1));
        assert_eq!(report.earlier_segment.as_deref(), Some(moved.as_str()));
    }
    let report = extends(&site, first.note());
    assert!(
        matches!(report.findings.as_slice(), [finding]
            if matches!(finding.kind, FindingKind::CheckpointNotCovered { .. })),
        "{:?}",
        report.findings
    );
}

#[test]
fn a_single_segment_verifies_in_public() {
    let mut site = Site::new("ca1");
    site.append(24);
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join(site.file_name(2));
    fs::copy(&site.segments()[2], &copy).unwrap();
    let key = site.key();
    let against = Verification { key: Some(&key), ..Verification::default() };
    let report = Log::open(&copy).unwrap().verify(&against, |_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.earlier_segment, Some(site.file_name(1)));
    assert!(report.signed_to > 0);
}

#[test]
fn compressed_segments_verify_as_plain_ones() {
    let mut site = Site::new("ca1");
    let appended = site.append(24);
    let (plain, plain_public) = (site.verify(), site.verify_public());
    let compressed = compress_closed(site.path()).unwrap();
    assert_eq!(compressed.len() as u64 + 1, plain.segments);
    assert_eq!(site.segments().len(), 1, "the newest stays plain");
    assert_eq!(site.verify(), plain);
    assert_eq!(site.verify_public(), plain_public);
    let first = appended.iter().find_map(|appended| appended.checkpoint.clone()).unwrap();
    assert!(extends(&site, first.note()).is_sound());
    assert!(compress_closed(site.path()).unwrap().is_empty());
    site.append(6);
    assert!(site.verify().is_sound());
}

#[test]
fn a_compression_that_a_crash_cut_short_is_done_again() {
    let mut site = Site::new("ca1");
    site.append(12);
    let plain = site.verify();
    let first = site.segments()[0].clone();
    let contents = fs::read(&first).unwrap();
    fs::write(site.path().join(format!("{}.zst.tmp", site.file_name(0))), b"half").unwrap();
    compress_closed(site.path()).unwrap();
    // As if the plain file had not been removed yet.
    fs::write(&first, contents).unwrap();
    assert_eq!(site.verify(), plain);
    compress_closed(site.path()).unwrap();
    assert!(!first.exists());
    assert_eq!(site.verify(), plain);
}

#[test]
fn a_checkpoint_by_another_key_is_not_believed() {
    let mut site = Site::new("ca1");
    site.append(12);
    let stranger = Signer::new("example.com/audit", &site.node, &[9; 32]).unwrap();
    let against = Verification { key: Some(stranger.verifier_key()), ..Verification::default() };
    let report = Log::open(site.path()).unwrap().verify(&against, |_| {}).unwrap();
    assert!(!report.is_sound());
    assert!(report.findings.iter().all(|finding| matches!(finding.kind, FindingKind::BadCheckpoint(_))));
    assert_eq!((report.signed_to, report.findings.len() as u64), (0, report.checkpoints));
}

#[test]
fn the_note_is_written_beside_the_log_and_replaced() {
    let mut site = Site::new("ca1");
    let appended = site.append(24);
    let mut notes = appended.iter().filter_map(|appended| appended.checkpoint.as_ref());
    let path = notes.next().unwrap().write_to(site.path()).unwrap();
    let last = notes.next_back().unwrap();
    assert_eq!(last.write_to(site.path()).unwrap(), path);
    assert_eq!(path.file_name().unwrap(), "checkpoint.ca1.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), last.note());
    assert!(site.verify().is_sound());
}

#[test]
fn nodes_sign_under_names_of_their_own() {
    let key = |node: &str| {
        let signer = Signer::new("example.com/audit", &Node::new(node).unwrap(), &SEED).unwrap();
        signer.verifier_key().to_string()
    };
    assert_ne!(key("ca1"), key("ca2"));
    let site = Site::new("ca1");
    assert_eq!(Head::from_bytes(&site.pinned.to_bytes()), Ok(site.pinned));
}
