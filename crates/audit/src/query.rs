//! Lines as records, sifted.

use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use chancery_time::Timestamp;
use serde_json::{Map, Value};

use crate::event::Decision;
use crate::files::{FileError, refused};
use crate::line::{EVENT_ID, with_millis};
use crate::log::Log;
use crate::reader::{Item, LineReader};
use crate::scan::{Fields, Malformation};
use crate::segment::{SegmentFile, SegmentName};

/// Which lines are wanted: those that meet every condition that is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The event's name; one that ends in `.` or `.*` stands for all that begin so.
    pub event: Option<String>,
    /// The account it is about.
    pub account_id: Option<String>,
    /// Whether it was allowed.
    pub decision: Option<Decision>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// Members of the details, each with its value: a text, a number or a truth value as JSON writes it, or
    /// one of these in a list.
    pub details: Vec<(String, String)>,
}

/// A line, taken apart. It was not verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When it happened.
    pub ts: Timestamp,
    /// On which node.
    pub node: String,
    /// The line's number.
    pub seq: u64,
    /// What happened.
    pub event: String,
    /// The account it is about.
    pub account_id: Option<String>,
    /// Where the request came from.
    pub source_ip: Option<IpAddr>,
    /// How the client called itself.
    pub user_agent: Option<String>,
    /// Who did it.
    pub actor: Option<String>,
    /// Whether it was allowed.
    pub decision: Option<Decision>,
    /// Why.
    pub reason: Option<String>,
    /// Everything else, without `event_id`.
    pub details: Map<String, Value>,
    /// [`Event::id`](crate::Event::id); the journal's own lines have none.
    pub event_id: Option<u64>,
    /// The line as it stands, without its line feed.
    pub line: String,
}

/// A place between two lines, to go on from later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    segment: SegmentName,
    /// In bytes of the plain segment.
    offset: u64,
    /// Lines before it.
    line: u64,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A file cannot be read. There are no further records.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line is none of a log; it is passed over.
    #[error("{file}:{line}: not a line of an audit log; run `audit verify`")]
    Malformed {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: u64,
    },
}

/// The records of a log, in its order.
pub struct Records {
    filter: Compiled,
    /// Last first.
    segments: Vec<(SegmentFile, u64)>,
    current: Option<(SegmentFile, LineReader<Box<dyn Read>>)>,
    position: Option<Position>,
}

impl Log {
    /// The lines that a filter lets through, from the beginning or from a place that
    /// [`Records::position`] told. To follow a log, open it again and go on from there.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn records(&self, filter: &Filter, from: Option<&Position>) -> Result<Records, FileError> {
        let mut segments = self.segments(None)?;
        segments.retain(|(segment, _)| from.is_none_or(|from| segment.name >= from.segment));
        segments.reverse();
        let filter = Compiled::new(filter);
        Ok(Records { filter, segments, current: None, position: from.cloned() })
    }
}

impl Records {
    /// The place after the last line that was looked at; `None` before the first.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn open_next(&mut self) -> Result<bool, FileError> {
        let Some((segment, limit)) = self.segments.pop() else { return Ok(false) };
        let offset = match &self.position {
            Some(position) if position.segment == segment.name => position.offset,
            _ => {
                self.position = Some(Position { segment: segment.name.clone(), offset: 0, line: 0 });
                0
            }
        };
        let from = segment.open_at(offset, limit, &Arc::new(AtomicU64::new(0)))?;
        self.current = Some((segment, LineReader::new(from)));
        Ok(true)
    }

    /// Looks at one line. `None` when it is not wanted.
    fn step(&mut self) -> Result<Step, QueryError> {
        let Some((segment, lines)) = &mut self.current else {
            return Ok(if self.open_next()? { Step::Passed } else { Step::End });
        };
        let item = lines.next().map_err(refused("read", &segment.path))?;
        let (length, line) = match item {
            Some(Item::Line(line)) => (line.len() as u64 + 1, line),
            Some(Item::TooLong(length)) => (length, &b""[..]),
            // An append under way is looked at the next time.
            Some(Item::Torn(_)) | None => {
                self.current = None;
                return Ok(Step::Passed);
            }
        };
        let mut number = 0;
        if let Some(position) = &mut self.position {
            position.offset += length;
            position.line += 1;
            number = position.line;
        }
        let malformed = || QueryError::Malformed { file: segment.file_name(), line: number };
        let fields = Fields::parse(line).map_err(|_| malformed())?;
        if !self.filter.may_want(&fields) {
            return Ok(Step::Passed);
        }
        let record = Record::new(line, &fields).ok_or_else(malformed)?;
        Ok(if self.filter.wants(&record) { Step::Record(Box::new(record)) } else { Step::Passed })
    }
}

enum Step {
    Record(Box<Record>),
    Passed,
    End,
}

impl Iterator for Records {
    type Item = Result<Record, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.step() {
                Ok(Step::Record(record)) => return Some(Ok(*record)),
                Ok(Step::Passed) => {}
                Ok(Step::End) => return None,
                Err(error) => {
                    if matches!(error, QueryError::File(_)) {
                        self.segments.clear();
                        self.current = None;
                    }
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Record {
    /// Takes a line apart.
    ///
    /// # Errors
    /// When it is none of a log.
    pub fn parse(line: &[u8]) -> Result<Self, Malformation> {
        let fields = Fields::parse(line)?;
        Self::new(line, &fields).ok_or(Malformation::WrongForm)
    }

    /// `None` when a value is none of its kind, such as an instant that the calendar lacks.
    fn new(line: &[u8], fields: &Fields<'_>) -> Option<Self> {
        let header = &fields.header;
        let mut details: Map<String, Value> = match fields.details {
            Some(details) => serde_json::from_slice(details).ok()?,
            None => Map::new(),
        };
        let event_id = fields.event_id();
        if event_id.is_some() {
            details.remove(EVENT_ID);
        }
        let source_ip = match unescape(fields.source_ip)? {
            Some(address) => Some(address.parse().ok()?),
            None => None,
        };
        Some(Self {
            ts: str::from_utf8(header.ts).ok()?.parse().ok()?,
            node: String::from_utf8(header.node.to_vec()).ok()?,
            seq: header.seq,
            event: String::from_utf8(header.event.to_vec()).ok()?,
            account_id: unescape(fields.account_id)?,
            source_ip,
            user_agent: unescape(fields.user_agent)?,
            actor: unescape(fields.actor)?,
            decision: fields.decision.map(decision),
            reason: unescape(fields.reason)?,
            details,
            event_id,
            line: String::from_utf8(line.to_vec()).ok()?,
        })
    }
}

/// A text without its quotation marks and escapes: `Some(None)` when it is not there.
fn unescape(text: Option<&[u8]>) -> Option<Option<String>> {
    text.map(serde_json::from_slice).transpose().ok()
}

fn decision(word: &[u8]) -> Decision {
    if word == b"\"allow\"" { Decision::Allow } else { Decision::Deny }
}

/// A filter in the form in which it costs least.
struct Compiled {
    filter: Filter,
    event_prefix: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl Compiled {
    fn new(filter: &Filter) -> Self {
        let prefix = |name: &String| {
            let name = name.strip_suffix('*').unwrap_or(name);
            name.ends_with('.').then(|| name.to_owned())
        };
        Self {
            event_prefix: filter.event.as_ref().and_then(prefix),
            since: filter.since.map(with_millis),
            until: filter.until.map(with_millis),
            filter: filter.clone(),
        }
    }

    /// What can be said before the line is taken apart. Instants of one form are ordered as texts.
    fn may_want(&self, fields: &Fields<'_>) -> bool {
        let header = &fields.header;
        let event = match (&self.event_prefix, &self.filter.event) {
            (Some(prefix), _) => header.event.starts_with(prefix.as_bytes()),
            (None, Some(name)) => header.event == name.as_bytes(),
            (None, None) => true,
        };
        event
            && self.since.as_ref().is_none_or(|since| header.ts >= since.as_bytes())
            && self.until.as_ref().is_none_or(|until| header.ts < until.as_bytes())
            && self.filter.decision.is_none_or(|wanted| fields.decision.map(decision) == Some(wanted))
            && (self.filter.account_id.is_none() || fields.account_id.is_some())
            && (self.filter.details.is_empty() || fields.details.is_some())
    }

    fn wants(&self, record: &Record) -> bool {
        let account = self.filter.account_id.is_none() || self.filter.account_id == record.account_id;
        let mut details = self.filter.details.iter();
        account
            && details.all(|(name, wanted)| record.details.get(name).is_some_and(|value| is(value, wanted)))
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    match value {
        Value::String(text) => text == wanted,
        Value::Array(values) => values.iter().any(|value| !value.is_array() && is(value, wanted)),
        Value::Bool(truth) => wanted == if *truth { "true" } else { "false" },
        Value::Number(number) => {
            let text = number.to_string();
            text == wanted
        }
        Value::Null | Value::Object(_) => false,
    }
}
