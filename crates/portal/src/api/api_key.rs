//! The API key, as the API writes it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::domain::Permission;
use crate::service::api_keys::Made;
use crate::store::api_keys::ApiKey;

/// An API key, of which nothing but its first characters is shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ApiKeyObject {
    /// `api_key`
    object: &'static str,
    id: String,
    name: String,
    /// `publishable` or `secret`
    class: &'static str,
    /// Whether it reaches live data, or test data.
    live: bool,
    /// Its first characters.
    hint: String,
    /// The one product that it is for; null for all.
    product_slug: Option<String>,
    /// The user whose role bounds it.
    user_id: Option<String>,
    scopes: Vec<&'static str>,
    created_at: Time,
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
}

/// An API key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKeyObject {
    /// The key itself. It is shown this once.
    key: String,
    #[serde(flatten)]
    api_key: ApiKeyObject,
}

impl From<&ApiKey> for ApiKeyObject {
    fn from(row: &ApiKey) -> Self {
        Self {
            object: "api_key",
            id: row.id.clone(),
            name: row.name.clone(),
            class: row.class.name(),
            live: row.live,
            hint: row.hint.clone(),
            product_slug: row.product_slug.clone(),
            user_id: row.user_id.clone(),
            scopes: row.scopes.iter().map(Permission::name).collect(),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Time),
            revoked_at: row.revoked_at.map(Time),
        }
    }
}

impl From<Made> for NewApiKeyObject {
    fn from(made: Made) -> Self {
        Self { api_key: (&made.api_key).into(), key: made.secret.as_str().to_owned() }
    }
}
