//! `chancery-portal log`: the commands are `chancery-trail`'s; what is the portal's own of them is here.

use std::path::PathBuf;

use chancery_audit::{Filter, Record};
use chancery_trail::commands::{Conditions, EventArgs, Program, Site};
use chancery_trail::{Kind, directory};
use clap::Args;

use super::desk::ConfigArgs;
use crate::events;

/// A command about the log of this portal.
pub(super) type LogCommand = chancery_trail::commands::LogCommand<ConfigArgs>;

/// The conditions of the command line; a line has to meet each that is given.
#[derive(Debug, Args)]
pub(super) struct ConditionArgs {
    #[command(flatten)]
    common: EventArgs,
    /// The id of the licence that it is about.
    #[arg(long, value_name = "ID")]
    license: Option<String>,
    /// The installation that it is about: INST-….
    #[arg(long, value_name = "KEY")]
    installation: Option<String>,
}

impl Program for ConfigArgs {
    const COMMAND: &'static str = "chancery-portal log";
    const EVENTS: &'static [Kind] = events::ALL;
    const EVENTS_PAGE: &'static str = "docs/portal-events.md";

    type Conditions = ConditionArgs;

    fn visit<T>(&self, act: impl AsyncFnOnce(&Site) -> anyhow::Result<T>) -> anyhow::Result<T> {
        chancery_cli::runtime()?.block_on(async {
            let desk = self.open().await?;
            let (db, node) = (desk.office.db.clone(), desk.office.trail.node());
            let acted = match Site::new(db, desk.log_keys.clone(), node, &desk.config.server.workdir) {
                Ok(site) => act(&site).await,
                Err(error) => Err(error.into()),
            };
            desk.office.db.close().await;
            acted
        })
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        Ok(directory(&self.load()?.server.workdir))
    }
}

impl Conditions for ConditionArgs {
    fn common(&self) -> &EventArgs {
        &self.common
    }

    fn filter(&self) -> Filter {
        let named = [("license", &self.license), ("installation", &self.installation)];
        let details = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        Filter { details: details.collect(), ..self.common.filter() }
    }

    fn admit(&self, _: &Record) -> bool {
        true
    }
}
