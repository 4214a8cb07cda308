//! `chancery-portal license mint lic`.

use anyhow::Context;
use chancery_cli::tell;
use chancery_license::key::RANDOM_BYTES;
use chancery_license::state::AfterGrace;
use chancery_license::{Holder, InstallationKey, License, LicenseKey, Plan, Version};
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::entitlements::Changes;
use super::{IssuerArgs, OutputArgs, files, values};
use crate::issue::Term;
use crate::random;

#[derive(Debug, Args)]
pub(super) struct MintArgs {
    #[command(flatten)]
    issuer: IssuerArgs,
    /// Its plan: free, starter, pro or enterprise.
    #[arg(long)]
    plan: Plan,
    /// Its serial number: higher than that of every licence of the product before it.
    #[arg(long, value_name = "N")]
    serial: u64,
    /// What it is called through all its issues: 1 to 64 letters, digits, `-`, `_` and `.`.
    #[arg(long)]
    id: String,
    /// The organisation that holds it.
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// The e-mail address of the holder.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The key that the holder registers with, CRT-… [default: a new one, which is printed].
    #[arg(long, value_name = "KEY")]
    license_key: Option<SecretString>,
    /// The one installation that may use it, INST-… [default: any].
    #[arg(long, value_name = "KEY")]
    installation: Option<InstallationKey>,
    /// When it begins, such as 2026-06-14T13:23:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    not_before: Option<Timestamp>,
    #[command(flatten)]
    term: TermArgs,
    /// For how many days everything still works after it ended.
    #[arg(long, value_name = "N", default_value_t = 7)]
    grace_days: u16,
    /// What is allowed after that.
    #[arg(long, value_name = "WHAT", value_parser = values::after_grace(), default_value = "renewals-only")]
    after_grace: AfterGrace,
    /// By how many hours a clock may fall behind before it counts as set back.
    #[arg(long, value_name = "N", default_value_t = 24)]
    clock_tolerance_hours: u16,
    /// The newest build date that its support covers [default: every build].
    #[arg(long, value_name = "TIME")]
    newest_build: Option<Timestamp>,
    /// The oldest version that may use it [default: any].
    #[arg(long, value_name = "VERSION")]
    minimum_version: Option<Version>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    changes: Changes,
}

/// How long a licence is valid: one of both.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct TermArgs {
    /// When it ends, such as 2027-06-14T13:23:00Z; it is valid before that instant.
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,
    /// How many days it is valid from its beginning.
    #[arg(long, value_name = "N")]
    days: Option<u32>,
}

impl TermArgs {
    pub(super) fn term(&self) -> Term {
        // The group lets neither both nor none through.
        self.expires.map_or(Term::Days(self.days.unwrap_or(0)), Term::Until)
    }
}

pub(super) fn run(args: MintArgs) -> anyhow::Result<()> {
    let issuer = args.issuer.issuer()?;
    let now = SystemClock.now();
    let license_key = license_key(args.license_key.as_ref())?;
    let output = &args.output;
    let license = license(&args, license_key, now)?;
    files::create_private(&output.output, &issuer.license(license.clone(), now)?)?;

    // One that was given is known to whoever gave it.
    let new_key = args.license_key.is_none().then(|| license.license_key.reveal());
    let path = output.output.display();
    let signed_by = issuer.public_key().id();
    let License { id, serial, plan, not_before, expires, .. } = &license;
    let object = json!({
        "path": path.to_string(),
        "id": id,
        "serial": serial,
        "plan": plan,
        "license_key": new_key,
        "installation_key": license.installation_key,
        "not_before": not_before,
        "expires": expires,
        "entitlements": license.entitlements,
        "signed_by": signed_by.to_string(),
    });
    let mut text = format!(
        "Wrote {path} — plan={plan} expires={expires}\n  \
         Licence    : {id}, serial {serial}\n  \
         Holder     : {organisation} <{email}>\n  \
         Signed by  : {signed_by}\n",
        organisation = license.holder.organisation,
        email = license.holder.email,
    );
    if let Some(key) = new_key {
        text.push_str(&format!("  Licence key: {key} (new; the holder registers with it)\n"));
    }
    Ok(tell(output.json, &object, &text)?)
}

fn license(args: &MintArgs, license_key: LicenseKey, now: Timestamp) -> anyhow::Result<License> {
    let not_before = args.not_before.unwrap_or(now).whole_seconds();
    Ok(License {
        id: args.id.clone(),
        serial: args.serial,
        plan: args.plan,
        holder: Holder { organisation: args.organisation.clone(), email: args.email.clone() },
        license_key,
        installation_key: args.installation.clone(),
        not_before,
        expires: args.term.term().end(not_before)?,
        grace_days: args.grace_days,
        after_grace: args.after_grace,
        clock_tolerance_hours: args.clock_tolerance_hours,
        entitlements: args.changes.apply(args.plan.entitlements()),
        newest_build: args.newest_build.map(Timestamp::whole_seconds),
        minimum_version: args.minimum_version,
    })
}

/// The key that was given, or a new one. What was given wrongly is not repeated: it may be a secret mistyped.
fn license_key(given: Option<&SecretString>) -> anyhow::Result<LicenseKey> {
    match given {
        Some(given) => given.expose_secret().parse().context("--license-key"),
        None => Ok(LicenseKey::from_random(&random::bytes::<RANDOM_BYTES>()?)),
    }
}
