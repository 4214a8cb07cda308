//! Licences.

// Before the modules that use it.
macro_rules! columns {
    () => {
        "id, product_id, plan_id, organisation_id, environment, key_hint, status, plan_key, mode, seat_limit,
         grace_days, after_grace, file_days, file_grace_days, entitlements, chancery_plan, chancery_entitlements,
         active_seats, starts_at, expires_at, metadata, reference, revision, created_at, activated_at, suspended_at,
         revoked_at, revocation_reason"
    };
}

mod change;
mod list;

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_license::state::AfterGrace;
use chancery_license::{Entitlements, Environment, LicenseKey, Plan};
use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{environment, json, json_text, named, optional_json, optional_time, time};
use crate::domain::{Mode, Status, StoredStatus};

pub(crate) use change::{insert, update};
pub(crate) use list::{Wanted, list};

/// A licence, its key left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct License {
    pub(crate) id: String,
    pub(crate) product_id: String,
    pub(crate) plan_id: String,
    pub(crate) organisation_id: Option<String>,
    pub(crate) environment: Environment,
    /// The last characters of the key, by which people tell licences apart.
    pub(crate) key_hint: String,
    pub(crate) status: StoredStatus,
    pub(crate) terms: Terms,
    pub(crate) active_seats: i64,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) reference: Option<String>,
    /// Rises with every change that its documents would show.
    pub(crate) revision: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) activated_at: Option<Timestamp>,
    pub(crate) suspended_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revocation_reason: Option<String>,
}

/// What a licence has from its plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Terms {
    pub(crate) plan_key: String,
    pub(crate) mode: Mode,
    /// `None` for any number.
    pub(crate) seat_limit: Option<i64>,
    pub(crate) grace_days: i64,
    pub(crate) after_grace: AfterGrace,
    /// How long machine files are valid where a request does not say, and their grace.
    pub(crate) file_days: i64,
    pub(crate) file_grace_days: i64,
    pub(crate) entitlements: Vec<Entitlement>,
    /// Of a product of kind chancery: its plan, and what that allows.
    pub(crate) chancery: Option<Allowed>,
}

/// Something that a licence of any product entitles to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entitlement {
    pub(crate) key: String,
    #[serde(default)]
    pub(crate) expires_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) metadata: Option<Map<String, Value>>,
}

/// What a licence of a product of kind chancery allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Allowed {
    pub(crate) plan: Plan,
    pub(crate) entitlements: Entitlements,
}

impl License {
    /// What the API calls its status at `now`.
    pub(crate) fn status_at(&self, now: Timestamp) -> Status {
        self.status.at(self.expires_at, now)
    }
}

/// The last characters of a key, by which people tell licences apart.
pub(crate) fn hint(key: &LicenseKey) -> String {
    let last = key.reveal().char_indices().rev().nth(3).map_or(0, |(index, _)| index);
    key.reveal().get(last..).unwrap_or_default().to_owned()
}

/// The licence with a key of that hash ([`Vault::key_hash`](crate::vault::Vault::key_hash)).
pub(crate) fn by_key_hash(tx: &mut ReadTx<'_>, hash: &[u8]) -> Result<Option<License>, Error> {
    tx.query_opt(concat!("SELECT ", columns!(), " FROM licenses WHERE key_hash = $1"), params![hash], license)
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<License>, Error> {
    tx.query_opt(concat!("SELECT ", columns!(), " FROM licenses WHERE id = $1"), params![id], license)
}

/// The id of the licence that has that reference.
pub(crate) fn by_reference(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
    reference: &str,
) -> Result<Option<String>, Error> {
    tx.query_opt(
        "SELECT id FROM licenses WHERE product_id = $1 AND environment = $2 AND reference = $3",
        params![product_id, environment.name(), reference],
        |row| row.get(0),
    )
}

/// The key of a licence, sealed.
pub(crate) fn sealed_key(tx: &mut ReadTx<'_>, id: &str) -> Result<Vec<u8>, Error> {
    tx.query_one("SELECT key_sealed FROM licenses WHERE id = $1", params![id], |row| row.get(0))
}

/// Takes a seat where one is free; `false` where all are taken. A pending licence becomes active.
pub(crate) fn take_seat(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<bool, Error> {
    let taken = tx.execute(
        "UPDATE licenses SET active_seats = active_seats + 1, activated_at = COALESCE(activated_at, $1),
                status = CASE WHEN status = 'pending' THEN 'active' ELSE status END
         WHERE id = $2 AND (seat_limit IS NULL OR active_seats < seat_limit)",
        params![now.unix_millis(), id],
    )?;
    Ok(taken == 1)
}

/// Gives a seat back.
pub(crate) fn release_seat(tx: &mut WriteTx<'_>, id: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE licenses SET active_seats = active_seats - 1 WHERE id = $1 AND active_seats > 0",
        params![id],
    )?;
    Ok(())
}

/// Notes that every seat was given back.
pub(crate) fn release_seats(tx: &mut WriteTx<'_>, id: &str) -> Result<(), Error> {
    tx.execute("UPDATE licenses SET active_seats = 0 WHERE id = $1", params![id])?;
    Ok(())
}

fn license(row: &Row<'_>) -> Result<License, Error> {
    Ok(License {
        id: row.get(0)?,
        product_id: row.get(1)?,
        plan_id: row.get(2)?,
        organisation_id: row.get(3)?,
        environment: environment(row, 4)?,
        key_hint: row.get(5)?,
        status: named(row, 6, StoredStatus::named)?,
        terms: terms(row, 7)?,
        active_seats: row.get(17)?,
        starts_at: optional_time(row, 18)?,
        expires_at: optional_time(row, 19)?,
        metadata: optional_json(row, 20)?,
        reference: row.get(21)?,
        revision: row.get(22)?,
        created_at: time(row, 23)?,
        activated_at: optional_time(row, 24)?,
        suspended_at: optional_time(row, 25)?,
        revoked_at: optional_time(row, 26)?,
        revocation_reason: row.get(27)?,
    })
}

/// Terms in ten columns from `first` on, as `licenses` and `plans` list them.
pub(super) fn terms(row: &Row<'_>, first: usize) -> Result<Terms, Error> {
    let plan = row.get::<Option<String>>(first + 8)?.and_then(|plan| plan.parse().ok());
    let entitlements: Option<Entitlements> = optional_json(row, first + 9)?;
    Ok(Terms {
        plan_key: row.get(first)?,
        mode: named(row, first + 1, Mode::named)?,
        seat_limit: row.get(first + 2)?,
        grace_days: row.get(first + 3)?,
        after_grace: after_grace(row, first + 4)?,
        file_days: row.get(first + 5)?,
        file_grace_days: row.get(first + 6)?,
        entitlements: json(row, first + 7)?,
        chancery: plan.zip(entitlements).map(|(plan, entitlements)| Allowed { plan, entitlements }),
    })
}

/// What of terms is written otherwise than it is held.
pub(crate) struct TermsText {
    pub(crate) entitlements: String,
    pub(crate) chancery_plan: Option<&'static str>,
    pub(crate) chancery_entitlements: Option<String>,
}

impl Terms {
    pub(crate) fn text(&self) -> TermsText {
        let allowed = self.chancery.as_ref();
        TermsText {
            entitlements: json_text(&self.entitlements),
            chancery_plan: allowed.map(|allowed| allowed.plan.name()),
            chancery_entitlements: allowed.map(|allowed| json_text(&allowed.entitlements)),
        }
    }
}

/// What is allowed after the grace, as `chancery-license` writes it.
pub(crate) const fn after_grace_name(after_grace: AfterGrace) -> &'static str {
    match after_grace {
        AfterGrace::Block => "block",
        AfterGrace::RenewalsOnly => "renewals_only",
    }
}

/// A text column that holds what is allowed after the grace, as `chancery-license` writes it.
pub(super) fn after_grace(row: &Row<'_>, index: usize) -> Result<AfterGrace, Error> {
    named(row, index, |text| serde_json::from_value(Value::from(text)).ok())
}
