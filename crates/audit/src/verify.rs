//! Whether a log is as it was written, and if not, what was done to it and where.

mod ahead;
mod chain;
mod finding;
mod tree;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::finding::{Finding, FindingKind};

use self::ahead::{Ahead, Hashed, MAX_AHEAD};
use self::chain::{Chain, Standing};
use self::finding::Findings;
use self::tree::{Tree, detail};
use crate::checkpoint::Checkpoint;
use crate::crypto::{Mac, Secret, same};
use crate::files::{FileError, refused};
use crate::head::Head;
use crate::hex;
use crate::journal::{MAX_BATCH, MAX_OWN_LINES};
use crate::log::Log;
use crate::names::SEGMENT_EVENT;
use crate::note::VerifierKey;
use crate::reader::{Item, LineReader};
use crate::scan::{Fields, Header, malformation};
use crate::segment::SegmentFile;

/// Progress is told every so many lines.
const LINES_PER_PROGRESS: u64 = 16 * 1_024;

/// What a log is held against. The more of it there is, the more is proven.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verification<'a> {
    /// Proves each line. Without it only the form, the numbers and the links are checked.
    pub secret: Option<&'a Secret>,
    /// Proves that nothing was cut off.
    pub head: Option<&'a Head>,
    /// The events that are in the outbox, read together with the head: no other event may stand in lines
    /// beyond it. Without this, any one batch may.
    pub outbox: Option<&'a HashSet<u64>>,
    /// [`Head::genesis`]; proves that a log that begins with seq 1 is of this installation.
    pub genesis: Option<&'a Head>,
    /// Checks the checkpoints in the log, which prove the lines before them without the secret. It costs a
    /// second hash of every line, and some more for the tree.
    pub key: Option<&'a VerifierKey>,
    /// A checkpoint that was kept elsewhere: today's log has to extend it. The checkpoints in the log are
    /// then checked too, with the key that opened this one unless another is given.
    pub checkpoint: Option<&'a Checkpoint>,
}

/// How far verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Lines so far.
    pub lines: u64,
    /// Bytes read from the disk so far.
    pub bytes: u64,
    /// Bytes of all files on the disk.
    pub total_bytes: u64,
}

/// What verification came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is wrong, in the order of the log; the first 1,000.
    pub findings: Vec<Finding>,
    /// How many findings there are besides those.
    pub more_findings: u64,
    /// Files read.
    pub segments: u64,
    /// Lines read.
    pub lines: u64,
    /// Bytes of lines, decompressed.
    pub bytes: u64,
    /// The number of the first line that is there. When it is not 1, earlier segments were moved away.
    pub first_seq: Option<u64>,
    /// The number of the last line.
    pub last_seq: Option<u64>,
    /// The file that the first one follows, when earlier segments were moved away.
    pub earlier_segment: Option<String>,
    /// The events in lines beyond the pinned head, at most one batch and one: a crash, or an append under way.
    pub in_flight: Vec<u64>,
    /// Bytes after the last line feed: an append under way, or one that a crash tore.
    pub torn_bytes: u64,
    /// Checkpoints found in lines; only counted when a key was given.
    pub checkpoints: u64,
    /// Up to this number a signature vouches for the lines; 0 when none does, or no key was given.
    pub signed_to: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty() && self.more_findings == 0
    }
}

impl Log {
    /// Reads the whole log once, in memory that does not grow with it.
    ///
    /// # Errors
    /// When a file cannot be read. Whatever is wrong with what was read is in the [`Report`].
    pub fn verify(
        &self,
        against: &Verification<'_>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Report, FileError> {
        let segments = self.segments(against.head.and_then(|head| head.segment.as_ref()))?;
        let mut told = Progress {
            total_bytes: segments.iter().map(|(segment, limit)| segment.size.min(*limit)).sum(),
            ..Progress::default()
        };
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut walk = Walk::new(*against);
        let count = segments.len();
        for (number, (segment, limit)) in segments.iter().enumerate() {
            walk.begin_segment(segment);
            let mut lines = LineReader::new(segment.open(*limit, &bytes_read)?);
            loop {
                if walk.ahead.has_run_out() {
                    walk.ahead.hash(&lines.ahead(MAX_AHEAD));
                }
                match lines.next() {
                    Ok(Some(item)) => walk.item(&item, number + 1 == count),
                    Ok(None) => break,
                    Err(error) if segment.compressed => {
                        walk.chain.report_at_end(FindingKind::Unreadable { reason: error.to_string() });
                        break;
                    }
                    Err(error) => return Err(refused("read", &segment.path)(error)),
                }
                if walk.report.lines.is_multiple_of(LINES_PER_PROGRESS) {
                    told.lines = walk.report.lines;
                    told.bytes = bytes_read.load(Ordering::Relaxed);
                    progress(told);
                }
            }
            walk.chain.end_segment();
        }
        let report = walk.finish();
        progress(Progress { lines: report.lines, bytes: bytes_read.load(Ordering::Relaxed), ..told });
        Ok(report)
    }
}

/// Goes through a log line by line.
struct Walk<'a> {
    against: Verification<'a>,
    ahead: Ahead,
    chain: Chain,
    tree: Option<Tree<'a>>,
    report: Report,
    file_before: Option<String>,
    file: Option<String>,
    /// Lines beyond the pinned head, and whether that was found wrong.
    beyond: usize,
    head_behind: bool,
}

impl<'a> Walk<'a> {
    fn new(against: Verification<'a>) -> Self {
        let pinned = against.head.or(against.genesis).map(Head::node);
        let node = pinned.or(against.checkpoint.map(Checkpoint::node));
        let key = against.key.or(against.checkpoint.map(Checkpoint::key));
        Self {
            against,
            ahead: Ahead::new(against.secret, key.is_some()),
            chain: Chain::new(node.map(|node| node.as_str())),
            tree: key.map(|key| Tree::new(key, against.checkpoint)),
            report: Report::default(),
            file_before: None,
            file: None,
            beyond: 0,
            head_behind: false,
        }
    }

    fn begin_segment(&mut self, segment: &SegmentFile) {
        self.report.segments += 1;
        self.file_before = self.file.replace(segment.name.to_string());
        self.chain.begin_segment(segment.file_name());
    }

    fn item(&mut self, item: &Item<'_>, in_last_segment: bool) {
        match item {
            Item::Line(line) => {
                self.next_line(line.len() as u64 + 1);
                let hashed = self.ahead.next(line);
                self.line(line, &hashed);
            }
            Item::TooLong(bytes) => {
                self.next_line(*bytes);
                self.chain.malformed(FindingKind::TooLong { bytes: *bytes });
            }
            // Beyond the pinned head it is an append that was not finished; before it, it was cut off.
            Item::Torn(bytes) if in_last_segment => self.report.torn_bytes = *bytes,
            Item::Torn(bytes) => {
                self.next_line(*bytes);
                self.chain.malformed(FindingKind::Torn { bytes: *bytes });
            }
        }
    }

    fn next_line(&mut self, bytes: u64) {
        self.chain.next_line();
        self.report.lines += 1;
        self.report.bytes += bytes;
    }

    fn line(&mut self, line: &[u8], hashed: &Hashed) {
        let Some((header, fields)) = self.sound_header(line, hashed.mac) else { return };
        let begun = self.chain.has_begun();
        let standing = self.chain.sound(&header);
        if standing == Standing::Stray {
            return;
        }
        if begun {
            self.check_place(&header, standing);
        } else {
            self.begin(&header);
        }
        if header.event == SEGMENT_EVENT.as_bytes() {
            self.check_previous(line, standing);
        }
        if let Some(tree) = &mut self.tree
            && let Some(fields) = fields.or_else(|| Fields::parse(line).ok())
        {
            for kind in tree.add(&fields, hashed.leaf, standing) {
                self.chain.report(kind);
            }
        }
        if let Some(head) = self.against.head
            && header.seq >= head.seq()
        {
            self.near_head(line, &header, head);
        }
    }

    /// The header of a line that is as it was written, as far as can be told, and the rest of it if that was looked
    /// at.
    fn sound_header<'l>(
        &mut self,
        line: &'l [u8],
        computed: Option<Mac>,
    ) -> Option<(Header<'l>, Option<Fields<'l>>)> {
        let Some(computed) = computed else {
            return match Fields::parse(line) {
                Ok(fields) => Some((fields.header, Some(fields))),
                Err(why) => {
                    self.chain.malformed(FindingKind::Malformed(why));
                    None
                }
            };
        };
        let Some(header) = Header::parse(line) else {
            self.chain.malformed(FindingKind::Malformed(malformation(line)));
            return None;
        };
        if hex::decode(header.mac).is_some_and(|claimed| same(&claimed, &computed)) {
            return Some((header, None));
        }
        match Fields::parse(line) {
            Ok(_) => self.chain.forged(&header, computed),
            Err(why) => self.chain.malformed(FindingKind::Malformed(why)),
        }
        None
    }

    /// The first line of the log.
    fn begin(&mut self, header: &Header<'_>) {
        self.report.first_seq = Some(header.seq);
        let whole = header.event == SEGMENT_EVENT.as_bytes();
        if !whole && self.chain.findings.told.is_empty() {
            self.chain.report(FindingKind::NoSegmentLine);
        }
        let foreign = |genesis: &Head| *header.prev_mac != hex::encode(genesis.mac());
        if header.seq == 1 && self.against.genesis.is_some_and(foreign) {
            self.chain.report(FindingKind::ForeignInstallation);
        }
    }

    /// The first line of a file begins a segment, and no other does.
    fn check_place(&mut self, header: &Header<'_>, standing: Standing) {
        let begins = header.event == SEGMENT_EVENT.as_bytes();
        if standing == Standing::Follows && begins != self.chain.at_first_line() {
            self.chain.report(if begins {
                FindingKind::SegmentLineInside
            } else {
                FindingKind::NoSegmentLine
            });
        }
    }

    /// A segment says which file it follows.
    fn check_previous(&mut self, line: &[u8], standing: Standing) {
        let stated = Fields::parse(line).ok().and_then(|fields| detail(&fields, "previous"));
        if self.file_before.is_none() {
            self.report.earlier_segment = stated;
        } else if standing == Standing::Follows && stated != self.file_before {
            let stated = stated.unwrap_or_else(|| "no segment".to_owned());
            self.chain.report(FindingKind::PreviousSegment { stated });
        }
    }

    /// A line at or beyond the pinned head.
    fn near_head(&mut self, line: &[u8], header: &Header<'_>, head: &Head) {
        if header.seq == head.seq() {
            if *header.mac != hex::encode(head.mac()) {
                self.chain.report(FindingKind::HeadMismatch { seq: header.seq });
            }
            let pinned = head.segment.as_ref().map(|end| end.segment.as_str());
            if let Some(segment) = pinned.filter(|pinned| self.file.as_deref() != Some(pinned)) {
                self.chain.report(FindingKind::PinnedElsewhere { segment: segment.to_owned() });
            }
            return;
        }
        self.beyond += 1;
        let id = Fields::parse(line).ok().and_then(|fields| fields.event_id());
        let known = id.is_none_or(|id| self.against.outbox.is_none_or(|outbox| outbox.contains(&id)));
        if self.report.in_flight.len() <= MAX_BATCH {
            self.report.in_flight.extend(id);
        }
        let too_many = self.beyond > MAX_BATCH + MAX_OWN_LINES || self.report.in_flight.len() > MAX_BATCH;
        if (too_many || !known) && !self.head_behind {
            self.head_behind = true;
            self.chain.report(FindingKind::HeadBehind { pinned_seq: head.seq() });
        }
    }

    fn finish(mut self) -> Report {
        let pinned = self.against.head.map(|head| (head.seq(), head.mac()));
        self.chain.end(pinned);
        let last_seq = self.chain.last_seq();
        if let Some(head) = self.against.head
            && last_seq < head.seq()
        {
            if self.file.is_none()
                && let Some(end) = &head.segment
            {
                self.chain.begin_segment(end.segment.to_string());
            }
            self.chain.report_at_end(FindingKind::TailCut { last_seq, pinned_seq: head.seq() });
        }
        self.finish_tree(last_seq);
        let Findings { told, more } = self.chain.findings;
        Report {
            findings: told,
            more_findings: more,
            last_seq: self.report.first_seq.map(|_| last_seq),
            ..self.report
        }
    }

    fn finish_tree(&mut self, last_seq: u64) {
        let Some(tree) = &self.tree else { return };
        self.report.checkpoints = tree.checkpoints;
        self.report.signed_to = tree.signed_to;
        let Some(kept) = self.against.checkpoint.filter(|_| !tree.kept_judged) else { return };
        let size = kept.size();
        let first_seq = self.report.first_seq.unwrap_or(1);
        if last_seq < size {
            self.chain.report_at_end(FindingKind::ShorterThanCheckpoint { size, last_seq });
        } else if first_seq.saturating_sub(1) > size {
            self.chain.report_at_end(FindingKind::CheckpointNotCovered { size, first_seq });
        }
    }
}
