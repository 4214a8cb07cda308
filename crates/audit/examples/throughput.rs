//! Measures a log of that many megabytes: `cargo run --release -p chancery-audit --example throughput -- 1000`.
//!
//! It writes the log into a temporary directory (under `TMPDIR`), then verifies it with the secret, with secret and
//! public key, with the public key alone, and compressed. Besides the rates it tells the rate at which the
//! cryptographic library makes the same authenticators one after the other with nothing around it, by which to
//! compare machines, and the most memory that the process ever held.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use chancery_audit::{
    Event, EventName, Head, Journal, Log, Node, Options, Report, Secret, Signer, Verification,
    compress_closed,
};
use chancery_time::Timestamp;

const SECRET: [u8; 32] = [7; 32];
const BATCH: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: u64 = std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let (node, secret) = (Node::new("ca1")?, Secret::new(&SECRET));
    let signer = Signer::new("example.com/audit", &node, &[9; 32])?;
    let key = signer.verifier_key().clone();
    let genesis = Head::genesis(&secret, "installation", &node);

    let started = Started::now();
    let (mut journal, _) =
        Journal::open(directory.path(), secret.clone(), signer, Options::default(), genesis)?;
    let mut bytes = 0;
    while bytes < megabytes * 1_000_000 {
        let events = events(journal.head().seq())?;
        let before = journal.head().segment().map_or(0, |(_, length)| length);
        journal.append(&events, Timestamp::MIN + Duration::from_secs(bytes / 1_000_000))?;
        let after = journal.head().segment().map_or(0, |(_, length)| length);
        bytes += if after > before { after - before } else { after };
    }
    let head = journal.head().clone();
    let mut out = io::stdout().lock();
    let lines = head.seq();
    writeln!(out, "{lines} lines of {} bytes on average", bytes / lines)?;
    let line_rate = lines as f64 / started.wall.elapsed().as_secs_f64();
    writeln!(out, "append, batches of {BATCH}, synced: {} = {line_rate:.0} lines/s", rate(bytes, &started))?;

    let length = usize::try_from(bytes / lines)?;
    writeln!(out, "HMAC alone, same lengths, in memory: {}", hmac_alone(length))?;
    let log = Log::open(directory.path())?;
    let secret = Verification { secret: Some(&secret), head: Some(&head), ..Verification::default() };
    writeln!(out, "verify with the secret: {}", verified(&log, &secret)?)?;
    let both = Verification { key: Some(&key), ..secret };
    writeln!(out, "verify with the secret and the public key: {}", verified(&log, &both)?)?;
    let public = Verification { key: Some(&key), ..Verification::default() };
    writeln!(out, "verify with the public key: {}", verified(&log, &public)?)?;

    let started = Started::now();
    let compressed = compress_closed(directory.path())?.len();
    let kept: u64 = fs::read_dir(directory.path())?
        .flatten()
        .flat_map(|entry| entry.metadata())
        .map(|file| file.len())
        .sum();
    writeln!(out, "compress {compressed} segments, to {} MB: {}", kept / 1_000_000, rate(bytes, &started))?;
    writeln!(
        out,
        "verify with the secret, compressed: {}",
        verified(&Log::open(directory.path())?, &secret)?
    )?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    writeln!(out, "most memory held: {}", peak.trim_start_matches("VmHWM:").trim())?;
    Ok(())
}

/// Events of the size that issuing a certificate makes.
fn events(from: u64) -> Result<Vec<Event>, Box<dyn Error>> {
    let mut events = Vec::new();
    for id in from..from + BATCH {
        let mut event = Event::new(
            id,
            Timestamp::from_unix_millis(1_781_443_380_125),
            EventName::new("certificate.issue")?,
        );
        event.account_id = Some("acct-Zr3kq7JhV1mTgYp0aXbN2w".to_owned());
        event.source_ip = Some([192, 0, 2, 17].into());
        event.user_agent = Some("CertbotACMEClient/2.11.0 (certbot; Debian 12)".to_owned());
        event.details.insert("names".to_owned(), vec![format!("host-{id}.plant.example")].into());
        event.details.insert("serial".to_owned(), format!("{:032x}", u128::from(id) << 64).into());
        events.push(event);
    }
    Ok(events)
}

fn verified(log: &Log, against: &Verification<'_>) -> Result<String, Box<dyn Error>> {
    let started = Started::now();
    let report: Report = log.verify(against, |_| {})?;
    if let Some(finding) = report.findings.first() {
        return Err(finding.to_string().into());
    }
    Ok(rate(report.bytes, &started))
}

fn hmac_alone(length: usize) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &SECRET);
    let line = vec![b'x'; length];
    let started = Started::now();
    let count = 200_000_000 / length;
    for _ in 0..count {
        std::hint::black_box(hmac::sign(&key, std::hint::black_box(&line)));
    }
    rate((count * length) as u64, &started)
}

/// By the clock, and by the time that this thread had on a core, which other programs do not shorten.
fn rate(bytes: u64, started: &Started) -> String {
    let (seconds, on_core) = (started.wall.elapsed().as_secs_f64(), on_core() - started.on_core);
    let megabytes = bytes as f64 / 1e6;
    format!("{:.0} MB/s ({seconds:.2} s), {:.0} MB/s of core time", megabytes / seconds, megabytes / on_core)
}

struct Started {
    wall: Instant,
    on_core: f64,
}

impl Started {
    fn now() -> Self {
        Self { wall: Instant::now(), on_core: on_core() }
    }
}

/// Seconds that the scheduler gave to this process, whose only thread this is; zero where Linux's
/// `/proc` is missing.
fn on_core() -> f64 {
    let schedstat = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = schedstat.split(' ').next().and_then(|field| field.parse::<u64>().ok());
    nanoseconds.unwrap_or_default() as f64 / 1e9
}
