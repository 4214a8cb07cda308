//! A program of which the tests need no more than that there is one.

use std::path::PathBuf;

use chancery_audit::Record;
use clap::Args;

use super::{Conditions, EventArgs, Program, Site};
use crate::Kind;

/// A program without an installation.
#[derive(Debug, Args)]
pub(super) struct Anything;

/// Nothing but what every program has.
#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    common: EventArgs,
}

impl Program for Anything {
    const COMMAND: &'static str = "anything log";
    const EVENTS: &'static [Kind] = &[];
    const EVENTS_PAGE: &'static str = "docs/anything.md";

    type Conditions = Common;

    fn visit<T>(&self, _: impl AsyncFnOnce(&Site) -> anyhow::Result<T>) -> anyhow::Result<T> {
        anyhow::bail!("it has no installation")
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        anyhow::bail!("it has no log")
    }
}

impl Conditions for Common {
    fn common(&self) -> &EventArgs {
        &self.common
    }

    fn admit(&self, _: &Record) -> bool {
        true
    }
}
