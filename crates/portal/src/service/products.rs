//! Products: what the vendor licenses.

use chancery_license::limits;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::idempotency::{Once, repeated};
use super::{Failure, Note, Office, plans, scope};
use crate::domain::fields::{line, one_of};
use crate::domain::{Actor, Change, Code, Permission, Refusal, differing};
use crate::events;
use crate::id::IdKind;
use crate::store::Page;
use crate::store::products::{self, Kind, Product};

#[cfg(test)]
mod tests;

const MAX_NAME: usize = 200;
/// Clients refuse every answer about a licence whose product has a longer name.
const MAX_NAME_BYTES: usize = 255;
/// The longest slug of a product whose name stands in licence documents (docs/formats/envelope.md).
const MAX_DOCUMENT_PRODUCT: usize = 64;

/// A new product.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProduct {
    /// By what it is called in paths and documents, and for good: `[a-z0-9]+(-[a-z0-9]+)*`, at most 100 characters,
    /// or 64 for the kind chancery.
    pub(crate) slug: String,
    /// One line of 1 to 200 characters.
    pub(crate) name: String,
    /// `generic`, or `chancery` for what is sent licences in armour; generic where it is not given.
    pub(crate) kind: Option<String>,
    /// Whether the four usual plans of a product of the kind chancery come with it.
    #[serde(default)]
    pub(crate) with_plans: bool,
}

/// What becomes of a product. What is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductChanges {
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) name: Change<String>,
}

pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    new: NewProduct,
    once: Option<Once>,
) -> Result<Product, Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    actor.require_every_product(Permission::CatalogueWrite)?;
    let kind = new.kind.as_deref().map(|kind| one_of("kind", kind, &Kind::ALL, Kind::name)).transpose()?;
    let product = Product {
        id: IdKind::Product.fresh()?,
        slug: new.slug,
        name: new.name,
        kind: kind.unwrap_or(Kind::Generic),
        created_at: office.now(),
        archived_at: None,
    };
    check(&product)?;
    if new.with_plans && product.kind != Kind::Chancery {
        return Err(Refusal::field("with_plans", "is for products of the kind chancery").into());
    }
    let plans = if new.with_plans { plans::usual(&product)? } else { Vec::new() };
    let actor = actor.clone();
    office
        .write(move |office, tx| {
            if let Some(id) = repeated(tx, &actor, once.as_ref(), &product.id, product.created_at)? {
                return Ok(found(products::by_id(tx, &id)?)?);
            }
            if !products::insert(tx, &product)? {
                return Err(Refusal::field("slug", "is that of another product already").into());
            }
            let details = json!({ "product": product.id, "slug": product.slug, "kind": product.kind.name() });
            let note = Note { kind: events::PRODUCT_CREATE, actor: &actor, environment: None, details };
            office.note(tx, &note, product.created_at)?;
            for plan in &plans {
                plans::insert(office, tx, &actor, plan)?;
            }
            Ok(product.clone())
        })
        .await
}

/// The products within reach in the order of their slugs, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    page: Page,
) -> Result<(Vec<Product>, Option<String>), Failure> {
    actor.require(Permission::CatalogueRead)?;
    let only = actor.product_id.clone();
    office
        .read(move |_, tx| match &only {
            Some(id) => Ok((products::by_id(tx, id)?.into_iter().collect(), None)),
            None => Ok(page.cut(products::list(tx, &page)?, |product| &product.slug)),
        })
        .await
}

pub(crate) async fn show(office: &Office, actor: &Actor, slug: &str) -> Result<Product, Failure> {
    actor.require(Permission::CatalogueRead)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office.read(move |_, tx| scope::product(tx, &actor, &slug)).await
}

pub(crate) async fn update(
    office: &Office,
    actor: &Actor,
    slug: &str,
    changes: ProductChanges,
) -> Result<Product, Failure> {
    let change = move |_: &Office, product: &mut Product| {
        changes.name.clone().apply_to("name", &mut product.name)?;
        check(product)
    };
    write(office, actor, slug, change).await
}

/// Takes a product out of the catalogue, or back into it: no licences are made of an archived one, and those that
/// there are go on.
pub(crate) async fn archive(
    office: &Office,
    actor: &Actor,
    slug: &str,
    is_archived: bool,
) -> Result<Product, Failure> {
    let change = move |office: &Office, product: &mut Product| {
        let since = product.archived_at.unwrap_or_else(|| office.now());
        product.archived_at = is_archived.then_some(since);
        Ok(())
    };
    write(office, actor, slug, change).await
}

async fn write(
    office: &Office,
    actor: &Actor,
    slug: &str,
    change: impl Fn(&Office, &mut Product) -> Result<(), Refusal> + Send + 'static,
) -> Result<Product, Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .write(move |office, tx| {
            let old = scope::product(tx, &actor, &slug)?;
            let mut new = old.clone();
            change(office, &mut new)?;
            let members = differing([
                ("name", old.name != new.name),
                ("archived_at", old.archived_at != new.archived_at),
            ]);
            if members.is_empty() {
                return Ok(old);
            }
            products::update(tx, &new)?;
            let details = json!({ "product": new.id, "slug": new.slug, "changed": members });
            let note = Note { kind: events::PRODUCT_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok(new)
        })
        .await
}

fn check(product: &Product) -> Result<(), Refusal> {
    limits::slug(&product.slug, "slug")?;
    if product.kind == Kind::Chancery && product.slug.len() > MAX_DOCUMENT_PRODUCT {
        let message =
            format!("has at most {MAX_DOCUMENT_PRODUCT} characters for a product of the kind chancery");
        return Err(Refusal::field("slug", message));
    }
    if product.name.len() > MAX_NAME_BYTES {
        return Err(Refusal::field("name", format_args!("has at most {MAX_NAME_BYTES} bytes of UTF-8")));
    }
    line("name", &product.name, MAX_NAME)
}

fn found(product: Option<Product>) -> Result<Product, Refusal> {
    product.ok_or_else(|| Refusal::new(Code::ProductNotFound, "there is no such product"))
}
