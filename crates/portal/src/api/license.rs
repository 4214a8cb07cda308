//! The licence, as the API writes it.

use chancery_license::Entitlements;
use chancery_time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use super::clear_key::ClearKey;
use crate::store::licenses::{Allowed, Entitlement, License, after_grace_name};
use crate::store::products::Product;

/// A licence, as programs in the field see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LicenseObject {
    /// `license`
    object: &'static str,
    key: ClearKey,
    #[serde(flatten)]
    facts: LicenseFacts,
}

/// A licence, as the vendor sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LicenseDetails {
    /// `license`
    object: &'static str,
    id: String,
    /// Not in lists, and only for those who may read licences.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ClearKey>,
    /// The last characters of the key.
    key_hint: String,
    #[serde(flatten)]
    facts: LicenseFacts,
    /// `prod`, `dev`, `staging` or `uat`
    environment: &'static str,
    organisation_id: Option<String>,
    /// What the vendor's own books call it.
    reference: Option<String>,
    /// All that it was given, those that have ended among them.
    entitlements: Vec<EntitlementObject>,
    /// For how many days everything still works after its end.
    grace_days: i64,
    /// What is allowed after that: `block` or `renewals_only`.
    after_grace: &'static str,
    /// For how many days machine files are valid where a request does not say.
    file_days: i64,
    /// The days of grace of such machine files.
    file_grace_days: i64,
    /// Of a product of kind chancery.
    chancery: Option<ChanceryTerms>,
    /// Rises with every change that its documents show.
    revision: i64,
    created_at: Time,
    activated_at: Option<Time>,
    suspended_at: Option<Time>,
    revoked_at: Option<Time>,
    revocation_reason: Option<String>,
}

/// What both say.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct LicenseFacts {
    /// `pending`, `active`, `suspended`, `revoked` or `expired`
    status: &'static str,
    starts_at: Option<Time>,
    expires_at: Option<Time>,
    /// `hardware_locked`, `floating` or `named_user`
    mode: &'static str,
    plan_key: String,
    /// Null for any number of seats.
    seat_limit: Option<i64>,
    active_seats: i64,
    active_entitlements: Vec<EntitlementObject>,
    metadata: Option<Map<String, Value>>,
    product: ProductReference,
}

/// Something that the licence entitles to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EntitlementObject {
    key: String,
    expires_at: Option<Time>,
    metadata: Option<Map<String, Value>>,
}

/// What a licence of a product of kind chancery allows.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ChanceryTerms {
    /// `free`, `starter`, `pro` or `enterprise`
    plan: &'static str,
    #[schema(value_type = Object)]
    entitlements: Entitlements,
}

/// The product of a licence.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProductReference {
    slug: String,
    name: String,
}

impl LicenseObject {
    /// The licence at `now`; `key` is its key in the clear. Entitlements that have ended are left out.
    pub(crate) fn new(license: &License, key: &str, product: &Product, now: Timestamp) -> Self {
        Self { object: "license", key: key.into(), facts: LicenseFacts::new(license, product, now) }
    }
}

impl LicenseDetails {
    /// The licence at `now`; `key` is its key in the clear, for whom may see it.
    pub(crate) fn new(license: &License, key: Option<&str>, product: &Product, now: Timestamp) -> Self {
        let terms = &license.terms;
        Self {
            object: "license",
            id: license.id.clone(),
            key: key.map(ClearKey::from),
            key_hint: license.key_hint.clone(),
            facts: LicenseFacts::new(license, product, now),
            environment: license.environment.name(),
            organisation_id: license.organisation_id.clone(),
            reference: license.reference.clone(),
            entitlements: terms.entitlements.iter().map(EntitlementObject::from).collect(),
            grace_days: terms.grace_days,
            after_grace: after_grace_name(terms.after_grace),
            file_days: terms.file_days,
            file_grace_days: terms.file_grace_days,
            chancery: terms.chancery.map(ChanceryTerms::from),
            revision: license.revision,
            created_at: license.created_at.into(),
            activated_at: license.activated_at.map(Time),
            suspended_at: license.suspended_at.map(Time),
            revoked_at: license.revoked_at.map(Time),
            revocation_reason: license.revocation_reason.clone(),
        }
    }
}

impl LicenseFacts {
    fn new(license: &License, product: &Product, now: Timestamp) -> Self {
        let entitlements = license.terms.entitlements.iter();
        let active = entitlements.filter(|entitlement| entitlement.expires_at.is_none_or(|end| now < end));
        Self {
            status: license.status_at(now).name(),
            starts_at: license.starts_at.map(Time),
            expires_at: license.expires_at.map(Time),
            mode: license.terms.mode.name(),
            plan_key: license.terms.plan_key.clone(),
            seat_limit: license.terms.seat_limit,
            active_seats: license.active_seats,
            active_entitlements: active.map(EntitlementObject::from).collect(),
            metadata: license.metadata.clone(),
            product: ProductReference { slug: product.slug.clone(), name: product.name.clone() },
        }
    }
}

impl From<&Entitlement> for EntitlementObject {
    fn from(entitlement: &Entitlement) -> Self {
        Self {
            key: entitlement.key.clone(),
            expires_at: entitlement.expires_at.map(Time),
            metadata: entitlement.metadata.clone(),
        }
    }
}

impl From<Allowed> for ChanceryTerms {
    fn from(allowed: Allowed) -> Self {
        Self { plan: allowed.plan.name(), entitlements: allowed.entitlements }
    }
}
