//! Authorizations ahead of any order (RFC 8555 §7.4.1), also for the names below one (RFC 9444 §4.2).

use std::sync::Arc;

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::payload::NewAuthz;
use chancery_acme::{Identifier, ProblemType};
use chancery_db::WriteTx;
use serde_json::json;

use super::accounts::require_standing;
use super::authorizations::{AuthorizationView, load};
use super::proofs::{LIFETIME, Proofs};
use super::{Failure, Signer};
use crate::app::App;
use crate::audit::{Entry, events};
use crate::policy::Request;
use crate::store::{authorizations, external_accounts};

/// Makes an authorization, or finds the one that there is; says which. `profile` is that of the directory which
/// the client found, if it is a profile's own.
///
/// No certificate comes of it, so the licence has no say here: it has when the order is made.
pub(crate) async fn create(
    app: &App,
    signer: Signer,
    request: NewAuthz,
    profile: Option<String>,
) -> Result<(i64, AuthorizationView, bool), Failure> {
    let now = app.now();
    let (alone, _) = IdentifierSet::new(vec![request.identifier.clone()])?;
    let (identifier, with_subdomains) = request.read()?;
    super::require_audit(app)?;
    let (trail, profiles, limits) = (app.trail.clone(), Arc::clone(&app.profiles), Arc::clone(&app.limits));
    app.db
        .write(move |tx| {
            let is_bound = require_standing(tx, &signer)?;
            let policy =
                if is_bound { external_accounts::policy_of_account(tx, signer.account_id)? } else { None };
            let profile = profiles.select(&Request {
                identifiers: &alone,
                profile: profile.as_deref(),
                is_bound,
                account: policy.as_ref(),
            })?;
            let proofs = Proofs {
                limits: &limits,
                account_id: signer.account_id,
                profile: profile.rules,
                skipped: policy.as_ref().is_some_and(|policy| policy.skip_validation),
                lapse_at: now + LIFETIME,
                now,
            };
            if with_subdomains && !proofs.proves_subdomains() {
                let why =
                    "cannot be authorized with the names below it here: leave `subdomainAuthAllowed` out";
                return Err(alone.refused(ProblemType::RejectedIdentifier, &[&identifier], why).into());
            }
            if let Some(found) = find(tx, &proofs, &identifier, with_subdomains)? {
                return Ok((found, load(tx, &signer, found, now)?, false));
            }
            limits.take_names(tx, signer.account_id, 1, now)?;
            let made = proofs.insert(tx, &identifier, with_subdomains)?.id;
            let details = json!({
                "authorization": made,
                "identifier": identifier.to_string(),
                "profile": profile.rules.name,
                "subdomains": with_subdomains,
            });
            let entry = Entry::new(events::AUTHORIZATION_CREATE, details).account(signer.account_id);
            trail.tell(tx, &entry.from(&signer.origin), now)?;
            Ok((made, load(tx, &signer, made, now)?, true))
        })
        .await
}

/// One that is valid, or that was made ahead and waits for its client. That of an order under way is its own: it
/// may fail with its order.
fn find(
    tx: &mut WriteTx<'_>,
    proofs: &Proofs<'_>,
    identifier: &Identifier,
    with_subdomains: bool,
) -> Result<Option<i64>, Failure> {
    if let Some(valid) = proofs.exact(tx, identifier, with_subdomains)? {
        return Ok(Some(valid.id));
    }
    let (account, profile) = (proofs.account_id, &proofs.profile.name);
    Ok(authorizations::pending_ahead(tx, account, identifier, profile, with_subdomains, proofs.now)?)
}
