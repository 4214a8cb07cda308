//! Whether the server may run: a pure decision over what is known at start.

use chancery_license::{Configuration, Misfit, Plan};
use chancery_time::Timestamp;

use crate::store::cold_start::Window;

/// The outcome of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Boot {
    /// No licence, but an open window.
    ColdStart(Grant),
    /// The server must not run.
    Refused(BootRefusal),
}

/// What the server runs under. Only [`decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(super) window: Window,
}

impl Grant {
    pub(crate) fn plan(&self) -> Plan {
        self.window.plan
    }

    /// When the window closes.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.window.ends_at
    }
}

/// Why the server must not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BootRefusal {
    /// There is no licence and no window was ever opened.
    NoLicense,
    /// The window closed before a licence came.
    WindowElapsed(Window),
    /// The configuration goes beyond the window's plan.
    Misfit(Plan, Vec<Misfit>),
}

/// Decides whether the server may run.
pub(crate) fn decide(window: Option<Window>, configuration: Configuration, now: Timestamp) -> Boot {
    let Some(window) = window else {
        return Boot::Refused(BootRefusal::NoLicense);
    };
    if now >= window.ends_at {
        return Boot::Refused(BootRefusal::WindowElapsed(window));
    }
    let misfits = window.plan.entitlements().misfits(configuration);
    if !misfits.is_empty() {
        return Boot::Refused(BootRefusal::Misfit(window.plan, misfits));
    }
    Boot::ColdStart(Grant { window })
}

#[cfg(test)]
mod tests {
    use chancery_license::{Database, Feature};

    use super::*;

    #[test]
    fn every_way_to_boot() {
        let end = Timestamp::from_unix_seconds(1_000);
        let window = |plan| Some(Window { plan, ends_at: end });
        let sqlite =
            Configuration { database: Database::Sqlite, authorities: 1, features: [Feature::Acme].into() };
        let postgres = Configuration { database: Database::Postgres, ..sqlite };
        let open = Timestamp::from_unix_seconds(999);
        let granted = |plan| Boot::ColdStart(Grant { window: Window { plan, ends_at: end } });

        assert_eq!(decide(None, sqlite, open), Boot::Refused(BootRefusal::NoLicense));
        assert_eq!(decide(window(Plan::Free), sqlite, open), granted(Plan::Free));
        assert_eq!(decide(window(Plan::Pro), postgres, open), granted(Plan::Pro));
        assert_eq!(
            decide(window(Plan::Free), sqlite, end),
            Boot::Refused(BootRefusal::WindowElapsed(Window { plan: Plan::Free, ends_at: end }))
        );
        assert_eq!(
            decide(window(Plan::Starter), postgres, open),
            Boot::Refused(BootRefusal::Misfit(Plan::Starter, vec![Misfit::Database(Database::Postgres)]))
        );
    }
}
