//! What of the vendor's data a caller reaches.

use chancery_db::ReadTx;
use chancery_license::{Environment, limits};

use super::Failure;
use crate::domain::{Actor, Code, Refusal};
use crate::store::products::{self, Product};

/// The product of that slug. One out of reach is answered like one that there is not.
pub(crate) fn product(tx: &mut ReadTx<'_>, actor: &Actor, slug: &str) -> Result<Product, Failure> {
    // PostgreSQL fails on a text with a NUL, and paths can have one.
    let product = if limits::slug(slug, "slug").is_ok() { products::by_slug(tx, slug)? } else { None };
    let product = product.filter(|product| actor.reaches_product(&product.id));
    Ok(product.ok_or_else(|| Refusal::new(Code::ProductNotFound, "there is no product of that slug"))?)
}

/// The environment that is named, or else the caller's usual one.
pub(crate) fn environment(actor: &Actor, named: Option<Environment>) -> Result<Environment, Refusal> {
    let environment = named.unwrap_or_else(|| actor.usual_environment());
    if actor.reaches(environment) {
        return Ok(environment);
    }
    let message = format!("this API key does not reach the environment {environment}: use one that does");
    Err(Refusal::new(Code::Forbidden, message).with("environment", environment.name().into()))
}
