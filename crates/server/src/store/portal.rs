//! What is kept of the licence portal: when it is asked, and what came of it.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

use super::{optional_time, time};

/// How it stands with the portal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    /// How many questions were asked.
    pub(crate) counter: u64,
    /// The name that the portal is told of this machine.
    pub(crate) machine_name: Option<String>,
    /// Until when whoever asks has the word.
    pub(crate) busy_until: Option<Timestamp>,
    /// When the portal is asked next.
    pub(crate) due_at: Option<Timestamp>,
    /// The last answer that was believed.
    pub(crate) answered_at: Option<Timestamp>,
    /// What the portal said of the licence then.
    pub(crate) verdict: Option<String>,
    /// What else it said then.
    pub(crate) warnings: Vec<String>,
    /// The last question without an answer, and why.
    pub(crate) failed_at: Option<Timestamp>,
    pub(crate) failure: Option<String>,
    /// Whether the last question is that one.
    pub(crate) is_failing: bool,
}

/// A document of the last answer that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// SHA-256 of the document.
    pub(crate) digest: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) reason: String,
    /// When it was first offered.
    pub(crate) at: Timestamp,
}

/// How it stands; as if nothing was ever asked where there is no row.
pub(crate) fn contact(tx: &mut ReadTx<'_>) -> Result<Contact, Error> {
    let found = tx.query_opt(
        "SELECT counter, machine_name, busy_until, due_at, answered_at, verdict, warnings, failed_at, failure, is_failing
         FROM portal_contact",
        params![],
        |row| {
            let warnings: String = row.get(6)?;
            Ok(Contact {
                counter: u64::try_from(row.get::<i64>(0)?).unwrap_or_default(),
                machine_name: row.get(1)?,
                busy_until: optional_time(row, 2)?,
                due_at: optional_time(row, 3)?,
                answered_at: optional_time(row, 4)?,
                verdict: row.get(5)?,
                warnings: serde_json::from_str(&warnings).unwrap_or_default(),
                failed_at: optional_time(row, 7)?,
                failure: row.get(8)?,
                is_failing: row.get::<i64>(9)? == 1,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Puts it in the place of what was there.
pub(crate) fn keep(tx: &mut WriteTx<'_>, contact: &Contact) -> Result<(), Error> {
    let millis = |time: Option<Timestamp>| time.map(Timestamp::unix_millis);
    tx.execute("DELETE FROM portal_contact", params![])?;
    tx.execute(
        "INSERT INTO portal_contact (id, counter, machine_name, busy_until, due_at, answered_at, verdict, warnings,
                                     failed_at, failure, is_failing)
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            i64::try_from(contact.counter).unwrap_or(i64::MAX),
            contact.machine_name.as_deref(),
            millis(contact.busy_until),
            millis(contact.due_at),
            millis(contact.answered_at),
            contact.verdict.as_deref(),
            &serde_json::Value::from(contact.warnings.as_slice()).to_string(),
            millis(contact.failed_at),
            contact.failure.as_deref(),
            i64::from(contact.is_failing),
        ],
    )?;
    Ok(())
}

/// The documents that were not taken.
pub(crate) fn rejections(tx: &mut ReadTx<'_>) -> Result<Vec<Rejection>, Error> {
    tx.query(
        "SELECT digest, kind, reason, rejected_at FROM portal_rejections ORDER BY rejected_at, digest",
        params![],
        |row| {
            Ok(Rejection { digest: row.get(0)?, kind: row.get(1)?, reason: row.get(2)?, at: time(row, 3)? })
        },
    )
}

/// Puts them in the place of those that were there.
pub(crate) fn keep_rejections(tx: &mut WriteTx<'_>, rejections: &[Rejection]) -> Result<(), Error> {
    tx.execute("DELETE FROM portal_rejections", params![])?;
    for rejection in rejections {
        tx.execute(
            "INSERT INTO portal_rejections (digest, kind, reason, rejected_at) VALUES ($1, $2, $3, $4)",
            params![&rejection.digest, &rejection.kind, &rejection.reason, rejection.at.unix_millis()],
        )?;
    }
    Ok(())
}
