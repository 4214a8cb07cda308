//! Offline roots, and the key manifests in which they vouch for the keys that sign from day to day.
//!
//! The root that is kept is the one that programs were built with. One that took over by a manifest is found by
//! admitting the manifests in their order, which is what programs do.

use chancery_db::{ReadTx, WriteTx};
use chancery_license::manifest::Use;
use chancery_license::{
    Anchor, DocumentError, Environment, KeyId, KeyManifest, Keyring, Method, PublicKey, TrustAnchors, open,
};
use chancery_time::Timestamp;
use serde_json::json;

use super::{Failure, Note, Office, scope};
use crate::domain::{Actor, Code, Permission, Refusal};
use crate::events;
use crate::store::manifests::{self, Manifest, Root};
use crate::store::products::{Kind, Product};
use crate::store::signing_keys;

/// How many manifests one answer brings: installations read no more.
const MAX_SENT: usize = 16;

#[cfg(test)]
mod tests;

/// A root that was set.
#[derive(Debug, Clone)]
pub(crate) struct RootSet {
    pub(crate) environment: Environment,
    pub(crate) root: Root,
    /// How many manifests were forgotten, which the root before had signed.
    pub(crate) forgotten: usize,
}

/// Makes the offline root of a product known: without one, the key that signs is its own.
///
/// A root hands over by a manifest. To put another in its place all the same takes `force`, and forgets the
/// manifests that this one does not stand by.
///
/// # Errors
/// [`Permission::SigningManage`]; a product without installations; a key that cannot be an offline root; another
/// root, where it is not forced.
pub(crate) async fn set_root(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
    public_key: &PublicKey,
    force: bool,
) -> Result<RootSet, Failure> {
    actor.require(Permission::SigningManage)?;
    let environment = scope::environment(actor, environment)?;
    if public_key.method() != Method::Ed25519 {
        return Err(Refusal::field("public_key", "is no Ed25519 key, and no other can sign manifests").into());
    }
    let (actor, slug, public_key) = (actor.clone(), slug.to_owned(), public_key.clone());
    office
        .write(move |office, tx| {
            let (product, now) = (of_installations(tx, &actor, &slug)?, office.now());
            let kid = public_key.id().to_string();
            if signing_keys::by_kid(tx, &kid)?.is_some() {
                let message = "is a signing key of this portal: a root lies elsewhere, offline";
                return Err(Refusal::field("public_key", message).into());
            }
            let before = root_of(tx, &product, environment)?;
            let is_other = before.as_ref().is_some_and(|before| before.public_key != public_key);
            if let Some(before) = before.filter(|_| !is_other) {
                return Ok(RootSet { environment, root: before, forgotten: 0 });
            }
            if is_other && !force {
                let message = "is not the root that is set: a root hands over by a manifest (keys manifest \
                               --next-root); signing-root set --force puts another in its place all the same";
                return Err(Refusal::field("public_key", message).into());
            }
            let root = Root { public_key: public_key.clone(), set_at: now };
            manifests::set_root(tx, &product.id, environment, &root)?;
            let forgotten = forget_foreign(tx, &product, environment, &root)?;
            let details = json!({
                "kid": kid,
                "product": product.slug,
                "environment": environment,
                "forgotten": forgotten,
            });
            let kind = events::SIGNING_ROOT_SET;
            office.note(tx, &Note { kind, actor: &actor, environment: Some(environment), details }, now)?;
            Ok(RootSet { environment, root, forgotten })
        })
        .await
}

/// The root that is set.
///
/// # Errors
/// [`Permission::SigningManage`], and where there is none.
pub(crate) async fn root(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<RootSet, Failure> {
    actor.require(Permission::SigningManage)?;
    let environment = scope::environment(actor, environment)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let root = root_of(tx, &product, environment)?.ok_or_else(|| no_root(&product, environment))?;
            Ok(RootSet { environment, root, forgotten: 0 })
        })
        .await
}

/// Takes a manifest that follows on those that are here.
///
/// # Errors
/// [`Permission::SigningManage`]; a product without a root; a manifest that programs would refuse.
pub(crate) async fn take(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
    text: &str,
) -> Result<(Environment, Manifest), Failure> {
    actor.require(Permission::SigningManage)?;
    let environment = scope::environment(actor, environment)?;
    let (actor, slug, text) = (actor.clone(), slug.to_owned(), text.to_owned());
    office
        .write(move |office, tx| {
            let (product, now) = (of_installations(tx, &actor, &slug)?, office.now());
            let keyring =
                keyring(tx, &product, environment)?.ok_or_else(|| no_root(&product, environment))?;
            let (_, read) = admitted(&keyring, &text).map_err(|error| Refusal::field("manifest", error))?;
            let manifest = Manifest { sequence: read.sequence, body: text.clone(), taken_at: now };
            manifests::insert(tx, &product.id, environment, &manifest)?;
            let keys: Vec<String> = read.keys.iter().map(|listed| listed.key.id().to_string()).collect();
            let details = json!({
                "product": product.slug,
                "environment": environment,
                "sequence": manifest.sequence,
                "keys": keys,
            });
            let kind = events::KEY_MANIFEST_TAKE;
            office.note(tx, &Note { kind, actor: &actor, environment: Some(environment), details }, now)?;
            Ok((environment, manifest))
        })
        .await
}

/// The newest manifest, for programs.
///
/// # Errors
/// [`Permission::Use`], and where there is none.
pub(crate) async fn newest(
    office: &Office,
    actor: &Actor,
    slug: &str,
    environment: Option<Environment>,
) -> Result<(Environment, Manifest), Failure> {
    actor.require(Permission::Use)?;
    let environment = scope::environment(actor, environment)?;
    let (actor, slug) = (actor.clone(), slug.to_owned());
    office
        .read(move |_, tx| {
            let product = scope::product(tx, &actor, &slug)?;
            let newest = manifests::after(tx, &product.id, environment, 0)?.pop();
            Ok((environment, newest.ok_or_else(|| Refusal::not_found("key manifest"))?))
        })
        .await
}

/// The manifests behind that number which a program has to admit, in their order: those in which a root hands over,
/// and the newest. What the others list, the next one replaces ([`Keyring::admit`]).
///
/// There are at most [`MAX_SENT`] of them; where that is not enough, the program goes on from there the next time.
pub(crate) fn newer_than(
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
    sequence: u64,
) -> Result<Vec<String>, Failure> {
    let mut all = manifests::after(tx, &product.id, environment, 0)?;
    let newest = all.last().map_or(0, |manifest| manifest.sequence);
    if newest <= sequence {
        return Ok(Vec::new());
    }
    if all.iter().filter(|manifest| manifest.sequence > sequence).count() > 1 {
        // Each is opened by those before it.
        let root = root_of(tx, product, environment)?.ok_or_else(|| no_root(product, environment))?;
        let mut keyring = of_root(product, environment, &root)?;
        let mut handovers = Vec::new();
        for manifest in &all {
            let (next, read) = admitted(&keyring, &manifest.body).map_err(anyhow::Error::from)?;
            handovers.extend(read.next_root.map(|_| manifest.sequence));
            keyring = next;
        }
        all.retain(|manifest| manifest.sequence == newest || handovers.contains(&manifest.sequence));
    }
    let needed = all.into_iter().filter(|manifest| manifest.sequence > sequence);
    Ok(needed.take(MAX_SENT).map(|manifest| manifest.body).collect())
}

/// Whether documents of these uses that the key signs now would be believed.
///
/// # Errors
/// Where they would not be, which says what to do.
pub(super) fn vouched(
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
    kid: KeyId,
    uses: &[Use],
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(keyring) = keyring(tx, product, environment)? else { return Ok(()) };
    for wanted in uses {
        let Err(error) = keyring.judge_signer(kid, *wanted, now.whole_seconds()) else { continue };
        let why = match error {
            DocumentError::UnknownKey(_) => {
                format!("the newest key manifest does not list the signing key {kid}")
            }
            other => other.to_string(),
        };
        let message = format!(
            "nothing that is signed now would be believed: {why}; have the offline root list it for licences and \
             revocations (chancery-portal keys manifest), and take that manifest (chancery-portal manifest take)"
        );
        return Err(Refusal::new(Code::InvalidArguments, message)
            .with("key_id", kid.to_string().into())
            .into());
    }
    Ok(())
}

/// The root of a product in an environment.
pub(super) fn root_of(
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
) -> Result<Option<Root>, Failure> {
    Ok(manifests::root(tx, &product.id, environment)?)
}

/// What programs trust that were built with the root and have every manifest; `None` without a root.
fn keyring(
    tx: &mut ReadTx<'_>,
    product: &Product,
    environment: Environment,
) -> Result<Option<Keyring>, Failure> {
    let Some(root) = root_of(tx, product, environment)? else { return Ok(None) };
    let mut keyring = of_root(product, environment, &root)?;
    for manifest in manifests::after(tx, &product.id, environment, 0)? {
        keyring = keyring.admit(&manifest.body).map_err(anyhow::Error::from)?;
    }
    Ok(Some(keyring))
}

fn of_root(product: &Product, environment: Environment, root: &Root) -> anyhow::Result<Keyring> {
    let anchor = Anchor { key: root.public_key.clone(), product: product.slug.clone(), environment };
    Ok(Keyring::new(&TrustAnchors::new(vec![anchor])?, &product.slug, environment)?)
}

/// The keyring with a manifest that it admits, and what that one says.
fn admitted(keyring: &Keyring, text: &str) -> Result<(Keyring, KeyManifest), DocumentError> {
    let next = keyring.admit(text)?;
    Ok((next, open::<KeyManifest>(text, keyring)?.into_document().body))
}

/// Forgets the manifests that a new root does not stand by; how many those are.
fn forget_foreign(
    tx: &mut WriteTx<'_>,
    product: &Product,
    environment: Environment,
    root: &Root,
) -> Result<usize, Failure> {
    let mut keyring = of_root(product, environment, root)?;
    let mut forgotten = 0;
    for manifest in manifests::after(tx, &product.id, environment, 0)? {
        match keyring.admit(&manifest.body) {
            Ok(next) => keyring = next,
            Err(_) => {
                manifests::remove(tx, &product.id, environment, manifest.sequence)?;
                forgotten += 1;
            }
        }
    }
    Ok(forgotten)
}

fn of_installations(tx: &mut ReadTx<'_>, actor: &Actor, slug: &str) -> Result<Product, Failure> {
    let product = scope::product(tx, actor, slug)?;
    if product.kind == Kind::Chancery {
        return Ok(product);
    }
    let message = "only a product of kind chancery has an offline root and key manifests";
    Err(Refusal::new(Code::ProductMismatch, message).into())
}

fn no_root(product: &Product, environment: Environment) -> Refusal {
    let slug = &product.slug;
    let message = format!(
        "the product {slug} has no offline root in the environment {environment}: set it (chancery-portal signing-root \
         set --product {slug} --env {environment})"
    );
    Refusal::new(Code::NotFound, message)
}
