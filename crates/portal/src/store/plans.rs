//! Plans.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;
use serde_json::{Map, Value};

use super::licenses::{self, Terms, after_grace_name};
use super::{Page, object_text, optional_json, optional_time, time};

/// A plan: what a licence of it is made with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) name: String,
    /// For how many days a licence is valid, and renewed by; `None` for ever.
    pub(crate) valid_days: Option<i64>,
    /// Its `plan_key` is the plan's.
    pub(crate) terms: Terms,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) created_at: Timestamp,
    pub(crate) archived_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, product_id, name, plan_key, mode, seat_limit, grace_days, after_grace, file_days, file_grace_days,
         entitlements, chancery_plan, chancery_entitlements, valid_days, metadata, created_at, archived_at"
    };
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Plan>, Error> {
    tx.query_opt(concat!("SELECT ", columns!(), " FROM plans WHERE id = $1"), params![id], plan)
}

/// The plan of a product with that key.
pub(crate) fn by_key(tx: &mut ReadTx<'_>, product_id: &str, plan_key: &str) -> Result<Option<Plan>, Error> {
    tx.query_opt(
        concat!("SELECT ", columns!(), " FROM plans WHERE product_id = $1 AND plan_key = $2"),
        params![product_id, plan_key],
        plan,
    )
}

/// Plans of a product in the order of their keys, behind the one with the key `after`; one more
/// than its limit where there are more.
pub(crate) fn page(tx: &mut ReadTx<'_>, product_id: &str, page: &Page) -> Result<Vec<Plan>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            columns!(),
            " FROM plans WHERE product_id = $1 AND plan_key > $2 ORDER BY plan_key LIMIT $3"
        ),
        params![product_id, page.after.as_deref().unwrap_or_default(), page.limit + 1],
        plan,
    )
}

/// Adds a plan; `false` where the product has one with that key.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Plan) -> Result<bool, Error> {
    let (terms, text) = (&new.terms, new.terms.text());
    let metadata = object_text(new.metadata.as_ref());
    let inserted = tx.execute(
        concat!(
            "INSERT INTO plans (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, NULL)
             ON CONFLICT (product_id, plan_key) DO NOTHING"
        ),
        params![
            &new.id,
            &new.product_id,
            &new.name,
            &terms.plan_key,
            terms.mode.name(),
            terms.seat_limit,
            terms.grace_days,
            after_grace_name(terms.after_grace),
            terms.file_days,
            terms.file_grace_days,
            &text.entitlements,
            text.chancery_plan,
            text.chancery_entitlements.as_ref(),
            new.valid_days,
            metadata.as_ref(),
            new.created_at.unix_millis()
        ],
    )?;
    Ok(inserted == 1)
}

/// Writes everything of a plan that may change: all but its key.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &Plan) -> Result<(), Error> {
    let (terms, text) = (&changed.terms, changed.terms.text());
    let metadata = object_text(changed.metadata.as_ref());
    tx.execute(
        "UPDATE plans SET name = $1, mode = $2, seat_limit = $3, grace_days = $4, after_grace = $5, file_days = $6,
                file_grace_days = $7, entitlements = $8, chancery_plan = $9, chancery_entitlements = $10,
                valid_days = $11, metadata = $12, archived_at = $13
         WHERE id = $14",
        params![
            &changed.name,
            terms.mode.name(),
            terms.seat_limit,
            terms.grace_days,
            after_grace_name(terms.after_grace),
            terms.file_days,
            terms.file_grace_days,
            &text.entitlements,
            text.chancery_plan,
            text.chancery_entitlements.as_ref(),
            changed.valid_days,
            metadata.as_ref(),
            changed.archived_at.map(Timestamp::unix_millis),
            &changed.id
        ],
    )?;
    Ok(())
}

fn plan(row: &Row<'_>) -> Result<Plan, Error> {
    Ok(Plan {
        id: row.get(0)?,
        product_id: row.get(1)?,
        name: row.get(2)?,
        terms: licenses::terms(row, 3)?,
        valid_days: row.get(13)?,
        metadata: optional_json(row, 14)?,
        created_at: time(row, 15)?,
        archived_at: optional_time(row, 16)?,
    })
}
