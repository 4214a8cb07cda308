//! Values that the installation has one of each. Those behind the audit log are named in `chancery-trail`.

use chancery_db::{Error, ReadTx, WriteTx, params};

/// The installation's key, as text.
pub(crate) const INSTALLATION_KEY: &str = "installation_key";
/// The seed of the Ed25519 key by which the installation signs what it sends: 32 bytes.
pub(crate) const INSTALLATION_SIGNING_SEED: &str = "installation_signing_seed";
/// What is remembered of licences, under a MAC.
pub(crate) const LICENSE_RECORD: &str = "license_record";
/// There while an installation from before the record waits for its first one.
pub(crate) const LICENSE_RECORD_DUE: &str = "license_record_due";
/// The key of that MAC: 32 bytes.
pub(crate) const LICENSE_SECRET: &str = "license_secret";
/// Rises with every change of documents, window or acknowledgement, so that running servers notice.
pub(crate) const LICENSE_CHANGES: &str = "license_changes";
/// The key of nonces that several nodes share: 32 bytes.
pub(crate) const NONCE_SECRET: &str = "nonce_secret";
/// The secret behind the names of objects in URLs: 32 bytes.
pub(crate) const OBJECT_ID_SECRET: &str = "object_id_secret";

/// The value of a setting.
pub(crate) fn find(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    tx.query_opt("SELECT value FROM settings WHERE name = $1", params![name], |row| row.get(0))
}

/// The value of a setting, which becomes `value` where it had none.
pub(crate) fn find_or_insert(tx: &mut WriteTx<'_>, name: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        params![name, value],
    )?;
    tx.query_one("SELECT value FROM settings WHERE name = $1", params![name], |row| row.get(0))
}

/// Gives a setting a value, whatever it had.
pub(crate) fn set(tx: &mut WriteTx<'_>, name: &str, value: &[u8]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}

/// Takes a setting away; `true` where there was one.
pub(crate) fn delete(tx: &mut WriteTx<'_>, name: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM settings WHERE name = $1", params![name])? > 0)
}
