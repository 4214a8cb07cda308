//! Plans: what licences of a product are made with. A licence keeps what its plan had when it was made of it.

use chancery_db::WriteTx;
use chancery_license::state::AfterGrace;
use chancery_license::{Entitlements, Plan as Offer};
use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::idempotency::{Once, repeated};
use super::{Failure, Note, Office, scope};
use crate::domain::fields::{line, metadata, number};
use crate::domain::{Actor, Change, Mode, Permission, Refusal, differing, terms};
use crate::events;
use crate::id::IdKind;
use crate::store::Page;
use crate::store::licenses::{Allowed, Entitlement, Terms, after_grace_name};
use crate::store::plans::{self, Plan};
use crate::store::products::{Kind, Product};

#[cfg(test)]
mod tests;

const MAX_NAME: usize = 200;
/// A hundred years.
const MAX_VALID_DAYS: i64 = 36_500;

/// What a plan has. Where one is made, `plan_key` and `name` are needed and all else has the value that is told;
/// where one is changed, what is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanMembers {
    /// 1 to 100 bytes by which the product knows it, for good.
    pub(crate) plan_key: Option<String>,
    /// One line of 1 to 200 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) name: Change<String>,
    /// `hardware_locked`, `floating` or `named_user`; the first where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) mode: Change<String>,
    /// At least 1, or null for any number; 1 where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) seat_limit: Change<i64>,
    /// For how many days a licence is valid, and renewed by: 1 to 36,500, or null for ever, which a product of the
    /// kind chancery does not know; 365 where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) valid_days: Change<i64>,
    /// For how many days everything still works after the end: 0 to 366; 7 where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) grace_days: Change<i64>,
    /// What is allowed after that, `renewals_only` or `block`; the first where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) after_grace: Change<String>,
    /// How long machine files are valid where a request does not say: 1 to 3,650 days; 30 where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) file_days: Change<i64>,
    /// Their grace: 0 to 30 days; 7 where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub(crate) file_grace_days: Change<i64>,
    /// At most 500, each with a key of its own; none where it is not given. In place of all that are there.
    #[serde(default)]
    #[schema(value_type = Option<Vec<crate::api::license::EntitlementObject>>)]
    pub(crate) entitlements: Change<Vec<Entitlement>>,
    /// Of a product of the kind chancery, what its licences allow. Where it is not given, what the `plan_key` says,
    /// if that is `free`, `starter`, `pro` or `enterprise`.
    #[serde(default)]
    #[schema(value_type = Option<ChanceryMember>)]
    pub(crate) chancery: Change<ChanceryMember>,
    /// In place of all that is there; null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    pub(crate) metadata: Change<Map<String, Value>>,
}

/// What licences of a product of the kind chancery allow.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChanceryMember {
    /// `free`, `starter`, `pro` or `enterprise`
    #[schema(value_type = String)]
    pub(crate) plan: Offer,
    /// As in licence documents, with every member; what the plan allows where it is not given.
    #[schema(value_type = Option<Object>)]
    pub(crate) entitlements: Option<Entitlements>,
}

impl From<ChanceryMember> for Allowed {
    fn from(member: ChanceryMember) -> Self {
        let entitlements = member.entitlements.unwrap_or_else(|| member.plan.entitlements());
        Self { plan: member.plan, entitlements }
    }
}

pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    slug: &str,
    members: PlanMembers,
    once: Option<Once>,
) -> Result<(Plan, Product), Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    let (id, created_at) = (IdKind::Plan.fresh()?, office.now());
    let plan_key = members.plan_key.clone().ok_or_else(|| Refusal::missing("plan_key"))?;
    if members.name == Change::Keep {
        return Err(Refusal::missing("name").into());
    }
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .write(move |office, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            if let Some(id) = repeated(tx, &actor, once.as_ref(), &id, created_at)? {
                return Ok((found(plans::by_id(tx, &id)?)?, product));
            }
            let offer = plan_key.parse().ok().filter(|_| product.kind == Kind::Chancery);
            let blank = blank(id.clone(), &product, &plan_key, offer, created_at);
            let plan = changed(&blank, &product, members.clone())?;
            insert(office, tx, &actor, &plan)?;
            Ok((plan, product))
        })
        .await
}

/// The plans of a product in the order of their keys, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    slug: &str,
    page: Page,
) -> Result<(Vec<Plan>, Product, Option<String>), Failure> {
    actor.require(Permission::CatalogueRead)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let (found, next) = page.cut(plans::page(tx, &product.id, &page)?, |plan| &plan.terms.plan_key);
            Ok((found, product, next))
        })
        .await
}

pub(crate) async fn show(
    office: &Office,
    actor: &Actor,
    slug: &str,
    plan_key: &str,
) -> Result<(Plan, Product), Failure> {
    actor.require(Permission::CatalogueRead)?;
    let (actor, slug, plan_key) = (actor.clone(), slug.to_owned(), plan_key.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            Ok((found(plans::by_key(tx, &product.id, &plan_key)?)?, product))
        })
        .await
}

/// Changes a plan. Licences that were made of it keep what they have.
pub(crate) async fn update(
    office: &Office,
    actor: &Actor,
    slug: &str,
    plan_key: &str,
    members: PlanMembers,
) -> Result<(Plan, Product), Failure> {
    let change = move |_: &Office, plan: &Plan, product: &Product| changed(plan, product, members.clone());
    write(office, actor, slug, plan_key, change).await
}

/// Takes a plan out of the catalogue, or back into it: no licences are made of an archived one, and those that there
/// are go on.
pub(crate) async fn archive(
    office: &Office,
    actor: &Actor,
    slug: &str,
    plan_key: &str,
    is_archived: bool,
) -> Result<(Plan, Product), Failure> {
    let change = move |office: &Office, plan: &Plan, _: &Product| {
        let since = plan.archived_at.unwrap_or_else(|| office.now());
        Ok(Plan { archived_at: is_archived.then_some(since), ..plan.clone() })
    };
    write(office, actor, slug, plan_key, change).await
}

async fn write(
    office: &Office,
    actor: &Actor,
    slug: &str,
    plan_key: &str,
    change: impl Fn(&Office, &Plan, &Product) -> Result<Plan, Refusal> + Send + 'static,
) -> Result<(Plan, Product), Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    let (actor, slug, plan_key) = (actor.clone(), slug.to_owned(), plan_key.to_owned());
    office
        .write(move |office, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let old = found(plans::by_key(tx, &product.id, &plan_key)?)?;
            let new = change(office, &old, &product)?;
            let members = difference(&old, &new);
            if members.is_empty() {
                return Ok((old, product));
            }
            plans::update(tx, &new)?;
            let details = json!({
                "plan": new.id, "product": new.product_id, "plan_key": new.terms.plan_key, "changed": members,
            });
            let note = Note { kind: events::PLAN_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok((new, product))
        })
        .await
}

/// Adds a plan in the transaction of the caller, who has asked for the permission.
pub(super) fn insert(
    office: &Office,
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    plan: &Plan,
) -> Result<(), Failure> {
    if !plans::insert(tx, plan)? {
        return Err(Refusal::field("plan_key", "is that of another plan of the product already").into());
    }
    let details = json!({ "plan": plan.id, "product": plan.product_id, "plan_key": plan.terms.plan_key });
    let note = Note { kind: events::PLAN_CREATE, actor, environment: None, details };
    office.note(tx, &note, plan.created_at)
}

/// The four plans that a product of the kind chancery usually has.
pub(super) fn usual(product: &Product) -> anyhow::Result<Vec<Plan>> {
    let plan = |offer: Offer| {
        let mut plan = blank(IdKind::Plan.fresh()?, product, offer.name(), Some(offer), product.created_at);
        plan.name = match offer {
            Offer::Free => "Free",
            Offer::Starter => "Starter",
            Offer::Pro => "Pro",
            Offer::Enterprise => "Enterprise",
        }
        .to_owned();
        plan.terms.file_days = 365;
        Ok(plan)
    };
    Offer::ALL.into_iter().map(plan).collect()
}

/// A plan of which nothing was said but its key.
fn blank(id: String, product: &Product, plan_key: &str, offer: Option<Offer>, now: Timestamp) -> Plan {
    let allowed = |plan: Offer| Allowed { plan, entitlements: plan.entitlements() };
    Plan {
        id,
        product_id: product.id.clone(),
        name: String::new(),
        valid_days: Some(365),
        terms: Terms {
            plan_key: plan_key.to_owned(),
            mode: Mode::HardwareLocked,
            seat_limit: Some(1),
            grace_days: 7,
            after_grace: AfterGrace::RenewalsOnly,
            file_days: 30,
            file_grace_days: 7,
            entitlements: Vec::new(),
            chancery: offer.map(allowed),
        },
        metadata: None,
        created_at: now,
        archived_at: None,
    }
}

/// The plan with these members, if every rule holds then.
fn changed(plan: &Plan, product: &Product, members: PlanMembers) -> Result<Plan, Refusal> {
    let mut new = plan.clone();
    let terms = &mut new.terms;
    if members.plan_key.is_some_and(|key| key != terms.plan_key) {
        return Err(Refusal::field("plan_key", "does not change: make another plan, and archive this one"));
    }
    members.name.apply_to("name", &mut new.name)?;
    let (mut mode, mut after_grace) =
        (terms.mode.name().to_owned(), after_grace_name(terms.after_grace).to_owned());
    members.mode.apply_to("mode", &mut mode)?;
    terms.mode = terms::mode(&mode)?;
    members.seat_limit.apply(&mut terms.seat_limit);
    members.valid_days.apply(&mut new.valid_days);
    members.grace_days.apply_to("grace_days", &mut terms.grace_days)?;
    members.after_grace.apply_to("after_grace", &mut after_grace)?;
    terms.after_grace = terms::after_grace(&after_grace)?;
    members.file_days.apply_to("file_days", &mut terms.file_days)?;
    members.file_grace_days.apply_to("file_grace_days", &mut terms.file_grace_days)?;
    members.entitlements.apply_to("entitlements", &mut terms.entitlements)?;
    match members.chancery {
        Change::Keep => {}
        Change::Clear => terms.chancery = None,
        Change::Set(member) => terms.chancery = Some(member.into()),
    }
    members.metadata.apply(&mut new.metadata);
    check(&new, product)?;
    Ok(new)
}

fn check(plan: &Plan, product: &Product) -> Result<(), Refusal> {
    let terms = &plan.terms;
    line("name", &plan.name, MAX_NAME)?;
    terms::check(terms)?;
    if let Some(days) = plan.valid_days {
        number("valid_days", days, 1, MAX_VALID_DAYS)?;
    }
    metadata(plan.metadata.as_ref())?;
    match (product.kind, &terms.chancery) {
        (Kind::Generic, Some(_)) => Err(Refusal::field("chancery", "is for products of the kind chancery")),
        (Kind::Chancery, None) => {
            let rule = "is needed for a product of the kind chancery: say which plan its licences are of";
            Err(Refusal::field("chancery", rule))
        }
        (Kind::Chancery, Some(_)) if plan.valid_days.is_none() => {
            let rule =
                "is a number of days for a product of the kind chancery: its licence documents have an end";
            Err(Refusal::field("valid_days", rule))
        }
        _ => Ok(()),
    }
}

/// The members that differ.
fn difference(old: &Plan, new: &Plan) -> Vec<&'static str> {
    let (before, after) = (&old.terms, &new.terms);
    differing([
        ("name", old.name != new.name),
        ("mode", before.mode != after.mode),
        ("seat_limit", before.seat_limit != after.seat_limit),
        ("valid_days", old.valid_days != new.valid_days),
        ("grace_days", before.grace_days != after.grace_days),
        ("after_grace", before.after_grace != after.after_grace),
        ("file_days", before.file_days != after.file_days),
        ("file_grace_days", before.file_grace_days != after.file_grace_days),
        ("entitlements", before.entitlements != after.entitlements),
        ("chancery", before.chancery != after.chancery),
        ("metadata", old.metadata != new.metadata),
        ("archived_at", old.archived_at != new.archived_at),
    ])
}

fn found(plan: Option<Plan>) -> Result<Plan, Refusal> {
    plan.ok_or_else(|| Refusal::not_found("plan of that product"))
}
