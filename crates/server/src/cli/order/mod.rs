//! `chancery order`: what ACME clients ordered, and which of it a person allows.

mod decide;
mod list;
mod show;

use std::process::ExitCode;

use chancery_acme::Identifier;
use chancery_acme::state::OrderStatus;
use clap::{Args, Subcommand};

use super::names::Names;
use super::visit::{CommonArgs, Told, Visit};
use crate::service::approval::MAX_REASON;
use crate::store::orders::Approval;

#[derive(Debug, Subcommand)]
pub(super) enum OrderCommand {
    /// List orders, newest first.
    List {
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show an order.
    Show {
        /// Its URL, or its number in the audit log.
        order: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Approve an order that waits for it: a running server issues its certificate within seconds.
    Approve {
        /// Its URL, or its number in the audit log.
        order: String,
        /// Why, for the audit log.
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Reject an order that waits for approval; its client has to make a new one.
    Reject {
        /// Its URL, or its number in the audit log.
        order: String,
        /// Why, for the audit log and for the client.
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct WantedArgs {
    /// Only those of that status: pending, ready, processing, valid or invalid.
    #[arg(long, value_parser = status)]
    status: Option<OrderStatus>,
    /// Only those that a person has to approve and that are waiting, approved, rejected or lapsed.
    #[arg(long, value_parser = approval)]
    approval: Option<Approval>,
    /// Only those of that account: its URL or its number.
    #[arg(long)]
    account: Option<String>,
    /// Only those with that name among their names, exactly.
    #[arg(long, value_parser = name)]
    name: Option<Identifier>,
    /// Only those of that profile.
    #[arg(long)]
    profile: Option<String>,
    /// How many to list.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only those that are older than this one: its URL or its number.
    #[arg(long, value_name = "ORDER")]
    before: Option<String>,
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: OrderCommand) -> anyhow::Result<ExitCode> {
    use OrderCommand as Command;
    match command {
        Command::List { wanted, common } => common.visit(async |on| list::run(on, wanted).await)?,
        Command::Show { order, common } => common.visit(async |on| show::run(on, &order).await)?,
        Command::Approve { order, reason, common } => {
            common.visit(async |on| decide::approve(on, &order, reason).await)?;
        }
        Command::Reject { order, reason, common } => {
            common.visit(async |on| decide::reject(on, &order, reason).await)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(text: &str) -> Result<OrderStatus, String> {
    OrderStatus::named(text).ok_or_else(|| {
        format!("`{text}` is no status of an order: pending, ready, processing, valid or invalid")
    })
}

fn approval(text: &str) -> Result<Approval, String> {
    Approval::named(text).ok_or_else(|| {
        format!("`{text}` is not what an approval can be: waiting, approved, rejected or lapsed")
    })
}

fn name(text: &str) -> Result<Identifier, String> {
    Identifier::ip(text).or_else(|_| Identifier::dns(text)).map_err(|error| error.to_string())
}

/// Clients show the reason on a line.
fn reason(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_REASON || text.contains(char::is_control) {
        return Err(format!("a reason is one line of 1 to {MAX_REASON} characters"));
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line() {
        assert_eq!(reason(" ticket 4711 "), Ok("ticket 4711".to_owned()));
        assert_eq!(reason(&"ü".repeat(MAX_REASON)).map(|text| text.chars().count()), Ok(MAX_REASON));
        for text in ["", "  ", "two\nlines", "\u{1b}[31m", &"x".repeat(MAX_REASON + 1)] {
            assert!(reason(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_are_canonical_at_the_door() {
        assert_eq!(name("A.Example").map(|name| name.canonical()), Ok("dns:a.example".to_owned()));
        assert_eq!(name("2001:DB8::1").map(|name| name.canonical()), Ok("ip:2001:db8::1".to_owned()));
        assert!(name("a_b,c").is_err());
    }

    #[test]
    fn statuses_and_approvals_go_by_their_names() {
        for known in Approval::ALL {
            assert_eq!(approval(known.name()), Ok(known));
        }
        assert_eq!(status("ready"), Ok(OrderStatus::Ready));
        assert!(status("waiting").unwrap_err().contains("processing"));
        assert!(approval("ready").unwrap_err().contains("waiting"));
    }
}
