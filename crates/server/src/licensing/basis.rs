//! What new orders are held against.

use std::marker::PhantomData;

use chancery_license::entitlements::Entitlements;
use chancery_license::state::AfterGrace;
use chancery_license::{Build, Configuration, Feature, Misfit, State};
use chancery_time::Timestamp;

use super::admission::Denial;
use super::cold_start;
use super::record::Times;
use super::snapshot::{Judged, Snapshot};

/// What new orders are held against, as of one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(super) standing: Standing,
    /// What the licence, or the plan of the window, allows.
    pub(super) entitlements: Entitlements,
    /// Where the configuration goes beyond that.
    pub(super) misfits: Vec<Misfit>,
}

/// Which orders the state allows, limits aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All.
    Open,
    /// Renewals; all others for this reason not.
    RenewalsOnly(Denial),
    /// None, for this reason.
    Closed(Denial),
}

impl Basis {
    /// The basis of a snapshot at `now`.
    pub(crate) fn new(
        snapshot: &Snapshot,
        configuration: Configuration,
        now: Timestamp,
        times: Option<Times>,
        build: &Build,
    ) -> Self {
        let judged = snapshot.judge_under(now, times, build);
        Self::of(&judged, snapshot, configuration)
    }

    pub(super) fn of(judged: &Judged<'_>, snapshot: &Snapshot, configuration: Configuration) -> Self {
        let under = |standing, entitlements: Entitlements| Self {
            standing,
            entitlements,
            misfits: entitlements.misfits(configuration),
        };
        let closed =
            |denial| Self { standing: Standing::Closed(denial), entitlements: NOTHING, misfits: Vec::new() };
        let missing = match judged.state {
            State::NoLicense => Denial::NoLicense,
            State::NotYetValid { .. } => Denial::NotYetValid,
            State::Revoked => return closed(Denial::Revoked),
            State::Invalid(_) => return closed(Denial::Invalid),
            State::Valid { .. } | State::Grace { .. } | State::Expired { .. } => {
                let Some(license) = judged.license else { return closed(Denial::Invalid) };
                let standing = match judged.state {
                    State::Expired { then: AfterGrace::Block, .. } => Standing::Closed(Denial::Expired),
                    State::Expired { then: AfterGrace::RenewalsOnly, .. } => {
                        Standing::RenewalsOnly(Denial::Expired)
                    }
                    _ => Standing::Open,
                };
                return under(standing, license.entitlements);
            }
        };
        match snapshot.usable_window() {
            Some(_) if snapshot.record.is_some_and(|record| record.is_revoked) => closed(Denial::Revoked),
            Some(window) if cold_start::is_open(window, judged.windows_judged_at) => {
                under(Standing::Open, window.plan.entitlements())
            }
            // Whoever was served before the window closed goes on being served.
            Some(window) => under(Standing::RenewalsOnly(Denial::WindowElapsed), window.plan.entitlements()),
            None => closed(missing),
        }
    }

    /// The permission to use a feature.
    ///
    /// # Errors
    /// [`Misfit::Feature`] where the licence or the plan does not include it.
    pub(crate) fn feature<F: FeatureName>(&self) -> Result<Enabled<F>, Misfit> {
        if self.entitlements.features.contains(F::FEATURE) {
            return Ok(Enabled(PhantomData));
        }
        Err(Misfit::Feature(F::FEATURE))
    }
}

/// The entitlements of nobody.
const NOTHING: Entitlements = {
    use chancery_license::{Limit, Set};
    Entitlements {
        allowed_databases: Set::EMPTY,
        max_authorities: Limit::Forbidden,
        max_managed_servers: Limit::Forbidden,
        max_certificates: Limit::Forbidden,
        max_users: Limit::Forbidden,
        max_profiles: Limit::Forbidden,
        features: Set::EMPTY,
    }
};

/// A feature as a type.
pub(crate) trait FeatureName {
    /// The feature.
    const FEATURE: Feature;
}

/// Issuing certificates over ACME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acme {}

impl FeatureName for Acme {
    const FEATURE: Feature = Feature::Acme;
}

/// The permission to use the feature `F`. Only [`Basis::feature`] hands it out, and what belongs to a
/// feature takes it as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Enabled<F>(PhantomData<F>);
