//! Accounts.

use chancery_acme::state::AccountStatus;
use chancery_acme::{AccountKey, Thumbprint};
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, named, time};

/// An account as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: i64,
    /// The key as JSON.
    pub(crate) jwk: String,
    pub(crate) status: AccountStatus,
    pub(crate) contact: Vec<String>,
}

/// Adds an account, unless its key has one already; returns the account and whether it is new.
pub(crate) fn insert_or_find(
    tx: &mut WriteTx<'_>,
    key: &AccountKey,
    contact: &[String],
    now: Timestamp,
) -> Result<(Account, bool), Error> {
    let inserted = tx.execute(
        "INSERT INTO accounts (thumbprint, jwk, spki, status, contact, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (thumbprint) DO NOTHING",
        params![
            key.thumbprint().as_str(),
            &key.to_json(),
            key.spki_der(),
            AccountStatus::Valid.name(),
            &contact_json(contact),
            now.unix_millis()
        ],
    )?;
    let account = by_thumbprint(tx, key.thumbprint())?.ok_or(Error::NoRow)?;
    Ok((account, inserted == 1))
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Account>, Error> {
    tx.query_opt("SELECT id, jwk, status, contact FROM accounts WHERE id = $1", params![id], account)
}

pub(crate) fn by_thumbprint(tx: &mut ReadTx<'_>, thumbprint: &Thumbprint) -> Result<Option<Account>, Error> {
    tx.query_opt(
        "SELECT id, jwk, status, contact FROM accounts WHERE thumbprint = $1",
        params![thumbprint.as_str()],
        account,
    )
}

/// Whether a SubjectPublicKeyInfo is the key of any account.
pub(crate) fn has_key(tx: &mut ReadTx<'_>, spki: &[u8]) -> Result<bool, Error> {
    let account =
        tx.query_opt("SELECT id FROM accounts WHERE spki = $1", params![spki], |row| row.get::<i64>(0))?;
    Ok(account.is_some())
}

/// The status of an account, if it still has this key.
pub(crate) fn status(
    tx: &mut ReadTx<'_>,
    id: i64,
    thumbprint: &Thumbprint,
) -> Result<Option<AccountStatus>, Error> {
    tx.query_opt(
        "SELECT status FROM accounts WHERE id = $1 AND thumbprint = $2",
        params![id, thumbprint.as_str()],
        |row| named(row, 0, AccountStatus::named),
    )
}

/// When the first account was made.
pub(crate) fn first_created_at(tx: &mut ReadTx<'_>) -> Result<Option<Timestamp>, Error> {
    tx.query_opt("SELECT created_at FROM accounts ORDER BY id LIMIT 1", params![], |row| time(row, 0))
}

pub(crate) fn set_contact(tx: &mut WriteTx<'_>, id: i64, contact: &[String]) -> Result<(), Error> {
    tx.execute("UPDATE accounts SET contact = $1 WHERE id = $2", params![&contact_json(contact), id])?;
    Ok(())
}

pub(crate) fn set_status(tx: &mut WriteTx<'_>, id: i64, status: AccountStatus) -> Result<(), Error> {
    tx.execute("UPDATE accounts SET status = $1 WHERE id = $2", params![status.name(), id])?;
    Ok(())
}

fn account(row: &Row<'_>) -> Result<Account, Error> {
    let contact: String = row.get(3)?;
    Ok(Account {
        id: row.get(0)?,
        jwk: row.get(1)?,
        status: named(row, 2, AccountStatus::named)?,
        contact: serde_json::from_str(&contact).map_err(|_| foreign(3, contact))?,
    })
}

fn contact_json(contact: &[String]) -> String {
    serde_json::Value::from(contact.to_vec()).to_string()
}
