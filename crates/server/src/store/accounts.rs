//! Accounts.

use chancery_acme::state::{AccountStatus, OrderStatus};
use chancery_acme::{AccountKey, Problem, Thumbprint};
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{approvals, foreign, named, time};

/// An account as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: i64,
    /// The key as JSON.
    pub(crate) jwk: String,
    pub(crate) status: AccountStatus,
    pub(crate) contact: Vec<String>,
}

/// Which accounts are wanted; all where nothing is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) status: Option<AccountStatus>,
    /// A part of one of their contacts, in letters of any case.
    pub(crate) contact: Option<String>,
    /// The `kid` of the external account's key that they are bound to.
    pub(crate) kid: Option<String>,
}

/// An account as operators see it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) account: Account,
    pub(crate) created_at: Timestamp,
    /// The `kid` of the external account's key that it is bound to.
    pub(crate) kid: Option<String>,
}

/// What an account has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) orders: i64,
    /// Certificates that were issued.
    pub(crate) certificates: i64,
    /// Those that have not expired and are not revoked.
    pub(crate) in_force: i64,
}

/// Adds an account, unless its key has one already; returns the account and whether it is new. `bound_to` is
/// the row of the external account's key, if there is one.
pub(crate) fn insert_or_find(
    tx: &mut WriteTx<'_>,
    key: &AccountKey,
    contact: &[String],
    bound_to: Option<i64>,
    now: Timestamp,
) -> Result<(Account, bool), Error> {
    let inserted = tx.execute(
        "INSERT INTO accounts (thumbprint, jwk, spki, status, contact, created_at, external_account_key_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (thumbprint) DO NOTHING",
        params![
            key.thumbprint().as_str(),
            &key.to_json(),
            key.spki_der(),
            AccountStatus::Valid.name(),
            &contact_json(contact),
            now.unix_millis(),
            bound_to
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

/// The status of an account, if it still has this key, and whether it is bound to an external account.
pub(crate) fn standing(
    tx: &mut ReadTx<'_>,
    id: i64,
    thumbprint: &Thumbprint,
) -> Result<Option<(AccountStatus, bool)>, Error> {
    tx.query_opt(
        "SELECT status, external_account_key_id FROM accounts WHERE id = $1 AND thumbprint = $2",
        params![id, thumbprint.as_str()],
        |row| Ok((named(row, 0, AccountStatus::named)?, row.get::<Option<i64>>(1)?.is_some())),
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

/// Ends an account, and with a problem document the orders that wait for its client (RFC 8555 §7.3.6) or for a
/// person. What is being issued is left to who issues it.
pub(crate) fn end(tx: &mut WriteTx<'_>, id: i64, status: AccountStatus, why: &Problem) -> Result<(), Error> {
    tx.execute("UPDATE accounts SET status = $1 WHERE id = $2", params![status.name(), id])?;
    tx.execute(
        "UPDATE orders SET status = $1, error = $2 WHERE account_id = $3 AND status IN ($4, $5)",
        params![
            OrderStatus::Invalid.name(),
            &why.to_json(),
            id,
            OrderStatus::Pending.name(),
            OrderStatus::Ready.name()
        ],
    )?;
    approvals::end_of_account(tx, id, why)
}

/// Gives an account another key.
pub(crate) fn set_key(tx: &mut WriteTx<'_>, id: i64, key: &AccountKey) -> Result<(), Error> {
    tx.execute(
        "UPDATE accounts SET thumbprint = $1, jwk = $2, spki = $3 WHERE id = $4",
        params![key.thumbprint().as_str(), &key.to_json(), key.spki_der(), id],
    )?;
    Ok(())
}

/// The newest accounts before a row, of those that fit. An empty text fits all.
pub(crate) fn page(
    tx: &mut ReadTx<'_>,
    wanted: &Wanted,
    before: i64,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let status = wanted.status.map(AccountStatus::name).unwrap_or_default();
    let kid = wanted.kid.as_deref().unwrap_or_default();
    // In a LIKE, all but the text between the signs stands for itself.
    let contact = wanted.contact.as_deref().unwrap_or_default().to_lowercase();
    let contact: String = contact
        .chars()
        .flat_map(|c| ['%', '_', '!'].contains(&c).then_some('!').into_iter().chain([c]))
        .collect();
    tx.query(
        "SELECT a.id, a.jwk, a.status, a.contact, a.created_at, k.kid
         FROM accounts a LEFT JOIN external_account_keys k ON k.id = a.external_account_key_id
         WHERE a.id < $1 AND ($2 = '' OR a.status = $2) AND ($3 = '' OR k.kid = $3)
           AND lower(a.contact) LIKE $4 ESCAPE '!'
         ORDER BY a.id DESC LIMIT $5",
        params![before, status, kid, &format!("%{contact}%"), limit],
        |row| Ok(Listed { account: account(row)?, created_at: time(row, 4)?, kid: row.get(5)? }),
    )
}

/// An account as it is listed.
pub(crate) fn listed(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Listed>, Error> {
    // The row before the next one is the row itself.
    let newest = page(tx, &Wanted::default(), id.saturating_add(1), 1)?;
    Ok(newest.into_iter().find(|listed| listed.account.id == id))
}

/// What an account has got.
pub(crate) fn holdings(tx: &mut ReadTx<'_>, id: i64, now: Timestamp) -> Result<Holdings, Error> {
    tx.query_one(
        "SELECT (SELECT count(*) FROM orders WHERE account_id = $1),
                (SELECT count(*) FROM certificates WHERE account_id = $1 AND issued_at IS NOT NULL),
                (SELECT count(*) FROM certificates
                 WHERE account_id = $1 AND issued_at IS NOT NULL AND revoked_at IS NULL AND not_after > $2)",
        params![id, now.unix_millis()],
        |row| Ok(Holdings { orders: row.get(0)?, certificates: row.get(1)?, in_force: row.get(2)? }),
    )
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
