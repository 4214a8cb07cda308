//! `chancery license status`.

use chancery_cli::Lines;
use chancery_license::entitlements::Entitlements;
use chancery_license::{State, Usage};
use serde_json::{Value, json};

use super::call_home::Standing;
use super::outlook::Outlook;
use super::{Told, Visit, bracketed, describe, to_seconds};
use crate::licensing::acknowledgement::short;
use crate::licensing::cold_start::remaining;
use crate::licensing::facts::Facts;
use crate::licensing::snapshot::{Judged, Snapshot};
use crate::licensing::{self, intake};
use crate::store::licenses;

/// All that the command shows.
struct Report<'a> {
    on: &'a Visit,
    snapshot: &'a Snapshot,
    judged: Judged<'a>,
    usage: Usage,
    outlook: Outlook,
    is_dev_build: bool,
    call_home: Standing,
    warnings: Vec<String>,
}

pub(super) async fn run(on: &Visit) -> anyhow::Result<Told> {
    let snapshot = on.office.snapshot().await?;
    let usage = on.usage().await?;
    let judged = snapshot.judge(on.now, &on.office.build);
    let outlook = Outlook::new(on, &snapshot, &judged, usage);
    let mut warnings: Vec<String> = judged.warnings.iter().map(ToString::to_string).collect();
    warnings.extend(outlook.why(on));
    warnings.extend(disbelieved(&snapshot, &judged));
    warnings.extend(waiting_file(on).await?);
    let call_home = Standing::of(on).await?;
    warnings.extend(call_home.warnings());
    let is_dev_build = licensing::is_dev_build()?;
    let report =
        Report { on, snapshot: &snapshot, judged, usage, outlook, is_dev_build, call_home, warnings };
    Ok(Told { text: report.text(), json: report.json() })
}

/// The state with its dates, and what it means.
pub(super) fn state(judged: &Judged<'_>) -> String {
    let now = judged.judged_at;
    let name = judged.state.name();
    match judged.state {
        State::Valid { until } => {
            format!("{name} until {} ({} left)", until.to_minutes(), remaining(until.since(now)))
        }
        State::Grace { until } => {
            let which = if judged.is_forced_grace { "the emergency grace lasts" } else { "everything works" };
            let (until, left) = (until.to_minutes(), remaining(until.since(now)));
            format!("{name}: the licence has expired, and {which} until {until} ({left} left)")
        }
        State::Expired { since, then } => {
            let (at, ago, then) =
                (since.to_minutes(), remaining(now.since(since)), describe::after_grace(then));
            format!("{name}: the grace ended at {at} ({ago} ago); {then}")
        }
        State::Revoked => format!("{name}: the vendor revoked the licence"),
        State::NoLicense => format!("{name}: none is installed"),
        State::NotYetValid { from } => {
            format!("{name}: it begins at {} (in {})", from.to_minutes(), remaining(from.since(now)))
        }
        State::Invalid(reason) => format!("{name} ({}): {reason}", reason.name()),
    }
}

/// What new orders are held against, and whose limits those are.
pub(super) fn allowed(snapshot: &Snapshot, judged: &Judged<'_>) -> Option<(String, Entitlements)> {
    if let State::NoLicense | State::NotYetValid { .. } = judged.state {
        let window = snapshot.usable_window()?;
        let whose = format!("of the cold-start window, plan {}", window.plan);
        return Some((whose, window.plan.entitlements()));
    }
    let license = judged.license?;
    Some((format!("of the licence, plan {}", license.plan), license.entitlements))
}

impl Report<'_> {
    fn text(&self) -> String {
        let (judged, snapshot) = (&self.judged, self.snapshot);
        let mut lines = Lines::default();
        lines.add("State", state(judged));
        if let Some(license) = judged.license {
            describe::license(&mut lines, license);
            lines.add("Signed by", format!("key {}", license.signer));
        }
        for waiting in self.waiting() {
            let (document, begins) = (describe::document(waiting), waiting.terms.not_before.to_minutes());
            lines.add("Waiting", format!("{document}, plan {}, begins at {begins}", waiting.plan));
        }
        if let Some(forced) = snapshot.record.and_then(|record| record.forced_grace) {
            let is_of_this_issue =
                judged.license.is_some_and(|license| license.terms.edition == forced.edition);
            let which = if is_of_this_issue { "" } else { " for another issue" };
            lines.add("Emergency grace", format!("taken{which}, until {}", forced.until.to_minutes()));
        }
        if let Some(window) = snapshot.usable_window() {
            let ends = window.ends_at.to_minutes();
            let left = match window.ends_at.since(judged.windows_judged_at) {
                left if left.is_zero() => "over".to_owned(),
                left => format!("{} left", remaining(left)),
            };
            lines.add("Cold-start window", format!("plan {}, until {ends} ({left})", window.plan));
        }
        if let Some((whose, allowed)) = allowed(snapshot, judged) {
            lines.add("Limits", whose);
            describe::limits(&mut lines, &allowed, self.on.office.configuration, self.usage);
        }
        self.installation(&mut lines);
        lines.add("At boot", self.outlook.boot());
        let reasons = self.outlook.reasons(self.on);
        if !reasons.is_empty() {
            lines.add("Reasons", bracketed(reasons));
        }

        let mut text = String::new();
        if self.is_dev_build {
            text.push_str("DEV BUILD: it trusts the public development key, so anybody can license it.\n\n");
        }
        text.push_str(&lines.to_string());
        match self.warnings.as_slice() {
            [] => text.push_str("Warnings: none\n"),
            warnings => {
                text.push_str("Warnings:\n");
                text.extend(warnings.iter().map(|warning| format!("  - {warning}\n")));
            }
        }
        text
    }

    /// What is known of the installation, whatever licence it has.
    fn installation(&self, lines: &mut Lines) {
        let (office, snapshot) = (&self.on.office, self.snapshot);
        self.call_home.add_to(lines);
        lines.add("Installation key", &office.installation.key);
        lines.add("Environment", office.anchors.environment());
        lines.add("Build", format!("{} of {}", office.build.version, office.build.date.to_minutes()));
        let number = |number: u64| if number == 0 { "none".to_owned() } else { number.to_string() };
        let watermark = snapshot.record.map(|record| record.times.watermark.time().to_minutes());
        lines.add("Watermark", watermark.unwrap_or_else(|| "missing or damaged".to_owned()));
        lines.add("Key manifest", number(snapshot.held.keyring.sequence()));
        lines.add("Revocation list", number(self.revocations()));
        let acknowledgement = snapshot.acknowledgement.as_ref().map(|known| {
            let of_old = if self.outlook.is_acknowledged() { "" } else { ", for what is no longer so" };
            format!("{} at {}{of_old}", short(&known.hash), to_seconds(known.at))
        });
        lines.add("Acknowledgement", acknowledgement.unwrap_or_else(|| "none".to_owned()));
    }

    fn json(&self) -> Value {
        let (judged, snapshot, office) = (&self.judged, self.snapshot, &self.on.office);
        let record = snapshot.record;
        let dates = match judged.state {
            State::Valid { until } | State::Grace { until } => json!({
                "until": until,
                "remaining_seconds": until.since(judged.judged_at).as_secs(),
            }),
            State::Expired { since, then } => json!({ "since": since, "then": then }),
            State::NotYetValid { from } => json!({ "from": from }),
            State::Invalid(reason) => json!({ "reason": reason.name(), "detail": reason.to_string() }),
            State::Revoked | State::NoLicense => json!({}),
        };
        let (configuration, usage) = (office.configuration, self.usage);
        let mut report = json!({
            "state": judged.state.name(),
            "state_details": dates,
            "license": judged.license.map(describe::license_json),
            "waiting": self.waiting().map(describe::license_json).collect::<Vec<_>>(),
            "emergency_grace": record.and_then(|record| record.forced_grace).map(|forced| json!({
                "until": forced.until,
                "serial": forced.edition.serial,
                "in_effect": judged.is_forced_grace,
            })),
            "cold_start": snapshot.usable_window().map(|window| json!({
                "plan": window.plan,
                "window_ends": window.ends_at,
                "cap_at": snapshot.cold_start_cap(),
            })),
            "limits": allowed(snapshot, judged)
                .map(|(_, allowed)| describe::limits_json(&allowed, configuration, usage)),
            "installation_key": office.installation.key,
            "environment": office.anchors.environment(),
            "dev_build": self.is_dev_build,
            "build": { "version": office.build.version, "date": office.build.date },
            "watermark": record.map(|record| record.times.watermark.time()),
            "key_manifest": snapshot.held.keyring.sequence(),
            "revocation_list": self.revocations(),
            "acknowledgement": snapshot.acknowledgement.as_ref().map(|known| json!({
                "hash": known.hash,
                "at": known.at,
                "reasons": known.reasons,
            })),
            "boot": self.outlook.boot_json(self.on),
            "warnings": self.warnings,
        });
        if let (Value::Object(members), Value::Object(more)) = (&mut report, self.call_home.json()) {
            members.extend(more);
        }
        report
    }

    /// Licences that are newer than the one in effect, and begin later.
    fn waiting(&self) -> impl Iterator<Item = &Facts> {
        let in_effect = self.judged.license.map(|license| license.terms.edition);
        let licenses = self.snapshot.held.licenses.iter().map(|(_, facts)| facts);
        licenses.filter(move |facts| in_effect.is_some_and(|edition| facts.terms.edition > edition))
    }

    fn revocations(&self) -> u64 {
        self.snapshot.held.documents.revocations.as_ref().map_or(0, |list| list.sequence)
    }
}

/// Documents that do not count, where the state does not say so.
fn disbelieved(snapshot: &Snapshot, judged: &Judged<'_>) -> Vec<String> {
    if matches!(judged.state, State::Invalid(_)) {
        return Vec::new();
    }
    let licenses = snapshot.held.documents.licenses.iter();
    let faults = licenses.filter_map(|license| license.as_ref().err());
    faults.map(|reason| format!("a licence document in the store does not count: {reason}")).collect()
}

/// A licence JWT in the working directory that the server has not taken in yet.
async fn waiting_file(on: &Visit) -> anyhow::Result<Option<String>> {
    let file = intake::jwt_file(&on.config.server.workdir);
    if !file.exists() {
        return Ok(None);
    }
    let installed = on.office.db.read(licenses::documents).await?;
    let waits = match intake::read(&file) {
        Ok(brought) => installed.iter().all(|known| known.text.trim() != brought.text.trim()),
        Err(_) => true,
    };
    Ok(waits.then(|| format!("{} is not installed: the next start tries to take it in", file.display())))
}
