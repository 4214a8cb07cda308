//! The key of this installation, made on first use and kept in the store.

use chancery_db::Db;
use chancery_license::InstallationKey;

use crate::store::settings;

/// The installation's key.
///
/// # Errors
/// When the store fails, the random source fails, or the store holds something else under that name.
pub(crate) async fn installation_key(db: &Db) -> anyhow::Result<InstallationKey> {
    let fresh = InstallationKey::from_random(&crate::random::bytes()?);
    let kept = db
        .write(move |tx| settings::find_or_insert(tx, settings::INSTALLATION_KEY, fresh.as_str().as_bytes()))
        .await?;
    Ok(String::from_utf8(kept)?.parse()?)
}
