//! The rules of the cold-start window: the only way to run without a licence.
//!
//! A window lasts a week and can be opened again, but not beyond three weeks after the first ACME
//! account was served. That instant is kept in the record under its MAC, so that it outlives the rows
//! it came from.

use std::time::Duration;

use chancery_license::{Configuration, Misfit, Plan, State};
use chancery_time::Timestamp;

use super::snapshot::{Judged, Snapshot};
use crate::store::cold_start::Window;

/// How long a window stays open.
pub(crate) const WINDOW: Duration = Duration::from_secs(168 * 3_600);
/// How far the clocks of several nodes may lie apart.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3_600);
/// How long after the first account the last window ends.
const CAP: Duration = Duration::from_secs(21 * 86_400);

/// Why a window is not opened or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "a licence is installed, so there is no cold start: `chancery license status` shows it, and `chancery license uninstall --confirm` takes it away"
    )]
    LicenseInstalled,
    #[error(
        "cold-start has already been initialised on this installation: `chancery cold-start status` shows the window, `chancery cold-start extend` opens another week"
    )]
    AlreadyInitialised,
    #[error(
        "cold-start was never initialised on this installation: run `chancery cold-start init --plan=PLAN` first"
    )]
    NeverInitialised,
    #[error("the configuration does not fit the plan {plan}: {}", list(.misfits))]
    Misfit { plan: Plan, misfits: Vec<Misfit> },
    #[error(
        "the cumulative cap of 3 weeks was reached at {}, counted from the first ACME account served at {}: only a licence helps now (`chancery license install FILE`)",
        .cap.to_minutes(), .first_account_at.to_minutes()
    )]
    CapReached { cap: Timestamp, first_account_at: Timestamp },
    #[error(
        "the window ends at {}, which is where the cumulative cap of 3 weeks lies: it cannot be extended, only a licence helps (`chancery license install FILE`)",
        .cap.to_minutes()
    )]
    EndsAtCap { cap: Timestamp },
    #[error(
        "the vendor revoked the licence of this installation, so no window can be opened: install another licence (`chancery license install FILE`)"
    )]
    Revoked,
    #[error(
        "the record of what this installation has seen is missing or damaged, so no window can be opened: restore the database from a backup, or ask the vendor"
    )]
    RecordDamaged,
}

/// What an extension would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extension {
    /// The window as it is.
    pub(crate) current: Window,
    /// When the first ACME account was served, and where the cap therefore lies.
    pub(crate) anchor: Option<(Timestamp, Timestamp)>,
    pub(crate) new_end: Timestamp,
}

/// When cold starts end for good, after the first account was served at that time.
pub(crate) fn cap_at(first_account_at: Timestamp) -> Timestamp {
    first_account_at + CAP
}

/// Whether a window is open at that time.
///
/// One that ends more than a week later was opened by a clock that was ahead, or by another hand than
/// ours; it does not count, and an extension puts an honest one in its place.
pub(crate) fn is_open(window: Window, at: Timestamp) -> bool {
    at < window.ends_at && window.ends_at <= at + WINDOW + CLOCKS_DIFFER
}

/// The window that would be opened under `plan`.
pub(crate) fn init(
    snapshot: &Snapshot,
    judged: &Judged<'_>,
    plan: Plan,
    configuration: Configuration,
) -> Result<Window, Refusal> {
    applicable(snapshot, judged)?;
    if judged.state != State::NoLicense {
        return Err(Refusal::LicenseInstalled);
    }
    if snapshot.window.is_some() {
        return Err(Refusal::AlreadyInitialised);
    }
    fits(plan, configuration)?;
    Ok(Window { plan, ends_at: bounded_end(snapshot, judged)? })
}

/// The window under another plan.
pub(crate) fn switch(
    snapshot: &Snapshot,
    judged: &Judged<'_>,
    plan: Plan,
    configuration: Configuration,
) -> Result<Window, Refusal> {
    applicable(snapshot, judged)?;
    let window = snapshot.window.ok_or(Refusal::NeverInitialised)?;
    fits(plan, configuration)?;
    Ok(Window { plan, ..window })
}

/// What an extension would do.
pub(crate) fn extend(snapshot: &Snapshot, judged: &Judged<'_>) -> Result<Extension, Refusal> {
    applicable(snapshot, judged)?;
    let current = snapshot.usable_window().ok_or(Refusal::NeverInitialised)?;
    let new_end = bounded_end(snapshot, judged)?;
    if new_end <= current.ends_at && snapshot.cold_start_cap() == Some(new_end) {
        return Err(Refusal::EndsAtCap { cap: new_end });
    }
    let anchor = snapshot.first_account_at.map(|at| (at, cap_at(at)));
    let is_open = is_open(current, judged.windows_judged_at);
    // An extension takes nothing away from an honest window.
    let new_end = if is_open { new_end.max(current.ends_at) } else { new_end };
    Ok(Extension { current, anchor, new_end })
}

/// A cold start is for installations without a licence, whose record can be trusted.
fn applicable(snapshot: &Snapshot, judged: &Judged<'_>) -> Result<(), Refusal> {
    match judged.state {
        State::NoLicense => {}
        // Until its day comes, an open window bridges the time.
        State::NotYetValid { .. } if snapshot.window.is_some() => {}
        _ => return Err(Refusal::LicenseInstalled),
    }
    let record = snapshot.record.ok_or(Refusal::RecordDamaged)?;
    if record.is_revoked { Err(Refusal::Revoked) } else { Ok(()) }
}

fn fits(plan: Plan, configuration: Configuration) -> Result<(), Refusal> {
    let misfits = plan.entitlements().misfits(configuration);
    if misfits.is_empty() { Ok(()) } else { Err(Refusal::Misfit { plan, misfits }) }
}

/// A week from now, or the cap where that comes first.
fn bounded_end(snapshot: &Snapshot, judged: &Judged<'_>) -> Result<Timestamp, Refusal> {
    let now = judged.windows_judged_at;
    let Some(first_account_at) = snapshot.first_account_at else { return Ok(now + WINDOW) };
    let cap = cap_at(first_account_at);
    if now >= cap {
        return Err(Refusal::CapReached { cap, first_account_at });
    }
    Ok((now + WINDOW).min(cap))
}

pub(crate) fn list(misfits: &[Misfit]) -> String {
    misfits.iter().map(|misfit| format!("{misfit} ({})", misfit.reason())).collect::<Vec<_>>().join("; ")
}

/// `6d23h`: how a length of time is shown to a person, rounded down to the hour, or to the minute below one.
pub(crate) fn remaining(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, hours) => format!("{hours}h{minutes}m"),
        (days, hours) => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests;
