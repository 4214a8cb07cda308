//! API keys, by their hashes.

use aws_lc_rs::digest::{SHA256, digest};
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{Page, json, json_text, named, optional_time, time};
use crate::domain::{Permission, Permissions, Role};

/// Where a key may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Ships inside programs.
    Publishable,
    /// Stays with the vendor.
    Secret,
}

/// A key that was looked up.
#[derive(Debug, Clone)]
pub(crate) struct KnownKey {
    pub(crate) id: String,
    pub(crate) class: Class,
    pub(crate) live: bool,
    pub(crate) product_id: Option<String>,
    pub(crate) scopes: Permissions,
    /// The role of the user that it belongs to, if it belongs to any.
    pub(crate) role: Option<Role>,
    pub(crate) expires_at: Option<Timestamp>,
    /// Whether neither it nor its user was taken out of service.
    pub(crate) is_enabled: bool,
}

/// An API key as its owners see it: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    pub(crate) id: String,
    /// The first characters of the key.
    pub(crate) hint: String,
    pub(crate) name: String,
    pub(crate) class: Class,
    pub(crate) live: bool,
    pub(crate) product_id: Option<String>,
    /// The slug of that product.
    pub(crate) product_slug: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) scopes: Permissions,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// Which keys are wanted; what is missing leaves none out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) live: Option<bool>,
    pub(crate) product_id: Option<String>,
}

impl Class {
    pub(crate) const ALL: [Self; 2] = [Self::Publishable, Self::Secret];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == text)
    }
}

impl KnownKey {
    pub(crate) fn counts_at(&self, now: Timestamp) -> bool {
        self.is_enabled && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The key with that hash.
pub(crate) fn by_hash(tx: &mut ReadTx<'_>, hash: &[u8]) -> Result<Option<KnownKey>, Error> {
    tx.query_opt(
        "SELECT k.id, k.class, k.live, k.product_id, k.scopes, u.role, k.expires_at, k.revoked_at, u.disabled_at
         FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.key_hash = $1",
        params![hash],
        |row| {
            let role = row.get::<Option<String>>(5)?;
            let (revoked_at, disabled_at) = (optional_time(row, 7)?, optional_time(row, 8)?);
            Ok(KnownKey {
                id: row.get(0)?,
                class: named(row, 1, Class::named)?,
                live: row.get::<i64>(2)? == 1,
                product_id: row.get(3)?,
                scopes: scopes(&json::<Vec<String>>(row, 4)?),
                // A role that this version does not know allows nothing that the least one does not.
                role: role.map(|role| Role::named(&role).unwrap_or(Role::Viewer)),
                expires_at: optional_time(row, 6)?,
                is_enabled: revoked_at.is_none() && disabled_at.is_none(),
            })
        },
    )
}

/// The permissions of those names. One that this version does not know allows nothing.
fn scopes(names: &[String]) -> Permissions {
    names.iter().filter_map(|name| name.parse::<Permission>().ok()).collect()
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.hint, k.name, k.class, k.live, k.product_id, p.slug, k.user_id, k.scopes, k.created_at,
                    k.expires_at, k.revoked_at
             FROM api_keys k LEFT JOIN products p ON p.id = k.product_id ",
            $rest
        )
    };
}

/// By what a key is kept and found. Whoever sees how long a look-up takes learns of hashes, not of keys.
pub(crate) fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<ApiKey>, Error> {
    tx.query_opt(select!("WHERE k.id = $1"), params![id], api_key)
}

/// A page of the keys, the newest first; one more than its limit where there are more.
pub(crate) fn list(tx: &mut ReadTx<'_>, wanted: &Wanted, page: &Page) -> Result<Vec<ApiKey>, Error> {
    // The first use of a parameter tells PostgreSQL its type.
    tx.query(
        select!(
            "WHERE (k.live = $1 OR $1 IS NULL) AND (k.product_id = $2 OR $2 IS NULL)
               AND ($3 = '' OR (k.created_at, k.id) < (SELECT a.created_at, a.id FROM api_keys a WHERE a.id = $3))
             ORDER BY k.created_at DESC, k.id DESC LIMIT $4"
        ),
        params![
            wanted.live.map(i64::from),
            wanted.product_id.as_ref(),
            page.after.as_deref().unwrap_or_default(),
            page.limit + 1
        ],
        api_key,
    )
}

/// Adds a key, of which the hash alone is kept.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &ApiKey, key_hash: &[u8]) -> Result<(), Error> {
    let scopes: Vec<&str> = new.scopes.iter().map(Permission::name).collect();
    tx.execute(
        "INSERT INTO api_keys
            (id, key_hash, hint, name, class, live, product_id, user_id, scopes, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            &new.id,
            key_hash,
            &new.hint,
            &new.name,
            new.class.name(),
            i64::from(new.live),
            new.product_id.as_ref(),
            new.user_id.as_ref(),
            &json_text(&scopes),
            new.created_at.unix_millis(),
            new.expires_at.map(Timestamp::unix_millis)
        ],
    )?;
    Ok(())
}

/// Revokes a key; `false` where that was done before.
pub(crate) fn revoke(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<bool, Error> {
    let revoked = tx.execute(
        "UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
        params![now.unix_millis(), id],
    )?;
    Ok(revoked == 1)
}

fn api_key(row: &Row<'_>) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row.get(0)?,
        hint: row.get(1)?,
        name: row.get(2)?,
        class: named(row, 3, Class::named)?,
        live: row.get::<i64>(4)? == 1,
        product_id: row.get(5)?,
        product_slug: row.get(6)?,
        user_id: row.get(7)?,
        scopes: scopes(&json::<Vec<String>>(row, 8)?),
        created_at: time(row, 9)?,
        expires_at: optional_time(row, 10)?,
        revoked_at: optional_time(row, 11)?,
    })
}
