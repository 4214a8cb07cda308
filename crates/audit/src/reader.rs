//! Lines of a segment, one by one, from a buffer of fixed size.

use std::io::{self, Read};

use crate::line::MAX_LINE_LENGTH;

/// Large enough that reading costs nothing beside hashing.
const BUFFER_LENGTH: usize = 1_024 * 1_024;

/// Splits what it reads into lines.
pub(crate) struct LineReader<R> {
    from: R,
    buffer: Box<[u8]>,
    /// What was read and not yet handed out.
    start: usize,
    end: usize,
    at_end: bool,
}

/// What stands between two line feeds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A line without its line feed.
    Line(&'a [u8]),
    /// A line of that many bytes with its line feed, which is more than any line has.
    TooLong(u64),
    /// The last bytes, without a line feed.
    Torn(u64),
}

/// What a search for the next line feed found.
enum Found {
    /// A line in these bounds of the buffer.
    Line(usize, usize),
    TooLong(u64),
    Torn(u64),
    Nothing,
}

impl<R: Read> LineReader<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, buffer: vec![0; BUFFER_LENGTH].into(), start: 0, end: 0, at_end: false }
    }

    /// The lines that [`LineReader::next`] hands out next without reading on, at most so many, and none where an
    /// overlong one comes first.
    pub(crate) fn ahead(&self, limit: usize) -> Vec<&[u8]> {
        let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
        let mut from = 0;
        memchr::memchr_iter(b'\n', unread)
            .take(limit)
            .map_while(|to| {
                let line = unread.get(from..to).filter(|line| line.len() < MAX_LINE_LENGTH);
                from = to + 1;
                line
            })
            .collect()
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Item<'_>>> {
        Ok(match self.find()? {
            Found::Line(from, to) => Some(Item::Line(self.buffer.get(from..to).unwrap_or_default())),
            Found::TooLong(length) => Some(Item::TooLong(length)),
            Found::Torn(length) => Some(Item::Torn(length)),
            Found::Nothing => None,
        })
    }

    fn find(&mut self) -> io::Result<Found> {
        // Bytes of an overlong line that were let go.
        let mut passed = 0u64;
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            if let Some(length) = memchr::memchr(b'\n', unread) {
                let from = self.start;
                self.start += length + 1;
                let whole = passed + length as u64 + 1;
                let fits = whole <= MAX_LINE_LENGTH as u64;
                return Ok(if fits { Found::Line(from, from + length) } else { Found::TooLong(whole) });
            }
            let length = unread.len();
            if self.at_end {
                self.start = self.end;
                let torn = passed + length as u64;
                return Ok(if torn == 0 { Found::Nothing } else { Found::Torn(torn) });
            }
            if passed > 0 || length > MAX_LINE_LENGTH {
                passed += length as u64;
                self.start = self.end;
            }
            self.fill()?;
        }
    }

    /// Moves what is left to the front and reads on.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match self.from.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(());
                }
                Ok(count) => {
                    self.end += count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out few bytes at a time, as a pipe might.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            (&mut self.0).take(count as u64).read(buffer)
        }
    }

    fn items(text: &[u8], step: usize) -> Vec<String> {
        let mut reader = LineReader::new(Dribble(text, step));
        let mut items = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            items.push(match item {
                Item::Line(line) => format!("line {}", line.len()),
                other => format!("{other:?}"),
            });
        }
        items
    }

    #[test]
    fn lines_seen_ahead_are_those_handed_out_next() {
        let overlong = "y".repeat(MAX_LINE_LENGTH);
        let text = format!("a\n\nbc\n{overlong}\nd\n{}\ne\ntorn", "x".repeat(MAX_LINE_LENGTH - 1));
        for (step, limit) in [(7, 10), (100_000, 10), (100_000, 2), (10_000_000, 10), (10_000_000, 1)] {
            let mut reader = LineReader::new(Dribble(text.as_bytes(), step));
            let mut foreseen = 0;
            loop {
                let ahead: Vec<Vec<u8>> = reader.ahead(limit).into_iter().map(<[u8]>::to_vec).collect();
                assert!(ahead.len() <= limit);
                for line in &ahead {
                    assert_eq!(reader.next().unwrap(), Some(Item::Line(line)));
                }
                foreseen += ahead.len();
                if ahead.is_empty() && reader.next().unwrap().is_none() {
                    break;
                }
            }
            if step == 10_000_000 {
                assert_eq!(foreseen, 5, "all but the first, which is read first, and the overlong one");
            }
        }
    }

    #[test]
    fn lines_are_split_whatever_the_reads() {
        let longest = "x".repeat(MAX_LINE_LENGTH - 1);
        let text = format!("ab\n\n{longest}\n{longest}y\n{}\nz\ntorn", "w".repeat(3_000_000));
        let expected =
            ["line 2", "line 0", "line 65535", "TooLong(65537)", "TooLong(3000001)", "line 1", "Torn(4)"];
        for step in [1_000, 65_536, 10_000_000] {
            assert_eq!(items(text.as_bytes(), step), expected, "{step}");
        }
        assert_eq!(items(b"", 1), Vec::<String>::new());
        assert_eq!(items(b"a\n", 1), ["line 1"]);
        assert_eq!(items(&vec![b'x'; 2_000_000], 999), ["Torn(2000000)"]);
    }
}
