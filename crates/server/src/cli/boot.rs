//! The decision at start, and what the operator is told of it.

use chancery_cli::print_error;
use chancery_license::state::InvalidReason;
use chancery_time::Timestamp;
use serde_json::json;

use crate::audit::{Entry, events};
use crate::config::Config;
use crate::licensing::boot::{self, BootRefusal};
use crate::licensing::change::Office;
use crate::licensing::portal::{Desk, poller};
use crate::licensing::snapshot::Snapshot;
use crate::licensing::{self, Boot, intake};

/// Decides whether the server may run; where it may not, shows the banner. Before it comes to that, the portal is
/// asked where there is one, it is `desk`'s time, and what it has might help.
///
/// # Errors
/// When the store fails.
pub(super) async fn boot(
    config: &Config,
    office: &Office,
    desk: Option<&Desk>,
    now: Timestamp,
) -> anyhow::Result<Option<Snapshot>> {
    if licensing::is_dev_build()? {
        tracing::warn!("DEV BUILD: it trusts the public development key, so anybody can license it");
    }
    office.settle_record(now).await?;
    let file_fault = take_jwt_file(config, office, now).await;
    let mut snapshot = office.snapshot().await?;
    let counted = office.clone();
    let usage = office.db.read(move |tx| counted.usage(tx, now)).await?;
    let decide = |snapshot: &Snapshot| {
        boot::decide(snapshot, &snapshot.judge(now, &office.build), office.configuration, usage)
    };
    let mut decided = decide(&snapshot);
    if let (Boot::Refused(_), Some(desk)) = (&decided, desk)
        && poller::poll(desk).await
    {
        snapshot = office.snapshot().await?;
        decided = decide(&snapshot);
    }
    let judged = snapshot.judge(now, &office.build);
    let state = judged.state.name();
    match with_file_fault(decided, file_fault) {
        Boot::Conforming => {
            if office.clear_acknowledgement().await? {
                tracing::info!("everything is within the licence again: the acknowledgement is cleared");
            }
            let plan = judged.license.map(|license| license.plan);
            tracing::info!(plan, state, "everything is within the licence");
        }
        Boot::ColdStart { window, misfits } => {
            let (plan, ends) = (window.plan, window.ends_at.to_minutes());
            tracing::warn!(%plan, %ends, state, "no licence is in effect: running in a cold-start window");
            if !misfits.is_empty() {
                tracing::warn!("{}", licensing::misfit_warning(&misfits));
            }
        }
        Boot::Degraded { reasons, acknowledgement } => {
            let named: Vec<&str> = reasons.iter().map(|reason| reason.name()).collect();
            let details = json!({
                "reasons": named,
                "hash": acknowledgement.hash,
                "acknowledged_at": acknowledgement.at,
            });
            let entry = Entry::new(events::LICENSE_BOOT_DEGRADED, details).allowed("ack_active");
            office.trail.tell_alone(&office.db, entry, now).await?;
            tracing::warn!(
                event = "license.boot_degraded",
                reasons = named.join(" "),
                hash = acknowledgement.hash,
                acknowledged_at = %acknowledgement.at,
                "DEGRADED, as acknowledged: {}; renewals go on, other orders are refused",
                intake::list(&reasons)
            );
        }
        Boot::Refused(refusal) => {
            let reasons = licensing::tell(&refusal, &config.file.display().to_string()).reasons;
            let entry = Entry::new(events::LICENSE_BOOT_REFUSED, json!({ "reasons": reasons }));
            office.trail.tell_alone(&office.db, entry.denied(reasons.join(" ")), now).await?;
            print_error(&licensing::banner(
                &refusal,
                &office.installation.key,
                &config.file,
                office.is_online,
            ))?;
            return Ok(None);
        }
    }
    Ok(Some(snapshot))
}

/// Takes in the licence JWT that may lie in the working directory; returns why it is not believed.
async fn take_jwt_file(config: &Config, office: &Office, now: Timestamp) -> Option<InvalidReason> {
    let file = intake::jwt_file(&config.server.workdir);
    if !file.exists() {
        return None;
    }
    let brought = match intake::read_jwt_file(&file) {
        Ok(brought) => brought,
        Err(error) => {
            tracing::error!("the licence JWT is not taken: {error:#}");
            return Some(InvalidReason::Malformed);
        }
    };
    let force = match office.snapshot().await {
        Ok(snapshot) => snapshot.held.licenses.is_empty(),
        Err(error) => {
            tracing::error!(%error, "the licence JWT is not taken");
            return None;
        }
    };
    match office.install(brought, force, now).await {
        Ok(_) => None,
        Err(refusal) => {
            tracing::error!(file = %file.display(), "the licence JWT is not taken: {refusal}");
            refusal.reason()
        }
    }
}

/// A licence that lies there and is not believed explains a refusal better than that there is none.
fn with_file_fault(decided: Boot, fault: Option<InvalidReason>) -> Boot {
    match (decided, fault) {
        (Boot::Refused(BootRefusal::NoLicense | BootRefusal::WindowElapsed { .. }), Some(reason)) => {
            Boot::Refused(BootRefusal::Invalid(reason))
        }
        (decided, _) => decided,
    }
}
