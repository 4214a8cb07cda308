//! The commands about a program's log, as its command line has them: verify it, search it, hand it to an auditor.
//!
//! Each command is a file of its own. What `verify` and `query` need of a log are its files; what the
//! store knows of it beyond those comes from a [`Site`]. Each program says by [`Program`] where those are.

mod beyond;
mod checkpoint;
mod condition;
mod export;
mod kept;
mod list_nodes;
mod progress;
mod query;
mod report;
mod show;
mod site;
#[cfg(test)]
mod testing;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

pub use self::condition::{Conditions, EventArgs};
pub use self::site::Site;
use crate::Kind;

/// A program that keeps a log; the value is what its command line says about where that is.
pub trait Program: Args + std::fmt::Debug {
    /// How its operator begins these commands, such as `chancery audit`.
    const COMMAND: &'static str;
    /// Every event that its log may hold.
    const EVENTS: &'static [Kind];
    /// The page of the documentation that lists them.
    const EVENTS_PAGE: &'static str;

    /// What its operator may search for.
    type Conditions: Conditions;

    /// Opens the installation for `act`, and closes it whatever comes of that.
    ///
    /// # Errors
    /// Those of `act`, and what keeps the installation from being opened.
    fn visit<T>(&self, act: impl AsyncFnOnce(&Site) -> anyhow::Result<T>) -> anyhow::Result<T>;

    /// Where the log of this node is.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    fn directory(&self) -> anyhow::Result<PathBuf>;
}

/// A command about the log.
#[derive(Debug, Subcommand)]
pub enum LogCommand<P: Program> {
    /// Tell whether the log is as it was written; exit code 0 if it is, 1 if not.
    ///
    /// With a configuration, every line is held against the secret and the end of the log that the store has
    /// pinned: nothing was removed, changed, inserted, moved or cut off. The server may run meanwhile.
    ///
    /// With --public and --key alone, a copy of the log is held against the signatures in it, with no
    /// configuration, no database and no secret. That vouches for the lines up to the last checkpoint.
    Verify(verify::VerifyArgs<P>),
    /// Search the log. Oldest first; without conditions, all of it.
    ///
    /// It reads the files alone and verifies nothing.
    Query(query::QueryArgs<P>),
    /// Print a signed statement about the whole log so far, to be kept elsewhere.
    ///
    /// Keep what it prints where nobody who can change this machine can change it too: `verify --checkpoint FILE`
    /// then proves that today's log extends it.
    Checkpoint(checkpoint::CheckpointArgs<P>),
    /// List the nodes that have a log, and where each one ends.
    ListNodes(list_nodes::ListNodesArgs<P>),
    /// Copy what an auditor needs into a new directory: whole segments, a checkpoint and the public key.
    ///
    /// Segments are copied as they are, since only whole ones can be verified: those from the first that holds an
    /// event of the wanted time to the last, and the newest up to its pinned end.
    Export(export::ExportArgs<P>),
}

impl<P: Program> LogCommand<P> {
    /// Runs the command.
    ///
    /// # Errors
    /// What was wrong and what to do about it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(args) => verify::run(args),
            Self::Query(args) => query::run(&args),
            Self::Checkpoint(args) => checkpoint::run(&args),
            Self::ListNodes(args) => list_nodes::run(&args),
            Self::Export(args) => export::run(&args),
        }
    }
}

/// Which files to read.
#[derive(Debug, Args)]
struct LogArgs<P: Program> {
    #[command(flatten)]
    program: P,
    /// Read the log in this directory, or this one segment, instead of the log of this node.
    #[arg(long, value_name = "PATH")]
    log: Option<PathBuf>,
}

impl<P: Program> LogArgs<P> {
    /// Where the log is. The configuration is read only where it is needed to tell.
    fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.log {
            Some(path) => Ok(path.clone()),
            None => self.program.directory(),
        }
    }
}
