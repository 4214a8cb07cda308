//! What operators change: acknowledgement, emergency grace, removal of a licence, the cold-start window.
//! Each is one transaction that changes everything it is about or nothing.

use std::convert::Infallible;
use std::time::Duration;

use chancery_db::{Db, ReadTx, WriteTx};
use chancery_license::state::InvalidReason;
use chancery_license::{Build, Configuration, Keyring, Plan, State, Usage};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::acknowledgement;
use super::boot::{self, Reason};
use super::cold_start::{self, Extension};
use super::installation::Installation;
use super::intake::{self, Brought, Intake, Taken};
use super::record::{ForcedGrace, Record};
use super::snapshot::{Snapshot, note_change};
use crate::audit::operator;
use crate::audit::{Entry, Trail};
use crate::audit::{Kind, events};
use crate::store::cold_start::{self as windows, Window};
use crate::store::licensed;
use crate::store::licenses::{self, Acknowledgement};

/// How long the emergency grace lasts.
pub(crate) const FORCED_GRACE: Duration = Duration::from_secs(72 * 3_600);

/// What every change is made with.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) db: Db,
    pub(crate) installation: std::sync::Arc<Installation>,
    pub(crate) anchors: Keyring,
    pub(crate) configuration: Configuration,
    /// Whether the portal is asked.
    pub(crate) is_online: bool,
    /// How many certificate profiles are configured.
    pub(crate) profiles: u64,
    pub(crate) build: Build,
    pub(crate) trail: Trail,
    /// When the first ACME account was served, by the audit log; `None` where the store knows it.
    pub(crate) logged_first_account: Option<Timestamp>,
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
    #[error("the state of the licence is `{0}`: the emergency grace is for one whose grace is over")]
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
        let office = self.clone();
        self.db.read(move |tx| office.read(tx)).await
    }

    /// The same, within a transaction.
    pub(super) fn read(&self, tx: &mut ReadTx<'_>) -> Result<Snapshot, chancery_db::Error> {
        Snapshot::read(tx, self)
    }

    /// What is in use.
    pub(crate) fn usage(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Usage, chancery_db::Error> {
        // This version has no users.
        Ok(Usage { profiles: self.profiles, ..licensed::observe(tx, now)? })
    }

    /// Sets right what a clock that was ahead left in the record, before anything is decided by it.
    pub(crate) async fn settle_record(&self, now: Timestamp) -> Result<(), chancery_db::Error> {
        self.write(move |office, tx| {
            let Some(record) = office.installation.record(tx)? else { return Ok(()) };
            let mut settled = record.with_honest_anchor(now);
            // Until there is an account nothing is measured by it, so that it may go back to a clock that
            // is right now. It never goes ahead with one.
            if office.read(tx)?.first_account_at.is_none() {
                settled.times.of_windows = record.times.of_windows.min(now);
            }
            if settled != record { office.installation.keep(tx, &settled) } else { Ok(()) }
        })
        .await
    }

    /// Takes a document in.
    pub(crate) async fn install(
        &self,
        brought: Brought,
        force: bool,
        now: Timestamp,
    ) -> Result<Taken, intake::Refusal> {
        let form = brought.kind.name();
        let taken = self
            .write(move |office, tx| Intake { office, now, force, by: operator() }.take(tx, &brought))
            .await;
        if let Err(refusal) = &taken {
            let kind = match refusal.reason() {
                Some(InvalidReason::WrongInstallation) => events::LICENSE_INSTALLATION_MISMATCH,
                _ => events::LICENSE_INSTALL_REJECTED,
            };
            let details = json!({ "form": form, "error": refusal.to_string() });
            self.note_refusal(kind, "not_taken", details, now).await;
        }
        taken
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
                let taken = Intake { office, now, force: true, by: operator() }
                    .take(tx, &brought)
                    .map_err(GivenUp::Refused)?;
                let snapshot = office.read(tx)?;
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
            let snapshot = office.read(tx)?;
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
            let details = json!({
                "reasons": acknowledgement.reasons,
                "hash": acknowledgement.hash,
                "hostname": rustix::system::uname().nodename().to_string_lossy(),
            });
            office.note(tx, events::LICENSE_ACKNOWLEDGE, "operator_ack", details, now)?;
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
            let snapshot = office.read(tx)?;
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
                office.note(tx, events::LICENSE_FORCE_GRACE, "operator_force_grace", details, now)?;
            }
            Ok(forced)
        })
        .await
    }

    /// Removes every licence. Revocation lists, key manifests and what was seen stay.
    pub(crate) async fn uninstall(&self, now: Timestamp) -> Result<usize, Refusal> {
        self.write(move |office, tx| {
            let mut installed = licenses::documents(tx)?;
            installed.retain(|document| document.kind.is_license());
            if installed.is_empty() {
                return Err(Refusal::NoLicense);
            }
            for document in &installed {
                licenses::delete_document(tx, document.id)?;
            }
            licenses::clear_acknowledgement(tx)?;
            let details = json!({ "documents": installed.len() });
            office.note(tx, events::LICENSE_UNINSTALL, "operator_uninstall", details, now)?;
            Ok(installed.len())
        })
        .await
    }

    /// Opens the cold-start window.
    pub(crate) async fn cold_start_init(&self, plan: Plan, now: Timestamp) -> Result<Window, Refusal> {
        self.settle_record(now).await?;
        let opened = self.open_window(plan, now).await;
        self.note_misfit(events::COLD_START_INIT_REJECTED, plan, &opened, now).await;
        opened
    }

    async fn open_window(&self, plan: Plan, now: Timestamp) -> Result<Window, Refusal> {
        self.write(move |office, tx| {
            let snapshot = office.read(tx)?;
            let judged = snapshot.judge(now, &office.build);
            let window = cold_start::init(&snapshot, &judged, plan, office.configuration)?;
            windows::insert(tx, window, now)?;
            let details = json!({
                "plan": plan.name(),
                "expires_at": window.ends_at,
                "installation_key": office.installation.key.as_str(),
            });
            office.note(tx, events::COLD_START_INIT, "operator_init", details, now)?;
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
        let switched = self.change_plan(plan, now).await;
        self.note_misfit(events::COLD_START_SWITCH_REJECTED, plan, &switched, now).await;
        switched
    }

    async fn change_plan(&self, plan: Plan, now: Timestamp) -> Result<(Plan, Window), Refusal> {
        self.write(move |office, tx| {
            let snapshot = office.read(tx)?;
            let judged = snapshot.judge(now, &office.build);
            let window = cold_start::switch(&snapshot, &judged, plan, office.configuration)?;
            let before = snapshot.window.map_or(plan, |window| window.plan);
            windows::update(tx, window)?;
            let details = json!({ "from": before.name(), "plan": plan.name() });
            office.note(tx, events::COLD_START_SWITCH, "operator_switch", details, now)?;
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
        self.settle_record(now).await?;
        self.write(move |office, tx| {
            let snapshot = office.read(tx)?;
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
                office.note(tx, events::COLD_START_EXTEND, "operator_extend", details, now)?;
            }
            Ok(extension)
        })
        .await
    }

    /// Keeps what was done in the history, tells the audit log of it, and lets running servers notice.
    pub(super) fn note(
        &self,
        tx: &mut WriteTx<'_>,
        kind: Kind,
        reason: &'static str,
        details: Value,
        now: Timestamp,
    ) -> Result<(), chancery_db::Error> {
        self.note_by(tx, kind, operator(), reason, details, now)
    }

    /// The same, of what somebody else did.
    pub(super) fn note_by(
        &self,
        tx: &mut WriteTx<'_>,
        kind: Kind,
        by: String,
        reason: &'static str,
        details: Value,
        now: Timestamp,
    ) -> Result<(), chancery_db::Error> {
        licenses::record(tx, kind.name, &details, now)?;
        self.trail.tell(tx, &Entry::new(kind, details).by(by).allowed(reason), now)?;
        note_change(tx)
    }

    /// Tells the audit log of something that was refused, and that therefore changed nothing else.
    pub(super) async fn note_refusal(
        &self,
        kind: Kind,
        reason: &'static str,
        details: Value,
        now: Timestamp,
    ) {
        self.note_refusal_by(kind, operator(), reason, details, now).await;
    }

    /// The same, of what somebody else brought.
    pub(super) async fn note_refusal_by(
        &self,
        kind: Kind,
        by: String,
        reason: &'static str,
        details: Value,
        now: Timestamp,
    ) {
        let entry = Entry::new(kind, details).by(by).denied(reason);
        if let Err(error) = self.trail.tell_alone(&self.db, entry, now).await {
            tracing::error!(%error, event = kind.name, "a refusal could not be told to the audit log");
        }
    }

    async fn note_misfit<T>(&self, kind: Kind, plan: Plan, outcome: &Result<T, Refusal>, now: Timestamp) {
        let Err(Refusal::ColdStart(cold_start::Refusal::Misfit { misfits, .. })) = outcome else { return };
        let details = json!({
            "plan": plan.name(),
            "driver": self.configuration.database.to_string(),
            "configured_cas": self.configuration.authorities,
            "reasons": misfits.iter().map(|misfit| misfit.reason()).collect::<Vec<_>>(),
        });
        self.note_refusal(kind, "config_mismatch", details, now).await;
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
            installation.keep(tx, &Record { first_account_at: Some(now), ..record })?;
            note_change(tx)
        }
        // A damaged record is not mended in passing.
        _ => Ok(()),
    }
}
