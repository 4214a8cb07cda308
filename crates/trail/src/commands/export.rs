//! `export`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use chancery_audit::{Checkpoint, Filter, Head, Log, QueryError, Signer};
use chancery_cli::print;
use chancery_files::{self as files, Access};
use clap::Args;
use serde_json::json;

use super::Program;
use super::condition::TimeArgs;
use super::show::count;
use crate::segments::{self, COMPRESSED, Segment};

/// The file with the public key.
const KEY_FILE: &str = "verifier-key.txt";

/// What `export` is told.
#[derive(Debug, Args)]
pub struct ExportArgs<P: Program> {
    #[command(flatten)]
    time: TimeArgs,
    /// The directory to make; nothing is ever overwritten.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    program: P,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// What was written.
struct Exported {
    segments: Vec<String>,
    /// The file, and how many lines it is about; only with the newest segment, whose end it vouches for.
    checkpoint: Option<(String, u64)>,
}

pub(super) fn run<P: Program>(args: &ExportArgs<P>) -> anyhow::Result<ExitCode> {
    let (directory, head, signer) = args.program.visit(async |site| {
        let head = site.pinned(&site.node).await?.head;
        Ok((site.directory.clone(), head, site.keys.signer(&site.node)?))
    })?;
    let wanted = Filter { since: args.time.since, until: args.time.until, ..Filter::default() };
    let newest = head.segment().map(|(name, _)| name);
    let mut segments = segments::list(&directory)?;
    segments.retain(|segment| Some(&segment.name) <= newest);
    let segments = covering(segments, &wanted)?;
    ensure!(!segments.is_empty(), "the log has no event of that time, so nothing was exported");
    let exported = export(&segments, &head, &signer, &args.output)?;
    let told = if args.json { json(args, &exported) } else { text(args, &exported, &head) };
    print(&told)?;
    Ok(ExitCode::SUCCESS)
}

/// Those from the first to the last that hold a wanted line. An event may be written long after it
/// happened, so the names do not tell.
fn covering(mut segments: Vec<Segment>, wanted: &Filter) -> anyhow::Result<Vec<Segment>> {
    if wanted.since.is_none() && wanted.until.is_none() {
        return Ok(segments);
    }
    let mut first = None;
    let mut end = 0;
    for (index, segment) in segments.iter().enumerate() {
        if holds(segment, wanted)? {
            first = first.or(Some(index));
            end = index + 1;
        }
    }
    segments.truncate(end);
    Ok(segments.split_off(first.unwrap_or(end)))
}

fn holds(segment: &Segment, wanted: &Filter) -> anyhow::Result<bool> {
    for record in Log::open(&segment.path)?.records(wanted, None)? {
        match record {
            Ok(_) => return Ok(true),
            // Whoever verifies the copy is told of it.
            Err(QueryError::Malformed { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Writes the directory whole, or not at all.
fn export(segments: &[Segment], head: &Head, signer: &Signer, output: &Path) -> anyhow::Result<Exported> {
    let draft = Draft::begin(output)?;
    let mut exported = Exported { segments: Vec::new(), checkpoint: None };
    for segment in segments {
        let pinned = head.segment().filter(|(newest, _)| **newest == segment.name);
        let limit = pinned.map_or(u64::MAX, |(_, length)| length);
        exported.segments.push(copy(segment, limit, &draft.path)?);
        if pinned.is_some() {
            let checkpoint = Checkpoint::sign(signer, head)?;
            let file = checkpoint.write_to(&draft.path)?;
            let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            exported.checkpoint = Some((file, checkpoint.size()));
        }
    }
    let key = format!("{}\n", signer.verifier_key());
    files::create(&draft.path.join(KEY_FILE), key.as_bytes(), Access::Owner)?;
    draft.put_in_place(output)?;
    Ok(exported)
}

/// Copies the first `limit` bytes of a segment's file as they are; returns its name.
fn copy(segment: &Segment, limit: u64, directory: &Path) -> anyhow::Result<String> {
    let (from, path) = match File::open(&segment.path) {
        // Compressed a moment ago.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = segment.path.with_file_name(format!("{}{COMPRESSED}", segment.name));
            (File::open(&path), path)
        }
        opened => (opened, segment.path.clone()),
    };
    let failed = || format!("cannot copy {} to {}", path.display(), directory.display());
    let file_name = path.file_name().unwrap_or_default();
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(directory.join(file_name))
        .with_context(failed)?;
    io::copy(&mut from.with_context(failed)?.take(limit), &mut target).with_context(failed)?;
    target.sync_all().with_context(failed)?;
    Ok(file_name.to_string_lossy().into_owned())
}

/// A directory that is being filled; removed unless it is put in place.
struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Begins one beside the place where it shall be.
    fn begin(output: &Path) -> anyhow::Result<Self> {
        ensure!(
            !output.exists(),
            "{} exists already and is not overwritten; choose another place",
            output.display()
        );
        let name = output.file_name().with_context(|| format!("{} names no directory", output.display()))?;
        let name = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
        let draft = Self { path: output.with_file_name(name) };
        files::create_directory(&draft.path)?;
        Ok(draft)
    }

    fn put_in_place(self, output: &Path) -> anyhow::Result<()> {
        // Its files are durable; this makes their names so, and then the name of the directory.
        let sync = |directory: &Path| File::open(directory).and_then(|directory| directory.sync_all());
        let placed = sync(&self.path).and_then(|()| fs::rename(&self.path, output));
        placed.with_context(|| format!("cannot create {}", output.display()))?;
        let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync(parent.unwrap_or(Path::new("."))).with_context(|| format!("cannot sync {}", output.display()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Nothing is there once it was put in place; what else is left behind harms nobody.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn text<P: Program>(args: &ExportArgs<P>, exported: &Exported, head: &Head) -> String {
    let output = args.output.display();
    let segments = count(exported.segments.len() as u64, "segment");
    let about = match &exported.checkpoint {
        Some((_, size)) => format!("up to seq {size}, with a checkpoint over all of it"),
        None => format!("from before its newest one (the log goes on to seq {})", head.seq()),
    };
    let mut command = format!("{} verify --public {output} --key KEY", P::COMMAND);
    if let Some((file, _)) = &exported.checkpoint {
        command += &format!(" --checkpoint {output}/{file}");
    }
    format!(
        "{output}: {segments} of the log of node {}, {about}\n\
         An auditor verifies it with\n  {command}\n\
         where KEY is the public key as they know it from elsewhere; {KEY_FILE} is there to be compared with it.\n",
        head.node()
    )
}

fn json<P: Program>(args: &ExportArgs<P>, exported: &Exported) -> String {
    let (checkpoint, size) = exported.checkpoint.as_ref().map(|(file, size)| (file, size)).unzip();
    json!({
        "directory": args.output,
        "segments": exported.segments,
        "checkpoint": checkpoint,
        "size": size,
        "key": KEY_FILE,
    })
    .to_string()
}
