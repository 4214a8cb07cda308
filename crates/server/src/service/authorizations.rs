//! Authorizations (RFC 8555 §7.5).

use chancery_acme::Problem;
use chancery_acme::payload::AuthorizationUpdate;
use chancery_acme::state::AuthorizationStatus;
use chancery_db::ReadTx;
use chancery_time::Timestamp;
use serde_json::json;

use super::accounts::require_valid;
use super::{Failure, Signer, orders};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::store::authorizations::{self, Authorization, Challenge};

/// An authorization with its challenges, as of a time.
#[derive(Debug, Clone)]
pub(crate) struct AuthorizationView {
    pub(crate) authorization: Authorization,
    /// What it is now; the stored status may be older.
    pub(crate) status: AuthorizationStatus,
    pub(crate) challenges: Vec<Challenge>,
}

/// An authorization of the signer's account.
pub(crate) async fn view(app: &App, signer: Signer, id: i64) -> Result<AuthorizationView, Failure> {
    let now = app.now();
    app.db
        .read(move |tx| {
            require_valid(tx, &signer)?;
            load(tx, &signer, id, now)
        })
        .await
}

/// Gives an authorization up; orders that waited for it become invalid.
pub(crate) async fn deactivate(
    app: &App,
    signer: Signer,
    id: i64,
    update: AuthorizationUpdate,
) -> Result<AuthorizationView, Failure> {
    if update.status != AuthorizationStatus::Deactivated.name() {
        return Err(Problem::malformed("`status` can only be set to `deactivated`").into());
    }
    let (now, trail) = (app.now(), app.trail.clone());
    app.db
        .write(move |tx| {
            require_valid(tx, &signer)?;
            let view = load(tx, &signer, id, now)?;
            match view.status {
                AuthorizationStatus::Pending | AuthorizationStatus::Valid => {}
                AuthorizationStatus::Deactivated => return Ok(view),
                ended => {
                    let detail = format!("the authorization is {} and cannot be deactivated", ended.name());
                    return Err(Problem::malformed(detail).into());
                }
            }
            let deactivated = AuthorizationStatus::Deactivated;
            authorizations::set_status(tx, id, deactivated, view.authorization.expires_at)?;
            let why = Problem::unauthorized("an authorization of this order was deactivated by its account");
            orders::settle_open(tx, id, &why, now)?;
            let identifier = view.authorization.identifier.to_string();
            let details = json!({ "authorization": id, "identifier": identifier });
            let entry = Entry::new(events::AUTHORIZATION_DEACTIVATE, details).account(signer.account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            load(tx, &signer, id, now)
        })
        .await
}

/// Loads an authorization that must be the signer's. One that is not, is not said to exist.
pub(crate) fn load(
    tx: &mut ReadTx<'_>,
    signer: &Signer,
    id: i64,
    now: Timestamp,
) -> Result<AuthorizationView, Failure> {
    let authorization = authorizations::by_id(tx, id)?
        .filter(|authorization| authorization.account_id == signer.account_id)
        .ok_or_else(|| Failure::foreign("this account has no such authorization"))?;
    let challenges = authorizations::challenges(tx, id)?;
    let status = authorization.status.at(now, authorization.expires_at);
    Ok(AuthorizationView { authorization, status, challenges })
}
