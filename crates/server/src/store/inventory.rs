//! The issued certificates, as operators look through them.

use chancery_acme::Identifier;
use chancery_db::{Error, ReadTx, Row, params};
use chancery_pki::certificate::SerialNumber;
use chancery_time::Timestamp;

use super::{foreign, optional_time, time};

/// An issued certificate, with what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) serial: SerialNumber,
    /// The canonical set of names.
    pub(crate) identifiers: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    /// RFC 5280 §5.3.1.
    pub(crate) revocation_reason: Option<i64>,
    /// Missing for the server's own, as is the order.
    pub(crate) account_id: Option<i64>,
    pub(crate) order_id: Option<i64>,
    pub(crate) profile: Option<String>,
    /// The authority that issued it.
    pub(crate) authority: String,
}

/// Which certificates are wanted; each condition that is given has to be met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) name: Option<Identifier>,
    pub(crate) account_id: Option<i64>,
    pub(crate) serial: Option<SerialNumber>,
    pub(crate) profile: Option<String>,
    /// Whether it was revoked.
    pub(crate) revoked: Option<bool>,
    /// It ends after this,
    pub(crate) ends_after: Option<Timestamp>,
    /// and not after this.
    pub(crate) ends_by: Option<Timestamp>,
}

/// The newest of the wanted certificates with a number below `before`, newest first.
pub(crate) fn page(
    tx: &mut ReadTx<'_>,
    wanted: &Wanted,
    before: i64,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    // Names have no character that means something in a pattern.
    let name = wanted.name.as_ref().map(|name| format!("%,{},%", name.canonical()));
    // When it was revoked, -1 for never, lies between these.
    let (first, last) = match wanted.revoked {
        None => (i64::MIN, i64::MAX),
        Some(false) => (-1, -1),
        Some(true) => (0, i64::MAX),
    };
    tx.query(
        "SELECT c.serial, c.identifiers, c.not_before, c.not_after, c.issued_at, c.revoked_at,
                c.revocation_reason, c.account_id, c.order_id, c.profile, i.authority
         FROM certificates c JOIN issuers i ON i.id = c.issuer_id
         WHERE c.id < $1 AND c.issued_at IS NOT NULL
               AND (c.account_id = $2 OR $2 IS NULL) AND (c.serial = $3 OR $3 IS NULL)
               AND (c.profile = $4 OR $4 IS NULL)
               AND (',' || c.identifiers || ',' LIKE $5 OR $5 IS NULL)
               AND COALESCE(c.revoked_at, -1) >= $6 AND COALESCE(c.revoked_at, -1) <= $7
               AND c.not_after > $8 AND c.not_after <= $9
         ORDER BY c.id DESC LIMIT $10",
        params![
            before,
            wanted.account_id,
            wanted.serial.as_ref().map(|serial| serial.as_bytes()),
            wanted.profile.as_deref(),
            name.as_deref(),
            first,
            last,
            wanted.ends_after.map_or(i64::MIN, Timestamp::unix_millis),
            wanted.ends_by.map_or(i64::MAX, Timestamp::unix_millis),
            limit
        ],
        listed,
    )
}

fn listed(row: &Row<'_>) -> Result<Listed, Error> {
    let serial: Vec<u8> = row.get(0)?;
    let octets = serial.as_slice().try_into().ok().and_then(|octets| SerialNumber::from_bytes(octets).ok());
    Ok(Listed {
        serial: octets.ok_or_else(|| foreign(0, format!("{} octets", serial.len())))?,
        identifiers: row.get(1)?,
        not_before: time(row, 2)?,
        not_after: time(row, 3)?,
        issued_at: time(row, 4)?,
        revoked_at: optional_time(row, 5)?,
        revocation_reason: row.get(6)?,
        account_id: row.get(7)?,
        order_id: row.get(8)?,
        profile: row.get(9)?,
        authority: row.get(10)?,
    })
}
