//! What commands that look at an installation have in common: it is opened for one of them, closed
//! whatever comes of that, and what they say is told as text or as JSON.

use chancery_cli::{runtime, tell};
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::Args;
use serde_json::Value;

use super::{ConfigArgs, office};
use crate::config::{self, Config};
use crate::licensing::change::Office;

#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a command has to say, in both forms.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) json: Value,
}

/// The installation, opened for one command, and the time at which that was given.
pub(super) struct Visit {
    pub(super) config: Config,
    pub(super) office: Office,
    pub(super) now: Timestamp,
}

impl ConfigArgs {
    /// Opens the installation for `act`, and closes it whatever comes of that.
    pub(super) fn visit<T>(&self, act: impl AsyncFnOnce(&Visit) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let config = config::load(&self.config)?;
        runtime()?.block_on(async {
            let office = office::open(&config).await?;
            let visit = Visit { config, office, now: SystemClock.now() };
            let acted = act(&visit).await;
            visit.office.db.close().await;
            acted
        })
    }
}

impl CommonArgs {
    /// Opens the installation for `act`, and prints what that has to say.
    pub(super) fn visit(&self, act: impl AsyncFnOnce(&Visit) -> anyhow::Result<Told>) -> anyhow::Result<()> {
        self.config.visit(act)?.print(self.json)
    }
}

impl Told {
    /// Prints one of the forms.
    pub(super) fn print(self, as_json: bool) -> anyhow::Result<()> {
        Ok(tell(as_json, &self.json, &self.text)?)
    }
}
