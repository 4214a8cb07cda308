//! The vendor's people. Keys of a user allow no more than the user's role, and nothing once the user is disabled.

use chancery_db::ReadTx;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::idempotency::{Once, repeated};
use super::{Failure, Note, Office};
use crate::domain::fields::{email, line, one_of};
use crate::domain::{Actor, Change, Code, Permission, Refusal, Role, differing};
use crate::events;
use crate::id::IdKind;
use crate::store::Page;
use crate::store::users::{self, User};

#[cfg(test)]
mod tests;

const MAX_NAME: usize = 200;

/// A new user.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Unique; letters are kept in lower case.
    pub(crate) email: String,
    /// One line of 1 to 200 characters.
    pub(crate) name: String,
    /// `owner`, `admin`, `support` or `viewer`
    pub(crate) role: String,
}

/// What becomes of a user. What is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChanges {
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) name: Change<String>,
    /// `owner`, `admin`, `support` or `viewer`
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) role: Change<String>,
}

pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    new: NewUser,
    once: Option<Once>,
) -> Result<User, Failure> {
    require(actor)?;
    let user = User {
        id: IdKind::User.fresh()?,
        email: new.email.to_lowercase(),
        name: new.name,
        role: role(&new.role)?,
        created_at: office.now(),
        disabled_at: None,
    };
    email("email", &user.email)?;
    line("name", &user.name, MAX_NAME)?;
    actor.require_role(user.role)?;
    let actor = actor.clone();
    office
        .write(move |office, tx| {
            if let Some(id) = repeated(tx, &actor, once.as_ref(), &user.id, user.created_at)? {
                return find(tx, &id);
            }
            if !users::insert(tx, &user)? {
                return Err(Refusal::field("email", "is that of another user already").into());
            }
            let details = json!({ "user": user.id, "role": user.role.name() });
            let note = Note { kind: events::USER_CREATE, actor: &actor, environment: None, details };
            office.note(tx, &note, user.created_at)?;
            Ok(user.clone())
        })
        .await
}

/// The users in the order of their addresses, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    page: Page,
) -> Result<(Vec<User>, Option<String>), Failure> {
    actor.require_every_product(Permission::UsersManage)?;
    office.read(move |_, tx| Ok(page.cut(users::list(tx, &page)?, |user| &user.email))).await
}

/// The user of that id or address.
pub(crate) async fn show(office: &Office, actor: &Actor, id: &str) -> Result<User, Failure> {
    actor.require_every_product(Permission::UsersManage)?;
    let id = id.to_owned();
    office.read(move |_, tx| find(tx, &id)).await
}

pub(crate) async fn update(
    office: &Office,
    actor: &Actor,
    id: &str,
    changes: UserChanges,
) -> Result<User, Failure> {
    let change = move |_: &Office, user: &mut User| {
        changes.name.clone().apply_to("name", &mut user.name)?;
        line("name", &user.name, MAX_NAME)?;
        let mut name = user.role.name().to_owned();
        changes.role.clone().apply_to("role", &mut name)?;
        user.role = role(&name)?;
        Ok(())
    };
    write(office, actor, id, change).await
}

/// Keeps a user and the user's keys out, or lets them in again.
pub(crate) async fn disable(
    office: &Office,
    actor: &Actor,
    id: &str,
    is_disabled: bool,
) -> Result<User, Failure> {
    let change = move |office: &Office, user: &mut User| {
        let since = user.disabled_at.unwrap_or_else(|| office.now());
        user.disabled_at = is_disabled.then_some(since);
        Ok(())
    };
    write(office, actor, id, change).await
}

async fn write(
    office: &Office,
    actor: &Actor,
    id: &str,
    change: impl Fn(&Office, &mut User) -> Result<(), Refusal> + Send + 'static,
) -> Result<User, Failure> {
    require(actor)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office
        .write(move |office, tx| {
            let old = find(tx, &id)?;
            let mut new = old.clone();
            change(office, &mut new)?;
            let members = differing([
                ("name", old.name != new.name),
                ("role", old.role != new.role),
                ("disabled_at", old.disabled_at != new.disabled_at),
            ]);
            if members.is_empty() {
                return Ok(old);
            }
            actor.require_role(old.role)?;
            actor.require_role(new.role)?;
            users::update(tx, &new)?;
            let was_owner = old.role == Role::Owner && old.disabled_at.is_none();
            if was_owner && users::enabled_in_role(tx, Role::Owner)? == 0 {
                let message = "this is the last owner who may act: make another one first";
                return Err(Refusal::new(Code::Forbidden, message).into());
            }
            let details = json!({ "user": new.id, "changed": members, "role": new.role.name() });
            let note = Note { kind: events::USER_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok(new)
        })
        .await
}

/// Users are neither of live nor of test data, and of no product.
fn require(actor: &Actor) -> Result<(), Refusal> {
    actor.require_live(Permission::UsersManage)?;
    actor.require_every_product(Permission::UsersManage)
}

fn role(text: &str) -> Result<Role, Refusal> {
    one_of("role", text, &Role::ALL, Role::name)
}

/// The user of that id or address.
pub(super) fn find(tx: &mut ReadTx<'_>, id: &str) -> Result<User, Failure> {
    let found =
        if id.contains('@') { users::by_email(tx, &id.to_lowercase())? } else { users::by_id(tx, id)? };
    Ok(found.ok_or_else(|| Refusal::not_found("user"))?)
}
