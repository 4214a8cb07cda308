//! The organisation, as the API writes it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use crate::store::organisations::Organisation;

/// A customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OrganisationObject {
    /// `organisation`
    object: &'static str,
    id: String,
    name: String,
    email: String,
    /// What the vendor's own books call it.
    reference: Option<String>,
    metadata: Option<Map<String, Value>>,
    created_at: Time,
}

impl From<&Organisation> for OrganisationObject {
    fn from(row: &Organisation) -> Self {
        Self {
            object: "organisation",
            id: row.id.clone(),
            name: row.name.clone(),
            email: row.email.clone(),
            reference: row.reference.clone(),
            metadata: row.metadata.clone(),
            created_at: row.created_at.into(),
        }
    }
}
