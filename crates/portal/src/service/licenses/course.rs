//! What becomes of a licence in the course of time: renewed, suspended, reinstated, revoked, handed on.
//!
//! What is so already is answered like what was done, since clients send requests again.

use chancery_license::revocations::Reason;
use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::super::idempotency::Once;
use super::super::{Failure, Office, revocations as lists};
use super::create::hold;
use super::{Found, Which, act, existing_organisation, revoked};
use crate::domain::{Actor, Permission, Refusal, StoredStatus, fields, period};
use crate::events;
use crate::store::revocations::{self, NewRevocation, reason_name, reason_named};
use crate::store::{Page, activations, documents, installations, licenses, plans};

/// How a licence is renewed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renewal {
    /// Its new end; where it is missing, as much later as the plan says, counted from its end or, where it has ended,
    /// from now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// Why a licence is suspended.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suspension {
    /// For the issuance log: one line of 1 to 200 characters.
    pub(crate) reason: Option<String>,
}

/// A licence is reinstated: nothing has to be said.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reinstatement {}

/// Why a licence is revoked.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// `cancelled`, `compromised`, `misused`, `superseded`, `unpaid` or `unspecified`, which it is where it is missing.
    pub(crate) reason: Option<String>,
}

/// Whom a licence is handed on to.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transfer {
    pub(crate) organisation_id: String,
    /// Whether every seat is given back.
    #[serde(default)]
    pub(crate) release_seats: bool,
}

/// Gives a licence a later end. One that has expired comes alive by that.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; a revoked licence, and one without end; an end that is no later.
pub(crate) async fn renew(
    office: &Office,
    actor: &Actor,
    which: Which,
    renewal: Renewal,
    once: Option<Once>,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesUpdate, which, once, move |step, license| {
        if license.status == StoredStatus::Revoked {
            return Err(revoked().into());
        }
        let valid_days = plans::by_id(step.tx, &license.plan_id)?.and_then(|plan| plan.valid_days);
        let from = license.expires_at;
        let end = period::renewed(from, renewal.expires_at, valid_days, step.now)?;
        if from == Some(end) {
            return Ok(None);
        }
        license.expires_at = Some(end);
        hold(step.tx, step.product, license)?;
        let details = json!({
            "license": license.id,
            "product": step.product.slug,
            "from": from,
            "expires_at": end,
        });
        Ok(Some((events::LICENSE_RENEW, details)))
    })
    .await
}

/// Suspends a licence until it is reinstated.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; a revoked licence.
pub(crate) async fn suspend(
    office: &Office,
    actor: &Actor,
    which: Which,
    suspension: Suspension,
    once: Option<Once>,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesUpdate, which, once, move |step, license| {
        if let Some(reason) = &suspension.reason {
            fields::line("reason", reason, 200)?;
        }
        match license.status {
            StoredStatus::Revoked => return Err(revoked().into()),
            StoredStatus::Suspended => return Ok(None),
            StoredStatus::Pending | StoredStatus::Active => {}
        }
        license.status = StoredStatus::Suspended;
        license.suspended_at = Some(step.now);
        let details =
            json!({ "license": license.id, "product": step.product.slug, "reason": suspension.reason });
        Ok(Some((events::LICENSE_SUSPEND, details)))
    })
    .await
}

/// Takes a suspension back: the licence is as it was before.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; a revoked licence.
pub(crate) async fn reinstate(
    office: &Office,
    actor: &Actor,
    which: Which,
    Reinstatement {}: Reinstatement,
    once: Option<Once>,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesUpdate, which, once, move |step, license| {
        match license.status {
            StoredStatus::Revoked => return Err(revoked().into()),
            StoredStatus::Pending | StoredStatus::Active => return Ok(None),
            StoredStatus::Suspended => {}
        }
        let was_active = license.activated_at.is_some();
        license.status = if was_active { StoredStatus::Active } else { StoredStatus::Pending };
        license.suspended_at = None;
        let details = json!({ "license": license.id, "product": step.product.slug });
        Ok(Some((events::LICENSE_REINSTATE, details)))
    })
    .await
}

/// Revokes a licence for good: the revocation list tells of it.
///
/// # Errors
/// [`Permission::LicensesRevoke`]; a reason that there is not.
pub(crate) async fn revoke(
    office: &Office,
    actor: &Actor,
    which: Which,
    revocation: Revocation,
    once: Option<Once>,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesRevoke, which, once, move |step, license| {
        let reason = reason(revocation.reason.as_deref())?;
        if license.status == StoredStatus::Revoked {
            return Ok(None);
        }
        license.status = StoredStatus::Revoked;
        license.revoked_at = Some(step.now);
        license.revocation_reason = Some(reason_name(reason));
        let entry = NewRevocation {
            product_id: &license.product_id,
            environment: license.environment,
            license_id: &license.id,
            serial: None,
            reason,
            revoked_at: step.now,
        };
        revocations::insert(step.tx, &entry)?;
        lists::issue_in(step.office, step.tx, step.product, license.environment, step.now)?;
        let details = json!({
            "license": license.id,
            "product": step.product.slug,
            "reason": license.revocation_reason,
        });
        Ok(Some((events::LICENSE_REVOKE, details)))
    })
    .await
}

/// Hands a licence on to another organisation.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; a revoked licence; an organisation that is not there; seats that installations hold.
pub(crate) async fn transfer(
    office: &Office,
    actor: &Actor,
    which: Which,
    transfer: Transfer,
    once: Option<Once>,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesUpdate, which, once, move |step, license| {
        if license.status == StoredStatus::Revoked {
            return Err(revoked().into());
        }
        existing_organisation(step.tx, &transfer.organisation_id)?;
        let from = license.organisation_id.replace(transfer.organisation_id.clone());
        let mut released = 0;
        if transfer.release_seats && license.active_seats > 0 {
            let first = Page { limit: 1, after: None };
            if !installations::list(step.tx, &license.product_id, Some(&license.id), None, &first)?.is_empty()
            {
                let message = "installations hold seats of the licence: unlink them first";
                return Err(Refusal::field("release_seats", message).into());
            }
            let issues = documents::serials_of_taken_seats(step.tx, &license.id, step.now)?;
            let (product, environment) = (step.product, license.environment);
            let serials = lists::supersede(step.tx, &product.id, environment, &issues, step.now)?;
            lists::tell_of(step.office, step.tx, product, environment, &serials, step.now)?;
            released = activations::deactivate_all(step.tx, &license.id, step.now)?;
            licenses::release_seats(step.tx, &license.id)?;
            license.active_seats = 0;
        }
        if from == license.organisation_id && released == 0 {
            return Ok(None);
        }
        let details = json!({
            "license": license.id,
            "product": step.product.slug,
            "from": from,
            "organisation": license.organisation_id,
            "seats_released": released,
        });
        Ok(Some((events::LICENSE_TRANSFER, details)))
    })
    .await
}

/// The reason of that name, in the words of revocation lists.
fn reason(name: Option<&str>) -> Result<Reason, Refusal> {
    let rule = "is one of cancelled, compromised, misused, superseded, unpaid, unspecified";
    name.map_or(Ok(Reason::Unspecified), |name| {
        reason_named(name).ok_or_else(|| Refusal::field("reason", rule))
    })
}
