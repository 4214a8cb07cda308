//! Authorizations and their challenges.

use chancery_acme::Identifier;
use chancery_acme::challenge::ChallengeType;
use chancery_acme::identifier::DnsName;
use chancery_acme::state::{AuthorizationStatus, ChallengeStatus};
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, named, optional_named, optional_time, time};

/// An authorization as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    pub(crate) account_id: i64,
    pub(crate) identifier: Identifier,
    /// As of the last change; see [`AuthorizationStatus::at`].
    pub(crate) status: AuthorizationStatus,
    pub(crate) expires_at: Timestamp,
    /// The name of the profile that it is of.
    pub(crate) profile: Option<String>,
    /// Whether it speaks for the names below as well (RFC 9444).
    pub(crate) with_subdomains: bool,
}

/// What a new authorization is made of.
#[derive(Debug)]
pub(crate) struct NewAuthorization<'a> {
    pub(crate) account_id: i64,
    pub(crate) identifier: &'a Identifier,
    pub(crate) profile: &'a str,
    pub(crate) with_subdomains: bool,
    pub(crate) status: AuthorizationStatus,
    pub(crate) expires_at: Timestamp,
    pub(crate) created_at: Timestamp,
}

/// A valid authorization that can be used again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) id: i64,
    pub(crate) expires_at: Timestamp,
}

/// An authorization that an order rests on, as far as CAA records are concerned.
#[derive(Debug, Clone)]
pub(crate) struct Support {
    pub(crate) id: i64,
    pub(crate) identifier: Identifier,
    pub(crate) with_subdomains: bool,
    /// When the CAA records of its identifier were last looked at.
    pub(crate) caa_checked_at: Option<Timestamp>,
    /// The challenge that was passed for it; `None` where none was asked for.
    pub(crate) proven_by: Option<ChallengeType>,
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

/// Adds an authorization.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewAuthorization<'_>) -> Result<i64, Error> {
    tx.query_one(
        "INSERT INTO authorizations
         (account_id, identifier, status, expires_at, created_at, profile, with_subdomains)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        params![
            new.account_id,
            &new.identifier.canonical(),
            new.status.name(),
            new.expires_at.unix_millis(),
            new.created_at.unix_millis(),
            new.profile,
            i64::from(new.with_subdomains)
        ],
        |row| row.get(0),
    )
}

/// The authorization of an account for a name under a profile that is valid beyond `until`, and of several the one
/// that lasts longest; with `with_subdomains` only one that speaks for the names below as well.
pub(crate) fn valid_for(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    identifier: &Identifier,
    profile: &str,
    with_subdomains: bool,
    until: Timestamp,
) -> Result<Option<Found>, Error> {
    tx.query_opt(
        "SELECT id, expires_at FROM authorizations
         WHERE account_id = $1 AND identifier = $2 AND status = $3 AND expires_at > $4 AND profile = $5
           AND with_subdomains >= $6
         ORDER BY expires_at DESC LIMIT 1",
        params![
            account_id,
            &identifier.canonical(),
            AuthorizationStatus::Valid.name(),
            until.unix_millis(),
            profile,
            i64::from(with_subdomains)
        ],
        found,
    )
}

/// As [`valid_for`], for those that speak for a name since it lies below theirs, or for it and what lies below it.
pub(crate) fn valid_above(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    name: &DnsName,
    profile: &str,
    until: Timestamp,
) -> Result<Option<Found>, Error> {
    // Behind `dns:` stands the name. What is canonical holds no sign that LIKE has a use for.
    tx.query_opt(
        "SELECT id, expires_at FROM authorizations
         WHERE account_id = $1 AND with_subdomains = 1 AND status = $2 AND expires_at > $3 AND profile = $4
           AND $5 LIKE '%.' || substr(identifier, 5)
         ORDER BY expires_at DESC LIMIT 1",
        params![
            account_id,
            AuthorizationStatus::Valid.name(),
            until.unix_millis(),
            profile,
            &format!(".{}", name.as_str())
        ],
        found,
    )
}

/// The pending authorization of an account for a name under a profile that was made ahead of any order, and that no
/// order rests on.
pub(crate) fn pending_ahead(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    identifier: &Identifier,
    profile: &str,
    with_subdomains: bool,
    now: Timestamp,
) -> Result<Option<i64>, Error> {
    tx.query_opt(
        "SELECT a.id FROM authorizations a
         WHERE a.account_id = $1 AND a.identifier = $2 AND a.status = $3 AND a.expires_at > $4 AND a.profile = $5
           AND a.with_subdomains = $6
           AND NOT EXISTS (SELECT 1 FROM order_authorizations o WHERE o.authorization_id = a.id)
         ORDER BY a.id DESC LIMIT 1",
        params![
            account_id,
            &identifier.canonical(),
            AuthorizationStatus::Pending.name(),
            now.unix_millis(),
            profile,
            i64::from(with_subdomains)
        ],
        |row| row.get(0),
    )
}

/// The authorizations that an order rests on.
pub(crate) fn supports_of_order(tx: &mut ReadTx<'_>, order_id: i64) -> Result<Vec<Support>, Error> {
    tx.query(
        "SELECT a.id, a.identifier, a.with_subdomains, a.caa_checked_at,
                (SELECT min(c.type) FROM challenges c WHERE c.authorization_id = a.id AND c.status = $1)
         FROM order_authorizations o JOIN authorizations a ON a.id = o.authorization_id
         WHERE o.order_id = $2",
        params![ChallengeStatus::Valid.name(), order_id],
        |row| {
            Ok(Support {
                id: row.get(0)?,
                identifier: identifier(row, 1)?,
                with_subdomains: row.get::<i64>(2)? != 0,
                caa_checked_at: optional_time(row, 3)?,
                proven_by: optional_named(row, 4, ChallengeType::named)?,
            })
        },
    )
}

/// Keeps when the CAA records of an authorization's identifier were looked at, and allowed what was wanted.
pub(crate) fn set_caa_checked(tx: &mut WriteTx<'_>, id: i64, at: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE authorizations SET caa_checked_at = $1 WHERE id = $2", params![at.unix_millis(), id])?;
    Ok(())
}

/// When the last of those pending authorizations of an account lapses that are more than `most`; `None` where
/// there are no more.
pub(crate) fn pending_beyond(
    tx: &mut ReadTx<'_>,
    account_id: i64,
    most: i64,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    // Counted from the one that lapses last, so that no more rows are read than may be there.
    tx.query_opt(
        "SELECT expires_at FROM authorizations WHERE account_id = $1 AND status = 'pending' AND expires_at > $2
         ORDER BY expires_at DESC LIMIT 1 OFFSET $3",
        params![account_id, now.unix_millis(), most],
        |row| time(row, 0),
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
        "SELECT account_id, identifier, status, expires_at, profile, with_subdomains FROM authorizations WHERE id = $1",
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
    Ok(Authorization {
        account_id: row.get(0)?,
        identifier: identifier(row, 1)?,
        status: named(row, 2, AuthorizationStatus::named)?,
        expires_at: time(row, 3)?,
        profile: row.get(4)?,
        with_subdomains: row.get::<i64>(5)? != 0,
    })
}

fn identifier(row: &Row<'_>, index: usize) -> Result<Identifier, Error> {
    let text: String = row.get(index)?;
    Identifier::from_canonical(&text).ok_or_else(|| foreign(index, text))
}

fn found(row: &Row<'_>) -> Result<Found, Error> {
    Ok(Found { id: row.get(0)?, expires_at: time(row, 1)? })
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
