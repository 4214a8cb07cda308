//! Installations of products of kind chancery.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_license::Environment;
use chancery_license::exchange::Metrics;
use chancery_time::Timestamp;

use super::{Page, environment, optional_json, optional_time, time};

/// An installation, as it called or as it was linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) id: String,
    pub(crate) installation_key: String,
    pub(crate) product_id: String,
    pub(crate) environment: Environment,
    pub(crate) name: Option<String>,
    /// What it is linked to, and the seat that it takes.
    pub(crate) license_id: Option<String>,
    pub(crate) activation_id: Option<String>,
    pub(crate) linked_at: Option<Timestamp>,
    pub(crate) retired_at: Option<Timestamp>,
    /// In PEM, from its first exchange on.
    pub(crate) public_key: Option<String>,
    /// The one before, which was unpinned and never counts again: somebody may have recorded what it signed.
    pub(crate) unpinned_key: Option<String>,
    /// The highest counter of an exchange seen.
    pub(crate) counter: i64,
    /// When a counter came that had come before: somebody copied the installation.
    pub(crate) clone_seen_at: Option<Timestamp>,
    /// What it said last.
    pub(crate) metrics: Option<Metrics>,
    /// The licence document that it was sent last, and the revision that this was made of.
    pub(crate) document: Option<(String, i64)>,
    pub(crate) created_at: Timestamp,
    pub(crate) last_seen_at: Option<Timestamp>,
}

impl Installation {
    /// `linked`, `unlinked` or `retired`.
    pub(crate) fn status(&self) -> &'static str {
        match (&self.retired_at, &self.license_id) {
            (Some(_), _) => "retired",
            (None, Some(_)) => "linked",
            (None, None) => "unlinked",
        }
    }
}

macro_rules! columns {
    () => {
        "id, installation_key, product_id, environment, name, license_id, activation_id, linked_at, retired_at,
         public_key, counter, clone_seen_at, metrics, document_id, document_revision, created_at, last_seen_at,
         unpinned_key"
    };
}

pub(crate) fn by_key(tx: &mut ReadTx<'_>, key: &str) -> Result<Option<Installation>, Error> {
    tx.query_opt(
        concat!("SELECT ", columns!(), " FROM installations WHERE installation_key = $1"),
        params![key],
        installation,
    )
}

/// Installations of a product, the newest first, and one more than the page holds: those of a licence, or all; and
/// those of live data or of test data, or both.
pub(crate) fn list(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    license_id: Option<&str>,
    live: Option<bool>,
    page: &Page,
) -> Result<Vec<Installation>, Error> {
    let after = page.after.as_deref().unwrap_or("");
    let license = license_id.unwrap_or("");
    let live = match live {
        None => "",
        Some(true) => "live",
        Some(false) => "test",
    };
    tx.query(
        concat!(
            "SELECT ",
            columns!(),
            " FROM installations
             WHERE product_id = $1 AND ($2 = '' OR license_id = $2)
               AND ($3 = '' OR (environment = 'prod') = ($3 = 'live'))
               AND ($4 = '' OR (created_at, id) < (SELECT created_at, id FROM installations WHERE id = $4))
             ORDER BY created_at DESC, id DESC LIMIT $5"
        ),
        params![product_id, license, live, after, page.limit + 1],
        installation,
    )
}

/// Adds an installation, or puts one in the place of that with its id.
pub(crate) fn save(tx: &mut WriteTx<'_>, row: &Installation) -> Result<(), Error> {
    // A struct of numbers and texts always has a JSON form.
    let metrics = row.metrics.as_ref().map(|metrics| serde_json::to_string(metrics).unwrap_or_default());
    let millis = |time: Option<Timestamp>| time.map(Timestamp::unix_millis);
    tx.execute(
        "INSERT INTO installations (id, installation_key, product_id, environment, name, license_id, activation_id,
             linked_at, retired_at, public_key, counter, clone_seen_at, metrics, document_id, document_revision,
             created_at, last_seen_at, unpinned_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, license_id = excluded.license_id,
             activation_id = excluded.activation_id, linked_at = excluded.linked_at,
             retired_at = excluded.retired_at, public_key = excluded.public_key, counter = excluded.counter,
             clone_seen_at = excluded.clone_seen_at, metrics = excluded.metrics, document_id = excluded.document_id,
             document_revision = excluded.document_revision, last_seen_at = excluded.last_seen_at,
             unpinned_key = excluded.unpinned_key",
        params![
            &row.id,
            &row.installation_key,
            &row.product_id,
            row.environment.name(),
            row.name.as_ref(),
            row.license_id.as_ref(),
            row.activation_id.as_ref(),
            millis(row.linked_at),
            millis(row.retired_at),
            row.public_key.as_ref(),
            row.counter,
            millis(row.clone_seen_at),
            metrics.as_ref(),
            row.document.as_ref().map(|(id, _)| id),
            row.document.as_ref().map(|(_, revision)| *revision),
            row.created_at.unix_millis(),
            millis(row.last_seen_at),
            row.unpinned_key.as_ref()
        ],
    )?;
    Ok(())
}

fn installation(row: &Row<'_>) -> Result<Installation, Error> {
    let document = row.get::<Option<String>>(13)?.zip(row.get::<Option<i64>>(14)?);
    Ok(Installation {
        id: row.get(0)?,
        installation_key: row.get(1)?,
        product_id: row.get(2)?,
        environment: environment(row, 3)?,
        name: row.get(4)?,
        license_id: row.get(5)?,
        activation_id: row.get(6)?,
        linked_at: optional_time(row, 7)?,
        retired_at: optional_time(row, 8)?,
        public_key: row.get(9)?,
        counter: row.get(10)?,
        clone_seen_at: optional_time(row, 11)?,
        metrics: optional_json(row, 12)?,
        document,
        created_at: time(row, 15)?,
        last_seen_at: optional_time(row, 16)?,
        unpinned_key: row.get(17)?,
    })
}
