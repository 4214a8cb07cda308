//! The chain of one node: which line follows which, and what was done where one does not.
//!
//! A line is *sound* when it is as a journal wrote it (its authenticator holds; without the secret, when
//! its form is right). Sound lines tell by their numbers what happened around them; a run of unsound lines
//! is judged when the next sound line shows how many numbers it took up.

use super::finding::{FindingKind, Findings};
use crate::crypto::Mac;
use crate::hex::{self, HEX_LENGTH};
use crate::scan::Header;

/// Follows a chain, in memory that does not grow.
#[derive(Debug)]
pub(super) struct Chain {
    /// Whose chain; taken from the first sound line when not known before.
    node: Option<Vec<u8>>,
    /// The number of the next line, once one was seen.
    expected: Option<u64>,
    /// The authenticator of the line before it, when known.
    last_mac: Option<[u8; HEX_LENGTH]>,
    run: Option<Run>,
    /// Unsound lines before the run that are findings already.
    rekeyed: u64,
    gap: Option<Gap>,
    file: String,
    /// The line being looked at.
    line: u64,
    pub(super) findings: Findings,
}

/// How a sound line stands to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It follows the line before it.
    Follows,
    /// It is the next one, but lines before it are missing or were changed.
    AfterBreak,
    /// It belongs elsewhere.
    Stray,
}

/// Unsound lines on end.
#[derive(Debug)]
struct Run {
    file: String,
    line: u64,
    count: u64,
    /// How many of them have the form of a line; the others are findings already.
    forged: u64,
    /// What the authenticator of the first line should be.
    computed: Option<Mac>,
    /// Whether each is chained to the one before it.
    linked: bool,
    last_claimed: Option<(u64, [u8; HEX_LENGTH])>,
}

/// Missing lines that may yet turn up.
#[derive(Debug)]
struct Gap {
    first_seq: u64,
    end_seq: u64,
    /// Which of the first 64 turned up, one bit each.
    found: u64,
    /// Where the finding is; `None` when it was only counted.
    finding: Option<usize>,
}

impl Chain {
    pub(super) fn new(node: Option<&str>) -> Self {
        Self {
            node: node.map(|node| node.as_bytes().to_vec()),
            expected: None,
            last_mac: None,
            run: None,
            rekeyed: 0,
            gap: None,
            file: String::new(),
            line: 0,
            findings: Findings::default(),
        }
    }

    pub(super) fn begin_segment(&mut self, file: String) {
        self.file = file;
        self.line = 0;
    }

    /// Goes to the next line of the file.
    pub(super) fn next_line(&mut self) {
        self.line += 1;
    }

    /// The number of the last line of the chain; 0 before the first.
    pub(super) fn last_seq(&self) -> u64 {
        self.expected.map_or(0, |next| next.saturating_sub(1))
    }

    /// Whether any line of the chain was seen.
    pub(super) fn has_begun(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether the line being looked at is the first of its file.
    pub(super) fn at_first_line(&self) -> bool {
        self.line == 1
    }

    /// Something is wrong with the line being looked at.
    pub(super) fn report(&mut self, kind: FindingKind) {
        self.findings.add(&self.file, self.line, 1, kind);
    }

    /// Something is wrong after the last line of the file.
    pub(super) fn report_at_end(&mut self, kind: FindingKind) {
        self.findings.add(&self.file, self.line + 1, 1, kind);
    }

    /// The line being looked at is none of a log. The finding tells how.
    pub(super) fn malformed(&mut self, kind: FindingKind) {
        self.report(kind);
        let run = self.run_here();
        run.count += 1;
        run.linked = false;
    }

    /// The line being looked at has another authenticator than its bytes.
    pub(super) fn forged(&mut self, header: &Header<'_>, computed: Mac) {
        let run = self.run_here();
        run.count += 1;
        run.forged += 1;
        run.computed = (run.count == 1).then_some(computed);
        if let Some((seq, mac)) = run.last_claimed {
            run.linked &= *header.prev_mac == mac && header.seq == seq.saturating_add(1);
        }
        run.last_claimed = Some((header.seq, *header.mac));
    }

    /// The line being looked at is sound.
    pub(super) fn sound(&mut self, header: &Header<'_>) -> Standing {
        let node = self.node.get_or_insert_with(|| header.node.to_vec());
        if node != header.node {
            let node = String::from_utf8_lossy(header.node).into_owned();
            self.report(FindingKind::ForeignNode { node });
            return Standing::Stray;
        }
        let after_run = self.settle_run(header);
        let expected = self.expected.unwrap_or(header.seq);
        if header.seq < expected {
            self.out_of_order(header.seq);
            return Standing::Stray;
        }
        let mut standing = if after_run { Standing::AfterBreak } else { Standing::Follows };
        if header.seq > expected {
            standing = Standing::AfterBreak;
            self.missing(expected, header.seq);
        } else if self.last_mac.is_some_and(|last| last != *header.prev_mac) {
            standing = Standing::AfterBreak;
            self.report(FindingKind::BrokenLink { seq: header.seq });
        }
        self.expected = Some(header.seq.saturating_add(1));
        self.last_mac = Some(*header.mac);
        standing
    }

    /// A segment all of whose lines are unsound and yet chained was written under another secret.
    pub(super) fn end_segment(&mut self) {
        let rekeyed = |run: &mut Run| {
            run.file == self.file && run.line == 1 && run.count == self.line && run.linked && run.count > 1
        };
        let Some(run) = self.run.take_if(rekeyed) else { return };
        self.findings.add(&run.file, run.line, run.count, FindingKind::Rekeyed);
        self.rekeyed += run.count;
    }

    /// Judges the unsound lines at the end, where the pinned head tells how many numbers there are.
    pub(super) fn end(&mut self, pinned: Option<(u64, &Mac)>) {
        let first = self.expected.unwrap_or(1);
        let numbers = pinned.map_or(u64::MAX, |(seq, _)| seq.saturating_add(1).saturating_sub(first));
        let last_mac = pinned.filter(|(seq, _)| *seq == first).map(|(_, mac)| hex::encode(mac));
        self.judge(numbers, last_mac.as_ref());
    }

    fn run_here(&mut self) -> &mut Run {
        let (file, line) = (&self.file, self.line);
        self.run.get_or_insert_with(|| Run {
            file: file.clone(),
            line,
            count: 0,
            forged: 0,
            computed: None,
            linked: true,
            last_claimed: None,
        })
    }

    /// Judges the unsound lines before a sound one. Whether any of them stood for lines of the chain.
    fn settle_run(&mut self, next: &Header<'_>) -> bool {
        if self.run.is_none() && self.rekeyed == 0 {
            return false;
        }
        match self.expected {
            Some(expected) => self.judge(next.seq.saturating_sub(expected), Some(next.prev_mac)),
            None => self.judge(u64::MAX, Some(next.prev_mac)),
        }
    }

    /// Judges unsound lines that end where `numbers` lines of the chain are due: so many of them stood for
    /// those, and the rest was added. Whether any stood for one.
    fn judge(&mut self, numbers: u64, mac_of_last: Option<&[u8; HEX_LENGTH]>) -> bool {
        let run = self.run.take();
        let count = run.as_ref().map_or(0, |run| run.count);
        if let Some(run) = run.filter(|run| run.forged > 0) {
            let computed = run.computed.filter(|_| count == 1).map(|mac| hex::encode(&mac));
            let kind = if numbers == 0 {
                FindingKind::Inserted
            } else if computed.is_some_and(|mac| mac_of_last == Some(&mac)) {
                FindingKind::MacChanged
            } else {
                FindingKind::Changed
            };
            self.findings.add(&run.file, run.line, run.forged, kind);
        }
        let taken = numbers.min(count.saturating_add(std::mem::take(&mut self.rekeyed)));
        if taken > 0 {
            self.expected = self.expected.map(|next| next.saturating_add(taken));
            self.last_mac = None;
        }
        taken > 0
    }

    fn missing(&mut self, first_seq: u64, end_seq: u64) {
        let count = end_seq - first_seq;
        let before = self.findings.told.len();
        self.report(FindingKind::Removed { first_seq, count });
        let finding = (self.findings.told.len() > before).then_some(before);
        self.gap = Some(Gap { first_seq, end_seq, found: 0, finding });
    }

    /// A line whose number was passed: one of those that were missing, or a second copy.
    fn out_of_order(&mut self, seq: u64) {
        let Some(gap) = self.gap.as_mut().filter(|gap| (gap.first_seq..gap.end_seq).contains(&seq)) else {
            return self.report(FindingKind::Duplicated { seq });
        };
        // Of a wider gap only the first lines are counted; the others stay missing in the finding.
        let place = u32::try_from(seq - gap.first_seq).unwrap_or(u32::MAX);
        gap.found |= 1u64.checked_shl(place).unwrap_or(0);
        let missing = gap.end_seq - gap.first_seq - u64::from(gap.found.count_ones());
        if missing == 0 {
            if let Some(index) = gap.finding.take() {
                self.findings.told.remove(index);
            }
        } else if let Some(finding) = gap.finding.and_then(|index| self.findings.told.get_mut(index)) {
            let first_seq = gap.first_seq + u64::from(gap.found.trailing_ones());
            finding.kind = FindingKind::Removed { first_seq, count: missing };
        }
        self.report(FindingKind::Reordered { seq });
    }
}
