//! What operators change: acknowledgement, emergency grace, removal of a licence, the cold-start window.
//! Each is one transaction that changes everything it is about or nothing.

use std::convert::Infallible;
use std::time::Duration;

use chancery_db::{Db, ReadTx, WriteTx};
use chancery_license::{Build, Configuration, Keyring, Plan, State, Usage};
use chancery_time::Timestamp;
use serde_json::json;

use super::acknowledgement;
use super::boot::{self, Reason};
use super::cold_start::{self, Extension};
use super::installation::Installation;
use super::intake::{self, Brought, Intake, Taken};
use super::record::{ForcedGrace, Record};
use super::snapshot::{Snapshot, note_change};
use crate::store::cold_start::{self as windows, Window};
use crate::store::licensed;
use crate::store::licenses::{self, Acknowledgement, DocumentKind};

/// How long the emergency grace lasts.
pub(crate) const FORCED_GRACE: Duration = Duration::from_secs(72 * 3_600);

/// What every change is made with.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) db: Db,
    pub(crate) installation: std::sync::Arc<Installation>,
    pub(crate) anchors: Keyring,
    pub(crate) configuration: Configuration,
    /// How many certificate profiles are configured.
    pub(crate) profiles: u64,
    pub(crate) build: Build,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no licence is installed: install one first (`chancery license install FILE`)")]
    NoLicense,
    #[error("the licence is {0}, which cannot be acknowledged: `chancery license status` shows it")]
    NotAcknowledgeable(&'static str),
    #[error("the configuration is within the licence: there is nothing to acknowledge")]
    NotDegraded,
    #[error("the licence is {0}: the emergency grace is for a licence that expired and whose grace is over")]
    NotExpired(&'static str),
    #[error(
        "the emergency grace of this licence was taken already, until {}: it is given once; install a renewed licence",
        .0.to_minutes()
    )]
    GraceTaken(Timestamp),
    #[error(transparent)]
    ColdStart(#[from] cold_start::Refusal),
    #[error(transparent)]
    Store(#[from] chancery_db::Error),
}

impl Office {
    /// All that bears on what the server may do.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, chancery_db::Error> {
        let (installation, anchors) = (self.installation.clone(), self.anchors.clone());
        self.db.read(move |tx| Snapshot::read(tx, &installation, &anchors)).await
    }

    /// What is in use.
    pub(crate) fn usage(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Usage, chancery_db::Error> {
        // This version has no users.
        Ok(Usage { profiles: self.profiles, ..licensed::observe(tx, now)? })
    }

    /// Takes a document in.
    pub(crate) async fn install(
        &self,
        brought: Brought,
        force: bool,
        now: Timestamp,
    ) -> Result<Taken, intake::Refusal> {
        self.write(move |office, tx| office.intake(force, now).take(tx, &brought)).await
    }

    /// What [`Office::install`] would come to with `force`, and what the store would then hold: all of it
    /// is done in a transaction that is given up, so that the answer cannot differ from the deed.
    pub(crate) async fn preview(
        &self,
        brought: Brought,
        now: Timestamp,
    ) -> Result<(Taken, Snapshot), intake::Refusal> {
        let given_up: Result<Infallible, GivenUp> = self
            .write(move |office, tx| {
                let taken = office.intake(true, now).take(tx, &brought).map_err(GivenUp::Refused)?;
                let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
                Err(GivenUp::Done(Box::new((taken, snapshot))))
            })
            .await;
        match given_up {
            Err(GivenUp::Done(previewed)) => Ok(*previewed),
            Err(GivenUp::Refused(refusal)) => Err(refusal),
        }
    }

    /// Notes that the operator knows of the degraded state.
    pub(crate) async fn acknowledge(&self, now: Timestamp) -> Result<Acknowledgement, Refusal> {
        self.write(move |office, tx| {
            let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
            let judged = snapshot.judge(now, &office.build);
            match judged.state {
                State::NoLicense => return Err(Refusal::NoLicense),
                State::Revoked | State::Invalid(_) | State::NotYetValid { .. } => {
                    return Err(Refusal::NotAcknowledgeable(judged.state.name()));
                }
                State::Valid { .. } | State::Grace { .. } | State::Expired { .. } => {}
            }
            let license = judged.license.ok_or(Refusal::NoLicense)?;
            let reasons = boot::reasons(&judged, office.configuration, office.usage(tx, now)?);
            if reasons.is_empty() {
                return Err(Refusal::NotDegraded);
            }
            let acknowledgement = Acknowledgement {
                hash: acknowledgement::binding(license, office.configuration),
                reasons: reasons.iter().map(|reason: &Reason| reason.name().to_owned()).collect(),
                at: now,
            };
            licenses::acknowledge(tx, &acknowledgement)?;
            let details = json!({ "reasons": acknowledgement.reasons, "hash": acknowledgement.hash });
            licenses::record(tx, "license.acknowledge", &details, now)?;
            note_change(tx)?;
            Ok(acknowledgement)
        })
        .await
    }

    /// Removes an acknowledgement that has had its day.
    pub(crate) async fn clear_acknowledgement(&self) -> Result<bool, chancery_db::Error> {
        self.write(|_, tx| licenses::clear_acknowledgement(tx)).await
    }

    /// What the emergency grace would be, or opens it: everything works for [`FORCED_GRACE`], once for
    /// each issue of a licence.
    pub(crate) async fn force_grace(&self, confirm: bool, now: Timestamp) -> Result<ForcedGrace, Refusal> {
        self.write(move |office, tx| {
            let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
            let judged = snapshot.judge(now, &office.build);
            let record = snapshot.record.ok_or(cold_start::Refusal::RecordDamaged)?;
            let license = match (judged.state, judged.license) {
                (State::NoLicense, _) => return Err(Refusal::NoLicense),
                (_, Some(license)) => license,
                (state, None) => return Err(Refusal::NotExpired(state.name())),
            };
            let edition = license.terms.edition;
            if let Some(taken) = record.forced_grace.filter(|taken| taken.edition == edition) {
                return Err(Refusal::GraceTaken(taken.until));
            }
            if !matches!(judged.state, State::Expired { .. }) {
                return Err(Refusal::NotExpired(judged.state.name()));
            }
            let forced = ForcedGrace { edition, until: judged.judged_at + FORCED_GRACE };
            if confirm {
                office.installation.keep(tx, &Record { forced_grace: Some(forced), ..record })?;
                let details = json!({ "serial": edition.serial, "until": forced.until });
                licenses::record(tx, "license.force_grace", &details, now)?;
                note_change(tx)?;
            }
            Ok(forced)
        })
        .await
    }

    /// Removes every licence. Revocation lists, key manifests and what was seen stay.
    pub(crate) async fn uninstall(&self, now: Timestamp) -> Result<usize, Refusal> {
        self.write(move |_, tx| {
            let is_license = |kind| matches!(kind, DocumentKind::License | DocumentKind::LicenseJwt);
            let mut installed = licenses::documents(tx)?;
            installed.retain(|document| is_license(document.kind));
            if installed.is_empty() {
                return Err(Refusal::NoLicense);
            }
            for document in &installed {
                licenses::delete_document(tx, document.id)?;
            }
            licenses::clear_acknowledgement(tx)?;
            licenses::record(tx, "license.uninstall", &json!({ "documents": installed.len() }), now)?;
            note_change(tx)?;
            Ok(installed.len())
        })
        .await
    }

    /// Opens the cold-start window.
    pub(crate) async fn cold_start_init(&self, plan: Plan, now: Timestamp) -> Result<Window, Refusal> {
        self.write(move |office, tx| {
            let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
            let judged = snapshot.judge(now, &office.build);
            let window = cold_start::init(&snapshot, &judged, plan, office.configuration)?;
            windows::insert(tx, window, now)?;
            let details = json!({
                "plan": plan.name(),
                "expires_at": window.ends_at,
                "installation_key": office.installation.key.as_str(),
            });
            licenses::record(tx, "cold_start.init", &details, now)?;
            note_change(tx)?;
            Ok(window)
        })
        .await
    }

    /// Changes the plan of the window; returns the plan before, and the window now.
    pub(crate) async fn cold_start_switch(
        &self,
        plan: Plan,
        now: Timestamp,
    ) -> Result<(Plan, Window), Refusal> {
        self.write(move |office, tx| {
            let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
            let judged = snapshot.judge(now, &office.build);
            let window = cold_start::switch(&snapshot, &judged, plan, office.configuration)?;
            let before = snapshot.window.map_or(plan, |window| window.plan);
            windows::update(tx, window)?;
            let details = json!({ "from": before.name(), "plan": plan.name() });
            licenses::record(tx, "cold_start.switch", &details, now)?;
            note_change(tx)?;
            Ok((before, window))
        })
        .await
    }

    /// What an extension of the window would do, or opens it.
    pub(crate) async fn cold_start_extend(
        &self,
        confirm: bool,
        now: Timestamp,
    ) -> Result<Extension, Refusal> {
        self.write(move |office, tx| {
            let snapshot = Snapshot::read(tx, &office.installation, &office.anchors)?;
            let judged = snapshot.judge(now, &office.build);
            let extension = cold_start::extend(&snapshot, &judged)?;
            if confirm {
                windows::update(tx, Window { ends_at: extension.new_end, ..extension.current })?;
                let details = json!({
                    "plan": extension.current.plan.name(),
                    "anchor": extension.anchor.map(|(at, _)| at),
                    "cap_at": extension.anchor.map(|(_, cap)| cap),
                    "expires_at": extension.new_end,
                });
                licenses::record(tx, "cold_start.extend", &details, now)?;
                note_change(tx)?;
            }
            Ok(extension)
        })
        .await
    }

    fn intake(&self, force: bool, now: Timestamp) -> Intake<'_> {
        let Self { installation, anchors, configuration, profiles, build, .. } = self;
        Intake {
            installation,
            anchors,
            configuration: *configuration,
            profiles: *profiles,
            build: *build,
            now,
            force,
        }
    }

    async fn write<T, E>(
        &self,
        change: impl Fn(&Self, &mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<chancery_db::Error> + Send + 'static,
    {
        let office = self.clone();
        self.db.write(move |tx| change(&office, tx)).await
    }
}

/// How a transaction ends that was never meant to stay.
enum GivenUp {
    Done(Box<(Taken, Snapshot)>),
    Refused(intake::Refusal),
}

impl From<chancery_db::Error> for GivenUp {
    fn from(error: chancery_db::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Notes in the record when the first ACME account was served, unless that is noted already.
pub(crate) fn note_first_account(
    tx: &mut WriteTx<'_>,
    installation: &Installation,
    now: Timestamp,
) -> Result<(), chancery_db::Error> {
    match installation.record(tx)? {
        Some(record) if record.first_account_at.is_none() => {
            installation.keep(tx, &Record { first_account_at: Some(now), ..record })
        }
        // A damaged record is not mended in passing.
        _ => Ok(()),
    }
}
