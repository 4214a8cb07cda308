//! What is found again after a crash: the pinned end, and beyond it at most one batch whose pin was lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::{MAX_BATCH, MAX_OWN_LINES, OpenError, Recovered};
use crate::crypto::{Secret, same};
use crate::files::{self, FileError, refused};
use crate::head::{End, Head};
use crate::hex;
use crate::line::{MAX_LINE_LENGTH, mac_of};
use crate::names::{CHECKPOINT_EVENT, Node};
use crate::reader::{Item, LineReader};
use crate::scan::{Fields, Header};
use crate::segment::{self, SegmentFile, SegmentName};

/// The log as it was found.
pub(super) struct Found {
    pub(super) head: Head,
    pub(super) file: Option<File>,
    pub(super) recovered: Recovered,
}

/// Finds the end of the log. Only what can be the torn end of an append is cut off, and only once
/// everything else was found sound.
pub(super) fn recover(directory: &Path, secret: &Secret, pinned: Head) -> Result<Found, OpenError> {
    let newest = pinned.segment.as_ref().map(|end| end.segment.clone());
    let mut beyond = segment::list(directory)?;
    beyond.retain(|file| newest.as_ref().is_none_or(|newest| file.name > *newest));
    if let (None, Some(first)) = (&newest, beyond.first()) {
        check_owner(directory, first, pinned.node())?;
    }
    if let [_, further, ..] = beyond.as_slice() {
        return Err(OpenError::HeadBehind { segment: further.name.clone() });
    }

    let mut replay = Replay { secret, head: pinned, recovered: Recovered::default(), lines: 0 };
    let mut file = None;
    let mut cut = None;
    if let Some(end) = replay.head.segment.clone() {
        let mut opened = open_pinned(directory, &end)?;
        check_pinned_line(&mut opened, &end, secret, &replay.head)?;
        cut = replay.run(&mut opened, &end.segment, end.length)?;
        file = Some(opened);
    }
    if let Some(next) = beyond.pop() {
        if let Some(torn_at) = cut {
            // A segment is whole on the disk before the next one is begun.
            let segment = newest.unwrap_or(next.name);
            return Err(OpenError::Unsound { segment, offset: torn_at });
        }
        return replay_new_segment(directory, replay, file, &next);
    }
    finish(directory, replay, file, cut)
}

/// A log that is there before a node has written anything may be that of another one. What its first line says is
/// believed without proof, as it is refused either way.
fn check_owner(directory: &Path, first: &SegmentFile, node: &Node) -> Result<(), OpenError> {
    let mut lines = LineReader::new(first.open(MAX_LINE_LENGTH as u64, &Arc::default())?);
    let Ok(Some(Item::Line(line))) = lines.next() else { return Ok(()) };
    let stated = Header::parse(line).and_then(|header| str::from_utf8(header.node).ok());
    match stated.and_then(|stated| Node::new(stated).ok()) {
        Some(found) if found != *node => {
            Err(OpenError::AnotherNode { directory: directory.to_owned(), found, node: node.clone() })
        }
        _ => Ok(()),
    }
}

fn replay_new_segment(
    directory: &Path,
    mut replay: Replay<'_>,
    file_before: Option<File>,
    next: &SegmentFile,
) -> Result<Found, OpenError> {
    let mut opened = open(&next.path)?;
    let end_before = replay.head.segment.replace(End { segment: next.name.clone(), length: 0 });
    let cut = replay.run(&mut opened, &next.name, 0)?;
    if replay.head.segment.as_ref().is_some_and(|end| end.length > 0) {
        return finish(directory, replay, Some(opened), cut);
    }
    // Begun, but without its first line: it is begun again when it is due.
    replay.recovered.cut_bytes += next.size;
    replay.head.segment = end_before;
    files::remove_if_there(&next.path)?;
    files::sync_directory(directory)?;
    finish(directory, replay, file_before, None)
}

/// Cuts off what is torn and makes the rest durable, which it may not have been before the crash.
fn finish(
    directory: &Path,
    mut replay: Replay<'_>,
    file: Option<File>,
    cut: Option<u64>,
) -> Result<Found, OpenError> {
    if let Some(file) = &file {
        if let Some(sound_length) = cut {
            let length = file.metadata().map_err(refused("read", directory))?.len();
            replay.recovered.cut_bytes += length.saturating_sub(sound_length);
            file.set_len(sound_length).map_err(refused("cut the torn end of the audit log in", directory))?;
        }
        file.sync_all().map_err(refused("sync the audit log in", directory))?;
        files::sync_directory(directory)?;
    }
    Ok(Found { head: replay.head, file, recovered: replay.recovered })
}

fn open_pinned(directory: &Path, end: &End) -> Result<File, OpenError> {
    let path = directory.join(end.segment.as_str());
    if !fs::exists(&path).map_err(refused("read", &path))? {
        return Err(OpenError::SegmentGone { segment: end.segment.clone() });
    }
    let file = open(&path)?;
    let found = file.metadata().map_err(refused("read", &path))?.len();
    if found < end.length {
        return Err(OpenError::TailCut { segment: end.segment.clone(), found, pinned: end.length });
    }
    Ok(file)
}

fn open(path: &Path) -> Result<File, FileError> {
    OpenOptions::new().read(true).append(true).open(path).map_err(refused("open", path))
}

/// The line that ends where the pinned head says must be the pinned one.
fn check_pinned_line(file: &mut File, end: &End, secret: &Secret, pinned: &Head) -> Result<(), OpenError> {
    let from = end.length.saturating_sub(MAX_LINE_LENGTH as u64);
    let mut tail = Vec::new();
    let read = file
        .seek(SeekFrom::Start(from))
        .and_then(|_| Read::by_ref(file).take(end.length - from).read_to_end(&mut tail));
    read.map_err(refused("read", Path::new(end.segment.as_str())))?;
    let line = tail.strip_suffix(b"\n").map(|text| {
        let begins = memchr::memrchr(b'\n', text).map_or(0, |before| before + 1);
        text.get(begins..).unwrap_or_default()
    });
    let sound = line.and_then(Header::parse).is_some_and(|header| {
        let mac = mac_of(secret, header.before_mac);
        header.seq == pinned.seq && same(&mac, &pinned.mac) && *header.mac == hex::encode(&mac)
    });
    if sound {
        Ok(())
    } else {
        Err(OpenError::NotPinned { segment: end.segment.clone(), offset: end.length })
    }
}

/// Follows the chain beyond the pinned head.
struct Replay<'a> {
    secret: &'a Secret,
    head: Head,
    recovered: Recovered,
    lines: usize,
}

impl Replay<'_> {
    /// Follows the lines from an offset on. `Some` tells where a torn end begins.
    fn run(&mut self, file: &mut File, segment: &SegmentName, from: u64) -> Result<Option<u64>, OpenError> {
        let io_error = |error| OpenError::File(refused("read", Path::new(segment.as_str()))(error));
        file.seek(SeekFrom::Start(from)).map_err(io_error)?;
        let mut lines = LineReader::new(&mut *file);
        let mut sound_to = from;
        let torn = loop {
            match lines.next().map_err(io_error)? {
                None => return Ok(None),
                Some(Item::Torn(_)) => break true,
                Some(Item::TooLong(_)) => break false,
                Some(Item::Line(line)) if self.follow(line) => sound_to += line.len() as u64 + 1,
                Some(Item::Line(_)) => break false,
            }
            if self.lines > MAX_BATCH + MAX_OWN_LINES || self.recovered.event_ids.len() > MAX_BATCH {
                return Err(OpenError::HeadBehind { segment: segment.clone() });
            }
        };
        // After a power failure, parts of an append that was never synced may be on the disk and others
        // be read as zeros. No line contains one.
        if torn || has_hole(file, sound_to).map_err(io_error)? {
            return Ok(Some(sound_to));
        }
        Err(OpenError::Unsound { segment: segment.clone(), offset: sound_to })
    }

    /// Whether the line is the one after the head; if so it is the new head.
    fn follow(&mut self, line: &[u8]) -> bool {
        let Ok(fields) = Fields::parse(line) else { return false };
        let header = fields.header;
        let mac = mac_of(self.secret, header.before_mac);
        let follows = header.node == self.head.node.as_str().as_bytes()
            && header.seq == self.head.seq + 1
            && *header.prev_mac == hex::encode(&self.head.mac)
            && hex::decode(header.mac).is_some_and(|claimed| same(&claimed, &mac));
        if !follows {
            return false;
        }
        self.head.seq = header.seq;
        self.head.mac = mac;
        self.head.tree.push(line);
        if header.event == CHECKPOINT_EVENT.as_bytes() {
            self.head.checkpoint = header.seq;
        }
        if let Some(end) = &mut self.head.segment {
            end.length += line.len() as u64 + 1;
        }
        self.recovered.event_ids.extend(fields.event_id());
        self.lines += 1;
        true
    }
}

/// Whether there is a zero byte from an offset on.
fn has_hole(file: &mut File, from: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = [0; 16 * 1_024];
    loop {
        let count = file.read(&mut buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        if count == 0 || memchr::memchr(0, read).is_some() {
            return Ok(count > 0);
        }
    }
}
