//! Changing a licence.

use chancery_license::Entitlements;
use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::super::{Failure, Office};
use super::create::hold;
use super::terms::{Overrides, usable_plan};
use super::{Found, Which, act, difference, existing_organisation};
use crate::api::license::EntitlementObject;
use crate::domain::{Actor, Change, Code, Permission, Refusal, StoredStatus};
use crate::events;
use crate::store::licenses::{Entitlement, License};

/// What becomes of a licence. What is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LicenseChanges {
    /// The plan that its terms are copied from anew, before the rest is changed. The present one may be named too.
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) plan_key: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) organisation_id: Change<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) reference: Change<String>,
    /// In place of all that is there.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(crate) metadata: Change<Map<String, Value>>,
    /// Null for at once.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) starts_at: Change<Timestamp>,
    /// Null for never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Change<Timestamp>,
    /// Null for any number; not below the seats that are taken.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1)]
    pub(crate) seat_limit: Change<i64>,
    /// `hardware_locked`, `floating` or `named_user`
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) mode: Change<String>,
    /// In place of all that are there.
    #[serde(default)]
    #[schema(value_type = Vec<EntitlementObject>)]
    pub(crate) entitlements: Change<Vec<Entitlement>>,
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0, maximum = 366)]
    pub(crate) grace_days: Change<i64>,
    /// `block` or `renewals_only`
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) after_grace: Change<String>,
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 3650)]
    pub(crate) file_days: Change<i64>,
    #[serde(default)]
    #[schema(value_type = i64, minimum = 0, maximum = 30)]
    pub(crate) file_grace_days: Change<i64>,
    /// Of a product of kind chancery, in place of all that it allows.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) chancery_entitlements: Change<Entitlements>,
}

/// Changes a licence.
///
/// # Errors
/// [`Permission::LicensesUpdate`]; what is not there; values that break a rule; fewer seats than are taken. Of a
/// revoked licence only what its documents do not show may change.
pub(crate) async fn change(
    office: &Office,
    actor: &Actor,
    which: Which,
    changes: LicenseChanges,
) -> Result<Found, Failure> {
    act(office, actor, Permission::LicensesUpdate, which, None, move |step, license| {
        let before = license.clone();
        apply(step.tx, step.product, changes.clone(), license)?;
        let changed = difference::changed(&before, license);
        if changed.is_empty() {
            return Ok(None);
        }
        if license.status == StoredStatus::Revoked && difference::is_shown(&before, license) {
            return Err(super::revoked().into());
        }
        if license.terms.seat_limit != before.terms.seat_limit {
            enough_seats(license)?;
        }
        let details = json!({
            "license": license.id,
            "product": step.product.slug,
            "changed": changed,
            "plan_key": license.terms.plan_key,
        });
        Ok(Some((events::LICENSE_UPDATE, details)))
    })
    .await
}

fn apply(
    tx: &mut chancery_db::WriteTx<'_>,
    product: &crate::store::products::Product,
    changes: LicenseChanges,
    license: &mut License,
) -> Result<(), Failure> {
    let mut plan_key = license.terms.plan_key.clone();
    if changes.plan_key.apply_to("plan_key", &mut plan_key)? {
        let plan = usable_plan(tx, product, &plan_key)?;
        license.plan_id = plan.id;
        license.terms = plan.terms;
    }
    let overrides = Overrides {
        seat_limit: changes.seat_limit,
        mode: changes.mode,
        entitlements: changes.entitlements,
        grace_days: changes.grace_days,
        after_grace: changes.after_grace,
        file_days: changes.file_days,
        file_grace_days: changes.file_grace_days,
        chancery_entitlements: changes.chancery_entitlements,
    };
    overrides.apply(&mut license.terms)?;
    if changes.organisation_id.apply(&mut license.organisation_id)
        && let Some(id) = &license.organisation_id
    {
        existing_organisation(tx, id)?;
    }
    changes.reference.apply(&mut license.reference);
    changes.metadata.apply(&mut license.metadata);
    changes.starts_at.apply(&mut license.starts_at);
    changes.expires_at.apply(&mut license.expires_at);
    license.starts_at = license.starts_at.map(Timestamp::whole_seconds);
    license.expires_at = license.expires_at.map(Timestamp::whole_seconds);
    hold(tx, product, license)
}

/// Holds a limit to the seats that are taken: nobody chooses for the customer which devices have to go.
fn enough_seats(license: &License) -> Result<(), Refusal> {
    let (limit, taken) = (license.terms.seat_limit, license.active_seats);
    if limit.is_none_or(|limit| limit >= taken) {
        return Ok(());
    }
    let message = format!("seat_limit: {taken} seats are taken: give some of them back first");
    Err(Refusal::new(Code::SeatLimitExceeded, message)
        .with("field", "seat_limit".into())
        .with("seat_limit", limit.into())
        .with("active_seats", taken.into()))
}
