//! `chancery-portal revoke`.

use std::path::PathBuf;
use std::time::Duration;

use chancery_cli::tell;
use chancery_license::revocations::Reason;
use chancery_license::{Kind, RevocationList};
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::Args;
use serde_json::json;

use super::{IssuerArgs, OutputArgs, files, values};
use crate::issue::{Issuer, Revocation, next_list};

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Debug, Args)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    issuer: IssuerArgs,
    /// The newest list so far, whose entries are kept; without it, the new list is the first.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The public key that signed that list, where it was another than that of --key.
    #[arg(long, value_name = "FILE", requires = "list")]
    list_key: Option<PathBuf>,
    /// The id of a licence (the `jti` of a licence JWT) of which every issue is revoked. Repeatable.
    #[arg(long = "license", value_name = "ID")]
    licenses: Vec<String>,
    /// The serial of a single issue that is revoked. Repeatable.
    #[arg(long = "serial", value_name = "N")]
    serials: Vec<u64>,
    /// Why.
    #[arg(long, value_parser = values::reason(), default_value = "unspecified")]
    reason: Reason,
    /// Since when, such as 2026-06-14T13:23:00Z [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// In how many days the next list shall be there at the latest.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    next_update_days: u32,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: RevokeArgs) -> anyhow::Result<()> {
    let issuer = args.issuer.issuer()?;
    let now = SystemClock.now();
    let held = held_list(&args, &issuer)?;
    let RevokeArgs { licenses, serials, reason, at, next_update_days, output, .. } = args;
    let revocation = Revocation { licenses, serials, at: at.unwrap_or(now), reason };
    let next_update = now + DAY.saturating_mul(next_update_days);
    let list = next_list(held, revocation, next_update)?;
    files::create_public(&output.output, &issuer.revocations(list.clone(), now)?)?;

    let path = output.output.display();
    let signed_by = issuer.public_key().id();
    let RevocationList { sequence, next_update, licenses, serials } = &list;
    let object = json!({
        "path": path.to_string(),
        "sequence": sequence,
        "next_update": next_update,
        "licenses": licenses,
        "serials": serials,
        "signed_by": signed_by.to_string(),
    });
    let text = format!(
        "Wrote {path} — revocation list {sequence}\n  \
         Licences   : {} revoked\n  \
         Issues     : {} revoked\n  \
         Next update: {next_update}\n  \
         Signed by  : {signed_by}",
        licenses.len(),
        serials.len(),
    );
    Ok(tell(output.json, &object, &text)?)
}

fn held_list(args: &RevokeArgs, issuer: &Issuer) -> anyhow::Result<Option<RevocationList>> {
    let Some(path) = &args.list else { return Ok(None) };
    let signer = match &args.list_key {
        Some(path) => files::public_key(path, "--list-key")?,
        None => issuer.public_key().clone(),
    };
    let text = files::document(path, Kind::Revocations, "--list")?;
    Ok(Some(issuer.open_revocations(&text, &signer)?))
}
