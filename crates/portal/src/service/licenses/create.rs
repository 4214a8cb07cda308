//! Making a licence.

use chancery_db::WriteTx;
use chancery_license::key::RANDOM_BYTES;
use chancery_license::{Entitlements, Environment, LicenseKey};
use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::super::idempotency::{self, Once};
use super::super::{Failure, Note, Office, scope};
use super::terms::{Overrides, usable_plan};
use super::{Found, Which, existing_organisation, find, free_reference, open_key};
use crate::api::license::EntitlementObject;
use crate::domain::{Actor, Change, Code, Permission, Refusal, StoredStatus, fields, period};
use crate::events;
use crate::id::IdKind;
use crate::random;
use crate::store::licenses::{self, Entitlement, License};
use crate::store::products::{Kind, Product};
use crate::vault::Purpose;

/// A licence to be made. What is left out is as the plan says.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLicense {
    /// The plan of the product that its terms are copied from.
    pub(crate) plan_key: String,
    /// Whom it is for.
    pub(crate) organisation_id: Option<String>,
    /// What the vendor's own books call it; no two of a product in an environment have the same.
    pub(crate) reference: Option<String>,
    /// At once where it is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) starts_at: Option<Timestamp>,
    /// As many days after its beginning as the plan says where it is missing; null for never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Change<Timestamp>,
    /// Null for any number.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1)]
    pub(crate) seat_limit: Change<i64>,
    /// `hardware_locked`, `floating` or `named_user`
    pub(crate) mode: Option<String>,
    #[schema(value_type = Option<Vec<EntitlementObject>>)]
    pub(crate) entitlements: Option<Vec<Entitlement>>,
    pub(crate) metadata: Option<Map<String, Value>>,
    /// `prod`, `dev`, `staging` or `uat`; what the API key reaches where it is missing.
    pub(crate) environment: Option<String>,
    /// Of a product of kind chancery, in place of what its plan allows.
    #[schema(value_type = Option<Object>)]
    pub(crate) chancery_entitlements: Option<Entitlements>,
}

/// What is drawn before the transaction, which may run more than once.
struct Drawn {
    id: String,
    key: LicenseKey,
    hash: Vec<u8>,
    sealed: Vec<u8>,
}

impl Drawn {
    fn new(office: &Office) -> anyhow::Result<Self> {
        let id = IdKind::License.fresh()?;
        let key = LicenseKey::from_random(&random::bytes::<RANDOM_BYTES>()?);
        let sealed = office.vault.seal(Purpose::LicenseKey, &id, key.reveal().as_bytes())?;
        Ok(Self { id, hash: office.vault.key_hash(&key), key, sealed })
    }
}

/// Makes a licence. Its key is in the answer, for whoever may read licences or not: nobody else has it yet.
///
/// # Errors
/// [`Permission::LicensesCreate`]; a product, plan or organisation that is not there; values that break a rule.
pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    slug: &str,
    new: NewLicense,
    once: Option<Once>,
) -> Result<Found, Failure> {
    actor.require(Permission::LicensesCreate)?;
    let drawn = Drawn::new(office)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            let product = scope::product(tx, &actor, &slug)?;
            if let Some(id) = idempotency::repeated(tx, &actor, once.as_ref(), &drawn.id, now)? {
                let (product, license) = find(tx, &actor, &Which { slug: None, id })?;
                let key = Some(open_key(office, tx, &license.id)?);
                return Ok(Found { license, product, key, at: now });
            }
            let license = licensed(tx, &actor, &product, &new, &drawn, now)?;
            licenses::insert(tx, &license, &drawn.hash, &drawn.sealed)?;
            let details = json!({
                "license": license.id,
                "product": product.slug,
                "environment": license.environment,
                "plan_key": license.terms.plan_key,
                "expires_at": license.expires_at,
                "reference": license.reference,
            });
            let (kind, environment) = (events::LICENSE_CREATE, Some(license.environment));
            office.note(tx, &Note { kind, actor: &actor, environment, details }, now)?;
            Ok(Found { license, product, key: Some(drawn.key.clone()), at: now })
        })
        .await
}

/// The licence that is asked for, held to every rule.
fn licensed(
    tx: &mut WriteTx<'_>,
    actor: &Actor,
    product: &Product,
    new: &NewLicense,
    drawn: &Drawn,
    now: Timestamp,
) -> Result<License, Failure> {
    if product.archived_at.is_some() {
        return Err(Refusal::new(
            Code::InvalidArguments,
            "the product is archived: no licence of it is made",
        )
        .into());
    }
    let named = |name| fields::one_of("environment", name, &Environment::ALL, Environment::name);
    let named = new.environment.as_deref().map(named).transpose()?;
    let environment = scope::environment(actor, named)?;
    let plan = usable_plan(tx, product, &new.plan_key)?;
    let mut terms = plan.terms;
    let overrides = Overrides {
        seat_limit: new.seat_limit,
        mode: Change::of(new.mode.clone(), false),
        entitlements: Change::of(new.entitlements.clone(), false),
        chancery_entitlements: Change::of(new.chancery_entitlements, false),
        ..Overrides::default()
    };
    overrides.apply(&mut terms)?;
    let starts_at = new.starts_at.map(Timestamp::whole_seconds);
    let mut expires_at = period::end(starts_at.unwrap_or(now), plan.valid_days);
    new.expires_at.apply(&mut expires_at);
    let license = License {
        id: drawn.id.clone(),
        product_id: product.id.clone(),
        plan_id: plan.id,
        organisation_id: new.organisation_id.clone(),
        environment,
        key_hint: licenses::hint(&drawn.key),
        status: StoredStatus::Pending,
        terms,
        active_seats: 0,
        starts_at,
        expires_at: expires_at.map(Timestamp::whole_seconds),
        metadata: new.metadata.clone(),
        reference: new.reference.clone(),
        revision: 1,
        created_at: now,
        activated_at: None,
        suspended_at: None,
        revoked_at: None,
        revocation_reason: None,
    };
    hold(tx, product, &license)?;
    if let Some(id) = &license.organisation_id {
        existing_organisation(tx, id)?;
    }
    Ok(license)
}

/// Holds a licence, new or changed, to the rules that are about more than its terms.
pub(super) fn hold(tx: &mut WriteTx<'_>, product: &Product, license: &License) -> Result<(), Failure> {
    fields::metadata(license.metadata.as_ref())?;
    period::check(license.starts_at, license.expires_at)?;
    if product.kind == Kind::Chancery {
        let Some(end) = license.expires_at else {
            let message = "expires_at is missing: a licence of a product of kind chancery has an end";
            return Err(Refusal::new(Code::ParameterMissing, message)
                .with("field", "expires_at".into())
                .into());
        };
        period::check(Some(license.starts_at.unwrap_or(license.created_at).whole_seconds()), Some(end))?;
    }
    free_reference(tx, license)
}
