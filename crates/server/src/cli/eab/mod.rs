//! `chancery eab`: keys for external account bindings (RFC 8555 §7.3.4).

mod bring;
mod list;
mod revoke;
mod shown;
mod terms;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use chancery_acme::eab::ExternalAccountBinding;
use chancery_db::ReadTx;
use clap::Subcommand;

use super::visit::{CommonArgs, Told, Visit};
use crate::store::external_accounts::{self, Listed};
use terms::TermsArgs;

#[derive(Debug, Subcommand)]
pub(super) enum EabCommand {
    /// Make a key, and show it this once with the flags that clients take it by.
    Create {
        #[command(flatten)]
        terms: TermsArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Bring a key along from another server.
    Import {
        /// The key's identifier, as clients send it.
        #[arg(value_parser = kid)]
        kid: String,
        /// The file with the HMAC key, base64url without padding; standard input where there is none.
        #[arg(long, value_name = "FILE")]
        hmac_key_file: Option<PathBuf>,
        #[command(flatten)]
        terms: TermsArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the keys, newest first. No HMAC key is ever shown.
    List {
        /// How many to list.
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Only those that are older than this one.
        #[arg(long, value_name = "KID", value_parser = kid)]
        before: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a key, but not its HMAC key.
    Show {
        #[arg(value_parser = kid)]
        kid: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Revoke a key: no more accounts can be bound to it. Those that are bound stay.
    Revoke {
        #[arg(value_parser = kid)]
        kid: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: EabCommand) -> anyhow::Result<ExitCode> {
    use EabCommand as Command;
    match command {
        Command::Create { terms, common } => common.visit(async |on| bring::create(on, &terms).await)?,
        Command::Import { kid, hmac_key_file, terms, common } => {
            let secret = bring::secret(hmac_key_file.as_deref())?;
            common.visit(async |on| bring::import(on, kid, secret, &terms).await)?;
        }
        Command::List { limit, before, common } => {
            common.visit(async |on| list::run(on, limit, before).await)?;
        }
        Command::Show { kid, common } => common.visit(async |on| show(on, kid).await)?,
        Command::Revoke { kid, common } => common.visit(async |on| revoke::run(on, kid).await)?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(on: &Visit, kid: String) -> anyhow::Result<Told> {
    let key = on.office.db.read(move |tx| find(tx, &kid)).await?;
    Ok(Told { text: shown::lines(&key, on.now).to_string(), json: shown::json(&key, on.now) })
}

/// The key of that name.
fn find(tx: &mut ReadTx<'_>, kid: &str) -> anyhow::Result<Listed> {
    external_accounts::listed(tx, kid)?
        .with_context(|| format!("there is no key `{kid}`: `chancery eab list` lists those that there are"))
}

fn kid(text: &str) -> Result<String, String> {
    if ExternalAccountBinding::is_kid(text) {
        return Ok(text.to_owned());
    }
    Err(format!("a key identifier has 1 to {} printable characters", ExternalAccountBinding::MAX_KID))
}
