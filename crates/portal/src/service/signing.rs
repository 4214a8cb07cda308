//! The keys that documents are signed with: made, put to work, retired, withdrawn.

use std::sync::Arc;

use chancery_db::ReadTx;
use chancery_license::manifest::Use;
use chancery_license::{Environment, Method, SigningKey};
use chancery_time::Timestamp;
use serde_json::json;

use super::{Failure, Note, Office, manifests, revocations, scope};
use crate::domain::{Actor, Code, Permission, Refusal};
use crate::events;
use crate::issue::Issuer;
use crate::store::products::{Kind, Product};
use crate::store::signing_keys::{self, KeyStatus, KnownKey};
use crate::vault::Purpose;

#[cfg(test)]
mod tests;

/// The longest that is kept of why a key was withdrawn, in bytes.
const MAX_REASON: usize = 200;

/// What a key that signs has to be good for.
const USES: [Use; 2] = [Use::License, Use::Revocations];

/// The key that signs for the product in the environment.
///
/// # Errors
/// Where there is none, which says how to make one.
pub(crate) fn current_key(
    office: &Office,
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
) -> Result<Arc<SigningKey>, Failure> {
    let known = signing_keys::current(tx, &product.id, environment)?;
    let known = known.ok_or_else(|| no_key(product, environment))?;
    let sealed = signing_keys::sealed(tx, &known.kid)?.ok_or_else(|| no_key(product, environment))?;
    office.signers.get(&known.kid, || {
        let pem = office.vault.open_text(Purpose::SigningKey, &known.kid, &sealed)?;
        let key = SigningKey::from_pem(&pem).map_err(anyhow::Error::from)?;
        if key.public() == &known.public_key {
            Ok(key)
        } else {
            Err(anyhow::anyhow!(
                "the halves of the signing key {} in the store do not belong together",
                known.kid
            )
            .into())
        }
    })
}

/// As [`current_key`], of a key whose documents of that use would be believed now: by a product of kind chancery
/// whose root is offline they are only where the newest manifest says so.
///
/// # Errors
/// Where they would not be, which says what to do.
pub(crate) fn issuing_key(
    office: &Office,
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
    wanted: Use,
    now: Timestamp,
) -> Result<Arc<SigningKey>, Failure> {
    let key = current_key(office, tx, product, environment)?;
    if product.kind == Kind::Chancery {
        manifests::vouched(tx, product, environment, key.public().id(), &[wanted], now)?;
    }
    Ok(key)
}

/// As [`issuing_key`], with what it signs by.
///
/// # Errors
/// As [`issuing_key`].
pub(crate) fn issuer(
    office: &Office,
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
    wanted: Use,
    now: Timestamp,
) -> Result<Issuer, Failure> {
    let key = issuing_key(office, tx, product, environment, wanted, now)?;
    Ok(Issuer::new(&product.slug, environment, key).map_err(anyhow::Error::from)?)
}

/// Makes a key, which waits until it is activated.
///
/// # Errors
/// [`Permission::SigningManage`], and a product or environment out of reach.
pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<KnownKey, Failure> {
    actor.require(Permission::SigningManage)?;
    let key = SigningKey::generate(Method::Ed25519).map_err(anyhow::Error::from)?;
    add(office, actor, slug, environment, &key, "generated").await
}

/// Takes a key that was made elsewhere, which waits until it is activated.
///
/// # Errors
/// As [`create`]; a key that is no Ed25519 key, or that is known already.
pub(crate) async fn import(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
    key: &SigningKey,
) -> Result<KnownKey, Failure> {
    actor.require(Permission::SigningManage)?;
    if key.public().method() != Method::Ed25519 {
        return Err(Refusal::field("key", "is no Ed25519 key, and no other can sign documents").into());
    }
    add(office, actor, slug, environment, key, "imported").await
}

async fn add(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
    key: &SigningKey,
    origin: &'static str,
) -> Result<KnownKey, Failure> {
    let environment = scope::environment(actor, environment)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    let (public_key, kid) = (key.public().clone(), key.public().id().to_string());
    let pem = key.to_pem().map_err(anyhow::Error::from)?;
    let sealed = office.vault.seal(Purpose::SigningKey, &kid, pem.as_bytes())?;
    office
        .write(move |office, tx| {
            let (product, now) = (scope::product(tx, &actor, &slug)?, office.now());
            let root = manifests::root_of(tx, &product, environment)?;
            if signing_keys::by_kid(tx, &kid)?.is_some()
                || root.is_some_and(|root| root.public_key == public_key)
            {
                let message = "is known already: each product and environment has keys of its own";
                return Err(Refusal::field("key", message).into());
            }
            let new = KnownKey {
                kid: kid.clone(),
                product_id: product.id.clone(),
                environment,
                public_key: public_key.clone(),
                status: KeyStatus::Pending,
                created_at: now,
                activated_at: None,
                retired_at: None,
                withdrawn_at: None,
            };
            signing_keys::insert(tx, &new, &sealed)?;
            let details =
                json!({ "kid": kid, "product": product.slug, "environment": environment, "origin": origin });
            let kind = events::SIGNING_KEY_CREATE;
            office.note(tx, &Note { kind, actor: &actor, environment: Some(environment), details }, now)?;
            Ok(new)
        })
        .await
}

/// The keys of a product that are within reach, or those of one environment, the newest first.
///
/// # Errors
/// [`Permission::SigningManage`], and a product or environment out of reach.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<Vec<KnownKey>, Failure> {
    actor.require(Permission::SigningManage)?;
    let wanted = environment.map(|environment| scope::environment(actor, Some(environment))).transpose()?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let mut keys = signing_keys::of_product(tx, &product.id)?;
            keys.retain(|key| {
                actor.reaches(key.environment) && wanted.is_none_or(|wanted| wanted == key.environment)
            });
            Ok(keys)
        })
        .await
}

/// A key of a product.
///
/// # Errors
/// [`Permission::SigningManage`], and a key that there is not within reach.
pub(crate) async fn find(office: &Office, actor: &Actor, slug: &str, kid: &str) -> Result<KnownKey, Failure> {
    actor.require(Permission::SigningManage)?;
    let (actor, slug, kid) = (actor.clone(), slug.to_owned(), kid.to_owned());
    office.read(move |_, tx| Ok(within_reach(tx, &actor, &slug, &kid)?.1)).await
}

/// A key that verifies, for anybody: the one that signs, or one that did.
///
/// # Errors
/// Any other, and none at all.
pub(crate) async fn published(office: &Office, kid: &str) -> Result<KnownKey, Failure> {
    let kid = kid.to_owned();
    let key = office.read(move |_, tx| Ok(signing_keys::by_kid(tx, &kid)?)).await?;
    Ok(key.filter(|key| key.status.verifies()).ok_or_else(|| Refusal::not_found("signing key"))?)
}

/// Lets a key sign from now on. The one before goes on verifying what it signed.
///
/// A revocation list that is out is signed anew, so that it can be verified with what is known now.
///
/// # Errors
/// [`Permission::SigningManage`]; a key that there is not, or that was withdrawn; one whose documents nobody
/// would believe.
pub(crate) async fn activate(
    office: &Office,
    actor: &Actor,
    slug: &str,
    kid: &str,
) -> Result<KnownKey, Failure> {
    actor.require(Permission::SigningManage)?;
    let (actor, slug, kid) = (actor.clone(), slug.to_owned(), kid.to_owned());
    office
        .write(move |office, tx| {
            let (product, mut key) = within_reach(tx, &actor, &slug, &kid)?;
            let now = office.now();
            match key.status {
                KeyStatus::Current => return Ok(key),
                KeyStatus::Withdrawn => {
                    let message = format!("the signing key {kid} was withdrawn: make a new one");
                    return Err(Refusal::new(Code::InvalidArguments, message).into());
                }
                KeyStatus::Pending | KeyStatus::Retired => {}
            }
            if product.kind == Kind::Chancery {
                manifests::vouched(tx, &product, key.environment, key.public_key.id(), &USES, now)?;
            }
            let before = signing_keys::current(tx, &product.id, key.environment)?;
            if let Some(before) = &before {
                signing_keys::retire(tx, &before.kid, now)?;
            }
            signing_keys::activate(tx, &kid, now)?;
            (key.status, key.activated_at, key.retired_at) = (KeyStatus::Current, Some(now), None);
            let details = json!({
                "kid": kid,
                "product": product.slug,
                "environment": key.environment,
                "from": before.map(|before| before.kid),
            });
            let note = Note {
                kind: events::SIGNING_KEY_ACTIVATE,
                actor: &actor,
                environment: Some(key.environment),
                details,
            };
            office.note(tx, &note, now)?;
            revocations::issue_again(office, tx, &actor, &product, key.environment, now)?;
            Ok(key)
        })
        .await
}

/// Takes a key that came into the wrong hands out of the world: its private half is destroyed, and nothing that it
/// signed counts for those who ask.
///
/// # Errors
/// [`Permission::SigningManage`]; a key that there is not; a reason that is too long or has several lines.
pub(crate) async fn withdraw(
    office: &Office,
    actor: &Actor,
    slug: &str,
    kid: &str,
    reason: Option<String>,
) -> Result<KnownKey, Failure> {
    actor.require(Permission::SigningManage)?;
    if reason.as_ref().is_some_and(|reason| reason.len() > MAX_REASON || reason.chars().any(char::is_control))
    {
        return Err(
            Refusal::field("reason", format_args!("is one line of at most {MAX_REASON} bytes")).into()
        );
    }
    let (actor, slug, wanted) = (actor.clone(), slug.to_owned(), kid.to_owned());
    let withdrawn = office
        .write(move |office, tx| {
            let (product, mut key) = within_reach(tx, &actor, &slug, &wanted)?;
            if key.status == KeyStatus::Withdrawn {
                return Ok(key);
            }
            let (now, environment) = (office.now(), key.environment);
            signing_keys::withdraw(tx, &wanted, now)?;
            (key.status, key.withdrawn_at) = (KeyStatus::Withdrawn, Some(now));
            let details = json!({
                "kid": wanted,
                "product": product.slug,
                "environment": environment,
                "reason": reason,
            });
            let kind = events::SIGNING_KEY_WITHDRAW;
            office.note(tx, &Note { kind, actor: &actor, environment: Some(environment), details }, now)?;
            Ok(key)
        })
        .await?;
    office.signers.forget(kid);
    Ok(withdrawn)
}

fn within_reach(
    tx: &mut ReadTx<'_>,
    actor: &Actor,
    slug: &str,
    kid: &str,
) -> Result<(Product, KnownKey), Failure> {
    let product = scope::product(tx, actor, slug)?;
    let key = signing_keys::by_kid(tx, kid)?;
    let key = key.filter(|key| key.product_id == product.id && actor.reaches(key.environment));
    Ok((product, key.ok_or_else(|| Refusal::not_found("signing key"))?))
}

fn no_key(product: &Product, environment: Environment) -> Refusal {
    let slug = &product.slug;
    let message = format!(
        "the product {slug} has no signing key in the environment {environment}: make one (chancery-portal signing-key \
         create --product {slug} --env {environment}) and activate it"
    );
    Refusal::new(Code::NotFound, message)
}
