//! What revocation lists say: whole licences and single issues that no longer count.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::Environment;
use chancery_license::revocations::Reason;
use chancery_time::Timestamp;
use serde_json::Value;

use super::{named, time};

/// An entry of the lists of a product in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocation {
    pub(crate) license_id: String,
    /// The one issue that is revoked; `None` for all of the licence.
    pub(crate) serial: Option<u64>,
    pub(crate) reason: Reason,
    pub(crate) revoked_at: Timestamp,
}

/// An entry to be.
#[derive(Debug, Clone)]
pub(crate) struct NewRevocation<'a> {
    pub(crate) product_id: &'a str,
    pub(crate) environment: Environment,
    pub(crate) license_id: &'a str,
    /// The one issue that is revoked; `None` for all of the licence.
    pub(crate) serial: Option<u64>,
    pub(crate) reason: Reason,
    pub(crate) revoked_at: Timestamp,
}

/// Adds an entry. One for the same licence or issue stays as it is: nothing is revoked twice.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewRevocation<'_>) -> Result<(), Error> {
    let serial = new.serial.map(|serial| i64::try_from(serial).unwrap_or(i64::MAX));
    tx.execute(
        "INSERT INTO revocations (product_id, environment, license_id, serial, reason, revoked_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        params![
            new.product_id,
            new.environment.name(),
            new.license_id,
            serial,
            reason_name(new.reason).as_str(),
            new.revoked_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// Which entries `r` lists still have to tell of at the time `$1`. An issue that nobody takes any longer is not worth
/// an entry: customers cause these, and would make lists too long to be signed. A whole licence stays while any of
/// its documents counts, and for ever where they allow renewals after their end.
macro_rules! counting {
    () => {
        "(CASE WHEN r.serial IS NOT NULL
               THEN NOT EXISTS (SELECT 1 FROM documents d
                                WHERE d.product_id = r.product_id AND d.environment = r.environment
                                  AND d.serial = r.serial AND d.counts_until <= $1)
               ELSE EXISTS (SELECT 1 FROM licenses l WHERE l.id = r.license_id AND l.after_grace <> 'block')
                 OR EXISTS (SELECT 1 FROM documents d
                            WHERE d.license_id = r.license_id
                              AND (d.counts_until IS NULL OR d.counts_until > $1))
                 OR NOT EXISTS (SELECT 1 FROM documents d WHERE d.license_id = r.license_id)
          END)"
    };
}
pub(super) use counting;

/// Every entry that lists have to tell of now, in no order.
pub(crate) fn all(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
    now: Timestamp,
) -> Result<Vec<Revocation>, Error> {
    tx.query(
        concat!(
            "SELECT r.license_id, r.serial, r.reason, r.revoked_at FROM revocations r
             WHERE ",
            counting!(),
            " AND r.product_id = $2 AND r.environment = $3"
        ),
        params![now.unix_millis(), product_id, environment.name()],
        |row| {
            Ok(Revocation {
                license_id: row.get(0)?,
                serial: row.get::<Option<i64>>(1)?.and_then(|serial| u64::try_from(serial).ok()),
                reason: named(row, 2, reason_named)?,
                revoked_at: time(row, 3)?,
            })
        },
    )
}

/// The reason as revocation lists write it.
pub(crate) fn reason_name(reason: Reason) -> String {
    match serde_json::to_value(reason) {
        Ok(Value::String(name)) => name,
        _ => "unspecified".to_owned(),
    }
}

/// The reason of that name.
pub(crate) fn reason_named(text: &str) -> Option<Reason> {
    serde_json::from_value(Value::from(text)).ok()
}
