//! Where commands and the server do what concerns licences.

use std::sync::Arc;

use chancery_audit::{Filter, Log};
use chancery_db::{Db, Options};
use chancery_files::create_directory;
use chancery_time::{Clock, SystemClock, Timestamp};
use chancery_trail::node_name;

use crate::audit::{self, Trail, events};
use crate::config::Config;
use crate::licensing::change::Office;
use crate::licensing::installation::Installation;
use crate::licensing::{anchors, build, licensed_parts};
use crate::store;
use crate::store::accounts;

/// The office of the installation that a configuration names.
///
/// # Errors
/// When the build has no anchor for the environment, or the store fails.
pub(super) async fn office(config: &Config, db: Db) -> anyhow::Result<Office> {
    let (anchors, build) = (anchors(config.license.environment)?, build());
    let installation = Arc::new(Installation::open(&db, build, SystemClock.now()).await?);
    create_directory(&config.server.workdir)?;
    let trail = Trail::new(&node_name(&config.server.workdir)?);
    Ok(Office {
        configuration: licensed_parts(config),
        is_online: config.license.portal().is_some(),
        profiles: u64::try_from(config.profiles.len()).unwrap_or(u64::MAX),
        logged_first_account: logged_first_account(config, &db, &installation).await?,
        db,
        installation,
        anchors,
        build,
        trail,
    })
}

/// When the audit log says that the first account was made. It is asked only where the store does not know,
/// be it that there was none or that rows were removed.
async fn logged_first_account(
    config: &Config,
    db: &Db,
    installation: &Arc<Installation>,
) -> anyhow::Result<Option<Timestamp>> {
    let of_store = Arc::clone(installation);
    let is_known = db.read(move |tx| {
        let record = of_store.record(tx)?.is_some_and(|record| record.first_account_at.is_some());
        Ok::<_, chancery_db::Error>(record || accounts::first_created_at(tx)?.is_some())
    });
    let directory = audit::directory(&config.server.workdir);
    if is_known.await? || !directory.exists() {
        return Ok(None);
    }
    let first = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let wanted = Filter { event: Some(events::ACCOUNT_CREATE.name.to_owned()), ..Filter::default() };
        // A line that cannot be read hides none of those after it.
        Ok(Log::open(&directory)?.records(&wanted, None)?.find_map(Result::ok).map(|record| record.ts))
    });
    first.await?
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
