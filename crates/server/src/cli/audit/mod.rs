//! `chancery audit`.
//!
//! Each command is a file of its own. What [`verify`] and [`query`] need of a log are its files; what the
//! store knows of it beyond those comes from a [`Site`].

mod beyond;
mod checkpoint;
mod export;
mod kept;
mod list_nodes;
mod progress;
mod query;
mod report;
mod segments;
mod show;
mod site;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::site::Site;
use super::{ConfigArgs, output};
use crate::audit::directory;
use crate::config;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Tell whether the log is as it was written; exit code 0 if it is, 1 if not.
    ///
    /// With a configuration, every line is held against the secret and the end of the log that the store has
    /// pinned: nothing was removed, changed, inserted, moved or cut off. The server may run meanwhile.
    ///
    /// With --public and --key alone, a copy of the log is held against the signatures in it, with no
    /// configuration, no database and no secret. That vouches for the lines up to the last checkpoint.
    Verify(verify::VerifyArgs),
    /// Search the log. Oldest first; without conditions, all of it.
    ///
    /// It reads the files alone and verifies nothing.
    Query(query::QueryArgs),
    /// Print a signed statement about the whole log so far, to be kept elsewhere.
    ///
    /// Keep what it prints where nobody who can change this machine can change it too: `chancery audit verify
    /// --checkpoint FILE` then proves that today's log extends it.
    Checkpoint(checkpoint::CheckpointArgs),
    /// List the nodes that have a log, and where each one ends.
    ListNodes(list_nodes::ListNodesArgs),
    /// Copy what an auditor needs into a new directory: whole segments, a checkpoint and the public key.
    ///
    /// Segments are copied as they are, since only whole ones can be verified: those from the first that holds an
    /// event of the wanted time to the last, and the newest up to its pinned end.
    Export(export::ExportArgs),
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it.
pub(super) fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Verify(args) => verify::run(args),
        AuditCommand::Query(args) => query::run(&args),
        AuditCommand::Checkpoint(args) => checkpoint::run(&args),
        AuditCommand::ListNodes(args) => list_nodes::run(&args),
        AuditCommand::Export(args) => export::run(&args),
    }
}

/// Which files to read.
#[derive(Debug, Args)]
struct LogArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Read the log in this directory, or this one segment, instead of the log of this node.
    #[arg(long, value_name = "PATH")]
    log: Option<PathBuf>,
}

impl LogArgs {
    /// Where the log is. The configuration is read only where it is needed to tell.
    fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.log {
            Some(path) => Ok(path.clone()),
            None => Ok(directory(&config::load(&self.config.config)?.server.workdir)),
        }
    }
}
