//! The product, as the API writes it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::store::products::Product;

/// Something that the vendor licenses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProductObject {
    /// `product`
    object: &'static str,
    id: String,
    slug: String,
    name: String,
    /// `generic` or `chancery`
    kind: &'static str,
    created_at: Time,
    /// Since when no licences are made of it; null while they are.
    archived_at: Option<Time>,
}

impl From<&Product> for ProductObject {
    fn from(row: &Product) -> Self {
        Self {
            object: "product",
            id: row.id.clone(),
            slug: row.slug.clone(),
            name: row.name.clone(),
            kind: row.kind.name(),
            created_at: row.created_at.into(),
            archived_at: row.archived_at.map(Time),
        }
    }
}
