//! `query`.

mod format;

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chancery_audit::{Log, Position, QueryError, Record};
use chancery_cli::{print_error, runtime};
use clap::Args;

use self::format::Format;
use super::{Conditions, LogArgs, Program};

/// How often a log that is followed is looked at; the server writes it as often.
const INTERVAL: Duration = Duration::from_millis(250);

/// What `query` is told.
#[derive(Debug, Args)]
pub struct QueryArgs<P: Program> {
    #[command(flatten)]
    conditions: P::Conditions,
    /// Only the last N of them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Then print new ones as they are written, until interrupted. (-f names the configuration.)
    #[arg(long)]
    follow: bool,
    /// Print each line of the log as it stands: JSON Lines.
    #[arg(long)]
    json: bool,
    /// Print CSV (RFC 4180), with a line of names first. A text that a spreadsheet would take for a formula has ' in
    /// front of it.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    log: LogArgs<P>,
}

pub(super) fn run<P: Program>(args: &QueryArgs<P>) -> anyhow::Result<ExitCode> {
    let path = args.log.path()?;
    let format = match (args.json, args.csv) {
        (true, _) => Format::Json,
        (_, true) => Format::Csv,
        _ => Format::Table,
    };
    match print(args, &path, format) {
        // Nobody reads on, as with `| head`.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        printed => printed,
    }
}

fn print<P: Program>(args: &QueryArgs<P>, path: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut query = Query { conditions: &args.conditions, path, format, position: None, passed_over: 0 };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let log = Log::open(path)
        .context("no log can be read there; a server that runs writes one, and --log names another place")?;
    out.write_all(format.header().as_bytes())?;
    let printed = query.print_from_here(&log, &mut out, args.limit)?;
    if printed == 0 {
        hint_at_names::<P>(&args.conditions)?;
    }
    if args.follow {
        runtime()?.block_on(query.follow(&mut out))?;
    }
    Ok(if query.passed_over == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A query, and how far it has come.
struct Query<'a, C> {
    conditions: &'a C,
    path: &'a Path,
    format: Format,
    position: Option<Position>,
    /// Lines that are none of a log.
    passed_over: u64,
}

impl<C: Conditions> Query<'_, C> {
    /// Prints what was written since it last looked, or the last `limit` of it; tells how many that were.
    fn print_from_here(
        &mut self,
        log: &Log,
        out: &mut impl io::Write,
        limit: Option<u32>,
    ) -> anyhow::Result<u64> {
        let mut records = log.records(&self.conditions.filter(), self.position.as_ref())?;
        let limit = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let (mut last, mut printed) = (VecDeque::new(), 0);
        for record in records.by_ref() {
            let record = match record {
                Ok(record) => record,
                Err(malformed @ QueryError::Malformed { .. }) => {
                    self.passed_over += 1;
                    print_error(&malformed.to_string())?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if !self.conditions.admit(&record) {
                continue;
            }
            let Some(limit) = limit else {
                self.write(out, &record)?;
                printed += 1;
                continue;
            };
            if last.len() == limit {
                last.pop_front();
            }
            last.push_back(record);
        }
        for record in &last {
            self.write(out, record)?;
            printed += 1;
        }
        self.position = records.position().cloned();
        out.flush()?;
        Ok(printed)
    }

    /// Prints what is written from now on, without an end.
    async fn follow(&mut self, out: &mut impl io::Write) -> anyhow::Result<()> {
        let mut seen = BTreeMap::new();
        loop {
            // To look at a compressed segment costs as much as what is in it, so first ask whether anything came.
            let lengths = lengths(self.path)?;
            if seen != lengths {
                self.print_from_here(&Log::open(self.path)?, out, None)?;
                seen = lengths;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn write(&self, out: &mut impl io::Write, record: &Record) -> io::Result<()> {
        out.write_all(self.format.line(record).as_bytes())
    }
}

/// The files of a directory with their lengths in bytes, or those of the one file.
fn lengths(path: &Path) -> io::Result<BTreeMap<OsString, u64>> {
    if path.is_file() {
        return Ok(BTreeMap::from([(path.into(), path.metadata()?.len())]));
    }
    let mut lengths = BTreeMap::new();
    for entry in path.read_dir()? {
        let entry = entry?;
        match entry.metadata() {
            Ok(about) => drop(lengths.insert(entry.file_name(), about.len())),
            // Compressed and removed a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(lengths)
}

/// Who finds nothing may have looked for what never happens.
fn hint_at_names<P: Program>(conditions: &P::Conditions) -> io::Result<()> {
    let Some(name) = &conditions.common().event else { return Ok(()) };
    let known = P::EVENTS.iter().map(|kind| kind.name).chain(["audit.segment", "audit.checkpoint"]);
    let prefix = name.strip_suffix('*').unwrap_or(name);
    let is_known = |known: &str| known == name || (prefix.ends_with('.') && known.starts_with(prefix));
    if known.into_iter().any(is_known) {
        return Ok(());
    }
    print_error(&format!(
        "no event is named {name:?} in this version; {} lists them all, and PREFIX.* stands for all that begin so",
        P::EVENTS_PAGE
    ))
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}
