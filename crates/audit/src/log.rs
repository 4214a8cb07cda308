//! A log as it lies on the disk.

use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::head::End;
use crate::segment::{self, SegmentFile};

/// The log in a directory, as long as it was when it was opened; what is appended later is not looked
/// at. It opens without a secret, and nothing that is done with it changes a file.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
    end: Option<End>,
}

impl Log {
    /// Opens a directory, or a single segment (plain or compressed).
    ///
    /// Where a journal is appending meanwhile, this comes *before* the pinned head is read from the store:
    /// what lies beyond that head is then at most one batch.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let end = segment::list(path)?.pop().map(|last| End {
            segment: last.name,
            length: if last.compressed { u64::MAX } else { last.size },
        });
        Ok(Self { path: path.to_owned(), end })
    }

    /// The segments that were there then, or that a head pinned since then knows of, each with the
    /// number of bytes that count.
    pub(crate) fn segments(&self, pinned: Option<&End>) -> Result<Vec<(SegmentFile, u64)>, FileError> {
        let Some(end) = self.end.as_ref().max(pinned) else { return Ok(Vec::new()) };
        let listed = segment::list(&self.path)?;
        let counted = listed.into_iter().filter(|segment| segment.name <= end.segment);
        Ok(counted
            .map(|segment| {
                let limit = if segment.name == end.segment { end.length } else { u64::MAX };
                (segment, limit)
            })
            .collect())
    }
}
