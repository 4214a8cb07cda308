//! What verification finds, and where.

use std::fmt;

use crate::checkpoint::CheckpointError;
use crate::scan::Malformation;

/// So many findings are told one by one; the rest is counted.
pub(crate) const MAX_FINDINGS: usize = 1_000;

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file's name, without its directory.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// How many lines from that one on it is about.
    pub lines: u64,
    /// What is wrong.
    pub kind: FindingKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// The lines are none of a log.
    Malformed(Malformation),
    /// The line is longer than [`MAX_LINE_LENGTH`](crate::MAX_LINE_LENGTH).
    TooLong {
        /// With its line feed.
        bytes: u64,
    },
    /// The last line of a file has no end.
    Torn {
        /// What there is of it.
        bytes: u64,
    },
    /// A compressed segment cannot be read on.
    Unreadable {
        /// What the decompressor said.
        reason: String,
    },
    /// The lines are not as they were written.
    Changed,
    /// The line is as it was written, all but its authenticator.
    MacChanged,
    /// The lines were never written by a journal.
    Inserted,
    /// The lines stand in the log before.
    Duplicated {
        /// Of the first of them.
        seq: u64,
    },
    /// The lines belong further up.
    Reordered {
        /// Of the first of them.
        seq: u64,
    },
    /// Before this line others are missing.
    Removed {
        /// Of the first of them.
        first_seq: u64,
        /// How many.
        count: u64,
    },
    /// The line has the right number, but is not chained to the line before it.
    BrokenLink {
        /// Its number.
        seq: u64,
    },
    /// The lines are of another node's log.
    ForeignNode {
        /// Which.
        node: String,
    },
    /// All lines of the segment hang together, but under another secret.
    Rekeyed,
    /// The first line of the log or of a file begins no segment: lines before it are missing, or a segment
    /// was split.
    NoSegmentLine,
    /// A segment begins within a file: two were joined.
    SegmentLineInside,
    /// The line is the pinned one, but the file is another: it was renamed.
    PinnedElsewhere {
        /// The file in which it was pinned.
        segment: String,
    },
    /// The segment was chained to another file than the one before it: one was renamed or replaced.
    PreviousSegment {
        /// The name that it states.
        stated: String,
    },
    /// The first line of the node is not that of this installation.
    ForeignInstallation,
    /// The log ends before the pinned head: before this line others were cut off.
    TailCut {
        /// Of the last line that is there, or 0.
        last_seq: u64,
        /// Of the pinned one.
        pinned_seq: u64,
    },
    /// The line has the number of the pinned head, but is another one.
    HeadMismatch {
        /// Its number.
        seq: u64,
    },
    /// From this line on the log goes on beyond the pinned head, for more than the one batch whose pin a
    /// crash can have cost: the store is older than the log, or lines were appended by another.
    HeadBehind {
        /// Of the pinned head.
        pinned_seq: u64,
    },
    /// The checkpoint in the line is not to be believed.
    BadCheckpoint(CheckpointError),
    /// The checkpoint in the line was signed for other lines than those from `from_seq` to `to_seq`.
    RootMismatch {
        /// The first that may be another.
        from_seq: u64,
        /// The last that was signed for.
        to_seq: u64,
    },
    /// The segment begins with another Merkle frontier than the lines before it make.
    FrontierMismatch,
    /// The log is not the one of the checkpoint that was kept elsewhere, or was changed since.
    NotExtended {
        /// How many lines the checkpoint is about.
        size: u64,
    },
    /// The log has fewer lines than the checkpoint that was kept elsewhere is about.
    ShorterThanCheckpoint {
        /// How many lines the checkpoint is about.
        size: u64,
        /// Of the last line that is there, or 0.
        last_seq: u64,
    },
    /// The lines that the checkpoint is about are not here, so nothing can be said about them.
    CheckpointNotCovered {
        /// How many lines the checkpoint is about.
        size: u64,
        /// Of the first line that is there.
        first_seq: u64,
    },
}

impl FindingKind {
    /// Its name for programs, which stays the same from release to release.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLong { .. } => "too_long",
            Self::Torn { .. } => "torn",
            Self::Unreadable { .. } => "unreadable",
            Self::Changed => "changed",
            Self::MacChanged => "mac_changed",
            Self::Inserted => "inserted",
            Self::Duplicated { .. } => "duplicated",
            Self::Reordered { .. } => "reordered",
            Self::Removed { .. } => "removed",
            Self::BrokenLink { .. } => "broken_link",
            Self::ForeignNode { .. } => "foreign_node",
            Self::Rekeyed => "rekeyed",
            Self::NoSegmentLine => "no_segment_line",
            Self::SegmentLineInside => "segment_line_inside",
            Self::PinnedElsewhere { .. } => "pinned_elsewhere",
            Self::PreviousSegment { .. } => "previous_segment",
            Self::ForeignInstallation => "foreign_installation",
            Self::TailCut { .. } => "tail_cut",
            Self::HeadMismatch { .. } => "head_mismatch",
            Self::HeadBehind { .. } => "head_behind",
            Self::BadCheckpoint(_) => "bad_checkpoint",
            Self::RootMismatch { .. } => "root_mismatch",
            Self::FrontierMismatch => "frontier_mismatch",
            Self::NotExtended { .. } => "not_extended",
            Self::ShorterThanCheckpoint { .. } => "shorter_than_checkpoint",
            Self::CheckpointNotCovered { .. } => "checkpoint_not_covered",
        }
    }

    /// Whether a finding of this kind in the next line is the same finding.
    fn continues(&self, earlier: &Self) -> bool {
        match (earlier, self) {
            (Self::Duplicated { .. }, Self::Duplicated { .. })
            | (Self::Reordered { .. }, Self::Reordered { .. }) => true,
            (Self::Malformed(_) | Self::ForeignNode { .. }, _) => earlier == self,
            _ => false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, lines, kind } = self;
        match lines {
            0 | 1 => write!(f, "{file}:{line}: {kind}"),
            _ => write!(f, "{file}:{line}: {kind} (and {} more lines)", lines - 1),
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(Malformation::NotJson) => f.write_str("not JSON"),
            Self::Malformed(Malformation::WrongForm) => f.write_str("JSON, but not in the form of a line"),
            Self::TooLong { bytes } => write!(f, "a line of {bytes} bytes is longer than any line of a log"),
            Self::Torn { bytes } => write!(f, "the file ends within a line, after {bytes} bytes of it"),
            Self::Unreadable { reason } => write!(f, "the compressed file cannot be read on: {reason}"),
            Self::Changed => f.write_str("changed after it was written"),
            Self::MacChanged => f.write_str("its `mac` was changed after it was written"),
            Self::Inserted => f.write_str("inserted: no journal wrote it"),
            Self::Duplicated { seq } => write!(f, "seq {seq} stands here once more"),
            Self::Reordered { seq } => write!(f, "seq {seq} was moved here from further up"),
            Self::Removed { first_seq, count: 1 } => write!(f, "seq {first_seq} is missing before it"),
            Self::Removed { first_seq, count } => {
                write!(f, "{count} lines from seq {first_seq} on are missing before it")
            }
            Self::BrokenLink { seq } => write!(f, "seq {seq} is not chained to the line before it"),
            Self::ForeignNode { node } => write!(f, "a line of the log of node {node}"),
            Self::Rekeyed => f.write_str("the whole segment was written under another secret"),
            Self::NoSegmentLine => f.write_str("the file does not begin with the first line of a segment"),
            Self::SegmentLineInside => f.write_str("a segment begins here, within another one's file"),
            Self::PinnedElsewhere { segment } => write!(f, "the pinned line belongs into {segment}"),
            Self::PreviousSegment { stated } => {
                write!(f, "the segment follows {stated}, which is not the file before it")
            }
            Self::ForeignInstallation => f.write_str("the log of another installation begins here"),
            Self::TailCut { last_seq, pinned_seq } => {
                write!(f, "cut off: the log ends with seq {last_seq}, the pinned head is seq {pinned_seq}")
            }
            Self::HeadMismatch { seq } => write!(f, "seq {seq} is not the line that was pinned"),
            Self::HeadBehind { pinned_seq } => {
                write!(f, "the log goes on beyond the pinned head, seq {pinned_seq}: the store is older")
            }
            Self::BadCheckpoint(error) => write!(f, "{error}"),
            Self::RootMismatch { from_seq, to_seq } => {
                write!(f, "signed for other lines: one of seq {from_seq} to {to_seq} was changed")
            }
            Self::FrontierMismatch => f.write_str("the segment continues another tree of lines"),
            Self::NotExtended { size } => {
                write!(f, "the first {size} lines are not those that the checkpoint was signed for")
            }
            Self::ShorterThanCheckpoint { size, last_seq } => {
                write!(f, "the log ends with seq {last_seq}, but the checkpoint is about {size} lines")
            }
            Self::CheckpointNotCovered { size, first_seq } => write!(
                f,
                "the log here begins with seq {first_seq}, and says nothing about the {size} lines of the checkpoint"
            ),
        }
    }
}

/// A bounded list of findings.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) told: Vec<Finding>,
    pub(crate) more: u64,
}

impl Findings {
    /// Adds a finding, or a line to the one before it.
    pub(crate) fn add(&mut self, file: &str, line: u64, lines: u64, kind: FindingKind) {
        if let Some(last) = self.told.last_mut()
            && last.file == file
            && last.line + last.lines == line
            && kind.continues(&last.kind)
        {
            last.lines += lines;
            return;
        }
        if self.told.len() == MAX_FINDINGS {
            self.more += 1;
            return;
        }
        self.told.push(Finding { file: file.to_owned(), line, lines, kind });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [&str; 2] =
        [include_str!("../../../../docs/audit.md"), include_str!("../../../../docs/formats/audit-log.md")];

    /// Goes through all kinds, one after the other; a new one does not compile without its place here.
    fn after(kind: &FindingKind) -> Option<FindingKind> {
        Some(match kind {
            FindingKind::Malformed(_) => FindingKind::TooLong { bytes: 0 },
            FindingKind::TooLong { .. } => FindingKind::Torn { bytes: 0 },
            FindingKind::Torn { .. } => FindingKind::Unreadable { reason: String::new() },
            FindingKind::Unreadable { .. } => FindingKind::Changed,
            FindingKind::Changed => FindingKind::MacChanged,
            FindingKind::MacChanged => FindingKind::Inserted,
            FindingKind::Inserted => FindingKind::Duplicated { seq: 0 },
            FindingKind::Duplicated { .. } => FindingKind::Reordered { seq: 0 },
            FindingKind::Reordered { .. } => FindingKind::Removed { first_seq: 0, count: 0 },
            FindingKind::Removed { .. } => FindingKind::BrokenLink { seq: 0 },
            FindingKind::BrokenLink { .. } => FindingKind::ForeignNode { node: String::new() },
            FindingKind::ForeignNode { .. } => FindingKind::Rekeyed,
            FindingKind::Rekeyed => FindingKind::NoSegmentLine,
            FindingKind::NoSegmentLine => FindingKind::SegmentLineInside,
            FindingKind::SegmentLineInside => FindingKind::PinnedElsewhere { segment: String::new() },
            FindingKind::PinnedElsewhere { .. } => FindingKind::PreviousSegment { stated: String::new() },
            FindingKind::PreviousSegment { .. } => FindingKind::ForeignInstallation,
            FindingKind::ForeignInstallation => FindingKind::TailCut { last_seq: 0, pinned_seq: 0 },
            FindingKind::TailCut { .. } => FindingKind::HeadMismatch { seq: 0 },
            FindingKind::HeadMismatch { .. } => FindingKind::HeadBehind { pinned_seq: 0 },
            FindingKind::HeadBehind { .. } => FindingKind::BadCheckpoint(CheckpointError::Malformed),
            FindingKind::BadCheckpoint(_) => FindingKind::RootMismatch { from_seq: 0, to_seq: 0 },
            FindingKind::RootMismatch { .. } => FindingKind::FrontierMismatch,
            FindingKind::FrontierMismatch => FindingKind::NotExtended { size: 0 },
            FindingKind::NotExtended { .. } => FindingKind::ShorterThanCheckpoint { size: 0, last_seq: 0 },
            FindingKind::ShorterThanCheckpoint { .. } => {
                FindingKind::CheckpointNotCovered { size: 0, first_seq: 0 }
            }
            FindingKind::CheckpointNotCovered { .. } => return None,
        })
    }

    /// Every name is on both pages once, and there are no others.
    #[test]
    fn the_pages_list_the_names_of_all_kinds() {
        let first = FindingKind::Malformed(Malformation::NotJson);
        let mut names: Vec<&str> =
            std::iter::successors(Some(first), after).map(|kind| kind.name()).collect();
        names.sort_unstable();
        for page in PAGES {
            let table = page.split_once("\n| found | when |\n").expect("a table of kinds").1;
            let table = table.split("\n\n").next().unwrap_or_default();
            let mut listed: Vec<&str> = table
                .lines()
                .filter_map(|row| row.split('|').nth(1))
                .flat_map(|cell| cell.split('`').skip(1).step_by(2))
                .collect();
            listed.sort_unstable();
            assert_eq!(listed, names);
        }
    }
}
