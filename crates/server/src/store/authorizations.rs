//! Authorizations and their challenges.

use chancery_acme::Identifier;
use chancery_acme::challenge::ChallengeType;
use chancery_acme::identifier::IdentifierSet;
use chancery_acme::state::{AuthorizationStatus, ChallengeStatus};
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, named, optional_time, time};

/// An authorization as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) account_id: i64,
    pub(crate) identifier: Identifier,
    /// As of the last change; see [`AuthorizationStatus::at`].
    pub(crate) status: AuthorizationStatus,
    pub(crate) expires_at: Timestamp,
}

/// A challenge as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) id: i64,
    pub(crate) authorization_id: i64,
    pub(crate) kind: ChallengeType,
    pub(crate) token: String,
    pub(crate) status: ChallengeStatus,
    pub(crate) validated_at: Option<Timestamp>,
    /// The problem document of a failed challenge, as JSON.
    pub(crate) error: Option<String>,
}

/// Adds a pending authorization.
pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    account_id: i64,
    identifier: &Identifier,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<i64, Error> {
    tx.query_one(
        "INSERT INTO authorizations (account_id, identifier, status, expires_at, created_at)
         VALUES ($1, $2, $3, $4, $5) RETURNING id",
        params![
            account_id,
            &format!("{}:{}", identifier.kind(), identifier.value()),
            AuthorizationStatus::Pending.name(),
            expires_at.unix_millis(),
            now.unix_millis()
        ],
        |row| row.get(0),
    )
}

/// Adds a pending challenge.
pub(crate) fn insert_challenge(
    tx: &mut WriteTx<'_>,
    authorization_id: i64,
    kind: ChallengeType,
    token: &str,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO challenges (authorization_id, type, token, status) VALUES ($1, $2, $3, $4)",
        params![authorization_id, kind.name(), token, ChallengeStatus::Pending.name()],
    )?;
    Ok(())
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Authorization>, Error> {
    tx.query_opt(
        "SELECT account_id, identifier, status, expires_at FROM authorizations WHERE id = $1",
        params![id],
        authorization,
    )
}

/// The states of all authorizations of an order, each with the time at which it lapses.
pub(crate) fn states_of_order(
    tx: &mut ReadTx<'_>,
    order_id: i64,
) -> Result<Vec<(AuthorizationStatus, Timestamp)>, Error> {
    tx.query(
        "SELECT a.status, a.expires_at FROM order_authorizations o JOIN authorizations a ON a.id = o.authorization_id
         WHERE o.order_id = $1",
        params![order_id],
        |row| Ok((named(row, 0, AuthorizationStatus::named)?, time(row, 1)?)),
    )
}

pub(crate) fn set_status(
    tx: &mut WriteTx<'_>,
    id: i64,
    status: AuthorizationStatus,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE authorizations SET status = $1, expires_at = $2 WHERE id = $3",
        params![status.name(), expires_at.unix_millis(), id],
    )?;
    Ok(())
}

/// The challenges of an authorization, in the order in which they were made.
pub(crate) fn challenges(tx: &mut ReadTx<'_>, authorization_id: i64) -> Result<Vec<Challenge>, Error> {
    tx.query(
        "SELECT id, authorization_id, type, token, status, validated_at, error FROM challenges
         WHERE authorization_id = $1 ORDER BY id",
        params![authorization_id],
        challenge,
    )
}

pub(crate) fn challenge_by_id(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Challenge>, Error> {
    tx.query_opt(
        "SELECT id, authorization_id, type, token, status, validated_at, error FROM challenges WHERE id = $1",
        params![id],
        challenge,
    )
}

/// Moves a challenge from pending to processing; `false` where it was not pending.
pub(crate) fn set_challenge_processing(tx: &mut WriteTx<'_>, id: i64) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE challenges SET status = $1 WHERE id = $2 AND status = $3",
        params![ChallengeStatus::Processing.name(), id, ChallengeStatus::Pending.name()],
    )?;
    Ok(changed == 1)
}

/// Ends a challenge that is processing, and returns its authorization; `None` where it was not.
pub(crate) fn settle_challenge(
    tx: &mut WriteTx<'_>,
    id: i64,
    status: ChallengeStatus,
    validated_at: Option<Timestamp>,
    error: Option<&str>,
) -> Result<Option<i64>, Error> {
    tx.query_opt(
        "UPDATE challenges SET status = $1, validated_at = $2, error = $3 WHERE id = $4 AND status = $5
         RETURNING authorization_id",
        params![
            status.name(),
            validated_at.map(Timestamp::unix_millis),
            error,
            id,
            ChallengeStatus::Processing.name()
        ],
        |row| row.get(0),
    )
}

fn authorization(row: &Row<'_>) -> Result<Authorization, Error> {
    let identifier: String = row.get(1)?;
    let set = IdentifierSet::from_canonical(&identifier);
    Ok(Authorization {
        account_id: row.get(0)?,
        identifier: set
            .and_then(|set| set.as_slice().first().cloned())
            .ok_or_else(|| foreign(1, identifier))?,
        status: named(row, 2, AuthorizationStatus::named)?,
        expires_at: time(row, 3)?,
    })
}

fn challenge(row: &Row<'_>) -> Result<Challenge, Error> {
    Ok(Challenge {
        id: row.get(0)?,
        authorization_id: row.get(1)?,
        kind: named(row, 2, ChallengeType::named)?,
        token: row.get(3)?,
        status: named(row, 4, ChallengeStatus::named)?,
        validated_at: optional_time(row, 5)?,
        error: row.get(6)?,
    })
}
