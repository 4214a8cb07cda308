//! Adding a licence, and writing what became of it.

use chancery_db::{Error, WriteTx, params};
use chancery_time::Timestamp;

use super::{License, after_grace_name};
use crate::store::object_text;

/// Adds a licence; the hash and the sealed form are those of its key.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    new: &License,
    key_hash: &[u8],
    key_sealed: &[u8],
) -> Result<(), Error> {
    let terms = &new.terms;
    tx.execute(
        "INSERT INTO licenses (id, product_id, environment, key_hash, key_sealed, key_hint, created_at, plan_id,
                plan_key, mode, grace_days, after_grace, file_days, file_grace_days, entitlements, status)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params![
            &new.id,
            &new.product_id,
            new.environment.name(),
            key_hash,
            key_sealed,
            &new.key_hint,
            new.created_at.unix_millis(),
            &new.plan_id,
            &terms.plan_key,
            terms.mode.name(),
            terms.grace_days,
            after_grace_name(terms.after_grace),
            terms.file_days,
            terms.file_grace_days,
            &terms.text().entitlements,
            new.status.name()
        ],
    )?;
    update(tx, new)
}

/// Writes all of a licence but what never changes, and but the number of its seats that are taken.
pub(crate) fn update(tx: &mut WriteTx<'_>, license: &License) -> Result<(), Error> {
    let terms = &license.terms;
    let text = terms.text();
    let metadata = object_text(license.metadata.as_ref());
    let millis = |at: Option<Timestamp>| at.map(Timestamp::unix_millis);
    tx.execute(
        "UPDATE licenses SET plan_id = $1, organisation_id = $2, status = $3, plan_key = $4, mode = $5,
                seat_limit = $6, starts_at = $7, expires_at = $8, grace_days = $9, after_grace = $10,
                file_days = $11, file_grace_days = $12, entitlements = $13, chancery_plan = $14,
                chancery_entitlements = $15, metadata = $16, reference = $17, revision = $18, activated_at = $19,
                suspended_at = $20, revoked_at = $21, revocation_reason = $22
         WHERE id = $23",
        params![
            &license.plan_id,
            license.organisation_id.as_ref(),
            license.status.name(),
            &terms.plan_key,
            terms.mode.name(),
            terms.seat_limit,
            millis(license.starts_at),
            millis(license.expires_at),
            terms.grace_days,
            after_grace_name(terms.after_grace),
            terms.file_days,
            terms.file_grace_days,
            &text.entitlements,
            text.chancery_plan,
            text.chancery_entitlements.as_ref(),
            metadata.as_ref(),
            license.reference.as_ref(),
            license.revision,
            millis(license.activated_at),
            millis(license.suspended_at),
            millis(license.revoked_at),
            license.revocation_reason.as_ref(),
            &license.id
        ],
    )?;
    Ok(())
}
