//! Whether the server may run: a pure decision over what is known at start.

use std::fmt;

use chancery_license::state::InvalidReason;
use chancery_license::{Configuration, Misfit, State, Usage};
use chancery_time::Timestamp;

use super::snapshot::{Judged, Snapshot};
use super::{acknowledgement, cold_start};
use crate::store::cold_start::Window;
use crate::store::licenses::Acknowledgement;

/// The outcome of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Boot {
    /// A licence, and everything within it. A stored acknowledgement has had its day.
    Conforming,
    /// No licence in effect, but an open window. What does not fit its plan is only warned of.
    ColdStart { window: Window, misfits: Vec<Misfit> },
    /// Beyond the licence, which the operator knows.
    Degraded { reasons: Vec<Reason>, acknowledgement: Acknowledgement },
    /// The server must not run.
    Refused(BootRefusal),
}

/// Why the server must not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BootRefusal {
    /// There is no licence, and no window.
    NoLicense,
    /// The window closed before a licence came.
    WindowElapsed { window: Window, cap: Option<Timestamp> },
    /// The record of what was seen is gone or was touched.
    RecordDamaged,
    /// The licence begins later, and there is no window until then.
    NotYetValid { from: Timestamp },
    /// The vendor revoked the licence.
    Revoked,
    /// There are documents, and none that counts.
    Invalid(InvalidReason),
    /// Beyond the licence, which the operator has not acknowledged.
    Degraded { plan: &'static str, reasons: Vec<Reason> },
}

/// One way in which a licence does not cover what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Beyond(Misfit),
    /// The licence expired, and its grace ended then.
    Expired {
        grace_ended: Timestamp,
    },
}

impl Reason {
    /// The name by which audit events and scripts know the reason.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Beyond(misfit) => misfit.reason(),
            Self::Expired { .. } => "license_expired",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beyond(misfit) => misfit.fmt(f),
            Self::Expired { grace_ended } => {
                write!(f, "it has expired, and its grace ended at {}", grace_ended.to_minutes())
            }
        }
    }
}

/// Decides whether the server may run.
pub(crate) fn decide(
    snapshot: &Snapshot,
    judged: &Judged<'_>,
    configuration: Configuration,
    usage: Usage,
) -> Boot {
    match judged.state {
        State::Revoked => return Boot::Refused(BootRefusal::Revoked),
        State::Invalid(reason) => return Boot::Refused(BootRefusal::Invalid(reason)),
        State::NoLicense | State::NotYetValid { .. } => {
            return without_license(snapshot, judged, configuration);
        }
        State::Valid { .. } | State::Grace { .. } | State::Expired { .. } => {}
    }
    let Some(license) = judged.license else {
        return Boot::Refused(BootRefusal::Invalid(InvalidReason::Malformed));
    };
    let reasons = reasons(judged, configuration, usage);
    if reasons.is_empty() {
        return Boot::Conforming;
    }
    let binding = acknowledgement::binding(license, configuration);
    match &snapshot.acknowledgement {
        Some(known) if known.hash == binding => Boot::Degraded { reasons, acknowledgement: known.clone() },
        _ => Boot::Refused(BootRefusal::Degraded { plan: license.plan, reasons }),
    }
}

/// Every way in which the licence does not cover what is there; empty where it does, or where there is
/// none.
pub(crate) fn reasons(judged: &Judged<'_>, configuration: Configuration, usage: Usage) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let State::Expired { since, .. } = judged.state {
        reasons.push(Reason::Expired { grace_ended: since });
    }
    if let Some(license) = judged.license {
        let entitlements = license.entitlements;
        reasons.extend(entitlements.misfits(configuration).into_iter().map(Reason::Beyond));
        reasons.extend(entitlements.excesses(usage).into_iter().map(Reason::Beyond));
    }
    reasons
}

fn without_license(snapshot: &Snapshot, judged: &Judged<'_>, configuration: Configuration) -> Boot {
    if snapshot.record.is_none() {
        return Boot::Refused(BootRefusal::RecordDamaged);
    }
    let Some(window) = snapshot.usable_window() else {
        return Boot::Refused(match judged.state {
            State::NotYetValid { from } => BootRefusal::NotYetValid { from },
            _ => BootRefusal::NoLicense,
        });
    };
    if snapshot.record.is_some_and(|record| record.is_revoked) {
        return Boot::Refused(BootRefusal::Revoked);
    }
    if !cold_start::is_open(window, judged.windows_judged_at) {
        return Boot::Refused(BootRefusal::WindowElapsed { window, cap: snapshot.cold_start_cap() });
    }
    Boot::ColdStart { window, misfits: window.plan.entitlements().misfits(configuration) }
}

#[cfg(test)]
mod tests;
