//! Certificates, and the chains that they were issued under.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_pki::certificate::SerialNumber;
use chancery_time::Timestamp;

use super::{licensed, optional_time, time};

/// What is recorded of a certificate before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct PreparedRecord {
    pub(crate) issuer_id: i64,
    /// The order and its account; `None` for the server's own certificate.
    pub(crate) ordered_by: Option<(i64, i64)>,
    /// The name of the profile that it is issued under.
    pub(crate) profile: Option<String>,
    /// The canonical set of names.
    pub(crate) identifiers: String,
    pub(crate) serial: Vec<u8>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) prepared_at: Timestamp,
}

/// A certificate as its account may download it.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) account_id: i64,
    pub(crate) der: Vec<u8>,
    pub(crate) chain_pem: String,
    /// The number of the chain.
    pub(crate) issuer_id: i64,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// The number of an authority's chain, which is added where it is new.
pub(crate) fn issuer_id(tx: &mut WriteTx<'_>, authority: &str, chain_pem: &str) -> Result<i64, Error> {
    let known = tx.query_opt(
        "SELECT id FROM issuers WHERE authority = $1 AND chain_pem = $2",
        params![authority, chain_pem],
        |row| row.get(0),
    )?;
    match known {
        Some(id) => Ok(id),
        None => tx.query_one(
            "INSERT INTO issuers (authority, chain_pem) VALUES ($1, $2) RETURNING id",
            params![authority, chain_pem],
            |row| row.get(0),
        ),
    }
}

/// Records a certificate that is about to be signed. From then on it counts as active, if an account
/// ordered it.
pub(crate) fn insert_prepared(tx: &mut WriteTx<'_>, record: &PreparedRecord) -> Result<i64, Error> {
    let active_until = record.ordered_by.map_or(0, |_| record.not_after.unix_millis());
    if let Some((_, account_id)) = record.ordered_by {
        licensed::hold(tx, account_id, record.not_after)?;
    }
    tx.query_one(
        "INSERT INTO certificates
         (issuer_id, order_id, account_id, identifiers, serial, not_before, not_after, prepared_at, active_until,
          profile)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id",
        params![
            record.issuer_id,
            record.ordered_by.map(|(order_id, _)| order_id),
            record.ordered_by.map(|(_, account_id)| account_id),
            &record.identifiers,
            &record.serial,
            record.not_before.unix_millis(),
            record.not_after.unix_millis(),
            record.prepared_at.unix_millis(),
            active_until,
            record.profile.as_deref()
        ],
        |row| row.get(0),
    )
}

/// Keeps the signed certificate.
pub(crate) fn set_issued(tx: &mut WriteTx<'_>, id: i64, der: &[u8], now: Timestamp) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE certificates SET issued_at = $1, der = $2 WHERE id = $3 AND issued_at IS NULL",
        params![now.unix_millis(), der, id],
    )?;
    if changed != 1 {
        return Err(Error::NoRow);
    }
    // Where another node had given it up already: it was issued after all, so it counts.
    tx.execute(
        "UPDATE certificates SET active_until = not_after
         WHERE id = $1 AND active_until = 0 AND account_id IS NOT NULL",
        params![id],
    )?;
    Ok(())
}

/// Gives up the certificates of an order that were never issued: they no longer count.
pub(crate) fn give_up_prepared(tx: &mut WriteTx<'_>, account_id: i64, order_id: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE certificates SET active_until = 0
         WHERE account_id = $1 AND active_until > 0 AND order_id = $2 AND issued_at IS NULL",
        params![account_id, order_id],
    )?;
    licensed::let_go(tx, account_id)
}

/// An issued certificate of an account.
pub(crate) fn issued_by_id(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Issued>, Error> {
    tx.query_opt(
        "SELECT c.account_id, c.der, i.chain_pem, c.issuer_id, c.revoked_at
         FROM certificates c JOIN issuers i ON i.id = c.issuer_id
         WHERE c.id = $1 AND c.issued_at IS NOT NULL AND c.account_id IS NOT NULL",
        params![id],
        |row| {
            Ok(Issued {
                account_id: row.get(0)?,
                der: row.get(1)?,
                chain_pem: row.get(2)?,
                issuer_id: row.get(3)?,
                revoked_at: optional_time(row, 4)?,
            })
        },
    )
}

/// An issued certificate, as those need it who were given it: to renew it, to revoke it, to ask after it.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) serial: SerialNumber,
    /// Missing for the server's own.
    pub(crate) account_id: Option<i64>,
    /// The name of the profile that it was issued under.
    pub(crate) profile: Option<String>,
    /// The canonical set of names.
    pub(crate) identifiers: String,
    pub(crate) der: Vec<u8>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// The issued certificate with a serial number.
pub(crate) fn by_serial(tx: &mut ReadTx<'_>, serial: &SerialNumber) -> Result<Option<Known>, Error> {
    tx.query_opt(
        "SELECT id, account_id, profile, identifiers, der, not_before, not_after, revoked_at, issued_at
         FROM certificates WHERE serial = $1 AND issued_at IS NOT NULL",
        params![serial.as_bytes()],
        |row| {
            Ok(Known {
                id: row.get(0)?,
                serial: *serial,
                account_id: row.get(1)?,
                profile: row.get(2)?,
                identifiers: row.get(3)?,
                der: row.get(4)?,
                not_before: time(row, 5)?,
                not_after: time(row, 6)?,
                revoked_at: optional_time(row, 7)?,
                issued_at: time(row, 8)?,
            })
        },
    )
}

/// Whether an account holds a certificate for exactly these names that is active at `now`: neither ended nor
/// revoked.
pub(crate) fn covers(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    identifiers: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let found = tx.query(
        "SELECT id FROM certificates
         WHERE account_id = $1 AND active_until > $2 AND identifiers = $3 AND issued_at IS NOT NULL LIMIT 1",
        params![account_id, now.unix_millis(), identifiers],
        |row| row.get::<i64>(0),
    )?;
    Ok(!found.is_empty())
}
