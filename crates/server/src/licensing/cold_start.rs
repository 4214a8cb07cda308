//! The cold-start window: the only way to run without a licence.

use std::time::Duration;

use chancery_db::Db;
use chancery_license::{Configuration, Misfit, Plan};
use chancery_time::Timestamp;

use crate::store::cold_start::{self, Window};

/// How long a window stays open.
pub(crate) const WINDOW: Duration = Duration::from_secs(168 * 3_600);

/// Why a window is not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitRefusal {
    #[error(
        "cold-start has already been initialised on this installation: `chancery cold-start status` shows the window"
    )]
    AlreadyInitialised,
    #[error("the configuration does not fit the plan {plan}: {}", list(.misfits))]
    Misfit { plan: Plan, misfits: Vec<Misfit> },
    #[error(transparent)]
    Store(#[from] chancery_db::Error),
}

/// Opens a window of one week under the limits of `plan`.
///
/// # Errors
/// [`InitRefusal`]; the store is then as it was.
pub(crate) async fn init(
    db: &Db,
    plan: Plan,
    configuration: Configuration,
    now: Timestamp,
) -> Result<Window, InitRefusal> {
    let misfits = plan.entitlements().misfits(configuration);
    if !misfits.is_empty() {
        return Err(InitRefusal::Misfit { plan, misfits });
    }
    let window = Window { plan, ends_at: now + WINDOW };
    db.write(move |tx| {
        if cold_start::insert(tx, window, now)? { Ok(window) } else { Err(InitRefusal::AlreadyInitialised) }
    })
    .await
}

fn list(misfits: &[Misfit]) -> String {
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
mod tests {
    use super::*;

    #[test]
    fn remaining_time_is_rounded_down() {
        for (seconds, text) in [(604_799, "6d23h"), (86_400, "1d0h"), (3_661, "1h1m"), (59, "0m"), (0, "0m")]
        {
            assert_eq!(remaining(Duration::from_secs(seconds)), text);
        }
    }
}
