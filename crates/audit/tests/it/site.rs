//! A node with its directory, its store's pin and everything that a test asks of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_audit::{
    Appended, Event, EventName, Head, Journal, Log, Node, OpenError, Options, Recovered, Report, Secret,
    Signer, Verification, VerifierKey,
};
use chancery_time::Timestamp;
use tempfile::TempDir;

pub(crate) const SECRET: [u8; 32] = [0x5a; 32];
pub(crate) const SEED: [u8; 32] = [0x11; 32];
pub(crate) const INSTALLATION: &str = "CHY1-TEST-INSTALLATION";

pub(crate) struct Site {
    pub(crate) directory: TempDir,
    pub(crate) node: Node,
    pub(crate) secret: [u8; 32],
    pub(crate) options: Options,
    pub(crate) pinned: Head,
    pub(crate) now: Timestamp,
    pub(crate) next_id: u64,
}

impl Site {
    /// Segments of some eight lines, a checkpoint every five.
    pub(crate) fn new(node: &str) -> Self {
        let options = Options {
            max_segment_bytes: 3_000,
            max_segment_age: Duration::from_hours(24),
            checkpoint_every: 5,
        };
        Self::with(node, SECRET, options)
    }

    pub(crate) fn with(node: &str, secret: [u8; 32], options: Options) -> Self {
        let node = Node::new(node).unwrap();
        Self {
            directory: TempDir::new().unwrap(),
            pinned: Head::genesis(&Secret::new(&secret), INSTALLATION, &node),
            node,
            secret,
            options,
            now: Timestamp::from_unix_millis(1_781_443_380_125),
            next_id: 1,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret::new(&self.secret)
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::new("example.com/audit", &self.node, &SEED).unwrap()
    }

    pub(crate) fn key(&self) -> VerifierKey {
        self.signer().verifier_key().clone()
    }

    pub(crate) fn genesis(&self) -> Head {
        Head::genesis(&self.secret(), INSTALLATION, &self.node)
    }

    pub(crate) fn try_open(&self) -> Result<(Journal, Recovered), OpenError> {
        Journal::open(self.path(), self.secret(), self.signer(), self.options, self.pinned.clone())
    }

    pub(crate) fn open(&self) -> Journal {
        let (journal, recovered) = self.try_open().unwrap();
        assert_eq!(recovered, Recovered::default());
        journal
    }

    pub(crate) fn event(&mut self) -> Event {
        let name = EventName::new("certificate.issue").unwrap();
        let mut event = Event::new(self.next_id, self.now, name);
        event.account_id = Some(format!("account-{}", self.next_id % 3));
        event.details.insert("name".to_owned(), format!("host-{}.example", self.next_id).into());
        self.next_id += 1;
        self.now = self.now + Duration::from_millis(10);
        event
    }

    pub(crate) fn events(&mut self, count: usize) -> Vec<Event> {
        (0..count).map(|_| self.event()).collect()
    }

    /// Appends batches of two, a second apart, and pins the last.
    pub(crate) fn append(&mut self, events: usize) -> Vec<Appended> {
        let mut journal = self.open();
        let mut appended = Vec::new();
        for from in (0..events).step_by(2) {
            let batch = self.events(2.min(events - from));
            self.now = self.now + Duration::from_secs(1);
            appended.push(journal.append(&batch, self.now).unwrap());
        }
        self.pinned = journal.head().clone();
        appended
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_against(self.pinned.clone())
    }

    pub(crate) fn verify_against(&self, head: Head) -> Report {
        let (secret, genesis) = (self.secret(), self.genesis());
        let against = Verification {
            secret: Some(&secret),
            head: Some(&head),
            genesis: Some(&genesis),
            ..Verification::default()
        };
        Log::open(self.path()).unwrap().verify(&against, |_| {}).unwrap()
    }

    /// With the public key alone.
    pub(crate) fn verify_public(&self) -> Report {
        let key = self.key();
        let against = Verification { key: Some(&key), ..Verification::default() };
        Log::open(self.path()).unwrap().verify(&against, |_| {}).unwrap()
    }

    /// The plain segments, in order.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> =
            fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        found.sort();
        found
    }

    pub(crate) fn lines(&self, segment: usize) -> Vec<String> {
        let text = fs::read_to_string(&self.segments()[segment]).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }

    pub(crate) fn write_lines(&self, segment: usize, lines: &[String]) {
        fs::write(&self.segments()[segment], lines.concat()).unwrap();
    }

    pub(crate) fn file_name(&self, segment: usize) -> String {
        self.segments()[segment].file_name().unwrap().to_str().unwrap().to_owned()
    }
}

/// `file:line: kind` of each finding, files by their number.
pub(crate) fn told(site: &Site, report: &Report) -> Vec<String> {
    let names: Vec<_> = (0..site.segments().len()).map(|number| site.file_name(number)).collect();
    let told = report.findings.iter().map(|finding| {
        let file = names.iter().position(|name| *name == finding.file);
        let file = file.map_or_else(|| finding.file.clone(), |number| format!("segment {number}"));
        let lines = if finding.lines == 1 { String::new() } else { format!(" x{}", finding.lines) };
        format!("{file}:{}: {:?}{lines}", finding.line, finding.kind)
    });
    told.collect()
}
