//! Products.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{Page, named, optional_time, time};

/// What a product's installations are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Answers of the API and machine files.
    Generic,
    /// Licences in armour, revocation lists and key manifests besides.
    Chancery,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) created_at: Timestamp,
    pub(crate) archived_at: Option<Timestamp>,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Generic, Self::Chancery];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Chancery => "chancery",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

pub(crate) fn by_slug(tx: &mut ReadTx<'_>, slug: &str) -> Result<Option<Product>, Error> {
    tx.query_opt(
        "SELECT id, slug, name, kind, created_at, archived_at FROM products WHERE slug = $1",
        params![slug],
        product,
    )
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Product>, Error> {
    tx.query_opt(
        "SELECT id, slug, name, kind, created_at, archived_at FROM products WHERE id = $1",
        params![id],
        product,
    )
}

/// The products of a kind, the oldest first. A vendor has few.
pub(crate) fn of_kind(tx: &mut ReadTx<'_>, kind: Kind) -> Result<Vec<Product>, Error> {
    tx.query(
        "SELECT id, slug, name, kind, created_at, archived_at FROM products WHERE kind = $1 ORDER BY created_at, id",
        params![kind.name()],
        product,
    )
}

/// A page of the products in the order of their slugs; one more than its limit where there are more.
pub(crate) fn list(tx: &mut ReadTx<'_>, page: &Page) -> Result<Vec<Product>, Error> {
    tx.query(
        "SELECT id, slug, name, kind, created_at, archived_at FROM products WHERE slug > $1 ORDER BY slug LIMIT $2",
        params![page.after.as_deref().unwrap_or_default(), page.limit + 1],
        product,
    )
}

/// Adds a product; `false` where there is one with that slug.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Product) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO products (id, slug, name, kind, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (slug) DO NOTHING",
        params![&new.id, &new.slug, &new.name, new.kind.name(), new.created_at.unix_millis()],
    )?;
    Ok(inserted == 1)
}

/// Writes everything of a product that may change: all but its slug and its kind.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &Product) -> Result<(), Error> {
    tx.execute(
        "UPDATE products SET name = $1, archived_at = $2 WHERE id = $3",
        params![&changed.name, changed.archived_at.map(Timestamp::unix_millis), &changed.id],
    )?;
    Ok(())
}

fn product(row: &Row<'_>) -> Result<Product, Error> {
    Ok(Product {
        id: row.get(0)?,
        slug: row.get(1)?,
        name: row.get(2)?,
        kind: named(row, 3, Kind::named)?,
        created_at: time(row, 4)?,
        archived_at: optional_time(row, 5)?,
    })
}
