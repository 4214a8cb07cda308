//! The state of the licence: one pure function over the documents, the time and what is remembered.
//!
//! `docs/formats/state.md` is the normative text, with the reasons.

mod terms;
#[cfg(test)]
mod tests;

use chancery_time::Timestamp;

pub use terms::{
    AfterGrace, CallHome, DEFAULT_CLOCK_TOLERANCE, DEFAULT_GRACE, Documents, Edition, InvalidReason,
    LicenseTerms, Revocations,
};

use crate::version::Build;
use crate::watermark::Watermark;

/// What the documents are worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The licence is valid.
    Valid {
        /// When it expires.
        until: Timestamp,
    },
    /// The licence has expired, and everything still works.
    Grace {
        /// When that ends.
        until: Timestamp,
    },
    /// The licence has expired and its grace is over.
    Expired {
        /// When the grace ended.
        since: Timestamp,
        /// What is still allowed.
        then: AfterGrace,
    },
    /// The vendor revoked the licence.
    Revoked,
    /// There is no licence document.
    NoLicense,
    /// The licence has not begun.
    NotYetValid {
        /// When it begins.
        from: Timestamp,
    },
    /// There are documents, and none of them licenses this installation.
    Invalid(InvalidReason),
}

impl State {
    /// The name by which audit events and scripts know the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid { .. } => "valid",
            Self::Grace { .. } => "grace",
            Self::Expired { .. } => "expired",
            Self::Revoked => "revoked",
            Self::NoLicense => "no_license",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Invalid(_) => "invalid",
        }
    }

    /// Whether the licence allows certificates for names that have none yet.
    pub const fn allows_new(self) -> bool {
        matches!(self, Self::Valid { .. } | Self::Grace { .. })
    }

    /// Whether the licence allows renewals.
    pub const fn allows_renewals(self) -> bool {
        self.allows_new() || matches!(self, Self::Expired { then: AfterGrace::RenewalsOnly, .. })
    }
}

/// Something the operator should hear of, while the state is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The portal cannot be reached.
    #[error("the licence portal could not be reached: renewals and upgrades do not arrive until it can")]
    CallHomeFailing,
    /// The clock was set back.
    #[error(
        "the clock shows {now}, and {watermark} has been seen before: the licence is judged at the later time; correct the clock"
    )]
    ClockRollback {
        /// What the clock shows.
        now: Timestamp,
        /// The highest trustworthy time seen.
        watermark: Timestamp,
    },
}

/// The state, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The state.
    pub state: State,
    /// The document it speaks of, where one could be chosen.
    pub edition: Option<Edition>,
    /// The time at which the licence was judged: never before the highest trustworthy time seen.
    pub judged_at: Timestamp,
    /// What the operator should hear of.
    pub warnings: Vec<Warning>,
    /// What the store has to remember from now on; `None` where it had no watermark to begin with.
    pub watermark: Option<Watermark>,
}

/// Judges the documents.
///
/// `now` is what the clock of the machine shows; `watermark` is what the store remembers, `None` where
/// the record is missing or fails its MAC, which an installation that ever had one cannot honestly
/// come to; `build` is the program that asks.
pub fn state(
    documents: &Documents,
    now: Timestamp,
    watermark: Option<Watermark>,
    build: &Build,
) -> Judgement {
    let floor = watermark.map_or(build.date, |watermark| watermark.time.max(build.date));
    let licenses = acceptable(documents, build);
    let newest = licenses.iter().copied().max_by_key(|terms| terms.edition);
    // The newest document alone speaks for the time: one that the vendor's clock misdated is mended by
    // the next one.
    let known = newest.map_or(floor, |terms| floor.max(terms.edition.issued));
    let judged_at = now.max(known);

    let (state, chosen) = match choose(documents, &licenses, watermark, build, judged_at) {
        Ok(terms) => (worth(terms, documents, watermark, judged_at), Some(terms)),
        Err(state) => (state, None),
    };

    let mut warnings = Vec::new();
    if documents.call_home == CallHome::Failing && state != State::NoLicense {
        warnings.push(Warning::CallHomeFailing);
    }
    let tolerance = chosen.map_or(DEFAULT_CLOCK_TOLERANCE, |terms| terms.clock_tolerance);
    if known.since(now) > tolerance {
        warnings.push(Warning::ClockRollback { now, watermark: known });
    }

    let edition = chosen.map(|terms| terms.edition);
    let remembered = watermark.map(|watermark| Watermark {
        time: known,
        newest: watermark.newest.max(newest.map(|terms| terms.edition)),
        // Choosing a document whose day has come puts it in effect.
        in_effect: match chosen {
            Some(terms) if judged_at >= terms.not_before => Some(terms.edition),
            _ => watermark.in_effect,
        },
        revocations: watermark.revocations.max(sequence(documents)),
    });
    Judgement { state, edition, judged_at, warnings, watermark: remembered }
}

/// The documents that verify and fit this build.
fn acceptable<'a>(documents: &'a Documents, build: &Build) -> Vec<&'a LicenseTerms> {
    let verified = documents.licenses.iter().flatten();
    verified.filter(|terms| terms.fit_build(build).is_ok()).collect()
}

/// The document that counts: the newest one, or the one in effect while the newest waits for its day.
fn choose<'a>(
    documents: &Documents,
    licenses: &[&'a LicenseTerms],
    watermark: Option<Watermark>,
    build: &Build,
    judged_at: Timestamp,
) -> Result<&'a LicenseTerms, State> {
    if documents.licenses.is_empty() {
        return Err(State::NoLicense);
    }
    let watermark = watermark.ok_or(State::Invalid(InvalidReason::WatermarkMissing))?;
    let newest = licenses.iter().copied().max_by_key(|terms| terms.edition);
    let newest = match (newest, watermark.newest) {
        (Some(terms), None) => terms,
        (Some(terms), Some(seen)) if terms.edition >= seen => terms,
        (_, seen) => return Err(State::Invalid(refusal(documents, build, seen))),
    };
    if judged_at >= newest.not_before {
        return Ok(newest);
    }
    let begun = licenses.iter().copied().filter(|terms| judged_at >= terms.not_before);
    let begun = begun.max_by_key(|terms| terms.edition);
    let in_effect = begun.filter(|begun| match watermark.in_effect {
        // One that is older than what was in effect counts only if that was put in effect too early, by a
        // clock that was ahead; not where it is gone.
        Some(noted) if begun.edition < noted => licenses.iter().any(|terms| terms.edition == noted),
        _ => true,
    });
    Ok(in_effect.unwrap_or(newest))
}

/// Why no document will do: the newest one's own fault if it has one, or else that a newer one is gone.
fn refusal(documents: &Documents, build: &Build, seen: Option<Edition>) -> InvalidReason {
    let misfit = documents.licenses.iter().flatten().max_by_key(|terms| terms.edition);
    let misfit = misfit.and_then(|terms| terms.fit_build(build).err());
    let broken = documents.licenses.iter().find_map(|license| license.as_ref().err().copied());
    let superseded = seen.map(|newest| InvalidReason::Superseded { newest });
    misfit.or(broken).or(superseded).unwrap_or(InvalidReason::Malformed)
}

/// The state of the chosen document.
fn worth(
    terms: &LicenseTerms,
    documents: &Documents,
    watermark: Option<Watermark>,
    judged_at: Timestamp,
) -> State {
    if documents.revocations.as_ref().is_some_and(|list| list.revoke(terms)) {
        return State::Revoked;
    }
    let needed = watermark.map_or(0, Watermark::revocations);
    if sequence(documents) < needed {
        return State::Invalid(InvalidReason::RevocationsMissing { needed });
    }
    if judged_at < terms.not_before {
        return State::NotYetValid { from: terms.not_before };
    }
    if judged_at < terms.expires {
        return State::Valid { until: terms.expires };
    }
    if judged_at < terms.grace_ends() {
        return State::Grace { until: terms.grace_ends() };
    }
    State::Expired { since: terms.grace_ends(), then: terms.after_grace }
}

fn sequence(documents: &Documents) -> u64 {
    documents.revocations.as_ref().map_or(0, |list| list.sequence)
}
