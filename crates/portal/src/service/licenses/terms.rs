//! The terms of a licence: those of its plan, and what a request says otherwise.

use chancery_db::ReadTx;
use chancery_license::Entitlements;
use chancery_time::Timestamp;

use super::super::Failure;
use crate::domain::{Change, Refusal, terms};
use crate::store::licenses::{Entitlement, Terms, after_grace_name};
use crate::store::plans::{self, Plan};
use crate::store::products::Product;

/// What a request says of terms.
#[derive(Debug, Clone, Default)]
pub(super) struct Overrides {
    pub(super) seat_limit: Change<i64>,
    pub(super) mode: Change<String>,
    pub(super) entitlements: Change<Vec<Entitlement>>,
    pub(super) grace_days: Change<i64>,
    pub(super) after_grace: Change<String>,
    pub(super) file_days: Change<i64>,
    pub(super) file_grace_days: Change<i64>,
    pub(super) chancery_entitlements: Change<Entitlements>,
}

impl Overrides {
    /// Changes the terms; those of a plan have to be copied before.
    ///
    /// # Errors
    /// What comes of it has to keep the rules of terms.
    pub(super) fn apply(self, terms: &mut Terms) -> Result<(), Refusal> {
        self.seat_limit.apply(&mut terms.seat_limit);
        let (mut mode, mut after_grace) =
            (terms.mode.name().to_owned(), after_grace_name(terms.after_grace).to_owned());
        if self.mode.apply_to("mode", &mut mode)? {
            terms.mode = terms::mode(&mode)?;
        }
        if self.after_grace.apply_to("after_grace", &mut after_grace)? {
            terms.after_grace = terms::after_grace(&after_grace)?;
        }
        self.entitlements.apply_to("entitlements", &mut terms.entitlements)?;
        for entitlement in &mut terms.entitlements {
            entitlement.expires_at = entitlement.expires_at.map(Timestamp::whole_seconds);
        }
        self.grace_days.apply_to("grace_days", &mut terms.grace_days)?;
        self.file_days.apply_to("file_days", &mut terms.file_days)?;
        self.file_grace_days.apply_to("file_grace_days", &mut terms.file_grace_days)?;
        match (self.chancery_entitlements, terms.chancery.as_mut()) {
            (Change::Keep, _) => {}
            (_, None) => {
                let rule = "is for licences of a product of kind chancery, whose plan says what it allows";
                return Err(Refusal::field("chancery_entitlements", rule));
            }
            (change, Some(allowed)) => {
                change.apply_to("chancery_entitlements", &mut allowed.entitlements)?;
            }
        }
        terms::check(terms)
    }
}

/// The plan of a product that licences are made of.
pub(super) fn usable_plan(tx: &mut ReadTx<'_>, product: &Product, plan_key: &str) -> Result<Plan, Failure> {
    let plan = plans::by_key(tx, &product.id, plan_key)?
        .ok_or_else(|| Refusal::field("plan_key", "the product has no such plan"))?;
    match plan.archived_at {
        None => Ok(plan),
        Some(_) => Err(Refusal::field("plan_key", "this plan is archived: name one that is not").into()),
    }
}
