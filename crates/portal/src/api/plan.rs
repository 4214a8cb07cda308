//! The plan, as the API writes it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use super::license::{ChanceryTerms, EntitlementObject};
use crate::store::licenses::after_grace_name;
use crate::store::plans::Plan;
use crate::store::products::Product;

/// What licences are made with.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PlanObject {
    /// `plan`
    object: &'static str,
    id: String,
    product_slug: String,
    plan_key: String,
    name: String,
    /// `hardware_locked`, `floating` or `named_user`
    mode: &'static str,
    /// Null for any number of seats.
    seat_limit: Option<i64>,
    /// For how many days a licence is valid, and renewed by; null for ever.
    valid_days: Option<i64>,
    /// For how many days everything still works after the end.
    grace_days: i64,
    /// `renewals_only` or `block`
    after_grace: &'static str,
    /// How long machine files are valid where a request does not say, and their grace.
    file_days: i64,
    file_grace_days: i64,
    entitlements: Vec<EntitlementObject>,
    /// Of a product of the kind chancery.
    chancery: Option<ChanceryTerms>,
    metadata: Option<Map<String, Value>>,
    created_at: Time,
    /// Since when no licences are made of it; null while they are.
    archived_at: Option<Time>,
}

impl PlanObject {
    pub(crate) fn new(row: &Plan, product: &Product) -> Self {
        let terms = &row.terms;
        Self {
            object: "plan",
            id: row.id.clone(),
            product_slug: product.slug.clone(),
            plan_key: terms.plan_key.clone(),
            name: row.name.clone(),
            mode: terms.mode.name(),
            seat_limit: terms.seat_limit,
            valid_days: row.valid_days,
            grace_days: terms.grace_days,
            after_grace: after_grace_name(terms.after_grace),
            file_days: terms.file_days,
            file_grace_days: terms.file_grace_days,
            entitlements: terms.entitlements.iter().map(EntitlementObject::from).collect(),
            chancery: terms.chancery.map(ChanceryTerms::from),
            metadata: row.metadata.clone(),
            created_at: row.created_at.into(),
            archived_at: row.archived_at.map(Time),
        }
    }
}
