//! Organisations: the vendor's customers. They belong to no product and no environment.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::idempotency::{Once, repeated};
use super::{Failure, Note, Office};
use crate::domain::fields::{email, line, metadata};
use crate::domain::{Actor, Change, Permission, Refusal, differing};
use crate::events;
use crate::id::IdKind;
use crate::store::Page;
use crate::store::organisations::{self, Organisation, Wanted};

#[cfg(test)]
mod tests;

/// As long as a licence document allows.
const MAX_NAME: usize = 200;
const MAX_REFERENCE: usize = 100;

/// A new organisation.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganisation {
    /// One line of 1 to 200 characters; licence documents name it.
    pub(crate) name: String,
    /// Where it is written to; licence documents name it.
    pub(crate) email: String,
    /// What your own books call it: 1 to 100 characters, unique.
    pub(crate) reference: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
}

/// What becomes of an organisation. What is missing stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganisationChanges {
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) name: Change<String>,
    #[serde(default)]
    #[schema(value_type = String)]
    pub(crate) email: Change<String>,
    /// Null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) reference: Change<String>,
    /// In place of all that is there; null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<Map<String, Value>>)]
    pub(crate) metadata: Change<Map<String, Value>>,
}

pub(crate) async fn create(
    office: &Office,
    actor: &Actor,
    new: NewOrganisation,
    once: Option<Once>,
) -> Result<Organisation, Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    let organisation = Organisation {
        id: IdKind::Organisation.fresh()?,
        name: new.name,
        email: new.email,
        reference: new.reference,
        metadata: new.metadata,
        created_at: office.now(),
    };
    check(&organisation)?;
    let actor = actor.clone();
    office
        .write(move |office, tx| {
            let now = organisation.created_at;
            if let Some(id) = repeated(tx, &actor, once.as_ref(), &organisation.id, now)? {
                return Ok(found(organisations::by_id(tx, &id)?)?);
            }
            hold_reference_free(&organisation, |reference| organisations::by_reference(tx, reference))?;
            organisations::insert(tx, &organisation)?;
            let details = json!({ "organisation": organisation.id, "name": organisation.name });
            let note = Note { kind: events::ORGANISATION_CREATE, actor: &actor, environment: None, details };
            office.note(tx, &note, now)?;
            Ok(organisation.clone())
        })
        .await
}

/// The organisations, the newest first, and where the next part begins.
pub(crate) async fn list(
    office: &Office,
    actor: &Actor,
    wanted: Wanted,
    page: Page,
) -> Result<(Vec<Organisation>, Option<String>), Failure> {
    actor.require(Permission::CatalogueRead)?;
    office
        .read(move |_, tx| {
            let found = organisations::list(tx, &wanted, &page)?;
            Ok(page.cut(found, |organisation| &organisation.id))
        })
        .await
}

pub(crate) async fn show(office: &Office, actor: &Actor, id: &str) -> Result<Organisation, Failure> {
    actor.require(Permission::CatalogueRead)?;
    let id = id.to_owned();
    office.read(move |_, tx| Ok(found(organisations::by_id(tx, &id)?)?)).await
}

pub(crate) async fn update(
    office: &Office,
    actor: &Actor,
    id: &str,
    changes: OrganisationChanges,
) -> Result<Organisation, Failure> {
    actor.require_live(Permission::CatalogueWrite)?;
    let (actor, id) = (actor.clone(), id.to_owned());
    office
        .write(move |office, tx| {
            let old = found(organisations::by_id(tx, &id)?)?;
            let new = changed(&old, changes.clone())?;
            let members = differing([
                ("name", old.name != new.name),
                ("email", old.email != new.email),
                ("reference", old.reference != new.reference),
                ("metadata", old.metadata != new.metadata),
            ]);
            if members.is_empty() {
                return Ok(old);
            }
            hold_reference_free(&new, |reference| organisations::by_reference(tx, reference))?;
            organisations::update(tx, &new)?;
            let details = json!({ "organisation": id, "changed": members });
            let note = Note { kind: events::ORGANISATION_UPDATE, actor: &actor, environment: None, details };
            office.note(tx, &note, office.now())?;
            Ok(new)
        })
        .await
}

fn changed(old: &Organisation, changes: OrganisationChanges) -> Result<Organisation, Refusal> {
    let mut new = old.clone();
    changes.name.apply_to("name", &mut new.name)?;
    changes.email.apply_to("email", &mut new.email)?;
    changes.reference.apply(&mut new.reference);
    changes.metadata.apply(&mut new.metadata);
    check(&new)?;
    Ok(new)
}

fn check(organisation: &Organisation) -> Result<(), Refusal> {
    line("name", &organisation.name, MAX_NAME)?;
    email("email", &organisation.email)?;
    if let Some(reference) = &organisation.reference {
        line("reference", reference, MAX_REFERENCE)?;
    }
    metadata(organisation.metadata.as_ref())
}

/// That nobody else has the organisation's reference.
fn hold_reference_free(
    organisation: &Organisation,
    find: impl FnOnce(&str) -> Result<Option<Organisation>, chancery_db::Error>,
) -> Result<(), Failure> {
    let Some(reference) = &organisation.reference else { return Ok(()) };
    match find(reference)?.filter(|other| other.id != organisation.id) {
        Some(other) => {
            let message = format!("is that of another organisation already: {}", other.id);
            Err(Refusal::field("reference", message).with("organisation", other.id.into()).into())
        }
        None => Ok(()),
    }
}

fn found(organisation: Option<Organisation>) -> Result<Organisation, Refusal> {
    organisation.ok_or_else(|| Refusal::not_found("organisation"))
}
