//! Challenges (RFC 8555 §7.5.1): the client says that it is ready, a job looks, the outcome is kept.

use std::sync::Arc;
use std::time::Duration;

use chancery_acme::challenge::{ChallengeType, key_authorization};
use chancery_acme::state::{AuthorizationStatus, ChallengeStatus};
use chancery_acme::{AccountKey, Identifier, Problem, Thumbprint};
use chancery_db::WriteTx;
use chancery_time::Timestamp;
use serde_json::json;

use super::accounts::require_valid;
use super::profiles::Profiles;
use super::{Failure, Signer, orders};
use crate::app::App;
use crate::audit::{Entry, Trail, events};
use crate::store::accounts;
use crate::store::authorizations::{self, Authorization, Challenge};
use crate::store::jobs::{self, JobKind};

/// How long the answer to a client waits for the outcome. Most hosts show it far sooner, and their
/// clients are spared a round of asking.
const PATIENCE: Duration = Duration::from_millis(300);

/// How a challenge ended.
#[derive(Debug)]
pub(crate) struct Settled {
    status: ChallengeStatus,
    validated_at: Option<Timestamp>,
    /// The problem document, as JSON.
    error: Option<String>,
}

/// What a challenge that was passed says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    /// How long an authorization may rest on it at most, where what was found says so.
    pub(crate) until: Option<Timestamp>,
    /// When the CAA records of the name were looked at, if they were.
    pub(crate) caa_checked_at: Option<Timestamp>,
}

/// What has to be looked for.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) challenge_id: i64,
    pub(crate) account_id: i64,
    pub(crate) kind: ChallengeType,
    pub(crate) identifier: Identifier,
    /// Whether the names below the identifier are to be proven as well (RFC 9444).
    pub(crate) with_subdomains: bool,
    /// The URL of the account, by which records in the DNS may name it.
    pub(crate) account_url: String,
    /// The name of the profile whose rules hold.
    pub(crate) profile: Option<String>,
    pub(crate) token: String,
    pub(crate) key_authorization: String,
    /// That of the account's key.
    pub(crate) thumbprint: String,
}

/// A challenge of the signer's account.
pub(crate) async fn view(app: &App, signer: Signer, id: i64) -> Result<Challenge, Failure> {
    app.db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            let challenge = authorizations::challenge_by_id(tx, id)?.ok_or_else(unknown)?;
            owned(tx, &signer, &challenge)?;
            Ok(challenge)
        })
        .await
}

/// Begins to validate a challenge. Answering one that is not pending any more changes nothing.
pub(crate) async fn answer(app: &App, signer: Signer, id: i64) -> Result<Challenge, Failure> {
    let now = app.now();
    let (owner, until) = app.jobs.lease(now);
    let (trail, limits) = (app.trail.clone(), Arc::clone(&app.limits));
    let account_url = app.urls.account(&app.sealer, signer.account_id);
    let (challenge, observation) = app
        .db
        .write(move |tx| {
            require_valid(tx, &signer)?;
            let mut challenge = authorizations::challenge_by_id(tx, id)?.ok_or_else(unknown)?;
            let authorization = owned(tx, &signer, &challenge)?;
            if authorization.status.at(now, authorization.expires_at) != AuthorizationStatus::Pending
                || !authorizations::set_challenge_processing(tx, id)?
            {
                return Ok((challenge, None));
            }
            limits.ask_validation(tx, signer.account_id, &authorization.identifier, now)?;
            challenge.status = ChallengeStatus::Processing;
            jobs::insert(tx, JobKind::Validate, id, &owner, until)?;
            let identifier = authorization.identifier.to_string();
            let details = json!({ "challenge": id, "type": challenge.kind.name(), "identifier": identifier });
            let entry = Entry::new(events::CHALLENGE_ANSWER, details).account(signer.account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            let observation = observation(account_url.clone(), &challenge, authorization, &signer.thumbprint);
            Ok::<_, Failure>((challenge, Some(observation)))
        })
        .await?;
    let Some(observation) = observation else { return Ok(challenge) };
    let outcome = app.jobs.validate(observation);
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Ok(settled)) => Ok(Challenge {
            error: settled.error,
            status: settled.status,
            validated_at: settled.validated_at,
            ..challenge
        }),
        Ok(Err(_)) | Err(_) => Ok(challenge),
    }
}

/// What a validation job that was left behind has to look for; `None` where there is nothing to do.
pub(crate) async fn resume(app: &App, id: i64) -> Result<Option<Observation>, Failure> {
    let left = app
        .db
        .read(move |tx| {
            let Some(challenge) = authorizations::challenge_by_id(tx, id)? else { return Ok(None) };
            let Some(authorization) = authorizations::by_id(tx, challenge.authorization_id)? else {
                return Ok(None);
            };
            let account = accounts::by_id(tx, authorization.account_id)?;
            Ok::<_, Failure>(account.map(|account| (challenge, authorization, account)))
        })
        .await?;
    let processing = left.filter(|(challenge, ..)| challenge.status == ChallengeStatus::Processing);
    let Some((challenge, authorization, account)) = processing else { return Ok(None) };
    let key = AccountKey::from_json(&account.jwk).map_err(anyhow::Error::from)?;
    let url = app.urls.account(&app.sealer, account.id);
    Ok(Some(observation(url, &challenge, authorization, key.thumbprint())))
}

/// Keeps the outcome of a validation: the challenge, its authorization, the orders that wait for it.
/// `None` where the challenge had been settled before.
pub(crate) async fn settle(
    app: &App,
    id: i64,
    outcome: Result<Passed, Problem>,
) -> Result<Option<Settled>, Failure> {
    let (now, trail, profiles) = (app.now(), app.trail.clone(), Arc::clone(&app.profiles));
    let limits = Arc::clone(&app.limits);
    app.db
        .write(move |tx| {
            jobs::delete(tx, JobKind::Validate, id)?;
            let settled = match &outcome {
                Ok(_) => Settled { status: ChallengeStatus::Valid, validated_at: Some(now), error: None },
                Err(problem) => Settled {
                    status: ChallengeStatus::Invalid,
                    validated_at: None,
                    error: Some(problem.to_json()),
                },
            };
            let Settled { status, validated_at, error } = &settled;
            let authorization =
                authorizations::settle_challenge(tx, id, *status, *validated_at, error.as_deref())?;
            let Some(authorization_id) = authorization else { return Ok(None) };
            let authorization = authorizations::by_id(tx, authorization_id)?;
            if let Some(authorization) = authorization {
                let (account_id, identifier) = (authorization.account_id, &authorization.identifier);
                limits.note_validation(tx, account_id, identifier, outcome.is_ok(), now)?;
                tell_outcome(tx, &trail, id, &authorization, &outcome, now)?;
                settle_authorization(tx, &profiles, authorization_id, authorization, &outcome, now)?;
            }
            Ok(Some(settled))
        })
        .await
}

fn tell_outcome(
    tx: &mut WriteTx<'_>,
    trail: &Trail,
    id: i64,
    authorization: &Authorization,
    outcome: &Result<Passed, Problem>,
    now: Timestamp,
) -> Result<(), chancery_db::Error> {
    let identifier = authorization.identifier.to_string();
    let (kind, details) = match outcome {
        Ok(_) => (events::CHALLENGE_VALID, json!({ "challenge": id, "identifier": identifier })),
        Err(problem) => (
            events::CHALLENGE_INVALID,
            json!({ "challenge": id, "identifier": identifier, "error": problem.detail() }),
        ),
    };
    trail.tell(tx, &Entry::new(kind, details).account(authorization.account_id), now)
}

fn settle_authorization(
    tx: &mut WriteTx<'_>,
    profiles: &Profiles,
    id: i64,
    authorization: Authorization,
    outcome: &Result<Passed, Problem>,
    now: Timestamp,
) -> Result<(), Failure> {
    // The account may have given it up while the server looked.
    if authorization.status != AuthorizationStatus::Pending {
        return Ok(());
    }
    let profile = profiles.of(authorization.profile.as_deref());
    let (status, expires_at) = match (outcome, profile) {
        (Ok(passed), Some(profile)) => {
            if let Some(at) = passed.caa_checked_at {
                authorizations::set_caa_checked(tx, id, at)?;
            }
            let lapse_at = now + profile.rules.authorizations_last;
            (AuthorizationStatus::Valid, passed.until.map_or(lapse_at, |until| until.min(lapse_at)))
        }
        // Where the profile is no more, nothing can be issued under it.
        (Err(_), _) | (_, None) => (AuthorizationStatus::Invalid, authorization.expires_at),
    };
    authorizations::set_status(tx, id, status, expires_at)?;
    if expires_at < authorization.expires_at {
        // No order outlasts what it rests on.
        crate::store::orders::cut_short(tx, id, expires_at)?;
    }
    let why = match outcome {
        Ok(_) => Problem::unauthorized("an authorization of this order is no longer valid"),
        Err(problem) => problem.clone().about(authorization.identifier),
    };
    Ok(orders::settle_open(tx, id, &why, now)?)
}

fn observation(
    account_url: String,
    challenge: &Challenge,
    authorization: Authorization,
    thumbprint: &Thumbprint,
) -> Observation {
    Observation {
        challenge_id: challenge.id,
        account_id: authorization.account_id,
        kind: challenge.kind,
        identifier: authorization.identifier,
        with_subdomains: authorization.with_subdomains,
        account_url,
        profile: authorization.profile,
        token: challenge.token.clone(),
        key_authorization: key_authorization(&challenge.token, thumbprint),
        thumbprint: thumbprint.as_str().to_owned(),
    }
}

fn owned(
    tx: &mut chancery_db::ReadTx<'_>,
    signer: &Signer,
    challenge: &Challenge,
) -> Result<authorizations::Authorization, Failure> {
    authorizations::by_id(tx, challenge.authorization_id)?
        .filter(|authorization| authorization.account_id == signer.account_id)
        .ok_or_else(unknown)
}

fn unknown() -> Failure {
    Failure::foreign("this account has no such challenge")
}
