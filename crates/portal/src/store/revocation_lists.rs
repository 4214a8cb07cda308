//! The revocation lists that were signed.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_license::Environment;
use chancery_time::Timestamp;

use super::revocations::counting;
use super::{environment, optional_time, time};

/// A list that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedList {
    pub(crate) sequence: u64,
    /// In armour.
    pub(crate) body: String,
    /// How many entries it has.
    pub(crate) entries: u64,
    pub(crate) issued_at: Timestamp,
    pub(crate) next_update: Timestamp,
}

/// Where there is something to be told by a list, and what was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outlook {
    pub(crate) product_id: String,
    pub(crate) environment: Environment,
    /// How many entries there are now.
    pub(crate) entries: u64,
    /// When the newest was added.
    pub(crate) revoked_at: Option<Timestamp>,
    /// Of the newest list: how many it has, when it was signed and when it wants to be replaced.
    pub(crate) told: Option<(u64, Timestamp, Timestamp)>,
}

/// The newest list.
pub(crate) fn newest(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
) -> Result<Option<SignedList>, Error> {
    tx.query_opt(
        "SELECT sequence, body, entries, issued_at, next_update FROM revocation_lists
         WHERE product_id = $1 AND environment = $2",
        params![product_id, environment.name()],
        |row| {
            Ok(SignedList {
                sequence: number(row, 0)?,
                body: row.get(1)?,
                entries: number(row, 2)?,
                issued_at: time(row, 3)?,
                next_update: time(row, 4)?,
            })
        },
    )
}

/// Keeps a list in the place of the one before it: each says everything.
pub(crate) fn replace(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
    new: &SignedList,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO revocation_lists (product_id, environment, sequence, body, entries, issued_at, next_update)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (product_id, environment)
         DO UPDATE SET sequence = excluded.sequence, body = excluded.body, entries = excluded.entries,
                       issued_at = excluded.issued_at, next_update = excluded.next_update",
        params![
            product_id,
            environment.name(),
            i64::try_from(new.sequence).unwrap_or(i64::MAX),
            &new.body,
            i64::try_from(new.entries).unwrap_or(i64::MAX),
            new.issued_at.unix_millis(),
            new.next_update.unix_millis()
        ],
    )?;
    Ok(())
}

/// Every product and environment that has a signing key, and entries or a list.
pub(crate) fn outlooks(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Vec<Outlook>, Error> {
    let all = tx.query(
        concat!(
            "SELECT k.product_id, k.environment,
                    (SELECT count(*) FROM revocations r
                     WHERE r.product_id = k.product_id AND r.environment = k.environment AND ",
            counting!(),
            "),
                    l.entries, l.issued_at, l.next_update,
                    (SELECT max(r.revoked_at) FROM revocations r
                     WHERE r.product_id = k.product_id AND r.environment = k.environment)
             FROM signing_keys k
             LEFT JOIN revocation_lists l ON l.product_id = k.product_id AND l.environment = k.environment
             WHERE k.status = 'current' ORDER BY k.product_id, k.environment"
        ),
        params![now.unix_millis()],
        |row| {
            let told = match row.get::<Option<i64>>(3)? {
                Some(entries) => {
                    Some((u64::try_from(entries).unwrap_or_default(), time(row, 4)?, time(row, 5)?))
                }
                None => None,
            };
            Ok(Outlook {
                product_id: row.get(0)?,
                environment: environment(row, 1)?,
                entries: number(row, 2)?,
                revoked_at: optional_time(row, 6)?,
                told,
            })
        },
    )?;
    Ok(all.into_iter().filter(|outlook| outlook.entries > 0 || outlook.told.is_some()).collect())
}

fn number(row: &Row<'_>, index: usize) -> Result<u64, Error> {
    Ok(u64::try_from(row.get::<i64>(index)?).unwrap_or_default())
}
