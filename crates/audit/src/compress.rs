//! Closed segments made small.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::files::{self, FileError, refused};
use crate::segment::{self, SegmentFile, SegmentName};

/// At this level the log of issued certificates shrank to 15 %, and the simpler lines of the example `throughput` to
/// 10 %; the authenticators, which no level makes small, are most of what is left.
const LEVEL: i32 = 3;

/// Why a segment was not compressed. The plain file is still there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was written does not decompress to what was read.
    #[error("{0} did not come back from its compressed form and was left as it is: check the disk")]
    NotTheSame(SegmentName),
}

/// Compresses all segments of a directory but the newest, each to `audit.….jsonl.zst`, and returns those
/// that were. The plain file is removed once the compressed one is durable and was read back.
///
/// The caller sees to it that the newest segment is the pinned one: a segment that a pinned head names is
/// not closed.
///
/// # Errors
/// [`CompressError`]; segments before the failing one are compressed.
pub fn compress_closed(directory: &Path) -> Result<Vec<SegmentName>, CompressError> {
    let mut closed = segment::list(directory)?;
    closed.pop();
    closed.retain(|segment| !segment.compressed);
    for segment in &closed {
        compress(directory, segment)?;
    }
    Ok(closed.into_iter().map(|segment| segment.name).collect())
}

fn compress(directory: &Path, segment: &SegmentFile) -> Result<(), CompressError> {
    let target = directory.join(segment.name.compressed());
    let temporary = files::beside(&target);
    files::remove_if_there(&temporary)?;
    let written = write(segment, &temporary).map_err(refused("compress", &segment.path))?;
    written.sync_all().map_err(refused("sync", &temporary))?;
    if !is_the_same(segment, &temporary).map_err(refused("read back", &temporary))? {
        files::remove_if_there(&temporary)?;
        return Err(CompressError::NotTheSame(segment.name.clone()));
    }
    files::put_in_place(&temporary, &target)?;
    files::remove_if_there(&segment.path)?;
    Ok(files::sync_directory(directory)?)
}

fn write(segment: &SegmentFile, temporary: &Path) -> io::Result<File> {
    let mut plain = File::open(&segment.path)?;
    let target = files::create(temporary).map_err(|error| error.source)?;
    let mut encoder = zstd::Encoder::new(target, LEVEL)?;
    encoder.include_checksum(true)?;
    io::copy(&mut plain, &mut encoder)?;
    encoder.finish()
}

fn is_the_same(segment: &SegmentFile, temporary: &Path) -> io::Result<bool> {
    let mut plain = BufReader::new(File::open(&segment.path)?);
    let mut back = zstd::Decoder::new(File::open(temporary)?)?;
    let (mut expected, mut found) = (vec![0; 64 * 1_024], vec![0; 64 * 1_024]);
    loop {
        let count = back.read(&mut found)?;
        if count == 0 {
            return Ok(plain.read(&mut expected)? == 0);
        }
        let (Some(expected), Some(found)) = (expected.get_mut(..count), found.get(..count)) else {
            return Ok(false);
        };
        match plain.read_exact(expected) {
            Ok(()) if expected == found => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
