//! Keys of external account bindings (RFC 8555 §7.3.4), and what they allow.

use chancery_acme::eab::EabSecret;
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, optional_time, time};
use crate::policy::AccountPolicy;

/// A key as it is kept, its secret left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExternalAccountKey {
    pub(crate) id: i64,
    /// The name by which clients call it.
    pub(crate) kid: String,
    /// What operators call it.
    pub(crate) label: String,
    pub(crate) policy: AccountPolicy,
    /// How many more accounts can be bound to it; `None` for any number.
    pub(crate) uses_left: Option<i64>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// A key as operators see it. To count takes as long as there are accounts: registrations do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: ExternalAccountKey,
    /// How many accounts are bound to it.
    pub(crate) accounts: i64,
}

/// A key to be kept.
#[derive(Debug, Clone)]
pub(crate) struct NewKey {
    pub(crate) kid: String,
    pub(crate) secret: EabSecret,
    pub(crate) label: String,
    pub(crate) policy: AccountPolicy,
    pub(crate) uses: Option<i64>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Adds a key; `false` where one has that `kid` already.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewKey, now: Timestamp) -> Result<bool, Error> {
    let policy = serde_json::to_value(&new.policy).unwrap_or_default().to_string();
    let inserted = tx.execute(
        "INSERT INTO external_account_keys (kid, hmac_key, label, policy, uses_left, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kid) DO NOTHING",
        params![
            &new.kid,
            new.secret.as_bytes(),
            &new.label,
            &policy,
            new.uses,
            new.expires_at.map(Timestamp::unix_millis),
            now.unix_millis()
        ],
    )?;
    Ok(inserted == 1)
}

pub(crate) fn by_kid(tx: &mut ReadTx<'_>, kid: &str) -> Result<Option<ExternalAccountKey>, Error> {
    tx.query_opt(
        "SELECT id, kid, label, policy, uses_left, expires_at, revoked_at, created_at
         FROM external_account_keys WHERE kid = $1",
        params![kid],
        key,
    )
}

/// As [`by_kid`], with the number of its accounts.
pub(crate) fn listed(tx: &mut ReadTx<'_>, kid: &str) -> Result<Option<Listed>, Error> {
    let Some(key) = by_kid(tx, kid)? else { return Ok(None) };
    let accounts = tx.query_one(
        "SELECT count(*) FROM accounts WHERE external_account_key_id = $1",
        params![key.id],
        |row| row.get(0),
    )?;
    Ok(Some(Listed { key, accounts }))
}

/// The newest keys before a row.
pub(crate) fn page(tx: &mut ReadTx<'_>, before: i64, limit: i64) -> Result<Vec<Listed>, Error> {
    tx.query(
        "SELECT k.id, k.kid, k.label, k.policy, k.uses_left, k.expires_at, k.revoked_at, k.created_at,
                (SELECT count(*) FROM accounts a WHERE a.external_account_key_id = k.id)
         FROM external_account_keys k WHERE k.id < $1 ORDER BY k.id DESC LIMIT $2",
        params![before, limit],
        |row| Ok(Listed { key: key(row)?, accounts: row.get(8)? }),
    )
}

/// The secret of a key.
pub(crate) fn secret(tx: &mut ReadTx<'_>, id: i64) -> Result<EabSecret, Error> {
    tx.query_one("SELECT hmac_key FROM external_account_keys WHERE id = $1", params![id], |row| {
        let bytes = zeroize::Zeroizing::new(row.get::<Vec<u8>>(0)?);
        EabSecret::from_bytes(&bytes).map_err(|error| foreign(0, error.to_string()))
    })
}

/// Takes one of the uses that a key has left; `false` where none is.
pub(crate) fn use_up(tx: &mut WriteTx<'_>, id: i64) -> Result<bool, Error> {
    // What is NULL stays so: any number of uses, less one.
    let used = tx.execute(
        "UPDATE external_account_keys SET uses_left = uses_left - 1
         WHERE id = $1 AND (uses_left IS NULL OR uses_left > 0)",
        params![id],
    )?;
    Ok(used == 1)
}

pub(crate) fn set_revoked(tx: &mut WriteTx<'_>, id: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE external_account_keys SET revoked_at = $1 WHERE id = $2",
        params![now.unix_millis(), id],
    )?;
    Ok(())
}

/// What the binding of an account allows; `None` where it has none.
pub(crate) fn policy_of_account(
    tx: &mut ReadTx<'_>,
    account_id: i64,
) -> Result<Option<AccountPolicy>, Error> {
    tx.query_opt(
        "SELECT k.policy FROM accounts a JOIN external_account_keys k ON k.id = a.external_account_key_id
         WHERE a.id = $1",
        params![account_id],
        |row| policy(row, 0),
    )
}

fn key(row: &Row<'_>) -> Result<ExternalAccountKey, Error> {
    Ok(ExternalAccountKey {
        id: row.get(0)?,
        kid: row.get(1)?,
        label: row.get(2)?,
        policy: policy(row, 3)?,
        uses_left: row.get(4)?,
        expires_at: optional_time(row, 5)?,
        revoked_at: optional_time(row, 6)?,
        created_at: time(row, 7)?,
    })
}

fn policy(row: &Row<'_>, index: usize) -> Result<AccountPolicy, Error> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text).map_err(|_| foreign(index, text))
}
