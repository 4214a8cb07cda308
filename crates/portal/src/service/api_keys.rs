//! API keys: made, shown once, listed by their first characters, revoked.

use chancery_db::ReadTx;
use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{Failure, Note, Office, scope, users};
use crate::domain::fields::{line, one_of};
use crate::domain::{Actor, Code, Permission, Permissions, Refusal};
use crate::events;
use crate::id::{IdKind, digits};
use crate::store::Page;
use crate::store::api_keys::{self, ApiKey, Class, Wanted};
use crate::store::users::User;

#[cfg(test)]
mod tests;

const MAX_NAME: usize = 200;
/// 160 random bits.
const RANDOM_DIGITS: usize = 32;
/// `sk_live_` and four digits, by which people tell keys apart.
const HINT_CHARACTERS: usize = 12;
/// In place of a list of scopes: as much as the maker may.
pub(crate) const ALL: &str = "all";

/// A new API key.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    /// What it is for: one line of 1 to 200 characters.
    pub(crate) name: String,
    /// `publishable`, to ship inside programs, or `secret`
    pub(crate) class: String,
    /// Whether it reaches live data, or test data.
    pub(crate) live: bool,
    /// The slug of the one product that it is for; all where it is not given.
    pub(crate) product: Option<String>,
    /// Of a secret key: what it may, or `["all"]` for as much as whoever makes it.
    pub(crate) scopes: Option<Vec<String>>,
    /// The id or the address of the user whose role bounds it. A user's key makes keys of the same user.
    pub(crate) user: Option<String>,
    /// When it stops to work; never where it is not given.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) expires_at: Option<Timestamp>,
}

/// A key that was just made, with its only showing.
pub(crate) struct Made {
    pub(crate) api_key: ApiKey,
    pub(crate) secret: Zeroizing<String>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}

/// Makes a key that may no more than whoever makes it.
pub(crate) async fn create(office: &Office, actor: &Actor, new: NewApiKey) -> Result<Made, Failure> {
    actor.require(Permission::ApiKeysManage)?;
    let class = one_of("class", &new.class, &Class::ALL, Class::name)?;
    line("name", &new.name, MAX_NAME)?;
    let now = office.now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::field("expires_at", "has passed already").into());
    }
    if actor.live.is_some_and(|live| live != new.live) {
        let own = if new.live { "test" } else { "live" };
        return Err(beyond(format_args!("a {own} key makes {own} keys")).into());
    }
    let wanted = wanted(class, new.scopes.as_deref())?;
    let id = IdKind::ApiKey.fresh()?;
    let secret = Zeroizing::new(format!("{}{}", prefix(class, new.live), *digits::<RANDOM_DIGITS>()?));
    let hash = api_keys::hash(&secret);
    let hint: String = secret.chars().take(HINT_CHARACTERS).collect();
    let actor = actor.clone();
    let api_key = office
        .write(move |office, tx| {
            let product = new.product.as_deref().map(|slug| scope::product(tx, &actor, slug)).transpose()?;
            if product.is_none() && actor.product_id.is_some() {
                return Err(beyond(format_args!("a key for one product makes keys for that product: name it")).into());
            }
            let (user, bound) = user(tx, &actor, &new, now)?;
            let role = user.as_ref().map_or_else(Permissions::all, |user| user.role.permissions());
            let may = actor.permissions.and(role);
            let granted = match wanted {
                Some(wanted) => within(wanted, actor.permissions, role)?,
                None => may,
            };
            let api_key = ApiKey {
                id: id.clone(),
                hint: hint.clone(),
                name: new.name.clone(),
                class,
                live: new.live,
                product_id: product.as_ref().map(|product| product.id.clone()),
                product_slug: product.map(|product| product.slug),
                user_id: user.map(|user| user.id),
                scopes: granted,
                created_at: now,
                expires_at: bound,
                revoked_at: None,
            };
            api_keys::insert(tx, &api_key, &hash)?;
            let scopes: Vec<&str> = api_key.scopes.iter().map(Permission::name).collect();
            let details = json!({
                "api_key": id, "name": api_key.name, "class": class.name(), "live": api_key.live, "scopes": scopes,
            });
            let note = Note { kind: events::API_KEY_CREATE, actor: &actor, environment: None, details };
            office.note(tx, &note, now)?;
            Ok(api_key)
        })
        .await?;
    Ok(Made { api_key, secret })
}

/// The keys within reach, the newest first, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    page: Page,
) -> Result<(Vec<ApiKey>, Option<String>), Failure> {
    actor.require(Permission::ApiKeysManage)?;
    let wanted = Wanted { live: actor.live, product_id: actor.product_id.clone() };
    office.read(move |_, tx| Ok(page.cut(api_keys::list(tx, &wanted, &page)?, |key| &key.id))).await
}

pub(crate) async fn show(office: &Office, actor: &Actor, id: &str) -> Result<ApiKey, Failure> {
    actor.require(Permission::ApiKeysManage)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office.read(move |_, tx| find(tx, &actor, &id)).await
}

/// Revokes a key for good. It works for a second longer at most.
pub(crate) async fn revoke(office: &Office, actor: &Actor, id: &str) -> Result<ApiKey, Failure> {
    actor.require(Permission::ApiKeysManage)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office
        .write(move |office, tx| {
            let now = office.now();
            let api_key = find(tx, &actor, &id)?;
            if !api_keys::revoke(tx, &id, now)? {
                return Ok(api_key);
            }
            let details = json!({ "api_key": id, "name": api_key.name });
            let note = Note { kind: events::API_KEY_REVOKE, actor: &actor, environment: None, details };
            office.note(tx, &note, now)?;
            Ok(ApiKey { revoked_at: Some(now), ..api_key })
        })
        .await
}

/// What a key of that class shall be allowed; `None` for as much as its maker.
fn wanted(class: Class, scopes: Option<&[String]>) -> Result<Option<Permissions>, Refusal> {
    match (class, scopes) {
        (Class::Publishable, None | Some([])) => Ok(Some([Permission::Use].into_iter().collect())),
        (Class::Publishable, Some(_)) => {
            Err(Refusal::field("scopes", "are for secret keys: a publishable one may `use` and nothing else"))
        }
        (Class::Secret, None | Some([])) => {
            let message = "scopes is missing: list what the key may, or give [\"all\"]";
            Err(Refusal::new(Code::ParameterMissing, message).with("field", "scopes".into()))
        }
        (Class::Secret, Some([only])) if only == ALL => Ok(None),
        (Class::Secret, Some(names)) => {
            let read = |name: &String| name.parse().map_err(|error| Refusal::field("scopes", error));
            names.iter().map(read).collect::<Result<_, _>>().map(Some)
        }
    }
}

/// The scopes that are wanted, where both the maker and the user's role may as much.
fn within(wanted: Permissions, maker: Permissions, role: Permissions) -> Result<Permissions, Refusal> {
    let first_beyond = |bound: Permissions| wanted.iter().find(|scope| !bound.contains(*scope));
    if let Some(scope) = first_beyond(maker) {
        return Err(
            beyond(format_args!("you lack the scope {}", scope.name())).with("scope", scope.name().into())
        );
    }
    match first_beyond(role) {
        Some(scope) => {
            Err(Refusal::field("scopes", format_args!("the user's role does not allow {}", scope.name())))
        }
        None => Ok(wanted),
    }
}

/// Whose the new key is, and when it ends: a key passes on its user and its end.
fn user(
    tx: &mut ReadTx<'_>,
    actor: &Actor,
    new: &NewApiKey,
    now: Timestamp,
) -> Result<(Option<User>, Option<Timestamp>), Failure> {
    let maker = match &actor.api_key_id {
        Some(id) => api_keys::by_id(tx, id)?,
        None => None,
    };
    let end = maker.as_ref().and_then(|maker| maker.expires_at);
    if let Some(end) = end.filter(|end| new.expires_at.is_some_and(|wanted| wanted > *end)) {
        let end = end.whole_seconds();
        return Err(
            beyond(format_args!("your key ends at {end}, and keys that it makes end no later")).into()
        );
    }
    let end = new.expires_at.or(end);
    let own = maker.and_then(|maker| maker.user_id);
    let Some(wanted) = &new.user else {
        let own = own.map(|id| users::find(tx, &id)).transpose()?;
        return Ok((own, end));
    };
    let user = users::find(tx, wanted)
        .map_err(|_| Failure::from(Refusal::field("user", "is the id or the address of nobody")))?;
    if own.as_deref() != Some(user.id.as_str()) {
        // Otherwise a key would do as somebody else what its own user may no longer.
        actor.require(Permission::UsersManage)?;
    }
    if user.disabled_at.is_some_and(|since| since <= now) {
        return Err(Refusal::field("user", "is disabled: enable them first").into());
    }
    Ok((Some(user), end))
}

fn find(tx: &mut ReadTx<'_>, actor: &Actor, id: &str) -> Result<ApiKey, Failure> {
    let in_reach = |key: &ApiKey| {
        actor.live.is_none_or(|live| live == key.live)
            && (actor.product_id.is_none() || actor.product_id == key.product_id)
    };
    Ok(api_keys::by_id(tx, id)?.filter(in_reach).ok_or_else(|| Refusal::not_found("API key"))?)
}

const fn prefix(class: Class, live: bool) -> &'static str {
    match (class, live) {
        (Class::Publishable, true) => "pk_live_",
        (Class::Publishable, false) => "pk_test_",
        (Class::Secret, true) => "sk_live_",
        (Class::Secret, false) => "sk_test_",
    }
}

fn beyond(why: std::fmt::Arguments<'_>) -> Refusal {
    Refusal::new(Code::Forbidden, format!("nobody makes a key that may more than they: {why}"))
}
