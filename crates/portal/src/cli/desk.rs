//! What commands with a store begin with.

use std::path::PathBuf;
use std::sync::Arc;

use chancery_db::Db;
use chancery_files as files;
use chancery_time::SystemClock;
use chancery_trail::{Keys, Trail};
use clap::Args;
use serde_json::Value;

use crate::config::{self, Config};
use crate::domain::Actor;
use crate::domain::webhook::Destinations;
use crate::id::IdKind;
use crate::service::log::Log;
use crate::service::{Office, Signers};
use crate::store::{self, settings};
use crate::vault::Vault;

/// Which portal a command is about.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// The configuration of the portal.
    #[arg(
        short = 'f',
        long = "config",
        value_name = "FILE",
        default_value = "portal.yaml",
        env = "CHANCERY_PORTAL_CONFIG"
    )]
    config: PathBuf,
}

/// The portal, opened for a command.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) office: Office,
    /// What the issuance log is written and verified with.
    pub(super) log_keys: Keys,
}

impl ConfigArgs {
    /// Reads the configuration alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        config::load(&self.config)
    }

    /// Reads the configuration and opens the store.
    ///
    /// # Errors
    /// What of it cannot be read or opened.
    pub(super) async fn open(&self) -> anyhow::Result<Desk> {
        let config = self.load()?;
        files::create_directory(&config.server.workdir)?;
        let vault = Arc::new(Vault::open(&config.server.workdir)?);
        let db = Db::open(&config.database, store::MIGRATIONS).await?;
        // Any name that no other portal has will do.
        let fresh = IdKind::Installation.fresh()?;
        let name =
            db.write(move |tx| settings::find_or_insert(tx, settings::PORTAL_NAME, fresh.as_bytes())).await?;
        let log_keys = Keys::open(&db, &String::from_utf8(name)?, settings::find_or_insert).await?;
        let node = chancery_trail::node_name(&config.server.workdir)?;
        let office = Office {
            db,
            vault,
            clock: Arc::new(SystemClock),
            trail: Trail::new(&node),
            log: Arc::new(Log::new(log_keys.clone(), chancery_trail::directory(&config.server.workdir))),
            signers: Signers::default(),
            revocations: config.revocations,
            destinations: Arc::new(Destinations::new(&config.webhooks)),
        };
        Ok(Desk { config, office, log_keys })
    }
}

/// Who gives commands on this machine.
pub(super) fn actor() -> Actor {
    Actor::operator(&chancery_trail::operator())
}

/// What commands that look at the store have in common.
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

impl CommonArgs {
    /// Opens the portal for `act`, prints what that has to say, and closes the portal whatever comes of it.
    ///
    /// # Errors
    /// Those of `act`, and what keeps the portal from being opened.
    pub(super) fn visit(&self, act: impl AsyncFnOnce(&Desk) -> anyhow::Result<Told>) -> anyhow::Result<()> {
        chancery_cli::runtime()?.block_on(async {
            let desk = self.config.open().await?;
            let told = act(&desk).await;
            desk.office.db.close().await;
            let Told { text, json } = told?;
            Ok(chancery_cli::tell(self.json, &json, &text)?)
        })
    }
}
