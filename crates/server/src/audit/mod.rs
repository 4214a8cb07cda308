//! The server's side of the audit log: what it tells. How that gets there is `chancery-trail`'s.

pub(crate) mod events;

pub(crate) use chancery_trail::{Entry, Kind, Origin, Trail, directory, operator};

use chancery_db::Db;
use chancery_license::InstallationKey;
use chancery_trail::{Keys, KeysError};

use crate::store::settings;

/// The keys of the installation's log.
///
/// # Errors
/// As [`Keys::open`].
pub(crate) async fn keys(db: &Db, installation: &InstallationKey) -> Result<Keys, KeysError> {
    Keys::open(db, installation.as_str(), settings::find_or_insert).await
}
