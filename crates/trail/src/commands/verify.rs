//! `verify`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use chancery_audit::{
    Checkpoint, FileError, Finding, FindingKind, Head, Log, Node, Report, Verification, VerifierKey,
};
use chancery_cli::print;
use clap::Args;

use super::progress::Bar;
use super::report::{Basis, Verdict};
use super::{Program, beyond, kept};

/// What `verify` is told.
#[derive(Debug, Args)]
pub struct VerifyArgs<P: Program> {
    /// Prove that the log extends this checkpoint, which was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Check the signatures of the checkpoints in the log as well, which takes up to four times as long.
    #[arg(long)]
    signatures: bool,
    /// Verify the log of another node of this installation, of which --log names a copy.
    #[arg(long, value_name = "NODE", value_parser = Node::new)]
    node: Option<Node>,
    /// Verify the log in this directory instead of the one in the working directory.
    #[arg(long, value_name = "DIR")]
    log: Option<PathBuf>,
    /// Verify a copied log (a directory, or one segment) by the signatures in it alone.
    #[arg(long, value_name = "PATH", requires = "key", conflicts_with_all = ["signatures", "node", "log"])]
    public: Option<PathBuf>,
    /// The public key that goes with --public: as `checkpoint --key` prints it, or a file that holds
    /// it. Take it from where you kept it, not from beside the log.
    #[arg(long, value_name = "KEY|FILE", requires = "public")]
    key: Option<String>,
    #[command(flatten)]
    program: P,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run<P: Program>(args: VerifyArgs<P>) -> anyhow::Result<ExitCode> {
    let json = args.json;
    let verdict = match (&args.public, &args.key) {
        (Some(path), Some(key)) => {
            by_signatures::<P>(path, &kept::key::<P>(key)?, args.checkpoint.as_deref())?
        }
        _ => by_the_store(args)?,
    };
    print(&if json { verdict.json().to_string() } else { verdict.text() })?;
    Ok(if verdict.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the signatures in a copy prove, and a checkpoint that was kept.
fn by_signatures<P: Program>(
    path: &Path,
    key: &VerifierKey,
    checkpoint: Option<&Path>,
) -> anyhow::Result<Verdict> {
    let kept = checkpoint.map(|file| kept::checkpoint::<P>(file, key)).transpose()?;
    let against = Verification { key: Some(key), checkpoint: kept.as_ref(), ..Verification::default() };
    let report = verify(&Log::open(path)?, &against)?;
    ensure!(report.segments > 0, "there is no segment (audit.….jsonl) of an audit log at {}", path.display());
    Ok(Verdict { report, subject: key.name().to_owned(), extends: size(kept), basis: Basis::Signatures })
}

/// What the store proves, and a checkpoint that was kept.
fn by_the_store<P: Program>(args: VerifyArgs<P>) -> anyhow::Result<Verdict> {
    args.program.visit(async |site| {
        let path = args.log.as_deref().unwrap_or(&site.directory);
        // Before the pinned end is read, so that no more than one batch can lie beyond it.
        let log = open(path)?;
        let node = args.node.as_ref().unwrap_or(&site.node);
        let pinned = site.pinned(node).await?;
        let head = &pinned.head;
        ensure!(
            args.node.is_none() || head.seq() > 0,
            "the store knows of no log of a node {node}; `{} list-nodes` lists those that it knows",
            P::COMMAND
        );
        let signer = site.keys.signer(node)?;
        let key = signer.verifier_key();
        let kept = args.checkpoint.as_deref().map(|file| kept::checkpoint::<P>(file, key)).transpose()?;
        let waiting: HashSet<u64> = pinned.waiting.keys().copied().collect();
        let (secret, genesis) = (site.keys.secret(), site.keys.genesis(node));
        let against = Verification {
            secret: Some(&secret),
            head: Some(head),
            outbox: Some(&waiting),
            genesis: Some(&genesis),
            key: args.signatures.then_some(key),
            checkpoint: kept.as_ref(),
        };
        let mut report = match log {
            Some(log) => verify(&log, &against)?,
            None => gone(path, head, kept.as_ref()),
        };
        if report.is_sound() && !report.in_flight.is_empty() {
            let last_seq = report.last_seq.unwrap_or_default();
            report.findings.extend(beyond::foreign(path, &pinned, last_seq)?);
        }
        let waiting = waiting.len().saturating_sub(report.in_flight.len());
        let subject = format!("node {node}");
        Ok(Verdict { report, subject, extends: size(kept), basis: Basis::Store { waiting } })
    })
}

fn size(kept: Option<Checkpoint>) -> Option<u64> {
    kept.map(|kept| kept.size())
}

fn verify(log: &Log, against: &Verification<'_>) -> Result<Report, FileError> {
    let mut bar = Bar::default();
    let report = log.verify(against, |progress| bar.show(progress));
    bar.end();
    report
}

/// `None` where there is not even a directory.
fn open(path: &Path) -> Result<Option<Log>, FileError> {
    match Log::open(path) {
        Ok(log) => Ok(Some(log)),
        Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What there is to say of a log whose directory is not there.
fn gone(path: &Path, head: &Head, kept: Option<&Checkpoint>) -> Report {
    let finding = |kind| Finding { file: path.display().to_string(), line: 1, lines: 1, kind };
    let pinned_seq = head.seq();
    let cut = (pinned_seq > 0).then_some(FindingKind::TailCut { last_seq: 0, pinned_seq });
    let kept = kept.map(Checkpoint::size).filter(|size| *size > 0);
    let shorter = kept.map(|size| FindingKind::ShorterThanCheckpoint { size, last_seq: 0 });
    Report { findings: cut.into_iter().chain(shorter).map(finding).collect(), ..Report::default() }
}
