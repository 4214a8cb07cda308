//! `chancery account`: the accounts of ACME clients.

mod change;
mod list;
mod show;

use std::process::ExitCode;

use anyhow::Context;
use chancery_acme::state::AccountStatus;
use chancery_db::ReadTx;
use clap::{Args, Subcommand};

use super::names::Names;
use super::visit::{CommonArgs, Told, Visit};
use crate::store::accounts::{self, Listed};

#[derive(Debug, Subcommand)]
pub(super) enum AccountCommand {
    /// List accounts, newest first.
    List {
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show an account.
    Show {
        /// Its URL, or its number in the audit log.
        account: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change the contacts of an account.
    Contacts {
        /// Its URL, or its number in the audit log.
        account: String,
        /// A contact in place of those that it has, such as mailto:admin@corp.example; give it once for each.
        #[arg(long = "set", value_name = "URL", required_unless_present = "clear")]
        contacts: Vec<String>,
        /// Leave it without contacts.
        #[arg(long, conflicts_with = "contacts")]
        clear: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Revoke an account for good: the server refuses whatever it signs. Its certificates stay as they are.
    Revoke {
        /// Its URL, or its number in the audit log.
        account: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct WantedArgs {
    /// Only those of that status: valid, deactivated or revoked.
    #[arg(long, value_parser = status)]
    status: Option<AccountStatus>,
    /// Only those with that text in a contact.
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Only those that are bound to that external account key.
    #[arg(long, value_name = "KID")]
    eab: Option<String>,
    /// How many to list.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only those that are older than this one: its URL or its number.
    #[arg(long, value_name = "ACCOUNT")]
    before: Option<String>,
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: AccountCommand) -> anyhow::Result<ExitCode> {
    use AccountCommand as Command;
    match command {
        Command::List { wanted, common } => common.visit(async |on| list::run(on, wanted).await)?,
        Command::Show { account, common } => common.visit(async |on| show::run(on, &account).await)?,
        Command::Contacts { account, contacts, common, .. } => {
            common.visit(async |on| change::contacts(on, &account, contacts).await)?;
        }
        Command::Revoke { account, common } => {
            common.visit(async |on| change::revoke(on, &account).await)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(text: &str) -> Result<AccountStatus, String> {
    AccountStatus::named(text)
        .ok_or_else(|| format!("`{text}` is no status of an account: valid, deactivated or revoked"))
}

/// The account of that number.
fn find(tx: &mut ReadTx<'_>, id: i64) -> anyhow::Result<Listed> {
    accounts::listed(tx, id)?.with_context(|| format!("there is no account with the number {id}"))
}
