//! The cold-start window.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::Plan;
use chancery_time::Timestamp;

use super::{named, time};

/// A window during which the server runs without a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The plan whose limits apply.
    pub(crate) plan: Plan,
    pub(crate) ends_at: Timestamp,
}

pub(crate) fn find(tx: &mut ReadTx<'_>) -> Result<Option<Window>, Error> {
    tx.query_opt("SELECT plan, ends_at FROM cold_start", params![], |row| {
        Ok(Window { plan: named(row, 0, |name| name.parse().ok())?, ends_at: time(row, 1)? })
    })
}

/// Opens the window.
pub(crate) fn insert(tx: &mut WriteTx<'_>, window: Window, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO cold_start (id, plan, opened_at, ends_at) VALUES (1, $1, $2, $3)",
        params![window.plan.name(), now.unix_millis(), window.ends_at.unix_millis()],
    )?;
    Ok(())
}

/// Changes the plan or the end of the window.
pub(crate) fn update(tx: &mut WriteTx<'_>, window: Window) -> Result<(), Error> {
    tx.execute(
        "UPDATE cold_start SET plan = $1, ends_at = $2",
        params![window.plan.name(), window.ends_at.unix_millis()],
    )?;
    Ok(())
}

/// Closes the window for good; `true` where there was one.
pub(crate) fn delete(tx: &mut WriteTx<'_>) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM cold_start", params![])? > 0)
}
