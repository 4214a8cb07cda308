//! `chancery certificate list`.

use std::time::Duration;

use anyhow::Context;
use chancery_acme::Identifier;
use chancery_cli::config::duration;
use chancery_cli::table;
use chancery_pki::certificate::SerialNumber;
use chancery_time::Timestamp;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Told, Visit, describe, named};
use crate::cli::names::Names;
use crate::store::certificates;
use crate::store::inventory::{self, Listed, Wanted};

/// The conditions of the command line; a certificate has to meet each that is given.
#[derive(Debug, Args)]
pub(in crate::cli) struct WantedArgs {
    /// Only those for this name or address, among others: `a.example`, `*.example`.
    #[arg(long, value_parser = name)]
    name: Option<Identifier>,
    /// Only those of that account: its URL or its number.
    #[arg(long)]
    account: Option<String>,
    /// Only the one with this serial number.
    #[arg(long, value_name = "HEX", value_parser = serial)]
    serial: Option<SerialNumber>,
    /// Only those that were issued under this profile.
    #[arg(long)]
    profile: Option<String>,
    /// Only those of that status.
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Only those that are valid and end within this time: `30d`, `12h`.
    #[arg(long, value_name = "TIME", value_parser = within, conflicts_with = "status")]
    expiring: Option<Duration>,
    /// How many to list.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only those that are older than the one with this serial number.
    #[arg(long, value_name = "HEX", value_parser = serial)]
    before: Option<SerialNumber>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Valid,
    Expired,
    Revoked,
}

pub(super) async fn run(on: &Visit, args: WantedArgs) -> anyhow::Result<Told> {
    let account_id = match &args.account {
        Some(account) => Some(Names::new(on).await?.account(account)?),
        None => None,
    };
    let (wanted, before) = (wanted(&args, account_id, on.now), args.before);
    // One more tells whether there are more.
    let more = i64::from(args.limit) + 1;
    let read = on.office.db.read(move |tx| {
        let before = match before {
            Some(serial) => {
                certificates::by_serial(tx, &serial)?
                    .with_context(|| format!("--before: no certificate has the serial number {serial}"))?
                    .id
            }
            None => i64::MAX,
        };
        Ok::<_, anyhow::Error>(inventory::page(tx, &wanted, before, more)?)
    });
    let mut listed = read.await?;
    let limit = usize::try_from(args.limit)?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more).map(|listed| listed.serial.to_string());
    let rows: Vec<[String; 6]> = listed.iter().map(|listed| row(listed, on.now)).collect();
    let mut text = match rows.as_slice() {
        [] => "There are no such certificates.\n".to_owned(),
        rows => table(["SERIAL", "STATUS", "ENDS", "ACCOUNT", "PROFILE", "NAMES"], rows),
    };
    if let Some(last) = &last {
        text.push_str(&format!("There are more: give --before {last}\n"));
    }
    let listed: Vec<Value> = listed.iter().map(|listed| describe::entry(listed, on.now)).collect();
    Ok(Told { text, json: json!({ "certificates": listed, "before": last }) })
}

fn wanted(args: &WantedArgs, account_id: Option<i64>, now: Timestamp) -> Wanted {
    let (revoked, ends_after, ends_by) = match (args.status, args.expiring) {
        (Some(Status::Valid), _) => (Some(false), Some(now), None),
        (Some(Status::Expired), _) => (Some(false), None, Some(now)),
        (Some(Status::Revoked), _) => (Some(true), None, None),
        (None, Some(within)) => (Some(false), Some(now), Some(now + within)),
        (None, None) => (None, None, None),
    };
    Wanted {
        name: args.name.clone(),
        account_id,
        serial: args.serial,
        profile: args.profile.clone(),
        revoked,
        ends_after,
        ends_by,
    }
}

fn row(listed: &Listed, now: Timestamp) -> [String; 6] {
    [
        listed.serial.to_string(),
        describe::status(listed, now).to_owned(),
        listed.not_after.to_minutes(),
        listed.account_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        listed.profile.clone().unwrap_or_else(|| "-".to_owned()),
        describe::names(listed).join(" "),
    ]
}

fn name(text: &str) -> Result<Identifier, String> {
    Identifier::ip(text).or_else(|_| Identifier::dns(text)).map_err(|error| error.to_string())
}

fn serial(text: &str) -> Result<SerialNumber, String> {
    named::serial(text).unwrap_or_else(|| Err(format!("`{text}` is no serial number in hexadecimal")))
}

fn within(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|_| {
        format!("`{text}` is no length of time: write a whole number above 0 and a unit, such as 30d or 12h")
    })
}

#[cfg(test)]
mod tests {
    use super::describe::tests::certificate;
    use super::*;

    #[test]
    fn a_certificate_is_one_row() {
        let now = Timestamp::from_unix_seconds(150);
        let serial = "00000000000000000000000000000001";
        let ends = "1970-01-01 00:03 UTC";
        assert_eq!(
            row(&certificate(), now),
            [serial, "valid", ends, "3", "web", "a.test *.b.test 2001:db8::1"]
        );
        let own = Listed { account_id: None, profile: None, ..certificate() };
        let [.., account, profile, _] = row(&own, now);
        assert_eq!((account.as_str(), profile.as_str()), ("-", "-"));
    }

    #[test]
    fn conditions_are_read() {
        assert_eq!(name("A.Test"), Ok(Identifier::dns("a.test").unwrap()));
        assert_eq!(name("2001:DB8::1"), Ok(Identifier::ip("2001:db8::1").unwrap()));
        assert!(name("%").is_err() && name("a_b").is_err());
        assert!(serial("cert.pem").is_err() && serial("0").is_err() && serial("0a:1b").is_ok());
        assert!(within("0d").is_err() && within("30").is_err() && within("30d").is_ok());
    }
}
