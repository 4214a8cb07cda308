//! Requests that may be sent again without being done again (`Idempotency-Key`).
//!
//! The key is taken in the transaction that makes the change, so that of two requests that race one is done, and the
//! other finds what came of it. A request that is refused leaves its key free.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use chancery_db::WriteTx;
use chancery_time::Timestamp;

use super::{Failure, Office};
use crate::domain::{Actor, Code, Refusal};
use crate::store::idempotency::{self, Done};

#[cfg(test)]
mod tests;

/// For how long a key is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How many keys one transaction forgets.
const SWEPT_AT_ONCE: i64 = 1_000;

/// A key and the request that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Once {
    key: String,
    digest: Vec<u8>,
}

impl Once {
    /// The request under that key.
    ///
    /// # Errors
    /// A key that is none.
    pub(crate) fn new(key: &[u8], method: &str, path: &str, body: &[u8]) -> Result<Self, Refusal> {
        let is_key = (1..=255).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
        let key = std::str::from_utf8(key).ok().filter(|_| is_key).ok_or_else(|| {
            Refusal::field("Idempotency-Key", "is 1 to 255 visible ASCII characters, such as a UUID")
        })?;
        let mut digest = Context::new(&SHA256);
        for part in [method.as_bytes(), path.as_bytes(), body] {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        Ok(Self { key: key.to_owned(), digest: digest.finish().as_ref().to_vec() })
    }
}

/// Takes the key for a request that is about the object, or else gives the object that the same request was about
/// before. Without a key, or without an API key to count it by, every request is a new one.
///
/// # Errors
/// When another request took the key.
pub(crate) fn repeated(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    once: Option<&Once>,
    object_id: &str,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let (Some(once), Some(api_key_id)) = (once, &actor.api_key_id) else { return Ok(None) };
    idempotency::forget(tx, api_key_id, &once.key, now - KEPT)?;
    let done = Done { digest: once.digest.clone(), object_id: object_id.to_owned() };
    if idempotency::insert(tx, api_key_id, &once.key, &done, now)? {
        return Ok(None);
    }
    match idempotency::find(tx, api_key_id, &once.key)? {
        Some(before) if before.digest == once.digest => Ok(Some(before.object_id)),
        _ => Err(Refusal::new(
            Code::InvalidArguments,
            "this Idempotency-Key came with another request before: use a new key for a new request",
        )
        .with("field", "Idempotency-Key".into())
        .into()),
    }
}

/// Forgets keys that are older than a day; how many.
///
/// # Errors
/// When the store fails.
pub(crate) async fn sweep(office: &Office) -> Result<u64, Failure> {
    let mut all = 0;
    loop {
        let swept = office
            .write(|office, tx| Ok(idempotency::sweep(tx, office.now() - KEPT, SWEPT_AT_ONCE)?))
            .await?;
        all += swept;
        if i64::try_from(swept).unwrap_or(i64::MAX) < SWEPT_AT_ONCE {
            return Ok(all);
        }
    }
}
