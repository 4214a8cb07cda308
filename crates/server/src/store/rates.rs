//! How far each limit is used up.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_rate::Tat;
use chancery_time::Timestamp;

/// What was stored for a subject under a limit.
pub(crate) fn find(tx: &mut ReadTx<'_>, kind: &str, subject: &str) -> Result<Option<Tat>, Error> {
    tx.query_opt(
        "SELECT arrival_at FROM rates WHERE kind = $1 AND subject = $2",
        params![kind, subject],
        |row| row.get(0).map(Tat::from_unix_micros),
    )
}

pub(crate) fn keep(tx: &mut WriteTx<'_>, kind: &str, subject: &str, tat: Tat) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO rates (kind, subject, arrival_at) VALUES ($1, $2, $3)
         ON CONFLICT (kind, subject) DO UPDATE SET arrival_at = excluded.arrival_at",
        params![kind, subject, tat.unix_micros()],
    )?;
    Ok(())
}

pub(crate) fn forget(tx: &mut WriteTx<'_>, kind: &str, subject: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM rates WHERE kind = $1 AND subject = $2", params![kind, subject])?;
    Ok(())
}

/// A row, by its key; that of none stands before all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kind: String,
    pub(crate) subject: String,
}

/// Up to `limit` rows after a key, in the order of their keys, and whether each is worth as much as none by now.
pub(crate) fn page(
    tx: &mut ReadTx<'_>,
    after: &Key,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(Key, bool)>, Error> {
    let now = Tat::from(now);
    tx.query(
        "SELECT kind, subject, arrival_at FROM rates WHERE (kind, subject) > ($1, $2)
         ORDER BY kind, subject LIMIT $3",
        params![&after.kind, &after.subject, limit],
        |row| {
            let key = Key { kind: row.get(0)?, subject: row.get(1)? };
            Ok((key, Tat::from_unix_micros(row.get(2)?) <= now))
        },
    )
}

/// Removes a row that is worth as much as none at `now`.
pub(crate) fn forget_paid_off(tx: &mut WriteTx<'_>, key: &Key, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM rates WHERE kind = $1 AND subject = $2 AND arrival_at <= $3",
        params![&key.kind, &key.subject, Tat::from(now).unix_micros()],
    )?;
    Ok(())
}
