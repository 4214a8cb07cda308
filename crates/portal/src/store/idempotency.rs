//! Requests that carried an `Idempotency-Key`, and what they were about.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

/// A request that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) digest: Vec<u8>,
    pub(crate) object_id: String,
}

/// Notes a request under its key; `false` where the key is taken.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    api_key_id: &str,
    key: &str,
    done: &Done,
    now: Timestamp,
) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO idempotency_keys (api_key_id, idempotency_key, request_digest, object_id, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (api_key_id, idempotency_key) DO NOTHING",
        params![api_key_id, key, &done.digest, &done.object_id, now.unix_millis()],
    )?;
    Ok(inserted == 1)
}

/// The request that took the key.
pub(crate) fn find(tx: &mut ReadTx<'_>, api_key_id: &str, key: &str) -> Result<Option<Done>, Error> {
    tx.query_opt(
        "SELECT request_digest, object_id FROM idempotency_keys WHERE api_key_id = $1 AND idempotency_key = $2",
        params![api_key_id, key],
        |row| Ok(Done { digest: row.get(0)?, object_id: row.get(1)? }),
    )
}

/// Forgets a key that was taken before that.
pub(crate) fn forget(
    tx: &mut WriteTx<'_>,
    api_key_id: &str,
    key: &str,
    before: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM idempotency_keys WHERE api_key_id = $1 AND idempotency_key = $2 AND created_at <= $3",
        params![api_key_id, key, before.unix_millis()],
    )?;
    Ok(())
}

/// Forgets keys that were taken before that, the oldest first; how many.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, before: Timestamp, limit: i64) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM idempotency_keys WHERE (api_key_id, idempotency_key) IN
            (SELECT api_key_id, idempotency_key FROM idempotency_keys WHERE created_at <= $1
             ORDER BY created_at LIMIT $2)",
        params![before.unix_millis(), limit],
    )
}
