//! Lists of licences.

use chancery_db::{Error, ReadTx, params};
use chancery_license::Environment;
use chancery_time::Timestamp;

use super::{License, license};
use crate::domain::Status;
use crate::store::Page;

/// Which licences of a product are wanted; what is missing leaves none out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Those of prod, or all others.
    pub(crate) live: Option<bool>,
    pub(crate) environment: Option<Environment>,
    /// The status now, not as it is stored.
    pub(crate) status: Option<Status>,
    pub(crate) plan_key: Option<String>,
    pub(crate) organisation_id: Option<String>,
    pub(crate) reference: Option<String>,
    /// Those that end, or ended, before that.
    pub(crate) expires_before: Option<Timestamp>,
}

/// A page of the licences of a product, the newest first; one more than its limit where there are more.
pub(crate) fn list(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    wanted: &Wanted,
    page: &Page,
    now: Timestamp,
) -> Result<Vec<License>, Error> {
    let live = wanted.live.map(i64::from);
    let now = now.unix_millis();
    // The first use of a parameter tells PostgreSQL its type, which for a number has to be BIGINT.
    tx.query(
        concat!(
            "SELECT ",
            columns!(),
            " FROM licenses WHERE product_id = $1
               AND (CAST($2 AS BIGINT) IS NULL OR CASE WHEN environment = 'prod' THEN 1 ELSE 0 END = $2)
               AND (environment = $3 OR $3 IS NULL)
               AND ((CASE WHEN status IN ('pending', 'active') AND expires_at <= $4 THEN 'expired' ELSE status END) = $5
                    OR $5 IS NULL)
               AND (plan_key = $6 OR $6 IS NULL)
               AND (organisation_id = $7 OR $7 IS NULL)
               AND (reference = $8 OR $8 IS NULL)
               AND (expires_at < $9 OR $9 IS NULL)
               AND ($10 = '' OR (created_at, id) < (SELECT l.created_at, l.id FROM licenses l WHERE l.id = $10))
             ORDER BY created_at DESC, id DESC LIMIT $11"
        ),
        params![
            product_id,
            live,
            wanted.environment.map(Environment::name),
            now,
            wanted.status.map(Status::name),
            wanted.plan_key.as_ref(),
            wanted.organisation_id.as_ref(),
            wanted.reference.as_ref(),
            wanted.expires_before.map(Timestamp::unix_millis),
            page.after.as_deref().unwrap_or_default(),
            page.limit + 1
        ],
        license,
    )
}
