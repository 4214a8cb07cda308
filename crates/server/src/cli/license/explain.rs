//! `chancery license explain`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use chancery_cli::Lines;
use chancery_license::state::{AfterGrace, DEFAULT_CLOCK_TOLERANCE, DEFAULT_GRACE, Edition, LicenseTerms};
use chancery_license::{KeyId, Plan, Usage};
use chancery_time::Timestamp;
use serde_json::json;

use super::license_key::LicenseKeyArgs;
use super::outlook::Outlook;
use super::status::{self, allowed};
use super::{Told, Visit, bracketed, describe};
use crate::licensing::facts::{Facts, Form};
use crate::licensing::intake::{Brought, Taken};
use crate::licensing::snapshot::Snapshot;

/// For how long a licence is imagined to last.
const IMAGINED_LENGTH: Duration = Duration::from_secs(365 * 86_400);

/// Under what the server is to be explained.
pub(super) enum Question {
    /// What is installed.
    Installed,
    /// A licence of that plan.
    Plan(Plan),
    /// That document, from that file.
    Document(Brought, PathBuf),
}

impl Question {
    /// The question of a command line, on which not both can be given.
    pub(super) fn new(
        file: Option<PathBuf>,
        plan: Option<Plan>,
        license_key: &LicenseKeyArgs,
    ) -> anyhow::Result<Self> {
        Ok(match (file, plan) {
            (Some(file), _) => Self::Document(license_key.read(&file)?, file),
            (None, Some(plan)) => Self::Plan(plan),
            (None, None) => Self::Installed,
        })
    }
}

pub(super) async fn run(on: &Visit, question: Question) -> anyhow::Result<Told> {
    let snapshot = on.office.snapshot().await?;
    let (under, snapshot, overruled) = match question {
        Question::Installed => ("what is installed".to_owned(), snapshot, Vec::new()),
        Question::Plan(plan) => {
            let signer = snapshot.held.keyring.jwt_keys().first().map(|key| key.id());
            let signer = signer.context("this build trusts no key")?;
            let issued = snapshot.judge(on.now, &on.office.build).judged_at;
            let imagined = imagined(plan, issued, signer);
            (
                format!("a licence of the plan {plan}, as if it were installed"),
                snapshot.with_license(imagined),
                Vec::new(),
            )
        }
        Question::Document(brought, file) => {
            let previewed = on.office.preview(brought, on.now).await;
            let (taken, snapshot) =
                previewed.with_context(|| format!("{} would not be installed", file.display()))?;
            let overruled = match taken {
                Taken::License { overruled, .. } => overruled.iter().map(|reason| reason.name()).collect(),
                Taken::Revocations { .. } | Taken::Keys { .. } | Taken::Unchanged => Vec::new(),
            };
            (format!("{}, as if it were installed", file.display()), snapshot, overruled)
        }
    };
    let usage = on.usage().await?;
    Ok(told(on, &under, &snapshot, usage, &overruled))
}

fn told(on: &Visit, under: &str, snapshot: &Snapshot, usage: Usage, overruled: &[&'static str]) -> Told {
    let judged = snapshot.judge(on.now, &on.office.build);
    let outlook = Outlook::new(on, snapshot, &judged, usage);
    let configuration = on.office.configuration;
    let allowed = allowed(snapshot, &judged);

    let mut lines = Lines::default();
    lines.add("Explained", under);
    lines.add("State", status::state(&judged));
    if let Some((whose, allowed)) = &allowed {
        lines.add("Limits", whose);
        describe::limits(&mut lines, allowed, configuration, usage);
    }
    if !overruled.is_empty() {
        lines.add("Install", format!("refused without --force: {}", bracketed(overruled.iter().copied())));
    }
    lines.add("Boot", outlook.boot());
    if let Some(why) = outlook.why(on) {
        lines.add("Why", why);
        lines.add("Reasons", bracketed(outlook.reasons(on)));
    }
    let mut text = format!("{lines}Orders:\n{}", outlook.orders().indented("  "));
    let help = outlook.help(on);
    if !help.is_empty() {
        text.push_str("What helps:\n");
        text.extend(help.iter().map(|(command, purpose)| format!("  {command}   ({purpose})\n")));
    }

    let json = json!({
        "under": under,
        "state": judged.state.name(),
        "limits": allowed.map(|(_, allowed)| describe::limits_json(&allowed, configuration, usage)),
        "needs_force": overruled,
        "boot": outlook.boot_json(on),
        "orders": outlook.orders_json(),
    });
    Told { text, json }
}

/// A licence of a plan, issued and begun now, and newer than any other.
fn imagined(plan: Plan, now: Timestamp, signer: KeyId) -> Facts {
    Facts {
        form: Form::Lic,
        terms: LicenseTerms {
            id: "imagined".to_owned(),
            edition: Edition { serial: u64::MAX, issued: now },
            not_before: now,
            expires: now + IMAGINED_LENGTH,
            grace: DEFAULT_GRACE,
            after_grace: AfterGrace::RenewalsOnly,
            clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
            minimum_version: None,
            newest_build: None,
        },
        plan: plan.name(),
        organisation: String::new(),
        email: String::new(),
        bound_to: None,
        entitlements: plan.entitlements(),
        signer,
    }
}
