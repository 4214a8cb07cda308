//! Segments: the files of a log, in the order of their names.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chancery_time::Timestamp;

use crate::files::{FileError, refused};
use crate::line::with_millis;

const PREFIX: &str = "audit.";
const SUFFIX: &str = ".jsonl";
const COMPRESSED_SUFFIX: &str = ".zst";
/// `20260614T132300125Z`
const INSTANT_LENGTH: usize = 19;
/// Compressed segments ask for no more memory than 2 to that power, in bytes (8 MiB).
const MAX_WINDOW_LOG: u32 = 23;

/// The name of a segment: `audit.20260614T132300125Z.jsonl`. Later segments have greater names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName(String);

/// A text that is no [`SegmentName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a segment, such as audit.20260614T132300125Z.jsonl")]
pub struct SegmentNameError;

/// Where a segment lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentFile {
    pub(crate) name: SegmentName,
    pub(crate) path: PathBuf,
    pub(crate) compressed: bool,
    /// On disk, in bytes.
    pub(crate) size: u64,
}

impl SegmentName {
    /// The name of a segment begun at that time, after another one: when the clock went back, or stood
    /// still, a millisecond after that one's.
    pub(crate) fn begun(now: Timestamp, after: Option<&Self>) -> Self {
        let begun = match after.map(Self::time) {
            Some(before) if before >= now => Timestamp::from_unix_millis(before.unix_millis() + 1),
            _ => now,
        };
        let instant: String = with_millis(begun).chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
        Self(format!("{PREFIX}{instant}{SUFFIX}"))
    }

    /// When it was begun.
    pub(crate) fn time(&self) -> Timestamp {
        // The name was checked when it was made.
        instant_of(&self.0).unwrap_or(Timestamp::MIN)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that it has once compressed.
    pub(crate) fn compressed(&self) -> String {
        format!("{}{COMPRESSED_SUFFIX}", self.0)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SegmentName {
    type Err = SegmentNameError;

    fn from_str(text: &str) -> Result<Self, SegmentNameError> {
        instant_of(text).map(|_| Self(text.to_owned())).ok_or(SegmentNameError)
    }
}

fn instant_of(name: &str) -> Option<Timestamp> {
    let instant = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let all_digits = instant.bytes().enumerate().all(|(at, byte)| match at {
        8 => byte == b'T',
        18 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    if instant.len() != INSTANT_LENGTH || !all_digits {
        return None;
    }
    let part = |from: usize, to: usize| instant.get(from..to);
    let spelled = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?,
        part(15, 18)?
    );
    spelled.parse().ok()
}

/// The segments of a directory in order, or the one segment that the path names. Other files are
/// passed over. Of a segment that is there both plain and compressed the plain file counts.
pub(crate) fn list(path: &Path) -> Result<Vec<SegmentFile>, FileError> {
    let about = fs::metadata(path).map_err(refused("read", path))?;
    if !about.is_dir() {
        return Ok(segment_at(path.to_owned(), about.len()).into_iter().collect());
    }
    let mut found: BTreeMap<SegmentName, SegmentFile> = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(refused("read", path))? {
        let entry = entry.map_err(refused("read", path))?;
        let about = match entry.metadata() {
            Ok(about) => about,
            // Compressed and removed a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(refused("read", &entry.path())(error)),
        };
        let Some(segment) = segment_at(entry.path(), about.len()).filter(|_| about.is_file()) else {
            continue;
        };
        if !segment.compressed || !found.contains_key(&segment.name) {
            found.insert(segment.name.clone(), segment);
        }
    }
    Ok(found.into_values().collect())
}

fn segment_at(path: PathBuf, size: u64) -> Option<SegmentFile> {
    let file_name = path.file_name()?.to_str()?;
    let plain = file_name.strip_suffix(COMPRESSED_SUFFIX);
    let name = plain.unwrap_or(file_name).parse().ok()?;
    let compressed = plain.is_some();
    Some(SegmentFile { name, path, compressed, size })
}

impl SegmentFile {
    /// The file's name as it is on disk.
    pub(crate) fn file_name(&self) -> String {
        if self.compressed { self.name.compressed() } else { self.name.to_string() }
    }

    /// The first `limit` bytes of its lines, decompressed where needed; `bytes_read` counts what was read
    /// from the disk.
    pub(crate) fn open(&self, limit: u64, bytes_read: &Arc<AtomicU64>) -> Result<Box<dyn Read>, FileError> {
        self.open_at(0, limit, bytes_read)
    }

    /// The same without the bytes before an offset, which only of a compressed segment have to be read.
    pub(crate) fn open_at(
        &self,
        offset: u64,
        limit: u64,
        bytes_read: &Arc<AtomicU64>,
    ) -> Result<Box<dyn Read>, FileError> {
        let (file, compressed) = match File::open(&self.path) {
            // Compressed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.compressed => {
                let compressed = self.path.with_file_name(self.name.compressed());
                (File::open(compressed).map_err(refused("open", &self.path))?, true)
            }
            opened => (opened.map_err(refused("open", &self.path))?, self.compressed),
        };
        let mut counted = Counted { file, bytes_read: Arc::clone(bytes_read) };
        if !compressed {
            counted.file.seek(SeekFrom::Start(offset)).map_err(refused("read", &self.path))?;
            return Ok(Box::new(counted.take(limit.saturating_sub(offset))));
        }
        let mut decoder = zstd::Decoder::new(counted).map_err(refused("decompress", &self.path))?;
        decoder.window_log_max(MAX_WINDOW_LOG).map_err(refused("decompress", &self.path))?;
        let mut lines = decoder.take(limit);
        io::copy(&mut Read::by_ref(&mut lines).take(offset), &mut io::sink())
            .map_err(refused("read", &self.path))?;
        Ok(Box::new(lines))
    }
}

struct Counted {
    file: File,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_time_and_never_go_back() {
        let noon = Timestamp::from_unix_millis(1_781_443_380_125);
        let first = SegmentName::begun(noon, None);
        assert_eq!(first.as_str(), "audit.20260614T132300125Z.jsonl");
        assert_eq!(first.time(), noon);
        assert_eq!(first.as_str().parse(), Ok(first.clone()));
        let earlier = Timestamp::from_unix_seconds(1_781_443_000);
        let second = SegmentName::begun(earlier, Some(&first));
        assert_eq!(second.as_str(), "audit.20260614T132300126Z.jsonl");
        assert!(second > first);
    }

    #[test]
    fn what_stands_before_an_offset_is_not_read_from_a_plain_segment() {
        let directory = tempfile::tempdir().unwrap();
        let text = "x".repeat(1_000_000) + "end";
        let name = "audit.20260614T132300125Z.jsonl";
        fs::write(directory.path().join(name), &text).unwrap();
        let read = |offset, limit| {
            let segment = list(directory.path()).unwrap().pop().unwrap();
            let (bytes_read, mut found) = (Arc::new(AtomicU64::new(0)), String::new());
            segment.open_at(offset, limit, &bytes_read).unwrap().read_to_string(&mut found).unwrap();
            (found, bytes_read.load(Ordering::Relaxed))
        };
        assert_eq!(read(1_000_000, u64::MAX), ("end".to_owned(), 3));
        assert_eq!(read(1_000_000, 1_000_001), ("e".to_owned(), 1));
        assert_eq!(read(1_000_001, 1_000_000), (String::new(), 0));
        assert_eq!(read(2_000_000, u64::MAX), (String::new(), 0));

        let compressed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        fs::remove_file(directory.path().join(name)).unwrap();
        fs::write(directory.path().join(format!("{name}.zst")), compressed).unwrap();
        assert_eq!(read(1_000_000, u64::MAX).0, "end");
        assert_eq!(read(1_000_000, 1_000_001).0, "e");
        assert_eq!(read(2_000_000, u64::MAX).0, "");
    }

    #[test]
    fn other_names_are_none_of_ours() {
        for bad in [
            "",
            "audit.jsonl",
            "audit.20260614T132300Z.jsonl",
            "audit.20261314T132300125Z.jsonl",
            "audit.20260614T132300125Z.jsonl.zst",
            "audit.20260614T132300125Z.jsonl.tmp",
            "audit.2026061éT1323001Z.jsonl",
            "xaudit.20260614T132300125Z.jsonl",
        ] {
            assert!(bad.parse::<SegmentName>().is_err(), "{bad}");
        }
    }
}
