//! The user, as the API writes it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::store::users::User;

/// Somebody who works for the vendor.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct UserObject {
    /// `user`
    object: &'static str,
    id: String,
    email: String,
    name: String,
    /// `owner`, `admin`, `support` or `viewer`
    role: &'static str,
    created_at: Time,
    /// Since when neither the user nor the user's keys are let in; null while they are.
    disabled_at: Option<Time>,
}

impl From<&User> for UserObject {
    fn from(row: &User) -> Self {
        Self {
            object: "user",
            id: row.id.clone(),
            email: row.email.clone(),
            name: row.name.clone(),
            role: row.role.name(),
            created_at: row.created_at.into(),
            disabled_at: row.disabled_at.map(Time),
        }
    }
}
