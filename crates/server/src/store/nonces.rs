//! Nonces that were redeemed, where several nodes share the store.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

/// Redeems a nonce; `false` where it was redeemed before.
pub(crate) fn redeem(tx: &mut WriteTx<'_>, id: &[u8], expires_at: Timestamp) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO redeemed_nonces (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        params![id, expires_at.unix_millis()],
    )?;
    Ok(inserted == 1)
}

/// Whether any could be forgotten.
pub(crate) fn any_expired(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<bool, Error> {
    let expired = tx.query(
        "SELECT expires_at FROM redeemed_nonces WHERE expires_at < $1 LIMIT 1",
        params![now.unix_millis()],
        |row| row.get::<i64>(0),
    )?;
    Ok(!expired.is_empty())
}

/// Forgets those that can be redeemed no more, up to `limit`; says how many.
pub(crate) fn forget(tx: &mut WriteTx<'_>, now: Timestamp, limit: i64) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM redeemed_nonces
         WHERE id IN (SELECT id FROM redeemed_nonces WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        params![now.unix_millis(), limit],
    )
}
