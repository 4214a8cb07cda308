//! Revocations, and what lets an account ask for one.

use chancery_acme::state::ChallengeStatus;
use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

use super::certificates::Known;
use super::licensed;

/// Revokes a certificate, for a reason of RFC 5280 §5.3.1 if one was given; `false` where it was revoked
/// before. From then on it no longer counts as active.
pub(crate) fn revoke(
    tx: &mut WriteTx<'_>,
    certificate: &Known,
    reason: Option<i64>,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE certificates SET revoked_at = $1, revocation_reason = $2, active_until = 0
         WHERE id = $3 AND issued_at IS NOT NULL AND revoked_at IS NULL",
        params![now.unix_millis(), reason, certificate.id],
    )?;
    if changed == 0 {
        return Ok(false);
    }
    if let Some(account_id) = certificate.account_id {
        licensed::let_go(tx, account_id)?;
    }
    Ok(true)
}

/// Notes that a key is in the hands of others, by the SHA-256 digest of its SubjectPublicKeyInfo.
pub(crate) fn note_compromised(tx: &mut WriteTx<'_>, digest: &[u8], now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO compromised_keys (digest, since) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
        params![digest, now.unix_millis()],
    )?;
    Ok(())
}

/// Whether a key was noted as such.
pub(crate) fn is_compromised(tx: &mut ReadTx<'_>, digest: &[u8]) -> Result<bool, Error> {
    let since =
        tx.query_opt("SELECT since FROM compromised_keys WHERE digest = $1", params![digest], |row| {
            row.get::<i64>(0)
        })?;
    Ok(since.is_some())
}

/// Whether a challenge was passed for an authorization.
pub(crate) fn is_proven(tx: &mut ReadTx<'_>, authorization_id: i64) -> Result<bool, Error> {
    let passed = tx.query_opt(
        "SELECT id FROM challenges WHERE authorization_id = $1 AND status = $2 LIMIT 1",
        params![authorization_id, ChallengeStatus::Valid.name()],
        |row| row.get::<i64>(0),
    )?;
    Ok(passed.is_some())
}
