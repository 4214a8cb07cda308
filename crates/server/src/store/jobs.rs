//! What the server owes, held by leases.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_time::Timestamp;

use super::named;

/// A kind of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum JobKind {
    /// Look whether a challenge is passed; the subject is the challenge.
    Validate,
    /// Issue the certificate of an order; the subject is the order.
    Issue,
}

impl JobKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Issue => "issue",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Validate, Self::Issue].into_iter().find(|kind| kind.name() == name)
    }
}

/// A job that was taken over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    pub(crate) kind: JobKind,
    pub(crate) subject_id: i64,
    /// How often it was begun, this time included.
    pub(crate) attempts: i64,
}

/// Adds a job that `owner` holds until `until`.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    kind: JobKind,
    subject_id: i64,
    owner: &str,
    until: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO jobs (kind, subject_id, lease_owner, lease_until, attempts) VALUES ($1, $2, $3, $4, 1)",
        params![kind.name(), subject_id, owner, until.unix_millis()],
    )?;
    Ok(())
}

pub(crate) fn delete(tx: &mut WriteTx<'_>, kind: JobKind, subject_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM jobs WHERE kind = $1 AND subject_id = $2", params![kind.name(), subject_id])?;
    Ok(())
}

/// Ends every lease of `owner`, whose earlier run is known to be over.
pub(crate) fn release(tx: &mut WriteTx<'_>, owner: &str) -> Result<(), Error> {
    tx.execute("UPDATE jobs SET lease_until = 0 WHERE lease_owner = $1", params![owner])?;
    Ok(())
}

/// Whether the lease of any job has run out.
pub(crate) fn any_expired(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<bool, Error> {
    let expired = tx.query(
        "SELECT subject_id FROM jobs WHERE lease_until < $1 LIMIT 1",
        params![now.unix_millis()],
        |row| row.get::<i64>(0),
    )?;
    Ok(!expired.is_empty())
}

/// Takes over up to `limit` jobs whose lease has run out, those first that waited longest.
pub(crate) fn claim(
    tx: &mut WriteTx<'_>,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Job>, Error> {
    tx.query(
        "UPDATE jobs SET lease_owner = $1, lease_until = $2, attempts = attempts + 1
         WHERE (kind, subject_id) IN (SELECT kind, subject_id FROM jobs WHERE lease_until < $3 ORDER BY lease_until LIMIT $4)
         RETURNING kind, subject_id, attempts",
        params![owner, until.unix_millis(), now.unix_millis(), limit],
        |row| {
            Ok(Job { kind: named(row, 0, JobKind::named)?, subject_id: row.get(1)?, attempts: row.get(2)? })
        },
    )
}
