//! Where commands and the server do what concerns licences.

use std::sync::Arc;

use chancery_db::{Db, Options};
use chancery_time::{Clock, SystemClock};

use crate::config::Config;
use crate::licensing::change::Office;
use crate::licensing::installation::Installation;
use crate::licensing::{anchors, build, licensed_parts};
use crate::store;

/// The office of the installation that a configuration names.
///
/// # Errors
/// When the build has no anchor for the environment, or the store fails.
pub(super) async fn office(config: &Config, db: Db) -> anyhow::Result<Office> {
    let (anchors, build) = (anchors(config.license.environment)?, build());
    let installation = Arc::new(Installation::open(&db, build, SystemClock.now()).await?);
    let configuration = licensed_parts(config);
    // The configuration has exactly one.
    Ok(Office { db, installation, anchors, configuration, profiles: 1, build })
}

/// The office of the installation, its store just opened; close the store when done.
///
/// # Errors
/// As [`office`].
pub(super) async fn open(config: &Config) -> anyhow::Result<Office> {
    // A command has one thing to do, and does it alone.
    let options = Options { connections: 1, ..Options::default() };
    office(config, Db::open_with(&config.database, store::MIGRATIONS, options).await?).await
}
